// What the server does to clients that are slow, many or gone; streams; and how it stops.
#include "api/server_bench.h"

#include <doctest/doctest.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <vector>

using namespace neuwerk;
using namespace neuwerk::api;
using std::chrono::milliseconds;

TEST_CASE("a client that sends its header drop by drop gets 408")
{
	ServerBench bench;
	bench.options.limits.header = milliseconds(100);
	bench.start();
	TestClient client = bench.client();
	(void)client.send("GET / HTTP/1.1\r\nHost");
	const Reply reply = client.reply();
	CHECK(reply.status == 408);
	CHECK(reply.body == R"({"error":"request header not complete within 100 ms"})");
	CHECK(client.ends());
	TestClient silent(bench.server->port()); // no handshake at all
	char byte;
	CHECK(recv(silent.fd(), &byte, 1, 0) == 0);
}

TEST_CASE("a body has a deadline of its own, and so has an idle connection")
{
	ServerBench bench;
	bench.options.limits.body = milliseconds(50);
	bench.options.limits.idle = milliseconds(50);
	bench.start();
	TestClient client = bench.client();
	const Reply reply =
		client.ask("POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n123");
	CHECK(reply.status == 408);
	CHECK(reply.body == R"({"error":"request body not complete within 50 ms"})");
	CHECK(client.ends());
	TestClient idle = bench.client();
	CHECK(idle.ask(get("/api/v1/quick")).status == 200);
	CHECK(idle.ends());
}

TEST_CASE("above the limit a new connection is closed; the local socket still has room")
{
	ServerBench bench;
	bench.options.limits.connection_count = 2;
	bench.start();
	TestClient first = bench.client(), second = bench.client();
	TestClient third(bench.server->port());
	CHECK(!third.handshake());
	TestClient local(bench.options.unix_socket);
	CHECK(local.ask(get("/api/v1/quick")).status == 200);
	CHECK(second.ask(get("/api/v1/quick")).status == 200);
}

TEST_CASE("1,000 idle connections stay served, and a newcomer is")
{
	constexpr rlim_t needed = 2'300; // both ends are in this process
	rlimit files{};
	REQUIRE(getrlimit(RLIMIT_NOFILE, &files) == 0);
	files.rlim_cur = std::max(files.rlim_cur, std::min(files.rlim_max, needed));
	REQUIRE(setrlimit(RLIMIT_NOFILE, &files) == 0);
	REQUIRE(files.rlim_cur >= needed);
	ServerBench bench;
	bench.start();
	std::vector<std::unique_ptr<TestClient>> clients;
	for (int i = 0; i < 1000; i++) {
		clients.push_back(std::make_unique<TestClient>(bench.server->port()));
		REQUIRE(clients.back()->handshake());
	}
	CHECK(bench.client().ask(get("/api/v1/quick")).status == 200);
	for (const auto &client : clients)
		REQUIRE(client->ask(get("/api/v1/quick")).status == 200);
}

TEST_CASE("connections leave descriptors to the rest of the process")
{
	rlimit before{};
	REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
	rlimit few = before;
	few.rlim_cur = 600;
	REQUIRE(setrlimit(RLIMIT_NOFILE, &few) == 0);
	{
		ServerBench bench;
		bench.options.limits.connection_count = 700;
		bench.start();
		rlimit raised{};
		REQUIRE(getrlimit(RLIMIT_NOFILE, &raised) == 0);
		CHECK(raised.rlim_cur == 700 + 512);
		CHECK(bench.client().ask(get("/api/v1/quick")).status == 200);
	}
	REQUIRE(setrlimit(RLIMIT_NOFILE, &before) == 0);
}

TEST_CASE("a client that resets in the middle harms nobody")
{
	ServerBench bench;
	bench.start();
	TestClient client = bench.client(), large = bench.client();
	(void)client.send(get("/api/v1/slow"));
	bench.gate.await(1);
	client.reset();
	(void)large.send(get("/api/v1/large"));
	REQUIRE(large.receive_until("\r\n\r\n"));
	large.reset();
	TestClient stream = bench.client();
	(void)stream.send(get("/api/v1/stream"));
	REQUIRE(stream.receive_until("\r\n\r\n"));
	stream.reset();
	bench.feed->say("data: x\n\n");
	bench.feed->await_release();
	bench.gate.open();
	CHECK(bench.client().ask(get("/api/v1/quick")).status == 200);
}

