// A small HTTP/1.1 server for /health, /ready and /metrics: GET and HEAD, on loopback, without
// authentication.
#pragma once

#include "base/address.h"
#include "base/result.h"

#include <functional>
#include <memory>
#include <string>

namespace neuwerk::daemon {

struct HttpReply {
	int status = 200;
	std::string content_type = "application/json";
	std::string body;
};

class HttpServer {
public:
	// Answers one path, without its query. Called on the server's own thread.
	using Handler = std::function<HttpReply(const std::string &path)>;

	// Fails with "metrics bind 127.0.0.1:8080: Address already in use". Port 0 takes any free port.
	[[nodiscard]] static Result<HttpServer> start(Endpoint endpoint, Handler handler);

	[[nodiscard]] std::uint16_t port() const;

	HttpServer(HttpServer &&) noexcept;
	~HttpServer(); // closes every connection and joins the thread

	static constexpr std::size_t connection_limit_count = 64; // more are closed at once
	static constexpr int idle_timeout_s = 15;

private:
	struct State;
	explicit HttpServer(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

} // namespace neuwerk::daemon
