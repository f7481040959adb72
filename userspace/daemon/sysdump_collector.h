// Gathers entries of the archive and the manifest that says what became of each.
#pragma once

#include "daemon/archive.h"
#include "daemon/sysdump.h"

#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::daemon {

class SysdumpCollector {
public:
	explicit SysdumpCollector(const SysdumpParts &parts) : parts_(parts) {}

	// At its own path, without the leading slash. Absent: only the manifest says so.
	void file(const std::string &path);
	void tree(const std::string &directory);
	void command(const std::string &archive_path, const std::vector<std::string> &words);
	void answer(const SysdumpParts::Answer &answer);
	void summary(std::string_view name, std::string json);

	// With summary/manifest.json as the last entry.
	[[nodiscard]] Result<std::string> finish();

private:
	struct Line { // of the manifest
		std::string_view kind;
		std::string source, archive_path;
		std::string_view status;
		std::string note;
	};
	void add(Line line, std::string content);
	void tree_entry(const std::string &path);

	const SysdumpParts &parts_;
	std::vector<ArchiveEntry> entries_;
	std::vector<Line> manifest_;
	std::size_t bytes_ = 0;
};

} // namespace neuwerk::daemon
