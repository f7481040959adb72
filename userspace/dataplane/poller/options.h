// The command line of neuwerk-dataplane. Everything else comes from the pinned config map.
#pragma once

#include "base/log.h"

#include <optional>
#include <string>

namespace neuwerk::dataplane {

struct Options {
	std::string bpffs = "/sys/fs/bpf/neuwerk"; // directory of the pinned maps
	std::string run = "/run/neuwerk";          // lock, socket, DPDK's own files
	int core = -1;                             // the packet thread's; -1: wherever the kernel puts it
	log::Level log_level = log::Level::info;
};

// Empty: the process shall end with `exit_code`; help or a complaint is printed.
[[nodiscard]] std::optional<Options> parse_options(int argc, char **argv, int &exit_code);

} // namespace neuwerk::dataplane
