// Runs a diagnostic command and takes what it says, within bounds.
#pragma once

#include "base/clock.h"

#include <cstddef>
#include <string>
#include <vector>

namespace neuwerk::daemon {

struct CommandOutput {
	bool started = false;
	int exit_status = -1; // -1: killed, or not started
	bool timed_out = false;
	std::string output; // standard output and error as they came, at most the limit
	std::string error;  // why it did not start
};

struct CommandLimits {
	Duration patience = std::chrono::seconds(5); // then it is killed
	std::size_t output_bytes = 1 << 20;          // more is thrown away
};

// `words` is the program, looked up in PATH, and its arguments; its input is empty.
[[nodiscard]] CommandOutput run_command(const std::vector<std::string> &words,
					const CommandLimits &limits = {});

} // namespace neuwerk::daemon
