// What /metrics shows, written by prometheus-cpp.
#include "daemon/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <string_view>
#include <utility>
#include <vector>

namespace neuwerk::daemon {

namespace {

struct Row {
	const char *name;
	const char *fate;
};
constexpr Row verdict_rows[] = {
#define NW_VERDICT_ROW(name, fate, why) {#name, #fate},
	NW_VERDICTS(NW_VERDICT_ROW)
#undef NW_VERDICT_ROW
};

using Labels = std::vector<std::pair<std::string, std::string>>;

class Page {
public:
	void family(const char *name, prometheus::MetricType type, const char *help)
	{
		families_.push_back({name, help, type, {}});
	}
	void add(double value, const Labels &labels = {})
	{
		prometheus::ClientMetric metric;
		for (const auto &[label, text] : labels)
			metric.label.push_back({label, text});
		if (families_.back().type == prometheus::MetricType::Counter)
			metric.counter.value = value;
		else
			metric.gauge.value = value;
		families_.back().metric.push_back(std::move(metric));
	}
	void counter(const char *name, std::uint64_t value, const char *help)
	{
		family(name, prometheus::MetricType::Counter, help);
		add(static_cast<double>(value));
	}
	void gauge(const char *name, double value, const char *help, const Labels &labels = {})
	{
		family(name, prometheus::MetricType::Gauge, help);
		add(value, labels);
	}
	[[nodiscard]] std::string text() const
	{
		return prometheus::TextSerializer().Serialize(families_);
	}

private:
	std::vector<prometheus::MetricFamily> families_;
};

void add_verdicts(Page &page, const char *name, const char *help, const dataplane::VerdictCounts &counts,
		  bool packets)
{
	page.family(name, prometheus::MetricType::Counter, help);
	for (std::size_t i = 0; i < counts.size(); i++)
		page.add(static_cast<double>(packets ? counts[i].packets : counts[i].bytes),
			 {{"verdict", verdict_rows[i].name}});
}

void add_drops(Page &page, const Numbers &numbers)
{
	page.family("dp_drops_total", prometheus::MetricType::Counter,
		    "Packets that were dropped, by where and why; the only place for every drop.");
	for (const auto &[stage, counts] :
	     {std::pair{"xdp", &numbers.xdp}, std::pair{"poller", &numbers.poller}})
		for (std::size_t i = 0; i < counts->size(); i++)
			if (std::string_view(verdict_rows[i].fate) == "drop")
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

void add_flow_table(Page &page, const Numbers &numbers)
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

} // namespace

std::string metrics_text(const Numbers &numbers)
{
	Page page;
	add_verdicts(page, "xdp_verdicts_total", "Packets by what the XDP program did with them.",
		     numbers.xdp, true);
	add_verdicts(page, "xdp_verdict_bytes_total",
		     "Bytes (whole frames) by what the XDP program did with them.", numbers.xdp, false);
	add_verdicts(page, "poller_verdicts_total", "Packets by what the poller did with them.",
		     numbers.poller, true);
	add_verdicts(page, "poller_verdict_bytes_total",
		     "Bytes (whole frames) by what the poller did with them.", numbers.poller, false);
	add_drops(page, numbers);
	page.counter("dp_ipv4_fragments_dropped_total", both(numbers, NW_VERDICT_dropped_fragment),
		     "IPv4 fragments that were dropped.");
	page.counter("dp_ipv4_ttl_exceeded_total", both(numbers, NW_VERDICT_dropped_ttl),
		     "Packets whose time to live ended here.");
	page.counter("nat_port_exhausted_total", both(numbers, NW_VERDICT_dropped_no_port),
		     "Packets that found no free SNAT port towards their remote.");
	page.gauge("dp_policy_generation", numbers.generation, "Generation of the policy in force; 0: none.");
	add_flow_table(page, numbers);
	page.gauge("dataplane_up", numbers.poller_numbers ? 1 : 0, "1 while the poller answers.");
	if (numbers.poller_numbers) {
		page.counter("poller_events_lost_total", numbers.poller_numbers->events_lost,
			     "Events that the poller could not deliver.");
		page.gauge("dp_unresolved_next_hops",
			   static_cast<double>(numbers.poller_numbers->unresolved_next_hops),
			   "Next hops whose hardware address is not known.");
	}
	page.counter("poller_restarts_total", numbers.poller_restarts,
		     "Times that neuwerkd lost its poller.");
	page.family("policy_applies_total", prometheus::MetricType::Counter, "Policy changes by outcome.");
	page.add(static_cast<double>(numbers.policy_applies_ok), {{"result", "ok"}});
	page.add(static_cast<double>(numbers.policy_applies_failed), {{"result", "refused"}});
	page.gauge("node_ready", numbers.ready ? 1 : 0, "1 while /ready answers 200.");
	return page.text();
}

} // namespace neuwerk::daemon
