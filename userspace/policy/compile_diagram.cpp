// Stores nodes and decisions once each and cuts long searches into trees of nodes.
//
// Where a search is cut depends on the keys near the cut, not on how many slices stand before it: two
// searches that differ in one slice then share all nodes but those around it. Rules without a destination
// among many rules with one would otherwise copy their whole search for each destination.
#include "policy/diagram.h"

#include "base/text.h"

#include <algorithm>
#include <cstring>

namespace neuwerk::policy {

namespace {

// A node takes at least this many slices, so that each level is at least this much shorter.
constexpr std::size_t slices_min = 6;
// After the minimum, one key in eight ends a node; at 16 it ends anyway. About 11 slices on average.
constexpr std::uint32_t cut_mask = 7;

bool ends_before(std::uint32_t key, unsigned level)
{
	const std::uint32_t hash = key * 0x9e3779b1u;            // 2^32 / golden ratio
	return (hash >> (28 - 3 * (level % 9)) & cut_mask) == 0; // other bits on each level
}

// The end of the node that starts at `start`.
std::size_t node_end(const std::vector<Slice> &slices, std::size_t start, unsigned level)
{
	const std::size_t most = std::min<std::size_t>(slices.size(), start + NW_NODE_SLICES);
	std::size_t end = std::min(slices.size(), start + slices_min);
	while (end < most && !ends_before(slices[end].key, level))
		end++;
	return end;
}

void merge_equal(std::vector<Slice> &slices)
{
	const auto same = [](const Slice &a, const Slice &b) { return a.ref == b.ref; };
	slices.erase(std::unique(slices.begin(), slices.end(), same), slices.end());
}

// The index of an equal element, or a new one at the end.
template <typename T>
std::pair<std::uint32_t, bool> store(const T &value, std::vector<T> &elements,
				     std::unordered_multimap<std::size_t, std::uint32_t> &index)
{
	const std::string_view bytes(reinterpret_cast<const char *>(&value), sizeof value);
	const std::size_t hash = std::hash<std::string_view>{}(bytes);
	const auto [begin, end] = index.equal_range(hash);
	for (auto at = begin; at != end; ++at)
		if (std::memcmp(&elements[at->second], &value, sizeof value) == 0)
			return {at->second, false};
	const auto position = static_cast<std::uint32_t>(elements.size());
	elements.push_back(value);
	index.emplace(hash, position);
	return {position, true};
}

} // namespace

std::uint32_t Diagram::add_field(nw_field field, std::vector<Slice> slices)
{
	merge_equal(slices);
	for (unsigned level = 0; slices.size() > NW_NODE_SLICES; level++) {
		std::vector<Slice> above;
		for (std::size_t start = 0; start < slices.size();) {
			const std::size_t end = node_end(slices, start, level);
			above.push_back({slices[start].key, add_node(field, &slices[start], end - start)});
			start = end;
		}
		slices = std::move(above);
	}
	return add_node(field, slices.data(), slices.size());
}

std::uint32_t Diagram::add_node(nw_field field, const Slice *slices, std::size_t count)
{
	if (count == 1)
		return slices[0].ref;
	nw_policy_node node;
	std::uint8_t depth = 0;
	for (std::size_t i = 0; i < NW_NODE_SLICES; i++) {
		const Slice &slice = slices[std::min(i, count - 1)];
		node.key[i] = slice.key;
		node.ref[i] = slice.ref;
		depth = std::max(depth, depth_of(slice.ref));
	}
	const auto [index, is_new] = store(node, nodes_, node_index_);
	if (is_new)
		depths_.push_back(++depth);
	if (nodes_.size() > budget_.nodes)
		problem_ = text("more than ", budget_.nodes, " nodes");
	if (depths_[index] > NW_DECIDE_STEPS_MAX)
		problem_ = text("a search of more than ", static_cast<int>(NW_DECIDE_STEPS_MAX), " steps");
	return NW_REF(field, index);
}

std::uint32_t Diagram::add_decision(const nw_decision &decision)
{
	const std::uint32_t index = store(decision, decisions_, decision_index_).first;
	if (decisions_.size() > budget_.decisions)
		problem_ = text("more than ", budget_.decisions, " decisions");
	return NW_REF(NW_FIELD_DECISION, index);
}

std::uint8_t Diagram::depth_of(std::uint32_t ref) const
{
	return NW_REF_FIELD(ref) == NW_FIELD_DECISION ? std::uint8_t{0} : depths_[NW_REF_INDEX(ref)];
}

} // namespace neuwerk::policy
