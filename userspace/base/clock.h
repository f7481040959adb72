// Time as a parameter: whoever needs a clock is given one, so that tests never sleep.
#pragma once

#include <chrono>

namespace neuwerk {

using Instant = std::chrono::steady_clock::time_point;
using Duration = std::chrono::steady_clock::duration;

class Clock {
public:
	virtual ~Clock() = default;
	[[nodiscard]] virtual Instant now() const = 0; // CLOCK_MONOTONIC
};

class SystemClock final : public Clock {
public:
	[[nodiscard]] Instant now() const override
	{
		return std::chrono::steady_clock::now();
	}
};

// For tests: stands still until it is told to move.
class ManualClock final : public Clock {
public:
	[[nodiscard]] Instant now() const override
	{
		return now_;
	}
	void advance(Duration by)
	{
		now_ += by;
	}

private:
	Instant now_{};
};

} // namespace neuwerk
