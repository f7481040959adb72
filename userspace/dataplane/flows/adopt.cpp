// Taking over the table of a poller that died, at whatever instruction that was.
//
// What it can have left, and what becomes of it:
//  1. a half-written line (odd)                  buried: XDP does not read it, nobody depends on it
//  2. a line that its own tuple does not find    buried: XDP does not reach it either
//  3. a flow with both lines                     adopted, with timers, port and next hops
//  4. an inbound line alone (between the two publications, or the two burials)   buried
//  5. an outbound line alone                     cannot be by our hand; buried
//  6. a flow that policy denied                  buried
// Totals start at what the `traffic` words hold: what wrapped before is lost with the process that harvested
// it.
#include "dataplane/flows/tracker.h"

#include "path/flow.h"

namespace neuwerk::dataplane {

namespace {

// An entry is looked at in this time after the start, spread so that a big table does not make one long
// pause.
constexpr std::uint64_t spread_ns = 8'000'000'000;

bool is_same_flow(const nw_flow_line &out, const nw_flow_line &in)
{
	return nw_is_inbound(&in) && nw_same_address(&out.inside, &in.inside) &&
	       nw_same_address(&out.remote, &in.remote) && out.inside_port_be == in.inside_port_be &&
	       out.remote_port_be == in.remote_port_be && out.external_port_be == in.external_port_be &&
	       out.external == in.external;
}

} // namespace

void Tracker::adopt(std::uint64_t now_ns)
{
	for (std::uint32_t index = 0; index < table_.size(); index++) {
		const auto line = table_.read(index);
		if (table_.is_half_written(index) || (line && !is_sound(index, *line)))
			bury(index, now_ns);
		else if (table_.is_dead(index))
			wheel_.schedule(index, now_ns + spread_ns);
	}
	for (std::uint32_t index = 0; index < table_.size(); index++) {
		const auto line = table_.read(index);
		if (line && !nw_is_inbound(&*line) && !adopt_flow(index, *line, now_ns))
			bury(index, now_ns);
	}
	for (std::uint32_t index = 0; index < table_.size(); index++)
		if (table_.read(index) && !notes_.has_begun(index))
			bury(index, now_ns);
	adopted_flows_ = active_flows_.load();
}

bool Tracker::is_sound(std::uint32_t index, const nw_flow_line &line) const
{
	if (line.protocol != NW_PROTOCOL_TCP && line.protocol != NW_PROTOCOL_UDP &&
	    line.protocol != NW_PROTOCOL_ICMP)
		return false;
	if (line.external != NW_NOT_TRANSLATED && line.external >= memory_.config->external_count)
		return false;
	const auto found = table_.find(table_.tuple_of(line));
	return found && found->index == index;
}

bool Tracker::adopt_flow(std::uint32_t outbound, const nw_flow_line &line, std::uint64_t now_ns)
{
	const auto in = table_.find(nw_inbound_tuple(&line, memory_.config));
	if (!in || !is_same_flow(line, in->line) || (line.seen | in->line.seen) & NW_SEEN_DENIED)
		return false;
	if (!next_hops_.hold(line.next_hop))
		return false;
	if (!next_hops_.hold(in->line.next_hop)) {
		next_hops_.release(line.next_hop);
		return false;
	}
	notes_.begin(outbound, in->index);
	notes_.begin(in->index, outbound);
	if (line.external != NW_NOT_TRANSLATED)
		ports_.taken(line);
	active_flows_.fetch_add(1, std::memory_order_relaxed);
	wheel_.schedule(outbound, now_ns + random_() * (spread_ns >> 32));
	return true;
}

} // namespace neuwerk::dataplane
