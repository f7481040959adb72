// The parts of the metrics page, one function per source of numbers; metrics.cpp puts them in order.
#pragma once

#include "daemon/metrics.h"
#include "daemon/metrics_page.h"

namespace neuwerk::daemon {

void add_dataplane_metrics(MetricsPage &page, const Numbers &numbers);
void add_request_metrics(MetricsPage &page, const Tally::Snapshot &tally);
void add_store_metrics(MetricsPage &page, const StoreNumbers &store);
void add_audit_metrics(MetricsPage &page, const AuditNumbers &audit);

// Families of engines that this build lacks, at zero: dashboards and /api/v1/stats name them.
void add_absent_metrics(MetricsPage &page);

} // namespace neuwerk::daemon
