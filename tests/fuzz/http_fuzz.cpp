// Any bytes through what stands between a socket and a handler: the reader of requests, the router, the body
// reader and the writer of responses.
//
// Byte 0 says in parts of which size the rest arrives. Whole or in parts, the outcome must be the same; only
// when a request is refused may differ: some faults show in a whole header, others with their byte.
#include "api/body.h"
#include "api/request_reader.h"
#include "api/response_writer.h"
#include "api/router.h"
#include "api/uri.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

using namespace neuwerk;
using namespace neuwerk::api;
using Step = RequestReader::Step;

namespace {

constexpr std::size_t header_limit_bytes = 4096;

// Asks for every kind of value, as the handlers do.
Response read_fields(const Call &call)
{
	for (const char *key : {"limit", "since", "a"})
		(void)call.query_values(key);
	const auto body = Body::parse(call.request.body);
	if (!body)
		return error_response(body.error());
	std::string seen;
	for (const char *key : {"name", "a", ""}) {
		if (const auto value = body->text_or_none(key); value && *value)
			seen += **value;
		(void)body->flag_or_none(key);
		(void)body->integer_or_none(key);
		(void)body->texts_or_none(key);
		// What is given out as JSON must be JSON again.
		if (const auto value = body->json_or_none(key); value && *value && (**value)[0] == '{')
			if (!Body::parse(**value))
				std::abort();
	}
	return {.body = seen, .headers = {{"x-seen", seen}}};
}

Routes table()
{
	const auto route = [](Method method, std::string_view path, Access access) {
		return Route{method, path, access, Reads::json_body, {}, read_fields, true};
	};
	return {route(Method::get, "/health", Access::open),
		route(Method::post, "/api/v1/open", Access::open),
		route(Method::put, "/api/v1/integrations/{name}", Access::open),
		route(Method::get, "/api/v1/integrations/{name}/of/{other}", Access::user),
		route(Method::erase, "/api/v1/admin", Access::admin),
		route(Method::patch, "/api/v1/local", Access::local)};
}

Result<identity::Subject> authenticate(const identity::Credentials &credentials)
{
	if (!credentials.authorization)
		return fail(ErrorKind::unauthenticated, "missing bearer token");
	return identity::Subject{.sub = std::string(*credentials.authorization),
				 .service_account = {},
				 .expires_s = {},
				 .roles = {"admin"}};
}

const Router &router()
{
	static const Router router(table(), {.authenticate = authenticate, .on_auth = {}});
	return router;
}

struct Outcome {
	std::string answers; // statuses and bodies of all requests
	bool failed = false;
};

Outcome serve(std::string_view bytes, std::size_t part_bytes)
{
	Outcome outcome;
	std::string input;
	RequestReader reader(header_limit_bytes);
	bool has_head = false;
	Router::Match match;
	std::optional<RequestReader> next;
	RequestReader *current = &reader;
	const auto step = [&] {
		if (!has_head) {
			if (const Step head = current->read_head(input); head != Step::ready)
				return head;
			has_head = true;
			match = router().match(current->head());
			current->expect_body(1000, true);
		}
		return current->read_body(input);
	};
	while (!bytes.empty()) {
		input += bytes.substr(0, part_bytes);
		bytes.remove_prefix(std::min(part_bytes, bytes.size()));
		Step done;
		while ((done = step()) == Step::ready) {
			const Head &head = current->head();
			const auto decision = router().decide(match, head);
			const Response response =
				decision.refusal ? *decision.refusal : Router::handle(decision, head.request);
			const Framing framing{.keep_alive = current->keep_alive(),
					      .is_head = head.method_name == "HEAD",
					      .is_http10 = current->is_http10(),
					      .path = head.request.path};
			const std::string written = write_head(response, framing);
			// One header ends where it ends: no value may end it before.
			if (written.find("\r\n\r\n") != written.size() - 4 || !is_utf8(response.body))
				std::abort();
			outcome.answers += std::to_string(response.status) + response.body + "\n";
			next.emplace(header_limit_bytes);
			current = &*next;
			has_head = false;
			if (input.empty())
				break;
		}
		if (done == Step::failed) {
			if (current->failure().status < 400 || !is_utf8(current->failure().what))
				std::abort();
			outcome.failed = true;
			return outcome;
		}
	}
	return outcome;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	if (size < 2)
		return 0;
	const std::string_view bytes(reinterpret_cast<const char *>(data) + 1, size - 1);
	const Outcome whole = serve(bytes, bytes.size()), parts = serve(bytes, data[0] % 32 + 1);
	const bool is_same = whole.failed || parts.failed ? whole.answers.starts_with(parts.answers) ||
								    parts.answers.starts_with(whole.answers)
							  : whole.answers == parts.answers;
	if (!is_same)
		std::abort();
	return 0;
}
