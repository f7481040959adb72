// Reading a tree field by field: where we are, what went wrong first, and which keys nobody asked for.
//
// The first problem is kept and reading goes on with empty values, so that readers need no error paths of
// their own; whoever started the reading looks at `failed()` once, at the end.
#pragma once

#include "policy/document.h"
#include "policy/policy.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::policy {

// "source_groups[2].rules[0].match": a chain on the stack; the text is made only when somebody needs it.
class Path {
public:
	Path() = default;
	Path(const Path &parent, std::string_view key) : parent_(&parent), key_(key) {}
	Path(const Path &parent, std::size_t index) : parent_(&parent), index_(index) {}

	[[nodiscard]] std::string text() const;

private:
	const Path *parent_ = nullptr;
	std::string_view key_;
	std::size_t index_ = 0;
};

class Reading {
public:
	// `code` is a condition of spec/dataplane §1.3.
	void fail(std::string_view code, const Path &path, std::string_view what);
	void warn(const Path &path, std::string what);

	[[nodiscard]] bool failed() const
	{
		return !problem_.empty();
	}
	[[nodiscard]] Error error() const
	{
		return {ErrorKind::invalid_argument, problem_};
	}
	[[nodiscard]] std::vector<Warning> take_warnings()
	{
		return std::move(warnings_);
	}

private:
	std::string problem_;
	std::vector<Warning> warnings_;
};

// Text that must be there; "" and E_JSON when the node is something else.
[[nodiscard]] std::string_view as_text(Reading &reading, const Node &node, const Path &path);
// E_JSON unless the node is a whole number from 0 to max.
[[nodiscard]] std::uint32_t as_number(Reading &reading, const Node &node, const Path &path,
				      std::uint32_t max);

// One object of the document. When it goes out of scope, each key that was never asked for becomes a warning.
class Object {
public:
	// `path` must outlive the object.
	Object(Reading &reading, const Node &node, const Path &path);
	~Object();
	Object(const Object &) = delete;
	Object &operator=(const Object &) = delete;

	// Absent and null are the same: nullptr. The second form makes them E_JSON.
	[[nodiscard]] const Node *find(std::string_view key);
	[[nodiscard]] const Node *find_required(std::string_view key);
	[[nodiscard]] std::optional<std::string_view> optional_text(std::string_view key);
	[[nodiscard]] std::string_view required_text(std::string_view key);
	[[nodiscard]] Path path(std::string_view key) const
	{
		return {path_, key};
	}

	// Calls `visit` for each item of a list; the list may be absent, but not null.
	using Visit = std::function<void(const Node &item, const Path &path)>;
	void each(std::string_view key, const Visit &visit);
	// The same for an object that maps names of the author's choice; null is absent.
	using VisitEntry = std::function<void(std::string_view name, const Node &item, const Path &path)>;
	void each_entry(std::string_view key, const VisitEntry &visit);

private:
	[[nodiscard]] const Node *member(std::string_view key);

	Reading &reading_;
	const Node &node_;
	const Path &path_;
	std::vector<std::string_view> asked_;
};

[[nodiscard]] std::string_view trimmed(std::string_view text);
[[nodiscard]] std::string lower_case(std::string_view text); // ASCII
[[nodiscard]] std::string upper_case(std::string_view text); // ASCII

} // namespace neuwerk::policy
