// How JSON and YAML become one tree, and which documents are refused before anybody reads their fields.
#include "policy/document.h"

#include "base/text.h"
#include "policy/policy.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using namespace neuwerk::policy;

namespace {

Node yaml(std::string_view document)
{
	const auto node = read_yaml(document);
	if (!node)
		FAIL(node.error().what);
	return *node;
}

std::string yaml_error(std::string_view document)
{
	const auto node = read_yaml(document);
	return node ? "accepted" : node.error().what;
}

std::string json_error(std::string_view document)
{
	const auto node = read_json(document);
	return node ? "accepted" : node.error().what;
}

bool contains(std::string_view text, std::string_view part)
{
	return text.find(part) != std::string_view::npos;
}

} // namespace

TEST_CASE("plain scalars of YAML have the type that the core schema gives them")
{
	const struct {
		std::string written;
		Node::Kind kind;
	} rows[] = {
		{"443", Node::Kind::integer},
		{"+443", Node::Kind::integer},
		{"-1", Node::Kind::integer},
		{"0x1f", Node::Kind::integer},
		{"0o17", Node::Kind::integer},
		{"0755", Node::Kind::integer},
		{"443.5", Node::Kind::real},
		{"1e3", Node::Kind::real},
		{".5", Node::Kind::real},
		{".inf", Node::Kind::real},
		{"99999999999999999999", Node::Kind::real},
		{"true", Node::Kind::boolean},
		{"FALSE", Node::Kind::boolean},
		{"~", Node::Kind::null},
		{"null", Node::Kind::null},
		{"''", Node::Kind::text},
		{"\"443\"", Node::Kind::text},
		{"'true'", Node::Kind::text},
		{"no", Node::Kind::text},
		{"on", Node::Kind::text},
		{"80-81", Node::Kind::text},
		{"10.0.0.1", Node::Kind::text},
		{"+-1", Node::Kind::text},
		{"0x", Node::Kind::text},
		{"1_000", Node::Kind::text},
		{"!!str 443", Node::Kind::text},
		{"inf", Node::Kind::text},
		{"e", Node::Kind::text},
	};
	for (const auto &row : rows) {
		CAPTURE(row.written);
		CHECK(yaml(text("a: ", row.written)).items[0].kind == row.kind);
	}
	CHECK(yaml("a: 0755").items[0].integer == 755);
	CHECK(yaml("a: 0o17").items[0].integer == 15);
	CHECK(yaml("a: 0x1f").items[0].integer == 31);
	CHECK(yaml("a:").items[0].kind == Node::Kind::null);
}

TEST_CASE("keys of YAML are text as written, anchors copy values")
{
	const Node node = yaml("443: a\nweb: &ports [80, 443]\nmore: *ports\n");
	CHECK(node.keys == std::vector<std::string>{"443", "web", "more"});
	REQUIRE(node.items[2].items.size() == 2);
	CHECK(node.items[2].items[1].integer == 443);
}

TEST_CASE("YAML that could be misread is refused with its line")
{
	CHECK(yaml_error("a: 1\nb: 2\na: 3\n") == "line 1, column 1: key 'a' occurs twice in one object");
	CHECK(contains(yaml_error("a: &x [*x]"), "part of"));
	CHECK(contains(yaml_error("a: *nobody"), "line 1, column"));
	CHECK(contains(yaml_error("? [a]\n: b"), "a key must be text"));
	CHECK(contains(yaml_error("a: &k b\n*k : c"), "a key must be text"));
	CHECK(contains(yaml_error("a: !!binary aGk="), "the tag"));
	CHECK(contains(yaml_error("a: !mine [1]"), "the tag"));
	CHECK(contains(yaml_error("a: 1\n---\nb: 2\n"), "more than one YAML document"));
	CHECK(contains(yaml_error(""), "empty"));
	CHECK(contains(yaml_error("a: [1, 2"), "line 1"));
	CHECK(contains(yaml_error("a: b: c"), "line 1"));
	CHECK(contains(yaml_error("\ta: 1"), "line 1"));
}

