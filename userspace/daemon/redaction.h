// What may leave the node in an archive for support, and what stands there instead of the rest.
//
// The default is no: a record's value is shown only under keys that are known to be harmless, and even there
// members whose name speaks of a secret are replaced.
#pragma once

#include "state/state.h"

#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::daemon {

inline constexpr std::string_view redacted = "<redacted>";

// Whether a file of this name holds secrets, or records that may hold some, as a whole: keys, tokens,
// databases.
[[nodiscard]] bool is_secret_file(std::string_view name);

// Text without PEM private keys, JSON Web Tokens, bearer tokens and values of keys such as "password:".
[[nodiscard]] std::string scrubbed(std::string_view text);

// Records as a JSON array of {key, revision, changed_index, value_bytes, value}.
[[nodiscard]] std::string redacted_listing(const std::vector<state::Record> &records);

} // namespace neuwerk::daemon
