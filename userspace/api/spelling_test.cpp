// Texts of a request: blanks, case, UUIDs.
#include "api/spelling.h"

#include <doctest/doctest.h>

namespace neuwerk::api {

TEST_CASE("blanks around a text are not part of it")
{
	CHECK(trimmed(" \t a b \r\n") == "a b");
	CHECK(trimmed("a") == "a");
	CHECK(trimmed(" \n ").empty());
	CHECK(is_blank(""));
	CHECK(!is_blank(" x "));
}

TEST_CASE("only ASCII letters are folded")
{
	CHECK(lower("Prod-K8S Ä") == "prod-k8s Ä");
}

TEST_CASE("a UUID is read in every common form and written in one")
{
	const std::string uuid = "0f8fad5b-d9cb-469f-a165-70867728950e";
	CHECK(parse_uuid(uuid) == uuid);
	CHECK(parse_uuid("0F8FAD5B-D9CB-469F-A165-70867728950E") == uuid);
	CHECK(parse_uuid("0f8fad5bd9cb469fa16570867728950e") == uuid);
	CHECK(parse_uuid("{0f8fad5b-d9cb-469f-a165-70867728950e}") == uuid);
	CHECK(parse_uuid("urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e") == uuid);
}

TEST_CASE("what is not a UUID is refused")
{
	CHECK(!parse_uuid(""));
	CHECK(!parse_uuid("{}"));
	CHECK(!parse_uuid("not-a-uuid"));
	CHECK(!parse_uuid("0f8fad5b-d9cb-469f-a165-70867728950"));
	CHECK(!parse_uuid("0f8fad5b-d9cb-469f-a165-70867728950g"));
	CHECK(!parse_uuid("0f8fad5bd9cb-469f-a165-7086-7728950e"));
	CHECK(!parse_uuid(" 0f8fad5b-d9cb-469f-a165-70867728950e"));
	CHECK(!parse_uuid("--------------------------------"));
}

} // namespace neuwerk::api
