// Integrations in the Store.
#include "api/integration_record.h"

#include "api/fields.h"
#include "api/records.h"
#include "api/spelling.h"
#include "base/text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <tuple>

namespace neuwerk::api {

namespace json = boost::json;

namespace {

json::object common_part(const Integration &integration)
{
	return {{"id", integration.id},
		{"created_at", integration.created_at},
		{"name", integration.name},
		{"kind", "kubernetes"},
		{"api_server_url", integration.api_server_url},
		{"ca_cert_pem", integration.ca_cert_pem}};
}

} // namespace

std::string integration_name_key(std::string_view name)
{
	return text(integration_name_prefix, crypto::to_hex(crypto::sha256(lower(trimmed(name)))));
}

std::string integration_key(std::string_view id)
{
	return text(integration_prefix, id);
}

Result<Integration> integration_of(std::string_view key, std::string_view record)
{
	Integration integration{};
	Fields fields(record);
	fields.required("id", integration.id);
	fields.required("created_at", integration.created_at);
	fields.optional("created_ms", integration.created_ms);
	fields.required("name", integration.name);
	fields.required("api_server_url", integration.api_server_url);
	fields.required("ca_cert_pem", integration.ca_cert_pem);
	fields.required("token_envelope", integration.token_envelope);
	if (const auto read = fields.result(); !read)
		return tl::unexpected(damaged(key, read.error().what));
	return integration;
}

std::string record_of(const Integration &integration)
{
	json::object record = common_part(integration);
	record["created_ms"] = integration.created_ms;
	record["token_envelope"] = integration.token_envelope;
	return json::serialize(record);
}

std::string view_of(const Integration &integration)
{
	json::object view = common_part(integration);
	view["auth_type"] = "service_account_token";
	view["token_configured"] = !integration.token_envelope.empty();
	return json::serialize(view);
}

Result<std::vector<Integration>> integrations(const state::Store &store)
{
	const auto records = store.list(integration_prefix);
	if (!records)
		return tl::unexpected(records.error());
	std::vector<Integration> all;
	for (const state::Record &record : *records) {
		auto integration = integration_of(record.key, record.value);
		if (!integration)
			return tl::unexpected(integration.error());
		all.push_back(std::move(*integration));
	}
	std::ranges::sort(all, {}, [](const Integration &one) { return std::tie(one.created_ms, one.id); });
	return all;
}

Result<FoundIntegration> find_integration(const state::Store &store, std::string_view name)
{
	const auto id = store.get(integration_name_key(name));
	if (!id)
		return tl::unexpected(id.error());
	if (!*id)
		return fail(ErrorKind::not_found, "integration not found");
	const auto record = store.get(integration_key((*id)->value));
	if (!record)
		return tl::unexpected(record.error());
	if (!*record) // deleted between the two reads
		return fail(ErrorKind::not_found, "integration not found");
	auto integration = integration_of((*record)->key, (*record)->value);
	if (!integration)
		return tl::unexpected(integration.error());
	return FoundIntegration{std::move(*integration), (*record)->revision};
}

} // namespace neuwerk::api
