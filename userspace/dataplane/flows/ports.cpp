// Port choice by looking into the flow table, and one counter per remote.
#include "dataplane/flows/ports.h"

#include "path/flow.h"

#include <cstdlib>
#include <new>

namespace neuwerk::dataplane {

ExternalPorts::ExternalPorts(const FlowTable &table, const nw_config &config)
    : table_(table), config_(config), mask_(table.size() - 1),
      slots_(static_cast<Slot *>(std::calloc(table.size(), sizeof(Slot))))
{
	if (!slots_)
		throw std::bad_alloc(); // at start only
}

void ExternalPorts::Free::operator()(Slot *slots) const
{
	std::free(slots);
}

std::optional<std::uint16_t> ExternalPorts::choose(const nw_flow_line &flow, std::uint32_t random) const
{
	if (count_towards(flow) >= available(flow.protocol))
		return {};
	const std::uint16_t inside_port = NW_HOST16(flow.inside_port_be);
	const bool is_icmp = flow.protocol == NW_PROTOCOL_ICMP;
	if (!is_icmp && inside_port >= first_external_port && is_free(flow, inside_port))
		return flow.inside_port_be;

	// Uniform in [0, external_port_count) up to one part in 2^16. From the inside identifier itself ICMP
	// steps at least one on, so that it comes last.
	std::uint32_t offset = static_cast<std::uint32_t>(std::uint64_t{random} * external_port_count >> 32);
	if (is_icmp && first_external_port + offset == inside_port)
		offset++;
	for (std::uint32_t i = 0; i < external_port_count; i++) {
		const auto port =
			static_cast<std::uint16_t>(first_external_port + (offset + i) % external_port_count);
		if (is_free(flow, port))
			return NW_BE16(port);
	}
	return {};
}

bool ExternalPorts::is_free(const nw_flow_line &flow, std::uint16_t port) const
{
	if (is_host_service(flow.protocol, port))
		return false;
	nw_flow_line candidate = flow;
	candidate.external_port_be = NW_BE16(port);
	return !table_.find(nw_inbound_tuple(&candidate, &config_));
}

bool ExternalPorts::is_host_service(std::uint8_t protocol, std::uint16_t port) const
{
	if (protocol == NW_PROTOCOL_ICMP)
		return false; // echo requests to this host do not meet echo replies to a flow
	for (const nw_host_service &service : config_.host_service)
		if (service.protocol == protocol && service.port_be == NW_BE16(port))
			return true;
	return false;
}

std::uint32_t ExternalPorts::available(std::uint8_t protocol) const
{
	std::uint32_t ports = external_port_count;
	for (std::uint32_t i = 0; i < NW_HOST_SERVICE_LIMIT; i++) {
		const nw_host_service &service = config_.host_service[i];
		bool counts = protocol != NW_PROTOCOL_ICMP && service.protocol == protocol &&
			      NW_HOST16(service.port_be) >= first_external_port;
		for (std::uint32_t j = 0; j < i && counts; j++) // listed twice
			counts = config_.host_service[j].protocol != protocol ||
				 config_.host_service[j].port_be != service.port_be;
		ports -= counts;
	}
	return ports;
}

// The external address stands as its index, because a changed address must not orphan a count.
std::uint64_t ExternalPorts::fingerprint_of(const nw_flow_line &flow) const
{
	nw_tuple tuple = nw_outbound_tuple(&flow);
	tuple.source = {};
	tuple.source.word_be[0] = flow.external;
	tuple.source_port_be = 0;
	const std::uint64_t high = nw_flow_hash(&tuple, ~config_.hash_seed);
	const std::uint64_t fingerprint = high << 32 | nw_flow_hash(&tuple, config_.hash_seed);
	return fingerprint == 0 ? 1 : fingerprint;
}

std::uint32_t ExternalPorts::slot_of(std::uint64_t fingerprint) const
{
	auto slot = static_cast<std::uint32_t>(fingerprint) & mask_;
	while (slots_[slot].fingerprint != 0 && slots_[slot].fingerprint != fingerprint)
		slot = (slot + 1) & mask_;
	return slot;
}

std::uint32_t ExternalPorts::count_towards(const nw_flow_line &flow) const
{
	return static_cast<std::uint32_t>(slots_[slot_of(fingerprint_of(flow))].flows);
}

std::uint64_t ExternalPorts::flows_of(std::uint8_t external) const
{
	return flows_[external % NW_EXTERNAL_LIMIT].load(std::memory_order_relaxed);
}

void ExternalPorts::taken(const nw_flow_line &flow)
{
	const std::uint64_t fingerprint = fingerprint_of(flow);
	Slot &slot = slots_[slot_of(fingerprint)];
	slot.fingerprint = fingerprint;
	slot.flows++;
	if (flow.external < NW_EXTERNAL_LIMIT)
		flows_[flow.external].fetch_add(1, std::memory_order_relaxed);
}

void ExternalPorts::freed(const nw_flow_line &flow)
{
	const std::uint32_t slot = slot_of(fingerprint_of(flow));
	if (slots_[slot].flows > 0 && flow.external < NW_EXTERNAL_LIMIT)
		flows_[flow.external].fetch_sub(1, std::memory_order_relaxed);
	if (slots_[slot].flows > 1)
		slots_[slot].flows--;
	else if (slots_[slot].flows == 1)
		erase(slot);
}

// Knuth 6.4, algorithm R: entries behind the hole move up when the hole lies between their home and them.
void ExternalPorts::erase(std::uint32_t hole)
{
	for (std::uint32_t slot = (hole + 1) & mask_; slots_[slot].fingerprint != 0;
	     slot = (slot + 1) & mask_) {
		const auto home = static_cast<std::uint32_t>(slots_[slot].fingerprint) & mask_;
		if (((slot - home) & mask_) >= ((slot - hole) & mask_)) {
			slots_[hole] = slots_[slot];
			hole = slot;
		}
	}
	slots_[hole] = {};
}

} // namespace neuwerk::dataplane
