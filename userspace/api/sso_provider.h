// An SSO provider: what the administration stores and what a login will need, spec/http-api §5.14.
//
//   auth/sso/providers/item/<id>   the record; the client secret is sealed
#pragma once

#include "base/result.h"
#include "crypto/crypto.h"
#include "state/state.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::api {

inline constexpr std::string_view sso_provider_prefix = "auth/sso/providers/item/";
// Creations at the same moment may exceed it by one each.
inline constexpr std::size_t sso_provider_limit_count = 256;
inline constexpr std::int64_t sso_session_ttl_max_s = 2'592'000; // 30 days

// Texts are kept as the client sent them: Terraform compares. Blanks around them are for the login to skip.
struct SsoProvider {
	std::string id; // UUID
	std::string created_at, updated_at;
	std::string name;
	std::string kind; // google, github, generic-oidc
	bool is_enabled = true;
	std::int64_t display_order = 0; // 32 bits, signed
	std::optional<std::string> issuer_url, authorization_url, token_url, userinfo_url;
	std::string client_id;
	std::string client_secret_envelope; // crypto::seal
	std::vector<std::string> scopes;
	bool pkce_required = true;
	std::string subject_claim = "sub";
	std::optional<std::string> email_claim; // none: a login falls back to "email"
	std::optional<std::string> groups_claim;
	std::string default_role = "readonly"; // admin, readonly
	std::vector<std::string> admin_subjects, admin_groups, admin_email_domains;
	std::vector<std::string> readonly_subjects, readonly_groups, readonly_email_domains;
	std::vector<std::string> allowed_email_domains;
	std::int64_t session_ttl_s = 28'800;
};

// The body of POST; id and times are left empty. Errors in the order of the spec.
[[nodiscard]] Result<SsoProvider> read_new_provider(std::string_view body, const crypto::SealingKey &sealing);

// The body of PUT, a patch: absent keys keep what stands, "" clears URLs and claims, blank required texts are
// ignored, lists are replaced.
[[nodiscard]] Result<SsoProvider> patch_provider(SsoProvider provider, std::string_view body,
						 const crypto::SealingKey &sealing);

// Where a login would send the browser. generic-oidc needs all three endpoints and fails with the first that
// is missing, "authorization_url is required".
[[nodiscard]] Result<std::string> authorization_url_of(const SsoProvider &provider);

[[nodiscard]] std::string sso_provider_key(std::string_view id);
// Fails with corrupt, naming `key`.
[[nodiscard]] Result<SsoProvider> sso_provider_of(std::string_view key, std::string_view record);
[[nodiscard]] std::string record_of(const SsoProvider &provider);
[[nodiscard]] std::string view_of(const SsoProvider &provider); // never the secret

// By display order, name in any case, id.
[[nodiscard]] Result<std::vector<SsoProvider>> sso_providers(const state::Store &store);
// Fails with not_found "sso provider not found".
[[nodiscard]] Result<SsoProvider> find_sso_provider(const state::Store &store, std::string_view id);

} // namespace neuwerk::api
