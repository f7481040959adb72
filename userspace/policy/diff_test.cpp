// What changed between two policies: by name, and by what happens to packets.
#include "policy/policy.h"

#include "abi/verdict.h"
#include "base/text.h"

#include <doctest/doctest.h>

#include <random>

using namespace neuwerk;

namespace {

model::Policy parsed(std::string_view yaml)
{
	auto policy = policy::parse(yaml, policy::Syntax::yaml);
	REQUIRE_MESSAGE(policy, (policy ? "" : policy.error().what));
	return std::move(*policy);
}

policy::CompiledPolicy compiled(const model::Policy &policy)
{
	auto result = policy::compile(policy, {{{0x0a000000, 8}}}, {});
	REQUIRE(result);
	return std::move(*result);
}

std::string joined(const std::vector<std::string> &names)
{
	std::string out;
	for (const std::string &name : names)
		out += name + ' ';
	return out;
}

model::Policy of_rules(std::string_view rules)
{
	return parsed(text("source_groups: [{id: g, mode: enforce, sources: {cidrs: [10.0.0.0/8]}, rules: [",
			   rules, "]}]"));
}

bool allows(const policy::CompiledPolicy &policy, const policy::Query &query)
{
	return policy::walk(policy, query).verdict == NW_VERDICT_forwarded_in_xdp;
}

// A small world, so that overlaps are frequent.
model::Policy random_policy(std::mt19937 &random)
{
	const auto below = [&](unsigned end) { return static_cast<unsigned>(random() % end); };
	std::string rules;
	for (unsigned i = below(5); i > 0; i--) {
		std::string match;
		if (below(2))
			match += text("dst_cidrs: [198.51.100.", below(4) * 64, "/26], ");
		if (below(2))
			match += text("proto: ", below(2) ? "tcp" : below(2) ? "icmp" : "47", ", ");
		else if (below(2))
			match += text("dst_ports: ['", below(3), '-', 3 + below(3), "'], ");
		else if (below(2))
			match += text("src_ports: [", below(3), "], ");
		rules += text("{id: r", i, ", action: ", below(2) ? "allow" : "deny", ", match: {", match,
			      "}}, ");
	}
	return of_rules(rules);
}

policy::Query random_query(std::mt19937 &random)
{
	constexpr std::uint8_t protocols[] = {6, 17, 1, 47};
	const std::uint8_t protocol = protocols[random() % 4];
	return {.source = static_cast<std::uint32_t>(0x0a000000 + random() % 4),
		.destination = static_cast<std::uint32_t>(0xc6336400 + random() % 256),
		.protocol = protocol,
		.source_port = static_cast<std::uint16_t>(random() % 6),
		.destination_port = static_cast<std::uint16_t>(random() % 8),
		.icmp_type = static_cast<std::uint8_t>(random() % 12),
		.icmp_code = static_cast<std::uint8_t>(random() % 5)};
}

} // namespace

TEST_CASE("groups and rules are told apart by name: added, removed, changed, moved")
{
	const auto from = parsed(R"(
source_groups:
  - id: gone
    mode: enforce
    sources: {cidrs: [10.9.0.0/16]}
  - id: kept
    mode: enforce
    sources: {cidrs: [10.0.0.0/8]}
    rules:
      - {id: a, action: allow, match: {proto: tcp}}
      - {id: b, action: allow, match: {proto: udp}}
      - {id: c, action: allow, match: {proto: icmp}}
)");
	const auto to = parsed(R"(
default_policy: allow
source_groups:
  - id: kept
    mode: audit
    sources: {cidrs: [10.0.0.0/8]}
    rules:
      - {id: new, action: deny, match: {}}
      - {id: c, mode: enforce, action: allow, match: {proto: icmp}}
      - {id: a, mode: enforce, action: deny, match: {proto: tcp}}
      - {id: b, mode: enforce, action: allow, match: {proto: udp}}
)");
	const auto difference = policy::compare(from, to);
	CHECK(difference.default_changed);
	CHECK(joined(difference.groups.removed) == "gone ");
	CHECK(joined(difference.groups.changed) == "kept ");
	CHECK(difference.groups.added.empty());
	CHECK(difference.groups.moved.empty());
	CHECK(joined(difference.rules.added) == "kept/new ");
	CHECK(joined(difference.rules.changed) == "kept/a ");
	CHECK(joined(difference.rules.moved) == "kept/c ");
	CHECK(difference.rules.removed.empty());
	const auto same = policy::compare(from, from);
	CHECK(same.rules.changed.empty());
	CHECK_FALSE(same.default_changed);
}

