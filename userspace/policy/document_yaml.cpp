// YAML text into the neutral tree and back: the only file that sees yaml-cpp.
//
// Events, not yaml-cpp's own nodes: so duplicate keys are seen, aliases are counted, and plain scalars are
// typed by the core schema of YAML 1.2 (`no` is text, `443` is a number, `"443"` is text).
#include "policy/document.h"

#include "base/text.h"

#include <yaml-cpp/emitter.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <sstream>
#include <utility>

namespace neuwerk::policy {

namespace {

// Ends yaml-cpp's parse; never leaves this file.
struct Refusal {
	std::string what;
};

bool is_one_of(std::string_view value, std::initializer_list<std::string_view> words)
{
	return std::find(words.begin(), words.end(), value) != words.end();
}

// [-+]?[0-9]+, 0x[0-9a-fA-F]+ or 0o[0-7]+; a number that does not fit 64 bits becomes a real, as in JSON.
bool read_integer(std::string_view value, Node &node)
{
	int base = 10;
	std::string_view digits = value;
	if (value.starts_with("0x") || value.starts_with("0o")) {
		base = value[1] == 'x' ? 16 : 8;
		digits.remove_prefix(2);
	} else if (value.starts_with('+')) {
		digits.remove_prefix(1);
	}
	if (digits.starts_with('-') && digits.data() != value.data())
		return false;
	const auto end = digits.data() + digits.size();
	const auto [stop, error] = std::from_chars(digits.data(), end, node.integer, base);
	if (digits.empty() || stop != end)
		return false;
	node.kind = error == std::errc{} ? Node::Kind::integer : Node::Kind::real;
	return true;
}

bool is_real(std::string_view value)
{
	if (is_one_of(value, {".inf", ".Inf", ".INF", "-.inf", "-.Inf", "-.INF", ".nan", ".NaN", ".NAN"}))
		return true;
	if (value.find_first_not_of("0123456789+-.eE") != std::string_view::npos || value.starts_with("+-"))
		return false;
	const std::string_view digits = value.substr(value.starts_with('+'));
	double ignored;
	const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), ignored);
	return error != std::errc::invalid_argument && stop == digits.data() + digits.size();
}

Node plain_scalar(const std::string &value)
{
	Node node;
	if (is_one_of(value, {"", "~", "null", "Null", "NULL"}))
		return node;
	if (is_one_of(value, {"true", "True", "TRUE", "false", "False", "FALSE"})) {
		node.kind = Node::Kind::boolean;
		node.integer = value[0] == 't' || value[0] == 'T';
		return node;
	}
	if (read_integer(value, node) && node.kind == Node::Kind::integer)
		return node;
	node.kind = node.kind == Node::Kind::real || is_real(value) ? Node::Kind::real : Node::Kind::text;
	node.text = value;
	return node;
}

class Handler : public YAML::EventHandler {
public:
	TreeBuilder tree;

	void OnDocumentStart(const YAML::Mark &) override {}
	void OnDocumentEnd() override {}

	void OnNull(const YAML::Mark &mark, YAML::anchor_t anchor) override
	{
		on_scalar(mark, anchor, Node{}, "null");
	}

	void OnScalar(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t anchor,
		      const std::string &value) override
	{
		Node text;
		text.kind = Node::Kind::text;
		text.text = value;
		if (tag == "!" || tag == "tag:yaml.org,2002:str")
			on_scalar(mark, anchor, std::move(text), value);
		else if (tag.empty() || tag == "?")
			on_scalar(mark, anchor, plain_scalar(value), value);
		else
			refuse(mark, "the tag " + quoted(tag) + " has no meaning here");
	}

	void OnAlias(const YAML::Mark &mark, YAML::anchor_t anchor) override
	{
		const auto known = anchors_.find(anchor);
		if (known == anchors_.end())
			refuse(mark, "an alias refers to the value that it is part of");
		if (tree.expects_key())
			refuse(mark, "a key must be text, not an alias");
		check(mark, tree.add(known->second));
	}

	void OnSequenceStart(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t anchor,
			     YAML::EmitterStyle::value) override
	{
		open(mark, tag, anchor, Node::Kind::array);
	}

	void OnMapStart(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t anchor,
			YAML::EmitterStyle::value) override
	{
		open(mark, tag, anchor, Node::Kind::object);
	}

	void OnSequenceEnd() override
	{
		close();
	}
	void OnMapEnd() override
	{
		close();
	}

private:
	struct Open {
		YAML::Mark mark;
		YAML::anchor_t anchor;
	};

	[[noreturn]] void refuse(const YAML::Mark &mark, const std::string &what)
	{
		throw Refusal{text("line ", mark.line + 1, ", column ", mark.column + 1, ": ", what)};
	}

	void check(const YAML::Mark &mark, const std::string &problem)
	{
		if (!problem.empty())
			refuse(mark, problem);
	}

	// A copy per anchor, counted like the original: an anchored tree is charged twice.
	void remember(const YAML::Mark &mark, YAML::anchor_t anchor)
	{
		if (!anchor)
			return;
		check(mark, tree.charge(tree.last()));
		anchors_[anchor] = tree.last();
	}

