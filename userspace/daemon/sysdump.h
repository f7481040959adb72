// The archive for support (spec/http-api §8): files, commands, answers and records of this node, secrets
// redacted.
//
// Databases are never copied: the records stand in summary/records.json, redacted.
#pragma once

#include "base/result.h"
#include "daemon/run_command.h"
#include "state/state.h"

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace neuwerk::daemon {

inline constexpr std::size_t dump_file_limit_bytes = 1 << 20; // a longer file is cut
inline constexpr std::size_t dump_file_limit_count = 2000;    // of one directory tree
inline constexpr std::size_t dump_limit_bytes = 128 << 20; // before compression; then only the manifest grows
inline constexpr std::size_t dump_interface_limit_count = 64;

struct SysdumpParts {
	std::string root = "";                // in front of every path that is read; tests have their own
	std::vector<std::string> directories; // whole trees: state, http-tls where it lies elsewhere
	std::string config_path;
	const state::Store &store;
	std::int64_t now_ms; // Unix time
	std::string node_id;
	std::uint64_t finding_count;
	// What this node answers about itself: the path in the archive, and who says it.
	struct Answer {
		std::string archive_path;
		std::function<Result<std::string>()> ask;
	};
	std::vector<Answer> answers;
	std::function<CommandOutput(const std::vector<std::string> &words)> run;
};

// Bytes of a tar.gz. What cannot be read is named in summary/manifest.json and does not fail the dump.
[[nodiscard]] Result<std::string> sysdump(const SysdumpParts &parts);

} // namespace neuwerk::daemon
