// What the API asks about the policy.
#include "daemon/appliance.h"

#include "base/address.h"
#include "base/text.h"
#include "identity/identity.h"
#include "neuwerk/v1/control.pb.h"
#include "proto/message_json.h"

#include <boost/json.hpp>

#include <utility>

namespace neuwerk::daemon {

namespace json = boost::json;

namespace {

Result<> check_number(const char *what, std::uint32_t value, std::uint32_t max)
{
	if (value > max)
		return fail(ErrorKind::invalid_argument, text(what, ": ", value, " is above ", max));
	return {};
}

bool looks_like_a_name(const std::string &words)
{
	return words.find_first_not_of("0123456789./") != std::string::npos;
}

Result<dataplane::Question> question_of(const v1::ExplainRequest &request)
{
	const auto source = parse_ipv4(request.source());
	if (!source)
		return fail(ErrorKind::invalid_argument, "source: " + source.error().what);
	if (looks_like_a_name(request.destination()))
		return fail(ErrorKind::invalid_argument,
			    text("destination: '", request.destination(),
				 "' is a name: names are not enforced yet, ask about one of its addresses"));
	const auto destination = parse_ipv4(request.destination());
	if (!destination)
		return fail(ErrorKind::invalid_argument, "destination: " + destination.error().what);
	const auto protocol = parse_protocol(request.protocol());
	if (!protocol)
		return fail(ErrorKind::invalid_argument, "protocol: " + protocol.error().what);
	for (const auto &checked : {check_number("source_port", request.source_port(), 65535),
				    check_number("destination_port", request.destination_port(), 65535),
				    check_number("icmp_type", request.icmp_type(), 255),
				    check_number("icmp_code", request.icmp_code(), 255)})
		if (!checked)
			return tl::unexpected(checked.error());
	return dataplane::Question{.source = *source,
				   .destination = *destination,
				   .protocol = *protocol,
				   .source_port = static_cast<std::uint16_t>(request.source_port()),
				   .destination_port = static_cast<std::uint16_t>(request.destination_port()),
				   .icmp_type = static_cast<std::uint8_t>(request.icmp_type()),
				   .icmp_code = static_cast<std::uint8_t>(request.icmp_code())};
}

std::string answer_of(const NamedExplanation &named)
{
	const nw_verdict verdict = named.explanation.verdict;
	const std::string_view fate = verdict_fate(verdict);
	v1::ExplainReply reply;
	reply.set_verdict(std::string(verdict_name(verdict)));
	reply.set_why(std::string(verdict_why(verdict)));
	reply.set_allowed(fate == "forward" || fate == "slow");
	reply.set_generation(named.explanation.generation);
	reply.set_revision(named.revision);
	reply.set_group(named.group);
	reply.set_rule(named.rule);
	if (reply.allowed() && named.explanation.decided &&
	    (named.explanation.decision.flags & NW_DECISION_RAW_DENY))
		reply.set_mode("audited");
	reply.set_audit(named.audit);
	return v1::to_json(reply);
}

json::array array_of(const std::vector<std::string> &names)
{
	return json::array(names.begin(), names.end());
}

json::object object_of(const policy::Changes &changes)
{
	return {{"added", array_of(changes.added)},
		{"removed", array_of(changes.removed)},
		{"changed", array_of(changes.changed)},
		{"moved", array_of(changes.moved)}};
}

json::object object_of(const policy::CompiledPolicy &policy, const nw_decision &decision)
{
	return {{"allowed", decision.verdict == NW_VERDICT_forwarded_in_xdp},
		{"verdict", decision.verdict == NW_VERDICT_forwarded_in_xdp
				    ? std::string_view("allowed")
				    : verdict_name(static_cast<nw_verdict>(decision.verdict))},
		{"group", policy.group_name(decision.group)},
		{"rule", policy.rule_name(decision.group, decision.rule)}};
}

json::object object_of(const policy::Query &query)
{
	return {{"source", format_ipv4(query.source)},
		{"destination", format_ipv4(query.destination)},
		{"protocol", format_protocol(query.protocol)},
		{"source_port", query.source_port},
		{"destination_port", query.destination_port},
		{"icmp_type", query.icmp_type},
		{"icmp_code", query.icmp_code}};
}

json::value time_of(const std::optional<std::int64_t> &unix_ms)
{
	return unix_ms ? json::value(identity::format_time(*unix_ms)) : json::value();
}

} // namespace

Result<PolicyRecord> NodeAppliance::policy()
{
	auto state = parts_.book.read();
	if (!state)
		return tl::unexpected(state.error());
	return std::move(state->record);
}

Result<PolicyWritten> NodeAppliance::write_policy(const PolicyWrite &write)
{
	return parts_.node.write(write);
}

Result<PolicyReview> NodeAppliance::validate_policy(const std::string &document, bool is_yaml)
{
	return parts_.node.validate(document, is_yaml ? policy::Syntax::yaml : policy::Syntax::json);
}

Result<std::vector<PolicyRecord>> NodeAppliance::policy_history()
{
	return parts_.book.history();
}

Result<PolicyRecord> NodeAppliance::policy_at(std::uint64_t revision)
{
	return parts_.book.at(revision);
}

Result<PolicyWritten> NodeAppliance::roll_back_policy(std::uint64_t revision, const std::string &author,
						      const std::string &message)
{
	return parts_.node.roll_back(revision, author, message);
}

Result<> NodeAppliance::confirm_policy(const std::string &author)
{
	return parts_.node.confirm(author);
}

Result<> NodeAppliance::reset_policy(const std::string &id, const std::string &author)
{
	return parts_.node.reset(id, author);
}

std::string NodeAppliance::policy_status()
{
	const auto status = parts_.node.policy_status();
	if (!status)
		return json::serialize(json::object{{"error", status.error().what}});
	json::object out{
		{"revision", status->revision},
		{"generation", status->generation},
		{"enforced_revision", status->enforced_revision},
		{"enforced_since", time_of(status->enforced_since_ms)},
		{"pending", nullptr},
		{"confirm", nullptr},
		{"last_error", status->last_error.empty() ? json::value() : json::value(status->last_error)}};
	if (const auto &pending = status->pending)
		out["pending"] = {{"revision", pending->revision},
				  {"since", time_of(pending->since_ms)},
				  {"attempts", pending->attempt_count},
				  {"last_error", pending->last_error}};
	if (const auto &confirmation = status->confirmation)
		out["confirm"] = {{"revision", confirmation->revision},
				  {"previous_revision", confirmation->previous_revision},
				  {"deadline", time_of(confirmation->deadline_ms)}};
	return json::serialize(out);
}

Result<std::string> NodeAppliance::explain(const std::string &question)
{
	v1::ExplainRequest request;
	if (!v1::from_json(question, request))
		return fail(ErrorKind::invalid_argument, "invalid json: not a question: source, destination, "
							 "protocol and ports of a packet");
	const auto asked = question_of(request);
	if (!asked)
		return tl::unexpected(asked.error());
	const auto named = parts_.node.explain(*asked);
	if (!named)
		return tl::unexpected(named.error());
	return answer_of(*named);
}

Result<std::string> NodeAppliance::diff_policies(const std::string &from, const std::string &to)
{
	const auto then = parts_.node.judge(from);
	if (!then)
		return fail(then.error().kind, "from: " + then.error().what);
	const auto now = parts_.node.judge(to);
	if (!now)
		return fail(now.error().kind, "to: " + now.error().what);
	const auto difference = policy::compare(then->policy, now->policy);
	const auto disagreement = policy::disagree(then->compiled, now->compiled, diff_example_limit_count);
	json::array examples;
	for (const auto &example : disagreement.examples)
		examples.push_back(json::object{{"packet", object_of(example.query)},
						{"from", object_of(then->compiled, example.from)},
						{"to", object_of(now->compiled, example.to)}});
	return json::serialize(json::object{
		{"equivalent", disagreement.complete && disagreement.examples.empty()},
		{"complete", disagreement.complete},
		{"default_policy_changed", difference.default_changed},
		{"groups", object_of(difference.groups)},
		{"rules", object_of(difference.rules)},
		{"examples", std::move(examples)},
	});
}

Result<std::string> NodeAppliance::test_policy(const std::string &document)
{
	const auto judged = parts_.node.judge(document);
	if (!judged)
		return tl::unexpected(judged.error());
	json::array tests;
	bool all_passed = true;
	for (const policy::TestResult &result : policy::run_tests(judged->policy, judged->compiled)) {
		all_passed &= result.passed;
		json::object test = object_of(judged->compiled, result.decision);
		test["name"] = result.name;
		test["passed"] = result.passed;
		test["detail"] = result.what;
		tests.push_back(std::move(test));
	}
	return json::serialize(json::object{{"passed", all_passed}, {"tests", std::move(tests)}});
}

} // namespace neuwerk::daemon
