// How answers are printed.
#include "output.h"

#include "proto/message_json.h"

#include <boost/json.hpp>

#include <algorithm>
#include <sstream>

namespace neuwerk::cli {

namespace {

namespace json = boost::json;
bool is_empty(const json::value &value)
{
	return (value.is_object() && value.as_object().empty()) ||
	       (value.is_array() && value.as_array().empty());
}

bool is_plain(const json::value &value)
{
	return !value.is_structured() || is_empty(value);
}

void write_json(std::string &out, const json::value &value, std::size_t depth)
{
	if (is_plain(value)) {
		out += json::serialize(value);
		return;
	}
	const std::string indent(2 * (depth + 1), ' ');
	const bool is_object = value.is_object();
	out += is_object ? "{\n" : "[\n";
	const char *separator = "";
	if (is_object)
		for (const auto &[key, child] : value.as_object()) {
			out += separator + indent + json::serialize(json::string(key)) + ": ";
			write_json(out, child, depth + 1);
			separator = ",\n";
		}
	else
		for (const json::value &child : value.as_array()) {
			out += separator + indent;
			write_json(out, child, depth + 1);
			separator = ",\n";
		}
	out += '\n' + std::string(2 * depth, ' ') + (is_object ? '}' : ']');
}

// Scalars are JSON, which is YAML too; only the structure is written the YAML way. `out` stands at the place
// where the first line may begin.
void write_yaml(std::string &out, const json::value &value, std::size_t depth)
{
	const std::string indent(2 * depth, ' ');
	const auto write_child = [&](const json::value &child, bool in_list) {
		if (is_plain(child))
			out += ' ' + json::serialize(child) + '\n';
		else if (in_list) {
			out += ' ';
			write_yaml(out, child, depth + 1);
		} else {
			out += '\n' + std::string(2 * (depth + 1), ' ');
			write_yaml(out, child, depth + 1);
		}
	};
	std::string lead;
	if (value.is_object())
		for (const auto &[key, child] : value.as_object()) {
			out += lead + std::string(key) + ':';
			write_child(child, false);
			lead = indent;
		}
	else if (value.is_array())
		for (const json::value &child : value.as_array()) {
			out += lead + '-';
			write_child(child, true);
			lead = indent;
		}
	else
		out += json::serialize(value) + '\n';
}

std::string written(const json::value &value, Format format)
{
	if (format == Format::jsonl)
		return json::serialize(value) + '\n';
	std::string out;
	if (format == Format::yaml) {
		write_yaml(out, value, 0);
		return is_plain(value) && value.is_structured() ? json::serialize(value) + '\n' : out;
	}
	write_json(out, value, 0);
	return out + '\n';
}

bool is_number(std::string_view cell)
{
	return !cell.empty() && std::ranges::all_of(cell, [](char c) { return c >= '0' && c <= '9'; });
}

std::string colored(std::string_view words, const Style &style, const char *code)
{
	if (!style.color)
		return std::string(words);
	return std::string("\x1b[") + code + 'm' + std::string(words) + "\x1b[0m";
}

} // namespace

std::string structured(const google::protobuf::Message &message, Format format)
{
	return reformatted(v1::to_json(message), format);
}

std::string reformatted(const std::string &text, Format format)
{
	boost::system::error_code error;
	const json::value value = json::parse(text, error);
	return error ? text : written(value, format);
}

std::string Table::text() const
{
	std::vector<std::size_t> widths(rows_[0].size());
	std::vector<bool> numbers(rows_[0].size(), rows_.size() > 1);
	for (std::size_t row = 0; row < rows_.size(); row++)
		for (std::size_t column = 0; column < widths.size(); column++) {
			widths[column] = std::max(widths[column], rows_[row][column].size());
			if (row > 0 && !is_number(rows_[row][column]))
				numbers[column] = false;
		}
	std::string out;
	for (const auto &row : rows_) {
		std::string line;
		for (std::size_t column = 0; column < widths.size(); column++) {
			const std::string blanks(widths[column] - row[column].size(), ' ');
			line += column == 0 ? "" : "  ";
			line += numbers[column] ? blanks + row[column] : row[column] + blanks;
		}
		line.erase(line.find_last_not_of(' ') + 1);
		out += line + '\n';
	}
	return out;
}

std::string green(std::string_view words, const Style &style)
{
	return colored(words, style, "32");
}

std::string red(std::string_view words, const Style &style)
{
	return colored(words, style, "31");
}

} // namespace neuwerk::cli
