// Front door of dataplane/ for the controller: the pinned maps and programs of one appliance.
//
//   open ──► maps created or reused under bpffs ──► program loaded and attached per port (pinned link)
//   configure ──► the `config` map          prepare ──► the inactive half          flip ──► one word
//
// neuwerkd is the only owner. Everything stays in force when the process ends: links and maps are pinned.
#pragma once

#include "abi/config.h"
#include "abi/denial.h"
#include "abi/event.h"
#include "abi/flow.h"
#include "abi/policy.h"
#include "abi/verdict.h"
#include "base/result.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace neuwerk::policy {
class CompiledPolicy;
}

namespace neuwerk::dataplane {

struct PortSpec {
	std::string interface; // name in this network namespace
	nw_side side;
	bool generic = false; // xdpgeneric, for drivers without native XDP
};

// Sizes are fixed while the maps are pinned; a change takes `uninstall` (or a reboot).
struct Sizes {
	std::uint32_t flow_lines = 1u << 20;       // power of two; 64 bytes each, two per flow
	std::uint32_t policy_nodes = 1u << 17;     // per half, 128 bytes each
	std::uint32_t policy_decisions = 1u << 17; // per half, 16 bytes each
};

struct CorridorSpec {
	std::string bpffs;           // directory on a bpf file system, for example /sys/fs/bpf/neuwerk
	std::vector<PortSpec> ports; // 1 to NW_PORT_LIMIT
	Sizes sizes;
};

// What neuwerkd knows about the surroundings; the rest of nw_config follows from ports and sizes.
struct Settings {
	nw_snat_mode snat_mode = NW_SNAT_AUTO;
	std::vector<std::uint32_t>
		own_addresses;               // host byte order, on the data ports, SNAT addresses included
	std::vector<std::uint32_t> external; // host byte order; empty with NW_SNAT_AUTO: nothing leaves
	std::vector<nw_host_service> host_services;
	nw_timeouts timeouts{};
	std::uint32_t misses_per_second = 100'000; // per CPU
	std::uint32_t miss_burst = 1'024;          // an XSK ring holds 2048 frames
	std::uint32_t events_per_second = 1'000;   // per CPU
};

using VerdictCounts = std::array<nw_verdict_count, NW_VERDICT_COUNT>;

// The packet of a question, as it would arrive on an inside port.
struct Question {
	std::uint32_t source;      // host byte order
	std::uint32_t destination; // host byte order
	std::uint8_t protocol;
	std::uint16_t source_port;      // ICMP: identifier
	std::uint16_t destination_port; // ICMP: ignored
	std::uint8_t icmp_type = 8;
	std::uint8_t icmp_code = 0;
};

struct Explanation {
	nw_verdict verdict; // of a first packet; an existing flow is not looked at
	std::uint32_t generation;
	nw_decision decision; // zeroed unless decided
	bool decided;         // false: the packet ended before policy was asked
};

class Corridor {
public:
	// Fails with a message that names the interface and the command that helps: interface missing, LRO or
	// VLAN offload on, MTU above what XDP serves, a foreign XDP program attached, privilege missing,
	// pinned maps of another version or size. A first open that fails leaves nothing attached or pinned.
	[[nodiscard]] static Result<Corridor> open(const CorridorSpec &spec);

	[[nodiscard]] Result<> configure(const Settings &settings);

	// Waits until no packet still reads the half that `generation` selects, and fills it. Must be one
	// more than generation(); packets notice nothing, and a later prepare overwrites it. Fails with
	// resource_exhausted when the policy does not fit.
	[[nodiscard]] Result<> prepare(const policy::CompiledPolicy &policy, std::uint32_t generation);
	// The prepared generation decides from the next packet on. Fails with conflict when another one, or
	// none, was prepared.
	[[nodiscard]] Result<> flip(std::uint32_t generation);
	// Both, one after the other.
	[[nodiscard]] Result<> publish(const policy::CompiledPolicy &policy, std::uint32_t generation);
	[[nodiscard]] std::uint32_t generation() const; // 0: none published

	// By the dry-run load of the same program on the same policy maps; moves no counter.
	[[nodiscard]] Result<Explanation> explain(const Question &question);
	[[nodiscard]] Result<Explanation> explain_frame(std::span<const std::byte> frame);

	[[nodiscard]] VerdictCounts xdp_verdicts() const;
	[[nodiscard]] VerdictCounts poller_verdicts() const;
	[[nodiscard]] std::uint64_t live_flow_lines() const; // scans the table

	// Hands over each key of abi/denial.h with the packets that were counted since the call before, also
	// when another process made that; returns how many packets had no line of their own. From one thread,
	// which need not be the one that publishes.
	using TakeDenial = std::function<void(const nw_denial &line, std::uint32_t packet_count)>;
	[[nodiscard]] std::uint64_t drain_denials(const TakeDenial &take) const;

	// Detaches the links and removes our pins of this directory; the only thing that does. Touches
	// nothing outside a bpf file system, and no pin of anybody else.
	[[nodiscard]] static Result<> uninstall(const std::string &bpffs);

	Corridor(Corridor &&) noexcept;
	Corridor &operator=(Corridor &&) noexcept;
	~Corridor();

private:
	struct State;
	explicit Corridor(std::unique_ptr<State> state);
	[[nodiscard]] static Result<Corridor> open_all(const CorridorSpec &spec);
	std::unique_ptr<State> state_;
};

} // namespace neuwerk::dataplane
