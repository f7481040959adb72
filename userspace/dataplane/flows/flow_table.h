// The flow table as the poller sees it: finding, publishing and burying lines that XDP reads at the same
// time.
//
// Open addressing over `lines`: slots (hash + i) & mask for i < NW_FLOW_PROBE_LINES.
//   sequence 0     never used; ends every probe
//   odd            being written
//   even, DEAD     was in use; probes pass over it, `last_seen_ticks` is when it died
//   even           live
//
// Rules that keep a concurrent XDP reader right:
//  1. A slot is claimed by compare-and-swap of its sequence to odd; every word is then a release store.
//  2. A dead line is reused only when more than two ticks old. An XDP CPU that matched the line just before
//  it
//     died may still stamp XDP's words; it runs with preemption off, so it has finished long before.
//  3. A dead line becomes "never used" again only when more than two ticks old (rule 2) and when the slot
//     behind it was never used: every probe that passes it would end one slot later anyway, so no live line
//     becomes unreachable. Doing this backwards from the end of a run shortens the run.
//  4. A never-used slot starts at a sequence that this process has not used before, so a reader that slept
//     through death, rule 3 and reuse does not meet the number that it remembers.
// Rule 3 and publish() assume one thread that inserts; readers may be anywhere.
#pragma once

#include "abi/config.h"
#include "abi/flow.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace neuwerk::dataplane {

// Whole ticks from `then` to `now`, both modulo 2^16. A CPU whose clock is a little ahead gives 0.
[[nodiscard]] constexpr std::uint32_t ticks_between(std::uint16_t then, std::uint16_t now)
{
	const auto ticks = static_cast<std::uint16_t>(now - then);
	return ticks >= 0xffc0 ? 0 : ticks;
}

inline constexpr std::uint64_t tick_ns = std::uint64_t{1} << NW_TICK_SHIFT;
inline constexpr std::uint32_t dead_rest_ticks = 2; // rules 2 and 3: older than this

// One store into a line, as data: a publication is a list of them, and a crash cuts the list anywhere.
struct LineStore {
	std::uint8_t offset_bytes;
	std::uint8_t bytes; // 4 or 8
	std::uint64_t value;
};

struct LineStores {
	std::array<LineStore, 10> store{};
	std::uint8_t count = 0;
};

// From claim (the first store) to the even sequence (the last).
[[nodiscard]] LineStores stores_to_publish(const nw_flow_line &line, std::uint32_t odd_sequence);
[[nodiscard]] LineStores stores_to_bury(const nw_flow_line &line, std::uint32_t odd_sequence,
					std::uint64_t now_ns);
void apply(nw_flow_line &line, const LineStore &store);

class FlowTable {
public:
	// `lines` is config.flow_line_mask + 1 long and shared with XDP. `random` seeds rule 4.
	FlowTable(std::span<nw_flow_line> lines, const nw_config &config, std::uint32_t random);

	struct Found {
		std::uint32_t index;
		nw_flow_line line; // a stable copy; `traffic` is not filled
	};
	[[nodiscard]] std::optional<Found> find(const nw_tuple &tuple) const;

	// A stable copy of a live line, `traffic` included; empty for every other state. From any thread.
	[[nodiscard]] std::optional<nw_flow_line> read(std::uint32_t index) const;

	// Which slot the line's own packets would look in first.
	[[nodiscard]] nw_tuple tuple_of(const nw_flow_line &line) const;

	// Makes the line visible to XDP; its tuple must not be in the table. Empty: no free slot near its
	// hash.
	[[nodiscard]] std::optional<std::uint32_t> publish(const nw_flow_line &line, std::uint64_t now_ns);

	// Makes a live or half-written line dead. `now_ns` is CLOCK_MONOTONIC.
	void bury(std::uint32_t index, std::uint64_t now_ns);

	// Sends what the live line forwards elsewhere from now on.
	void set_next_hop(std::uint32_t index, std::uint16_t next_hop);

	[[nodiscard]] bool is_dead(std::uint32_t index) const;
	[[nodiscard]] bool is_half_written(std::uint32_t index) const;

	// Rule 3 for this line and the dead ones in front of it. Returns the line to go on with, when the run
	// was too long for one call.
	std::optional<std::uint32_t> reclaim(std::uint32_t index, std::uint64_t now_ns);

	[[nodiscard]] std::uint32_t size() const
	{
		return mask_ + 1;
	}

private:
	[[nodiscard]] bool is_reusable(std::uint32_t index, std::uint32_t sequence,
				       std::uint64_t now_ns) const;
	void write(std::uint32_t index, const LineStores &stores);

	std::span<nw_flow_line> lines_;
	const nw_config &config_;
	std::uint32_t mask_;
	std::uint32_t fresh_sequence_; // odd; rule 4
};

} // namespace neuwerk::dataplane
