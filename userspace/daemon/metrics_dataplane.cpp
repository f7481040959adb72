// Metrics of the dataplane: what the pinned maps and the poller say.
#include "daemon/metrics_parts.h"

#include <string_view>

namespace neuwerk::daemon {

namespace {

struct Row {
	const char *name;
	std::string_view fate;
};
constexpr Row verdict_rows[] = {
#define NW_VERDICT_ROW(name, fate, why) {#name, #fate},
	NW_VERDICTS(NW_VERDICT_ROW)
#undef NW_VERDICT_ROW
};

void add_verdicts(MetricsPage &page, const char *name, const char *help,
		  const dataplane::VerdictCounts &counts, __u64 nw_verdict_count::*what)
{
	page.family(name, MetricType::counter, help);
	for (std::size_t i = 0; i < counts.size(); i++)
		page.add(static_cast<double>(counts[i].*what), {{"verdict", verdict_rows[i].name}});
}

void add_drops(MetricsPage &page, const Numbers &numbers)
{
	page.family("dp_drops_total", MetricType::counter,
		    "Packets that were dropped, by where and why; the only place for every drop.");
	for (const auto &[stage, counts] :
	     {std::pair{"xdp", &numbers.xdp}, std::pair{"poller", &numbers.poller}})
		for (std::size_t i = 0; i < counts->size(); i++)
			if (verdict_rows[i].fate == "drop")
				page.add(static_cast<double>((*counts)[i].packets),
					 {{"stage", stage}, {"reason", verdict_rows[i].name}});
	if (numbers.poller_numbers)
		page.add(static_cast<double>(numbers.poller_numbers->ring_drops),
			 {{"stage", "ring"}, {"reason", "ring_full"}});
}

std::uint64_t both(const Numbers &numbers, nw_verdict verdict)
{
	return numbers.xdp[verdict].packets + numbers.poller[verdict].packets;
}

// A packet that XDP handed to the poller is counted there. Direction, protocol and group are not told apart:
// a counter per group would cost every packet.
void add_decisions(MetricsPage &page, const char *name, const char *help, const Numbers &numbers,
		   __u64 nw_verdict_count::*what)
{
	std::uint64_t allowed = 0, denied = 0;
	for (const auto *counts : {&numbers.xdp, &numbers.poller})
		for (std::size_t i = 0; i < counts->size(); i++) {
			allowed += verdict_rows[i].fate == "forward" ? (*counts)[i].*what : 0;
			denied += verdict_rows[i].fate == "drop" ? (*counts)[i].*what : 0;
		}
	page.family(name, MetricType::counter, help);
	page.add(static_cast<double>(allowed), {{"decision", "allow"}});
	page.add(static_cast<double>(denied), {{"decision", "deny"}});
	page.add(0, {{"decision", "pending_tls"}});
}

void add_flow_table(MetricsPage &page, const Numbers &numbers)
{
	const Labels worker = {{"worker", "0"}};
	const double used = static_cast<double>(numbers.flow_lines_used);
	const double capacity = static_cast<double>(numbers.flow_lines);
	page.gauge("dp_active_flows",
		   numbers.poller_numbers ? static_cast<double>(numbers.poller_numbers->active_flows)
					  : used / 2,
		   "Flows in the table; half of the lines in use while the poller does not answer.");
	page.gauge("dp_flow_table_capacity", capacity, "Lines of the flow table; a flow takes two.", worker);
	page.gauge("dp_flow_table_used_slots_ratio", capacity == 0 ? 0 : used / capacity,
		   "Share of the flow table's lines in use.", worker);
	page.gauge("dp_flow_table_utilization_ratio", capacity == 0 ? 0 : used / capacity,
		   "Share of the flow table's lines in use.");
}

void add_flows(MetricsPage &page, const Tally::Snapshot &tally)
{
	page.family("dp_flow_opens_total", MetricType::counter, "Flows that began.");
	for (const auto &[labels, count] : tally.flow_opens)
		page.add(static_cast<double>(count),
			 {{"proto", labels.first}, {"source_group", labels.second}});
	page.family("dp_flow_closes_total", MetricType::counter, "Flows that ended, by why.");
	for (const auto &[reason, count] : tally.flow_closes)
		page.add(static_cast<double>(count), {{"reason", reason}});
}

void add_poller(MetricsPage &page, const Numbers &numbers)
{
	page.gauge("dataplane_up", numbers.poller_numbers ? 1 : 0, "1 while the poller answers.");
	if (!numbers.poller_numbers)
		return;
	const PollerNumbers &poller = *numbers.poller_numbers;
	page.counter("poller_events_lost_total", poller.events_lost,
		     "Events that the poller could not deliver.");
	page.gauge("dp_unresolved_next_hops", static_cast<double>(poller.unresolved_next_hops),
		   "Next hops whose hardware address is not known.");
	page.gauge("dp_active_nat_entries", static_cast<double>(poller.translated_flows),
		   "Flows that are translated.");
	page.gauge(
		"dp_nat_port_utilization_ratio", poller.nat_port_utilization,
		"Translated flows per port of the fullest SNAT address, at most 1; ports are reused towards "
		"other remotes.");
}

} // namespace

void add_dataplane_metrics(MetricsPage &page, const Numbers &numbers)
{
	constexpr auto packets = &nw_verdict_count::packets;
	constexpr auto bytes = &nw_verdict_count::bytes;
	add_verdicts(page, "xdp_verdicts_total", "Packets by what the XDP program did with them.",
		     numbers.xdp, packets);
	add_verdicts(page, "xdp_verdict_bytes_total",
		     "Bytes (whole frames) by what the XDP program did with them.", numbers.xdp, bytes);
	add_verdicts(page, "poller_verdicts_total", "Packets by what the poller did with them.",
		     numbers.poller, packets);
	add_verdicts(page, "poller_verdict_bytes_total",
		     "Bytes (whole frames) by what the poller did with them.", numbers.poller, bytes);
	add_drops(page, numbers);
	add_decisions(page, "dp_packets_total", "Packets forwarded and dropped.", numbers, packets);
	add_decisions(page, "dp_bytes_total", "Bytes (whole frames) forwarded and dropped.", numbers, bytes);
	page.counter("dp_ipv4_fragments_dropped_total", both(numbers, NW_VERDICT_dropped_fragment),
		     "IPv4 fragments that were dropped.");
	page.counter("dp_ipv4_ttl_exceeded_total", both(numbers, NW_VERDICT_dropped_ttl),
		     "Packets whose time to live ended here.");
	page.counter("dp_flow_cap_rejections_total", both(numbers, NW_VERDICT_dropped_table_full),
		     "First packets that found no line in the flow table.");
	page.counter("dp_nat_cap_rejections_total", both(numbers, NW_VERDICT_dropped_no_port),
		     "First packets that found no free SNAT port towards their remote.");
	page.counter("nat_port_exhausted_total", both(numbers, NW_VERDICT_dropped_no_port),
		     "Packets that found no free SNAT port towards their remote.");
	page.gauge("dp_policy_generation", numbers.generation, "Generation of the policy in force; 0: none.");
	add_flow_table(page, numbers);
	add_flows(page, numbers.tally);
	add_poller(page, numbers);
}

} // namespace neuwerk::daemon
