// A Kubernetes integration as the Store holds it, and how it is found by name.
//
//   integrations/item/<id>           the record; the token is sealed
//   integrations/name/<sha256 hex>   of the folded name: <id>; two clients cannot create the same name
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

struct Integration {
	std::string id; // UUID
	std::string created_at;
	std::int64_t created_ms; // Unix time; RFC 3339 with trimmed zeros does not sort as text
	std::string name;
	std::string api_server_url, ca_cert_pem; // verbatim, as the client sent them
	std::string token_envelope;              // crypto::seal
};

inline constexpr std::string_view integration_prefix = "integrations/item/";
inline constexpr std::string_view integration_name_prefix = "integrations/name/";

// Creations at the same moment may exceed it by one each.
inline constexpr std::size_t integration_limit_count = 1024;
inline constexpr std::size_t integration_name_limit_bytes = 1024;

// Names are equal without surrounding blanks and case.
[[nodiscard]] std::string integration_name_key(std::string_view name);
[[nodiscard]] std::string integration_key(std::string_view id);

// Fails with corrupt, naming `key`.
[[nodiscard]] Result<Integration> integration_of(std::string_view key, std::string_view record);
[[nodiscard]] std::string record_of(const Integration &integration);
// The answer of spec/http-api §5.5; never the token.
[[nodiscard]] std::string view_of(const Integration &integration);

// By creation, then id.
[[nodiscard]] Result<std::vector<Integration>> integrations(const state::Store &store);

struct FoundIntegration {
	Integration integration;
	std::uint64_t revision; // of the item
};
// Fails with not_found "integration not found".
[[nodiscard]] Result<FoundIntegration> find_integration(const state::Store &store, std::string_view name);

} // namespace neuwerk::api
