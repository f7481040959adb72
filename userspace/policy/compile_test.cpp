// What a policy decides, packet by packet: the cases of spec/dataplane §8 that need no flow.
#include "policy/policy.h"

#include "abi/verdict.h"
#include "base/address.h"
#include "base/text.h"

#include <doctest/doctest.h>

using namespace neuwerk;

namespace {

constexpr std::uint8_t tcp = 6;
constexpr std::uint8_t udp = 17;
constexpr std::uint8_t icmp = 1;

// A compiled policy with questions in plain words. The internal network is 10.0.0.0/8.
class Judge {
public:
	explicit Judge(std::string_view yaml, std::vector<model::Prefix> internal = {{0x0a000000, 8}})
	    : compiled_(must(policy::compile(must(policy::parse(yaml, policy::Syntax::yaml)),
					     {std::move(internal)}, {})))
	{
	}

	[[nodiscard]] nw_decision ask(std::string_view source, std::string_view destination,
				      std::uint8_t protocol, std::uint16_t port,
				      std::uint16_t source_port = 40000) const
	{
		return policy::walk(compiled_, {must(parse_ipv4(source)), must(parse_ipv4(destination)),
						protocol, source_port, port, 0, 0});
	}

	[[nodiscard]] nw_decision ask_icmp(std::uint8_t type, std::uint8_t code,
					   std::uint16_t identifier = 7) const
	{
		return policy::walk(compiled_,
				    {must(parse_ipv4("10.0.0.2")), must(parse_ipv4("198.51.100.10")), icmp,
				     identifier, 0, type, code});
	}

	[[nodiscard]] bool allows(std::string_view source, std::string_view destination,
				  std::uint8_t protocol, std::uint16_t port) const
	{
		return ask(source, destination, protocol, port).verdict == NW_VERDICT_forwarded_in_xdp;
	}

	// From 10.0.0.2 to 198.51.100.10.
	[[nodiscard]] bool allows(std::uint8_t protocol, std::uint16_t port) const
	{
		return allows("10.0.0.2", "198.51.100.10", protocol, port);
	}

	[[nodiscard]] bool allows_icmp(std::uint8_t type, std::uint8_t code) const
	{
		return ask_icmp(type, code).verdict == NW_VERDICT_forwarded_in_xdp;
	}

	[[nodiscard]] const policy::CompiledPolicy &compiled() const
	{
		return compiled_;
	}

private:
	template <typename T>
	static T must(Result<T> result)
	{
		if (!result)
			FAIL(result.error().what);
		return *result;
	}

	policy::CompiledPolicy compiled_;
};

std::string one_group(std::string_view rules, std::string_view rest = "mode: enforce")
{
	return text(
		"default_policy: deny\nsource_groups:\n- id: clients\n  sources: {cidrs: [10.0.0.0/24]}\n  ",
		rest, "\n  rules:\n", rules);
}

constexpr bool is_raw_deny(const nw_decision &decision)
{
	return decision.flags & NW_DECISION_RAW_DENY;
}

constexpr bool is_audit_deny(const nw_decision &decision)
{
	return decision.flags & NW_DECISION_AUDIT_DENY;
}

} // namespace

TEST_CASE("1: cidrs and ips are one set, ports and port ranges another")
{
	const Judge judge(R"(
default_policy: deny
source_groups:
- id: clients
  mode: enforce
  sources: {cidrs: [10.0.0.0/24], ips: [10.0.1.7]}
  rules:
  - {id: web, action: allow, match: {proto: tcp, dst_ports: [443, "80-81"]}}
)");
	CHECK(judge.allows("10.0.0.42", "198.51.100.10", tcp, 443));
	CHECK(judge.allows("10.0.1.7", "198.51.100.10", tcp, 443));
	CHECK_FALSE(judge.allows("10.0.2.1", "198.51.100.10", tcp, 443));
	CHECK_FALSE(judge.allows(tcp, 79));
	CHECK(judge.allows(tcp, 80));
	CHECK(judge.allows(tcp, 81));
	CHECK_FALSE(judge.allows(tcp, 82));
	CHECK_FALSE(judge.allows(udp, 443));
}

