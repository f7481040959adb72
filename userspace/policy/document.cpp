// The neutral tree behind JSON and YAML, and the limits on what it may grow to.
#include "policy/document.h"

#include "base/text.h"

#include <algorithm>
#include <utility>

namespace neuwerk::policy {

std::string_view kind_name(Node::Kind kind)
{
	switch (kind) {
	case Node::Kind::null:
		return "null";
	case Node::Kind::boolean:
		return "true or false";
	case Node::Kind::integer:
		return "a number";
	case Node::Kind::real:
		return "a fraction or a very large number";
	case Node::Kind::text:
		return "text";
	case Node::Kind::array:
		return "a list";
	case Node::Kind::object:
		return "an object";
	}
	return "nothing";
}

std::string TreeBuilder::open(Node::Kind kind)
{
	if (open_.size() == depth_limit)
		return text("nested deeper than ", depth_limit, " levels");
	Node node;
	node.kind = kind;
	open_.push_back(std::move(node));
	pending_key_.emplace_back();
	has_key_.push_back(false);
	return {};
}

std::string TreeBuilder::close()
{
	Node node = std::move(open_.back());
	open_.pop_back();
	pending_key_.pop_back();
	has_key_.pop_back();

	std::vector<std::string_view> keys(node.keys.begin(), node.keys.end());
	std::sort(keys.begin(), keys.end());
	const auto twice = std::adjacent_find(keys.begin(), keys.end());
	if (twice != keys.end())
		return text("key ", quoted(*twice), " occurs twice in one object");

	// The children were counted when they were added.
	if (++nodes_ > node_limit)
		return text("more than ", node_limit, " values");
	if (open_.empty()) {
		root_ = std::move(node);
		return {};
	}
	if (open_.back().kind == Node::Kind::object) {
		open_.back().keys.push_back(std::move(pending_key_.back()));
		has_key_.back() = false;
	}
	open_.back().items.push_back(std::move(node));
	return {};
}

std::string TreeBuilder::key(std::string text)
{
	text_bytes_ += text.size();
	pending_key_.back() = std::move(text);
	has_key_.back() = true;
	return {};
}

std::string TreeBuilder::add(Node node)
{
	if (std::string problem = charge(node); !problem.empty())
		return problem;
	if (open_.empty()) {
		root_ = std::move(node);
		return {};
	}
	if (open_.back().kind == Node::Kind::object) {
		open_.back().keys.push_back(std::move(pending_key_.back()));
		has_key_.back() = false;
	}
	open_.back().items.push_back(std::move(node));
	return {};
}

bool TreeBuilder::expects_key() const
{
	return !open_.empty() && open_.back().kind == Node::Kind::object && !has_key_.back();
}

const Node &TreeBuilder::last() const
{
	return open_.empty() ? root_ : open_.back().items.back();
}

Node TreeBuilder::take()
{
	return std::move(root_);
}

std::string TreeBuilder::charge(const Node &node)
{
	nodes_++;
	text_bytes_ += node.text.size();
	for (const std::string &key : node.keys)
		text_bytes_ += key.size();
	if (nodes_ > node_limit)
		return text("more than ", node_limit, " values");
	if (text_bytes_ > text_limit_bytes)
		return text("more than ", text_limit_bytes, " bytes of text");
	for (const Node &item : node.items)
		if (std::string problem = charge(item); !problem.empty())
			return problem;
	return {};
}

std::string place_of(std::string_view document, std::size_t offset)
{
	const std::string_view before = document.substr(0, offset);
	const std::size_t line_start = before.rfind('\n') + 1; // npos + 1 is 0
	const auto line = 1 + std::count(before.begin(), before.end(), '\n');
	return text("line ", line, ", column ", before.size() - line_start + 1);
}

std::string quoted(std::string_view value)
{
	constexpr std::size_t shown_bytes = 60;
	std::string out = "'";
	for (const char c : value.substr(0, shown_bytes)) {
		const auto byte = static_cast<unsigned char>(c);
		out += byte < 0x20 || byte == 0x7f ? '?' : c;
	}
	return out + (value.size() > shown_bytes ? "…'" : "'");
}

} // namespace neuwerk::policy
