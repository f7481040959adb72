// Routes: the policy singleton and everything about it (spec/http-api §5.3).
#include "api/body.h"
#include "api/nouns.h"
#include "api/policy_exchange.h"
#include "base/address.h"
#include "base/text.h"

#include <boost/json.hpp>

#include <utility>

namespace neuwerk::api {

namespace json = boost::json;

namespace {

constexpr std::string_view tag = "Policies";
constexpr std::uint64_t any_revision = INT64_MAX;

// clang-format off
constexpr std::string_view written_schema = "#Policy";
constexpr std::string_view review_schema = R"({"type": "object", "properties": {
"warnings": {"type": "array", "items": {"type": "string"}},
"not_enforceable": {"type": "array", "items": {"type": "string"}, "description": "what a write would refuse"}
}, "required": ["warnings", "not_enforceable"]})";
constexpr std::string_view question_schema = R"({"type": "object", "properties": {
"source": {"type": "string", "format": "ipv4"}, "destination": {"type": "string", "format": "ipv4"},
"protocol": {"type": "string", "description": "tcp, udp, icmp or a number"},
"source_port": {"type": "integer"}, "destination_port": {"type": "integer"},
"icmp_type": {"type": "integer"}, "icmp_code": {"type": "integer"}
}, "required": ["source", "destination", "protocol"]})";
constexpr std::string_view explanation_schema = R"({"type": "object", "properties": {
"verdict": {"type": "string"}, "why": {"type": "string"}, "allowed": {"type": "boolean"},
"generation": {"type": "integer"}, "revision": {"type": "integer"}, "group": {"type": "string"},
"rule": {"type": "string"}, "mode": {"type": "string"}, "audit": {"type": "string"}}})";
constexpr std::string_view pair_schema = R"({"description": "two documents or revisions; or one document, which is compared with ?revision=, else with the policy that stands", "type": "object", "properties": {
"from": {"type": ["object", "string", "integer", "null"]}, "to": {"type": ["object", "string", "integer", "null"]}}})";
constexpr std::string_view difference_schema = R"({"type": "object", "properties": {
"equivalent": {"type": "boolean", "description": "no packet is treated differently"},
"complete": {"type": "boolean", "description": "false: there may be more examples"},
"default_policy_changed": {"type": "boolean"}, "groups": {"type": "object"}, "rules": {"type": "object"},
"examples": {"type": "array", "items": {"type": "object"}}}})";
constexpr std::string_view tests_schema = R"({"type": "object", "properties": {"passed": {"type": "boolean"},
"tests": {"type": "array", "items": {"type": "object", "properties": {"name": {"type": "string"},
"passed": {"type": "boolean"}, "detail": {"type": "string"}}}}}})";
constexpr std::string_view rollback_schema = R"({"type": "object", "properties": {
"revision": {"type": "integer"}, "message": {"type": ["string", "null"]}}, "required": ["revision"]})";
constexpr std::string_view status_schema = R"({"type": "object", "properties": {"revision": {"type": "integer"},
"generation": {"type": "integer"}, "enforced_revision": {"type": "integer"},
"enforced_since": {"type": ["string", "null"], "format": "date-time"}, "pending": {"type": ["object", "null"]},
"confirm": {"type": ["object", "null"]}, "last_error": {"type": ["string", "null"]}}})";
constexpr std::string_view record_schema = R"({"type": "object", "properties": {"revision": {"type": "integer"},
"time": {"type": "string", "format": "date-time"}, "author": {"type": "string"}, "message": {"type": "string"},
"source": {"type": "string"}, "name": {"type": ["string", "null"]}, "mode": {"type": "string"}}})";
constexpr std::string_view history_schema = R"({"type": "array", "items": {"type": "object"}})";
// clang-format on

json::object object_of(const PolicyRecord &record)
{
	return {{"revision", record.revision},
		{"time", record.time},
		{"author", record.author},
		{"message", record.message},
		{"source", record.source},
		{"name", record.name ? json::value(*record.name) : json::value()},
		{"mode", record.mode}};
}

Response answer(Result<std::string> result)
{
	return result ? Response{.body = std::move(*result)} : error_response(result.error());
}

// The stored document, with the headers of the write.
Response answer(const Result<PolicyWritten> &written)
{
	if (!written)
		return error_response(written.error());
	Response response{.body = written->record.document};
	add_outcome(*written, response);
	return response;
}

tl::unexpected<Error> refuse(std::string what)
{
	return fail(ErrorKind::invalid_argument, std::move(what));
}

