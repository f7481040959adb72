// Writes a policy as the normalised document that parse() reads back to the same policy.
#include "policy/policy.h"

#include "base/address.h"
#include "base/text.h"
#include "policy/document.h"

#include <concepts>

namespace neuwerk::policy {

namespace {

Node node_of(const std::string &value)
{
	Node node;
	node.kind = Node::Kind::text;
	node.text = value;
	return node;
}

template <std::integral Number>
Node node_of(Number value)
{
	Node node;
	node.kind = Node::Kind::integer;
	node.integer = static_cast<std::int64_t>(value);
	return node;
}

Node node_of(model::Action action)
{
	return node_of(std::string(action == model::Action::allow ? "allow" : "deny"));
}

Node node_of(model::Mode mode)
{
	return node_of(std::string(mode == model::Mode::audit ? "audit" : "enforce"));
}

Node node_of(const model::Prefix &prefix)
{
	return node_of(format_ipv4_network({prefix.address, prefix.length}));
}

Node node_of(const model::PortRange &ports)
{
	if (ports.first == ports.last)
		return node_of(ports.first);
	return node_of(text(ports.first, '-', ports.last));
}

// An object under construction; what is empty is left out.
struct Fields {
	Node node;

	Fields()
	{
		node.kind = Node::Kind::object;
	}

	Fields &set(std::string_view key, Node value)
	{
		node.keys.emplace_back(key);
		node.items.push_back(std::move(value));
		return *this;
	}

	template <typename T>
	Fields &set(std::string_view key, const std::optional<T> &value);

	template <typename T>
	Fields &list(std::string_view key, const std::vector<T> &values);
};

Node node_of(const model::NameMatch &match)
{
	return Fields().list("exact", match.exact).set("regex", match.regex).node;
}

Node node_of(const std::vector<model::NamedValues> &entries)
{
	Fields fields;
	for (const auto &entry : entries)
		fields.list(entry.name, entry.values);
	return fields.node;
}

Node node_of(const std::vector<model::NamedRegex> &entries)
{
	Fields fields;
	for (const auto &entry : entries)
		fields.set(entry.name, node_of(entry.regex));
	return fields.node;
}

Node node_of(const model::HttpHost &host)
{
	return Fields().list("exact", host.exact).set("regex", host.regex).node;
}

Node node_of(const model::HttpPath &path)
{
	return Fields().list("exact", path.exact).list("prefix", path.prefix).set("regex", path.regex).node;
}

Node node_of(const model::HttpQuery &query)
{
	return Fields()
		.list("keys_present", query.keys_present)
		.set("key_values_exact", node_of(query.key_values_exact))
		.set("key_values_regex", node_of(query.key_values_regex))
		.node;
}

Node node_of(const model::HttpHeaders &headers)
{
	return Fields()
		.list("require_present", headers.require_present)
		.list("deny_present", headers.deny_present)
		.set("exact", node_of(headers.exact))
		.set("regex", node_of(headers.regex))
		.node;
}

Node node_of(const model::HttpRequest &request)
{
	return Fields()
		.set("host", request.host)
		.list("methods", request.methods)
		.set("path", request.path)
		.set("query", request.query)
		.set("headers", request.headers)
		.node;
}

Node node_of(const model::HttpResponse &response)
{
	return Fields().set("headers", response.headers).node;
}

Node node_of(const model::Http &http)
{
	return Fields().set("request", http.request).set("response", http.response).node;
}

Node node_of(const model::Tls &tls)
{
	const bool intercept = tls.mode == model::TlsMode::intercept;
	return Fields()
		.set("mode", node_of(std::string(intercept ? "intercept" : "metadata")))
		.set("sni", tls.sni)
		.set("server_dn", tls.server_dn)
		.set("server_san", tls.server_san)
		.set("server_cn", tls.server_cn)
		.list("fingerprint_sha256", tls.fingerprint_sha256)
		.list("trust_anchors_pem", tls.trust_anchors_pem)
		.set("tls13_uninspectable", node_of(tls.tls13_uninspectable))
		.set("http", tls.http)
		.node;
}

Node node_of(const model::Match &match)
{
	Fields fields;
	fields.list("dst_cidrs", match.destinations).set("dns_hostname", match.dns_hostname);
	if (match.protocol)
		fields.set("proto", node_of(format_protocol(*match.protocol)));
	return fields.list("src_ports", match.source_ports)
		.list("dst_ports", match.destination_ports)
		.list("icmp_types", match.icmp_types)
		.list("icmp_codes", match.icmp_codes)
		.set("tls", match.tls)
		.node;
}

Node node_of(const model::Rule &rule)
{
	Fields fields;
	fields.set("id", node_of(rule.id))
		.set("priority", node_of(rule.priority))
		.set("action", node_of(rule.action))
		.set("mode", node_of(rule.mode))
		.set("match", node_of(rule.match));
	if (rule.strict_dns_binding)
		fields.set("match_dns_binding", node_of(std::string("strict")));
	return fields.node;
}

Node node_of(const model::KubernetesSource &source)
{
	Fields labels;
	for (const auto &[key, value] : source.match_labels)
		labels.set(key, node_of(value));
	Fields selector;
	const bool pods = source.kind == model::KubernetesKind::pods;
	if (pods)
		selector.set("namespace", node_of(source.pod_namespace));
	selector.set("match_labels", labels.node);
	return Fields()
		.set("integration", node_of(source.integration))
		.set(pods ? "pod_selector" : "node_selector", selector.node)
		.node;
}

Node node_of(const model::Sources &sources)
{
	return Fields().list("cidrs", sources.prefixes).list("kubernetes", sources.kubernetes).node;
}

Node node_of(const model::SourceGroup &group)
{
	return Fields()
		.set("id", node_of(group.id))
		.set("priority", node_of(group.priority))
		.set("mode", node_of(group.mode))
		.set("sources", node_of(group.sources))
		.list("rules", group.rules)
		.set("default_action", group.default_action)
		.node;
}

Node node_of(const model::PolicyTest &test)
{
	Fields fields;
	if (!test.name.empty())
		fields.set("name", node_of(test.name));
	return fields.set("from", node_of(format_ipv4(test.source)))
		.set("to", node_of(format_ipv4(test.destination)))
		.set("proto", node_of(format_protocol(test.protocol)))
		.set("sport", node_of(test.source_port))
		.set("dport", node_of(test.destination_port))
		.set("icmp_type", node_of(test.icmp_type))
		.set("icmp_code", node_of(test.icmp_code))
		.set("expect", node_of(test.expect))
		.set("rule", test.rule)
		.node;
}

template <typename T>
Fields &Fields::set(std::string_view key, const std::optional<T> &value)
{
	return value ? set(key, node_of(*value)) : *this;
}

template <typename T>
Fields &Fields::list(std::string_view key, const std::vector<T> &values)
{
	if (values.empty())
		return *this;
	Node array;
	array.kind = Node::Kind::array;
	for (const T &value : values)
		array.items.push_back(node_of(value));
	return set(key, std::move(array));
}

} // namespace

std::string to_json(const model::Policy &policy)
{
	Fields document;
	document.set("default_policy", node_of(policy.default_policy));
	document.list("source_groups", policy.source_groups);
	if (policy.source_groups.empty()) {
		Node none;
		none.kind = Node::Kind::array;
		document.set("source_groups", std::move(none));
	}
	document.list("tests", policy.tests);
	return write_json(document.node);
}

} // namespace neuwerk::policy
