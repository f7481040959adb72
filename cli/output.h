// How answers are printed: a table for people, JSON or YAML with the field names of the contract for
// programs.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::cli {

enum class Format { table, json, yaml, jsonl };

struct Style {
	Format format = Format::table;
	bool color = false; // only ever on a terminal without NO_COLOR
};

// One message: json is indented, jsonl is one line. Every field is there, numbers are numbers. Ends with a
// newline.
[[nodiscard]] std::string structured(const google::protobuf::Message &message, Format format);

// JSON text in another form; text that is not JSON comes back as it is.
[[nodiscard]] std::string reformatted(const std::string &json, Format format);

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

[[nodiscard]] std::string green(std::string_view words, const Style &style);
[[nodiscard]] std::string red(std::string_view words, const Style &style);

} // namespace neuwerk::cli