// `"7"`, `W/"7"` or `7`; `*` is any.
Result<std::optional<std::uint64_t>> expected_revision(const Request &request)
{
	const auto header = request.header("if-match");
	if (!header || *header == "*")
		return std::nullopt;
	std::string_view digits = *header;
	if (digits.starts_with("W/"))
		digits.remove_prefix(2);
	if (digits.size() >= 2 && digits.front() == '"' && digits.back() == '"')
		digits = digits.substr(1, digits.size() - 2);
	const auto revision = parse_number(digits, any_revision);
	if (!revision)
		return refuse(text("If-Match: '", *header, "' is not a revision of the policy"));
	return *revision;
}

Result<PolicyWrite> write_of(const Call &call)
{
	PolicyWrite write{.document = call.request.body,
			  .is_yaml = sends_yaml(call.request),
			  .author = call.subject.sub,
			  .message = call.query_value("message").value_or("")};
	auto expected = expected_revision(call.request);
	if (!expected)
		return tl::unexpected(expected.error());
	write.expected_revision = *expected;
	if (const auto confirm = call.query_value("confirm")) {
		const auto seconds = parse_number(*confirm, any_revision);
		if (!seconds)
			return refuse(text("confirm: '", *confirm, "' is not a number of seconds"));
		write.confirm_s = static_cast<std::int64_t>(*seconds);
	}
	if (const auto wait = call.query_value("wait")) {
		if (*wait != "required")
			return refuse(text("wait: '", *wait, "' is not required"));
		write.wait_required = true;
	}
	return write;
}

Response get_policy(Services &services, const Call &call)
{
	auto record = services.appliance.policy();
	if (!record)
		return error_response(record.error());
	Response response = document_response(std::move(record->document), wants_yaml(call));
	add_revision(*record, response);
	return response;
}

Response put_policy(Services &services, const Call &call)
{
	const auto write = write_of(call);
	if (!write)
		return error_response(write.error());
	if (const auto known = check_integrations(services.store, write->document, write->is_yaml); !known)
		return error_response(known.error());
	return answer(services.appliance.write_policy(*write));
}

Response validate(Services &services, const Call &call)
{
	const bool is_yaml = sends_yaml(call.request);
	const auto review = services.appliance.validate_policy(call.request.body, is_yaml);
	if (!review)
		return error_response(review.error());
	json::array warnings(review->warnings.begin(), review->warnings.end());
	json::array refusals(review->not_enforceable.begin(), review->not_enforceable.end());
	if (const auto known = check_integrations(services.store, call.request.body, is_yaml); !known)
		refusals.emplace_back(known.error().what);
	return {.body = json::serialize(json::object{{"warnings", std::move(warnings)},
						     {"not_enforceable", std::move(refusals)}})};
}

Result<std::string> document_at(Services &services, std::uint64_t revision)
{
	auto record = services.appliance.policy_at(revision);
	if (!record)
		return tl::unexpected(record.error());
	return std::move(record->document);
}

Result<std::string> standing_document(Services &services)
{
	auto record = services.appliance.policy();
	if (!record)
		return tl::unexpected(record.error());
	return std::move(record->document);
}

// One side of a comparison: a revision, a document, a document as text; absent: what stands.
Result<std::string> side_of(Services &services, const Body &body, std::string_view key)
{
	const auto written = body.json_or_none(key);
	if (!written)
		return tl::unexpected(written.error());
	if (!*written)
		return standing_document(services);
	if (const auto revision = parse_number(**written, any_revision))
		return document_at(services, *revision);
	return (*written)->starts_with('"') ? body.text(key) : **written;
}

Response diff(Services &services, const Call &call)
{
	const std::string &sent = call.request.body;
	const Result<Body> body = sends_yaml(call.request)
					  ? Result<Body>(fail(ErrorKind::invalid_argument, "a YAML document"))
					  : Body::parse(sent);
	const auto has = [&](std::string_view key) {
		if (!body)
			return false;
		const auto value = body->json_or_none(key);
		return value && *value;
	};
	if (has("from") || has("to")) {
		const auto from = side_of(services, *body, "from");
		if (!from)
			return error_response(from.error());
		const auto to = side_of(services, *body, "to");
		if (!to)
			return error_response(to.error());
		return answer(services.appliance.diff_policies(*from, *to));
	}
	const auto asked = call.query_value("revision");
	const auto revision = asked ? parse_number(*asked, any_revision) : Result<std::uint64_t>(0);
	if (!revision)
		return error_response(400, "invalid revision");
	const auto from = asked ? document_at(services, *revision) : standing_document(services);
	if (!from)
		return error_response(from.error());
	return answer(services.appliance.diff_policies(*from, sent));
}

Response test(Services &services, const Call &call)
{
	if (!call.request.body.empty())
		return answer(services.appliance.test_policy(call.request.body));
	const auto standing = standing_document(services);
	if (!standing)
		return error_response(standing.error());
	return answer(services.appliance.test_policy(*standing));
}

