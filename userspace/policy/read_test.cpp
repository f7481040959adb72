// How a document is normalised, and that the normalised document says the same.
#include "policy/policy.h"

#include "base/text.h"
#include "policy/certificate_sample.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using policy::Syntax;

namespace {

model::Policy parsed(std::string_view document, Syntax syntax = Syntax::yaml)
{
	const auto policy = policy::parse(document, syntax);
	if (!policy)
		FAIL(policy.error().what);
	return *policy;
}

model::Rule rule(std::string_view fields)
{
	return parsed(text("source_groups: [{id: g, mode: audit, sources: {ips: [10.0.0.1]}, rules: [{id: r, "
			   "action: deny, ",
			   fields, "}]}]"))
		.source_groups[0]
		.rules[0];
}

model::Tls tls(std::string_view fields)
{
	return *rule(text("match: {tls: {", fields, "}}")).match.tls;
}

std::vector<policy::Warning> warnings(std::string_view document)
{
	const auto found = policy::review(document, Syntax::yaml);
	if (!found)
		FAIL(found.error().what);
	return *found;
}

std::vector<policy::Warning> rule_warnings(std::string_view fields)
{
	return warnings(text("source_groups: [{id: g, mode: audit, sources: {ips: [10.0.0.1]}, rules: [{id: "
			     "r, action: deny, ",
			     fields, "}]}]"));
}

constexpr std::string_view everything = R"yaml(
default_policy: Allow
match_dns_binding: strict
source_groups:
- id: all
  priority: 7
  mode: audit
  sources:
    cidrs: [10.1.2.3/16, " 192.168.0.1 "]
    ips: [10.0.0.1]
    kubernetes:
    - integration: " east "
      pod_selector: {namespace: shop, match_labels: {tier: " front ", app: web}}
    - {integration: west, node_selector: {}}
  default_action: DENY
  rules:
  - id: ports
    priority: 3
    mode: enforce
    action: allow
    match: {dst_cidrs: [198.51.100.7/24], dst_ips: [203.0.113.1], proto: TCP, dst_ports: [443, "80-81"], src_ports: ["1024 - 65535"]}
  - {id: ping, action: allow, match: {proto: icmp}}
  - {id: gre, action: allow, match: {proto: "47"}}
  - {id: name, action: allow, match: {dns_hostname: " ^api\\.example\\.com$ "}}
  - id: meta
    action: allow
    match:
      tls:
        sni: {exact: [API.example.com., ""], regex: ^api}
        server_dn: " CN=a, O=b + OU=c "
        server_san: [A.]
        server_cn: "^a$"
        fingerprint_sha256: ["AA:%FP"]
        trust_anchors_pem: ["%PEM"]
        tls13_uninspectable: allow
  - id: deep
    action: deny
    match:
      proto: tcp
      tls:
        mode: intercept
        http:
          request:
            host: {exact: [Example.COM], regex: ^a}
            methods: [GET, post]
            path: {exact: [/A], prefix: [/b/], regex: ^/c}
            query: {keys_present: [K], key_values_exact: {k: [v, " ", w]}, key_values_regex: {z: ^1}}
            headers: {require_present: [X-A], deny_present: [X-B], exact: {X-C: [v]}, regex: {X-D: ^v}}
          response: {headers: {deny_present: [Server]}}
)yaml";

std::string with_certificate(std::string document)
{
	std::string pem;
	for (const char c : std::string_view(sample_certificate))
		pem += c == '\n' ? "\\n" : std::string(1, c);
	document.replace(document.find("%PEM"), 4, pem);
	document.replace(document.find("%FP"), 3, std::string(62, 'b'));
	return document;
}

} // namespace

TEST_CASE("every field of a document survives the way through the normalised form")
{
	const model::Policy policy = parsed(with_certificate(std::string(everything)));
	const std::string normalised = policy::to_json(policy);
	CHECK(parsed(normalised, Syntax::json) == policy);
	CHECK(parsed(normalised, Syntax::yaml) == policy);
	CHECK(policy::to_json(parsed(normalised, Syntax::json)) == normalised);
	const auto again = policy::review(normalised, Syntax::json);
	REQUIRE(again);
	for (const auto &warning : *again)
		CHECK_MESSAGE(warning.what.find("unknown key") == std::string::npos, warning.path);
}

