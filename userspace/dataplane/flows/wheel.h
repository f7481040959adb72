// A hashed timing wheel over line indices: which lines are due for a look. Bounded, no allocation after
// start.
//
// One entry per line; the same entry serves a live line's next check and a dead line's reclamation. An entry
// may fire early (a due time beyond the horizon is cut to it), never before its due time otherwise.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>

namespace neuwerk::dataplane {

class Wheel {
public:
	static constexpr int slot_shift = 26;            // one slot is 2^26 ns, about 67 ms
	static constexpr std::uint32_t slot_count = 256; // horizon: about 17 s
	static constexpr std::uint64_t horizon_ns = std::uint64_t{slot_count - 1} << slot_shift;

	// For entries 0 to entry_count - 1; none is scheduled. Memory is touched only where entries are used.
	Wheel(std::uint32_t entry_count, std::uint64_t now_ns);

	// Replaces an earlier due time of the entry.
	void schedule(std::uint32_t entry, std::uint64_t due_ns);
	void cancel(std::uint32_t entry);

	// Takes one entry that is due off the wheel.
	[[nodiscard]] std::optional<std::uint32_t> take(std::uint64_t now_ns);

	// When take() can next succeed, at the earliest; empty: nothing is scheduled.
	[[nodiscard]] std::optional<std::uint64_t> next_due_ns() const;

private:
	struct Link {
		std::uint32_t next; // node numbers; 0: not on the wheel
		std::uint32_t previous;
	};
	struct Free {
		void operator()(Link *links) const
		{
			std::free(links);
		}
	};
	// Nodes: 1 to slot_count are the list heads, entry e is node slot_count + 1 + e.
	[[nodiscard]] static std::uint32_t head_of(std::uint64_t slot)
	{
		return 1 + static_cast<std::uint32_t>(slot % slot_count);
	}
	void unlink(std::uint32_t node);

	std::unique_ptr<Link[], Free> links_;
	std::uint64_t slot_; // the slot that take() looks at; everything before it is empty
};

} // namespace neuwerk::dataplane
