// Which documents are refused, with which code and where: one row per condition of spec/dataplane §1.3.
//
// The rows are JSON, which is YAML too: each is read both ways and must fail alike.
#include "policy/policy.h"

#include "base/text.h"
#include "policy/certificate_sample.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using policy::Syntax;

namespace {

struct Row {
	std::string_view code; // "": accepted
	std::string_view path;
	std::string document;
};

void check(const Row &row)
{
	CAPTURE(row.document);
	for (const Syntax syntax : {Syntax::json, Syntax::yaml}) {
		const auto policy = policy::parse(row.document, syntax);
		if (row.code.empty()) {
			CHECK_MESSAGE(policy.has_value(), (policy ? "" : policy.error().what));
			continue;
		}
		REQUIRE_FALSE(policy);
		CHECK(policy.error().kind == ErrorKind::invalid_argument);
		CHECK_MESSAGE(policy.error().what.starts_with(text(row.code, ": ", row.path)),
			      policy.error().what);
		CHECK(policy.error().what.find('\n') == std::string::npos);
	}
}

std::string group(std::string_view fields)
{
	return text(R"({"source_groups": [{)", fields, "}]}");
}

std::string sources(std::string_view value)
{
	return group(text(R"("id": "g", "mode": "enforce", "sources": )", value));
}

std::string rule(std::string_view fields)
{
	return group(text(R"("id": "g", "mode": "enforce", "sources": {"ips": ["10.0.0.1"]}, "rules": [{)",
			  fields, "}]"));
}

std::string match(std::string_view fields)
{
	return rule(text(R"("id": "r", "action": "allow", "match": {)", fields, "}"));
}

std::string tls(std::string_view fields)
{
	return match(text(R"("tls": {)", fields, "}"));
}

std::string request(std::string_view fields)
{
	return tls(text(R"("mode": "intercept", "http": {"request": {)", fields, "}}"));
}

std::string kubernetes(std::string_view fields)
{
	return sources(text(R"({"kubernetes": [{)", fields, "}]}"));
}

std::string in_json(std::string_view value)
{
	std::string out = "\"";
	for (const char c : value)
		out += c == '\n' ? "\\n" : std::string(1, c);
	return out + '"';
}

constexpr std::string_view at_group = "source_groups[0]";
constexpr std::string_view at_rule = "source_groups[0].rules[0]";
constexpr std::string_view at_match = "source_groups[0].rules[0].match";
constexpr std::string_view at_tls = "source_groups[0].rules[0].match.tls";

std::string operator+(std::string_view a, const char *b)
{
	return text(a, b);
}

} // namespace

