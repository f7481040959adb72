// Reads who a group is about: addresses, and members of Kubernetes clusters (spec/dataplane §1.2, §1.6).
#include "policy/read.h"

#include "base/text.h"

#include <algorithm>

namespace neuwerk::policy {

namespace {

void read_labels(Reading &reading, Object &selector, model::KubernetesSource &source)
{
	selector.each_entry("match_labels", [&](std::string_view name, const Node &item, const Path &path) {
		const std::string key(trimmed(name));
		const std::string value(trimmed(as_text(reading, item, path)));
		if (key.empty() || value.empty())
			reading.fail("E_K8S_LABEL", path, "a label needs a key and a value");
		source.match_labels.emplace_back(key, value);
	});
	auto &labels = source.match_labels;
	std::sort(labels.begin(), labels.end());
	const auto same_key = [](const auto &a, const auto &b) { return a.first == b.first; };
	if (std::adjacent_find(labels.begin(), labels.end(), same_key) != labels.end())
		reading.fail("E_K8S_LABEL", selector.path("match_labels"),
			     "a key occurs twice once blanks are cut off");
}

model::KubernetesSource read_kubernetes(Reading &reading, const Node &node, const Path &path)
{
	Object object(reading, node, path);
	model::KubernetesSource source{};
	source.integration = trimmed(object.required_text("integration"));
	if (source.integration.empty())
		reading.fail("E_K8S_INTEGRATION", object.path("integration"), "blank: which cluster?");
	const Node *pods = object.find("pod_selector");
	const Node *nodes = object.find("node_selector");
	if (!pods == !nodes) {
		reading.fail("E_K8S_SELECTOR", path,
			     "exactly one of pod_selector and node_selector must be given");
		return source;
	}
	source.kind = pods ? model::KubernetesKind::pods : model::KubernetesKind::nodes;
	const Path selector_path = object.path(pods ? "pod_selector" : "node_selector");
	Object selector(reading, pods ? *pods : *nodes, selector_path);
	if (pods) {
		source.pod_namespace = trimmed(selector.required_text("namespace"));
		if (source.pod_namespace.empty())
			reading.fail("E_K8S_NAMESPACE", selector.path("namespace"),
				     "blank: which namespace?");
	}
	read_labels(reading, selector, source);
	return source;
}

} // namespace

model::Sources read_sources(Reading &reading, const Node &node, const Path &path)
{
	Object object(reading, node, path);
	model::Sources sources;
	read_prefixes(reading, object, "cidrs", sources.prefixes);
	read_addresses(reading, object, "ips", sources.prefixes);
	object.each("kubernetes", [&](const Node &item, const Path &at) {
		sources.kubernetes.push_back(read_kubernetes(reading, item, at));
	});
	if (sources.prefixes.empty() && sources.kubernetes.empty())
		reading.fail("E_SRC_EMPTY", path,
			     "no cidrs, no ips and no kubernetes: the group would match nobody");
	return sources;
}

} // namespace neuwerk::policy
