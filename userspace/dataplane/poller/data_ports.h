// The data ports: frames in and out through AF_XDP sockets. DPDK stays behind this door.
#pragma once

#include "abi/handoff.h"
#include "base/result.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

struct rte_mbuf;
struct rte_mempool;

namespace neuwerk::dataplane {

// A received frame. Owned by whoever holds it: queue() or drop() takes it back.
struct Packet {
	rte_mbuf *buffer = nullptr;

	[[nodiscard]] std::span<std::uint8_t> frame() const;
	// What stands in front of the frame: XDP's record, or what the buffer held before.
	[[nodiscard]] nw_handoff handoff() const;
	void drop() const;
};

struct Traffic {
	std::uint64_t packets = 0;
	std::uint64_t bytes = 0; // whole frames
};

struct Flushed {
	Traffic sent;
	Traffic refused; // the transmit ring was full
};

class DataPorts {
public:
	static constexpr std::size_t burst = 64;

	// One socket per interface on queue 0, adopted by the XDP program that is attached there (its XSKMAP
	// then holds the socket). `core` pins the packet thread; -1: wherever the kernel puts it. `run` is a
	// directory for DPDK's own files. Once per process: DPDK has no second start.
	[[nodiscard]] static Result<DataPorts> start(std::span<const std::string> interfaces, int core,
						     const std::string &run);

	// Fills `packets` with what has arrived; how many.
	[[nodiscard]] std::size_t receive(std::uint8_t port, std::span<Packet, burst> packets);
	// Appends to what flush() sends. True: it is time to flush this port.
	[[nodiscard]] bool queue(std::uint8_t port, Packet packet);
	[[nodiscard]] Flushed flush(std::uint8_t port);

	// The sockets, for poll() and statistics.
	[[nodiscard]] std::span<const int> sockets() const;

private:
	struct Port {
		std::uint16_t id; // DPDK's number
		std::vector<rte_mbuf *> queued;
	};
	std::vector<Port> ports_;
	std::vector<int> sockets_;
};

// Frames that XDP handed over and the kernel could not queue: rx_dropped (no free buffer) and rx_ring_full of
// XDP_STATISTICS. rx_fill_ring_empty_descs counts the former once more, so it is left out. From any thread.
[[nodiscard]] std::uint64_t ring_drops(std::span<const int> sockets);

} // namespace neuwerk::dataplane
