// Nodes and decisions in the making: equal ones are stored once, and the budget is kept.
#pragma once

#include "abi/policy.h"
#include "policy/policy.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace neuwerk::policy {

// From `key` up to the next slice's key, the search goes on at `ref`.
struct Slice {
	std::uint32_t key;
	std::uint32_t ref;
};

class Diagram {
public:
	explicit Diagram(Budget budget) : budget_(budget) {}

	// The reference of a search over ascending slices, the first of which starts at 0. One slice needs no
	// node.
	[[nodiscard]] std::uint32_t add_field(nw_field field, std::vector<Slice> slices);
	[[nodiscard]] std::uint32_t add_decision(const nw_decision &decision);

	// Why the diagram cannot be used, or "". References made after that mean nothing.
	[[nodiscard]] const std::string &problem() const
	{
		return problem_;
	}
	[[nodiscard]] std::vector<nw_policy_node> take_nodes()
	{
		return std::move(nodes_);
	}
	[[nodiscard]] std::vector<nw_decision> take_decisions()
	{
		return std::move(decisions_);
	}

private:
	[[nodiscard]] std::uint32_t add_node(nw_field field, const Slice *slices, std::size_t count);
	[[nodiscard]] std::uint8_t depth_of(std::uint32_t ref) const;

	Budget budget_;
	std::string problem_;
	std::vector<nw_policy_node> nodes_;
	std::vector<std::uint8_t> depths_; // of each node: nodes on the longest path from it
	std::vector<nw_decision> decisions_;
	// By hash of the bytes, to the index of the element.
	std::unordered_multimap<std::size_t, std::uint32_t> node_index_;
	std::unordered_multimap<std::size_t, std::uint32_t> decision_index_;
};

} // namespace neuwerk::policy
