// Front door of observe/: what happened, kept for people: audit findings, telemetry, wiretap flows, archives.
//
//   counts of XDP, once a second ─┐              ┌─► audit.db: findings, hits per group and hour;
//   events of the poller ─────────┼─► Observer ──┤   one transaction per flush()
//   flows of the poller, if tapped ┘             └─► wiretap subscribers
//
// Node-local: nothing of this is replicated. Safe from every thread. Its owner calls flush() once a second.
#pragma once

#include "base/result.h"
#include "neuwerk/v1/dataplane.pb.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::observe {

struct Finding {
	std::string type; // dns_deny, l4_deny, tls_deny, icmp_deny, auth_sso; ours: nat_exhausted
	std::string policy_id;
	std::string source_group;
	std::optional<std::string> hostname, dst_ip, fqdn, sni;
	std::optional<std::uint32_t> dst_port, proto, icmp_type, icmp_code, query_type;
	std::int64_t first_seen_s, last_seen_s; // Unix time
	std::uint64_t count;
	std::vector<std::string> node_ids;
	// Ours.
	std::string rule;                        // that denied last; empty: a default
	std::uint64_t revision;                  // of the policy that denied last
	std::vector<std::string> sample_src_ips; // at most 8
	bool audited;                            // allowed, although a rule in audit mode denies it
};

// What makes two denials one finding: bytes of spec/http-api §5.8, which the web UI computes too.
[[nodiscard]] std::string dedup_key(const Finding &finding);

struct FindingQuery {
	// OR within, AND across; empty: all; compared without case.
	std::vector<std::string> policy_ids, types, source_groups;
	std::optional<std::int64_t> since_s, until_s;
	std::uint32_t limit = 500; // 1 to 10000
};

struct GroupHits {
	std::string group;
	std::uint64_t current_24h, previous_24h;
};

// JSON arrays of the items of §5.8 and §5.9, every key present.
[[nodiscard]] std::string to_json(const std::vector<Finding> &findings);
[[nodiscard]] std::string to_json(const std::vector<GroupHits> &hits);

struct Options {
	std::string directory; // audit.db
	std::string node_id;   // UUID
	std::uint64_t audit_limit_bytes = std::uint64_t{100} << 20;
	std::function<std::int64_t()> now_ms; // Unix time
	// Which revision and policy id a generation belongs to.
	std::function<std::pair<std::uint64_t, std::string>(std::uint32_t generation)> policy_of;
};

// One record of the wiretap (spec §7).
struct FlowReport {
	bool ended;
	std::string json;
	// For filters; host byte order.
	std::uint32_t source, destination;
	std::uint16_t source_port, destination_port;
	std::uint8_t protocol;
	std::string hostname; // empty: unknown
};

class Observer {
public:
	static constexpr std::size_t pending_limit_count = 16'384; // findings between two flushes
	static constexpr std::size_t group_limit_count = 4'096;    // hits between two flushes
	static constexpr std::size_t tapped_limit_count = 65'536;  // flows whose updates are followed
	static constexpr std::size_t feed_limit_count = 1'024;     // reports that wait for one subscriber
	static constexpr std::int64_t report_interval_ms = 1'000;  // of one flow
	static constexpr int telemetry_hours = 49;                 // kept

	// Fails as storage/ does. A restart finds what was flushed.
	[[nodiscard]] static Result<std::unique_ptr<Observer>> open(const Options &options);
	~Observer(); // flushes

	// From the poller's stream; group_name and rule_name are filled. Denials on the stream are samples:
	// they name more sources, on_denied counts. Never waits for a disk: what does not fit is lost and
	// counted.
	void on_event(const v1::Event &event);

	// `packet_count` packets like `last` since the call before; last.kind says which (denied, audited,
	// flow_denied, no_port).
	void on_denied(const v1::Event &last, std::uint64_t packet_count);

	// A flow as it stands now; reported when it moved and its last report is a second old. Only of use
	// while somebody listens.
	void on_flow(const v1::Flow &flow);
	[[nodiscard]] bool is_tapped() const;

	// Writes what is pending, in one transaction (none when nothing is). On an error it stays pending.
	[[nodiscard]] Result<> flush();

	// As of the last flush.
	[[nodiscard]] Result<std::vector<Finding>> findings(const FindingQuery &query) const;
	[[nodiscard]] Result<std::vector<GroupHits>> telemetry() const;

	[[nodiscard]] std::uint64_t lost_count() const;        // denials and hits that did not fit
	[[nodiscard]] std::uint64_t transaction_count() const; // since open
	[[nodiscard]] Result<std::uint64_t> finding_count() const;

	class WiretapFeed { // bounded by feed_limit_count reports; a laggard loses the oldest
	public:
		virtual ~WiretapFeed() = default;
		[[nodiscard]] virtual std::optional<FlowReport> next() = 0; // nullopt: nothing now
		virtual void on_ready(std::function<void()> wake) = 0;
	};
	[[nodiscard]] std::shared_ptr<WiretapFeed> tap(); // listens until the feed is destroyed

private:
	struct State;
	explicit Observer(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

} // namespace neuwerk::observe
