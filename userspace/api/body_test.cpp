// The body reader against spec/http-api §2.2: what it refuses, and what it must take.
#include "api/body.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using api::Body;

namespace {

std::string error_of(std::string_view json)
{
	const auto body = Body::parse(json);
	return body ? "" : body.error().what;
}

Body parsed(std::string_view json)
{
	auto body = Body::parse(json);
	REQUIRE_MESSAGE(body, body.error().what);
	return *body;
}

std::string nested(std::size_t depth)
{
	return R"({"unknown":)" + std::string(depth - 1, '[') + std::string(depth - 1, ']') + R"(,"a":1})";
}

} // namespace

TEST_CASE("a body that is no JSON object is refused with the stable prefix")
{
	for (const char *json :
	     {"", " \n", "{", "[]", "[true]", "\"text\"", "1", "null", "{\"a\":1}x", "{a:1}", "{\"a\":1,}",
	      "{'a':1}", "\xef\xbb\xbf{}", "{\"a\":NaN}", "{\"a\":01}", "// c\n{}"}) {
		CAPTURE(json);
		CHECK(error_of(json).starts_with("invalid json: "));
	}
	CHECK(Body::parse("{").error().kind == ErrorKind::invalid_argument);
	CHECK(error_of("") == "invalid json: the body is empty: expected an object");
	CHECK(error_of("[true]") == "invalid json: expected an object at the root");
}

TEST_CASE("bytes that are not UTF-8 are refused wherever they stand")
{
	CHECK(error_of("{\"a\":\"\xff\"}").starts_with("invalid json: "));
	CHECK(error_of("{\"\xc3\x28\":1}").starts_with("invalid json: "));
	CHECK(error_of("{\"a\":\"\xed\xa0\x80\"}").starts_with("invalid json: ")); // a surrogate
	CHECK(error_of("{\"a\":\"\\ud800\"}").starts_with("invalid json: "));      // half of a pair
	CHECK(parsed("{\"a\":\"\\ud83d\\ude00 \xc3\xa9\"}").text("a") == "\xf0\x9f\x98\x80 \xc3\xa9");
}

TEST_CASE("unknown keys may nest to depth 128 and no deeper")
{
	CHECK(error_of(nested(128)).empty());
	CHECK(error_of(nested(129)) == "invalid json: nested deeper than 128 levels");
	CHECK(error_of(nested(1'000'000)) == "invalid json: nested deeper than 128 levels");
}

TEST_CASE("a key that is asked for must not stand twice; others may")
{
	const Body body = parsed(R"({"name":"a","n\u0061me":"b","other":1,"other":2,"role":"admin"})");
	CHECK(body.text("name").error().what == "invalid json: name: stands twice");
	CHECK(body.text("role") == "admin");
	CHECK(!parsed(R"({"a":null,"a":1})").integer_or_none("a"));
}

TEST_CASE("absent and null are the same")
{
	const Body body = parsed(R"({"null":null})");
	for (const char *key : {"null", "absent"}) {
		CAPTURE(key);
		CHECK(body.text_or_none(key) == std::nullopt);
		CHECK(body.flag_or_none(key) == std::nullopt);
		CHECK(body.integer_or_none(key) == std::nullopt);
		CHECK(body.texts_or_none(key) == std::nullopt);
		CHECK(body.json_or_none(key) == std::nullopt);
		CHECK(body.text(key).error().what.ends_with(": required, but missing or null"));
		CHECK(!body.flag(key));
	}
}

TEST_CASE("a value of another type is refused, naming the key and what stands there")
{
	const Body body = parsed(R"({"t":"x","n":5,"b":true,"o":{},"l":["a",1],"d":1.5,"e":1e3,
		"big":9223372036854775808,"max":9223372036854775807,"min":-9223372036854775808})");
	CHECK(body.text("n").error().what == "invalid json: n: expected a string, found a number");
	CHECK(body.flag("t").error().what == "invalid json: t: expected a boolean, found a string");
	CHECK(body.integer_or_none("b").error().what ==
	      "invalid json: b: expected a whole number, found a boolean");
	CHECK(body.integer_or_none("d").error().what ==
	      "invalid json: d: 1.5 is not a whole number of 64 bits");
	CHECK(!body.integer_or_none("e"));
	CHECK(!body.integer_or_none("big"));
	CHECK(body.integer_or_none("max") == INT64_MAX);
	CHECK(body.integer_or_none("min") == INT64_MIN);
	CHECK(body.texts_or_none("o").error().what ==
	      "invalid json: o: expected an array of strings, found an object");
	CHECK(body.texts_or_none("l").error().what ==
	      "invalid json: l[1]: expected a string, found a number");
}

TEST_CASE("a document inside a body keeps its spelling and loses its spaces")
{
	const Body body =
		parsed("{ \"policy\" : { \"a b\" : [ 1.0 , \"x \\\" y\" ] ,\n\t\"a\\\\\" : 1E2, \"twice\":1, "
		       "\"twice\":2 } , \"n\": 1.50, \"t\" : \" \" }");
	CHECK(body.json_or_none("policy") == R"({"a b":[1.0,"x \" y"],"a\\":1E2,"twice":1,"twice":2})");
	CHECK(body.json_or_none("n") == "1.50");
	CHECK(body.json_or_none("t") == "\" \"");
}

TEST_CASE("escapes and empty things are read as they are written")
{
	const Body body = parsed(R"({"":"empty key","a":"\"\\\/\b\f\n\r\t\u0041","e":"","l":[]})");
	CHECK(body.text("") == "empty key");
	CHECK(body.text("a") == "\"\\/\b\f\n\r\tA");
	CHECK(body.text("e") == "");
	CHECK(body.texts_or_none("l")->value().empty());
	CHECK(error_of("{}").empty());
	CHECK(error_of(" { } ").empty());
}
