// Fields of a JSON object with one error at the end.
#include "api/fields.h"

#include "base/text.h"

#include <algorithm>

namespace neuwerk::api {

Fields::Fields(std::string_view json)
{
	auto body = Body::parse(json);
	if (body)
		body_ = std::move(*body);
	else
		error_ = body.error();
}

template <typename Value>
void Fields::take(const Result<Value> &value, Value &into)
{
	if (value)
		into = *value;
	else
		error_ = value.error();
}

template <typename Value, typename Target>
void Fields::take_if_there(const Result<std::optional<Value>> &value, Target &into)
{
	if (!value)
		error_ = value.error();
	else if (*value) // absent must not clear what stands
		into = **value;
}

void Fields::required(std::string_view key, std::string &into)
{
	if (!error_)
		take(body_->text(key), into);
}

void Fields::required(std::string_view key, bool &into)
{
	if (!error_)
		take(body_->flag(key), into);
}

void Fields::optional(std::string_view key, std::string &into)
{
	if (!error_)
		take_if_there(body_->text_or_none(key), into);
}

void Fields::optional(std::string_view key, std::optional<std::string> &into)
{
	if (!error_)
		take_if_there(body_->text_or_none(key), into);
}

void Fields::optional(std::string_view key, bool &into)
{
	if (!error_)
		take_if_there(body_->flag_or_none(key), into);
}

void Fields::optional(std::string_view key, std::int64_t &into)
{
	if (!error_)
		take_if_there(body_->integer_or_none(key), into);
}

void Fields::optional(std::string_view key, std::vector<std::string> &into)
{
	if (!error_)
		take_if_there(body_->texts_or_none(key), into);
}

void Fields::optional(std::string_view key, std::optional<std::vector<std::string>> &into)
{
	if (!error_)
		take_if_there(body_->texts_or_none(key), into);
}

void Fields::required(std::string_view key, std::string &into, const std::vector<std::string_view> &choices)
{
	required(key, into);
	check(key, into, choices);
}

void Fields::optional(std::string_view key, std::string &into, const std::vector<std::string_view> &choices)
{
	std::optional<std::string> value;
	optional(key, value);
	if (!value)
		return;
	check(key, *value, choices);
	into = *value;
}

void Fields::check(std::string_view key, const std::string &value,
		   const std::vector<std::string_view> &choices)
{
	if (error_ || std::ranges::find(choices, value) != choices.end())
		return;
	std::string expected;
	for (const std::string_view choice : choices)
		expected += text(expected.empty() ? "" : ", ", choice);
	refuse(text(key, ": unknown value '", value, "', expected one of ", expected));
}

void Fields::refuse(std::string_view detail)
{
	if (!error_)
		error_ = Error{ErrorKind::invalid_argument, text("invalid json: ", detail)};
}

Result<> Fields::result() const
{
	if (error_)
		return tl::unexpected(*error_);
	return {};
}

} // namespace neuwerk::api