TEST_CASE("a group and its sources are normalised")
{
	const model::SourceGroup group = parsed(with_certificate(std::string(everything))).source_groups[0];
	CHECK(group.priority == 7);
	CHECK(group.mode == model::Mode::audit);
	CHECK(group.default_action == model::Action::deny);
	CHECK(group.sources.prefixes ==
	      std::vector<model::Prefix>{{0x0a010000, 16}, {0xc0a80001, 32}, {0x0a000001, 32}});
	REQUIRE(group.sources.kubernetes.size() == 2);
	const model::KubernetesSource &pods = group.sources.kubernetes[0];
	CHECK(pods.integration == "east");
	CHECK(pods.pod_namespace == "shop");
	CHECK(pods.match_labels ==
	      std::vector<std::pair<std::string, std::string>>{{"app", "web"}, {"tier", "front"}});
	CHECK(group.sources.kubernetes[1].kind == model::KubernetesKind::nodes);
}

TEST_CASE("rules inherit priority from their position, mode from their group, binding from the document")
{
	const auto rules = parsed(with_certificate(std::string(everything))).source_groups[0].rules;
	CHECK(rules[0].priority == 3);
	CHECK(rules[0].mode == model::Mode::enforce);
	CHECK(rules[0].match.destination_ports == std::vector<model::PortRange>{{443, 443}, {80, 81}});
	CHECK(rules[0].match.source_ports == std::vector<model::PortRange>{{1024, 65535}});
	CHECK(rules[0].match.destinations == std::vector<model::Prefix>{{0xc6336400, 24}, {0xcb007101, 32}});
	CHECK(rules[0].match.protocol == 6);
	CHECK_FALSE(rules[0].strict_dns_binding);
	CHECK(rules[1].priority == 1);
	CHECK(rules[1].mode == model::Mode::audit);
	CHECK(rules[1].match.icmp_types == std::vector<std::uint8_t>{0, 3, 11});
	CHECK(rules[1].match.icmp_codes == std::vector<std::uint8_t>{0, 4});
	CHECK(rules[2].match.protocol == 47);
	CHECK(rules[3].match.dns_hostname == "^api\\.example\\.com$");
	CHECK(rules[3].strict_dns_binding);
	CHECK_FALSE(rule("match_dns_binding: loose, match: {dns_hostname: x}").strict_dns_binding);
}

TEST_CASE("numbers and names of protocols mean the same, any means none")
{
	CHECK(rule("match: {proto: 6}").match.protocol == 6);
	CHECK(rule("match: {proto: '6'}").match.protocol == 6);
	CHECK(rule("match: {proto: Tcp}").match.protocol == 6);
	CHECK(rule("match: {proto: 0}").match.protocol == 0);
	CHECK_FALSE(rule("match: {proto: ANY}").match.protocol);
	CHECK_FALSE(rule("match: {proto: null}").match.protocol);
	CHECK(rule("match: {proto: 1}").match.icmp_types.size() == 3);
	CHECK(rule("match: {proto: icmp, icmp_codes: [1]}").match.icmp_types.empty());
}

TEST_CASE("14: a TLS name as text is a pattern, as a list exact, as an object both")
{
	CHECK(tls("sni: 'example\\.com'").sni == model::NameMatch{{}, "example\\.com"});
	CHECK(tls("sni: [Example.Com.., '']").sni == model::NameMatch{{"example.com"}, std::nullopt});
	CHECK(tls("sni: {exact: [a], regex: ' ^a '}").sni == model::NameMatch{{"a"}, "^a"});
}

TEST_CASE("the rest of a TLS block is normalised")
{
	CHECK(tls("").mode == model::TlsMode::metadata);
	CHECK(tls("").tls13_uninspectable == model::Action::deny);
	CHECK(tls("server_dn: ' CN=a, O=b + OU=c '").server_dn == "CN=a,O=b+OU=c");
	CHECK(tls(text("fingerprint_sha256: ['", std::string(60, 'A'), ":B b\tBB']")).fingerprint_sha256[0] ==
	      std::string(60, 'a') + "bbbb");
}

