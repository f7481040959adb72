// What the API asks of other servers over HTTP, and how addresses of other servers are written.
#pragma once

#include "base/result.h"

#include <string>
#include <string_view>

namespace neuwerk::api {

struct Url {
	std::string scheme; // lower-case
	std::string host;   // lower-case, without the brackets of IPv6; empty: the URL names none
};

// An absolute URL. Fails with invalid_argument and the reason alone ("relative URL without a scheme").
[[nodiscard]] Result<Url> parse_url(std::string_view text);

// https, or http to this machine itself: localhost, 127.0.0.0/8 or ::1.
[[nodiscard]] bool is_safe_to_call(const Url &url);

// GET without following redirects. The status of the answer, or unavailable with the transport's reason; the
// body is thrown away.
[[nodiscard]] Result<int> status_of_get(const std::string &url, long limit_ms);

} // namespace neuwerk::api