TEST_CASE("8: proto icmp without lists allows replies and errors, not the echo request")
{
	const Judge judge(one_group("  - {id: ping, action: allow, match: {proto: icmp}}"));
	for (const int type : {0, 3, 11})
		for (const int code : {0, 4})
			CHECK(judge.allows_icmp(static_cast<std::uint8_t>(type),
						static_cast<std::uint8_t>(code)));
	CHECK_FALSE(judge.allows_icmp(8, 0));
	CHECK_FALSE(judge.allows_icmp(3, 1));
	CHECK_FALSE(judge.allows_icmp(3, 3));
	CHECK_FALSE(judge.allows_icmp(11, 1));
}

TEST_CASE("one ICMP list disables the defaults of both")
{
	const Judge types(one_group("  - {id: ping, action: allow, match: {proto: icmp, icmp_types: [8]}}"));
	CHECK(types.allows_icmp(8, 0));
	CHECK(types.allows_icmp(8, 200));
	CHECK_FALSE(types.allows_icmp(13, 0));
	CHECK_FALSE(types.allows_icmp(0, 0));

	const Judge codes(one_group("  - {id: ping, action: allow, match: {proto: icmp, icmp_codes: [4]}}"));
	CHECK(codes.allows_icmp(3, 4));
	CHECK(codes.allows_icmp(255, 4));
	CHECK_FALSE(codes.allows_icmp(3, 0));
}

TEST_CASE("12: host bits of a prefix are ignored")
{
	const Judge judge(R"(
default_policy: deny
source_groups:
- {id: a, mode: enforce, sources: {cidrs: [10.0.0.77/24]}, default_action: allow}
)");
	CHECK(judge.allows("10.0.0.0", "198.51.100.10", tcp, 1));
	CHECK(judge.allows("10.0.0.255", "198.51.100.10", tcp, 1));
	CHECK_FALSE(judge.allows("10.0.1.0", "198.51.100.10", tcp, 1));
}

TEST_CASE("16: equal priorities keep document order, a lower number beats an earlier position")
{
	CHECK_FALSE(Judge(one_group("  - {id: a, priority: 5, action: deny, match: {}}\n"
				    "  - {id: b, priority: 5, action: allow, match: {}}"))
			    .allows(tcp, 443));
	CHECK(Judge(one_group("  - {id: a, priority: 5, action: deny, match: {}}\n"
			      "  - {id: b, priority: 4, action: allow, match: {}}"))
		      .allows(tcp, 443));
	// The explicit 0 of the second rule ties with the implicit 0 of the first.
	CHECK_FALSE(Judge(one_group("  - {id: a, action: deny, match: {}}\n"
				    "  - {id: b, priority: 0, action: allow, match: {}}"))
			    .allows(tcp, 443));
}

TEST_CASE("16: groups are ordered by priority too")
{
	const Judge judge(R"(
default_policy: deny
source_groups:
- {id: late, priority: 9, mode: enforce, sources: {cidrs: [10.0.0.0/8]}, default_action: deny}
- {id: early, priority: 3, mode: enforce, sources: {cidrs: [10.0.0.0/24]}, default_action: allow}
)");
	const nw_decision decision = judge.ask("10.0.0.2", "198.51.100.10", tcp, 443);
	CHECK(decision.verdict == NW_VERDICT_forwarded_in_xdp);
	CHECK(judge.compiled().group_name(decision.group) == "early");
	CHECK(decision.group == 1);
	CHECK(decision.rule == NW_NO_RULE);
	CHECK(judge.ask("10.0.1.2", "198.51.100.10", tcp, 443).verdict == NW_VERDICT_denied_by_group);
}

TEST_CASE("18: an absent default_policy is resolved when the document is read")
{
	const auto policy = policy::parse("{}", policy::Syntax::json, model::Action::allow);
	REQUIRE(policy);
	CHECK(policy->default_policy == model::Action::allow);
	CHECK(policy::to_json(*policy).find("\"default_policy\": \"allow\"") != std::string::npos);
	CHECK(policy::parse("{}", policy::Syntax::json)->default_policy == model::Action::deny);
}

