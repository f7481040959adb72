// From groups and rules to one ordered list of entries.
//
// Order (spec/dataplane §2.2, §2.4):
//   1. a source that is neither in a group nor internal: dropped_external_source
//   2. a destination that is internal: dropped_east_west
//   3. each group by priority: its rules by priority, then its default_action if it has one
//   4. default_policy
#include "policy/entries.h"

#include "abi/verdict.h"
#include "path/packet.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace neuwerk::policy {

namespace {

constexpr std::uint32_t protocol_count = 256;
constexpr std::uint64_t units_per_interval = 16;

// Numbers the different sets of one field.
class Numbering {
public:
	Numbering(std::vector<Intervals> &sets, std::uint32_t max) : sets_(sets), full_{{0, max}}
	{
		number_of(full_);
	}

	std::uint32_t number_of(const Intervals &intervals)
	{
		const auto [at, is_new] =
			numbers_.try_emplace(intervals, static_cast<std::uint32_t>(sets_.size()));
		if (is_new)
			sets_.push_back(intervals);
		return at->second;
	}

	// An empty selector of the document constrains nothing.
	std::uint32_t number_of_selector(const Intervals &intervals)
	{
		return number_of(intervals.empty() ? full_ : intervals);
	}

private:
	std::vector<Intervals> &sets_;
	Intervals full_;
	std::map<Intervals, std::uint32_t> numbers_;
};

Intervals intervals_of(const std::vector<model::PortRange> &ports)
{
	Intervals out;
	for (const model::PortRange &range : ports)
		out.push_back({range.first, range.last});
	return merged(std::move(out));
}

Intervals octets_of(const std::vector<std::uint8_t> &octets)
{
	if (octets.empty())
		return {{0, 255}};
	Intervals out;
	for (const std::uint8_t octet : octets)
		out.push_back({octet, octet});
	return merged(std::move(out));
}

// ICMP as the service field shows it: protocol << 16 | type << 8 | code. It has no ports (§2.4: port 0).
void add_icmp_services(const model::Match &match, bool holds_port_0, Intervals &out)
{
	if (!holds_port_0)
		return;
	const std::uint32_t base = NW_PROTOCOL_ICMP << 16;
	const Intervals codes = octets_of(match.icmp_codes);
	for (const Interval &types : octets_of(match.icmp_types))
		for (std::uint32_t type = types.first; type <= types.last; type++)
			for (const Interval &code : codes)
				out.push_back({base | type << 8 | code.first, base | type << 8 | code.last});
}

Intervals services_of(const model::Match &match)
{
	const Intervals ports = intervals_of(match.destination_ports);
	const bool holds_port_0 = ports.empty() || ports[0].first == 0;
	const bool is_icmp_only = !match.icmp_types.empty() || !match.icmp_codes.empty();
	Intervals out;
	for (std::uint32_t protocol = 0; protocol < protocol_count; protocol++) {
		if (match.protocol && *match.protocol != protocol)
			continue;
		if (protocol == NW_PROTOCOL_ICMP) {
			add_icmp_services(match, holds_port_0, out);
			continue;
		}
		const std::uint32_t base = protocol << 16;
		const bool has_ports = protocol == NW_PROTOCOL_TCP || protocol == NW_PROTOCOL_UDP;
		if (is_icmp_only || (!has_ports && !holds_port_0))
			continue;
		if (!has_ports || ports.empty())
			out.push_back({base, base | 0xffff});
		else
			for (const Interval &range : ports)
				out.push_back({base | range.first, base | range.last});
	}
	return merged(std::move(out));
}

template <typename T>
std::vector<std::size_t> by_priority(const std::vector<T> &items)
{
	std::vector<std::size_t> order(items.size());
	std::iota(order.begin(), order.end(), std::size_t{0});
	std::stable_sort(order.begin(), order.end(),
			 [&](std::size_t a, std::size_t b) { return items[a].priority < items[b].priority; });
	return order;
}

nw_decision decide(model::Action action, model::Mode mode, nw_verdict deny, std::uint16_t group,
		   std::uint32_t rule)
{
	nw_decision decision{};
	const bool denies = action == model::Action::deny;
	const bool drops = denies && mode == model::Mode::enforce;
	decision.verdict = static_cast<std::uint8_t>(drops ? deny : NW_VERDICT_forwarded_in_xdp);
	decision.flags = denies ? NW_DECISION_RAW_DENY : 0;
	decision.group = group;
	decision.rule = rule;
	decision.audit_group = NW_NO_GROUP;
	decision.audit_rule = NW_NO_RULE;
	return decision;
}

class Flattener {
public:
	Flattener(const Surroundings &surroundings, Work &work) : surroundings_(surroundings), work_(work) {}