TEST_CASE("E_JSON: wrong types and missing fields")
{
	check({"E_JSON", "expected an object", "[]"});
	check({"E_JSON", "expected an object", "null"});
	check({"E_JSON", "source_groups: expected a list", R"({"source_groups": null})"});
	check({"E_JSON", "source_groups: expected a list", R"({"source_groups": {}})"});
	check({"E_JSON", "source_groups[0]: expected an object", R"({"source_groups": [7]})"});
	check({"E_JSON", "default_policy: expected text", R"({"default_policy": 1})"});
	check({"E_JSON", at_group + ".id: missing",
	       group(R"("mode": "enforce", "sources": {"ips": ["10.0.0.1"]})")});
	check({"E_JSON", at_group + ".id: expected text, found the number 7: quote it",
	       group(R"("id": 7, "mode": "enforce", "sources": {"ips": ["10.0.0.1"]})")});
	check({"E_JSON", at_group + ".mode: missing",
	       group(R"("id": "g", "sources": {"ips": ["10.0.0.1"]})")});
	check({"E_JSON", at_group + ".sources: missing", group(R"("id": "g", "mode": "enforce")")});
	check({"E_JSON", at_group + ".sources: missing",
	       group(R"("id": "g", "mode": "enforce", "sources": null)")});
	check({"E_JSON", at_group + ".rules: expected a list",
	       group(R"("id": "g", "mode": "enforce", "sources": {"ips": ["10.0.0.1"]}, "rules": null)")});
	check({"E_JSON", at_rule + ".id: missing", rule(R"("action": "allow", "match": {})")});
	check({"E_JSON", at_rule + ".action: missing", rule(R"("id": "r", "match": {})")});
	check({"E_JSON", at_rule + ".match: missing", rule(R"("id": "r", "action": "allow")")});
	check({"E_JSON", at_rule + ".match: missing",
	       rule(R"("id": "r", "action": "allow", "match": null)")});
	check({"E_JSON", at_rule + ".priority: expected a whole number",
	       rule(R"("id": "r", "action": "allow", "match": {}, "priority": -1)")});
	check({"E_JSON", at_rule + ".priority: expected a whole number",
	       rule(R"("id": "r", "action": "allow", "match": {}, "priority": 4294967296)")});
	check({"E_JSON", at_rule + ".priority: expected a whole number",
	       rule(R"("id": "r", "action": "allow", "match": {}, "priority": 99999999999999999999)")});
	check({"E_JSON", at_match + ".dst_ports[0]: expected a whole number",
	       match(R"("dst_ports": [65536])")});
	check({"E_JSON", at_match + ".dst_ports[0]: expected a whole number",
	       match(R"("dst_ports": [443.5])")});
	check({"E_JSON", at_match + ".dst_ports[0]: expected a whole number",
	       match(R"("dst_ports": [true])")});
	check({"E_JSON", at_match + ".proto: expected a whole number", match(R"("proto": 256)")});
	check({"E_JSON", at_match + ".proto: expected a whole number", match(R"("proto": -1)")});
	check({"E_JSON", at_match + ".icmp_types[1]: expected a whole number",
	       match(R"("icmp_types": [8, 256])")});
	check({"E_JSON", at_match + ".icmp_codes[0]: expected a whole number",
	       match(R"("icmp_codes": ["0"])")});
	check({"E_JSON", at_match + ".dst_ips: expected a list", match(R"("dst_ips": "10.0.0.1")")});
	check({"E_JSON", at_match + ".tls: expected an object", match(R"("tls": true)")});
}

TEST_CASE("E_JSON: modes are lower case (3, 5)")
{
	check({"E_JSON", at_group + ".mode: 'Enforce' is not a mode",
	       group(R"("id": "g", "mode": "Enforce", "sources": {"ips": ["10.0.0.1"]})")});
	check({"E_JSON", at_rule + ".mode",
	       rule(R"("id": "r", "action": "allow", "match": {}, "mode": "AUDIT")")});
	check({"E_JSON", at_tls + ".mode", tls(R"("mode": "Metadata")")});
	check({"E_JSON", at_tls + ".tls13_uninspectable", tls(R"("tls13_uninspectable": "Allow")")});
	check({"E_JSON", at_rule + ".match_dns_binding",
	       rule(R"("id": "r", "action": "allow", "match": {}, "match_dns_binding": "Strict")")});
}

TEST_CASE("E_JSON: a key that occurs twice")
{
	check({"E_JSON", "line 1, column ", R"({"default_policy": "allow", "default_policy": "deny"})"});
	check({"E_JSON", "line 1, column ", match(R"("proto": "tcp", "dst_ports": [1], "proto": "udp")")});
	check({"E_JSON", at_tls + ".http.request.headers.exact",
	       request(R"("headers": {"exact": {"Host": ["a"], "host": ["b"]}})")});
}

TEST_CASE("E_TOPMODE, E_DEFAULT and E_ACTION (4, 5)")
{
	check({"E_TOPMODE", "mode", R"({"mode": "audit"})"});
	check({"", "", R"({"mode": null})"});
	check({"E_DEFAULT", "default_policy: 'maybe'", R"({"default_policy": "maybe"})"});
	check({"E_DEFAULT", "default_policy: ' allow'", R"({"default_policy": " allow"})"});
	check({"", "", R"({"default_policy": "Allow"})"});
	check({"", "", R"({"default_policy": null})"});
	check({"E_ACTION", at_rule + ".action: 'reject'",
	       rule(R"("id": "r", "action": "reject", "match": {})")});
	check({"", "", rule(R"("id": "r", "action": "ALLOW", "match": {})")});
	check({"E_ACTION", at_group + ".default_action",
	       group(R"("id": "g", "mode": "audit", "sources": {"ips": ["10.0.0.1"]}, "default_action": "drop")")});
}

