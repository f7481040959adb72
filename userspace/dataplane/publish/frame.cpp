// Frames built from questions.
#include "dataplane/publish/frame.h"

#include "path/packet.h"

#include <algorithm>
#include <cstring>

namespace neuwerk::dataplane {

namespace {

template <typename Header>
void append(std::vector<std::byte> &frame, const Header &header)
{
	const auto *bytes = reinterpret_cast<const std::byte *>(&header);
	frame.insert(frame.end(), bytes, bytes + sizeof(header));
}

// RFC 1071 over a header that lies at `start`; an odd tail does not occur here.
__be16 checksum_of(const std::vector<std::byte> &frame, std::size_t start, std::size_t bytes,
		   std::uint32_t sum = 0)
{
	for (std::size_t i = start; i + 1 < start + bytes; i += 2) {
		std::uint16_t word;
		std::memcpy(&word, &frame[i], sizeof(word));
		sum += word;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return static_cast<__be16>(~sum);
}

void append_layer4(std::vector<std::byte> &frame, const Question &question)
{
	if (question.protocol == NW_PROTOCOL_TCP) {
		nw_wire_tcp tcp{};
		tcp.source_be = NW_BE16(question.source_port);
		tcp.destination_be = NW_BE16(question.destination_port);
		tcp.words_and_reserved = 5 << 4;
		tcp.flags = 0x02; // SYN
		append(frame, tcp);
	} else if (question.protocol == NW_PROTOCOL_UDP) {
		nw_wire_udp udp{};
		udp.source_be = NW_BE16(question.source_port);
		udp.destination_be = NW_BE16(question.destination_port);
		udp.bytes_be = NW_BE16(NW_UDP_BYTES);
		append(frame, udp);
	} else if (question.protocol == NW_PROTOCOL_ICMP) {
		nw_wire_icmp icmp{};
		icmp.type = question.icmp_type;
		icmp.code = question.icmp_code;
		icmp.identifier_be = NW_BE16(question.source_port);
		append(frame, icmp);
	}
}

} // namespace

std::vector<std::byte> frame_of(const Question &question, const std::array<std::uint8_t, 6> &mac)
{
	std::vector<std::byte> frame;
	nw_wire_ethernet ethernet{};
	std::copy(mac.begin(), mac.end(), ethernet.destination);
	ethernet.source[0] = 0x02; // locally administered
	ethernet.ethertype_be = NW_BE16(NW_ETHERTYPE_IPV4);
	append(frame, ethernet);

	const std::size_t ip_start = frame.size();
	nw_wire_ipv4 ip{};
	ip.version_and_words = 0x45;
	ip.ttl = 64;
	ip.protocol = question.protocol;
	ip.source_be = NW_BE32(question.source);
	ip.destination_be = NW_BE32(question.destination);
	append(frame, ip);
	append_layer4(frame, question);

	auto *header = reinterpret_cast<nw_wire_ipv4 *>(&frame[ip_start]);
	header->total_bytes_be = NW_BE16(frame.size() - ip_start);
	header->checksum_be = checksum_of(frame, ip_start, sizeof(ip));
	return frame;
}

} // namespace neuwerk::dataplane
