// The metrics page: names, labels and their bounds.
#include "daemon/metrics.h"

#include <doctest/doctest.h>

#include <fstream>
#include <iterator>
#include <sstream>

using namespace neuwerk;
using namespace neuwerk::daemon;

namespace {

bool has(const std::string &text, const std::string &part)
{
	return text.find(part) != std::string::npos;
}

std::size_t count_of(const std::string &text, const std::string &part)
{
	std::size_t count = 0;
	for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
		count++;
	return count;
}

} // namespace

TEST_CASE("metrics hold every verdict, every drop and the table")
{
	Numbers numbers{};
	numbers.xdp[NW_VERDICT_forwarded_in_xdp] = {.packets = 5, .bytes = 500};
	numbers.xdp[NW_VERDICT_denied_by_rule] = {.packets = 3, .bytes = 300};
	numbers.poller[NW_VERDICT_dropped_no_port] = {.packets = 2, .bytes = 200};
	numbers.generation = 7;
	numbers.flow_lines = 1024;
	numbers.flow_lines_used = 256;
	numbers.poller_numbers = {
		.active_flows = 128, .ring_drops = 4, .events_lost = 6, .unresolved_next_hops = 1};

	const std::string text = metrics_text(numbers);

	CHECK(has(text, "# TYPE xdp_verdicts_total counter\n"));
	CHECK(has(text, "xdp_verdicts_total{verdict=\"forwarded_in_xdp\"} 5\n"));
	CHECK(has(text, "xdp_verdict_bytes_total{verdict=\"forwarded_in_xdp\"} 500\n"));
	CHECK(has(text, "dp_drops_total{stage=\"xdp\",reason=\"denied_by_rule\"} 3\n"));
	CHECK(has(text, "dp_drops_total{stage=\"poller\",reason=\"dropped_no_port\"} 2\n"));
	CHECK(has(text, "dp_drops_total{stage=\"ring\",reason=\"ring_full\"} 4\n"));
	CHECK_FALSE(has(text, "dp_drops_total{stage=\"xdp\",reason=\"forwarded_in_xdp\"}"));
	CHECK(has(text, "nat_port_exhausted_total 2\n"));
	CHECK(has(text, "dp_policy_generation 7\n"));
	CHECK(has(text, "dp_active_flows 128\n"));
	CHECK(has(text, "dp_flow_table_capacity{worker=\"0\"} 1024\n"));
	CHECK(has(text, "dp_flow_table_utilization_ratio 0.25\n"));
	CHECK(has(text, "dataplane_up 1\n"));
	CHECK(has(text, "poller_events_lost_total 6\n"));

	numbers.poller_numbers.reset();
	const std::string without = metrics_text(numbers);
	CHECK(has(without, "dataplane_up 0\n"));
	CHECK(has(without, "dp_active_flows 128\n")); // half of the lines
}

TEST_CASE("packets and bytes add up by decision, and a packet handed to the poller counts once")
{
	Numbers numbers{};
	numbers.xdp[NW_VERDICT_forwarded_in_xdp] = {.packets = 5, .bytes = 500};
	numbers.xdp[NW_VERDICT_handed_to_poller] = {.packets = 4, .bytes = 400};
	numbers.xdp[NW_VERDICT_denied_by_rule] = {.packets = 3, .bytes = 300};
	numbers.poller[NW_VERDICT_forwarded_by_poller] = {.packets = 4, .bytes = 400};
	const std::string text = metrics_text(numbers);
	CHECK(has(text, "dp_packets_total{decision=\"allow\"} 9\n"));
	CHECK(has(text, "dp_packets_total{decision=\"deny\"} 3\n"));
	CHECK(has(text, "dp_bytes_total{decision=\"allow\"} 900\n"));
}