Response history(Services &services)
{
	const auto records = services.appliance.policy_history();
	if (!records)
		return error_response(records.error());
	json::array out;
	for (const PolicyRecord &record : *records)
		out.push_back(object_of(record));
	return {.body = json::serialize(out)};
}

Response history_entry(Services &services, const Call &call)
{
	const auto revision = parse_number(call.parameters.at(0), any_revision);
	if (!revision)
		return error_response(400, "invalid revision");
	const auto record = services.appliance.policy_at(*revision);
	if (!record)
		return error_response(record.error());
	// The document goes in as it was stored: its numbers and their order stay.
	std::string body = json::serialize(object_of(*record));
	body.back() = ',';
	Response response =
		document_response(text(body, "\"document\":", record->document, '}'), wants_yaml(call));
	add_revision(*record, response);
	return response;
}

Response roll_back(Services &services, const Call &call)
{
	const auto body = Body::parse(call.request.body);
	if (!body)
		return error_response(body.error());
	const auto revision = body->integer_or_none("revision");
	if (!revision)
		return error_response(revision.error());
	if (!*revision || **revision < 0)
		return error_response(400, "invalid json: revision: a revision of the history is required");
	const auto message = body->text_or_none("message");
	if (!message)
		return error_response(message.error());
	return answer(services.appliance.roll_back_policy(static_cast<std::uint64_t>(**revision),
							  call.subject.sub, message->value_or("")));
}

Response confirm(Services &services, const Call &call)
{
	const auto confirmed = services.appliance.confirm_policy(call.subject.sub);
	if (!confirmed)
		return error_response(confirmed.error());
	return {.body = services.appliance.policy_status()};
}

} // namespace

void add_policy_routes(Routes &routes, Services &services)
{
	const auto add = [&](Method method, std::string_view path, Reads reads, Documentation documentation,
			     std::function<Response(Services &, const Call &)> handle) {
		documentation.tag = tag;
		routes.push_back({.method = method,
				  .path = path,
				  .access = Access::user,
				  .reads = reads,
				  .documentation = std::move(documentation),
				  .handle = [&services, handle = std::move(handle)](const Call &call) {
					  return handle(services, call);
				  }});
	};
	add(Method::get, "/api/v1/policy", Reads::no_body,
	    {.summary = "The policy that stands, as it was written",
	     .response = written_schema,
	     .query = {"format"}},
	    get_policy);
	add(Method::put, "/api/v1/policy", Reads::policy_body,
	    {.summary = "Put a policy in force: the answer comes after it is stored and, unless "
			"X-Neuwerk-Activation says pending, enforced",
	     .request = "#Policy",
	     .response = written_schema,
	     .query = {"wait", "confirm", "message"}},
	    put_policy);
	add(Method::post, "/api/v1/policy/validate", Reads::policy_body,
	    {.summary = "What a write would warn about and refuse; changes nothing",
	     .request = "#Policy",
	     .response = review_schema},
	    validate);
	add(Method::post, "/api/v1/policy/explain", Reads::json_body,
	    {.summary =
		     "What would happen to a first packet, and which rule says so; answered by the enforcing "
		     "program",
	     .request = question_schema,
	     .response = explanation_schema},
	    [](Services &all, const Call &call) { return answer(all.appliance.explain(call.request.body)); });
	add(Method::post, "/api/v1/policy/diff", Reads::policy_body,
	    {.summary = "What changed between two policies, and packets that they treat differently",
	     .request = pair_schema,
	     .response = difference_schema,
	     .query = {"revision"}},
	    diff);
	add(Method::post, "/api/v1/policy/test", Reads::policy_body,
	    {.summary = "Run the tests of a document; without a body those of the policy that stands",
	     .request = "#Policy",
	     .response = tests_schema},
	    test);
	add(Method::get, "/api/v1/policy/history", Reads::no_body,
	    {.summary = "The last 50 revisions, newest first", .response = history_schema},
	    [](Services &all, const Call &) { return history(all); });
	add(Method::get, "/api/v1/policy/history/{revision}", Reads::no_body,
	    {.summary = "One revision with its document", .response = record_schema, .query = {"format"}},
	    history_entry);
	add(Method::post, "/api/v1/policy/rollback", Reads::json_body,
	    {.summary = "Write the document of a revision again, as a new revision",
	     .request = rollback_schema,
	     .response = written_schema},
	    roll_back);
	add(Method::post, "/api/v1/policy/confirm", Reads::no_body,
	    {.summary = "Keep the policy that was written with ?confirm=", .response = status_schema},
	    confirm);
	add(Method::get, "/api/v1/policy/status", Reads::no_body,
	    {.summary = "Which revision this node enforces, since when, and what it waits for",
	     .response = status_schema},
	    [](Services &all, const Call &) { return Response{.body = all.appliance.policy_status()}; });
}

} // namespace neuwerk::api
