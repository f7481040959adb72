// Query keys of findings and flows, with the words of spec/http-api §5.8.
#include "api/diagnostics_query.h"

#include "api/spelling.h"
#include "base/text.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace neuwerk::api {

namespace {

// The sixth is ours.
constexpr std::string_view finding_types[] = {"dns_deny",  "l4_deny",  "tls_deny",
					      "icmp_deny", "auth_sso", "nat_exhausted"};

constexpr std::uint32_t finding_limit_max = 10'000;

std::vector<std::string> filled_values(const Call &call, std::string_view key)
{
	std::vector<std::string> values;
	for (const std::string &value : call.query_values(key))
		if (!is_blank(value))
			values.emplace_back(trimmed(value));
	return values;
}

template <typename Number>
Result<std::optional<Number>> number_of(const Call &call, std::string_view key)
{
	const auto values = filled_values(call, key);
	if (values.empty())
		return std::nullopt;
	const std::string &value = values.back();
	Number number{};
	const auto read = std::from_chars(value.data(), value.data() + value.size(), number);
	if (read.ec != std::errc() || read.ptr != value.data() + value.size())
		return fail(ErrorKind::invalid_argument,
			    text("invalid ", key, ": '", value, "' is not ",
				 std::is_signed_v<Number> ? "an integer" : "a positive integer"));
	return number;
}

// Far more than any client means is the maximum, so read wide and clamp.
Result<std::uint32_t> limit_of(const Call &call, std::uint32_t otherwise, std::uint32_t max)
{
	const auto limit = number_of<std::uint64_t>(call, "limit");
	if (!limit)
		return tl::unexpected(limit.error());
	return static_cast<std::uint32_t>(
		std::clamp<std::uint64_t>(limit->value_or(otherwise), 1, std::uint64_t{max}));
}

} // namespace

Result<FindingFilter> finding_filter(const Call &call)
{
	FindingFilter filter;
	for (const std::string &value : filled_values(call, "policy_id")) {
		const auto id = parse_uuid(value);
		if (!id)
			return fail(ErrorKind::invalid_argument,
				    text("invalid policy_id: '", value, "' is not a UUID"));
		filter.policy_ids.push_back(*id);
	}
	for (const std::string &value : filled_values(call, "finding_type")) {
		const std::string type = lower(value);
		if (std::ranges::find(finding_types, type) == std::end(finding_types))
			return fail(ErrorKind::invalid_argument, text("invalid finding_type value: ", value));
		filter.types.push_back(type);
	}
	for (const std::string &value : filled_values(call, "source_group"))
		filter.source_groups.push_back(lower(value));
	const auto since = number_of<std::int64_t>(call, "since");
	const auto until = number_of<std::int64_t>(call, "until");
	for (const auto *time : {&since, &until})
		if (!*time)
			return tl::unexpected(time->error());
	filter.since_s = *since;
	filter.until_s = *until;
	const auto limit = limit_of(call, filter.limit, finding_limit_max);
	if (!limit)
		return tl::unexpected(limit.error());
	filter.limit = *limit;
	return filter;
}

Result<std::uint32_t> flow_limit(const Call &call)
{
	return limit_of(call, flow_limit_default, flow_limit_max);
}

} // namespace neuwerk::api
