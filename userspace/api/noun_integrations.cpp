// Routes: Kubernetes integrations, spec/http-api §5.5.
#include "api/fields.h"
#include "api/integration_record.h"
#include "api/nouns.h"
#include "api/outbound.h"
#include "api/records.h"
#include "api/spelling.h"
#include "base/text.h"

namespace neuwerk::api {

namespace {

// What both POST and PUT bring. Texts are judged without surrounding blanks and kept as they were sent.
struct Connection {
	std::string api_server_url, ca_cert_pem, service_account_token;
};

void read_connection(Fields &fields, Connection &into)
{
	fields.required("api_server_url", into.api_server_url);
	fields.required("ca_cert_pem", into.ca_cert_pem);
	fields.required("service_account_token", into.service_account_token);
}

// In the order of the spec.
Result<> check_connection(const Connection &connection)
{
	const auto refuse = [](std::string_view why) {
		return fail(ErrorKind::invalid_argument, std::string(why));
	};
	if (is_blank(connection.api_server_url))
		return refuse("api_server_url is required");
	const auto url = parse_url(trimmed(connection.api_server_url));
	if (!url)
		return refuse("api_server_url must be a valid absolute URL");
	if (url->host.empty())
		return refuse("api_server_url must include a host");
	if (!is_safe_to_call(*url))
		return refuse("api_server_url must use https (http is allowed only for loopback test "
			      "endpoints)");
	if (is_blank(connection.ca_cert_pem))
		return refuse("ca_cert_pem is required");
	if (is_blank(connection.service_account_token))
		return refuse("service_account_token is required");
	return {};
}

void connect(Integration &integration, const Connection &connection, const crypto::SealingKey &sealing)
{
	integration.api_server_url = connection.api_server_url;
	integration.ca_cert_pem = connection.ca_cert_pem;
	// A token goes into a header line: the line break at the end of a token file is not part of it.
	integration.token_envelope = crypto::seal(sealing, trimmed(connection.service_account_token));
}

Result<> check_room(const state::Store &store)
{
	const auto names = store.list(integration_name_prefix);
	if (!names)
		return tl::unexpected(names.error());
	if (names->size() >= integration_limit_count)
		return fail(ErrorKind::resource_exhausted,
			    text("integrations: there are ", names->size(), " already, the limit is ",
				 integration_limit_count, ": delete some"));
	return {};
}

Result<Integration> create(Services &services, const Call &call)
{
	std::string name, kind;
	Connection connection;
	Fields fields(call.request.body);
	fields.required("name", name);
	fields.required("kind", kind);
	read_connection(fields, connection);
	if (const auto read = fields.result(); !read)
		return tl::unexpected(read.error());
	if (lower(trimmed(kind)) != "kubernetes")
		return fail(ErrorKind::invalid_argument, "kind must be kubernetes");
	if (is_blank(name))
		return fail(ErrorKind::invalid_argument, "name is required");
	if (name.size() > integration_name_limit_bytes)
		return fail(ErrorKind::invalid_argument,
			    text("name: longer than ", integration_name_limit_bytes, " bytes"));
	if (const auto checked = check_connection(connection); !checked)
		return tl::unexpected(checked.error());
	if (const auto room = check_room(services.store); !room)
		return tl::unexpected(room.error());

	const std::int64_t now_ms = services.now_ms();
	Integration integration{.id = crypto::random_uuid(),
				.created_at = identity::format_time(now_ms),
				.created_ms = now_ms,
				.name = std::string(trimmed(name))};
	connect(integration, connection, services.sealing);
	const std::string name_key = integration_name_key(name);
	const auto written = services.store.write(
		{.operations = {state::require(name_key, 0), state::put(name_key, integration.id),
				state::put(integration_key(integration.id), record_of(integration))},
		 .actor = call.subject.sub});
	if (!written && written.error().kind == ErrorKind::conflict)
		return fail(ErrorKind::conflict, "integration already exists");
	if (!written)
		return tl::unexpected(written.error());
	return integration;
}

// The body is judged before the name is looked up (spec/http-api §2.1).
Result<Integration> update(Services &services, const Call &call)
{
	Connection connection;
	Fields fields(call.request.body);
	read_connection(fields, connection);
	if (const auto read = fields.result(); !read)
		return tl::unexpected(read.error());
	if (const auto checked = check_connection(connection); !checked)
		return tl::unexpected(checked.error());
	const auto found = find_integration(services.store, call.parameters.at(0));
	if (!found)
		return tl::unexpected(found.error());

	const std::string key = integration_key(found->integration.id);
	Integration after;
	const auto reconnect = [&](const std::optional<std::string> &current) -> Result<std::string> {
		if (!current)
			return fail(ErrorKind::not_found, "integration not found");
		auto before = integration_of(key, *current);
		if (!before)
			return tl::unexpected(before.error());
		after = std::move(*before);
		connect(after, connection, services.sealing);
		return record_of(after);
	};
	if (const auto written = rewrite(services.store, key, call.subject.sub, reconnect); !written)
		return tl::unexpected(written.error());
	return after;
}

// An update between look-up and deletion is no reason to keep the record: look again.
Result<> remove(Services &services, const Call &call)
{
	for (int attempt = 0; attempt < rewrite_attempt_limit_count; ++attempt) {
		const auto found = find_integration(services.store, call.parameters.at(0));
		if (!found)
			return tl::unexpected(found.error());
		const std::string key = integration_key(found->integration.id);
		const auto written = services.store.write(
			{.operations = {state::require(key, found->revision), state::erase(key),
					state::erase(integration_name_key(found->integration.name))},
			 .actor = call.subject.sub});
		if (written)
			return {};
		if (written.error().kind != ErrorKind::conflict)
			return tl::unexpected(written.error());
	}
	return fail(ErrorKind::conflict, text("integration ", call.parameters.at(0),
					      ": changed by others while it was being deleted: try again"));
}

Response show_all(Services &services)
{
	const auto all = integrations(services.store);
	if (!all)
		return error_response(all.error());
	std::string body = "[";
	for (const Integration &integration : *all)
		body += text(body.size() > 1 ? "," : "", view_of(integration));
	return {.body = body + "]"};
}

Response show(const Result<Integration> &integration)
{
	if (!integration)
		return error_response(integration.error());
	return {.body = view_of(*integration)};
}

Response show_one(Services &services, const Call &call)
{
	const auto found = find_integration(services.store, call.parameters.at(0));
	if (!found)
		return error_response(found.error());
	return show(found->integration);
}

} // namespace

void add_integrations_routes(Routes &routes, Services &services)
{
	constexpr std::string_view all = "/api/v1/integrations", one = "/api/v1/integrations/{name}";
	routes.push_back(
		{.method = Method::get,
		 .path = all,
		 .access = Access::user,
		 .reads = Reads::no_body,
		 .documentation =
			 {.tag = "Integrations",
			  .summary = "All integrations, by creation",
			  .response =
				  R"({"type":"array","items":{"$ref":"#/components/schemas/Integration"}})"},
		 .handle = [&services](const Call &) { return show_all(services); }});
	routes.push_back({.method = Method::post,
			  .path = all,
			  .access = Access::user,
			  .reads = Reads::json_body,
			  .documentation = {.tag = "Integrations",
					    .summary = "Add a Kubernetes cluster; 409 when the name is taken",
					    .request = "#IntegrationCreate",
					    .response = "#Integration"},
			  .handle = [&services](const Call &call) { return show(create(services, call)); }});
	routes.push_back({.method = Method::get,
			  .path = one,
			  .access = Access::user,
			  .reads = Reads::no_body,
			  .documentation = {.tag = "Integrations",
					    .summary = "One integration, by name in any case",
					    .response = "#Integration"},
			  .handle = [&services](const Call &call) { return show_one(services, call); }});
	routes.push_back({.method = Method::put,
			  .path = one,
			  .access = Access::user,
			  .reads = Reads::json_body,
			  .documentation = {.tag = "Integrations",
					    .summary = "Replace address, CA and token; name and id stay",
					    .request = "#IntegrationUpdate",
					    .response = "#Integration"},
			  .handle = [&services](const Call &call) { return show(update(services, call)); }});
	routes.push_back(
		{.method = Method::erase,
		 .path = one,
		 .access = Access::user,
		 .reads = Reads::no_body,
		 .documentation = {.tag = "Integrations",
				   .summary = "Remove an integration, whether a policy names it or not",
				   .success = 204},
		 .handle = [&services](const Call &call) -> Response {
			 const auto removed = remove(services, call);
			 return removed ? Response{.status = 204} : error_response(removed.error());
		 }});
}

} // namespace neuwerk::api