	void on_scalar(const YAML::Mark &mark, YAML::anchor_t anchor, Node node, const std::string &written)
	{
		if (tree.expects_key()) {
			check(mark, tree.key(written));
			return;
		}
		check(mark, tree.add(std::move(node)));
		remember(mark, anchor);
	}

	void open(const YAML::Mark &mark, const std::string &tag, YAML::anchor_t anchor, Node::Kind kind)
	{
		if (!is_one_of(tag, {"", "?", "!", "tag:yaml.org,2002:seq", "tag:yaml.org,2002:map"}))
			refuse(mark, "the tag " + quoted(tag) + " has no meaning here");
		if (tree.expects_key())
			refuse(mark, "a key must be text, not a list or an object");
		check(mark, tree.open(kind));
		open_.push_back({mark, anchor});
	}

	void close()
	{
		const Open opened = open_.back();
		open_.pop_back();
		check(opened.mark, tree.close());
		remember(opened.mark, opened.anchor);
	}

	std::vector<Open> open_;
	std::map<YAML::anchor_t, Node> anchors_;
};

// yaml-cpp takes byte 4 for the end of the document and passes invalid UTF-8 on: both are refused first.
// Returns the offset of the first byte that is not text, or npos.
std::size_t first_non_text(std::string_view document)
{
	std::size_t i = 0;
	while (i < document.size()) {
		const auto lead = static_cast<unsigned char>(document[i]);
		if (lead < 0x80) {
			if ((lead < 0x20 && document[i] != '\t' && document[i] != '\n' &&
			     document[i] != '\r') ||
			    lead == 0x7f)
				return i;
			i++;
			continue;
		}
		const std::size_t bytes = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
		if (lead < 0xc2 || lead > 0xf4 || i + bytes > document.size())
			return i;
		std::uint32_t rune = lead & (0xffu >> (bytes + 1));
		for (std::size_t k = 1; k < bytes; k++) {
			const auto next = static_cast<unsigned char>(document[i + k]);
			if ((next & 0xc0) != 0x80)
				return i;
			rune = rune << 6 | (next & 0x3f);
		}
		const std::uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
		if (rune < least[bytes] || rune > 0x10ffff || (rune >= 0xd800 && rune < 0xe000))
			return i;
		i += bytes;
	}
	return std::string_view::npos;
}

// Text that is not read back as text, or that the syntax of YAML could take for its own, is quoted.
void write_text(YAML::Emitter &out, const std::string &value)
{
	constexpr std::string_view plain =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./";
	const bool is_plain = value.find_first_not_of(plain) == std::string::npos &&
			      !value.starts_with('-') && plain_scalar(value).kind == Node::Kind::text;
	if (!is_plain)
		out << YAML::DoubleQuoted;
	out << value;
}

void write(YAML::Emitter &out, const Node &node)
{
	switch (node.kind) {
	case Node::Kind::null:
		out << YAML::Null;
		return;
	case Node::Kind::boolean:
		out << (node.integer != 0);
		return;
	case Node::Kind::integer:
		out << node.integer;
		return;
	case Node::Kind::real:
		out << node.text;
		return;
	case Node::Kind::text:
		write_text(out, node.text);
		return;
	case Node::Kind::array:
		if (node.items.empty())
			out << YAML::Flow;
		out << YAML::BeginSeq;
		for (const Node &item : node.items)
			write(out, item);
		out << YAML::EndSeq;
		return;
	case Node::Kind::object:
		break;
	}
	if (node.items.empty())
		out << YAML::Flow;
	out << YAML::BeginMap;
	for (std::size_t i = 0; i < node.items.size(); i++) {
		out << YAML::Key;
		write_text(out, node.keys[i]);
		out << YAML::Value;
		write(out, node.items[i]);
	}
	out << YAML::EndMap;
}

} // namespace

std::string write_yaml(const Node &node)
{
	YAML::Emitter out;
	write(out, node);
	return std::string(out.c_str(), out.size()) + '\n';
}

Result<Node> read_yaml(std::string_view document)
{
	if (const std::size_t offset = first_non_text(document); offset != std::string_view::npos)
		return fail(ErrorKind::invalid_argument, text(place_of(document, offset), ": byte ",
							      static_cast<unsigned char>(document[offset]),
							      " is not text: is this a YAML file?"));
	try {
		std::istringstream stream{std::string(document)};
		YAML::Parser parser(stream);
		Handler handler;
		if (!parser.HandleNextDocument(handler))
			return fail(ErrorKind::invalid_argument, "line 1, column 1: the document is empty");
		Node root = handler.tree.take();
		Handler second;
		if (parser.HandleNextDocument(second))
			return fail(ErrorKind::invalid_argument, "more than one YAML document in one file");
		return root;
	} catch (const Refusal &refusal) {
		return fail(ErrorKind::invalid_argument, refusal.what);
	} catch (const YAML::Exception &error) {
		return fail(ErrorKind::invalid_argument, text("line ", error.mark.line + 1, ", column ",
							      error.mark.column + 1, ": ", error.msg));
	}
}

} // namespace neuwerk::policy
