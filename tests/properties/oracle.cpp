// The linear oracle: evaluates groups and rules in order, as the specification writes it.
#include "properties/oracle.h"

#include "abi/verdict.h"

namespace neuwerk::properties {

namespace {

using policy::Query;

constexpr std::uint8_t protocol_icmp = 1;
constexpr std::uint8_t protocol_tcp = 6;
constexpr std::uint8_t protocol_udp = 17;

bool holds(const model::Prefix &prefix, std::uint32_t address)
{
	for (unsigned bit = 0; bit < prefix.length; bit++)
		if ((prefix.address ^ address) >> (31 - bit) & 1)
			return false;
	return true;
}

bool any_holds(const std::vector<model::Prefix> &prefixes, std::uint32_t address)
{
	for (const model::Prefix &prefix : prefixes)
		if (holds(prefix, address))
			return true;
	return false;
}

// An empty list is no constraint.
bool ports_match(const std::vector<model::PortRange> &ranges, std::uint16_t port)
{
	for (const model::PortRange &range : ranges)
		if (port >= range.first && port <= range.last)
			return true;
	return ranges.empty();
}

bool octets_match(const std::vector<std::uint8_t> &octets, std::uint8_t value)
{
	for (const std::uint8_t octet : octets)
		if (octet == value)
			return true;
	return octets.empty();
}

bool matches(const model::Match &match, const Query &query)
{
	const bool nothing_but_a_hostname = match.dns_hostname && match.destinations.empty() &&
					    !match.protocol && match.source_ports.empty() &&
					    match.destination_ports.empty() && match.icmp_types.empty() &&
					    match.icmp_codes.empty() && !match.tls;
	if (nothing_but_a_hostname)
		return false;
	if (!match.destinations.empty() && !any_holds(match.destinations, query.destination))
		return false;
	if (match.protocol && *match.protocol != query.protocol)
		return false;
	const bool has_ports = query.protocol == protocol_tcp || query.protocol == protocol_udp;
	const bool is_icmp = query.protocol == protocol_icmp;
	// ICMP: source port = identifier, destination port = 0. Other protocols have neither.
	if (!ports_match(match.source_ports, has_ports || is_icmp ? query.source_port : 0))
		return false;
	if (!ports_match(match.destination_ports, has_ports ? query.destination_port : 0))
		return false;
	if (match.icmp_types.empty() && match.icmp_codes.empty())
		return true;
	return is_icmp && octets_match(match.icmp_types, query.icmp_type) &&
	       octets_match(match.icmp_codes, query.icmp_code);
}

// Lower priority first; equal ones stay in document order. Insertion sort, to owe nothing to the compiler.
template <typename T>
std::vector<std::size_t> ordered(const std::vector<T> &items)
{
	std::vector<std::size_t> order;
	for (std::size_t i = 0; i < items.size(); i++) {
		std::size_t at = order.size();
		while (at > 0 && items[order[at - 1]].priority > items[i].priority)
			at--;
		order.insert(order.begin() + static_cast<std::ptrdiff_t>(at), i);
	}
	return order;
}

nw_decision decision_of(nw_verdict verdict)
{
	nw_decision decision{};
	decision.verdict = static_cast<std::uint8_t>(verdict);
	decision.group = NW_NO_GROUP;
	decision.rule = NW_NO_RULE;
	decision.audit_group = NW_NO_GROUP;
	decision.audit_rule = NW_NO_RULE;
	return decision;
}

nw_decision effective(model::Action action, bool is_audited, nw_verdict deny)
{
	if (action == model::Action::allow)
		return decision_of(NW_VERDICT_forwarded_in_xdp);
	nw_decision decision = decision_of(is_audited ? NW_VERDICT_forwarded_in_xdp : deny);
	decision.flags = NW_DECISION_RAW_DENY;
	return decision;
}

} // namespace

Oracle::Oracle(const model::Policy &policy, const policy::Surroundings &surroundings)
    : policy_(policy), surroundings_(surroundings)
{
	for (const std::size_t group : ordered(policy.source_groups))
		order_.push_back({group, ordered(policy.source_groups[group].rules)});
}

bool Oracle::is_internal(std::uint32_t address) const
{
	return any_holds(surroundings_.internal, address);
}

bool Oracle::is_eligible(std::uint32_t address) const
{
	for (const model::SourceGroup &group : policy_.source_groups)
		if (any_holds(group.sources.prefixes, address))
			return true;
	return is_internal(address);
}

void Oracle::find_audit_deny(const Query &query, nw_decision &decision) const
{
	for (const Group &entry : order_) {
		const model::SourceGroup &group = policy_.source_groups[entry.index];
		if (!any_holds(group.sources.prefixes, query.source))
			continue;
		for (const std::size_t index : entry.rules) {
			const model::Rule &rule = group.rules[index];
			if (rule.mode != model::Mode::audit || !matches(rule.match, query))
				continue;
			if (rule.action == model::Action::deny) {
				decision.flags |= NW_DECISION_AUDIT_DENY;
				decision.audit_group = static_cast<std::uint16_t>(entry.index);
				decision.audit_rule = static_cast<std::uint32_t>(index);
			}
			return;
		}
	}
}

nw_decision Oracle::judge(const Query &query) const
{
	if (!is_eligible(query.source))
		return decision_of(NW_VERDICT_dropped_external_source);
	if (is_internal(query.destination))
		return decision_of(NW_VERDICT_dropped_east_west);

	nw_decision decision = effective(policy_.default_policy, false, NW_VERDICT_denied_by_default);
	const auto decide = [&]() {
		for (const Group &entry : order_) {
			const model::SourceGroup &group = policy_.source_groups[entry.index];
			if (!any_holds(group.sources.prefixes, query.source))
				continue;
			for (const std::size_t index : entry.rules) {
				const model::Rule &rule = group.rules[index];
				if (!matches(rule.match, query))
					continue;
				decision = effective(rule.action, rule.mode == model::Mode::audit,
						     NW_VERDICT_denied_by_rule);
				decision.group = static_cast<std::uint16_t>(entry.index);
				decision.rule = static_cast<std::uint32_t>(index);
				return;
			}
			if (!group.default_action)
				continue;
			decision = effective(*group.default_action, group.mode == model::Mode::audit,
					     NW_VERDICT_denied_by_group);
			decision.group = static_cast<std::uint16_t>(entry.index);
			return;
		}
	};
	decide();
	find_audit_deny(query, decision);
	return decision;
}

} // namespace neuwerk::properties
