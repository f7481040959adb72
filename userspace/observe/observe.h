// Front door of observe/: what happened, kept for people: audit findings, telemetry, wiretap flows, archives.
//
//   event stream of the poller ─► Observer ─┬─► audit.db, one transaction a second
//                                           ├─► hits per group and hour
//                                           └─► wiretap subscribers
//
// Node-local: nothing of this is replicated. Safe from every thread.
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
	std::string type; // dns_deny, l4_deny, tls_deny, icmp_deny, auth_sso
	std::string policy_id;
	std::string source_group;
	std::optional<std::string> hostname, dst_ip, fqdn, sni;
	std::optional<std::uint32_t> dst_port, proto, icmp_type, icmp_code, query_type;
	std::int64_t first_seen_s, last_seen_s; // Unix time
	std::uint64_t count;
	std::vector<std::string> node_ids;
	// Ours.
	std::string rule;                        // empty: a default
	std::uint64_t revision;                  // of the policy that denied last
	std::vector<std::string> sample_src_ips; // at most 8
	bool audited;                            // allowed, although a rule in audit mode denies it
};

struct FindingQuery {
	std::vector<std::string> policy_ids, types, source_groups; // OR within, AND across; empty: all
	std::optional<std::int64_t> since_s, until_s;
	std::uint32_t limit = 500; // 1 to 10000
};

struct GroupHits {
	std::string group;
	std::uint64_t current_24h, previous_24h;
};

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
	// For filters.
	std::string source, destination, protocol;
	std::uint32_t source_port, destination_port;
	std::optional<std::string> hostname;
};

class Observer {
public:
	[[nodiscard]] static Result<std::unique_ptr<Observer>> open(const Options &options);
	~Observer(); // flushes

	// From the poller's stream; group_name and rule_name are filled. Never blocks: a full queue counts a
	// loss.
	void on_event(const v1::Event &event);

	[[nodiscard]] Result<std::vector<Finding>> findings(const FindingQuery &query) const;
	[[nodiscard]] std::vector<GroupHits> telemetry() const;
	[[nodiscard]] std::uint64_t lost_count() const;

	class WiretapFeed { // bounded by 1024 reports; a laggard loses the oldest
	public:
		virtual ~WiretapFeed() = default;
		[[nodiscard]] virtual std::optional<FlowReport> next() = 0; // nullopt: nothing now
		virtual void on_ready(std::function<void()> wake) = 0;
	};
	[[nodiscard]] std::shared_ptr<WiretapFeed> tap();

	// Writes what is queued now; for tests and for the end.
	[[nodiscard]] Result<> flush();

private:
	struct State;
	explicit Observer(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

} // namespace neuwerk::observe