TEST_CASE("E_GROUP_ID and E_RULE_ID: names that would collide")
{
	check({"E_GROUP_ID", at_group + ".id",
	       group(R"("id": " ", "mode": "audit", "sources": {"ips": ["10.0.0.1"]})")});
	const std::string one = R"({"id": "g", "mode": "audit", "sources": {"ips": ["10.0.0.1"]}})";
	check({"E_GROUP_ID", "source_groups[1].id: 'g'",
	       text(R"({"source_groups": [)", one, ",", one, "]}")});
	check({"E_RULE_ID", at_rule + ".id",
	       rule(R"("id": "__dns_allowlist", "action": "allow", "match": {})")});
}

TEST_CASE("E_IP, E_PREFIX and E_SRC_EMPTY (2, 12)")
{
	for (const char *bad : {"10.0.0", "10.0.0.256", "10.0.0.1.2", "", "a.b.c.d", "::1/8", "010.0.0.1"})
		check({"E_IP", at_group + ".sources.cidrs[0]",
		       sources(text(R"({"cidrs": [")", bad, R"("]})"))});
	for (const char *bad : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "10.0.0.0/ 8"})
		check({"E_PREFIX", at_group + ".sources.cidrs[0]",
		       sources(text(R"({"cidrs": [")", bad, R"("]})"))});
	check({"E_IP", at_group + ".sources.ips[0]", sources(R"({"ips": ["10.0.0.0/24"]})")});
	check({"E_IP", at_match + ".dst_ips[0]", match(R"("dst_ips": ["10.0.0.0/24"])")});
	check({"E_PREFIX", at_match + ".dst_cidrs[1]",
	       match(R"("dst_cidrs": ["10.0.0.0/24", "10.0.0.0/40"])")});
	check({"E_SRC_EMPTY", at_group + ".sources", sources("{}")});
	check({"E_SRC_EMPTY", at_group + ".sources",
	       sources(R"({"cidrs": [], "ips": [], "kubernetes": []})")});
	check({"", "", sources(R"({"cidrs": [" 10.0.0.77/24 ", "10.0.0.1"], "ips": [" 10.0.0.1"]})")});
}

TEST_CASE("E_PROTO and E_PORT (11)")
{
	for (const char *bad : {"sctp", "256", "-1", "", "tcp "})
		check({"E_PROTO", at_match + ".proto", match(text(R"("proto": ")", bad, R"(")"))});
	for (const char *bad : {"81-80", "65536", "", "-", "80-", "-80", "http", "80-81-82", "+80", "0x50"})
		check({"E_PORT", at_match + ".dst_ports[0]",
		       match(text(R"("dst_ports": [")", bad, R"("])"))});
	check({"E_PORT", at_match + ".src_ports[1]", match(R"("src_ports": [1, "2-1"])")});
	check({"", "", match(R"("dst_ports": [0, "0", " 80 - 81 ", "0-65535"])")});
}

TEST_CASE("E_TLS_PROTO, E_ICMP_PROTO and E_ICMP_PORTS (7)")
{
	check({"E_ICMP_PROTO", at_match + ".icmp_types", match(R"("proto": "tcp", "icmp_types": [8])")});
	check({"E_ICMP_PROTO", at_match + ".icmp_codes", match(R"("proto": 47, "icmp_codes": [0])")});
	check({"E_ICMP_PORTS", at_match + ".dst_ports", match(R"("proto": "icmp", "dst_ports": [80])")});
	check({"E_ICMP_PORTS", at_match + ".src_ports", match(R"("proto": "1", "src_ports": [80])")});
	check({"E_TLS_PROTO", at_match + ".tls", match(R"("proto": "udp", "tls": {})")});
	check({"", "", match(R"("proto": "any", "dst_ports": [80], "icmp_types": [8])")});
	check({"", "", match(R"("proto": "tcp", "tls": {}, "icmp_types": [])")});
}

