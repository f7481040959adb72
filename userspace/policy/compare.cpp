// What changed between two policies, by the names of groups and rules.
//
// Groups are paired by id, rules by id within their pair of groups; of several rules with one id the first is
// paired with the first. What was paired has moved when it is not part of the longest run that kept its
// order of evaluation: inserting a rule at the top moves nothing.
#include "policy/policy.h"

#include "base/text.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <utility>

namespace neuwerk::policy {

namespace {

constexpr std::size_t none = ~std::size_t{0};

template <typename T>
std::vector<std::size_t> by_priority(const std::vector<T> &items)
{
	std::vector<std::size_t> order(items.size());
	std::iota(order.begin(), order.end(), std::size_t{0});
	std::stable_sort(order.begin(), order.end(),
			 [&](std::size_t a, std::size_t b) { return items[a].priority < items[b].priority; });
	return order;
}

// For each item of `to`, in order of evaluation, its partner's place in `from`'s order of evaluation, or
// none.
template <typename T>
struct Pairing {
	std::vector<std::size_t> from_order, to_order; // indices of items
	std::vector<std::size_t> partner;              // by place in to_order; a place in from_order
	std::vector<bool> from_paired;                 // by place in from_order
};

template <typename T>
Pairing<T> pair_up(const std::vector<T> &from, const std::vector<T> &to)
{
	Pairing<T> pairing{by_priority(from), by_priority(to), {}, std::vector<bool>(from.size())};
	std::map<std::string_view, std::vector<std::size_t>> places; // last one first
	for (std::size_t place = from.size(); place-- > 0;)
		places[from[pairing.from_order[place]].id].push_back(place);
	for (const std::size_t index : pairing.to_order) {
		const auto known = places.find(to[index].id);
		if (known == places.end() || known->second.empty()) {
			pairing.partner.push_back(none);
			continue;
		}
		pairing.partner.push_back(known->second.back());
		pairing.from_paired[known->second.back()] = true;
		known->second.pop_back();
	}
	return pairing;
}

// Which places of `values` (none: not counted) are outside its longest increasing subsequence.
std::vector<std::size_t> out_of_order(const std::vector<std::size_t> &values)
{
	std::vector<std::size_t> tails; // places; the values there ascend
	std::vector<std::size_t> before(values.size(), none);
	for (std::size_t place = 0; place < values.size(); place++) {
		if (values[place] == none)
			continue;
		const auto at = std::ranges::lower_bound(tails, values[place], {},
							 [&](std::size_t p) { return values[p]; });
		if (at != tails.begin())
			before[place] = *std::prev(at);
		if (at == tails.end())
			tails.push_back(place);
		else
			*at = place;
	}
	std::vector<bool> kept(values.size());
	for (std::size_t place = tails.empty() ? none : tails.back(); place != none; place = before[place])
		kept[place] = true;
	std::vector<std::size_t> out;
	for (std::size_t place = 0; place < values.size(); place++)
		if (values[place] != none && !kept[place])
			out.push_back(place);
	return out;
}

// Equal but for the place, which is reported as moved.
bool same_but_for_place(model::Rule a, const model::Rule &b)
{
	a.priority = b.priority;
	return a == b;
}

// A group is compared without its rules, which are reported one by one.
bool same_but_for_place(const model::SourceGroup &a, const model::SourceGroup &b)
{
	return a.mode == b.mode && a.default_action == b.default_action &&
	       a.sources.prefixes == b.sources.prefixes && a.sources.kubernetes == b.sources.kubernetes;
}

template <typename T, typename Visit>
void compare_lists(const std::vector<T> &from, const std::vector<T> &to, const std::string &prefix,
		   Changes &out, const Visit &visit_pair)
{
	const Pairing<T> pairing = pair_up(from, to);
	for (std::size_t place = 0; place < to.size(); place++) {
		const T &now = to[pairing.to_order[place]];
		if (pairing.partner[place] == none) {
			out.added.push_back(prefix + now.id);
			visit_pair(nullptr, now);
			continue;
		}
		const T &then = from[pairing.from_order[pairing.partner[place]]];
		if (!same_but_for_place(then, now))
			out.changed.push_back(prefix + now.id);
		visit_pair(&then, now);
	}
	for (const std::size_t place : out_of_order(pairing.partner))
		out.moved.push_back(prefix + to[pairing.to_order[place]].id);
	for (std::size_t place = 0; place < from.size(); place++)
		if (!pairing.from_paired[place])
			out.removed.push_back(prefix + from[pairing.from_order[place]].id);
}

} // namespace

Difference compare(const model::Policy &from, const model::Policy &to)
{
	Difference difference{.groups = {},
			      .rules = {},
			      .default_changed = from.default_policy != to.default_policy ||
						 from.default_mode != to.default_mode};
	const auto ignore = [](const model::Rule *, const model::Rule &) {};
	compare_lists(from.source_groups, to.source_groups, "", difference.groups,
		      [&](const model::SourceGroup *then, const model::SourceGroup &now) {
			      if (then)
				      compare_lists(then->rules, now.rules, now.id + '/', difference.rules,
						    ignore);
		      });
	return difference;
}

} // namespace neuwerk::policy
