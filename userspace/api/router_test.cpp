// The router: which route answers, and in which order a request is refused (spec/http-api §2.1, §3.1).
#include "api/router.h"

#include "api/uri.h"
#include "base/text.h"

#include <doctest/doctest.h>

#include <stdexcept>

using namespace neuwerk;
using namespace neuwerk::api;

namespace {

Response echo(const Call &call)
{
	std::string body = call.subject.sub;
	for (const std::string &parameter : call.parameters)
		body += "|" + parameter;
	return {.body = body};
}

Route route(Method method, std::string_view path, Access access, Reads reads = Reads::no_body)
{
	return {.method = method,
		.path = path,
		.access = access,
		.reads = reads,
		.documentation = {},
		.handle = echo};
}

Routes table()
{
	Routes routes{
		route(Method::get, "/health", Access::open),
		route(Method::get, "/api/v1/things", Access::user),
		route(Method::post, "/api/v1/things", Access::user, Reads::json_body),
		route(Method::get, "/api/v1/things/{name}", Access::user),
		route(Method::get, "/api/v1/things/special", Access::user),
		route(Method::put, "/api/v1/things/", Access::user),
		route(Method::get, "/api/v1/pairs/{left}/of/{right}", Access::user),
		route(Method::post, "/api/v1/dump", Access::admin),
		route(Method::get, "/api/v1/dump", Access::admin),
		route(Method::get, "/api/v1/keys", Access::local),
		route(Method::put, "/api/v1/policy", Access::user, Reads::policy_body),
		route(Method::get, "/api/v1/boom", Access::open),
	};
	routes.back().handle = [](const Call &) -> Response { throw std::runtime_error("bug"); };
	return routes;
}

// "admin" and "reader" are the tokens that hold.
Result<identity::Subject> authenticate(const identity::Credentials &credentials)
{
	if (!credentials.authorization)
		return fail(ErrorKind::unauthenticated, "missing bearer token");
	if (*credentials.authorization == "Basic x")
		return fail(ErrorKind::unauthenticated, "invalid authorization scheme");
	if (*credentials.authorization == "admin")
		return identity::Subject{.sub = "anna", .roles = {"Admin"}};
	if (*credentials.authorization == "reader")
		return identity::Subject{.sub = "ray", .roles = {}};
	if (*credentials.authorization == "broken")
		return fail(ErrorKind::corrupt, "the key set is unreadable");
	return fail(ErrorKind::unauthenticated, "invalid jwt signature");
}

struct Bench {
	std::vector<std::string> outcomes;
	Router router{table(),
		      {.authenticate = authenticate,
		       .body_limit_bytes = 10,
		       .policy_body_limit_bytes = 100,
		       .on_auth = [this](const AuthOutcome &outcome) {
			       outcomes.push_back(text(outcome.outcome, "/", outcome.reason));
		       }}};

	Head head(std::string_view method, std::string_view target, std::string_view token = "")
	{
		Head head;
		const auto parts = split_target(target);
		REQUIRE(parts);
		head.request.path = parts->path;
		head.request.query = parts->query;
		head.method_name = method;
		if (method == "GET" || method == "HEAD")
			head.method = Method::get;
		if (method == "PUT")
			head.method = Method::put;
		if (method == "POST")
			head.method = Method::post;
		if (method == "PATCH")
			head.method = Method::patch;
		if (method == "DELETE")
			head.method = Method::erase;
		head.request.method = head.method.value_or(Method::get);
		if (!token.empty())
			head.request.headers.emplace_back("Authorization", token);
		return head;
	}
	Router::Decision decide(std::string_view method, std::string_view target, std::string_view token = "")
	{
		const Head asked = head(method, target, token);
		return router.decide(router.match(asked), asked);
	}
	int status(std::string_view method, std::string_view target, std::string_view token = "")
	{
		const auto decision = decide(method, target, token);
		return decision.refusal ? decision.refusal->status : 200;
	}
	std::string body(std::string_view method, std::string_view target, std::string_view token = "admin")
	{
		const Head asked = head(method, target, token);
		const auto decision = router.decide(router.match(asked), asked);
		return decision.refusal ? decision.refusal->body
					: Router::handle(decision, asked.request).body;
	}
};

std::string header(const Response &response, std::string_view name)
{
	for (const auto &[key, value] : response.headers)
		if (equal_names(key, name))
			return value;
	return "";
}

} // namespace

