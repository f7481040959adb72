// A whole appliance in std containers: bpf/corridor.h as XDP, flows/ as the poller, time by hand.
//
// It runs the very code that the kernel and the poller run; what it lacks is the driver, the rings between
// the two and anything that happens at the same time.
#pragma once

#include "abi/config.h"
#include "abi/event.h"
#include "abi/verdict.h"
#include "base/result.h"
#include "dataplane/corridor.h"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

namespace neuwerk::policy {
class CompiledPolicy;
}

namespace neuwerk::dataplane {

struct SimSpec {
	std::vector<nw_port> ports; // mac, mtu_bytes and side are used
	Settings settings;
	std::uint32_t flow_lines = 1u << 12;
	// Longest prefix first is not needed: addresses are asked one by one. Empty answer: no route.
	std::map<std::uint32_t, nw_next_hop> hops; // by address, host byte order
	std::optional<nw_next_hop> default_hop;    // for every address that is not listed
};

struct Reaction {
	nw_verdict xdp;                          // what XDP counted
	nw_verdict poller;                       // NW_VERDICT_COUNT: it never saw the frame
	std::optional<std::uint8_t> egress_port; // the frame left here, rewritten in place
};

class Sim {
public:
	explicit Sim(const SimSpec &spec, std::uint64_t start_ns = std::uint64_t{1} << 40);
	~Sim();
	Sim(const Sim &) = delete;
	Sim &operator=(const Sim &) = delete;

	[[nodiscard]] Result<> publish(const policy::CompiledPolicy &policy);
	[[nodiscard]] std::uint32_t generation() const;

	Reaction receive(std::uint8_t ingress_port, std::span<std::uint8_t> frame);
	void advance(std::uint64_t by_ns); // timers fire in 1 s steps

	[[nodiscard]] std::vector<nw_event> take_events();
	[[nodiscard]] std::uint64_t active_flows() const;
	[[nodiscard]] std::span<const nw_flow_line> lines() const;
	[[nodiscard]] const VerdictCounts &xdp_verdicts() const;
	[[nodiscard]] const VerdictCounts &poller_verdicts() const;

private:
	struct State;
	std::unique_ptr<State> state_;
};

} // namespace neuwerk::dataplane
