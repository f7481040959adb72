// How answers are printed: a table for people, JSON or YAML for programs, as the API sent it.
#pragma once

#include "json.h"

#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::cli {

enum class Format { table, json, yaml, jsonl };

struct Style {
	Format format = Format::table;
	bool color = false; // only ever on a terminal without NO_COLOR
};

// json is indented, jsonl is one line. Ends with a newline.
[[nodiscard]] std::string structured(const Json &json, Format format);
// The same for a list; jsonl is one line per item.
[[nodiscard]] std::string structured_list(const Json::Array &list, Format format);

// Columns as wide as their widest cell, two blanks apart; a column whose cells are all numbers is
// right-aligned.
class Table {
public:
	explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
	void add(std::vector<std::string> row)
	{
		rows_.push_back(std::move(row));
	}
	[[nodiscard]] std::string text() const;

private:
	std::vector<std::vector<std::string>> rows_;
};

struct Column {
	std::string_view head;
	std::string_view key; // of the member that it shows
};
// A list of objects: a table with a row per item, `none` when there is none, or its structured form.
[[nodiscard]] std::string listed(const Json &list, const std::vector<Column> &columns, std::string_view none,
				 const Style &style);
// One object: a line per member that it has, or its structured form.
[[nodiscard]] std::string described(const Json &object, const Style &style);

[[nodiscard]] std::string green(std::string_view words, const Style &style);
[[nodiscard]] std::string red(std::string_view words, const Style &style);

} // namespace neuwerk::cli
