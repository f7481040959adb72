// Documents, headers and the check of integrations for the routes of the policy.
#include "api/policy_exchange.h"

#include "api/integration_record.h"
#include "api/spelling.h"
#include "base/text.h"
#include "policy/policy.h"

#include <algorithm>
#include <utility>

namespace neuwerk::api {

namespace {

// A header holds visible ASCII only, and not too much of it.
std::string header_text(std::string_view words)
{
	std::string out(words.substr(0, warning_header_limit_bytes));
	std::ranges::replace_if(
		out, [](char c) { return c < 0x20 || c > 0x7e; }, '?');
	return out + (words.size() > warning_header_limit_bytes ? "..." : "");
}

} // namespace

bool sends_yaml(const Request &request)
{
	const std::string type = lower(request.header("content-type").value_or(""));
	return type.find("yaml") != std::string::npos;
}

bool wants_yaml(const Call &call)
{
	return lower(call.query_value("format").value_or("")) == "yaml";
}

Response document_response(std::string json, bool as_yaml)
{
	if (!as_yaml)
		return {.body = std::move(json)};
	auto yaml = policy::to_yaml(json);
	if (!yaml)
		return error_response(yaml.error());
	return {.body = std::move(*yaml), .content_type = "application/yaml"};
}

Result<> check_integrations(const state::Store &store, const std::string &document, bool is_yaml)
{
	// Most documents have no Kubernetes source; those are read once, by whoever enforces them.
	if (document.find("integration") == std::string::npos)
		return {};
	const auto policy = policy::parse(document, is_yaml ? policy::Syntax::yaml : policy::Syntax::json);
	if (!policy)
		return {};
	for (const model::SourceGroup &group : policy->source_groups)
		for (const model::KubernetesSource &source : group.sources.kubernetes) {
			const auto found = find_integration(store, source.integration);
			if (!found && found.error().kind == ErrorKind::not_found)
				return fail(ErrorKind::invalid_argument,
					    text("unknown kubernetes integration: ", source.integration));
			if (!found)
				return tl::unexpected(found.error());
		}
	return {};
}

void add_revision(const PolicyRecord &record, Response &response)
{
	response.headers.emplace_back("X-Neuwerk-Revision", std::to_string(record.revision));
	response.headers.emplace_back("ETag", text('"', record.revision, '"'));
}

void add_outcome(const PolicyWritten &written, Response &response)
{
	add_revision(written.record, response);
	response.headers.emplace_back("X-Neuwerk-Generation", std::to_string(written.generation));
	if (written.activation_pending)
		response.headers.emplace_back("X-Neuwerk-Activation", "pending");
	if (written.unchanged)
		response.headers.emplace_back("X-Neuwerk-Unchanged", "true");
	const std::size_t shown = std::min(written.warnings.size(), warning_header_limit_count);
	for (std::size_t i = 0; i < shown; i++)
		response.headers.emplace_back("X-Neuwerk-Warning", header_text(written.warnings[i]));
	if (shown < written.warnings.size())
		response.headers.emplace_back("X-Neuwerk-Warning",
					      text("and ", written.warnings.size() - shown,
						   " more: POST /api/v1/policy/validate shows all"));
}

} // namespace neuwerk::api
