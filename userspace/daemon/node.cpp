// What the doors may ask of this node: gathered on the control thread, answered on the caller's.
#include "daemon/node.h"

#include "base/error_codes.h"
#include "base/text.h"
#include "daemon/metrics.h"

#include <algorithm>
#include <utility>

namespace neuwerk::daemon {

namespace {

struct VerdictRow {
	std::string_view name;
	std::string_view fate;
	std::string_view why;
};
constexpr VerdictRow verdict_rows[] = {
#define NW_VERDICT_ROW(name, fate, why) {#name, #fate, why},
	NW_VERDICTS(NW_VERDICT_ROW)
#undef NW_VERDICT_ROW
};

constexpr std::string_view forgotten = "(an earlier policy)";

std::vector<std::string> without_xdp(const Facts &facts)
{
	std::vector<std::string> names;
	for (const PortFacts &port : facts)
		if (!port.has_xdp)
			names.push_back(port.interface);
	return names;
}

HttpReply error_reply(const Error &error)
{
	return {codes_of(error.kind).http_status, "application/json", R"({"error":"unavailable"})"};
}

} // namespace

std::string_view verdict_name(nw_verdict verdict)
{
	return verdict < NW_VERDICT_COUNT ? verdict_rows[verdict].name : "unknown";
}

std::string_view verdict_fate(nw_verdict verdict)
{
	return verdict < NW_VERDICT_COUNT ? verdict_rows[verdict].fate : "drop";
}

std::string_view verdict_why(nw_verdict verdict)
{
	return verdict < NW_VERDICT_COUNT ? verdict_rows[verdict].why : "";
}

Node::Node(Parts parts) : parts_(std::move(parts)) {}

Result<NodeStatus> Node::status()
{
	// The poller and the kernel are asked here, so that a slow answer never holds up the control thread.
	Result<v1::StatusReply> poller = parts_.poller.status();
	const auto facts = parts_.read_facts();
	if (!facts)
		return tl::unexpected(facts.error());
	return parts_.loop.call([&]() -> Result<NodeStatus> {
		const Config &config = parts_.control.config();
		NodeStatus status{.policy = parts_.control.status(),
				  .generation = parts_.enforcer.generation(),
				  .policy_source = parts_.control.policy_source(),
				  .snat = describe_snat(config.dataplane, *facts),
				  .checks = {},
				  .ports = {},
				  .poller = std::move(poller)};
		status.checks = checks_of({.poller_error = status.poller ? "" : status.poller.error().what,
					   .missing = missing_of(config.dataplane, *facts),
					   .policy_ready = parts_.control.policy_ready(),
					   .generation = status.generation,
					   .draining = draining_,
					   .detached = without_xdp(*facts),
					   .flow_lines_used = parts_.enforcer.live_flow_lines(),
					   .flow_lines = config.dataplane.sizes.flow_lines});
		for (std::size_t i = 0; i < facts->size(); i++)
			status.ports.push_back({(*facts)[i].interface,
						std::string(side_name(config.dataplane.ports[i].side)),
						(*facts)[i].mtu});
		return status;
	});
}

Result<Counts> Node::counts()
{
	return parts_.loop.call([&]() -> Result<Counts> {
		return Counts{parts_.enforcer.xdp_verdicts(), parts_.enforcer.poller_verdicts()};
	});
}

Result<NamedExplanation> Node::explain(const dataplane::Question &question)
{
	const auto explanation = parts_.loop.call([&] { return parts_.enforcer.explain(question); });
	if (!explanation)
		return tl::unexpected(explanation.error());
	NamedExplanation named{*explanation, {}, {}, {}};
	named.revision = parts_.generations.origin(explanation->generation).revision;
	if (!explanation->decided)
		return named;
	const nw_decision &decision = explanation->decision;
	const auto policy = parts_.generations.find(explanation->generation);
	if (!policy) {
		named.group = forgotten;
		return named;
	}
	named.group = policy->group_name(decision.group);
	named.rule = policy->rule_name(decision.group, decision.rule);
	if (decision.flags & NW_DECISION_AUDIT_DENY)
		named.audit = text(policy->group_name(decision.audit_group), '/',
				   policy->rule_name(decision.audit_group, decision.audit_rule));
	return named;
}

Result<PolicyReview> Node::validate(const std::string &document, policy::Syntax syntax)
{
	return parts_.loop.call([&] { return parts_.control.validate(document, syntax); });
}

Result<PolicyWritten> Node::counted(Result<PolicyWritten> written)
{
	written ? applies_ok_++ : applies_failed_++;
	return written;
}

Result<PolicyWritten> Node::write(const PolicyWrite &write)
{
	return counted(parts_.loop.call([&] { return parts_.control.write(write); }));
}

Result<PolicyWritten> Node::roll_back(std::uint64_t revision, const std::string &author,
				      const std::string &message)
{
	return counted(parts_.loop.call([&] { return parts_.control.roll_back(revision, author, message); }));
}

Result<> Node::confirm(const std::string &author)
{
	return parts_.loop.call([&] { return parts_.control.confirm(author); });
}

Result<> Node::reset(const std::string &id, const std::string &author)
{
	return parts_.loop.call([&] { return parts_.control.reset(id, author); });
}

Result<PolicyStatus> Node::policy_status()
{
	return parts_.loop.call([&]() -> Result<PolicyStatus> { return parts_.control.status(); });
}

Result<Node::Judged> Node::judge(const std::string &document)
{
	auto policy = policy::parse(document, policy::syntax_of(document));
	if (!policy)
		return tl::unexpected(policy.error());
	if (const auto enforceable = policy::enforceable(*policy); !enforceable)
		return tl::unexpected(enforceable.error());
	auto compiled = parts_.loop.call([&] { return parts_.control.compile(*policy); });
	if (!compiled)
		return tl::unexpected(compiled.error());
	return Judged{std::move(*policy), std::move(*compiled)};
}

void Node::on_event(const v1::Event &event)
{
	if (event.kind() == "flow_started")
		flows_opened_++;
	else if (event.kind() == "flow_ended")
		flows_closed_++;
}

HttpReply Node::answer_http(const std::string &path)
{
	if (path == "/health")
		return {200, "application/json", R"({"status":"ok"})"};
	if (path == "/metrics")
		return metrics();
	if (path != "/ready")
		return {404, "application/json", R"({"error":"not found"})"};
	const auto now = status();
	if (!now)
		return error_reply(now.error());
	return {is_ready(now->checks) ? 200 : 503, "application/json", to_json(now->checks)};
}

HttpReply Node::metrics()
{
	const auto now = status();
	if (!now)
		return error_reply(now.error());
	auto numbers = parts_.loop.call([&]() -> Result<Numbers> {
		return Numbers{.xdp = parts_.enforcer.xdp_verdicts(),
			       .poller = parts_.enforcer.poller_verdicts(),
			       .generation = now->generation,
			       .flow_lines = parts_.control.config().dataplane.sizes.flow_lines,
			       .flow_lines_used = parts_.enforcer.live_flow_lines(),
			       .poller_numbers = std::nullopt,
			       .poller_restarts = parts_.poller_restarts(),
			       .policy_applies_ok = applies_ok_,
			       .policy_applies_failed = applies_failed_,
			       .ready = is_ready(now->checks)};
	});
	if (!numbers)
		return error_reply(numbers.error());
	if (now->poller)
		numbers->poller_numbers = {.active_flows = now->poller->active_flows(),
					   .ring_drops = now->poller->ring_drops(),
					   .events_lost = now->poller->events_lost(),
					   .unresolved_next_hops = now->poller->unresolved_next_hops(),
					   .translated_flows = snat_use(*now->poller).translated_flows,
					   .nat_port_utilization = snat_use(*now->poller).utilization};
	if (parts_.add_numbers)
		parts_.add_numbers(*numbers);
	return {200, metrics_content_type, metrics_text(*numbers)};
}

SnatUse snat_use(const v1::StatusReply &poller)
{
	SnatUse use;
	for (const v1::SnatPool &pool : poller.snat_pools()) {
		use.translated_flows += pool.flows();
		if (pool.ports_per_remote() > 0)
			use.utilization = std::max(use.utilization, static_cast<double>(pool.flows()) /
									    pool.ports_per_remote());
	}
	use.utilization = std::min(use.utilization, 1.0);
	return use;
}

void name_event(v1::Event &event, const Generations &generations)
{
	const auto group = static_cast<std::uint16_t>(event.group());
	const auto policy = generations.find(event.generation());
	if (!policy) {
		event.set_group_name(event.generation() == 0 ? std::string() : std::string(forgotten));
		return;
	}
	event.set_group_name(std::string(policy->group_name(group)));
	event.set_rule_name(std::string(policy->rule_name(group, event.rule())));
}

} // namespace neuwerk::daemon
