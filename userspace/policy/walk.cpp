// One packet through a compiled policy, step by step as the corridor does it.
#include "policy/compile.h"

#include "path/decide.h"

namespace neuwerk::policy {

CompiledPolicy::CompiledPolicy(std::shared_ptr<const Tables> tables) : tables_(std::move(tables)) {}

std::span<const nw_policy_node> CompiledPolicy::nodes() const
{
	return tables_->nodes;
}

std::span<const nw_decision> CompiledPolicy::decisions() const
{
	return tables_->decisions;
}

std::uint32_t CompiledPolicy::root() const
{
	return tables_->root;
}

std::string_view CompiledPolicy::group_name(std::uint16_t group) const
{
	return group < tables_->groups.size() ? std::string_view(tables_->groups[group].name) : "default";
}

std::string_view CompiledPolicy::rule_name(std::uint16_t group, std::uint32_t rule) const
{
	if (group >= tables_->groups.size() || rule >= tables_->groups[group].rules.size())
		return {};
	return tables_->groups[group].rules[rule];
}

nw_decision walk(const CompiledPolicy &policy, const Query &query)
{
	nw_tuple tuple{};
	tuple.source.word_be[3] = NW_BE32(query.source);
	tuple.destination.word_be[3] = NW_BE32(query.destination);
	tuple.protocol = query.protocol;
	const bool has_ports = query.protocol == NW_PROTOCOL_TCP || query.protocol == NW_PROTOCOL_UDP;
	if (has_ports || query.protocol == NW_PROTOCOL_ICMP)
		tuple.source_port_be = NW_BE16(query.source_port);
	if (has_ports)
		tuple.destination_port_be = NW_BE16(query.destination_port);
	std::uint32_t values[NW_FIELD_COUNT];
	nw_decide_fields(&tuple, query.icmp_type, query.icmp_code, values);

	std::uint32_t ref = policy.root();
	while (NW_REF_FIELD(ref) != NW_FIELD_DECISION)
		ref = nw_decide_step(&policy.nodes()[NW_REF_INDEX(ref)], NW_REF_FIELD(ref), values);
	return policy.decisions()[NW_REF_INDEX(ref)];
}

} // namespace neuwerk::policy
