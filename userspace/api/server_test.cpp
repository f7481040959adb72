// The server's exchanges over real sockets: headers, framing, limits and refusals (spec/http-api §2).
#include "api/server_bench.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using namespace neuwerk::api;
using std::chrono::milliseconds;

TEST_CASE("every response carries the security headers, errors and the page too")
{
	ServerBench bench;
	TestClient client = bench.start().client();
	for (const char *path : {"/api/v1/quick", "/api/v1/nothing", "/api/v1/auth/who", "/"}) {
		CAPTURE(path);
		const Reply reply = client.ask(get(path));
		CHECK(reply.headers.at("x-content-type-options") == "nosniff");
		CHECK(reply.headers.at("x-frame-options") == "DENY");
		CHECK(reply.headers.at("referrer-policy") == "no-referrer");
		CHECK(reply.headers.at("permissions-policy") ==
		      "accelerometer=(), camera=(), geolocation=(), microphone=()");
		CHECK(reply.headers.at("strict-transport-security") == "max-age=31536000; includeSubDomains");
		const bool is_page = std::string_view(path) == "/";
		const std::string style = is_page ? "" : " 'unsafe-inline'",
				  font = is_page ? " font-src 'self' data:;" : "";
		CHECK(reply.headers.at("content-security-policy") ==
		      "default-src 'self'; script-src 'self'; style-src 'self'" + style + ";" + font +
			      " img-src 'self' data:; connect-src 'self'; object-src 'none'; frame-ancestors "
			      "'none'; base-uri 'self'; form-action 'self'");
		CHECK(reply.headers.at("date").ends_with(" GMT"));
		const bool is_auth = std::string_view(path).starts_with("/api/v1/auth/");
		CHECK(reply.headers.contains("cache-control") == is_auth);
	}
	CHECK(client.ask(get("/api/v1/auth/who")).headers.at("cache-control") == "no-store");
	CHECK(client.ask(get("/api/v1/auth/who")).headers.at("www-authenticate") == "Bearer");
	CHECK(client.ask(get("/api/v1/framed")).headers.at("x-frame-options") == "SAMEORIGIN");
	CHECK(client.ask("NONSENSE\r\n\r\n").headers.at("x-frame-options") == "DENY");
}

