// What the HTTP server answers, byte by byte, over loopback.
#include "daemon/http_server.h"

#include "base/fd.h"
#include "base/text.h"

#include <doctest/doctest.h>

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <string>
#include <vector>

using namespace neuwerk;
using namespace neuwerk::daemon;

namespace {

constexpr std::uint32_t loopback = 0x7f000001;

HttpReply echo(const std::string &path)
{
	if (path == "/fine")
		return {200, "text/plain", "fine\n"};
	return {404, "application/json", "{\"path\":\"" + path + "\"}"};
}

Fd connected(std::uint16_t port)
{
	Fd client(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
	sockaddr_in address{};
	address.sin_family = AF_INET;
	address.sin_port = htons(port);
	address.sin_addr.s_addr = htonl(loopback);
	const timeval patience{.tv_sec = 5, .tv_usec = 0};
	setsockopt(client.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	REQUIRE(connect(client.get(), reinterpret_cast<const sockaddr *>(&address), sizeof(address)) == 0);
	return client;
}

// Everything that comes until the server closes.
std::string read_all(const Fd &client)
{
	std::string all;
	std::array<char, 4096> chunk;
	for (ssize_t count; (count = recv(client.get(), chunk.data(), chunk.size(), 0)) > 0;)
		all.append(chunk.data(), static_cast<std::size_t>(count));
	return all;
}

std::string ask(const HttpServer &server, const std::string &request)
{
	const Fd client = connected(server.port());
	REQUIRE(send(client.get(), request.data(), request.size(), MSG_NOSIGNAL) ==
		static_cast<ssize_t>(request.size()));
	return read_all(client);
}

std::string request(const std::string &method, const std::string &target)
{
	return text(method, ' ', target, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
}

HttpServer started()
{
	auto server = HttpServer::start({loopback, 0}, echo);
	REQUIRE(server);
	return std::move(*server);
}

} // namespace

TEST_CASE("GET is answered with the handler's status, type and body")
{
	const HttpServer server = started();
	CHECK(ask(server, request("GET", "/fine")) == "HTTP/1.1 200 OK\r\n"
						      "Content-Type: text/plain\r\n"
						      "Cache-Control: no-store\r\n"
						      "Connection: close\r\n"
						      "Content-Length: 5\r\n"
						      "\r\n"
						      "fine\n");
	CHECK(ask(server, request("GET", "/fine?verbose=1")).ends_with("fine\n"));
	CHECK(ask(server, request("GET", "/other")).starts_with("HTTP/1.1 404 Not Found\r\n"));
}

TEST_CASE("HEAD is answered as GET, without the body")
{
	const HttpServer server = started();
	const std::string reply = ask(server, request("HEAD", "/fine"));
	CHECK(reply.starts_with("HTTP/1.1 200 OK\r\n"));
	CHECK(reply.find("Content-Length: 5\r\n") != std::string::npos);
	CHECK(reply.ends_with("\r\n\r\n"));
}

TEST_CASE("no other method is answered")
{
	const HttpServer server = started();
	const std::string reply = ask(server, request("POST", "/fine"));
	CHECK(reply.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"));
	CHECK(reply.find("Allow: GET, HEAD\r\n") != std::string::npos);
}

TEST_CASE("one connection serves several requests")
{
	const HttpServer server = started();
	const std::string first = "GET /fine HTTP/1.1\r\nHost: x\r\n\r\n";
	const std::string replies = ask(server, first + request("GET", "/second"));
	CHECK(replies.find("fine\n") != std::string::npos);
	CHECK(replies.ends_with("{\"path\":\"/second\"}"));
}

TEST_CASE("garbage and endless headers are dropped, and the server goes on")
{
	const HttpServer server = started();
	CHECK(ask(server, "\x16\x03\x01 this is TLS\r\n\r\n").empty());
	CHECK(ask(server, "GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n").empty());
	CHECK(ask(server, request("GET", "/fine")).ends_with("fine\n"));
}

TEST_CASE("connections beyond the limit are closed at once")
{
	const HttpServer server = started();
	std::vector<Fd> held;
	for (std::size_t i = 0; i < HttpServer::connection_limit_count; i++) {
		held.push_back(connected(server.port()));
		// One answered request each: the server has accepted this connection before the next one
		// comes.
		const std::string keep = "HEAD /fine HTTP/1.1\r\nHost: x\r\n\r\n";
		REQUIRE(send(held.back().get(), keep.data(), keep.size(), MSG_NOSIGNAL) > 0);
		std::array<char, 256> reply;
		REQUIRE(recv(held.back().get(), reply.data(), reply.size(), 0) > 0);
	}
	CHECK(read_all(connected(server.port())).empty());
}

TEST_CASE("a port that is taken is named")
{
	const HttpServer server = started();
	const auto second = HttpServer::start({loopback, server.port()}, echo);
	REQUIRE_FALSE(second);
	CHECK(second.error().what ==
	      text("metrics bind 127.0.0.1:", server.port(), ": Address already in use"));
}
