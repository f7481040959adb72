// How the compiler bears large policies, and how it refuses policies that explode.
#include "policy/policy.h"

#include "abi/verdict.h"
#include "base/text.h"

#include <doctest/doctest.h>

#include <ctime>

using namespace neuwerk;

namespace {

constexpr std::uint32_t client = 0x0a000002;
constexpr std::uint32_t servers = 0xc6336400; // 198.51.100.0

const policy::Surroundings surroundings{{{0x0a000000, 8}}};

model::Rule allow_tcp(std::uint32_t index, model::Match match)
{
	match.protocol = 6;
	return {text("rule-", index), index, model::Action::allow, model::Mode::enforce, std::move(match)};
}

model::SourceGroup group_of(std::string id, model::Prefix source, std::vector<model::Rule> rules)
{
	return {std::move(id), 0, model::Mode::enforce, {{source}, {}}, std::move(rules), std::nullopt};
}

model::Match to(std::uint32_t address, std::uint32_t port)
{
	model::Match match;
	match.destinations = {{address, 32}};
	match.destination_ports = {{static_cast<std::uint16_t>(port), static_cast<std::uint16_t>(port)}};
	return match;
}

nw_decision ask(const policy::CompiledPolicy &compiled, std::uint32_t source, std::uint32_t address,
		std::uint32_t port)
{
	return policy::walk(compiled, {source, address, 6, 40000, static_cast<std::uint16_t>(port), 0, 0});
}

// Prints what it took; what it may take is bounded by the compiler's own count of work, not by a clock.
Result<policy::CompiledPolicy> compile_timed(const model::Policy &policy, policy::Budget budget = {})
{
	const std::clock_t start = std::clock(); // this process only: others share the machine
	auto compiled = policy::compile(policy, surroundings, budget);
	const double taken = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
	if (compiled)
		MESSAGE(compiled->nodes().size(), " nodes, ", compiled->decisions().size(), " decisions, ",
			taken, " s");
	else
		MESSAGE(compiled.error().what, ", ", taken, " s");
	return compiled;
}

model::Policy different_addresses_and_ports(std::uint32_t count)
{
	std::vector<model::Rule> rules;
	for (std::uint32_t i = 0; i < count; i++)
		rules.push_back(allow_tcp(i, to(servers + i * 7, 1 + i % 65000)));
	return {model::Action::deny, {group_of("big", {0x0a000000, 24}, std::move(rules))}};
}

// Rules that each cover a random-looking box in three fields: a diagram needs a node per overlap.
std::vector<model::Rule> random_boxes(std::uint32_t count)
{
	std::vector<model::Rule> rules;
	std::uint32_t state = 1;
	const auto next = [&state](std::uint32_t below) {
		state = state * 1664525 + 1013904223;
		return (state >> 8) % below;
	};
	for (std::uint32_t i = 0; i < count; i++) {
		model::Match match;
		for (int k = 0; k < 8; k++)
			match.destinations.push_back({0xc0000000 + (next(1u << 16) << 8),
						      static_cast<std::uint8_t>(10 + next(15))});
		for (auto *ports : {&match.source_ports, &match.destination_ports}) {
			const std::uint32_t first = next(60000);
			ports->push_back({static_cast<std::uint16_t>(first),
					  static_cast<std::uint16_t>(first + next(5000))});
		}
		rules.push_back(allow_tcp(i, std::move(match)));
	}
	return rules;
}

} // namespace

TEST_CASE("17: with 1,000, 5,000 and 100,000 rules the last one still takes effect")
{
	for (const std::uint32_t count : {1000u, 5000u, 100000u}) {
		CAPTURE(count);
		const policy::Budget budget{1u << 19, 1u << 19};
		const auto compiled = compile_timed(different_addresses_and_ports(count), budget);
		REQUIRE(compiled);
		const std::uint32_t last = count - 1;
		const nw_decision decision = ask(*compiled, client, servers + last * 7, 1 + last % 65000);
		CHECK(decision.verdict == NW_VERDICT_forwarded_in_xdp);
		CHECK(decision.rule == last);
		CHECK(ask(*compiled, client, servers + last * 7, 65535).verdict ==
		      NW_VERDICT_denied_by_default);
		CHECK(ask(*compiled, client, servers + last * 7 + 1, 1).verdict ==
		      NW_VERDICT_denied_by_default);
	}
}