TEST_CASE("bytes that are not text are named with their place")
{
	using namespace std::string_view_literals;
	CHECK(yaml_error("a: 1\n\0b: 2"sv) == "line 2, column 1: byte 0 is not text: is this a YAML file?");
	CHECK(contains(yaml_error("a: 1\n\x04\nb: 2"), "byte 4 is not text")); // yaml-cpp would end there
	CHECK(contains(yaml_error("a: \xff\xfe"), "byte 255 is not text"));
	CHECK(contains(yaml_error("a: \xc0\x80"), "byte 192 is not text"));
	CHECK(contains(yaml_error("a: \xed\xa0\x80"), "byte 237 is not text")); // a surrogate
	CHECK(contains(yaml_error("a: \xe2\x82"), "byte 226 is not text"));     // cut off
	CHECK(yaml("a: \xf0\x9f\x90\xa7").items[0].text == "\xf0\x9f\x90\xa7");
	CHECK(contains(json_error("{\"a\": \"\xff\"}"), "line 1, column"));
	CHECK(contains(json_error("{\"a\"\0: 1}"sv), "line 1, column"));
	CHECK(contains(json_error("\x7f\x45\x4c\x46"), "line 1, column 1"));
}

TEST_CASE("JSON that is not JSON is refused with its line")
{
	CHECK(contains(json_error(""), "line 1, column 1"));
	CHECK(contains(json_error("{\"a\": 1}\n{}"), "line 2, column 1"));
	CHECK(contains(json_error("{\"a\": 1,}"), "line 1, column 9"));
	CHECK(contains(json_error("{\"a\": [1, 2"), "line 1"));
	CHECK(contains(json_error("{'a': 1}"), "line 1, column 2"));
	CHECK(contains(json_error("{\"a\": 01}"), "line 1"));
	CHECK(contains(json_error("{\"a\": 1, \"a\": 1}"), "key 'a' occurs twice"));
	CHECK(json_error(" {\"a\": 1} \n\t ") == "accepted");
}

TEST_CASE("nesting, the number of values and their text are limited")
{
	const std::string deep = std::string(40, '[') + std::string(40, ']');
	CHECK(json_error(deep) != "accepted");
	CHECK(contains(yaml_error(deep), "nested deeper than 32"));
	CHECK(yaml_error(std::string(100000, '[')) != "accepted");
	CHECK(json_error(std::string(100000, '[')) != "accepted");

	std::string bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
	for (char c = 'b'; c < 'j'; c++) {
		const char p = static_cast<char>(c - 1);
		bomb += text(c, ": &", c, " [");
		for (int i = 0; i < 10; i++)
			bomb += text("*", p, i < 9 ? ", " : "]\n");
	}
	CHECK(contains(yaml_error(bomb), "more than 4194304 values"));

	std::string heavy = text("a: &a ", std::string(1u << 20, 'x'), "\nb: [");
	for (int i = 0; i < 100; i++)
		heavy += "*a, ";
	CHECK(contains(yaml_error(heavy + "1]"), "bytes of text"));
}

TEST_CASE("a document larger than the limit is refused before it is read")
{
	const std::string large(document_limit_bytes + 1, ' ');
	for (const auto syntax : {Syntax::json, Syntax::yaml}) {
		const auto policy = parse(large, syntax);
		REQUIRE_FALSE(policy);
		CHECK(contains(policy.error().what, "the limit is 33554432"));
	}
}

TEST_CASE("a document that starts with a brace is JSON")
{
	CHECK(syntax_of("\n  {}") == Syntax::json);
	CHECK(syntax_of("default_policy: deny") == Syntax::yaml);
	CHECK(syntax_of("# {") == Syntax::yaml);
	CHECK(syntax_of("") == Syntax::yaml);
}

TEST_CASE("written JSON is read back to the same tree, whatever the text holds")
{
	const std::string document = R"({"a": ["\u0000\"\\\n€", -1, true, null, {}, []], "": "x"})";
	const auto node = read_json(document);
	REQUIRE(node);
	const std::string written = write_json(*node);
	const auto again = read_json(written);
	REQUIRE(again);
	CHECK(write_json(*again) == written);
	CHECK(again->items[0].items[0].text == node->items[0].items[0].text);
}