TEST_CASE("19: a rule names network, protocol and port; everything else meets the default")
{
	const Judge judge(R"(
default_policy: deny
source_groups:
- id: apps
  mode: enforce
  sources: {cidrs: [10.10.0.0/16]}
  rules:
  - {id: api, action: allow, match: {dst_ips: [203.0.113.10], proto: tcp, dst_ports: [443]}}
)");
	CHECK(judge.allows("10.10.3.4", "203.0.113.10", tcp, 443));
	CHECK_FALSE(judge.allows("10.10.3.4", "203.0.113.10", tcp, 80));
	CHECK_FALSE(judge.allows("10.10.3.4", "203.0.113.11", tcp, 443));
	CHECK_FALSE(judge.allows("10.10.3.4", "203.0.113.10", udp, 443));
	const nw_decision decision = judge.ask("10.10.3.4", "203.0.113.10", tcp, 443);
	CHECK(judge.compiled().group_name(decision.group) == "apps");
	CHECK(judge.compiled().rule_name(decision.group, decision.rule) == "api");
	const nw_decision other = judge.ask("10.10.3.4", "203.0.113.10", tcp, 80);
	CHECK(other.verdict == NW_VERDICT_denied_by_default);
	CHECK(judge.compiled().group_name(other.group) == "default");
	CHECK(judge.compiled().rule_name(other.group, other.rule) == "");
}

TEST_CASE("20: default_action beats default_policy; a source in no group meets default_policy")
{
	const Judge judge(R"(
default_policy: allow
source_groups:
- {id: locked, mode: enforce, sources: {cidrs: [10.0.0.0/24]}, default_action: deny}
)");
	CHECK(judge.ask("10.0.0.2", "198.51.100.10", tcp, 443).verdict == NW_VERDICT_denied_by_group);
	CHECK(judge.allows("10.9.9.9", "198.51.100.10", tcp, 443));
}

TEST_CASE("21: a group that decides nothing leaves the packet to the next group of its source")
{
	const Judge judge(R"(
default_policy: deny
source_groups:
- id: first
  mode: enforce
  sources: {cidrs: [10.0.0.0/24]}
  rules: [{id: dns, action: allow, match: {proto: udp, dst_ports: [53]}}]
- id: second
  mode: enforce
  sources: {cidrs: [10.0.0.0/8]}
  rules: [{id: web, action: allow, match: {proto: tcp, dst_ports: [443]}}]
)");
	CHECK(judge.ask("10.0.0.2", "198.51.100.10", udp, 53).group == 0);
	CHECK(judge.ask("10.0.0.2", "198.51.100.10", tcp, 443).group == 1);
	CHECK(judge.ask("10.0.0.2", "198.51.100.10", tcp, 80).verdict == NW_VERDICT_denied_by_default);
}

TEST_CASE("22, 23: the first rule that matches wins, however exact a later one is")
{
	CHECK(Judge(one_group("  - {id: a, action: allow, match: {}}\n"
			      "  - {id: b, action: deny, match: {dst_ips: [198.51.100.10]}}"))
		      .allows(tcp, 443));
	CHECK_FALSE(Judge(one_group("  - {id: a, priority: 1, action: allow, match: {}}\n"
				    "  - {id: b, priority: 0, action: deny, match: {}}"))
			    .allows(tcp, 443));
}

TEST_CASE("24: an audited deny lets the packet pass and says so")
{
	const Judge judge(one_group("  - {id: a, action: deny, match: {}}", "mode: audit"));
	const nw_decision decision = judge.ask("10.0.0.2", "198.51.100.10", tcp, 443);
	CHECK(decision.verdict == NW_VERDICT_forwarded_in_xdp);
	CHECK(is_raw_deny(decision));
	CHECK(is_audit_deny(decision));
	CHECK(decision.audit_group == 0);
	CHECK(decision.audit_rule == 0);
}

TEST_CASE("25: a rule may enforce inside an audit group, and audit inside an enforcing one")
{
	const Judge enforced(one_group("  - {id: a, mode: enforce, action: deny, match: {}}", "mode: audit"));
	const nw_decision decision = enforced.ask("10.0.0.2", "198.51.100.10", tcp, 443);
	CHECK(decision.verdict == NW_VERDICT_denied_by_rule);
	CHECK(is_raw_deny(decision));
	CHECK_FALSE(is_audit_deny(decision));
	CHECK(Judge(one_group("  - {id: a, mode: audit, action: deny, match: {}}")).allows(tcp, 443));
}

