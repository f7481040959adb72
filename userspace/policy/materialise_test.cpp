// What is kept of a document, and how it comes back.
#include "policy/policy.h"

#include <doctest/doctest.h>

using namespace neuwerk;

namespace {

policy::Accepted accepted(std::string_view document, const policy::Terms &terms = {})
{
	auto result = policy::accept(document, policy::Syntax::json, terms);
	REQUIRE_MESSAGE(result, (result ? "" : result.error().what));
	return std::move(*result);
}

} // namespace

TEST_CASE("an empty document gets its lists and the default that it is read with")
{
	CHECK(accepted("{}").stored == R"({"default_policy":"deny","source_groups":[]})");
	CHECK(accepted("{}", {.default_if_absent = model::Action::allow, .group_mode = {}}).stored ==
	      R"({"default_policy":"allow","source_groups":[]})");
	CHECK(accepted(R"({"default_policy":null,"source_groups":[]})").stored ==
	      R"({"default_policy":"deny","source_groups":[]})");
}

TEST_CASE("spelling and typing stay, absent keys appear, unknown keys go")
{
	const auto result = accepted(R"({"colour":1,"default_policy":"Allow","source_groups":[
		{"id":"a","mode":"enforce","sources":{"ips":[" 10.0.0.1 "]},"rules":[
			{"id":"r","action":"DENY","weight":2,"match":{"proto":6,"dst_ports":[443,"80-81"]}}]}]})");
	CHECK(result.stored ==
	      R"({"default_policy":"Allow","source_groups":[{"id":"a","priority":null,"mode":"enforce",)"
	      R"("sources":{"cidrs":[],"ips":[" 10.0.0.1 "],"kubernetes":[]},"rules":[{"id":"r",)"
	      R"("priority":null,"action":"DENY","mode":null,"match":{"dst_cidrs":[],"dst_ips":[],)"
	      R"("dns_hostname":null,"proto":6,"src_ports":[],"dst_ports":[443,"80-81"],"icmp_types":[],)"
	      R"("icmp_codes":[],"tls":null}}],"default_action":null}]})");
	CHECK(result.warnings.size() == 2);
	CHECK(accepted(result.stored).stored == result.stored);
	CHECK(accepted(result.stored).policy == result.policy);
}

TEST_CASE("a name matcher keeps the form that it was written in")
{
	const auto tls = [](std::string_view inside) {
		const std::string stored =
			accepted(std::string(
					 R"({"source_groups":[{"id":"a","mode":"audit","sources":{"cidrs":)"
					 R"(["10.0.0.0/8"]},"rules":[{"id":"r","action":"allow",)"
					 R"("match":{"tls":{)")
					 .append(inside)
					 .append("}}}]}]}"))
				.stored;
		const std::size_t at = stored.find("\"tls\":");
		return stored.substr(at, stored.find("}}]", at) - at);
	};
	CHECK(tls(R"("sni":"^a\\.b$")") ==
	      R"("tls":{"mode":null,"sni":"^a\\.b$","server_dn":null,"server_san":null,"server_cn":null,)"
	      R"("fingerprint_sha256":[],"trust_anchors_pem":[],"tls13_uninspectable":null,"http":null})");
	CHECK(tls(R"("sni":["a.b"])").find(R"("sni":["a.b"],)") != std::string::npos);
	CHECK(tls(R"("sni":{"exact":["a.b"]})").find(R"("sni":{"exact":["a.b"],"regex":null},)") !=
	      std::string::npos);
	CHECK(tls(R"("mode":"intercept","http":{"request":{"host":{"regex":"^a$"}}})")
		      .find(R"("http":{"request":{"host":{"exact":[],"regex":"^a$"},"methods":[],"path":null,)"
			    R"("query":null,"headers":null},"response":null})") != std::string::npos);
}

TEST_CASE("what only we know appears where the author wrote it")
{
	const auto result = accepted(R"({"match_dns_binding":"strict","source_groups":[],"tests":[
		{"from":"10.0.0.1","to":"192.0.2.1","proto":"tcp","dport":443,"expect":"deny","mood":1}]})");
	CHECK(result.stored ==
	      R"({"default_policy":"deny","match_dns_binding":"strict","source_groups":[],"tests":)"
	      R"([{"from":"10.0.0.1","to":"192.0.2.1","proto":"tcp","dport":443,"expect":"deny"}]})");
}

TEST_CASE("a group without mode is an error unless the reader brings one")
{
	constexpr std::string_view document =
		R"({"source_groups":[{"id":"a","sources":{"cidrs":["10.0.0.0/8"]}},)"
		R"({"id":"b","mode":"audit","sources":{"cidrs":["10.0.0.0/8"]}}]})";
	CHECK_FALSE(policy::accept(document, policy::Syntax::json, {}));
	const auto result =
		accepted(document, {.default_if_absent = model::Action::deny, .group_mode = "enforce"});
	CHECK(result.policy.source_groups[0].mode == model::Mode::enforce);
	CHECK(result.policy.source_groups[1].mode == model::Mode::audit);
	CHECK(result.stored.find(R"("id":"a","priority":null,"mode":"enforce")") != std::string::npos);
}

TEST_CASE("a stored document comes back from YAML as it was")
{
	const std::string stored =
		accepted(
			R"({"source_groups":[{"id":"443","mode":"enforce","sources":{"cidrs":["10.0.0.0/8"]},)"
			R"("rules":[{"id":"- odd: \"name\"\n","action":"allow","match":{"proto":"6",)"
			R"("dst_ports":["80-81",443],"dns_hostname":"^null$"}},)"
			R"({"id":"true","action":"deny","match":{}}]}]})")
			.stored;
	const auto yaml = policy::to_yaml(stored);
	REQUIRE(yaml);
	CAPTURE(*yaml);
	const auto again = policy::accept(*yaml, policy::Syntax::yaml, {});
	REQUIRE(again);
	CHECK(again->stored == stored);
	CHECK_FALSE(policy::to_yaml("{"));
}
