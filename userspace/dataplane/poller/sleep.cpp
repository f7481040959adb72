// Sleeping in ppoll with an eventfd to wake up by.
#include "dataplane/poller/sleep.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace neuwerk::dataplane {

Result<Sleep> Sleep::over(std::span<const int> fds)
{
	Sleep sleep;
	sleep.wake_ = Fd(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
	if (!sleep.wake_)
		return fail(ErrorKind::internal,
			    std::string("cannot make an eventfd: ") + std::strerror(errno));
	for (const int fd : fds)
		sleep.polled_.push_back({fd, POLLIN, 0});
	sleep.polled_.push_back({sleep.wake_.get(), POLLIN, 0});
	return sleep;
}

void Sleep::wait(std::optional<std::uint64_t> nanoseconds)
{
	timespec limit{};
	if (nanoseconds) {
		limit.tv_sec = static_cast<time_t>(*nanoseconds / 1'000'000'000);
		limit.tv_nsec = static_cast<long>(*nanoseconds % 1'000'000'000);
	}
	ppoll(polled_.data(), polled_.size(), nanoseconds ? &limit : nullptr, nullptr);
	std::uint64_t count = 0;
	if (polled_.back().revents & POLLIN)
		(void)!read(wake_.get(), &count, sizeof(count));
}

void Sleep::wake() const
{
	const std::uint64_t one = 1;
	(void)!write(wake_.get(), &one, sizeof(one));
}

} // namespace neuwerk::dataplane
