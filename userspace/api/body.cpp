// Reading a JSON body: Boost.JSON checks the text once, a scan finds the members of the root, and only what
// is asked for becomes a value. A document inside a body so costs no tree.
#include "api/body.h"

#include "api/json_scan.h"
#include "base/text.h"

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>

#include <type_traits>

namespace neuwerk::api {

namespace json = boost::json;

struct Body::Tree {
	struct Member {
		std::string key;      // decoded
		std::string_view raw; // of the value, in `text`
	};
	std::string text;
	std::vector<Member> members; // in order, twice what stands twice
};

namespace {

constexpr std::size_t depth_limit_count = 128;

tl::unexpected<Error> invalid(const std::string &detail)
{
	return fail(ErrorKind::invalid_argument, "invalid json: " + detail);
}

// Takes every event of the parser and keeps none of them.
struct Ignore {
	static constexpr std::size_t max_object_size = std::size_t(-1);
	static constexpr std::size_t max_array_size = std::size_t(-1);
	static constexpr std::size_t max_key_size = std::size_t(-1);
	static constexpr std::size_t max_string_size = std::size_t(-1);
	using Code = json::error_code;
	using Text = json::string_view;

	// clang-format off
	bool on_document_begin(Code &) { return true; }
	bool on_document_end(Code &) { return true; }
	bool on_object_begin(Code &) { return true; }
	bool on_object_end(std::size_t, Code &) { return true; }
	bool on_array_begin(Code &) { return true; }
	bool on_array_end(std::size_t, Code &) { return true; }
	bool on_key_part(Text, std::size_t, Code &) { return true; }
	bool on_key(Text, std::size_t, Code &) { return true; }
	bool on_string_part(Text, std::size_t, Code &) { return true; }
	bool on_string(Text, std::size_t, Code &) { return true; }
	bool on_number_part(Text, Code &) { return true; }
	bool on_int64(std::int64_t, Text, Code &) { return true; }
	bool on_uint64(std::uint64_t, Text, Code &) { return true; }
	bool on_double(double, Text, Code &) { return true; }
	bool on_bool(bool, Code &) { return true; }
	bool on_null(Code &) { return true; }
	bool on_comment_part(Text, Code &) { return true; }
	bool on_comment(Text, Code &) { return true; }
	// clang-format on
};

// Strings and numbers only: what is asked for by value is never deep.
json::value small_value(std::string_view raw)
{
	json::error_code error;
	json::parse_options options;
	options.max_depth = depth_limit_count;
	json::value value = json::parse(raw, error, {}, options);
	return error ? json::value() : value;
}

std::string_view kind_name(const json::value &value)
{
	switch (value.kind()) {
	case json::kind::null:
		return "null";
	case json::kind::bool_:
		return "a boolean";
	case json::kind::int64:
	case json::kind::uint64:
	case json::kind::double_:
		return "a number";
	case json::kind::string:
		return "a string";
	case json::kind::array:
		return "an array";
	case json::kind::object:
		return "an object";
	}
	return "a value";
}

tl::unexpected<Error> ill_typed(std::string_view key, std::string_view expected, const json::value &found)
{
	return invalid(text(key, ": expected ", expected, ", found ", kind_name(found)));
}

// The text of the member; nullopt where it is absent or null.
Result<std::optional<std::string_view>> find(const Body::Tree &tree, std::string_view key)
{
	const Body::Tree::Member *found = nullptr;
	for (const Body::Tree::Member &member : tree.members) {
		if (member.key != key)
			continue;
		if (found)
			return invalid(text(key, ": stands twice"));
		found = &member;
	}
	if (!found || found->raw == "null")
		return std::nullopt;
	return found->raw;
}

// What `convert` makes of the text of the member; nullopt where it is absent or null.
template <typename Convert>
auto with_value(const Body::Tree &tree, std::string_view key, Convert convert)
	-> std::invoke_result_t<Convert, std::string_view>
{
	const auto raw = find(tree, key);
	if (!raw)
		return tl::unexpected(raw.error());
	if (!*raw)
		return std::nullopt;
	return convert(**raw);
}

template <typename T>
Result<T> required(std::string_view key, Result<std::optional<T>> value)
{
	if (!value)
		return tl::unexpected(value.error());
	if (!*value)
		return invalid(text(key, ": required, but missing or null"));
	return std::move(**value);
}

} // namespace

Result<Body> Body::parse(std::string_view json_text)
{
	json::parse_options options;
	options.max_depth = depth_limit_count;
	json::basic_parser<Ignore> parser(options);
	json::error_code error;
	const std::size_t used = parser.write_some(false, json_text.data(), json_text.size(), error);
	if (json_text.find_first_not_of(" \t\r\n") == std::string_view::npos)
		return invalid("the body is empty: expected an object");
	if (!error && used < json_text.size())
		error = json::error::extra_data;
	if (error == json::error::too_deep)
		return invalid(neuwerk::text("nested deeper than ", depth_limit_count, " levels"));
	if (error)
		return invalid(neuwerk::text(error.message(), " at byte ", used));

	auto tree = std::make_shared<Tree>();
	tree->text = json_text;
	JsonScan scan(tree->text);
	if (scan.next() != '{')
		return invalid("expected an object at the root");
	// An empty object has no member; after each one stands ',' or the end.
	if (JsonScan ahead = scan; ahead.next() != '}') {
		do {
			const json::value key = small_value(scan.value());
			(void)scan.next(); // ':'
			tree->members.push_back({std::string(key.as_string()), scan.value()});
		} while (scan.next() == ',');
	}
	Body body;
	body.tree_ = std::move(tree);
	return body;
}

Result<std::string> Body::text(std::string_view key) const
{
	return required(key, text_or_none(key));
}

Result<std::optional<std::string>> Body::text_or_none(std::string_view key) const
{
	return with_value(*tree_, key, [&](std::string_view raw) -> Result<std::optional<std::string>> {
		const json::value value = small_value(raw);
		if (!value.is_string())
			return ill_typed(key, "a string", value);
		return std::string(value.get_string());
	});
}

Result<bool> Body::flag(std::string_view key) const
{
	return required(key, flag_or_none(key));
}

Result<std::optional<bool>> Body::flag_or_none(std::string_view key) const
{
	return with_value(*tree_, key, [&](std::string_view raw) -> Result<std::optional<bool>> {
		const json::value value = small_value(raw);
		if (!value.is_bool())
			return ill_typed(key, "a boolean", value);
		return value.get_bool();
	});
}

Result<std::optional<std::int64_t>> Body::integer_or_none(std::string_view key) const
{
	return with_value(*tree_, key, [&](std::string_view raw) -> Result<std::optional<std::int64_t>> {
		const json::value value = small_value(raw);
		if (!value.is_int64())
			return value.is_number() ? invalid(neuwerk::text(key, ": ", raw,
									 " is not a whole number of 64 bits"))
						 : ill_typed(key, "a whole number", value);
		return value.get_int64();
	});
}

Result<std::optional<std::vector<std::string>>> Body::texts_or_none(std::string_view key) const
{
	return with_value(*tree_, key,
			  [&](std::string_view raw) -> Result<std::optional<std::vector<std::string>>> {
				  const json::value value = small_value(raw);
				  if (!value.is_array())
					  return ill_typed(key, "an array of strings", value);
				  std::vector<std::string> texts;
				  for (const json::value &item : value.get_array()) {
					  if (!item.is_string())
						  return ill_typed(neuwerk::text(key, "[", texts.size(), "]"),
								   "a string", item);
					  texts.emplace_back(item.get_string());
				  }
				  return texts;
			  });
}

Result<std::optional<std::string>> Body::json_or_none(std::string_view key) const
{
	return with_value(*tree_, key, [&](std::string_view raw) -> Result<std::optional<std::string>> {
		return without_spaces(raw);
	});
}

} // namespace neuwerk::api
