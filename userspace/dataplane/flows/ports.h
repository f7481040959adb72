// External ports: which one a new flow gets, so that no two flows towards one remote share it.
//
// The flow table is the truth: a port is free when no line answers the tuple that a reply would have. A flow
// that closes keeps its lines for tcp_closing_s, which keeps its port out of reach (RFC 7857 §7).
#pragma once

#include "abi/config.h"
#include "dataplane/flows/flow_table.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

namespace neuwerk::dataplane {

inline constexpr std::uint16_t first_external_port = 1024;
inline constexpr std::uint32_t external_port_count = 65536 - first_external_port;

class ExternalPorts {
public:
	ExternalPorts(const FlowTable &table, const nw_config &config);

	// A port (network byte order) for this outbound flow, whose `external` is set. The inside port itself
	// where it is free and in range (RFC 4787 §4.2.1), else the next free one after a random start (RFC
	// 6056 §3.3); an ICMP identifier is always a new one. Never a port of a configured host service.
	// Empty: all ports towards this remote are in use, which takes no search to find out. `random` is
	// uniform.
	[[nodiscard]] std::optional<std::uint16_t> choose(const nw_flow_line &flow,
							  std::uint32_t random) const;

	// A translated flow began or ended.
	void taken(const nw_flow_line &flow);
	void freed(const nw_flow_line &flow);

	// Flows that are translated to nw_config.external[external]. From any thread.
	[[nodiscard]] std::uint64_t flows_of(std::uint8_t external) const;

	// Flows towards the same remote address, remote port and protocol from the same external address.
	[[nodiscard]] std::uint32_t count_towards(const nw_flow_line &flow) const;

private:
	[[nodiscard]] bool is_host_service(std::uint8_t protocol, std::uint16_t port) const;
	[[nodiscard]] std::uint32_t available(std::uint8_t protocol) const;
	[[nodiscard]] bool is_free(const nw_flow_line &flow, std::uint16_t port) const;

	// How many flows one remote has: linear probing over fingerprints. Holds at most one entry per two
	// lines in as many slots as there are lines, so it is never more than half full.
	struct Slot {
		std::uint64_t fingerprint; // of the remote; 0: empty
		std::uint64_t flows;
	};
	[[nodiscard]] std::uint64_t fingerprint_of(const nw_flow_line &flow) const;
	[[nodiscard]] std::uint32_t slot_of(std::uint64_t fingerprint) const;
	void erase(std::uint32_t slot);

	const FlowTable &table_;
	const nw_config &config_;
	std::uint32_t mask_;
	struct Free {
		void operator()(Slot *slots) const;
	};
	std::unique_ptr<Slot[], Free> slots_;
	std::array<std::atomic<std::uint64_t>, NW_EXTERNAL_LIMIT> flows_{};
};

} // namespace neuwerk::dataplane
