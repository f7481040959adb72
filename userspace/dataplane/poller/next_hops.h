// The next-hop array: which index means which neighbour, and what its MAC is at the moment.
//
// An index belongs to one neighbour on one port for as long as a flow line uses it (hold, release), because
// XDP follows the index in the line. What the kernel says about the neighbour changes the entry in place,
// under its sequence. The array is pinned: entries name their neighbour, so that a restarted poller takes
// them over.
#pragma once

#include "abi/config.h"
#include "dataplane/flows/tracker.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace neuwerk::dataplane {

struct Neighbour {
	std::uint32_t ifindex;
	__be32 address_be;

	bool operator==(const Neighbour &) const = default;
};

using Mac = std::array<std::uint8_t, 6>;

// The kernel, which owns routes and neighbours.
class Kernel {
public:
	virtual ~Kernel() = default;
	// Who gets a packet for this address; empty: nobody, or the kernel refuses it.
	virtual std::optional<Neighbour> route(__be32 destination_be) = 0;
	// The neighbour's MAC if the kernel has one already: it reports changes only.
	virtual std::optional<Mac> known_mac(Neighbour neighbour) = 0;
	// Asks for the neighbour to be resolved now and to be kept so, and takes that back.
	virtual void manage(Neighbour neighbour) = 0;
	virtual void forget(Neighbour neighbour) = 0;
};

class NextHopTable final : public NextHops {
public:
	// Takes over the entries that name a neighbour on a port of `config`. `hops[0]` stays unused.
	NextHopTable(std::span<nw_next_hop> hops, const nw_config &config, Kernel &kernel);

	std::uint16_t resolve(__be32 address_be) override;
	bool hold(std::uint16_t index) override;
	void release(std::uint16_t index) override;
	[[nodiscard]] std::uint32_t route_epoch() const override
	{
		return route_epoch_;
	}

	// What the kernel reports. No MAC: the neighbour does not answer, or is gone.
	void on_neighbour(Neighbour neighbour, std::optional<Mac> mac);
	void on_link(std::uint32_t ifindex, std::uint16_t mtu_bytes, const Mac &mac, bool is_up);
	void on_routes_changed();

	// Between these, on_neighbour reports every neighbour that there is; the others are unresolved.
	void begin_sync();
	void end_sync();

	// Frees a few indices that nobody has used for some minutes. Call it about once a second.
	void tidy(std::uint64_t now_ns);

	// Grows whenever an entry became usable.
	[[nodiscard]] std::uint64_t resolved_count() const
	{
		return resolved_count_;
	}
	// From any thread.
	[[nodiscard]] std::uint32_t unresolved() const
	{
		return unresolved_.load(std::memory_order_relaxed);
	}

private:
	static constexpr std::uint32_t slot_count = 2 * NW_NEXT_HOP_LIMIT;
	static constexpr std::uint32_t cache_lines = 4096;
	struct Use {
		std::uint32_t holders = 0;
		std::uint64_t idle_since_ns = 0; // 0: not yet noticed by tidy()
		bool is_named = false;
		bool was_reported = false; // since begin_sync
	};
	struct Cached {
		__be32 address_be = 0; // 0: empty
		std::uint16_t index = 0;
	};

	struct PortState {
		Mac mac{};
		std::uint16_t mtu_bytes = 0;
		bool is_up = true;
	};

	void adopt();
	[[nodiscard]] std::optional<std::uint8_t> port_of(std::uint32_t ifindex) const;
	[[nodiscard]] std::uint16_t index_of(Neighbour neighbour);
	[[nodiscard]] std::uint32_t slot_of(Neighbour neighbour) const;
	void name(std::uint16_t index);
	void unname(std::uint16_t index);
	void set(std::uint16_t index, const nw_next_hop &hop);

	std::span<nw_next_hop> hops_;
	const nw_config &config_;
	Kernel &kernel_;
	std::vector<Use> uses_;
	std::vector<std::uint16_t> slots_; // neighbour to index, linear probing; 0: empty
	std::vector<std::uint16_t> free_;  // a stack
	std::array<Cached, cache_lines> cache_{};
	std::array<PortState, NW_PORT_LIMIT> ports_{};
	std::uint32_t hand_ = 1; // where tidy() goes on
	std::uint64_t resolved_count_ = 0;
	std::uint32_t route_epoch_ = 0;
	std::atomic<std::uint32_t> unresolved_ = 0;
};

} // namespace neuwerk::dataplane
