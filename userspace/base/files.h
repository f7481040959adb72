// The few file operations that durable state needs, behind an interface so that tests can break each of them.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace neuwerk {

class Files {
public:
	virtual ~Files() = default;

	// Fails with not_found when there is no such file, otherwise with the system's own words.
	[[nodiscard]] virtual Result<std::string> read(const std::string &path) = 0;

	// Creates or truncates (mode 0600), writes everything and calls fsync. A full disk is
	// resource_exhausted.
	[[nodiscard]] virtual Result<> write_synced(const std::string &path, std::string_view content) = 0;

	[[nodiscard]] virtual Result<> rename(const std::string &from, const std::string &to) = 0;
	[[nodiscard]] virtual Result<> remove(const std::string &path) = 0; // absent: fine

	// A rename or a removal is durable only after this.
	[[nodiscard]] virtual Result<> sync_directory(const std::string &path) = 0;
};

class SystemFiles final : public Files {
public:
	[[nodiscard]] Result<std::string> read(const std::string &path) override;
	[[nodiscard]] Result<> write_synced(const std::string &path, std::string_view content) override;
	[[nodiscard]] Result<> rename(const std::string &from, const std::string &to) override;
	[[nodiscard]] Result<> remove(const std::string &path) override;
	[[nodiscard]] Result<> sync_directory(const std::string &path) override;
};

// errno as an error: "open: /etc/x: Permission denied". ENOENT, EACCES and ENOSPC have kinds of their own.
[[nodiscard]] Error system_error(std::string_view what, std::string_view object, int error_number);

// Creates `path` and its parents (mode 0755) where they are missing.
[[nodiscard]] Result<> make_directories(const std::string &path);

} // namespace neuwerk