TEST_CASE("26: the default_action of an audit group is audited, without a second-pass finding")
{
	const Judge judge(one_group("  - {id: a, action: allow, match: {dst_ports: [1]}}",
				    "mode: audit\n  default_action: deny"));
	const nw_decision decision = judge.ask("10.0.0.2", "198.51.100.10", tcp, 443);
	CHECK(decision.verdict == NW_VERDICT_forwarded_in_xdp);
	CHECK(is_raw_deny(decision));
	CHECK_FALSE(is_audit_deny(decision));
	CHECK(decision.group == 0);
	CHECK(decision.rule == NW_NO_RULE);
}

TEST_CASE("27: default_policy has no mode, so it is enforced behind an audit group")
{
	const Judge judge(one_group("  - {id: a, action: allow, match: {dst_ports: [1]}}", "mode: audit"));
	CHECK(judge.ask("10.0.0.2", "198.51.100.10", tcp, 443).verdict == NW_VERDICT_denied_by_default);
}

TEST_CASE("28: an audited deny ends the evaluation before an enforced one")
{
	const Judge judge(one_group("  - {id: a, mode: audit, action: deny, match: {}}\n"
				    "  - {id: b, action: deny, match: {}}"));
	CHECK(judge.ask("10.0.0.2", "198.51.100.10", tcp, 443).verdict == NW_VERDICT_forwarded_in_xdp);
}

TEST_CASE("29: the second pass finds an audited deny behind an enforced allow")
{
	const Judge judge(one_group("  - {id: a, action: allow, match: {}}\n"
				    "  - {id: b, mode: audit, action: deny, match: {dst_ports: [443]}}"));
	const nw_decision decision = judge.ask("10.0.0.2", "198.51.100.10", tcp, 443);
	CHECK(decision.verdict == NW_VERDICT_forwarded_in_xdp);
	CHECK_FALSE(is_raw_deny(decision));
	CHECK(is_audit_deny(decision));
	CHECK(decision.rule == 0);
	CHECK(decision.audit_rule == 1);
	CHECK_FALSE(is_audit_deny(judge.ask("10.0.0.2", "198.51.100.10", tcp, 80)));
}

TEST_CASE("the second pass reaches audit rules of later groups, and an audited allow ends it")
{
	const Judge judge(R"(
default_policy: deny
source_groups:
- id: first
  mode: enforce
  sources: {cidrs: [10.0.0.0/24]}
  rules: [{id: ok, mode: audit, action: allow, match: {dst_ports: [80]}}]
  default_action: deny
- id: second
  mode: audit
  sources: {cidrs: [10.0.0.0/8]}
  rules: [{id: never, action: deny, match: {}}]
)");
	const nw_decision decision = judge.ask("10.0.0.2", "198.51.100.10", tcp, 443);
	CHECK(decision.verdict == NW_VERDICT_denied_by_group);
	CHECK(is_audit_deny(decision));
	CHECK(decision.audit_group == 1);
	CHECK_FALSE(is_audit_deny(judge.ask("10.0.0.2", "198.51.100.10", tcp, 80)));
}

TEST_CASE("30: a source in two groups meets them by priority, /32 or not")
{
	constexpr std::string_view groups = R"(
default_policy: deny
source_groups:
- {id: exact, priority: %, mode: enforce, sources: {ips: [10.0.0.2]}, default_action: deny}
- {id: wide, priority: 5, mode: enforce, sources: {cidrs: [10.0.0.0/8]}, default_action: allow}
)";
	std::string text(groups);
	text[text.find('%')] = '9';
	CHECK(Judge(text).allows(tcp, 443));
	text[text.find('9')] = '1';
	CHECK_FALSE(Judge(text).allows(tcp, 443));
}

TEST_CASE("31: any protocol with a port matches TCP and UDP, never ICMP")
{
	const Judge judge(one_group("  - {id: a, action: allow, match: {proto: any, dst_ports: [443]}}"));
	CHECK(judge.allows(tcp, 443));
	CHECK(judge.allows(udp, 443));
	CHECK_FALSE(judge.allows(47, 443));
	for (int type = 0; type < 256; type++)
		CHECK_FALSE(judge.allows_icmp(static_cast<std::uint8_t>(type), 0));
}