TEST_CASE("E_DNS_EMPTY and E_DNS_REGEX, with a hint for the shell's star (6)")
{
	check({"E_DNS_EMPTY", at_match + ".dns_hostname", match(R"("dns_hostname": "   ")")});
	check({"E_DNS_REGEX", at_match + ".dns_hostname", match(R"("dns_hostname": "[")")});
	check({"E_DNS_REGEX", at_match + ".dns_hostname", match(R"("dns_hostname": "(?=look)ahead")")});
	const auto star = policy::parse(match(R"("dns_hostname": "*.example.com")"), Syntax::json);
	REQUIRE_FALSE(star);
	CHECK(star.error().what.starts_with("E_DNS_REGEX: "));
	CHECK(star.error().what.find(R"((^|.*\.)example\.com$)") != std::string::npos);
}

TEST_CASE("E_NAME_EMPTY, E_NAME_REGEX and E_DN_EMPTY")
{
	for (const char *name : {"sni", "server_san", "server_cn"})
		for (const char *empty :
		     {"[]", R"([" ", "."])", R"(" ")", "{}", R"({"exact": ["a"], "regex": " "})"})
			check({"E_NAME_EMPTY", text(at_tls, ".", name), tls(text('"', name, "\": ", empty))});
	check({"E_NAME_REGEX", at_tls + ".sni", tls(R"("sni": "*.example.com")")});
	check({"E_NAME_REGEX", at_tls + ".sni.regex", tls(R"("sni": {"regex": "("})")});
	check({"E_JSON", at_tls + ".sni[0]: expected text", tls(R"("sni": [1])")});
	check({"E_DN_EMPTY", at_tls + ".server_dn", tls(R"("server_dn": "  ")")});
}

TEST_CASE("E_FP and E_PEM")
{
	check({"E_FP", at_tls + ".fingerprint_sha256[0]", tls(R"("fingerprint_sha256": ["abcd"])")});
	check({"E_FP", at_tls + ".fingerprint_sha256[0]",
	       tls(text(R"("fingerprint_sha256": [")", std::string(63, 'a'), R"(g"])"))});
	check({"", "", tls(text(R"("fingerprint_sha256": [")", std::string(62, 'a'), R"(: B B"])"))});

	const std::string good = in_json(sample_certificate);
	const std::string key = R"("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n")";
	const std::string not_x509 = R"("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")";
	const std::string cut = good.substr(0, good.size() / 2) + '"';
	const std::string two = good.substr(0, good.size() - 1) + key.substr(1);
	check({"", "", tls(text(R"("trust_anchors_pem": [)", good, "]"))});
	check({"", "",
	       tls(text(R"("trust_anchors_pem": [)", good.substr(0, good.size() - 1), good.substr(1), "]"))});
	for (const std::string &bad :
	     {std::string(R"("")"), std::string(R"("text")"), key, not_x509, cut, two})
		check({"E_PEM", at_tls + ".trust_anchors_pem[0]",
		       tls(text(R"("trust_anchors_pem": [)", bad, "]"))});
}

TEST_CASE("E_HTTP_MODE, E_INTERCEPT_HTTP and E_INTERCEPT_MIX (9)")
{
	check({"E_HTTP_MODE", at_tls, tls(R"("http": {"request": {}})")});
	check({"E_INTERCEPT_HTTP", at_tls, tls(R"("mode": "intercept")")});
	const std::string fingerprint = text(R"("fingerprint_sha256": [")", std::string(64, 'a'), R"("])");
	const std::string anchor = text(R"("trust_anchors_pem": [)", in_json(sample_certificate), "]");
	for (const std::string &mixed :
	     {std::string(R"("sni": "x")"), std::string(R"("server_dn": "CN=x")"),
	      std::string(R"("server_cn": "x")"), std::string(R"("server_san": "x")"), fingerprint, anchor})
		check({"E_INTERCEPT_MIX", at_tls,
		       tls(text(R"("mode": "intercept", "http": {"request": {}}, )", mixed))});
	check({"", "", tls("")});
	check({"", "", tls(R"("mode": "intercept", "http": {"request": {}})")});
	check({"", "", tls(R"("mode": "intercept", "http": {"response": {}}, "fingerprint_sha256": [])")});
}

TEST_CASE("E_HTTP_EMPTY: a matcher that is there must constrain something")
{
	check({"E_HTTP_EMPTY", at_tls + ".http", tls(R"("mode": "intercept", "http": {})")});
	for (const char *empty : {
		     R"("host": {})",
		     R"("host": {"exact": [" "]})",
		     R"("host": {"regex": "["})",
		     R"("host": {"exact": ["a"], "regex": " "})",
		     R"("path": {"exact": [], "prefix": [""]})",
		     R"("path": {"regex": "*"})",
		     R"("methods": ["GET", " "])",
		     R"("query": {})",
		     R"("query": {"keys_present": [" "]})",
		     R"("query": {"key_values_exact": {" ": ["a"]}})",
		     R"("query": {"key_values_exact": {"a": []}})",
		     R"("query": {"key_values_exact": {"a": [" "]}})",
		     R"("query": {"key_values_regex": {"a": "("}})",
		     R"("headers": {})",
		     R"("headers": {"require_present": [""]})",
		     R"("headers": {"deny_present": [" "]})",
		     R"("headers": {"exact": {"": ["a"]}})",
		     R"("headers": {"regex": {"a": ""}})",
	     })
		check({"E_HTTP_EMPTY", at_tls + ".http.request.", request(empty)});
	check({"E_HTTP_EMPTY", at_tls + ".http.response.headers",
	       tls(R"("mode": "intercept", "http": {"response": {"headers": {}}})")});
}

TEST_CASE("E_K8S: who is meant must be said (13)")
{
	const std::string_view at = "source_groups[0].sources.kubernetes[0]";
	const std::string pods = R"("pod_selector": {"namespace": "n", "match_labels": {"app": "web"}})";
	const std::string nodes = R"("node_selector": {"match_labels": {}})";
	check({"", "", kubernetes(R"("integration": "k", )" + pods)});
	check({"", "", kubernetes(R"("integration": "k", )" + nodes)});
	check({"", "", kubernetes(R"("integration": "k", "node_selector": {})")});
	check({"E_K8S_INTEGRATION", at + ".integration", kubernetes(R"("integration": " ", )" + pods)});
	check({"E_K8S_SELECTOR", at, kubernetes(R"("integration": "k")")});
	check({"E_K8S_SELECTOR", at, kubernetes(text(R"("integration": "k", )", pods, ", ", nodes))});
	check({"E_K8S_NAMESPACE", at + ".pod_selector.namespace",
	       kubernetes(R"("integration": "k", "pod_selector": {"namespace": " "})")});
	check({"E_K8S_LABEL", at + ".node_selector.match_labels.app",
	       kubernetes(R"("integration": "k", "node_selector": {"match_labels": {"app": " "}})")});
	check({"E_K8S_LABEL", at + ".node_selector.match_labels",
	       kubernetes(R"("integration": "k", "node_selector": {"match_labels": {" ": "web"}})")});
	check({"E_JSON", at + ".integration: missing", kubernetes(pods)});
}

TEST_CASE("only the first problem is reported, and none of its bytes reach a terminal raw")
{
	const auto policy = policy::parse(R"({"default_policy": "\u001b[31m\n", "mode": 1})", Syntax::json);
	REQUIRE_FALSE(policy);
	CHECK(policy.error().what.starts_with("E_TOPMODE"));
	const auto escape = policy::parse(R"({"default_policy": "\u001b[31m\n"})", Syntax::json);
	REQUIRE_FALSE(escape);
	CHECK(escape.error().what == "E_DEFAULT: default_policy: '?[31m?' is neither allow nor deny");
}
