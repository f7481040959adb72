// Reading a tree field by field; see the header for how errors travel.
#include "policy/reading.h"

#include "base/text.h"

#include <algorithm>
#include <numeric>

namespace neuwerk::policy {

namespace {

constexpr std::string_view plain_key_letters =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/";

// How many letters must change to turn one key into the other (Levenshtein).
std::size_t distance(std::string_view a, std::string_view b)
{
	std::vector<std::size_t> row(b.size() + 1);
	std::iota(row.begin(), row.end(), std::size_t{0});
	for (std::size_t i = 1; i <= a.size(); i++) {
		std::size_t diagonal = std::exchange(row[0], i);
		for (std::size_t k = 1; k <= b.size(); k++) {
			const std::size_t change = diagonal + (a[i - 1] != b[k - 1]);
			diagonal = row[k];
			row[k] = std::min({change, row[k] + 1, row[k - 1] + 1});
		}
	}
	return row.back();
}

// What the author of an unknown key may have meant; "" when nothing is near.
std::string_view nearest(std::string_view key, const std::vector<std::string_view> &known)
{
	constexpr std::size_t near = 2;
	constexpr std::size_t longest_key = 32;
	std::string_view best;
	std::size_t best_distance = near + 1;
	for (const std::string_view candidate : known) {
		const std::size_t d = key.size() > longest_key ? best_distance : distance(key, candidate);
		if (d < best_distance) {
			best = candidate;
			best_distance = d;
		}
	}
	return best;
}

std::string found(const Node &node)
{
	if (node.kind == Node::Kind::integer)
		return text("the number ", node.integer);
	if (node.kind == Node::Kind::text)
		return quoted(node.text);
	return std::string(kind_name(node.kind));
}

} // namespace

std::string Path::text() const
{
	if (!parent_)
		return {};
	std::string out = parent_->text();
	if (key_.data() == nullptr)
		return out.append("[").append(std::to_string(index_)).append("]");
	const bool is_plain = key_.find_first_not_of(plain_key_letters) == std::string_view::npos;
	return out.append(out.empty() ? "" : ".").append(is_plain ? std::string(key_) : quoted(key_));
}

void Reading::fail(std::string_view code, const Path &path, std::string_view what)
{
	if (failed())
		return;
	const std::string where = path.text();
	problem_ = text(code, ": ", where, where.empty() ? "" : ": ", what);
}

void Reading::warn(const Path &path, std::string what)
{
	warnings_.push_back({path.text(), std::move(what)});
}

std::string_view as_text(Reading &reading, const Node &node, const Path &path)
{
	if (node.kind == Node::Kind::text)
		return node.text;
	reading.fail(
		"E_JSON", path,
		text("expected text, found ", found(node),
		     node.kind == Node::Kind::object || node.kind == Node::Kind::array ? "" : ": quote it"));
	return {};
}

std::uint32_t as_number(Reading &reading, const Node &node, const Path &path, std::uint32_t max)
{
	if (node.kind == Node::Kind::integer && node.integer >= 0 && node.integer <= max)
		return static_cast<std::uint32_t>(node.integer);
	reading.fail("E_JSON", path,
		     text("expected a whole number from 0 to ", max, ", found ", found(node)));
	return 0;
}

Object::Object(Reading &reading, const Node &node, const Path &path)
    : reading_(reading), node_(node), path_(path)
{
	if (node.kind != Node::Kind::object)
		reading.fail("E_JSON", path, text("expected an object, found ", found(node)));
}

Object::~Object()
{
	for (const std::string &key : node_.keys) {
		if (std::find(asked_.begin(), asked_.end(), key) != asked_.end())
			continue;
		const std::string_view meant = nearest(key, asked_);
		reading_.warn({path_, key},
			      meant.empty() ? "unknown key: ignored"
					    : text("unknown key: ignored; did you mean ", meant, "?"));
	}
}

const Node *Object::member(std::string_view key)
{
	asked_.push_back(key);
	const auto at = std::find(node_.keys.begin(), node_.keys.end(), key);
	return at == node_.keys.end() ? nullptr
				      : &node_.items[static_cast<std::size_t>(at - node_.keys.begin())];
}

const Node *Object::find(std::string_view key)
{
	const Node *node = member(key);
	return node && node->kind != Node::Kind::null ? node : nullptr;
}

const Node *Object::find_required(std::string_view key)
{
	const Node *node = find(key);
	if (!node)
		reading_.fail("E_JSON", {path_, key}, "missing");
	return node;
}

std::optional<std::string_view> Object::optional_text(std::string_view key)
{
	const Node *node = find(key);
	if (!node)
		return std::nullopt;
	return as_text(reading_, *node, {path_, key});
}

std::string_view Object::required_text(std::string_view key)
{
	const Node *node = find_required(key);
	return node ? as_text(reading_, *node, {path_, key}) : std::string_view{};
}

void Object::each(std::string_view key, const Visit &visit)
{
	const Node *list = member(key);
	const Path path(path_, key);
	if (!list)
		return;
	if (list->kind != Node::Kind::array) {
		reading_.fail("E_JSON", path, neuwerk::text("expected a list, found ", found(*list)));
		return;
	}
	for (std::size_t i = 0; i < list->items.size() && !reading_.failed(); i++)
		visit(list->items[i], {path, i});
}

void Object::each_entry(std::string_view key, const VisitEntry &visit)
{
	const Node *map = find(key);
	const Path path(path_, key);
	if (!map)
		return;
	if (map->kind != Node::Kind::object) {
		reading_.fail("E_JSON", path, neuwerk::text("expected an object, found ", found(*map)));
		return;
	}
	for (std::size_t i = 0; i < map->items.size() && !reading_.failed(); i++)
		visit(map->keys[i], map->items[i], {path, map->keys[i]});
}

std::string_view trimmed(std::string_view value)
{
	constexpr std::string_view blanks = " \t\r\n\v\f";
	const std::size_t first = value.find_first_not_of(blanks);
	if (first == std::string_view::npos)
		return {};
	return value.substr(first, value.find_last_not_of(blanks) - first + 1);
}

std::string lower_case(std::string_view value)
{
	std::string out(value);
	for (char &c : out)
		if (c >= 'A' && c <= 'Z')
			c = static_cast<char>(c + ('a' - 'A'));
	return out;
}

std::string upper_case(std::string_view value)
{
	std::string out(value);
	for (char &c : out)
		if (c >= 'a' && c <= 'z')
			c = static_cast<char>(c - ('a' - 'A'));
	return out;
}

} // namespace neuwerk::policy
