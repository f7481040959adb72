// Asks the compiled policy about the packets of the document's own tests.
#include "policy/policy.h"

#include "abi/verdict.h"
#include "base/text.h"

namespace neuwerk::policy {

namespace {

constexpr std::string_view verdict_names[] = {
#define NW_VERDICT_NAME(name, fate, why) #name,
	NW_VERDICTS(NW_VERDICT_NAME)
#undef NW_VERDICT_NAME
};

std::string decided_by(const CompiledPolicy &compiled, const nw_decision &decision)
{
	const std::string_view group = compiled.group_name(decision.group);
	const std::string_view rule = compiled.rule_name(decision.group, decision.rule);
	return rule.empty() ? std::string(group) : text(group, '/', rule);
}

bool names_decider(const CompiledPolicy &compiled, const nw_decision &decision, const std::string &wanted)
{
	return wanted == compiled.rule_name(decision.group, decision.rule) ||
	       wanted == decided_by(compiled, decision);
}

} // namespace

std::vector<TestResult> run_tests(const model::Policy &policy, const CompiledPolicy &compiled)
{
	std::vector<TestResult> results;
	for (std::size_t i = 0; i < policy.tests.size(); i++) {
		const model::PolicyTest &test = policy.tests[i];
		const nw_decision decision = walk(compiled, {.source = test.source,
							     .destination = test.destination,
							     .protocol = test.protocol,
							     .source_port = test.source_port,
							     .destination_port = test.destination_port,
							     .icmp_type = test.icmp_type,
							     .icmp_code = test.icmp_code});
		const bool allowed = decision.verdict == NW_VERDICT_forwarded_in_xdp;
		const bool as_expected = allowed == (test.expect == model::Action::allow);
		const bool right_rule = !test.rule || names_decider(compiled, decision, *test.rule);
		const std::string_view verdict = allowed ? "allowed" : verdict_names[decision.verdict];
		std::string what = text(verdict, " by ", decided_by(compiled, decision));
		if (!as_expected)
			what = text("expected ", test.expect == model::Action::allow ? "allow" : "deny",
				    ", but it is ", what);
		else if (!right_rule)
			what = text("expected rule ", *test.rule, ", but it is ", what);
		results.push_back({.name = test.name.empty() ? text("tests[", i, ']') : test.name,
				   .passed = as_expected && right_rule,
				   .what = std::move(what),
				   .decision = decision});
	}
	return results;
}

} // namespace neuwerk::policy
