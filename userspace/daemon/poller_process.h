// The poller as a real process: spawned without our descriptors, in its own process group, found by its lock.
#pragma once

#include "daemon/config.h"
#include "daemon/supervise.h"

#include <string>
#include <vector>

namespace neuwerk::daemon {

class PollerProcess final : public Launcher {
public:
	// `command` is the program and its arguments; `lock` the file that it holds with flock while it
	// lives; `socket` the one that it serves.
	PollerProcess(std::vector<std::string> command, std::string lock, std::string socket);

	[[nodiscard]] Result<pid_t> launch() override;
	[[nodiscard]] std::optional<std::string> reap(pid_t pid) override;
	void signal(pid_t pid, int number) override;
	[[nodiscard]] bool lock_is_held() override;
	[[nodiscard]] std::optional<pid_t> holder() override;

private:
	std::vector<std::string> command_;
	std::string lock_;
	std::string socket_;
};

// The poller that the configuration describes.
[[nodiscard]] PollerProcess poller_of(const Config &config);

} // namespace neuwerk::daemon