TEST_CASE("a stream is chunked, comes as it is said, and ends with its source")
{
	ServerBench bench;
	bench.start();
	TestClient client = bench.client();
	bench.feed->say("event: flow\ndata: {}\n\n");
	(void)client.send(get("/api/v1/stream"));
	const Reply head = client.reply();
	CHECK(head.status == 200);
	CHECK(head.headers.at("content-type") == "text/event-stream");
	CHECK(head.headers.at("cache-control") == "no-cache");
	CHECK(head.headers.at("transfer-encoding") == "chunked");
	CHECK(!head.headers.contains("content-length"));
	CHECK(client.receive_until("16\r\nevent: flow\ndata: {}\n\n\r\n"));
	client.pending().clear();
	bench.feed->say("data: 2\n\n");
	CHECK(client.receive_until("9\r\ndata: 2\n\n\r\n"));
	client.pending().clear();
	bench.feed->say("data: 3\n\n", true);
	CHECK(client.receive_until("9\r\ndata: 3\n\n\r\n0\r\n\r\n"));
	client.pending().clear();
	CHECK(client.ends());
	bench.feed->await_release();
}

TEST_CASE("a silent stream says that it lives; HTTP/1.0 gets it without chunks; HEAD gets the header")
{
	ServerBench bench;
	bench.options.limits.stream_comment = milliseconds(20);
	bench.start();
	TestClient client = bench.client();
	(void)client.send(get("/api/v1/stream"));
	CHECK(client.receive_until("e\r\n: keep-alive\n\n\r\ne\r\n: keep-alive\n\n\r\n"));
	TestClient old = bench.client();
	(void)old.send("GET /api/v1/stream HTTP/1.0\r\n\r\n");
	CHECK(old.receive_until("\r\n\r\n: keep-alive\n\n: keep-alive\n\n"));
	CHECK(old.pending().find("chunked") == std::string::npos);
	TestClient head = bench.client();
	(void)head.send("HEAD /api/v1/stream HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK(head.reply(true).status == 200);
	CHECK(head.ask(get("/api/v1/quick")).status == 200);
}

TEST_CASE("streams are counted: above their limit is 503, and one that ended makes room")
{
	ServerBench bench;
	bench.options.limits.stream_count = 1;
	bench.start();
	TestClient first = bench.client(), second = bench.client();
	(void)first.send(get("/api/v1/stream"));
	REQUIRE(first.receive_until("\r\n\r\n"));
	const Reply refused = second.ask(get("/api/v1/stream"));
	CHECK(refused.status == 503);
	CHECK(refused.body == R"({"error":"too many streams: at most 1 at a time"})");
	first.reset();
	Reply again;
	do // until the server has seen the reset
		again = second.ask(get("/api/v1/stream"));
	while (again.status == 503);
	CHECK(again.status == 200);
}

TEST_CASE("a peer that does not read its stream is not read ahead for, and is dropped")
{
	ServerBench bench;
	bench.options.limits.write = milliseconds(200);
	bench.feed->endless = std::string(64 << 10, 'e');
	bench.start();
	TestClient client = bench.client();
	(void)client.send(get("/api/v1/stream"));
	bench.feed->await_release();
	const std::lock_guard lock(bench.feed->mutex);
	CHECK(bench.feed->taken_bytes < (32u << 20)); // what the kernel's buffers hold
}

TEST_CASE("the local socket: mode 0600, root is admin without a token, nothing left behind")
{
	ServerBench bench;
	bench.start();
	struct stat found {};
	REQUIRE(stat(bench.options.unix_socket.c_str(), &found) == 0);
	CHECK((found.st_mode & 07777) == 0600);
	TestClient local(bench.options.unix_socket);
	CHECK(local.ask(get("/api/v1/local")).body == "local:root@local");
	CHECK(local.ask(get("/api/v1/auth/who")).body == "local:root@local");
	CHECK(local.ask(post("/api/v1/guarded", "{}")).status == 200);
	CHECK(bench.client().ask(get("/api/v1/local")).status == 404);
	CHECK(bench.client().ask(get("/api/v1/auth/who", "Authorization: x\r\n")).body == "anna@127.0.0.1");
	bench.server->stop();
	CHECK(stat(bench.options.unix_socket.c_str(), &found) != 0);
}

TEST_CASE("a socket file that somebody left is replaced; one that is served, or is none, is not")
{
	ServerBench bench;
	{
		Fd left(socket(AF_UNIX, SOCK_STREAM, 0));
		sockaddr_un address{.sun_family = AF_UNIX, .sun_path = {}};
		bench.options.unix_socket.copy(address.sun_path, sizeof(address.sun_path) - 1);
		REQUIRE(bind(left.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)) == 0);
	}
	bench.start();
	const auto second = Server::start(bench.options, bench.routes(), Authenticate{});
	REQUIRE(!second);
	CHECK(second.error().what ==
	      "api socket " + bench.options.unix_socket + ": another process serves it");
	CHECK(TestClient(bench.options.unix_socket).ask(get("/api/v1/quick")).status == 200);
	ServerOptions other = bench.options;
	other.unix_socket = bench.options.key_path;
	const auto third = Server::start(other, bench.routes(), Authenticate{});
	REQUIRE(!third);
	CHECK(third.error().what.ends_with(": a file that is no socket stands there"));
	CHECK(std::filesystem::exists(bench.options.key_path));
	other.unix_socket = std::string(200, 'x');
	CHECK(!Server::start(other, bench.routes(), Authenticate{}));
}

