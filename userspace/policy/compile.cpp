// Compiles a policy: an ordered first match becomes a decision diagram (abi/policy.h).
//
// Field by field, from the list of entries that still can match: sweep over the boundaries of their sets; in
// each slice the list shrinks to the entries that hold it, and ends behind the first that nothing can keep
// from matching any more. Equal lists are compiled once per field. What a list means, and so what the diagram
// decides, is exactly what evaluation in order would decide.
#include "policy/compile.h"

#include "base/text.h"
#include "policy/bitmap.h"
#include "policy/diagram.h"
#include "policy/document.h"
#include "policy/entries.h"

#include <algorithm>
#include <numeric>
#include <unordered_map>
#include <utility>

namespace neuwerk::policy {

namespace {

using List = std::vector<std::uint32_t>; // indices of entries, ascending

struct ListHash {
	std::size_t operator()(const List &list) const
	{
		return std::hash<std::string_view>{}(
			{reinterpret_cast<const char *>(list.data()), list.size() * sizeof list[0]});
	}
};

constexpr std::uint64_t units_per_stored_index = 8;
constexpr std::uint64_t units_per_node = 64;

// At `key`, `count` entries from `position` of the list on begin or cease to hold the value.
struct Event {
	std::uint32_t key;
	std::uint32_t position;
	std::uint32_t count;
	bool begins;
};

class Builder {
public:
	Builder(const Entries &entries, Diagram &diagram, Work &work)
	    : all_(entries), diagram_(diagram), work_(work)
	{
	}

	std::uint32_t run()
	{
		List everything(all_.entries.size());
		std::iota(everything.begin(), everything.end(), 0u);
		Bitmap held(everything.size());
		held.assign(0, everything.size(), true);
		List narrowed;
		narrow(0, everything, held, narrowed);
		return build(0, narrowed);
	}

	[[nodiscard]] bool is_stopped() const
	{
		return work_.is_spent() || !diagram_.problem().empty();
	}

private:
	std::uint32_t build(std::size_t field, const List &list);
	std::uint32_t build_slices(std::size_t field, const List &list, std::uint16_t group);
	[[nodiscard]] std::vector<Event> events_of(std::size_t field, const List &list, Bitmap &held) const;
	void narrow(std::size_t next_field, const List &list, const Bitmap &held, List &out) const;
	[[nodiscard]] nw_decision decide(const List &list) const;
	[[nodiscard]] std::uint32_t outcome_of(std::uint32_t index);
	[[nodiscard]] std::uint16_t main_group(const List &list) const;

