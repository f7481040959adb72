// How the packet thread sleeps when there is nothing to do: in poll() on everything that can wake it.
#pragma once

#include "base/fd.h"
#include "base/result.h"

#include <poll.h>

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace neuwerk::dataplane {

class Sleep {
public:
	// `fds` wake it when they are readable.
	[[nodiscard]] static Result<Sleep> over(std::span<const int> fds);

	// Until one of them is readable, wake() is called, or `nanoseconds` are over (empty: no limit).
	void wait(std::optional<std::uint64_t> nanoseconds);

	// From any thread, and from a signal handler.
	void wake() const;

private:
	std::vector<pollfd> polled_;
	Fd wake_;
};

} // namespace neuwerk::dataplane
