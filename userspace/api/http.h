// One HTTP exchange as handlers see it: a request in, a response out; nothing of Beast.
#pragma once

#include "base/error_codes.h"
#include "base/result.h"
#include "identity/identity.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace neuwerk::api {

enum class Method { get, put, post, patch, erase };

// The answer of a handler whose body does not end: a server-sent event stream (spec §7).
class StreamSource {
public:
	virtual ~StreamSource() = default;
	// Whatever is ready, as bytes of the body; empty: nothing now. Called on the server's thread.
	[[nodiscard]] virtual std::string take() = 0;
	[[nodiscard]] virtual bool ended() const = 0;
	// The server asks to be woken (from any thread, cheaply) when take() has something or the end came.
	virtual void on_ready(std::function<void()> wake) = 0;
};

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Response {
	int status = 200;
	std::string body;
	std::string content_type = "application/json"; // ignored without a body
	Headers headers;                               // more of them; win over the house's own
	std::shared_ptr<StreamSource> stream;          // instead of a body
};

struct Request {
	Method method;
	std::string path;  // raw, as sent, without the query
	std::string query; // raw, without '?'
	Headers headers;
	std::string body;
	std::string peer; // address of the client; "local" on the Unix socket

	// The first header of that name; names are compared without case.
	[[nodiscard]] std::optional<std::string_view> header(std::string_view name) const;
};

// Names of header fields are compared without case (ASCII).
[[nodiscard]] bool equal_names(std::string_view a, std::string_view b);

// What a handler gets: the request and what the router found out about it.
struct Call {
	const Request &request;
	identity::Subject subject;           // empty sub on open routes
	std::vector<std::string> parameters; // of the path, percent-decoded, in order
	// Decoded values of a query key, in order of appearance (spec §5.8: repeated keys are OR).
	[[nodiscard]] std::vector<std::string> query_values(std::string_view key) const;
	[[nodiscard]] std::optional<std::string> query_value(std::string_view key) const; // the last one
};

// {"error": "<what>"} with the status of its kind.
[[nodiscard]] Response error_response(const Error &error);
[[nodiscard]] Response error_response(int status, std::string_view what);

// A log, a metric: called once per exchange, from any thread. `route` is the template ("/api/v1/…/{id}"),
// "/ui" for the fallback, "unmatched" for an unknown path of the API, "malformed" for what is no request.
struct Exchange {
	std::string_view method, route;
	int status;
	double seconds;
};
// outcome and reason of http_auth_total (spec §3.5).
struct AuthOutcome {
	std::string_view outcome, reason;
};

} // namespace neuwerk::api
