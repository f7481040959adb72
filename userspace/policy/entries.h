// A policy as one ordered list: the first entry whose four sets hold the packet decides (spec/dataplane
// §2.4).
#pragma once

#include "abi/policy.h"
#include "policy/policy.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace neuwerk::policy {

// Largest value of each field, by enum nw_field.
inline constexpr std::array<std::uint32_t, NW_FIELD_COUNT> field_max = {0xffffffff, 0xffffffff, 0x00ffffff,
									0xffff};

struct Interval {
	std::uint32_t first;
	std::uint32_t last; // inclusive

	auto operator<=>(const Interval &) const = default;
};

// Ascending, disjoint, not adjacent.
using Intervals = std::vector<Interval>;

[[nodiscard]] Intervals merged(Intervals intervals);
[[nodiscard]] Intervals complement(const Intervals &intervals, std::uint32_t max);
[[nodiscard]] Intervals intervals_of(const std::vector<model::Prefix> &prefixes);

inline constexpr std::uint32_t full_set = 0; // the index of the set that holds every value of its field

struct Entry {
	std::array<std::uint32_t, NW_FIELD_COUNT> set; // indices into Entries::sets of that field
	nw_decision decision;                          // without the audit part
	// Whether the audit-only second pass stops here, and what it then finds.
	bool in_audit_pass;
	bool audit_denies;
	std::uint16_t group; // document order; NW_NO_GROUP for what stands around the groups

	// Whether nothing from this field on can keep a packet from matching.
	[[nodiscard]] bool is_free_from(std::size_t field) const
	{
		while (field < set.size())
			if (set[field++] != full_set)
				return false;
		return true;
	}
};

struct Entries {
	std::vector<Entry> entries;
	std::array<std::vector<Intervals>, NW_FIELD_COUNT> sets;
	bool has_audit_rules = false;
};

// Work that the compiler may do, in units of about 5 ns; a stored 8 bytes costs 16. Bounds time and memory
// against documents that are made to explode. Charged to groups, so that the error can name one.
class Work {
public:
	static constexpr std::uint64_t limit = 1u << 29;

	void charge(std::uint16_t group, std::uint64_t units);
	[[nodiscard]] bool is_spent() const
	{
		return spent_ > limit;
	}
	[[nodiscard]] std::uint16_t busiest_group() const;

private:
	std::uint64_t spent_ = 0;
	std::vector<std::uint64_t> by_group_;
};

// Flattens groups and rules into evaluation order. Stops early when the work is spent.
[[nodiscard]] Entries flatten(const model::Policy &policy, const Surroundings &surroundings, Work &work);

} // namespace neuwerk::policy
