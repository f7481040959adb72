// The fields of an SSO provider by their JSON names: one table for requests, records and answers.
#pragma once

#include "api/sso_provider.h"

#include <utility>

namespace neuwerk::api {

template <typename Value>
using SsoField = std::pair<std::string_view, Value SsoProvider::*>;

// "" in a patch clears them.
inline constexpr SsoField<std::optional<std::string>> sso_urls[] = {
	{"issuer_url", &SsoProvider::issuer_url},
	{"authorization_url", &SsoProvider::authorization_url},
	{"token_url", &SsoProvider::token_url},
	{"userinfo_url", &SsoProvider::userinfo_url},
};
inline constexpr SsoField<std::optional<std::string>> sso_claims[] = {
	{"email_claim", &SsoProvider::email_claim},
	{"groups_claim", &SsoProvider::groups_claim},
};

inline constexpr SsoField<std::vector<std::string>> sso_lists[] = {
	{"scopes", &SsoProvider::scopes},
	{"admin_subjects", &SsoProvider::admin_subjects},
	{"admin_groups", &SsoProvider::admin_groups},
	{"admin_email_domains", &SsoProvider::admin_email_domains},
	{"readonly_subjects", &SsoProvider::readonly_subjects},
	{"readonly_groups", &SsoProvider::readonly_groups},
	{"readonly_email_domains", &SsoProvider::readonly_email_domains},
	{"allowed_email_domains", &SsoProvider::allowed_email_domains},
};

inline constexpr std::string_view sso_kinds[] = {"google", "github", "generic-oidc"};
inline constexpr std::string_view sso_roles[] = {"admin", "readonly"};

} // namespace neuwerk::api
