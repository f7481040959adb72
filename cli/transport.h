// One HTTP exchange with an appliance, whatever carries it: the local Unix socket or HTTPS.
#pragma once

#include "base/result.h"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace neuwerk::cli {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
	std::string method = "GET";
	std::string path; // with the query, escaped
	std::string body = {};
	std::string content_type = {}; // with a body
	Headers headers = {};
	std::chrono::seconds patience{10}; // until the whole answer is there; not for streams
	int accept_status = 0;             // an answer too, besides 200 to 299
};

struct Response {
	int status = 0;
	Headers headers; // names in lower case
	std::string body;

	[[nodiscard]] std::string header(std::string_view name) const; // the first; empty when there is none
	[[nodiscard]] std::vector<std::string> all(std::string_view name) const;
};

class Transport {
public:
	static constexpr std::size_t answer_limit_bytes = 256 << 20;
	// Event streams carry a comment every 15 s: one that is silent for so long is dead.
	static constexpr int silence_limit_s = 60;
	static constexpr int connect_patience_s = 10;

	virtual ~Transport() = default;

	// An answer with any status is an answer; errors are about the way to it: no socket, no connection,
	// an untrusted certificate, no answer in time. They name the peer.
	[[nodiscard]] virtual Result<Response> exchange(const Request &request) = 0;

	// An answer with status 200 is handed over piece by piece until `take` returns false; any other
	// status comes back with its body. `opened` is called once, before the first piece.
	[[nodiscard]] virtual Result<Response> stream(const Request &request,
						      const std::function<void()> &opened,
						      const std::function<bool(std::string_view)> &take) = 0;
};

// Where an appliance is found. Either a socket or a server.
struct Target {
	std::string socket;
	std::string server; // "https://10.0.0.1:8443"
	std::string token;
	std::string ca; // PEM file, trusted besides the system's
};

struct TransportOptions {
	Target target;
	std::function<void(std::string_view line)> debug; // headers, secrets redacted; empty: nobody asks
	// Called about once a second while an exchange waits, and with 0 at its end when it was called
	// before.
	std::function<void(std::chrono::seconds waited)> progress;
};

[[nodiscard]] std::unique_ptr<Transport> curl_transport(TransportOptions options);

} // namespace neuwerk::cli
