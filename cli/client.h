// Questions to an appliance: a path and a body in, an answer as a tree out. Errors are ready to be printed.
#pragma once

#include "json.h"
#include "transport.h"

#include <functional>
#include <string>
#include <string_view>

namespace neuwerk::cli {

// One segment of a path, percent-escaped: nothing in it can become another segment or a query.
[[nodiscard]] std::string escaped(std::string_view words);

// "/api/v1/flows" with "?limit=5" and so on; empty values are left out.
class Query {
public:
	explicit Query(std::string path) : path_(std::move(path)) {}
	Query &add(std::string_view key, std::string_view value);
	[[nodiscard]] const std::string &path() const
	{
		return path_;
	}

private:
	std::string path_;
	char separator_ = '?';
};

struct Answer {
	Response response;
	Json json; // null: no body, or one that is not JSON
};

// One event of a server-sent stream.
struct StreamEvent {
	std::string name; // "message" when the server gave none
	std::string data;
};

// Cuts a stream into its events (WHATWG HTML §9.2.6; id and retry mean nothing here).
class EventReader {
public:
	static constexpr std::size_t event_limit_bytes = 1 << 20;
	// False: `take` returned false, or an event is longer than the limit.
	[[nodiscard]] bool feed(std::string_view bytes, const std::function<bool(const StreamEvent &)> &take);

private:
	[[nodiscard]] bool on_line(std::string_view line,
				   const std::function<bool(const StreamEvent &)> &take);
	std::string rest_; // an unfinished line
	StreamEvent event_{"message", ""};
	bool has_data_ = false;
};

class Client {
public:
	explicit Client(Transport &transport) : transport_(transport) {}

	// An answer with any status.
	[[nodiscard]] Result<Response> exchange(const Request &request)
	{
		return transport_.exchange(request);
	}
	// Any status from 200 to 299 is an answer; anything else an error with the server's own words and the
	// kind of its status.
	[[nodiscard]] Result<Answer> send(const Request &request);
	[[nodiscard]] Result<Answer> get(const std::string &path);
	[[nodiscard]] Result<Answer> send_json(const char *method, const std::string &path, const Json &body);

	[[nodiscard]] Result<> stream(const std::string &path, const std::function<void()> &opened,
				      const std::function<bool(const StreamEvent &)> &take);

private:
	Transport &transport_;
};

// The error that an answer outside 200 to 299 stands for.
[[nodiscard]] Error error_of(const Response &response, const std::string &method, const std::string &path);

} // namespace neuwerk::cli