TEST_CASE("ports of protocols without ports are 0, and src_ports is the identifier of ICMP")
{
	const Judge zero(one_group("  - {id: a, action: allow, match: {dst_ports: [0]}}"));
	CHECK(zero.allows(47, 443));
	CHECK(zero.allows_icmp(8, 0));
	CHECK(zero.allows(tcp, 0));
	CHECK_FALSE(zero.allows(tcp, 443));

	const Judge identifier(one_group("  - {id: a, action: allow, match: {src_ports: [7]}}"));
	CHECK(identifier.ask_icmp(8, 0, 7).verdict == NW_VERDICT_forwarded_in_xdp);
	CHECK(identifier.ask_icmp(8, 0, 8).verdict == NW_VERDICT_denied_by_default);
	CHECK(identifier.ask("10.0.0.2", "198.51.100.10", tcp, 443, 7).verdict ==
	      NW_VERDICT_forwarded_in_xdp);
}

TEST_CASE("33: a source that is in no group and not internal is dropped, even when the default allows")
{
	const Judge judge("default_policy: allow", {{0x0a000000, 8}});
	CHECK(judge.allows("10.1.2.3", "198.51.100.10", tcp, 443));
	CHECK(judge.ask("192.0.2.1", "198.51.100.10", tcp, 443).verdict ==
	      NW_VERDICT_dropped_external_source);
	CHECK(judge.ask("192.0.2.1", "10.0.0.1", tcp, 443).verdict == NW_VERDICT_dropped_external_source);
}

TEST_CASE("34: traffic to an internal destination is dropped; a source group makes nothing internal")
{
	const Judge judge(R"(
default_policy: allow
source_groups:
- {id: branch, mode: audit, sources: {cidrs: [172.16.0.0/24]}, rules: [{id: no, action: deny, match: {}}]}
)");
	const nw_decision east_west = judge.ask("10.0.0.2", "10.0.0.3", tcp, 443);
	CHECK(east_west.verdict == NW_VERDICT_dropped_east_west);
	CHECK(east_west.flags == 0);
	CHECK(judge.ask("172.16.0.1", "10.0.0.3", tcp, 443).verdict == NW_VERDICT_dropped_east_west);
	CHECK(judge.ask("172.16.0.1", "10.0.0.3", tcp, 443).flags == 0);
	CHECK(judge.allows("10.0.0.2", "172.16.0.1", tcp, 443));
}

TEST_CASE("35: the source 0.0.0.0/0 means anybody inside")
{
	const Judge judge(R"(
default_policy: deny
source_groups:
- id: all
  mode: enforce
  sources: {cidrs: [0.0.0.0/0]}
  rules: [{id: web, action: allow, match: {proto: tcp, dst_ports: [443]}}]
)");
	CHECK(judge.allows("10.0.0.2", "198.51.100.10", tcp, 443));
	CHECK(judge.allows("192.0.2.1", "198.51.100.10", tcp, 443));
	CHECK_FALSE(judge.allows("10.0.0.2", "198.51.100.10", tcp, 80));
}

TEST_CASE("36: a rule with nothing but a hostname matches no packet, and keeps its index")
{
	const Judge judge(one_group("  - {id: name, action: allow, match: {dns_hostname: '^x$'}}\n"
				    "  - {id: ssh, action: allow, match: {proto: tcp, dst_ports: [22]}}"));
	CHECK_FALSE(judge.allows(tcp, 443));
	CHECK(judge.ask("10.0.0.2", "198.51.100.10", tcp, 22).rule == 1);
}

TEST_CASE("what cannot be compiled exactly is refused")
{
	const auto refused = [](std::string_view rule) {
		const auto policy = policy::parse(one_group(rule), policy::Syntax::yaml);
		REQUIRE(policy);
		return !policy::compile(*policy, {}, {}).has_value();
	};
	CHECK(refused("  - {id: a, action: allow, match: {tls: {sni: x}}}"));
	CHECK(refused("  - {id: a, action: allow, match_dns_binding: strict, match: {dns_hostname: x, proto: "
		      "tcp}}"));
}