TEST_CASE("rules that share an id are paired in their order")
{
	const auto difference = policy::compare(of_rules("{id: x, action: allow, match: {proto: tcp}},"
							 "{id: x, action: allow, match: {proto: udp}}"),
						of_rules("{id: x, action: allow, match: {proto: tcp}}"));
	CHECK(joined(difference.rules.removed) == "g/x ");
	CHECK(difference.rules.changed.empty());
}

TEST_CASE("a reordering that changes no verdict is equivalent, one that does names a packet")
{
	const auto ab = compiled(of_rules("{id: a, action: allow, match: {proto: tcp, dst_ports: [443]}},"
					  "{id: b, action: deny, match: {proto: udp}}"));
	const auto ba = compiled(of_rules("{id: b, action: deny, match: {proto: udp}},"
					  "{id: a, action: allow, match: {proto: tcp, dst_ports: [443]}}"));
	const auto same = policy::disagree(ab, ba, 10);
	CHECK(same.complete);
	CHECK(same.examples.empty());

	const auto shut =
		compiled(of_rules("{id: c, action: deny, match: {proto: tcp, dst_ports: ['400-443']}},"
				  "{id: a, action: allow, match: {proto: tcp, dst_ports: [443]}}"));
	const auto found = policy::disagree(ab, shut, 10);
	CHECK(found.complete);
	REQUIRE(found.examples.size() == 1);
	const policy::Query &query = found.examples[0].query;
	CHECK(query.protocol == 6);
	CHECK(query.destination_port == 443);
	CHECK(ab.rule_name(found.examples[0].from.group, found.examples[0].from.rule) == "a");
	CHECK(shut.rule_name(found.examples[0].to.group, found.examples[0].to.rule) == "c");
}

TEST_CASE("a difference that no packet can show is none: other protocols have no ports")
{
	const auto with = compiled(of_rules("{id: a, action: allow, match: {src_ports: [7]}},"
					    "{id: b, action: deny, match: {proto: tcp}},"
					    "{id: c, action: deny, match: {proto: udp}},"
					    "{id: d, action: deny, match: {proto: icmp, icmp_types: [8]}}"));
	const auto found = policy::disagree(with, compiled(of_rules("")), 10);
	CHECK(found.complete);
	for (const auto &example : found.examples) {
		CHECK(example.query.source_port == 7);
		CHECK((example.query.protocol == 6 || example.query.protocol == 17 ||
		       example.query.protocol == 1));
	}
	CHECK(found.examples.size() == 1); // one pair of decisions: a against the default
}

TEST_CASE("the limit on examples is kept and makes the answer incomplete")
{
	const auto open = compiled(of_rules("{id: a, action: allow, match: {proto: tcp}},"
					    "{id: b, action: allow, match: {proto: udp}}"));
	const auto found = policy::disagree(open, compiled(of_rules("")), 1);
	CHECK(found.examples.size() == 1);
	CHECK_FALSE(found.complete);
}

TEST_CASE("for random policies every example differs, and without one no random packet does")
{
	std::mt19937 random(4711);
	int equivalent_count = 0;
	for (int round = 0; round < 400; round++) {
		const auto from = compiled(random_policy(random));
		const auto to = compiled(random_policy(random));
		const auto found = policy::disagree(from, to, 100);
		REQUIRE(found.complete);
		for (const auto &example : found.examples) {
			CHECK(allows(from, example.query) != allows(to, example.query));
			CHECK(policy::walk(from, example.query).rule == example.from.rule);
			CHECK(policy::walk(to, example.query).rule == example.to.rule);
		}
		equivalent_count += found.examples.empty();
		for (int i = 0; i < 200 && found.examples.empty(); i++) {
			const policy::Query query = random_query(random);
			CHECK(allows(from, query) == allows(to, query));
		}
	}
	CHECK(equivalent_count > 5);
	CHECK(equivalent_count < 395);
}
