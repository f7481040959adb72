// JSON text to trees and back; the only file of neuwerkctl that knows Boost.JSON.
#include "json.h"

#include <boost/json.hpp>

#include <charconv>

namespace neuwerk::cli {

namespace {

namespace json = boost::json;

Json tree_of(const json::value &value)
{
	switch (value.kind()) {
	case json::kind::bool_:
		return value.get_bool();
	case json::kind::int64:
		return value.get_int64();
	case json::kind::uint64:
		return value.get_uint64();
	case json::kind::double_:
		return value.get_double();
	case json::kind::string:
		return std::string(value.get_string());
	case json::kind::array: {
		Json::Array list;
		for (const json::value &child : value.get_array())
			list.push_back(tree_of(child));
		return list;
	}
	case json::kind::object: {
		Json object = Json::object();
		for (const auto &[key, child] : value.get_object())
			object.set(key, tree_of(child));
		return object;
	}
	case json::kind::null:
		break;
	}
	return {};
}

// The shortest digits that read back as the same number: 0.5, not 5E-1.
std::string digits(double value)
{
	char buffer[32];
	const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
	return std::string(buffer, end.ptr);
}

// Control characters of ASCII and of Unicode's C1 block (U+0080 to U+009F, in UTF-8 C2 80 to C2 9F).
std::string printable(std::string words)
{
	for (std::size_t i = 0; i < words.size(); i++) {
		const auto byte = static_cast<unsigned char>(words[i]);
		const bool is_c1 = byte >= 0x80 && byte <= 0x9f && i > 0 && words[i - 1] == '\xc2';
		if (is_c1)
			words[i - 1] = ' ';
		if (is_c1 || byte < 0x20 || byte == 0x7f)
			words[i] = ' ';
	}
	return words;
}

template <typename List, typename Write>
std::string joined(char open, const List &list, char close, Write write)
{
	std::string out(1, open);
	for (const auto &each : list)
		out += (out.size() > 1 ? "," : "") + write(each);
	return out + close;
}

} // namespace

Result<Json> Json::parse(std::string_view text)
{
	json::parse_options options;
	options.max_depth = depth_limit_count;
	boost::system::error_code error;
	const json::value value = json::parse(text, error, {}, options);
	if (error)
		return fail(ErrorKind::invalid_argument, "not JSON: " + error.message());
	return tree_of(value);
}

const Json &Json::operator[](std::string_view key) const
{
	static const Json null;
	for (const auto &[name, value] : members())
		if (name == key)
			return value;
	return null;
}

void Json::set(std::string_view key, Json value)
{
	auto &object = std::get<Object>(value_);
	for (auto &[name, old] : object)
		if (name == key) {
			old = std::move(value);
			return;
		}
	object.emplace_back(key, std::move(value));
}

const Json::Array &Json::items() const
{
	static const Array none;
	const auto *array = std::get_if<Array>(&value_);
	return array ? *array : none;
}

const Json::Object &Json::members() const
{
	static const Object none;
	const auto *object = std::get_if<Object>(&value_);
	return object ? *object : none;
}

std::string Json::text() const
{
	if (is_null())
		return {};
	if (const auto *words = std::get_if<std::string>(&value_))
		return printable(*words);
	if (!is_array())
		return compact();
	std::string out;
	for (const Json &item : items())
		out += (out.empty() ? "" : ",") + item.text();
	return out;
}

bool Json::truth() const
{
	const auto *value = std::get_if<bool>(&value_);
	return value && *value;
}

std::uint64_t Json::number() const
{
	if (const auto *value = std::get_if<std::uint64_t>(&value_))
		return *value;
	const auto *value = std::get_if<std::int64_t>(&value_);
	return value && *value > 0 ? static_cast<std::uint64_t>(*value) : 0;
}

std::string Json::compact() const
{
	if (is_array())
		return joined('[', items(), ']', [](const Json &item) { return item.compact(); });
	if (is_object())
		return joined('{', members(), '}', [](const Member &member) {
			return json::serialize(json::string(member.first)) + ':' + member.second.compact();
		});
	if (const auto *value = std::get_if<bool>(&value_))
		return *value ? "true" : "false";
	if (const auto *value = std::get_if<std::int64_t>(&value_))
		return std::to_string(*value);
	if (const auto *value = std::get_if<std::uint64_t>(&value_))
		return std::to_string(*value);
	if (const auto *value = std::get_if<double>(&value_))
		return digits(*value);
	if (const auto *value = std::get_if<std::string>(&value_))
		return json::serialize(json::string(*value));
	return "null";
}

} // namespace neuwerk::cli