	Entries run(const model::Policy &policy)
	{
		add_direction(policy);
		for (const std::size_t group : by_priority(policy.source_groups))
			add_group(policy.source_groups[group], static_cast<std::uint16_t>(group));
		add(full_set, full_set, full_set, full_set,
		    decide(policy.default_policy, policy.default_mode, NW_VERDICT_denied_by_default,
			   NW_NO_GROUP, NW_NO_RULE));
		return std::move(out_);
	}

private:
	Entry &add(std::uint32_t source, std::uint32_t destination, std::uint32_t service,
		   std::uint32_t source_port, const nw_decision &decision)
	{
		out_.entries.push_back({{source, destination, service, source_port},
					decision,
					false,
					false,
					decision.group});
		return out_.entries.back();
	}

	std::uint32_t number(Numbering &field, const Intervals &set, std::uint16_t group)
	{
		work_.charge(group, set.size() * units_per_interval);
		return field.number_of(set);
	}

	// Neither pass of the evaluation sees a packet that these drop.
	void add_drop(std::uint32_t source, std::uint32_t destination, nw_verdict verdict)
	{
		nw_decision decision =
			decide(model::Action::deny, model::Mode::enforce, verdict, NW_NO_GROUP, NW_NO_RULE);
		decision.flags = 0;
		add(source, destination, full_set, full_set, decision).in_audit_pass = true;
	}

	void add_direction(const model::Policy &policy)
	{
		std::vector<model::Prefix> eligible = surroundings_.internal;
		for (const model::SourceGroup &group : policy.source_groups)
			eligible.insert(eligible.end(), group.sources.prefixes.begin(),
					group.sources.prefixes.end());
		const Intervals external =
			complement(policy::intervals_of(eligible), field_max[NW_FIELD_SOURCE]);
		if (!external.empty())
			add_drop(number(sources_, external, NW_NO_GROUP), full_set,
				 NW_VERDICT_dropped_external_source);
		const Intervals internal = policy::intervals_of(surroundings_.internal);
		if (!internal.empty())
			add_drop(full_set, number(destinations_, internal, NW_NO_GROUP),
				 NW_VERDICT_dropped_east_west);
	}

	void add_group(const model::SourceGroup &group, std::uint16_t index)
	{
		const Intervals members = policy::intervals_of(group.sources.prefixes);
		if (members.empty()) // only Kubernetes members, and none is known
			return;
		const std::uint32_t source = number(sources_, members, index);
		for (const std::size_t rule : by_priority(group.rules)) {
			if (work_.is_spent())
				return;
			if (selects_packets(group.rules[rule].match))
				add_rule(group.rules[rule], source, index, static_cast<std::uint32_t>(rule));
		}
		if (group.default_action)
			add(source, full_set, full_set, full_set,
			    decide(*group.default_action, group.mode, NW_VERDICT_denied_by_group, index,
				   NW_NO_RULE));
	}

	void add_rule(const model::Rule &rule, std::uint32_t source, std::uint16_t group, std::uint32_t index)
	{
		const Intervals services = services_of(rule.match);
		if (services.empty()) // contradicts itself, such as ICMP types with a port: matches nothing
			return;
		const Intervals destinations = policy::intervals_of(rule.match.destinations);
		const Intervals source_ports = intervals_of(rule.match.source_ports);
		work_.charge(group, (services.size() + destinations.size() + source_ports.size()) *
					    units_per_interval);
		Entry &entry =
			add(source, destinations_.number_of_selector(destinations),
			    services_.number_of(services), source_ports_.number_of_selector(source_ports),
			    decide(rule.action, rule.mode, NW_VERDICT_denied_by_rule, group, index));
		entry.in_audit_pass = rule.mode == model::Mode::audit;
		entry.audit_denies = entry.in_audit_pass && rule.action == model::Action::deny;
		out_.has_audit_rules |= entry.in_audit_pass;
	}

	const Surroundings &surroundings_;
	Work &work_;
	Entries out_;
	Numbering sources_{out_.sets[NW_FIELD_SOURCE], field_max[NW_FIELD_SOURCE]};
	Numbering destinations_{out_.sets[NW_FIELD_DESTINATION], field_max[NW_FIELD_DESTINATION]};
	Numbering services_{out_.sets[NW_FIELD_SERVICE], field_max[NW_FIELD_SERVICE]};
	Numbering source_ports_{out_.sets[NW_FIELD_SOURCE_PORT], field_max[NW_FIELD_SOURCE_PORT]};
};

} // namespace

void Work::charge(std::uint16_t group, std::uint64_t units)
{
	spent_ += units;
	if (group == NW_NO_GROUP)
		return;
	if (group >= by_group_.size())
		by_group_.resize(group + 1u);
	by_group_[group] += units;
}

std::uint16_t Work::busiest_group() const
{
	const auto busiest = std::max_element(by_group_.begin(), by_group_.end());
	return busiest == by_group_.end() ? NW_NO_GROUP
					  : static_cast<std::uint16_t>(busiest - by_group_.begin());
}

Entries flatten(const model::Policy &policy, const Surroundings &surroundings, Work &work)
{
	return Flattener(surroundings, work).run(policy);
}

} // namespace neuwerk::policy