TEST_CASE("10: an HTTP request is normalised: methods upper case, hosts and header names lower case")
{
	const auto rules = parsed(with_certificate(std::string(everything))).source_groups[0].rules;
	const model::HttpRequest &request = *rules[5].match.tls->http->request;
	CHECK(request.methods == std::vector<std::string>{"GET", "POST"});
	CHECK(request.host->exact == std::vector<std::string>{"example.com"});
	CHECK(request.path->exact == std::vector<std::string>{"/A"});
	CHECK(request.query->keys_present == std::vector<std::string>{"K"});
	CHECK(request.query->key_values_exact == std::vector<model::NamedValues>{{"k", {"v", "w"}}});
	CHECK(request.headers->require_present == std::vector<std::string>{"x-a"});
	CHECK(request.headers->exact == std::vector<model::NamedValues>{{"x-c", {"v"}}});
	CHECK(rules[5].match.tls->http->response->headers->deny_present ==
	      std::vector<std::string>{"server"});
}

TEST_CASE("15: an unknown key is accepted and reported, with the key that was probably meant")
{
	const auto found = rule_warnings("match: {proto: tcp, dst_port: [443], comment: x}");
	REQUIRE(found.size() == 2);
	CHECK(found[0].path == "source_groups[0].rules[0].match.dst_port");
	CHECK(found[0].what == "unknown key: ignored; did you mean dst_ports?");
	CHECK(found[1].path == "source_groups[0].rules[0].match.comment");
	CHECK(found[1].what == "unknown key: ignored");
	CHECK(warnings("defaultpolicy: deny")[0].what ==
	      "unknown key: ignored; did you mean default_policy?");
	CHECK(warnings("mode: ~\ndefault_policy: deny").empty());
}

TEST_CASE("reserved names are reported")
{
	for (const char *id : {"internal", "default", "dns-intercept"}) {
		const auto found = warnings(
			text("source_groups: [{id: ", id, ", mode: audit, sources: {ips: [10.0.0.1]}}]"));
		REQUIRE(found.size() == 1);
		CHECK(found[0].path == "source_groups[0].id");
	}
}

TEST_CASE("patterns that match more than they seem to are reported")
{
	const auto reports = [](std::string_view pattern, std::string_view part) {
		for (const auto &warning : rule_warnings(text("match: {dns_hostname: '", pattern, "'}")))
			if (warning.what.find(part) != std::string::npos)
				return warning.path == "source_groups[0].rules[0].match.dns_hostname";
		return false;
	};
	CHECK(reports("example\\.com", "anchor it"));
	CHECK(reports("^example\\.com", "anchor it"));
	CHECK_FALSE(reports("^example\\.com$", "anchor it"));
	CHECK_FALSE(reports("(^|.*\\.)example\\.com$", "anchor it"));
	CHECK_FALSE(reports(".*", "anchor it"));
	CHECK(reports("^example.com$", "any character"));
	CHECK_FALSE(reports("^.*\\.example\\.com$", "any character"));
	CHECK(reports("^bücher\\.example$", "xn--"));
	CHECK(rule_warnings("match: {tls: {sni: a.b}}")[0].path == "source_groups[0].rules[0].match.tls.sni");
}

TEST_CASE("a hostname that does not limit the packets of its rule is reported, unless the binding is strict")
{
	CHECK(rule_warnings("match: {dns_hostname: '^a$', proto: tcp}").size() == 1);
	CHECK(rule_warnings("match_dns_binding: strict, match: {dns_hostname: '^a$', proto: tcp}").empty());
	CHECK(rule_warnings("match: {dns_hostname: '^a$'}").empty());
}

TEST_CASE("review refuses what parse refuses")
{
	const auto found = policy::review("mode: audit", Syntax::yaml);
	REQUIRE_FALSE(found);
	CHECK(found.error().what.starts_with("E_TOPMODE"));
}

TEST_CASE("a selector that is not enforced yet is named with its group and rule")
{
	const auto problem = [](std::string_view fields) {
		const auto checked =
			policy::enforceable(parsed(text("source_groups: [{id: g, mode: audit, sources: {ips: "
							"[10.0.0.1]}, rules: [{id: r, action: deny, match: {",
							fields, "}}]}]")));
		return checked ? "" : checked.error().what;
	};
	CHECK(problem("proto: tcp, dst_ports: [443]") == "");
	CHECK(problem("tls: {}") == "group 'g', rule 'r': match.tls is not enforced yet");
	CHECK(problem("dns_hostname: x") == "group 'g', rule 'r': match.dns_hostname is not enforced yet");
	const auto kubernetes =
		policy::enforceable(parsed("source_groups: [{id: g, mode: audit, sources: {kubernetes: "
					   "[{integration: k, node_selector: {}}]}}]"));
	REQUIRE_FALSE(kubernetes);
	CHECK(kubernetes.error().what == "group 'g': sources.kubernetes is not enforced yet");
}
