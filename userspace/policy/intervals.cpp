// Sets of field values as sorted intervals.
#include "policy/entries.h"

#include "base/address.h"

#include <algorithm>

namespace neuwerk::policy {

Intervals merged(Intervals intervals)
{
	std::sort(intervals.begin(), intervals.end());
	Intervals out;
	for (const Interval &next : intervals) {
		const bool touches =
			!out.empty() && (next.first <= out.back().last || next.first - 1 == out.back().last);
		if (touches)
			out.back().last = std::max(out.back().last, next.last);
		else
			out.push_back(next);
	}
	return out;
}

Intervals complement(const Intervals &intervals, std::uint32_t max)
{
	Intervals out;
	std::uint64_t next = 0;
	for (const Interval &interval : intervals) {
		if (interval.first > next)
			out.push_back({static_cast<std::uint32_t>(next), interval.first - 1});
		next = std::uint64_t{interval.last} + 1;
	}
	if (next <= max)
		out.push_back({static_cast<std::uint32_t>(next), max});
	return out;
}

Intervals intervals_of(const std::vector<model::Prefix> &prefixes)
{
	Intervals out;
	out.reserve(prefixes.size());
	for (const model::Prefix &prefix : prefixes) {
		const std::uint32_t mask = ipv4_mask(prefix.length);
		out.push_back({prefix.address & mask, prefix.address | ~mask});
	}
	return merged(std::move(out));
}

} // namespace neuwerk::policy
