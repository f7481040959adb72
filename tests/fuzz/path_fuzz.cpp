// Any bytes as a frame, through every step: nothing is read past its end, and no checksum changes its truth.
//
// Input: one byte of choices, four of rewrite values, then the frame.
#include "path/decide.h"
#include "path/flow.h"
#include "path/parse.h"
#include "path/rewrite.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace {

constexpr __u8 port_mac[6] = {2, 0, 0, 0, 1, 1};

// The one's complement sum of 16-bit words, 0 and 0xffff being one value (RFC 1071).
__u32 sum_of(const void *start, std::size_t bytes, __u32 sum)
{
	const auto *at = static_cast<const __u8 *>(start);
	for (std::size_t i = 0; i < bytes; i++)
		sum += i % 2 ? at[i] : static_cast<__u32>(at[i]) << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff ? 0 : sum;
}

// What a receiver computes over the header, and over pseudo header and datagram: 0 means intact.
struct Sums {
	__u32 ip;
	__u32 transport;
	bool has_transport; // a UDP datagram without a checksum has none to keep true
};

Sums sums_of(const nw_packet &packet)
{
	const std::size_t header_bytes = (packet.ip->version_and_words & 15) * 4u;
	const std::size_t bytes = packet.ip_bytes - header_bytes;
	const auto *ip = reinterpret_cast<const __u8 *>(packet.ip);
	const __u32 addresses =
		sum_of(ip + offsetof(nw_wire_ipv4, source_be), 8, ip[9] + static_cast<__u32>(bytes));
	return {sum_of(ip, header_bytes, 0), sum_of(ip + header_bytes, bytes, packet.icmp ? 0 : addresses),
		!packet.udp || packet.udp->checksum_be};
}

void require(bool holds)
{
	if (!holds)
		std::abort();
}

void check_steps(nw_packet &packet, const nw_flow_line &line, const nw_config &config)
{
	__u32 values[NW_FIELD_COUNT];
	nw_decide_fields(&packet.tuple, packet.icmp_type, packet.icmp_code, values);
	require(values[NW_FIELD_SOURCE] == NW_HOST32(packet.ip->source_be));
	const nw_tuple inbound = nw_inbound_tuple(&line, &config);
	require(!nw_is_inbound(&line) || nw_line_matches(&line, &inbound, &config));

	const nw_next_hop hop{};
	const __u8 ttl = packet.ip->ttl;
	const Sums before = sums_of(packet);
	nw_rewrite(&packet, &line, &config, &hop);
	const Sums after = sums_of(packet);
	require(packet.ip->ttl == ttl - 1);
	require(before.ip == after.ip);
	require(before.has_transport == after.has_transport);
	require(!before.has_transport || before.transport == after.transport);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size)
{
	if (size < 5)
		return 0;
	const std::uint8_t choices = data[0];
	const std::size_t frame_bytes = size - 5;
	// A copy of exactly this size, so that AddressSanitizer sees one byte too far.
	const auto frame = std::make_unique<__u8[]>(frame_bytes);
	std::memcpy(frame.get(), data + 5, frame_bytes);
	if (choices & 1 && frame_bytes >= sizeof(port_mac))
		std::memcpy(frame.get(), port_mac, sizeof(port_mac));

	nw_packet packet;
	const nw_verdict verdict = nw_parse({frame.get(), frame.get() + frame_bytes}, port_mac, 0, &packet);
	if (verdict != NW_UNDECIDED)
		return 0;
	require(packet.ip_bytes <= frame_bytes);
	require(!!packet.tcp + !!packet.udp + !!packet.icmp == 1);

	nw_config config{};
	config.external[0] = nw_mapped_ipv4(0);
	std::memcpy(&config.external[0].word_be[3], data + 1, 4);
	nw_flow_line line{};
	line.kind = choices & 2 ? NW_LINE_INBOUND : 0;
	line.external = choices & 4 ? NW_NOT_TRANSLATED : 0;
	line.protocol = packet.tuple.protocol;
	line.inside = nw_mapped_ipv4(NW_BE32(0x0a000005)); // 10.0.0.5
	std::memcpy(&line.external_port_be, data + 3, 2);
	std::memcpy(&line.inside_port_be, data + 1, 2);
	if (choices & 4) // the poller keeps both equal when it does not translate
		line.external_port_be = line.inside_port_be;
	if (packet.ip->ttl > 1)
		check_steps(packet, line, config);
	return 0;
}
