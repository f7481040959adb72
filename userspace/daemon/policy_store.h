// A copy of the enforced policy on disk: <state>/policy.json, replaced as a whole or not at all.
//
// A start enforces it before the records can be read. The order of a replacement:
//   1. stage    write policy.json.new, fsync          may fail (full disk): nothing changed
//   2. commit   rename over policy.json, fsync dir    the moment of truth; a crash before it keeps the old
//   one
// When 2 fails, `restore` puts the previous document back.
#pragma once

#include "base/files.h"

#include <optional>
#include <string>
#include <string_view>

namespace neuwerk::daemon {

class PolicyStore {
public:
	PolicyStore(Files &files, std::string directory);

	// nullopt: no policy was ever applied here.
	[[nodiscard]] Result<std::optional<std::string>> load();

	// Steps 1 and 2. On an error the document that `load` gives is the one from before, or the message
	// says that it could not be put back.
	[[nodiscard]] Result<> replace(std::string_view document);

	// Undoes the last replace().
	[[nodiscard]] Result<> restore();

	[[nodiscard]] const std::string &path() const
	{
		return path_;
	}

private:
	[[nodiscard]] Result<> write(std::string_view document);

	Files &files_;
	std::string directory_;
	std::string path_;
	std::optional<std::string> current_;
	std::optional<std::string> previous_;
};

} // namespace neuwerk::daemon
