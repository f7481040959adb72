// What the routes of the policy share: documents in, written revisions out.
#pragma once

#include "api/appliance.h"
#include "api/http.h"
#include "state/state.h"

#include <string>
#include <string_view>

namespace neuwerk::api {

// Warnings travel in one header each, X-Neuwerk-Warning; validate returns all of them, whole.
inline constexpr std::size_t warning_header_limit_count = 32;
inline constexpr std::size_t warning_header_limit_bytes = 400;

// A document with the media type of YAML, instead of JSON.
[[nodiscard]] bool sends_yaml(const Request &request);
// ?format=yaml, in any case.
[[nodiscard]] bool wants_yaml(const Call &call);
// JSON, or the same as YAML with its media type.
[[nodiscard]] Response document_response(std::string json, bool as_yaml);

// Fails with "unknown kubernetes integration: <name>" (spec/http-api §5.3). A document that is not valid
// passes: whoever reads it says why.
[[nodiscard]] Result<> check_integrations(const state::Store &store, const std::string &document,
					  bool is_yaml);

// X-Neuwerk-Revision and ETag of a record.
void add_revision(const PolicyRecord &record, Response &response);
// The headers of a write: revision, generation, activation, whether anything changed, warnings.
void add_outcome(const PolicyWritten &written, Response &response);

} // namespace neuwerk::api
