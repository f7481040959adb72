// What the poller remembers of a line beside the table: its partner, and totals that do not wrap.
//
// Written by the packet thread; readable from any thread, under a sequence as flow lines are.
#pragma once

#include "abi/flow.h"

#include <cstdint>
#include <cstdlib>
#include <memory>

namespace neuwerk::dataplane {

struct FlowTotals {
	std::uint64_t packets;
	std::uint64_t bytes; // whole frames
};

class FlowNotes {
public:
	explicit FlowNotes(std::uint32_t line_count);

	// A new life of the line: totals start at what its `traffic` says now.
	void begin(std::uint32_t index, std::uint32_t partner);
	void end(std::uint32_t index);
	[[nodiscard]] bool has_begun(std::uint32_t index) const;
	[[nodiscard]] std::uint32_t partner(std::uint32_t index) const;

	// Adds what `traffic` gained since the last harvest: right as long as it gained less than 2^28
	// packets and 2^36 bytes, which NW_TRAFFIC_BYTES_BITS explains.
	void harvest(std::uint32_t index, std::uint64_t traffic);
	[[nodiscard]] FlowTotals totals(std::uint32_t index, std::uint64_t traffic) const;

private:
	struct alignas(8) Note {
		std::uint32_t sequence; // 0: never used
		std::uint32_t partner;  // or no_partner
		std::uint64_t packets;
		std::uint64_t bytes;
		std::uint64_t harvested; // `traffic` at the last harvest
	};
	struct Free {
		void operator()(Note *notes) const
		{
			std::free(notes);
		}
	};
	void write(std::uint32_t index, const Note &note);

	std::unique_ptr<Note[], Free> notes_;
};

} // namespace neuwerk::dataplane
