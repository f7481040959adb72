// Finds the token in the header fields of a request (spec/http-api §3.1).
#pragma once

#include "identity/identity.h"

namespace neuwerk::identity {

// The bearer token, or else that of the cookie; a view into `credentials`. Fails with unauthenticated.
[[nodiscard]] Result<std::string_view> presented_token(const Credentials &credentials);

// An error of load_keyset(): the key set is missing or does not parse.
[[nodiscard]] bool is_about_keyset(const Error &error);

} // namespace neuwerk::identity
