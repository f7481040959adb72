// Records that are read, changed and written back as a whole, without losing anybody's update.
#pragma once

#include "base/result.h"
#include "state/state.h"

#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

namespace neuwerk::api {

// A writer that loses to others this many times in a row gives up with conflict.
inline constexpr int rewrite_attempt_limit_count = 64;

// From the value that stands (nullopt: no record) to the one that shall stand. An error ends the rewrite with
// nothing written. Called again whenever somebody else was faster.
using Change = std::function<Result<std::string>(const std::optional<std::string> &current)>;

[[nodiscard]] Result<> rewrite(state::Store &store, const std::string &key, const std::string &actor,
			       const Change &change);

// A record under one fixed key that many writers change, such as a list.
class Document {
public:
	Document(state::Store &store, std::string key);
	[[nodiscard]] Result<std::optional<std::string>> read() const;
	[[nodiscard]] Result<> change(const std::string &actor, const Change &change);

private:
	state::Store &store_;
	std::string key_;
	std::mutex turn_; // writers of this node queue here instead of losing to each other
};

// "record settings/x: damaged: <why>": what is stored is not what this program writes.
[[nodiscard]] Error damaged(std::string_view key, std::string_view why);

} // namespace neuwerk::api
