// An appliance without a dataplane: policies are accepted, compiled and stored as the real one does,
// everything that packets would have to tell is empty.
#pragma once

#include "api/appliance.h"
#include "state/state.h"

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace neuwerk::api {

// Safe from every thread.
class PretendedAppliance final : public Appliance {
public:
	PretendedAppliance(state::Store &store, std::function<std::int64_t()> now_ms)
	    : store_(store), now_ms_(std::move(now_ms))
	{
	}

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
	Result<std::shared_ptr<StreamSource>> events() override;
	Result<std::shared_ptr<StreamSource>> wiretap(const WiretapFilter &wanted) override;
	Result<std::string> audit_findings(const FindingFilter &filter) override;
	Result<std::string> policy_telemetry() override;
	Result<std::string> sysdump() override;

private:
	[[nodiscard]] Result<PolicyWritten> append(PolicyRecord record, const std::string &author);

	state::Store &store_;
	std::function<std::int64_t()> now_ms_;
	std::mutex mutex_;
	std::vector<PolicyRecord> records_; // oldest first, with documents
};

} // namespace neuwerk::api
