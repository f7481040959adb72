// Keys, merging and the JSON of findings; the names of the keys are those of spec/http-api §5.8.
#include "observe/finding.h"

#include "base/text.h"

#include <boost/json.hpp>

#include <algorithm>

namespace neuwerk::observe {

namespace json = boost::json;

namespace {

template <typename T>
json::value value_of(const std::optional<T> &field)
{
	return field ? json::value(*field) : json::value(nullptr);
}

json::value value_or_null(const std::string &field)
{
	return field.empty() ? json::value(nullptr) : json::value(field);
}

json::object object_of(const Finding &finding)
{
	return {{"finding_type", finding.type},
		{"policy_id", value_or_null(finding.policy_id)},
		{"source_group", finding.source_group},
		{"hostname", value_of(finding.hostname)},
		{"dst_ip", value_of(finding.dst_ip)},
		{"dst_port", value_of(finding.dst_port)},
		{"proto", value_of(finding.proto)},
		{"fqdn", value_of(finding.fqdn)},
		{"sni", value_of(finding.sni)},
		{"icmp_type", value_of(finding.icmp_type)},
		{"icmp_code", value_of(finding.icmp_code)},
		{"query_type", value_of(finding.query_type)},
		{"first_seen", finding.first_seen_s},
		{"last_seen", finding.last_seen_s},
		{"count", finding.count},
		{"node_ids", json::value_from(finding.node_ids)},
		{"rule", value_or_null(finding.rule)},
		{"revision", finding.revision},
		{"sample_src_ips", json::value_from(finding.sample_src_ips)},
		{"audited", finding.audited}};
}

std::optional<std::string> text_of(const json::object &object, const char *key)
{
	const json::value &value = object.at(key);
	return value.is_null() ? std::nullopt
			       : std::optional<std::string>(json::value_to<std::string>(value));
}

std::optional<std::uint32_t> number_of(const json::object &object, const char *key)
{
	const json::value &value = object.at(key);
	return value.is_null() ? std::nullopt : std::optional(value.to_number<std::uint32_t>());
}

// Throws what Boost throws when a key is missing or of another kind.
Finding finding_of(const json::object &object)
{
	return {.type = text_of(object, "finding_type").value_or(""),
		.policy_id = text_of(object, "policy_id").value_or(""),
		.source_group = text_of(object, "source_group").value_or(""),
		.hostname = text_of(object, "hostname"),
		.dst_ip = text_of(object, "dst_ip"),
		.fqdn = text_of(object, "fqdn"),
		.sni = text_of(object, "sni"),
		.dst_port = number_of(object, "dst_port"),
		.proto = number_of(object, "proto"),
		.icmp_type = number_of(object, "icmp_type"),
		.icmp_code = number_of(object, "icmp_code"),
		.query_type = number_of(object, "query_type"),
		.first_seen_s = object.at("first_seen").to_number<std::int64_t>(),
		.last_seen_s = object.at("last_seen").to_number<std::int64_t>(),
		.count = object.at("count").to_number<std::uint64_t>(),
		.node_ids = json::value_to<std::vector<std::string>>(object.at("node_ids")),
		.rule = text_of(object, "rule").value_or(""),
		.revision = object.at("revision").to_number<std::uint64_t>(),
		.sample_src_ips = json::value_to<std::vector<std::string>>(object.at("sample_src_ips")),
		.audited = object.at("audited").as_bool()};
}

std::string folded_or(const std::optional<std::string> &field, std::string_view otherwise)
{
	return field ? folded(*field) : std::string(otherwise);
}

} // namespace

std::string folded(std::string_view text)
{
	while (text.ends_with('.'))
		text.remove_suffix(1);
	std::string lower(text);
	for (char &c : lower)
		if (c >= 'A' && c <= 'Z')
			c = static_cast<char>(c - 'A' + 'a');
	return lower;
}

std::string dedup_key(const Finding &finding)
{
	const std::string owner = text(finding.policy_id.empty() ? "none" : folded(finding.policy_id), ':',
				       folded(finding.source_group), ':');
	const std::string address = folded_or(finding.dst_ip, "0.0.0.0");
	const std::string port = text(finding.dst_port.value_or(0));
	if (finding.type == "dns_deny")
		return text("dns:", owner, folded_or(finding.hostname, ""));
	if (finding.type == "l4_deny")
		return text("l4:", owner, address, ':', port, ':', finding.proto.value_or(0), ':',
			    folded_or(finding.fqdn, ""));
	if (finding.type == "tls_deny")
		return text("tls:", owner, folded_or(finding.sni, ""), ':', address, ':', port);
	if (finding.type == "icmp_deny")
		return text("icmp:", owner, address, ':', finding.icmp_type.value_or(255), ':',
			    finding.icmp_code.value_or(255));
	if (finding.type == "auth_sso")
		return text("auth_sso:", owner, folded_or(finding.hostname, ""), ':',
			    folded_or(finding.fqdn, ""));
	return text(finding.type, ':', owner, address, ':', port, ':', finding.proto.value_or(0));
}

void merge(Finding &into, const Finding &from)
{
	into.count += from.count;
	into.first_seen_s = std::min(into.first_seen_s, from.first_seen_s);
	if (from.last_seen_s >= into.last_seen_s) {
		into.last_seen_s = from.last_seen_s;
		into.rule = from.rule;
		into.revision = from.revision;
		into.audited = from.audited;
	}
	for (const std::string &node : from.node_ids)
		if (const auto place = std::ranges::lower_bound(into.node_ids, node);
		    place == into.node_ids.end() || *place != node)
			into.node_ids.insert(place, node);
	for (const std::string &source : from.sample_src_ips)
		if (into.sample_src_ips.size() < source_sample_count &&
		    std::ranges::find(into.sample_src_ips, source) == into.sample_src_ips.end())
			into.sample_src_ips.push_back(source);
}

std::string to_json(const Finding &finding)
{
	return json::serialize(object_of(finding));
}

Result<Finding> finding_of_json(std::string_view text_of_row)
{
	try {
		return finding_of(json::parse({text_of_row.data(), text_of_row.size()}).as_object());
	} catch (const std::exception &exception) {
		return fail(ErrorKind::corrupt, text("finding '", text_of_row.substr(0, 80),
						     "': not what was stored: ", exception.what()));
	}
}

std::string to_json(const std::vector<Finding> &findings)
{
	json::array items;
	for (const Finding &finding : findings)
		items.push_back(object_of(finding));
	return json::serialize(items);
}

std::string to_json(const std::vector<GroupHits> &hits)
{
	json::array items;
	for (const GroupHits &each : hits)
		items.push_back({{"source_group_id", each.group},
				 {"current_24h_hits", each.current_24h},
				 {"previous_24h_hits", each.previous_24h}});
	return json::serialize(items);
}

} // namespace neuwerk::observe
