// A document as a neutral tree, whatever syntax it was written in; and how the syntaxes are read into it.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::policy {

// What a document may hold, so that a small one cannot become a large tree (YAML aliases).
inline constexpr std::size_t node_limit = 1u << 22;
inline constexpr std::size_t text_limit_bytes = 64u << 20;
inline constexpr std::size_t depth_limit = 32;

struct Node {
	enum class Kind { null, boolean, integer, real, text, array, object };

	Kind kind = Kind::null;
	std::int64_t integer = 0;      // of a boolean: 0 or 1
	std::string text;              // of a real: as written
	std::vector<Node> items;       // of an array; of an object the values
	std::vector<std::string> keys; // of an object, one per item, unique
};

// "text", "an object": for messages.
[[nodiscard]] std::string_view kind_name(Node::Kind kind);

// Builds the tree from the events of a parser. Every function returns "" or what is wrong.
class TreeBuilder {
public:
	[[nodiscard]] std::string open(Node::Kind kind); // array or object
	[[nodiscard]] std::string close();
	[[nodiscard]] std::string key(std::string text);
	[[nodiscard]] std::string add(Node node);
	[[nodiscard]] bool expects_key() const;
	// The node that was completed last; invalidated by the next event.
	[[nodiscard]] const Node &last() const;
	[[nodiscard]] Node take();

	// Counts a node, with everything below it, towards the limits; add() does so itself.
	[[nodiscard]] std::string charge(const Node &node);

private:
	Node root_;
	std::vector<Node> open_;               // from the outermost inwards
	std::vector<std::string> pending_key_; // one per open node; the flag below says whether it is set
	std::vector<bool> has_key_;
	std::size_t nodes_ = 0;
	std::size_t text_bytes_ = 0;
};

// Fail with invalid_argument: "line 3, column 14: what is wrong".
[[nodiscard]] Result<Node> read_json(std::string_view document);
[[nodiscard]] Result<Node> read_yaml(std::string_view document);

// Indented, with a final line break, or compact: without any blank.
enum class Layout { indented, compact };
[[nodiscard]] std::string write_json(const Node &node, Layout layout = Layout::indented);
// Block style; read_yaml gives the same tree back.
[[nodiscard]] std::string write_yaml(const Node &node);

// "line 3, column 14" of a byte offset; columns count bytes from 1.
[[nodiscard]] std::string place_of(std::string_view document, std::size_t offset);

// Text for a message: quoted, shortened, without control characters.
[[nodiscard]] std::string quoted(std::string_view text);

} // namespace neuwerk::policy
