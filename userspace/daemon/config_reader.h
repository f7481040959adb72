// One mapping of a YAML file, read key by key; what was not asked for is an unknown key.
//
// A reader remembers the first thing that is wrong and ignores the rest, so that the caller reads like a
// table and checks once at the end.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::daemon {

class ConfigReader {
public:
	// Fails with invalid_argument when the text is not one YAML mapping; an empty file is an empty
	// mapping.
	[[nodiscard]] static Result<ConfigReader> parse(std::string_view yaml);

	// Each returns whether the key is there; `out` keeps its default when it is not, or when it is null.
	bool number(std::string_view key, std::uint32_t &out, std::uint32_t min, std::uint32_t max);
	bool boolean(std::string_view key, bool &out);
	bool string(std::string_view key, std::string &out);

	// A scalar that `read` turns into a value; its error is reported with the key path and the line.
	using Read = std::function<Result<>(const std::string &)>;
	bool scalar(std::string_view key, const Read &read);
	// A scalar, or a list of at most `limit` scalars.
	bool scalars(std::string_view key, std::size_t limit, const Read &read);

	using ReadSection = std::function<void(ConfigReader &)>;
	bool section(std::string_view key, const ReadSection &read);
	// A list of at most `limit` mappings.
	bool sections(std::string_view key, std::size_t limit, const ReadSection &read);

	[[nodiscard]] bool is_section(std::string_view key) const;
	[[nodiscard]] bool has(std::string_view key) const;

	// Reports a fault of `key` that involves more than its own text. An empty key: this section itself.
	void refuse(std::string_view key, std::string_view what);

	// The first fault of this section and of those below it; closes the section, so unknown keys count.
	[[nodiscard]] Result<> finish();

	ConfigReader(ConfigReader &&) noexcept;
	~ConfigReader();

private:
	struct Node;
	explicit ConfigReader(std::unique_ptr<Node> node);
	std::unique_ptr<Node> node_;
};

} // namespace neuwerk::daemon
