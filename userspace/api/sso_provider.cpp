// What requests say about an SSO provider: reading, patching, judging.
#include "api/sso_provider.h"

#include "api/fields.h"
#include "api/outbound.h"
#include "api/spelling.h"
#include "api/sso_fields.h"
#include "base/text.h"

#include <algorithm>
#include <limits>

namespace neuwerk::api {

namespace {

tl::unexpected<Error> refuse(std::string what)
{
	return fail(ErrorKind::invalid_argument, std::move(what));
}

void drop_blank(std::optional<std::string> &value)
{
	if (value && is_blank(*value))
		value.reset();
}

// What POST and PUT have in common. Blank URLs and claims become none.
void read_common(Fields &fields, SsoProvider &provider)
{
	fields.optional("enabled", provider.is_enabled);
	fields.optional("display_order", provider.display_order);
	using Order = std::numeric_limits<std::int32_t>;
	if (provider.display_order < Order::min() || provider.display_order > Order::max())
		fields.refuse(text("display_order: ", provider.display_order, " does not fit 32 bits"));
	for (const auto &[key, member] : sso_urls)
		fields.optional(key, provider.*member);
	for (const auto &[key, member] : sso_claims)
		fields.optional(key, provider.*member);
	fields.optional("pkce_required", provider.pkce_required);
	fields.optional("default_role", provider.default_role, {std::begin(sso_roles), std::end(sso_roles)});
	fields.optional("session_ttl_secs", provider.session_ttl_s);
	for (const auto &[key, member] : sso_urls)
		drop_blank(provider.*member);
	for (const auto &[key, member] : sso_claims)
		drop_blank(provider.*member);
}

// A list that is sent takes the place of the old one, without blank items and blanks around the others.
void replace_lists(Fields &fields, SsoProvider &provider)
{
	for (const auto &[key, member] : sso_lists) {
		std::optional<std::vector<std::string>> sent;
		fields.optional(key, sent);
		if (!sent)
			continue;
		std::erase_if(*sent, is_blank);
		for (std::string &item : *sent)
			item = std::string(trimmed(item));
		provider.*member = std::move(*sent);
	}
}

Result<> check_url(std::string_view field, std::string_view value)
{
	const auto url = parse_url(trimmed(value));
	if (!url)
		return refuse(text(field, " must be an absolute url: ", url.error().what));
	if (url->host.empty())
		return refuse(text(field, " must be an absolute url: empty host"));
	if (!is_safe_to_call(*url))
		return refuse(text(field, " must use https (or loopback http)"));
	return {};
}

Result<> check_bounds(const SsoProvider &provider)
{
	if (provider.session_ttl_s < 1)
		return refuse("session_ttl_secs must be >= 1");
	if (provider.session_ttl_s > sso_session_ttl_max_s)
		return refuse(text("session_ttl_secs must be <= ", sso_session_ttl_max_s));
	for (const auto &[key, member] : sso_urls)
		if (provider.*member)
			if (const auto checked = check_url(key, *(provider.*member)); !checked)
				return checked;
	return {};
}

} // namespace

Result<SsoProvider> read_new_provider(std::string_view body, const crypto::SealingKey &sealing)
{
	SsoProvider provider;
	std::string secret;
	Fields fields(body);
	fields.required("name", provider.name);
	fields.required("kind", provider.kind, {std::begin(sso_kinds), std::end(sso_kinds)});
	fields.required("client_id", provider.client_id);
	fields.optional("client_secret", secret);
	fields.optional("subject_claim", provider.subject_claim);
	read_common(fields, provider);
	for (const auto &[key, member] : sso_lists) {
		fields.optional(key, provider.*member);
		std::erase_if(provider.*member, is_blank);
	}
	if (const auto read = fields.result(); !read)
		return tl::unexpected(read.error());
	if (is_blank(provider.name))
		return refuse("provider name is required");
	if (is_blank(provider.client_id))
		return refuse("client_id is required");
	if (is_blank(secret))
		return refuse("client_secret is required");
	if (is_blank(provider.subject_claim))
		provider.subject_claim = "sub";
	if (const auto checked = check_bounds(provider); !checked)
		return tl::unexpected(checked.error());
	provider.client_secret_envelope = crypto::seal(sealing, secret);
	return provider;
}

Result<SsoProvider> patch_provider(SsoProvider provider, std::string_view body,
				   const crypto::SealingKey &sealing)
{
	std::string secret;
	Fields fields(body);
	const auto keep_if_blank = [&](std::string_view key, std::string &into) {
		std::string value;
		fields.optional(key, value);
		if (!is_blank(value))
			into = std::move(value);
	};
	keep_if_blank("name", provider.name);
	keep_if_blank("client_id", provider.client_id);
	keep_if_blank("client_secret", secret);
	keep_if_blank("subject_claim", provider.subject_claim);
	read_common(fields, provider);
	replace_lists(fields, provider);
	if (const auto read = fields.result(); !read)
		return tl::unexpected(read.error());
	if (const auto checked = check_bounds(provider); !checked)
		return tl::unexpected(checked.error());
	if (!secret.empty())
		provider.client_secret_envelope = crypto::seal(sealing, secret);
	return provider;
}

Result<std::string> authorization_url_of(const SsoProvider &provider)
{
	if (provider.kind == "generic-oidc")
		for (const auto &[key, member] : sso_urls)
			if (key != "issuer_url" && !(provider.*member))
				return refuse(text(key, " is required"));
	if (provider.authorization_url)
		return std::string(trimmed(*provider.authorization_url));
	return std::string(provider.kind == "github" ? "https://github.com/login/oauth/authorize"
						     : "https://accounts.google.com/o/oauth2/v2/auth");
}

} // namespace neuwerk::api