TEST_CASE("401 comes before 403, 403 before 405, and 405 before a bad parameter")
{
	Bench bench;
	CHECK(bench.status("PATCH", "/api/v1/things/a") == 401);
	CHECK(bench.status("PATCH", "/api/v1/things/a", "reader") == 403);
	CHECK(bench.status("PATCH", "/api/v1/things/a", "admin") == 405);
	CHECK(bench.status("OPTIONS", "/api/v1/things/a") == 401);
	CHECK(bench.status("OPTIONS", "/api/v1/things/a", "reader") == 405); // no write: no role needed
	CHECK(bench.status("DELETE", "/api/v1/things/%ff", "admin") == 405);
	CHECK(bench.status("GET", "/api/v1/things/%ff") == 401);
	CHECK(bench.status("GET", "/api/v1/things/%ff", "reader") == 400);
	CHECK(bench.status("PUT", "/health") == 405); // open: nobody is asked
}

TEST_CASE("a reader reads, an admin writes, and Access::admin asks for the role whatever the method")
{
	Bench bench;
	CHECK(bench.status("GET", "/api/v1/things", "reader") == 200);
	CHECK(bench.status("HEAD", "/api/v1/things", "reader") == 200);
	CHECK(bench.status("POST", "/api/v1/things", "reader") == 403);
	CHECK(bench.body("POST", "/api/v1/things", "reader") == R"({"error":"admin role required"})");
	CHECK(bench.status("POST", "/api/v1/things", "admin") == 200);
	CHECK(bench.status("GET", "/api/v1/dump", "reader") == 403);
	CHECK(bench.status("GET", "/api/v1/dump", "admin") == 200);
}

TEST_CASE("a wrong method names the right ones")
{
	Bench bench;
	const auto decision = bench.decide("DELETE", "/api/v1/things", "admin");
	REQUIRE(decision.refusal);
	CHECK(decision.refusal->status == 405);
	CHECK(decision.refusal->body.empty());
	CHECK(header(*decision.refusal, "Allow") == "GET, HEAD, POST");
}

TEST_CASE("the raw path is matched, its parameters are decoded afterwards")
{
	Bench bench;
	CHECK(bench.body("GET", "/api/v1/things/a%2Fb") == "anna|a/b");
	CHECK(bench.body("GET", "/api/v1/things/a+b%20c%zz%") == "anna|a+b c%zz%");
	CHECK(bench.body("GET", "/api/v1/things/%73pecial") ==
	      "anna|special"); // a parameter, not the literal
	CHECK(bench.body("GET", "/api/v1/things/special") == "anna");
	CHECK(bench.body("GET", "/api/v1/pairs/%C3%A9/of/%F0%9F%98%80") == "anna|\xc3\xa9|\xf0\x9f\x98\x80");
	CHECK(bench.status("GET", "/api/v1/%74hings", "admin") == 404);
}

TEST_CASE("a parameter or a query that is not UTF-8 is a 400 that says where")
{
	Bench bench;
	const auto decision = bench.decide("GET", "/api/v1/pairs/ok/of/%c3%28", "admin");
	REQUIRE(decision.refusal);
	CHECK(decision.refusal->status == 400);
	CHECK(decision.refusal->body == "Invalid URL: Invalid UTF-8 in `right`");
	CHECK(decision.refusal->content_type.starts_with("text/plain"));
	CHECK(bench.status("GET", "/api/v1/things?a=%ff", "admin") == 400);
	CHECK(bench.status("GET", "/api/v1/things?a=%c3%a9", "admin") == 200);
}

TEST_CASE("an unknown path of the API is 404 for everybody; elsewhere the page answers")
{
	Bench bench;
	for (const char *path : {"/api/v1/nothing", "/api/v1/things/a/b", "/api/v1/health", "/health/x",
				 "/api/", "/api/v1/dump/", "/api/v1//things", "/api/v1/pairs//of/b"}) {
		CAPTURE(path);
		const bool is_api = std::string_view(path).starts_with("/api/");
		CHECK(bench.status("GET", path) == (is_api ? 404 : 200));
		CHECK(bench.status("POST", path) == (is_api ? 404 : 405));
	}
	CHECK(bench.body("GET", "/api/v1/nothing") == R"({"error":"not found"})");
	CHECK(bench.body("GET", "/login").find("<h1>Neuwerk</h1>") != std::string::npos);
	CHECK(bench.decide("GET", "/").name == "/ui");
	CHECK(bench.decide("GET", "/api/v1/nothing").name == "unmatched");
	CHECK(bench.decide("GET", "/api/v1/things/a", "admin").name == "/api/v1/things/{name}");
	const auto refused = bench.decide("PUT", "/login");
	CHECK(header(*refused.refusal, "allow") == "GET, HEAD");
	CHECK(bench.status("OPTIONS", "*") == 405);
}

