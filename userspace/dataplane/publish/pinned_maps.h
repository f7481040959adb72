// The maps that all programs of one appliance share: created once, pinned under their own names, reused
// after.
#pragma once

#include "base/result.h"
#include "dataplane/corridor.h"

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace neuwerk::dataplane {

// A file descriptor of a map and, for mmapable maps, its memory. Closed and unmapped with the object.
class Map {
public:
	Map() = default;
	Map(int fd, void *memory, std::size_t memory_bytes);
	Map(Map &&other) noexcept;
	Map &operator=(Map &&other) noexcept;
	~Map();

	[[nodiscard]] int fd() const
	{
		return fd_;
	}
	template <typename T>
	[[nodiscard]] T *as() const
	{
		return static_cast<T *>(memory_);
	}
	// The elements of a mmapable map of T, which fills its pages.
	template <typename T>
	[[nodiscard]] std::span<T> elements() const
	{
		return {as<T>(), memory_bytes_ / sizeof(T)};
	}

private:
	int fd_ = -1;
	void *memory_ = nullptr;
	std::size_t memory_bytes_ = 0;
};

// One per map of bpf/maps.h, xsks_map (one per port) aside.
struct PinnedMaps {
	Map config;
	Map policy_active;
	Map policy_nodes;
	Map policy_decisions;
	Map flow_table;
	Map next_hops;
	Map tx_ports;
	Map verdicts;
	Map poller_verdicts;
	Map buckets;
	Map events;
	Map denials;
};

// Fails when `directory` is not there or lies on another file system; changes nothing.
[[nodiscard]] Result<> check_bpf_file_system(const std::string &directory);

// Whether a pin of this name is of our making: a map, a port's sockets or a link.
[[nodiscard]] bool is_pin_of_ours(std::string_view name);

// Creates what is missing under `directory` and opens the rest. Fails when a pinned map has another shape
// (written by another version, or with other sizes): nothing is changed then, and the message says what
// helps.
[[nodiscard]] Result<PinnedMaps> open_pinned_maps(const std::string &directory, const Sizes &sizes);

} // namespace neuwerk::dataplane
