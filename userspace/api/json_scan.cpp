// The walk: strings, nesting, and everything else up to what ends it.
#include "api/json_scan.h"

namespace neuwerk::api {

namespace {

bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

} // namespace

char JsonScan::next()
{
	while (at_ < text_.size() && is_space(text_[at_]))
		at_++;
	return at_ < text_.size() ? text_[at_++] : '\0';
}

std::string_view JsonScan::value()
{
	const char first = next();
	const std::size_t begin = --at_;
	if (first == '"')
		skip_text();
	else if (first == '{' || first == '[')
		skip_nested();
	else
		while (at_ < text_.size() && !is_space(text_[at_]) && text_[at_] != ',' &&
		       text_[at_] != '}' && text_[at_] != ']')
			at_++;
	return text_.substr(begin, at_ - begin);
}

void JsonScan::skip_text()
{
	for (at_++; text_[at_] != '"'; at_++)
		if (text_[at_] == '\\')
			at_++;
	at_++;
}

void JsonScan::skip_nested()
{
	int depth = 0;
	do {
		if (text_[at_] == '"') {
			skip_text();
			continue;
		}
		if (text_[at_] == '{' || text_[at_] == '[')
			depth++;
		if (text_[at_] == '}' || text_[at_] == ']')
			depth--;
		at_++;
	} while (depth > 0);
}

std::string without_spaces(std::string_view value)
{
	std::string out;
	out.reserve(value.size());
	bool in_text = false;
	for (std::size_t i = 0; i < value.size(); i++) {
		if (!in_text && is_space(value[i]))
			continue;
		out += value[i];
		if (value[i] == '"')
			in_text = !in_text;
		else if (in_text && value[i] == '\\')
			out += value[++i];
	}
	return out;
}

} // namespace neuwerk::api
