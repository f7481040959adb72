// The appliance as the API asks for it (api/appliance.h): Node's values as JSON, records and observations.
#pragma once

#include "api/appliance.h"
#include "base/clock.h"
#include "daemon/node.h"
#include "daemon/policy_book.h"
#include "observe/observe.h"

#include <functional>
#include <mutex>
#include <string>

namespace neuwerk::daemon {

// Safe from every thread but the control loop's.
class NodeAppliance final : public api::Appliance {
public:
	static constexpr std::size_t diff_example_limit_count = 20;
	static constexpr Duration stats_age_max = std::chrono::seconds(1);

	struct Parts {
		Node &node;
		PolicyBook &book;
		observe::Observer &observer;
		const Clock &clock;
		std::function<Result<std::string>()> sysdump; // bytes of a tar.gz
	};
	explicit NodeAppliance(Parts parts) : parts_(std::move(parts)) {}

	Result<PolicyRecord> policy() override;
	Result<PolicyWritten> write_policy(const PolicyWrite &write) override;
	Result<PolicyReview> validate_policy(const std::string &document, bool is_yaml) override;
	Result<std::vector<PolicyRecord>> policy_history() override;
	Result<PolicyRecord> policy_at(std::uint64_t revision) override;
	Result<PolicyWritten> roll_back_policy(std::uint64_t revision, const std::string &author,
					       const std::string &message) override;
	Result<> confirm_policy(const std::string &author) override;
	Result<> reset_policy(const std::string &id, const std::string &author) override;
	std::string policy_status() override;
	Result<std::string> explain(const std::string &question) override;
	Result<std::string> diff_policies(const std::string &from, const std::string &to) override;
	Result<std::string> test_policy(const std::string &document) override;

	std::string readiness(bool dataplane_only, bool &is_ready) override;
	Result<std::string> node_status() override;
	Result<std::string> counters() override;
	Result<std::string> flows(std::uint32_t limit) override;
	Result<std::string> nat() override;
	Result<std::string> stats() override;
	Result<std::string> dns_cache() override;
	Result<std::shared_ptr<api::StreamSource>> events() override;
	Result<std::shared_ptr<api::StreamSource>> wiretap(const api::WiretapFilter &wanted) override;
	Result<std::string> audit_findings(const api::FindingFilter &filter) override;
	Result<std::string> policy_telemetry() override;
	Result<std::string> sysdump() override;

private:
	Parts parts_;
	std::mutex stats_mutex_;
	std::string stats_; // as of stats_time_; empty: never asked
	Instant stats_time_{};
};

} // namespace neuwerk::daemon
