// How answers are printed.
#include "output.h"

#include <algorithm>

namespace neuwerk::cli {

namespace {

bool is_plain(const Json &value)
{
	return value.items().empty() && value.members().empty();
}

void write_json(std::string &out, const Json &value, std::size_t depth)
{
	if (is_plain(value)) {
		out += value.compact();
		return;
	}
	const std::string indent(2 * (depth + 1), ' ');
	out += value.is_object() ? "{\n" : "[\n";
	const char *separator = "";
	for (const auto &[key, child] : value.members()) {
		out += separator + indent + Json(key).compact() + ": ";
		write_json(out, child, depth + 1);
		separator = ",\n";
	}
	for (const Json &child : value.items()) {
		out += separator + indent;
		write_json(out, child, depth + 1);
		separator = ",\n";
	}
	out += '\n' + std::string(2 * depth, ' ') + (value.is_object() ? '}' : ']');
}

// A key that YAML reads as itself and as a string; everything else is quoted.
std::string yaml_key(const std::string &key)
{
	const bool is_word = !key.empty() && std::ranges::all_of(key, [](unsigned char c) {
		return std::isalnum(c) || c == '_' || c == '-' || c == '.';
	}) && std::isalpha(static_cast<unsigned char>(key[0]));
	const bool is_constant = key == "true" || key == "false" || key == "null" || key == "yes" ||
				 key == "no" || key == "on" || key == "off" || key == "y" || key == "n";
	return is_word && !is_constant ? key : Json(key).compact();
}

// Scalars are JSON, which is YAML too; only the structure is written the YAML way. `out` stands at the place
// where the first line may begin.
void write_yaml(std::string &out, const Json &value, std::size_t depth)
{
	const std::string indent(2 * depth, ' ');
	const auto write_child = [&](const Json &child, const char *before_structure) {
		if (is_plain(child)) {
			out += ' ' + child.compact() + '\n';
			return;
		}
		out += before_structure;
		write_yaml(out, child, depth + 1);
	};
	const std::string below = '\n' + std::string(2 * (depth + 1), ' ');
	std::string lead;
	for (const auto &[key, child] : value.members()) {
		out += lead + yaml_key(key) + ':';
		write_child(child, below.c_str());
		lead = indent;
	}
	for (const Json &child : value.items()) {
		out += lead + '-';
		write_child(child, " ");
		lead = indent;
	}
	if (is_plain(value))
		out += value.compact() + '\n';
}

// Characters, not bytes: a continuation byte of UTF-8 takes no place.
std::size_t width_of(std::string_view cell)
{
	return static_cast<std::size_t>(std::ranges::count_if(
		cell, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
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

// "outer.inner" for a member of a member.
void flatten(const Json &object, const std::string &before,
	     std::vector<std::pair<std::string, std::string>> &lines)
{
	for (const auto &[key, value] : object.members())
		if (value.members().empty())
			lines.emplace_back(Json(before + key).text(), value.text());
		else
			flatten(value, before + key + '.', lines);
}

} // namespace

std::string structured(const Json &json, Format format)
{
	if (format == Format::jsonl)
		return json.compact() + '\n';
	std::string out;
	if (format == Format::yaml) {
		write_yaml(out, json, 0);
		return out;
	}
	write_json(out, json, 0);
	return out + '\n';
}

std::string structured_list(const Json::Array &list, Format format)
{
	if (format != Format::jsonl)
		return structured(list, format);
	std::string out;
	for (const Json &item : list)
		out += structured(item, Format::jsonl);
	return out;
}

std::string Table::text() const
{
	std::vector<std::size_t> widths(rows_[0].size());
	std::vector<bool> numbers(rows_[0].size(), rows_.size() > 1);
	for (std::size_t row = 0; row < rows_.size(); row++)
		for (std::size_t column = 0; column < widths.size(); column++) {
			widths[column] = std::max(widths[column], width_of(rows_[row][column]));
			if (row > 0 && !is_number(rows_[row][column]))
				numbers[column] = false;
		}
	std::string out;
	for (const auto &row : rows_) {
		std::string line;
		for (std::size_t column = 0; column < widths.size(); column++) {
			const std::string blanks(widths[column] - width_of(row[column]), ' ');
			line += column == 0 ? "" : "  ";
			line += numbers[column] ? blanks + row[column] : row[column] + blanks;
		}
		line.erase(line.find_last_not_of(' ') + 1);
		out += line + '\n';
	}
	return out;
}

std::string listed(const Json &list, const std::vector<Column> &columns, std::string_view none,
		   const Style &style)
{
	if (style.format != Format::table)
		return structured_list(list.items(), style.format);
	if (list.items().empty())
		return std::string(none) + '\n';
	std::vector<std::string> head;
	for (const Column &column : columns)
		head.emplace_back(column.head);
	Table table(std::move(head));
	for (const Json &item : list.items()) {
		std::vector<std::string> row;
		for (const Column &column : columns) {
			std::string cell = item[column.key].text();
			row.push_back(cell.empty() ? "-" : std::move(cell));
		}
		table.add(std::move(row));
	}
	return table.text();
}

std::string described(const Json &object, const Style &style)
{
	if (style.format != Format::table)
		return structured(object, style.format);
	std::vector<std::pair<std::string, std::string>> lines;
	flatten(object, "", lines);
	std::size_t width = 0;
	for (const auto &[key, value] : lines)
		width = std::max(width, key.size());
	std::string out;
	for (const auto &[key, value] : lines)
		out += key + std::string(width - key.size(), ' ') + "  " + (value.empty() ? "-" : value) +
		       '\n';
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
