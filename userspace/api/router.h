// From a request to the route that answers it, or to the refusal (spec/http-api §2.1, §3.1).
//
//   raw path ─► route ─► who are you (401) ─► may you (403) ─► which method (405) ─► parameters (400)
#pragma once

#include "api/api.h"

#include <array>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::api {

// A request line and header, as the router judges them: before the body is read.
struct Head {
	Request request;              // without its body
	std::optional<Method> method; // nullopt: none that a route may have; HEAD is get
	std::string method_name;      // as sent, "HEAD"
	bool is_local = false;        // came by the Unix socket
};

struct RouterOptions {
	Authenticate authenticate;
	std::size_t body_limit_bytes = ServerLimits{}.body_bytes;
	std::size_t policy_body_limit_bytes = ServerLimits{}.policy_body_bytes;
	std::function<void(const AuthOutcome &)> on_auth;
};

// Safe from every thread: nothing changes after construction.
class Router {
public:
	Router(Routes routes, RouterOptions options);

	struct Path; // all routes of one template
	struct Match {
		const Path *path = nullptr;               // nullptr: none has this path
		const Route *route = nullptr;             // nullptr: none has this method
		std::vector<std::string_view> parameters; // raw
	};
	// Costs under a microsecond and asks nobody.
	[[nodiscard]] Match match(const Head &head) const;

	struct Decision {
		const Route *route = nullptr;    // called when there is no refusal
		std::string_view name;           // for Exchange::route
		std::optional<Response> refusal; // the answer, whatever the body says
		identity::Subject subject;
		std::vector<std::string> parameters; // decoded
		std::size_t body_limit_bytes;
	};
	// May read the store (the key set is looked up for every request).
	[[nodiscard]] Decision decide(const Match &match, const Head &head) const;

	// Calls the route. What a handler throws is a bug of ours: 500, and a line in the log.
	[[nodiscard]] static Response handle(const Decision &decision, const Request &request);

	// False where decide() and handle() may block.
	[[nodiscard]] static bool is_quick(const Match &match);

	~Router();

private:
	[[nodiscard]] std::optional<Response> refuse(const Match &match, const Head &head,
						     Decision &decision) const;
	[[nodiscard]] std::optional<Response> authorise(const Match &match, const Head &head,
							identity::Subject &subject) const;
	void report(std::string_view outcome, std::string_view reason) const;

	Routes routes_;
	RouterOptions options_;
	std::vector<std::vector<Path>> paths_; // by number of segments; literals before parameters
};

// What answers where no route does: the page of the UI (spec §2.1, §2.5).
[[nodiscard]] Response ui_response(const Head &head);

} // namespace neuwerk::api
