// A tar.gz in memory.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::daemon {

struct ArchiveEntry {
	std::string path; // relative, '/' between parts
	std::string content;
};

// POSIX ustar with pax headers where needed, mode 0600, owned by root; `time_s` is Unix time.
[[nodiscard]] Result<std::string> tar_gz(const std::vector<ArchiveEntry> &entries, std::int64_t time_s);

// The other direction, for tests and for merging archives of several nodes. Fails with corrupt.
[[nodiscard]] Result<std::vector<ArchiveEntry>> read_tar_gz(std::string_view archive);

} // namespace neuwerk::daemon