TEST_CASE("a thousand groups of five rules fit the default budget")
{
	model::Policy policy{model::Action::deny, {}};
	for (std::uint32_t g = 0; g < 1000; g++) {
		std::vector<model::Rule> rules;
		for (std::uint32_t i = 0; i < 5; i++)
			rules.push_back(allow_tcp(i, to(servers + g * 5 + i, 1000 + i)));
		policy.source_groups.push_back(
			group_of(text("group-", g), {0x0a000000 + g * 256, 24}, rules));
	}
	const auto compiled = compile_timed(policy);
	REQUIRE(compiled);
	const nw_decision decision = ask(*compiled, 0x0a000000 + 999 * 256 + 1, servers + 999 * 5 + 4, 1004);
	CHECK(decision.verdict == NW_VERDICT_forwarded_in_xdp);
	CHECK(compiled->group_name(decision.group) == "group-999");
	CHECK(compiled->rule_name(decision.group, decision.rule) == "rule-4");
}

TEST_CASE("rules for any destination among rules for one share their nodes")
{
	std::vector<model::Rule> rules;
	for (std::uint32_t i = 0; i < 5000; i++) {
		model::Match match = to(servers + i * 7, 1 + i);
		if (i % 2)
			match.destinations.clear();
		rules.push_back(allow_tcp(i, std::move(match)));
	}
	const auto compiled =
		compile_timed({model::Action::deny, {group_of("mixed", {0x0a000000, 24}, std::move(rules))}});
	REQUIRE(compiled);
	CHECK(ask(*compiled, client, servers + 7 * 4998, 4999).rule == 4998);
	CHECK(ask(*compiled, client, servers + 7 * 4998, 5000).rule == 4999);
	CHECK(ask(*compiled, client, servers + 7 * 4998, 4997).verdict == NW_VERDICT_denied_by_default);
}

TEST_CASE("rules that overlap in every field are refused by name, whatever the budget")
{
	const model::Policy policy{model::Action::deny,
				   {group_of("small", {0x0a010000, 24}, {}),
				    group_of("tangle", {0x0a000000, 24}, random_boxes(5000))}};
	const struct {
		policy::Budget budget;
		std::string_view reason;
	} rows[] = {{{}, "more than 131072 nodes"},
		    {{1u << 27, 1u << 27}, "more work than the compiler may do"}};
	for (const auto &row : rows) {
		const auto compiled = compile_timed(policy, row.budget);
		REQUIRE_FALSE(compiled);
		CHECK(compiled.error().kind == ErrorKind::resource_exhausted);
		CHECK(compiled.error().what.find("tangle") != std::string::npos);
		CHECK(compiled.error().what.find(row.reason) != std::string::npos);
	}
}

TEST_CASE("a budget of nodes or decisions is kept, and the refusal names the group")
{
	const model::Policy policy = different_addresses_and_ports(1000);
	for (const policy::Budget budget : {policy::Budget{100, 1u << 17}, policy::Budget{1u << 17, 100}}) {
		const auto compiled = policy::compile(policy, surroundings, budget);
		REQUIRE_FALSE(compiled);
		CHECK(compiled.error().kind == ErrorKind::resource_exhausted);
		CHECK(compiled.error().what.find("big") != std::string::npos);
	}
}

TEST_CASE("no path through the diagram is longer than the corridor follows")
{
	// The corridor's loop ends there; the compiler checks it, so this only shows how far away the limit
	// is.
	const auto compiled =
		policy::compile(different_addresses_and_ports(60000), surroundings, {1u << 19, 1u << 19});
	REQUIRE(compiled);
	CHECK(compiled->root() != 0);
}

TEST_CASE("more groups than an event can number are refused")
{
	model::Policy policy{model::Action::deny, {}};
	policy.source_groups.resize(NW_NO_GROUP, group_of("g", {0x0a000000, 24}, {}));
	const auto compiled = policy::compile(policy, surroundings, {});
	REQUIRE_FALSE(compiled);
	CHECK(compiled.error().kind == ErrorKind::resource_exhausted);
}
