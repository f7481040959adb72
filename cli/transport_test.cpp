// The way to an appliance over a real Unix socket: what is sent, what is said when it fails, what is kept
// secret.
#include "test_world.h"

#include "base/fd.h"
#include "base/text.h"

#include <doctest/doctest.h>

#include <sys/socket.h>
#include <sys/un.h>

#include <thread>

using namespace neuwerk;
using namespace neuwerk::cli;

namespace {

// Accepts one connection, reads one request with `body_bytes` of body, answers with `answer` and closes.
class OneAnswer {
public:
	OneAnswer(const std::string &path, std::string answer, std::size_t body_bytes = 0)
	    : listener_(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0))
	{
		sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
		path.copy(address.sun_path, sizeof address.sun_path - 1);
		REQUIRE(bind(listener_.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) ==
			0);
		REQUIRE(listen(listener_.get(), 1) == 0);
		thread_ = std::thread([this, answer = std::move(answer), body_bytes] {
			const Fd peer(accept(listener_.get(), nullptr, nullptr));
			char buffer[4096];
			std::size_t end;
			while ((end = request.find("\r\n\r\n")) == std::string::npos ||
			       request.size() < end + 4 + body_bytes) {
				const auto count = recv(peer.get(), buffer, sizeof buffer, 0);
				if (count <= 0)
					return;
				request.append(buffer, static_cast<std::size_t>(count));
			}
			(void)!send(peer.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
		});
	}
	~OneAnswer()
	{
		join();
	}
	void join()
	{
		if (thread_.joinable())
			thread_.join();
	}
	std::string request; // after join()

private:
	Fd listener_;
	std::thread thread_;
};

std::unique_ptr<Transport> transport_to(const std::string &socket, std::string *debug = nullptr)
{
	TransportOptions options{.target = {.socket = socket, .token = "secret-token"}};
	if (debug)
		options.debug = [debug](std::string_view line) { *debug += text(line, '\n'); };
	return curl_transport(std::move(options));
}

const auto nothing = [] {};

} // namespace

TEST_CASE("a request over the socket arrives as it was meant, and the answer comes back whole")
{
	const TestDirectory directory;
	OneAnswer server(directory / "s",
			 "HTTP/1.1 409 Conflict\r\nX-Neuwerk-Warning: one\r\nx-neuwerk-warning:  two \r\n"
			 "Content-Length: 4\r\n\r\nbody",
			 5);
	const auto response = transport_to(directory / "s")
				      ->exchange({.method = "PUT",
						  .path = "/api/v1/policy?wait=required",
						  .body = "a: b\n",
						  .content_type = "application/yaml",
						  .headers = {{"If-Match", "\"7\""}}});
	REQUIRE(response);
	CHECK(response->status == 409);
	CHECK(response->body == "body");
	CHECK(response->all("x-neuwerk-warning") == std::vector<std::string>{"one", "two"});
	server.join();
	CHECK(server.request.starts_with("PUT /api/v1/policy?wait=required HTTP/1.1\r\nHost: localhost\r\n"));
	CHECK(server.request.ends_with("\r\n\r\na: b\n"));
	for (const char *line : {"Content-Type: application/yaml\r\n", "Content-Length: 5\r\n",
				 "If-Match: \"7\"\r\n", "Authorization: Bearer secret-token\r\n"})
		CHECK(server.request.find(line) != std::string::npos);
}

TEST_CASE("a POST without a body says so and is no form")
{
	const TestDirectory directory;
	OneAnswer server(directory / "s", "HTTP/1.1 204 No Content\r\n\r\n");
	const auto response = transport_to(directory / "s")->exchange({.method = "POST", .path = "/x"});
	REQUIRE(response);
	CHECK(response->status == 204);
	server.join();
	CHECK(server.request.find("Content-Length: 0\r\n") != std::string::npos);
	CHECK(server.request.find("Content-Type") == std::string::npos);
}

TEST_CASE("debug output shows headers and no secret")
{
	const TestDirectory directory;
	const OneAnswer server(directory / "s", "HTTP/1.1 200 OK\r\nSet-Cookie: neuwerk_auth=abc\r\n"
						"Content-Length: 2\r\n\r\n{}");
	std::string debug;
	REQUIRE(transport_to(directory / "s", &debug)->exchange({.path = "/x"}));
	CHECK(debug.starts_with("> GET /x HTTP/1.1\n> Host: localhost\n"));
	CHECK(debug.find("> Authorization: <redacted>\n") != std::string::npos);
	CHECK(debug.find("< HTTP/1.1 200 OK\n< Set-Cookie: <redacted>\n") != std::string::npos);
	CHECK(debug.find("secret-token") == std::string::npos);
	CHECK(debug.find("abc") == std::string::npos);
}

TEST_CASE("each way to find nobody has its own words")
{
	const TestDirectory directory;
	const std::string path = directory / "s";
	auto outcome = transport_to(path)->exchange({.path = "/x"});
	REQUIRE_FALSE(outcome);
	CHECK(outcome.error().kind == ErrorKind::unavailable);
	CHECK(outcome.error().what == "neuwerkd is not running: there is no socket " + path);
	{
		const Fd unheard(socket(AF_UNIX, SOCK_STREAM, 0));
		sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
		path.copy(address.sun_path, sizeof address.sun_path - 1);
		REQUIRE(bind(unheard.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) ==
			0);
		outcome = transport_to(path)->exchange({.path = "/x"});
		REQUIRE_FALSE(outcome);
		CHECK(outcome.error().what == "neuwerkd does not answer on " + path + ": is it running?");
	}
	const OneAnswer server(directory / "cut", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf");
	outcome = transport_to(directory / "cut")->exchange({.path = "/x"});
	REQUIRE_FALSE(outcome);
	CHECK(outcome.error().what == "neuwerkd closed the connection on " + directory / "cut");
	const auto refused =
		curl_transport({.target = {.server = "https://127.0.0.1:1"}})->exchange({.path = "/x"});
	REQUIRE_FALSE(refused);
	CHECK(refused.error().kind == ErrorKind::unavailable);
	CHECK(refused.error().what.starts_with("cannot connect to https://127.0.0.1:1: "));
}

TEST_CASE("a stream is handed over as it comes; its end is an error, the reader's own is not")
{
	const TestDirectory directory;
	const std::string answer = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n6\r\ndata: \r\n4\r\n1\n\n:\r\n";
	int opened = 0;
	std::string seen;
	const OneAnswer first(directory / "a", answer);
	const auto cut = transport_to(directory / "a")
				 ->stream(
					 {.path = "/x"}, [&] { opened++; },
					 [&](std::string_view bytes) {
						 seen += bytes;
						 return true;
					 });
	REQUIRE_FALSE(cut);
	CHECK(cut.error().what == "neuwerkd closed the connection on " + directory / "a");
	CHECK(opened == 1);
	CHECK(seen == "data: 1\n\n:");
	const OneAnswer second(directory / "b", answer);
	CHECK(transport_to(directory / "b")->stream({.path = "/x"}, nothing, [](std::string_view) {
		return false;
	}));
	OneAnswer third(directory / "c", "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno");
	const auto refused =
		transport_to(directory / "c")
			->stream(
				{.path = "/x"}, [&] { opened++; }, [](std::string_view) { return false; });
	REQUIRE(refused);
	CHECK(refused->status == 503);
	CHECK(refused->body == "no");
	CHECK(opened == 1);
	third.join();
	CHECK(third.request.find("Accept: text/event-stream\r\n") != std::string::npos);
}