TEST_CASE("an address that is taken is named, and can be bound again after stop")
{
	ServerBench bench;
	bench.start();
	ServerOptions options = bench.options;
	options.bind.port = bench.server->port();
	options.unix_socket.clear();
	const auto second = Server::start(options, bench.routes(), Authenticate{});
	REQUIRE(!second);
	CHECK(second.error().what ==
	      text("http bind 127.0.0.1:", options.bind.port, ": Address already in use"));
	TestClient idle = bench.client();
	bench.server->stop();
	CHECK(idle.ends());
	CHECK(Server::start(options, bench.routes(), Authenticate{}));
}

TEST_CASE("stop lets an exchange finish, ends streams, and waits no longer than it must")
{
	ServerBench bench;
	bench.start();
	TestClient slow = bench.client(), stream = bench.client();
	(void)slow.send(get("/api/v1/slow"));
	(void)stream.send(get("/api/v1/stream"));
	REQUIRE(stream.receive_until("\r\n\r\n"));
	bench.gate.await(1);
	std::thread stopping([&] { bench.server->stop(); });
	CHECK(stream.receive_until("\r\n\r\n0\r\n\r\n")); // the server drains now
	bench.gate.open();
	const Reply reply = slow.reply();
	CHECK(reply.body == "slow");
	CHECK(reply.headers.at("connection") == "close");
	stopping.join();
	bench.feed->say("nobody listens");
}

TEST_CASE("stop does not wait for a client that does not read")
{
	ServerBench bench;
	bench.options.limits.stop = milliseconds(50);
	bench.feed->endless = std::string(1 << 20, 'e');
	bench.start();
	TestClient client = bench.client();
	(void)client.send(get("/api/v1/stream"));
	REQUIRE(client.receive_until("\r\n\r\n"));
	bench.server->stop();
	bench.feed->await_release();
}

TEST_CASE("TLS: http/1.1 by ALPN, nothing below 1.2, and the certificate can change under way")
{
	ServerBench bench;
	bench.start();
	TestClient client(bench.server->port());
	const unsigned char offered[] = "\x02h2\x08http/1.1";
	REQUIRE(SSL_set_alpn_protos(client.tls(), offered, sizeof(offered) - 1) == 0);
	REQUIRE(client.handshake());
	const unsigned char *chosen = nullptr;
	unsigned int chosen_bytes = 0;
	SSL_get0_alpn_selected(client.tls(), &chosen, &chosen_bytes);
	CHECK(std::string(reinterpret_cast<const char *>(chosen), chosen_bytes) == "http/1.1");

	TestClient old(bench.server->port());
	SSL_set_security_level(old.tls(), 0);
	SSL_set_max_proto_version(old.tls(), TLS1_1_VERSION);
	CHECK(!old.handshake());

	const auto name = [](TestClient &peer) {
		X509 *certificate = SSL_get1_peer_certificate(peer.tls());
		char text[200];
		X509_NAME_oneline(X509_get_subject_name(certificate), text, sizeof(text));
		X509_free(certificate);
		return std::string(text);
	};
	CHECK(name(client) == "/CN=server");
	bench.issue("renewed");
	CHECK(bench.server->reload_certificate());
	TestClient after = bench.client();
	CHECK(name(after) == "/CN=renewed");
	CHECK(client.ask(get("/api/v1/quick")).status == 200);
	std::ofstream(bench.options.key_path) << "no key";
	const auto refused = bench.server->reload_certificate();
	REQUIRE(!refused);
	CHECK(refused.error().what.starts_with("http certificate: " + bench.options.key_path + ": "));
	TestClient last = bench.client();
	CHECK(name(last) == "/CN=renewed");
}
