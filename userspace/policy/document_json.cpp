// JSON text into the neutral tree and back: the only file that sees Boost.JSON.
#include "policy/document.h"

#include "base/text.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/string_view.hpp>

#include <limits>
#include <utility>

namespace neuwerk::policy {

namespace {

namespace json = boost::json;
using Code = json::error_code;
using Piece = json::string_view;

// Called by json::basic_parser for every token; a false return stops it.
struct Handler {
	static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
	static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
	static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
	static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();

	TreeBuilder tree;
	std::string parts; // of a string that arrives in pieces
	std::string problem;

	bool tell(std::string what, Code &code)
	{
		if (what.empty())
			return true;
		problem = std::move(what);
		code = json::error::extra_data; // any error stops the parser
		return false;
	}

	bool add(Node::Kind kind, std::int64_t integer, std::string text, Code &code)
	{
		Node node;
		node.kind = kind;
		node.integer = integer;
		node.text = std::move(text);
		return tell(tree.add(std::move(node)), code);
	}

	std::string whole(Piece tail)
	{
		std::string text = std::exchange(parts, {});
		text.append(tail.data(), tail.size());
		return text;
	}

	bool part(Piece piece)
	{
		parts.append(piece.data(), piece.size());
		return true;
	}

	bool on_document_begin(Code &)
	{
		return true;
	}
	bool on_document_end(Code &)
	{
		return true;
	}
	bool on_object_begin(Code &code)
	{
		return tell(tree.open(Node::Kind::object), code);
	}
	bool on_object_end(std::size_t, Code &code)
	{
		return tell(tree.close(), code);
	}
	bool on_array_begin(Code &code)
	{
		return tell(tree.open(Node::Kind::array), code);
	}
	bool on_array_end(std::size_t, Code &code)
	{
		return tell(tree.close(), code);
	}
	bool on_key_part(Piece piece, std::size_t, Code &)
	{
		return part(piece);
	}
	bool on_key(Piece tail, std::size_t, Code &code)
	{
		return tell(tree.key(whole(tail)), code);
	}
	bool on_string_part(Piece piece, std::size_t, Code &)
	{
		return part(piece);
	}
	bool on_string(Piece tail, std::size_t, Code &code)
	{
		return add(Node::Kind::text, 0, whole(tail), code);
	}
	bool on_number_part(Piece piece, Code &)
	{
		return part(piece);
	}
	bool on_int64(std::int64_t value, Piece tail, Code &code)
	{
		whole(tail); // forget the digits
		return add(Node::Kind::integer, value, {}, code);
	}
	bool on_uint64(std::uint64_t, Piece tail, Code &code)
	{
		return add(Node::Kind::real, 0, whole(tail), code);
	}
	bool on_double(double, Piece tail, Code &code)
	{
		return add(Node::Kind::real, 0, whole(tail), code);
	}
	bool on_bool(bool value, Code &code)
	{
		return add(Node::Kind::boolean, value, {}, code);
	}
	bool on_null(Code &code)
	{
		return add(Node::Kind::null, 0, {}, code);
	}
	bool on_comment_part(Piece, Code &)
	{
		return true;
	}
	bool on_comment(Piece, Code &)
	{
		return true;
	}
};

void write(const Node &node, std::string &out, std::size_t depth, Layout layout)
{
	const bool is_compact = layout == Layout::compact;
	const auto line = [&](std::size_t levels) {
		if (!is_compact)
			out.append("\n").append(levels * 2, ' ');
	};
	switch (node.kind) {
	case Node::Kind::null:
		out += "null";
		return;
	case Node::Kind::boolean:
		out += node.integer ? "true" : "false";
		return;
	case Node::Kind::integer:
		out += std::to_string(node.integer);
		return;
	case Node::Kind::real:
		out += node.text;
		return;
	case Node::Kind::text:
		out += json::serialize(json::string_view(node.text));
		return;
	case Node::Kind::array:
	case Node::Kind::object:
		break;
	}
	const bool is_object = node.kind == Node::Kind::object;
	out += is_object ? '{' : '[';
	for (std::size_t i = 0; i < node.items.size(); i++) {
		out += i ? "," : "";
		line(depth + 1);
		if (is_object)
			out.append(json::serialize(json::string_view(node.keys[i])))
				.append(is_compact ? ":" : ": ");
		write(node.items[i], out, depth + 1, layout);
	}
	if (!node.items.empty())
		line(depth);
	out += is_object ? '}' : ']';
}

} // namespace

Result<Node> read_json(std::string_view document)
{
	json::parse_options options;
	options.max_depth = depth_limit;
	json::basic_parser<Handler> parser(options);
	json::error_code error;
	std::size_t consumed = parser.write_some(false, document.data(), document.size(), error);
	while (!error && consumed < document.size() &&
	       std::string_view(" \t\r\n").find(document[consumed]) != std::string_view::npos)
		consumed++;
	if (!error && consumed < document.size())
		error = json::error::extra_data;
	if (!error)
		return parser.handler().tree.take();
	const std::string &problem = parser.handler().problem;
	return fail(ErrorKind::invalid_argument,
		    text(place_of(document, consumed), ": ", problem.empty() ? error.message() : problem));
}

std::string write_json(const Node &node, Layout layout)
{
	std::string out;
	write(node, out, 0, layout);
	return layout == Layout::compact ? out : out += '\n';
}

} // namespace neuwerk::policy
