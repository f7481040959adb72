// First packets whose neighbour is being resolved: a few wait, so that a new client's first SYN or ping is
// not lost (spec/dataplane §2.12; RFC 1122 §2.3.2.2 asks for at least one).
#pragma once

#include "dataplane/poller/data_ports.h"

#include <cstdint>
#include <vector>

namespace neuwerk::dataplane {

class HeldFrames {
public:
	static constexpr std::size_t limit = 64, limit_per_hop = 3;
	static constexpr std::uint64_t patience_ns = 2'000'000'000;

	struct Held {
		Packet packet;
		std::uint64_t since_ns;
		std::uint16_t hop;
		std::uint8_t port; // where it came in
	};

	HeldFrames()
	{
		frames_.reserve(limit);
	}

	// False: there is no room for it.
	[[nodiscard]] bool hold(const Held &frame)
	{
		std::size_t same = 0;
		for (const Held &held : frames_)
			same += held.hop == frame.hop;
		if (frames_.size() == limit || same >= limit_per_hop)
			return false;
		frames_.push_back(frame);
		return true;
	}

	[[nodiscard]] bool is_empty() const
	{
		return frames_.empty();
	}
	[[nodiscard]] const Held &oldest() const
	{
		return frames_.front();
	}
	[[nodiscard]] Held take_oldest()
	{
		const Held oldest = frames_.front();
		frames_.erase(frames_.begin());
		return oldest;
	}
	[[nodiscard]] std::size_t count() const
	{
		return frames_.size();
	}

private:
	std::vector<Held> frames_; // oldest first
};

} // namespace neuwerk::dataplane
