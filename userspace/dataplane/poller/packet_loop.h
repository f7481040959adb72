// The packet thread: frames from the ports through the tracker and out again, and everything that it does on
// the side. It never waits for another thread, and when there is nothing to do it sleeps.
#pragma once

#include "abi/verdict.h"
#include "dataplane/flows/tracker.h"
#include "dataplane/poller/data_ports.h"
#include "dataplane/poller/held_frames.h"
#include "dataplane/poller/maps.h"
#include "dataplane/poller/netlink.h"
#include "dataplane/poller/next_hops.h"
#include "dataplane/poller/sleep.h"

#include <atomic>
#include <cstdint>
#include <span>

namespace neuwerk::dataplane {

struct LoopParts {
	Maps &maps;
	DataPorts &ports;
	Tracker &tracker;
	NextHopTable &next_hops;
	Netlink &netlink;
	Sleep &sleep;
	std::uint8_t port_count;
};

class PacketLoop {
public:
	explicit PacketLoop(const LoopParts &parts);

	// Until `stop` is set (and the sleep woken).
	void run(const std::atomic<bool> &stop);

private:
	[[nodiscard]] std::size_t serve(std::uint8_t port, std::uint64_t now_ns);
	// `since_ns`: when the packet arrived.
	void handle(std::uint8_t port, Packet packet, std::uint64_t since_ns, std::uint64_t now_ns);
	void flush(std::uint8_t port);
	void serve_held(std::uint64_t now_ns);
	void serve_rarely(std::uint64_t now_ns);
	void sleep_until_needed(std::uint64_t now_ns);
	void count(nw_verdict verdict, Traffic traffic);

	LoopParts parts_;
	HeldFrames held_;
	std::uint64_t resolved_before_ = 0;
	std::uint64_t next_rare_ns_ = 0;
	std::uint64_t next_tidy_ns_ = 0;
};

} // namespace neuwerk::dataplane