TEST_CASE("success is compact JSON with its length; 204 and 405 have no body")
{
	ServerBench bench;
	TestClient client = bench.start().client();
	Reply reply = client.ask(get("/api/v1/quick"));
	CHECK(reply.status == 200);
	CHECK(reply.headers.at("content-type") == "application/json");
	CHECK(reply.body == "{}");
	reply = client.ask("DELETE /api/v1/gone HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK(reply.status == 204);
	CHECK(!reply.headers.contains("content-length"));
	CHECK(!reply.headers.contains("content-type"));
	CHECK(!reply.headers.contains("x-bad")); // a line break never reaches the wire
	reply = client.ask("PUT /api/v1/quick HTTP/1.1\r\nHost: x\r\n\r\n");
	CHECK(reply.status == 405);
	CHECK(reply.headers.at("allow") == "GET, HEAD");
	CHECK(reply.headers.at("content-length") == "0");
	(void)client.send("HEAD /api/v1/quick HTTP/1.1\r\nHost: x\r\n\r\n");
	reply = client.reply(true);
	CHECK(reply.status == 200);
	CHECK(reply.headers.at("content-length") == "2");
	CHECK(client.ask(get("/api/v1/quick")).body == "{}"); // and nothing followed
}

TEST_CASE("pipelined requests are answered in their order, slow ones too")
{
	ServerBench bench;
	TestClient client = bench.start().client();
	(void)client.send(get("/api/v1/slow") + get("/api/v1/quick") + post("/api/v1/echo", "[1]") +
			  get("/api/v1/nothing") + get("/api/v1/quick", "Connection: close\r\n"));
	bench.gate.await(1);
	bench.gate.open();
	CHECK(client.reply().body == "slow");
	CHECK(client.reply().body == "{}");
	CHECK(client.reply().body == "[1]");
	CHECK(client.reply().status == 404);
	const Reply last = client.reply();
	CHECK(last.body == "{}");
	CHECK(last.headers.at("connection") == "close");
	CHECK(client.ends());
}

TEST_CASE("while workers are busy, quick routes answer; the rest waits its turn")
{
	ServerBench bench;
	bench.options.limits.worker_count = 2;
	bench.start();
	TestClient first = bench.client(), second = bench.client(), third = bench.client();
	(void)first.send(get("/api/v1/slow"));
	(void)second.send(get("/api/v1/slow"));
	bench.gate.await(2);
	(void)third.send(post("/api/v1/echo", "3"));
	TestClient quick = bench.client();
	CHECK(quick.ask(get("/api/v1/quick")).status == 200);
	bench.gate.open();
	CHECK(first.reply().body == "slow");
	CHECK(second.reply().body == "slow");
	CHECK(third.reply().body == "3");
}

TEST_CASE("bodies: chunked, of length 0, ignored by who needs none, waited for by 100-continue")
{
	ServerBench bench;
	TestClient client = bench.start().client();
	CHECK(client.ask("POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
			 "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
		      .body == "abcde");
	CHECK(client.ask(post("/api/v1/echo", "")).status == 200);
	CHECK(client.ask("POST /api/v1/echo HTTP/1.1\r\nHost: x\r\n\r\n").status == 200);
	CHECK(client.ask(post("/api/v1/ignore", "{\"a\":1}")).body == "0");
	(void)client.send("POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: "
			  "100-continue\r\n\r\n");
	CHECK(client.reply().status == 100);
	CHECK(client.ask("true").body == "true");
	// A client that does not wait gets no 100.
	CHECK(client.ask(post("/api/v1/echo", "[]", "Expect: 100-continue\r\n")).body == "[]");
}

TEST_CASE("2 MiB is the limit of a body, the policy's is its own, and above is 413")
{
	ServerBench bench;
	bench.options.limits.policy_body_bytes = 3 << 20;
	bench.start();
	const std::string most(2'097'152, 'x');
	CHECK(bench.client().ask(post("/api/v1/echo", most)).body.size() == most.size());
	const auto policy = [&](std::size_t bytes) {
		std::string request = post("/api/v1/policy", std::string(bytes, 'p'));
		return bench.client().ask(request.replace(0, 4, "PUT"));
	};
	CHECK(policy(3 << 20).body == "3145728");
	CHECK(policy((3 << 20) + 1).status == 413);

	TestClient client = bench.client();
	CHECK(client.send(post("/api/v1/echo", most + "x"))); // all of it, without a reset
	const Reply reply = client.reply();
	CHECK(reply.status == 413);
	CHECK(reply.body == R"({"error":"request body too large: the limit is 2097152 bytes"})");
	CHECK(reply.headers.at("connection") == "close");
	CHECK(client.ends());

	TestClient chunked = bench.client();
	(void)chunked.send("POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
	for (int i = 0; i < 33; i++)
		(void)chunked.send("10000\r\n" + std::string(0x10000, 'c') + "\r\n");
	CHECK(chunked.reply().status == 413);
	// Announced and waited for: the client learns it before it sends a byte.
	TestClient waiting = bench.client();
	CHECK(waiting.ask("POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\nExpect: "
			  "100-continue\r\n\r\n")
		      .status == 413);
}

TEST_CASE("a request that is refused before its body is read keeps its status and its connection")
{
	ServerBench bench;
	TestClient client = bench.start().client();
	const std::string body(400'000, 'x');
	const auto header = [&](std::string_view path) {
		return text("POST ", path, " HTTP/1.1\r\nHost: x\r\nContent-Length: ", body.size(),
			    "\r\n\r\n");
	};
	for (const auto &[path, status] : {std::pair{"/api/v1/guarded", 401},
					   {"/api/v1/nothing", 404},
					   {"/api/v1/quick", 405},
					   {"/login", 405}}) {
		CAPTURE(path);
		(void)client.send(header(path));
		(void)client.send(body); // later than its header
		CHECK(client.reply().status == status);
	}
	CHECK(client.ask(get("/api/v1/quick")).status == 200);

	TestClient large = bench.client();
	CHECK(large.send(post("/api/v1/guarded", std::string(2'500'000, 'x'))));
	const Reply refused = large.reply();
	CHECK(refused.status == 401);
	CHECK(refused.headers.at("connection") == "close");
	CHECK(large.ends());

	TestClient waiting = bench.client();
	CHECK(waiting.ask("POST /api/v1/guarded HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nExpect: "
			  "100-continue\r\n\r\n")
		      .status == 401);
	CHECK(waiting.ends());
}

TEST_CASE("what is no HTTP gets an answer that says why, and the end")
{
	ServerBench bench;
	bench.start();
	for (const auto &[bytes, status] :
	     {std::pair{std::string("NONSENSE\r\n\r\n"), 400},
	      {"GET / HTTP/1.1\r\n\r\n", 400},
	      {get("/" + std::string(20'000, 'a')), 431},
	      {get("/", "A: " + std::string(20'000, 'a') + "\r\n"), 431},
	      {"POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
	      {"POST /api/v1/echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501}}) {
		CAPTURE(bytes.substr(0, 60));
		TestClient client = bench.client();
		const Reply reply = client.ask(bytes);
		CHECK(reply.status == status);
		CHECK(reply.body.starts_with(R"({"error":")"));
		CHECK(reply.headers.at("connection") == "close");
		CHECK(client.ends());
	}
	const std::lock_guard lock(bench.mutex);
	CHECK(bench.exchanges.at(0) == "OTHER malformed 400");
}

TEST_CASE("HTTP/1.0 is served and closed unless it asks to stay")
{
	ServerBench bench;
	bench.start();
	TestClient client = bench.client();
	CHECK(client.ask("GET /api/v1/quick HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
		      .headers.at("connection") == "keep-alive");
	CHECK(client.ask("GET /api/v1/quick HTTP/1.0\r\n\r\n").status == 200);
	CHECK(client.ends());
}

TEST_CASE("a large body arrives whole")
{
	ServerBench bench;
	bench.start();
	CHECK(bench.client().ask(get("/api/v1/large")).body == std::string(3 << 20, 'L'));
	TestClient local(bench.options.unix_socket);
	CHECK(local.ask(get("/api/v1/large")).body == std::string(3 << 20, 'L'));
}

TEST_CASE("each exchange is reported once, by the template of its route")
{
	ServerBench bench;
	TestClient client = bench.start().client();
	(void)client.ask(get("/api/v1/quick?x=1"));
	(void)client.ask(get("/any/page"));
	(void)client.ask(get("/api/v1/none"));
	(void)client.ask(post("/api/v1/guarded", "{}"));
	(void)client.send("HEAD /api/v1/quick HTTP/1.1\r\nHost: x\r\n\r\n");
	(void)client.reply(true);
	(void)client.ask("BREW /api/v1/quick HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	CHECK(client.ends());
	const std::lock_guard lock(bench.mutex);
	CHECK(bench.exchanges == std::vector<std::string>{"GET /api/v1/quick 200", "GET /ui 200",
							  "GET unmatched 404", "POST /api/v1/guarded 401",
							  "HEAD /api/v1/quick 200",
							  "OTHER /api/v1/quick 405"});
}
