// Any bytes as a frame, through parse, line match, decide fields and rewrite: no read or write outside the
// frame.
#include "abi/config.h"
#include "path/decide.h"
#include "path/flow.h"
#include "path/rewrite.h"
#include "path/track.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t bytes)
{
	// A heap copy of exactly this size, so that ASan sees the first byte past the end; its first six
	// bytes are the port's MAC, or no frame would get past that check.
	std::vector<std::uint8_t> frame(data, data + bytes);
	std::uint8_t mac[6] = {};
	for (std::size_t i = 0; i < sizeof(mac) && i < bytes; i++)
		mac[i] = frame[i];
	nw_packet packet{};
	if (nw_parse({frame.data(), frame.data() + frame.size()}, mac, 0, &packet) != NW_UNDECIDED)
		return 0;

	__u32 values[NW_FIELD_COUNT];
	nw_decide_fields(&packet.tuple, packet.icmp_type, packet.icmp_code, values);
	nw_config config{};
	nw_flow_line line{};
	line.kind = bytes & 1 ? NW_LINE_INBOUND : 0;
	line.protocol = packet.tuple.protocol;
	line.external = bytes & 2 ? 0 : NW_NOT_TRANSLATED;
	const nw_tuple inbound = nw_inbound_tuple(&line, &config);
	if (nw_flow_hash(&packet.tuple, bytes) == nw_flow_hash(&inbound, bytes) &&
	    !nw_line_matches(&line, &packet.tuple, &config) && nw_is_inbound(&line))
		return 0;
	nw_next_hop hop{};
	const std::uint8_t ttl = packet.ip->ttl;
	nw_rewrite(&packet, &line, &config, &hop);
	if (packet.ip->ttl != static_cast<std::uint8_t>(ttl - 1))
		std::abort();
	return 0;
}
