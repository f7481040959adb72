// SSO providers in the Store and in answers.
#include "api/fields.h"
#include "api/records.h"
#include "api/spelling.h"
#include "api/sso_fields.h"
#include "base/text.h"

#include <boost/json.hpp>

#include <algorithm>
#include <tuple>

namespace neuwerk::api {

namespace json = boost::json;

namespace {

json::value value_of(const std::optional<std::string> &text)
{
	return text ? json::value(*text) : json::value();
}

json::object common_part(const SsoProvider &provider)
{
	json::object object{{"id", provider.id},
			    {"created_at", provider.created_at},
			    {"updated_at", provider.updated_at},
			    {"name", provider.name},
			    {"kind", provider.kind},
			    {"enabled", provider.is_enabled},
			    {"display_order", provider.display_order},
			    {"client_id", provider.client_id},
			    {"pkce_required", provider.pkce_required},
			    {"subject_claim", provider.subject_claim},
			    {"default_role", provider.default_role},
			    {"session_ttl_secs", provider.session_ttl_s}};
	for (const auto &[key, member] : sso_urls)
		object[key] = value_of(provider.*member);
	for (const auto &[key, member] : sso_claims)
		object[key] = value_of(provider.*member);
	for (const auto &[key, member] : sso_lists)
		object[key] = json::array((provider.*member).begin(), (provider.*member).end());
	return object;
}

} // namespace

std::string sso_provider_key(std::string_view id)
{
	return text(sso_provider_prefix, id);
}

std::string record_of(const SsoProvider &provider)
{
	json::object record = common_part(provider);
	record["client_secret_envelope"] = provider.client_secret_envelope;
	return json::serialize(record);
}

std::string view_of(const SsoProvider &provider)
{
	json::object view = common_part(provider);
	view["client_secret_configured"] = !provider.client_secret_envelope.empty();
	return json::serialize(view);
}

Result<SsoProvider> sso_provider_of(std::string_view key, std::string_view record)
{
	SsoProvider provider;
	Fields fields(record);
	fields.required("id", provider.id);
	fields.required("created_at", provider.created_at);
	fields.required("updated_at", provider.updated_at);
	fields.required("name", provider.name);
	fields.required("kind", provider.kind, {std::begin(sso_kinds), std::end(sso_kinds)});
	fields.required("enabled", provider.is_enabled);
	fields.optional("display_order", provider.display_order);
	fields.required("client_id", provider.client_id);
	fields.required("client_secret_envelope", provider.client_secret_envelope);
	fields.required("pkce_required", provider.pkce_required);
	fields.required("subject_claim", provider.subject_claim);
	fields.required("default_role", provider.default_role, {std::begin(sso_roles), std::end(sso_roles)});
	fields.optional("session_ttl_secs", provider.session_ttl_s);
	for (const auto &[name, member] : sso_urls)
		fields.optional(name, provider.*member);
	for (const auto &[name, member] : sso_claims)
		fields.optional(name, provider.*member);
	for (const auto &[name, member] : sso_lists)
		fields.optional(name, provider.*member);
	if (const auto read = fields.result(); !read)
		return tl::unexpected(damaged(key, read.error().what));
	return provider;
}

Result<std::vector<SsoProvider>> sso_providers(const state::Store &store)
{
	const auto records = store.list(sso_provider_prefix);
	if (!records)
		return tl::unexpected(records.error());
	std::vector<SsoProvider> all;
	for (const state::Record &record : *records) {
		auto provider = sso_provider_of(record.key, record.value);
		if (!provider)
			return tl::unexpected(provider.error());
		all.push_back(std::move(*provider));
	}
	std::ranges::sort(all, {}, [](const SsoProvider &one) {
		return std::tuple(one.display_order, lower(one.name), one.id);
	});
	return all;
}

Result<SsoProvider> find_sso_provider(const state::Store &store, std::string_view id)
{
	const auto record = store.get(sso_provider_key(id));
	if (!record)
		return tl::unexpected(record.error());
	if (!*record)
		return fail(ErrorKind::not_found, "sso provider not found");
	return sso_provider_of((*record)->key, (*record)->value);
}

} // namespace neuwerk::api
