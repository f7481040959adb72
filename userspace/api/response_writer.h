// Responses → bytes, with the headers that every response has (spec/http-api §2.4).
#pragma once

#include "api/http.h"

#include <string>
#include <string_view>

namespace neuwerk::api {

// What of a response depends on its request.
struct Framing {
	bool keep_alive = true;
	bool is_head = false;   // the method is HEAD: no body, the same header
	bool is_http10 = false; // knows no chunks
	std::string_view path;  // raw
};

// Status line and header. The body, where there is one, follows as it stands; a stream's in chunks.
[[nodiscard]] std::string write_head(const Response &response, const Framing &framing);

[[nodiscard]] bool has_body(const Response &response, const Framing &framing);

// A part of a stream, as one chunk (RFC 9112 §7.1); to HTTP/1.0 as it stands.
[[nodiscard]] std::string write_chunk(std::string_view bytes, const Framing &framing);
[[nodiscard]] std::string_view last_chunk(const Framing &framing);

} // namespace neuwerk::api