TEST_CASE("requests are counted by route template, method and status, with their times")
{
	Tally tally;
	tally.on_exchange({"GET", "/api/v1/stats", 200, 0.02});
	tally.on_exchange({"GET", "/api/v1/stats", 200, 30});
	tally.on_exchange({"BREW", "/ui", 405, 0.001});
	tally.on_auth({"deny", "missing_token"});
	Numbers numbers{};
	numbers.tally = tally.snapshot();
	const std::string text = metrics_text(numbers);
	const std::string stats = "{path=\"/api/v1/stats\",method=\"GET\",status=\"200\"";
	CHECK(has(text, "http_requests_total" + stats + "} 2\n"));
	CHECK(has(text, "http_request_duration_seconds_bucket" + stats + ",le=\"0.01\"} 0\n"));
	CHECK(has(text, "http_request_duration_seconds_bucket" + stats + ",le=\"0.025\"} 1\n"));
	CHECK(has(text, "http_request_duration_seconds_bucket" + stats + ",le=\"+Inf\"} 2\n"));
	CHECK(has(text, "http_requests_total{path=\"/ui\",method=\"other\",status=\"405\"} 1\n"));
	CHECK(has(text, "http_auth_total{outcome=\"deny\",reason=\"missing_token\"} 1\n"));
}

TEST_CASE("series stay bounded, whoever invents paths, statuses or groups")
{
	Tally tally;
	v1::Event event;
	event.set_kind("flow_started");
	event.set_protocol("tcp");
	for (std::size_t i = 0; i < 5'000; i++) {
		tally.on_exchange({"GET", "/x/" + std::to_string(i), 200, 0});
		event.set_group_name("group-" + std::to_string(i));
		tally.on_event(event);
	}
	const auto snapshot = tally.snapshot();
	CHECK(snapshot.requests.size() == Tally::request_series_limit_count + 1);
	CHECK(snapshot.requests.at({"other", "other", 200}).count ==
	      5'000 - Tally::request_series_limit_count);
	CHECK(snapshot.flow_opens.size() <= Tally::flow_series_limit_count + 3);
	CHECK(snapshot.flow_opens.at({"tcp", "other"}) == 5'000 - Tally::flow_series_limit_count);
}

TEST_CASE("records, audit and what this build lacks have their families, each announced once")
{
	Numbers numbers{};
	numbers.store = {.is_leader = true,
			 .accepts_writes = true,
			 .term = 3,
			 .last_log_index = 40,
			 .applied_index = 39,
			 .log_bytes = 1000,
			 .state_bytes = 2000,
			 .record_count = 7};
	numbers.audit = {.findings = 5, .lost = 1, .uncounted = 2, .transactions = 9};
	const std::string text = metrics_text(numbers);
	for (const char *line :
	     {"raft_is_leader 1", "raft_current_term 3", "raft_last_log_index 40", "raft_last_applied 39",
	      "rocksdb_estimated_num_keys 7", "rocksdb_total_sst_files_size_bytes 3000", "audit_findings 5",
	      "audit_uncounted_packets_total 2", "dns_queries_total{result=\"allow\"} 0",
	      "neuwerk_threat_matches_total 0"})
		CHECK_MESSAGE(has(text, std::string(line) + "\n"), line);
	CHECK(has(text, "# HELP http_auth_sso_total "));
	for (const char *family : {"dp_packets_total", "dp_flow_opens_total", "http_requests_total"})
		CHECK(count_of(text, std::string("# TYPE ") + family + " ") == 1);
}

TEST_CASE("every family stands in the reference")
{
	std::ifstream file(NW_METRICS_PAGE);
	const std::string page{std::istreambuf_iterator<char>(file), {}};
	REQUIRE(!page.empty());
	Numbers numbers{};
	numbers.store.emplace();
	numbers.audit.emplace();
	numbers.poller_numbers.emplace();
	std::istringstream lines(metrics_text(numbers));
	for (std::string line; std::getline(lines, line);)
		if (line.starts_with("# TYPE ")) {
			const std::string name = line.substr(7, line.find(' ', 7) - 7);
			CHECK_MESSAGE(has(page, '`' + name + '`'), name);
		}
}
