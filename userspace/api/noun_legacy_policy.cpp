// Routes that the published Terraform provider calls for neuwerk_policy, on the singleton (spec/http-api
// §5.4).
//
// The provider knows one policy per name; the one that we have carries the name of whoever wrote it last
// through these routes, and loses it with the next PUT /policy.
#include "api/body.h"
#include "api/nouns.h"
#include "api/policy_exchange.h"
#include "api/spelling.h"

#include <boost/json.hpp>

#include <utility>

namespace neuwerk::api {

namespace json = boost::json;

namespace {

constexpr std::string_view tag = "Policies";
constexpr std::string_view record_schema = R"({"type": "object", "properties": {
"id": {"type": "string", "format": "uuid"}, "created_at": {"type": "string", "format": "date-time"},
"name": {"type": "string"}, "mode": {"enum": ["disabled", "audit", "enforce"]}, "policy": {"type": "object"}}})";
constexpr std::string_view write_schema = R"({"type": "object", "properties": {
"mode": {"enum": ["disabled", "audit", "enforce"]}, "policy": {"type": "object"}}, "required": ["policy"]})";

bool same_name(std::string_view a, std::string_view b)
{
	return lower(trimmed(a)) == lower(trimmed(b));
}

// The document goes in as it was stored: its numbers and the order of its keys stay.
std::string body_of(const PolicyRecord &record)
{
	json::object head{{"id", record.id}, {"created_at", record.created_at}};
	if (record.name)
		head["name"] = *record.name;
	head["mode"] = record.mode;
	std::string body = json::serialize(head);
	body.back() = ',';
	return body + "\"policy\":" + record.document + "}";
}

Response not_found()
{
	return error_response(404, "policy not found");
}

Response get_by_name(Services &services, const Call &call)
{
	const std::string &name = call.parameters.at(0);
	if (is_blank(name))
		return error_response(400, "policy name must not be empty");
	const auto record = services.appliance.policy();
	if (!record)
		return error_response(record.error());
	if (!record->name || !same_name(*record->name, name))
		return not_found();
	return document_response(body_of(*record), wants_yaml(call));
}

Response put_by_name(Services &services, const Call &call)
{
	const std::string &name = call.parameters.at(0);
	if (is_blank(name))
		return error_response(400, "policy name must not be empty");
	const auto body = Body::parse(call.request.body);
	if (!body)
		return error_response(body.error());
	const auto mode = body->text_or_none("mode");
	if (!mode)
		return error_response(mode.error());
	const auto document = body->json_or_none("policy");
	if (!document)
		return error_response(document.error());
	if (!*document)
		return error_response(400, "invalid json: missing field `policy`");
	if (const auto known = check_integrations(services.store, **document, false); !known)
		return error_response(known.error());
	PolicyWrite write{.document = **document, .author = call.subject.sub, .message = {}};
	write.message = "written as " + name;
	write.name = name;
	write.mode = mode->value_or("enforce");
	write.default_group_mode = "enforce"; // the provider sends no mode of a group
	const auto written = services.appliance.write_policy(write);
	if (!written)
		return error_response(written.error());
	Response response{.body = body_of(written->record)};
	add_outcome(*written, response);
	return response;
}

Response erase(Services &services, const Call &call)
{
	const auto id = parse_uuid(call.parameters.at(0));
	if (!id)
		return error_response(400, "invalid policy id");
	const auto reset = services.appliance.reset_policy(*id, call.subject.sub);
	return reset ? Response{.status = 204} : error_response(reset.error());
}

// There is one policy: these never found anything since.
Response nothing(Services &, const Call &)
{
	return {.status = 404};
}

} // namespace

void add_legacy_policy_routes(Routes &routes, Services &services)
{
	using Handle = Response (*)(Services &, const Call &);
	const auto add = [&](Method method, std::string_view path, Reads reads, Documentation documentation,
			     Handle handle) {
		documentation.tag = tag;
		routes.push_back(
			{.method = method,
			 .path = path,
			 .access = Access::user,
			 .reads = reads,
			 .documentation = std::move(documentation),
			 .handle = [&services, handle](const Call &call) { return handle(services, call); }});
	};
	constexpr std::string_view all = "/api/v1/policies", by_id = "/api/v1/policies/{id}",
				   by_name = "/api/v1/policies/by-name/{name}";
	add(Method::get, by_name, Reads::no_body,
	    {.summary = "Legacy: the policy, if it carries this name",
	     .response = record_schema,
	     .query = {"format"}},
	    get_by_name);
	add(Method::put, by_name, Reads::policy_body,
	    {.summary = "Legacy: write the policy under this name",
	     .request = write_schema,
	     .response = record_schema},
	    put_by_name);
	add(Method::erase, by_id, Reads::no_body,
	    {.summary = "Legacy: reset the policy to deny all, if it carries a name and this id",
	     .success = 204},
	    erase);
	const Documentation gone{.summary = "Legacy: always 404, there is one policy", .success = 404};
	for (const Method method : {Method::get, Method::post, Method::put, Method::patch, Method::erase})
		add(method, all, Reads::no_body, gone, nothing);
	for (const Method method : {Method::get, Method::post, Method::put, Method::patch})
		add(method, by_id, Reads::no_body, gone, nothing);
	for (const Method method : {Method::post, Method::patch, Method::erase})
		add(method, by_name, Reads::no_body, gone, nothing);
}

} // namespace neuwerk::api
