// Metrics of the control plane: requests, records, audit, and what this build lacks.
#include "daemon/metrics_parts.h"

namespace neuwerk::daemon {

namespace {

struct Absent {
	const char *name;
	MetricType type;
	const char *help;
	std::vector<Labels> children;
};

std::vector<Absent> absent_families()
{
	constexpr auto counter = MetricType::counter;
	constexpr auto gauge = MetricType::gauge;
	return {
		{"dns_queries_total",
		 counter,
		 "DNS queries; no DNS proxy yet.",
		 {{{"result", "allow"}}, {{"result", "deny"}}}},
		{"dns_nxdomain_total",
		 counter,
		 "Names that do not exist; no DNS proxy yet.",
		 {{{"source", "policy"}}, {{"source", "upstream"}}}},
		{"dp_tls_decisions_total",
		 counter,
		 "TLS decisions; TLS is not looked into yet.",
		 {{{"outcome", "allow"}}, {{"outcome", "deny"}}}},
		{"dhcp_lease_active", gauge, "DHCP is the host's; no lease of ours.", {{}}},
		{"dhcp_lease_expiry_epoch", gauge, "DHCP is the host's; no lease of ours.", {{}}},
		{"http_auth_sso_total",
		 counter,
		 "Logins by SSO; no engine yet.",
		 {{{"outcome", "deny"}, {"reason", "unavailable"}, {"provider", "none"}}}},
		{"neuwerk_threat_matches_total", counter, "Threat matches; no matching yet.", {{}}},
		{"neuwerk_threat_alertable_matches_total", counter, "Threat matches; no matching yet.", {{}}},
		{"neuwerk_threat_feed_refresh_total", counter, "Refreshes of feeds; no feeds yet.", {{}}},
		{"neuwerk_threat_findings_active", gauge, "Threat findings; no matching yet.", {{}}},
	};
}

} // namespace

void add_request_metrics(MetricsPage &page, const Tally::Snapshot &tally)
{
	const auto labels_of = [](const Tally::RequestLabels &key) {
		const auto &[path, method, status] = key;
		return Labels{{"path", path}, {"method", method}, {"status", std::to_string(status)}};
	};
	page.family("http_requests_total", MetricType::counter,
		    "Requests to the API, by route template (\"/ui\": none of ours).");
	for (const auto &[key, durations] : tally.requests)
		page.add(static_cast<double>(durations.count), labels_of(key));
	page.family("http_request_duration_seconds", MetricType::histogram,
		    "From the whole header to the end of the response; of a stream to its beginning.");
	for (const auto &[key, durations] : tally.requests) {
		std::vector<MetricsPage::Bucket> buckets;
		for (std::size_t i = 0; i < durations.at_most.size(); i++)
			buckets.push_back({Tally::duration_bounds_s[i], durations.at_most[i]});
		page.add_histogram(buckets, durations.count, durations.sum_s, labels_of(key));
	}
	page.family("http_auth_total", MetricType::counter, "Requests to protected routes, by who asked.");
	for (const auto &[key, count] : tally.auths)
		page.add(static_cast<double>(count), {{"outcome", key.first}, {"reason", key.second}});
}

// The names are the reference's, whose store was another one.
void add_store_metrics(MetricsPage &page, const StoreNumbers &store)
{
	page.gauge("raft_is_leader", store.is_leader ? 1 : 0, "1 while this node leads; standalone: always.");
	page.counter("raft_leader_changes_total", 0, "A standalone node never changes its leader.");
	page.gauge("raft_current_term", static_cast<double>(store.term), "Term of the log.");
	page.gauge("raft_last_log_index", static_cast<double>(store.last_log_index),
		   "Last entry of the log.");
	page.gauge("raft_last_applied", static_cast<double>(store.applied_index),
		   "Last entry that is applied.");
	page.gauge("rocksdb_estimated_num_keys", static_cast<double>(store.record_count), "Records.");
	page.gauge("rocksdb_live_sst_files_size_bytes", static_cast<double>(store.state_bytes),
		   "Bytes of state.db and its WAL.");
	page.gauge("rocksdb_total_sst_files_size_bytes",
		   static_cast<double>(store.state_bytes + store.log_bytes),
		   "Bytes of state.db, raft.db and their WALs.");
	page.gauge("rocksdb_memtable_bytes", static_cast<double>(store.log_bytes),
		   "Bytes of raft.db and its WAL.");
	page.gauge("rocksdb_num_running_compactions", 0, "SQLite compacts nothing in the background.");
	page.gauge("rocksdb_num_immutable_memtables", 0, "SQLite has none.");
	page.gauge("store_accepts_writes", store.accepts_writes ? 1 : 0,
		   "0: the disk is nearly full, or there is no leader.");
}

void add_audit_metrics(MetricsPage &page, const AuditNumbers &audit)
{
	page.gauge("audit_findings", static_cast<double>(audit.findings), "Findings in audit.db.");
	page.counter("audit_lost_total", audit.lost,
		     "Denials and hits that did not fit into memory between two writes.");
	page.counter("audit_uncounted_packets_total", audit.uncounted,
		     "Denied packets that are in no finding's count: more destinations at once than XDP has "
		     "lines for.");
	page.counter("audit_transactions_total", audit.transactions, "Transactions of audit.db.");
}

void add_absent_metrics(MetricsPage &page)
{
	for (const Absent &family : absent_families()) {
		page.family(family.name, family.type, family.help);
		for (const Labels &labels : family.children)
			page.add(0, labels);
	}
}

} // namespace neuwerk::daemon
