// Expectations in the document, rules that nothing reaches, and a policy that only watches.
#include "policy/policy.h"

#include "abi/verdict.h"

#include <doctest/doctest.h>

using namespace neuwerk;

namespace {

const policy::Surroundings inside{{{0x0a000000, 8}}};

struct Checked {
	model::Policy policy;
	policy::CompiledPolicy compiled;
};

Checked checked(std::string_view yaml)
{
	auto policy = policy::parse(yaml, policy::Syntax::yaml);
	REQUIRE_MESSAGE(policy, (policy ? "" : policy.error().what));
	auto compiled = policy::compile(*policy, inside, {});
	REQUIRE(compiled);
	return {std::move(*policy), std::move(*compiled)};
}

constexpr std::string_view web = R"(
source_groups:
  - id: clients
    mode: enforce
    sources: {cidrs: [10.0.0.0/8]}
    rules:
      - {id: web, action: allow, match: {proto: tcp, dst_ports: [80, 443]}}
)";

std::string problem_of(std::string_view test)
{
	const auto policy =
		policy::parse(std::string("tests: [").append(test).append("]"), policy::Syntax::yaml);
	return policy ? "" : policy.error().what;
}

} // namespace

TEST_CASE("a test passes when the packet meets the expected fate and the expected rule")
{
	const Checked now = checked(std::string(web).append(R"(
tests:
  - {name: web is open, from: 10.0.0.1, to: 192.0.2.1, proto: tcp, dport: 443, expect: allow, rule: clients/web}
  - {from: 10.0.0.1, to: 192.0.2.1, proto: udp, dport: 53, expect: Deny}
  - {name: wrong, from: 10.0.0.1, to: 192.0.2.1, proto: icmp, expect: allow}
  - {name: wrong rule, from: 10.0.0.1, to: 192.0.2.1, proto: tcp, dport: 80, expect: allow, rule: other}
)"));
	const auto results = policy::run_tests(now.policy, now.compiled);
	REQUIRE(results.size() == 4);
	CHECK(results[0].passed);
	CHECK(results[0].name == "web is open");
	CHECK(results[0].what == "allowed by clients/web");
	CHECK(results[1].passed);
	CHECK(results[1].name == "tests[1]");
	CHECK_FALSE(results[2].passed);
	CHECK(results[2].what == "expected allow, but it is denied_by_default by default");
	CHECK_FALSE(results[3].passed);
	CHECK(results[3].what == "expected rule other, but it is allowed by clients/web");
}

TEST_CASE("a test that cannot be asked is refused with its place")
{
	CHECK(problem_of("{to: 1.2.3.4, proto: tcp, dport: 1, expect: allow}")
		      .starts_with("E_JSON: tests[0].from"));
	CHECK(problem_of("{from: 10.0.0.1, to: example.com, proto: tcp, dport: 1, expect: allow}")
		      .starts_with("E_TEST: tests[0].to: 'example.com' is not an IPv4 address"));
	CHECK(problem_of("{from: 10.0.0.1, to: 1.2.3.4, proto: tcp, expect: allow}")
		      .starts_with("E_TEST: tests[0]: dport is missing"));
	CHECK(problem_of("{from: 10.0.0.1, to: 1.2.3.4, proto: sctp, dport: 1, expect: allow}")
		      .starts_with("E_TEST: tests[0].proto"));
	CHECK(problem_of("{from: 10.0.0.1, to: 1.2.3.4, proto: 47, expect: perhaps}")
		      .starts_with("E_TEST: tests[0].expect"));
	CHECK(problem_of("{from: 10.0.0.1, to: 1.2.3.4, proto: udp, dport: '65536', expect: deny}")
		      .starts_with("E_TEST: tests[0].dport"));
	CHECK(problem_of("{from: 10.0.0.1, to: 1.2.3.4, proto: icmp, expect: deny}").empty());
}

TEST_CASE("a rule behind one that takes all of its packets is reported, its neighbours are not")
{
	const Checked now = checked(R"(
source_groups:
  - id: a
    mode: enforce
    sources: {cidrs: [10.0.0.0/8]}
    rules:
      - {id: wide, action: allow, match: {proto: tcp}}
      - {id: narrow, action: deny, match: {proto: tcp, dst_ports: [22]}}
      - {id: partly, action: deny, match: {dst_ports: [53]}}
      - {id: contradiction, action: deny, match: {dst_ports: [53], icmp_types: [8]}}
      - {id: home, action: allow, match: {dst_cidrs: [10.1.0.0/16]}}
      - {id: watched, mode: audit, action: deny, match: {proto: tcp, dst_ports: [23]}}
)");
	std::string reported;
	for (const auto &warning : policy::unreached(now.policy, now.compiled))
		reported += warning.path + ' ';
	CHECK(reported == "source_groups[0].rules[1] source_groups[0].rules[3] source_groups[0].rules[4] ");
}

TEST_CASE("an audited policy lets through what it would deny, and marks it")
{
	const Checked strict = checked(web);
	const auto soft = policy::compile(policy::audited(strict.policy), inside, {});
	REQUIRE(soft);
	const policy::Query query{0x0a000001, 0xc6336401, 17, 1, 53, 0, 0};
	CHECK(policy::walk(strict.compiled, query).verdict == NW_VERDICT_denied_by_default);
	CHECK(policy::walk(*soft, query).verdict == NW_VERDICT_forwarded_in_xdp);
	CHECK((policy::walk(*soft, query).flags & NW_DECISION_RAW_DENY) != 0);
	const policy::Query foreign{0xc0000201, 0xc6336401, 17, 1, 53, 0, 0};
	CHECK(policy::walk(*soft, foreign).verdict == NW_VERDICT_dropped_external_source);
}
