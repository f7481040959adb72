// Finds the token in the header fields of a request (spec/http-api §3.1).
#pragma once

#include "identity/identity.h"

namespace neuwerk::identity {

// The bearer token, or else that of the cookie; a view into `credentials`. Fails with unauthenticated.
[[nodiscard]] Result<std::string_view> presented_token(const Credentials &credentials);

} // namespace neuwerk::identity