TEST_CASE("an empty last segment is a path of its own")
{
	Bench bench;
	CHECK(bench.status("PUT", "/api/v1/things/", "admin") == 200);
	CHECK(bench.status("GET", "/api/v1/things/", "admin") == 405);
}

TEST_CASE("local routes do not exist for others, and the local peer is admin without a token")
{
	Bench bench;
	CHECK(bench.status("GET", "/api/v1/keys", "admin") == 404);
	CHECK(bench.status("PUT", "/api/v1/keys", "admin") == 404);
	Head local = bench.head("GET", "/api/v1/keys");
	local.is_local = true;
	auto decision = bench.router.decide(bench.router.match(local), local);
	CHECK(!decision.refusal);
	CHECK(decision.subject.sub == "local:root");
	local = bench.head("POST", "/api/v1/dump");
	local.is_local = true;
	CHECK(!bench.router.decide(bench.router.match(local), local).refusal);
	CHECK(bench.outcomes.empty());
}

TEST_CASE("what authentication found is counted once per protected request")
{
	Bench bench;
	for (const char *token : {"", "Basic x", "forged", "broken", "reader", "admin"})
		(void)bench.status("POST", "/api/v1/things", token);
	(void)bench.status("GET", "/health", "forged");
	CHECK(bench.outcomes == std::vector<std::string>{"deny/missing_token", "deny/invalid_scheme",
							 "deny/invalid_token", "deny/keyset_error",
							 "deny/insufficient_role", "allow/valid_token"});
	CHECK(bench.body("GET", "/api/v1/things", "forged") == R"({"error":"invalid jwt signature"})");
}

TEST_CASE("each route has the limit of what it reads")
{
	Bench bench;
	CHECK(bench.decide("POST", "/api/v1/things", "admin").body_limit_bytes == 10);
	CHECK(bench.decide("PUT", "/api/v1/policy", "admin").body_limit_bytes == 100);
	CHECK(bench.decide("PUT", "/nowhere").body_limit_bytes == 10);
}

TEST_CASE("a handler that throws is a 500 and nothing worse")
{
	Bench bench;
	const Head head = bench.head("GET", "/api/v1/boom");
	const auto decision = bench.router.decide(bench.router.match(head), head);
	const Response response = Router::handle(decision, head.request);
	CHECK(response.status == 500);
	CHECK(response.body == R"({"error":"internal error: /api/v1/boom: see the log"})");
}

TEST_CASE("query values are decoded, and a repeated key keeps its order")
{
	const Request request{.method = Method::get,
			      .path = "/",
			      .query = "a=1&b=x+y%26z&a=2&c&=e&a%20b=3&d==",
			      .headers = {},
			      .body = {},
			      .peer = {}};
	const Call call{request, {}, {}};
	CHECK(call.query_values("a") == std::vector<std::string>{"1", "2"});
	CHECK(call.query_value("a") == "2");
	CHECK(call.query_value("b") == "x y&z");
	CHECK(call.query_value("c") == "");
	CHECK(call.query_value("") == "e");
	CHECK(call.query_value("a b") == "3");
	CHECK(call.query_value("d") == "=");
	CHECK(!call.query_value("e"));
}

TEST_CASE("targets are split, absolute forms lose their host")
{
	CHECK(split_target("https://host:1/a?b?c")->path == "/a");
	CHECK(split_target("https://host:1/a?b?c")->query == "b?c");
	CHECK(split_target("http://host")->path == "/");
	CHECK(split_target("*")->path == "*");
	for (const char *target : {"", "a", "host:443", "?a", "ftp://x/"})
		CHECK(!split_target(target));
}

TEST_CASE("UTF-8 is what RFC 3629 says")
{
	for (const char *good : {"", "a", "\xc2\x80", "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf"})
		CHECK(is_utf8(good));
	for (const char *bad :
	     {"\x80", "\xc0\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
	      "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xc3", "\xe2\x82", "\xc3\x28", "a\xff"})
		CHECK(!is_utf8(bad));
}

TEST_CASE("an error is JSON, even where its message quotes what is no text")
{
	CHECK(error_response({ErrorKind::conflict, "a \"b\"\n"}).body == R"({"error":"a \"b\"\n"})");
	CHECK(error_response({ErrorKind::conflict, "x"}).status == 409);
	CHECK(error_response(400, "bad \xff byte").body == R"({"error":"bad ? byte"})");
}