	const Entries &all_;
	Diagram &diagram_;
	Work &work_;
	// What each list has become, by the field that it was compiled for.
	std::array<std::unordered_map<List, std::uint32_t, ListHash>, NW_FIELD_COUNT> done_;
	// The same for the list of one entry, which is by far the most frequent; 0: not yet (a decision is
	// never 0).
	std::vector<std::uint32_t> alone_ = std::vector<std::uint32_t>(all_.entries.size());
};

std::uint32_t Builder::build(std::size_t field, const List &list)
{
	if (is_stopped())
		return 0;
	if (list.size() == 1) // it matches for certain, whatever is left to ask
		return outcome_of(list.front());
	if (field == NW_FIELD_COUNT)
		return diagram_.add_decision(decide(list));
	const auto known = done_[field].find(list);
	if (known != done_[field].end())
		return known->second;
	const std::uint16_t group = main_group(list);
	work_.charge(group, list.size() * units_per_stored_index);
	const bool asks = std::any_of(list.begin(), list.end(), [&](std::uint32_t index) {
		return all_.entries[index].set[field] != full_set;
	});
	const std::uint32_t ref = asks ? build_slices(field, list, group) : build(field + 1, list);
	done_[field].emplace(list, ref);
	return ref;
}

std::uint32_t Builder::build_slices(std::size_t field, const List &list, std::uint16_t group)
{
	Bitmap held(list.size());
	const std::vector<Event> events = events_of(field, list, held);
	work_.charge(group, events.size() * 4);
	std::vector<Slice> slices;
	slices.reserve(events.size() + 1);
	List narrowed;
	std::uint32_t key = 0;
	for (auto event = events.begin();;) {
		for (; event != events.end() && event->key == key; ++event)
			held.assign(event->position, event->count, event->begins);
		narrow(field + 1, list, held, narrowed);
		work_.charge(group, narrowed.size() + 1);
		slices.push_back({key, build(field + 1, narrowed)});
		if (event == events.end() || is_stopped())
			break;
		key = event->key;
	}
	work_.charge(group, slices.size() / NW_NODE_SLICES * units_per_node);
	return is_stopped() ? 0 : diagram_.add_field(static_cast<nw_field>(field), std::move(slices));
}

// Neighbours in the list with the same set (the rules of one group have one source) share their events.
std::vector<Event> Builder::events_of(std::size_t field, const List &list, Bitmap &held) const
{
	std::vector<Event> events;
	for (std::uint32_t start = 0, end; start < list.size(); start = end) {
		const std::uint32_t set = all_.entries[list[start]].set[field];
		end = start + 1;
		while (end < list.size() && all_.entries[list[end]].set[field] == set)
			end++;
		if (set == full_set) {
			held.assign(start, end - start, true);
			continue;
		}
		for (const Interval &interval : all_.sets[field][set]) {
			events.push_back({interval.first, start, end - start, true});
			if (interval.last < field_max[field])
				events.push_back({interval.last + 1, start, end - start, false});
		}
	}
	std::sort(events.begin(), events.end(), [](const Event &a, const Event &b) { return a.key < b.key; });
	return events;
}

// The entries that still count: up to the first that matches for certain; behind it only audit rules, which
// the second pass looks for, up to the first of those that matches for certain.
void Builder::narrow(std::size_t next_field, const List &list, const Bitmap &held, List &out) const
{
	out.clear();
	bool decided = false;
	bool audited = !all_.has_audit_rules;
	std::size_t first_pass_size = 0;
	for (std::size_t at = held.next(0); at != Bitmap::none && !(decided && audited);
	     at = held.next(at + 1)) {
		const Entry &entry = all_.entries[list[at]];
		const bool is_certain = entry.is_free_from(next_field);
		const bool is_wanted = !decided || (entry.in_audit_pass && !audited);
		if (is_wanted)
			out.push_back(list[at]);
		if (!decided) {
			decided = is_certain;
			first_pass_size = out.size();
		}
		if (entry.in_audit_pass)
			audited |= is_certain;
	}
	// An audit rule that allows, with nothing behind it, changes nothing.
	while (out.size() > first_pass_size && !all_.entries[out.back()].audit_denies)
		out.pop_back();
}

// At the end each entry of the list matches for certain: the one that decides, and perhaps one for the second
// pass.
nw_decision Builder::decide(const List &list) const
{
	nw_decision decision = all_.entries[list.front()].decision;
	const Entry &last = all_.entries[list.back()];
	if (last.audit_denies) {
		decision.flags |= NW_DECISION_AUDIT_DENY;
		decision.audit_group = last.decision.group;
		decision.audit_rule = last.decision.rule;
	}
	return decision;
}

std::uint32_t Builder::outcome_of(std::uint32_t index)
{
	if (alone_[index] == 0)
		alone_[index] = diagram_.add_decision(decide({index}));
	return alone_[index];
}

// The group with the longest run of entries: the one to name when this list is too much.
std::uint16_t Builder::main_group(const List &list) const
{
	std::uint16_t longest = NW_NO_GROUP;
	std::size_t longest_run = 0;
	for (std::size_t start = 0, end; start < list.size(); start = end) {
		const std::uint16_t group = all_.entries[list[start]].group;
		end = start + 1;
		while (end < list.size() && all_.entries[list[end]].group == group)
			end++;
		if (end - start > longest_run && group != NW_NO_GROUP) {
			longest = group;
			longest_run = end - start;
		}
	}
	return longest;
}

Result<> check_compilable(const model::Policy &policy)
{
	for (const model::SourceGroup &group : policy.source_groups) {
		if (!group.sources.kubernetes.empty())
			return fail(
				ErrorKind::invalid_argument,
				text("group ", quoted(group.id), ": kubernetes sources cannot be compiled"));
		for (const model::Rule &rule : group.rules)
			if (rule.match.tls || (rule.strict_dns_binding && selects_packets(rule.match)))
				return fail(ErrorKind::invalid_argument,
					    text("group ", quoted(group.id), ", rule ", quoted(rule.id),
						 ": tls and strict dns_hostname cannot be compiled"));
	}
	return {};
}

std::shared_ptr<CompiledPolicy::Tables> named_tables(const model::Policy &policy)
{
	auto tables = std::make_shared<CompiledPolicy::Tables>();
	for (const model::SourceGroup &group : policy.source_groups) {
		tables->groups.push_back({group.id, {}});
		for (const model::Rule &rule : group.rules)
			tables->groups.back().rules.push_back(rule.id);
	}
	return tables;
}

} // namespace

Result<CompiledPolicy> compile(const model::Policy &policy, const Surroundings &surroundings, Budget budget)
{
	if (const auto compilable = check_compilable(policy); !compilable)
		return tl::unexpected(compilable.error());
	if (policy.source_groups.size() >= NW_NO_GROUP)
		return fail(ErrorKind::resource_exhausted,
			    text("the policy has ", policy.source_groups.size(), " groups: the limit is ",
				 NW_NO_GROUP - 1));
	Work work;
	const Entries entries = flatten(policy, surroundings, work);
	Diagram diagram(budget);
	Builder builder(entries, diagram, work);
	const std::uint32_t root = work.is_spent() ? 0 : builder.run();
	if (builder.is_stopped()) {
		const std::uint16_t group = work.busiest_group();
		return fail(ErrorKind::resource_exhausted,
			    text("the policy does not fit: group ",
				 quoted(group == NW_NO_GROUP ? "" : policy.source_groups[group].id),
				 ": it needs ",
				 diagram.problem().empty() ? "more work than the compiler may do"
							   : diagram.problem(),
				 ": its rules overlap in too many ways"));
	}
	auto tables = named_tables(policy);
	tables->nodes = diagram.take_nodes();
	tables->decisions = diagram.take_decisions();
	tables->root = root;
	return CompiledPolicy(std::move(tables));
}

} // namespace neuwerk::policy
