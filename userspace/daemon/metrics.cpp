// The metrics page in its order.
#include "daemon/metrics.h"

#include "daemon/metrics_parts.h"

namespace neuwerk::daemon {

std::string metrics_text(const Numbers &numbers)
{
	MetricsPage page;
	add_dataplane_metrics(page, numbers);
	page.counter("poller_restarts_total", numbers.poller_restarts,
		     "Times that neuwerkd lost its poller.");
	page.family("policy_applies_total", MetricType::counter, "Policy changes by outcome.");
	page.add(static_cast<double>(numbers.policy_applies_ok), {{"result", "ok"}});
	page.add(static_cast<double>(numbers.policy_applies_failed), {{"result", "refused"}});
	page.gauge("node_ready", numbers.ready ? 1 : 0, "1 while /ready answers 200.");
	add_request_metrics(page, numbers.tally);
	if (numbers.store)
		add_store_metrics(page, *numbers.store);
	if (numbers.audit)
		add_audit_metrics(page, *numbers.audit);
	add_absent_metrics(page);
	return page.text();
}

} // namespace neuwerk::daemon
