// The two hosts of a live test: namespaces from scripts/lib/topology.sh, and a raw socket on each host's
// wire.
#pragma once

#include "appliance.h"
#include "base/fd.h"
#include "base/result.h"

#include <chrono>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

namespace neuwerk::packets {

// Runs a bash script with topology.sh sourced. Fails with its output.
[[nodiscard]] Result<> run_shell(const std::string &script);

class Hosts {
public:
	[[nodiscard]] static Result<Hosts> up(const std::string &prefix, Form form);
	Hosts(Hosts &&) noexcept = default;
	Hosts &operator=(Hosts &&) = delete;
	~Hosts(); // removes the namespaces

	[[nodiscard]] Result<> send(Side side, const std::vector<std::uint8_t> &frame) const;
	// The next IPv4 frame that comes to this host's MAC; empty after the wait.
	[[nodiscard]] std::optional<std::vector<std::uint8_t>> receive(Side side,
								       std::chrono::milliseconds wait) const;

private:
	Hosts() = default;
	std::string prefix_;
	Fd wire_[2]; // by Side
};

// A child process in the appliance's namespace, ended with the object: TERM, then KILL.
class Process {
public:
	[[nodiscard]] static Result<Process> start(const std::string &network_namespace,
						   const std::vector<std::string> &command,
						   const std::string &log);
	Process(Process &&other) noexcept;
	Process &operator=(Process &&) = delete;
	~Process();
	[[nodiscard]] pid_t pid() const
	{
		return pid_;
	}
	[[nodiscard]] bool is_running();
	void kill_now(); // SIGKILL, and waits

private:
	explicit Process(pid_t pid) : pid_(pid) {}
	pid_t pid_;
};

// Calls `done` every few milliseconds until it is true or the time is over; whether it was.
template <typename Done>
bool eventually(Done done, std::chrono::milliseconds limit)
{
	const auto end = std::chrono::steady_clock::now() + limit;
	while (!done()) {
		if (std::chrono::steady_clock::now() > end)
			return false;
		timespec pause{0, 2'000'000};
		nanosleep(&pause, nullptr);
	}
	return true;
}

} // namespace neuwerk::packets
