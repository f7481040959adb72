// Completes the tree of a document by one table of keys per kind of object.
#include "policy/materialise.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

namespace neuwerk::policy {

namespace {

enum class Absent { null, list, object, stays };

struct Key {
	std::string_view name;
	Absent absent;
	std::span<const Key> inside = {}; // of its object, or of the objects in its list; empty: as written
};

// clang-format off
constexpr Key name_match[] = {{"exact", Absent::list}, {"regex", Absent::null}};
constexpr Key path_match[] = {{"exact", Absent::list}, {"prefix", Absent::list}, {"regex", Absent::null}};
constexpr Key query_match[] = {
	{"keys_present", Absent::list}, {"key_values_exact", Absent::object}, {"key_values_regex", Absent::object},
};
constexpr Key header_match[] = {
	{"require_present", Absent::list}, {"deny_present", Absent::list},
	{"exact", Absent::object}, {"regex", Absent::object},
};
constexpr Key http_request[] = {
	{"host", Absent::null, name_match}, {"methods", Absent::list}, {"path", Absent::null, path_match},
	{"query", Absent::null, query_match}, {"headers", Absent::null, header_match},
};
constexpr Key http_response[] = {{"headers", Absent::null, header_match}};
constexpr Key http[] = {{"request", Absent::null, http_request}, {"response", Absent::null, http_response}};
constexpr Key tls[] = {
	{"mode", Absent::null}, {"sni", Absent::null, name_match}, {"server_dn", Absent::null},
	{"server_san", Absent::null, name_match}, {"server_cn", Absent::null, name_match},
	{"fingerprint_sha256", Absent::list}, {"trust_anchors_pem", Absent::list},
	{"tls13_uninspectable", Absent::null}, {"http", Absent::null, http},
};
constexpr Key match[] = {
	{"dst_cidrs", Absent::list}, {"dst_ips", Absent::list}, {"dns_hostname", Absent::null},
	{"proto", Absent::null}, {"src_ports", Absent::list}, {"dst_ports", Absent::list},
	{"icmp_types", Absent::list}, {"icmp_codes", Absent::list}, {"tls", Absent::null, tls},
};
constexpr Key rule[] = {
	{"id", Absent::null}, {"priority", Absent::null}, {"action", Absent::null}, {"mode", Absent::null},
	{"match_dns_binding", Absent::stays}, {"match", Absent::null, match},
};
constexpr Key pods[] = {{"namespace", Absent::null}, {"match_labels", Absent::object}};
constexpr Key nodes[] = {{"match_labels", Absent::object}};
constexpr Key kubernetes[] = {
	{"integration", Absent::null}, {"pod_selector", Absent::null, pods}, {"node_selector", Absent::null, nodes},
};
constexpr Key sources[] = {
	{"cidrs", Absent::list}, {"ips", Absent::list}, {"kubernetes", Absent::list, kubernetes},
};
constexpr Key group[] = {
	{"id", Absent::null}, {"priority", Absent::null}, {"mode", Absent::null},
	{"sources", Absent::null, sources}, {"rules", Absent::list, rule}, {"default_action", Absent::null},
};
constexpr Key test[] = {
	{"name", Absent::stays}, {"from", Absent::stays}, {"to", Absent::stays}, {"proto", Absent::stays},
	{"sport", Absent::stays}, {"dport", Absent::stays}, {"icmp_type", Absent::stays},
	{"icmp_code", Absent::stays}, {"expect", Absent::stays}, {"rule", Absent::stays},
};
constexpr Key document[] = {
	{"default_policy", Absent::null}, {"match_dns_binding", Absent::stays},
	{"source_groups", Absent::list, group}, {"tests", Absent::stays, test},
};
// clang-format on

Node empty(Absent absent)
{
	Node node;
	if (absent == Absent::list)
		node.kind = Node::Kind::array;
	if (absent == Absent::object)
		node.kind = Node::Kind::object;
	return node;
}

Node complete(Node node, std::span<const Key> keys);

// An alternative spelling (a bare text, a list of texts) stays what it is.
Node complete_value(Node value, std::span<const Key> inside)
{
	if (inside.empty())
		return value;
	if (value.kind == Node::Kind::object)
		return complete(std::move(value), inside);
	for (Node &item : value.items)
		item = complete_value(std::move(item), inside);
	return value;
}

Node complete(Node node, std::span<const Key> keys)
{
	Node out;
	out.kind = Node::Kind::object;
	for (const Key &key : keys) {
		const auto at = std::ranges::find(node.keys, key.name);
		Node *written = at == node.keys.end() ? nullptr : &node.items[at - node.keys.begin()];
		const bool is_absent = !written || written->kind == Node::Kind::null;
		if (is_absent && key.absent == Absent::stays)
			continue;
		out.keys.emplace_back(key.name);
		out.items.push_back(is_absent ? empty(key.absent)
					      : complete_value(std::move(*written), key.inside));
	}
	return out;
}

Node text_node(std::string_view text)
{
	Node node;
	node.kind = Node::Kind::text;
	node.text = text;
	return node;
}

Node *member(Node &object, std::string_view key)
{
	const auto at = std::ranges::find(object.keys, key);
	return at == object.keys.end() ? nullptr : &object.items[at - object.keys.begin()];
}

} // namespace

void insert_group_mode(Node &tree, std::string_view mode)
{
	Node *groups = member(tree, "source_groups");
	if (!groups || groups->kind != Node::Kind::array)
		return;
	for (Node &item : groups->items) {
		if (item.kind != Node::Kind::object)
			continue;
		Node *written = member(item, "mode");
		if (written && written->kind == Node::Kind::null) {
			*written = text_node(mode);
		} else if (!written) {
			item.keys.emplace_back("mode");
			item.items.push_back(text_node(mode));
		}
	}
}

Node materialised(Node tree, const model::Policy &policy)
{
	Node out = complete(std::move(tree), document);
	Node &default_policy = out.items.front(); // the first key of the table
	if (default_policy.kind == Node::Kind::null)
		default_policy = text_node(policy.default_policy == model::Action::allow ? "allow" : "deny");
	return out;
}

} // namespace neuwerk::policy
