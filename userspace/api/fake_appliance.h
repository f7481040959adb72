// An appliance for tests of routes: refuses everything; a test overrides what it needs.
#pragma once

#include "api/appliance.h"

namespace neuwerk::api {

class FakeAppliance : public Appliance {
public:
	// clang-format off
	Result<PolicyRecord> policy() override { return refuse(); }
	Result<PolicyWritten> write_policy(const PolicyWrite &) override { return refuse(); }
	Result<PolicyReview> validate_policy(const std::string &, bool) override { return refuse(); }
	Result<std::vector<PolicyRecord>> policy_history() override { return refuse(); }
	Result<PolicyRecord> policy_at(std::uint64_t) override { return refuse(); }
	Result<PolicyWritten> roll_back_policy(std::uint64_t, const std::string &, const std::string &) override { return refuse(); }
	Result<> confirm_policy(const std::string &) override { return refuse(); }
	Result<> reset_policy(const std::string &, const std::string &) override { return refuse(); }
	std::string policy_status() override { return "{}"; }
	Result<std::string> explain(const std::string &) override { return refuse(); }
	Result<std::string> diff_policies(const std::string &, const std::string &) override { return refuse(); }
	Result<std::string> test_policy(const std::string &) override { return refuse(); }

	std::string readiness(bool, bool &is_ready) override { is_ready = false; return "{}"; }
	Result<std::string> node_status() override { return refuse(); }
	Result<std::string> counters() override { return refuse(); }
	Result<std::string> flows(std::uint32_t) override { return refuse(); }
	Result<std::string> nat() override { return refuse(); }
	Result<std::string> stats() override { return refuse(); }
	Result<std::string> dns_cache() override { return refuse(); }
	Result<std::shared_ptr<StreamSource>> events() override { return refuse(); }
	Result<std::shared_ptr<StreamSource>> wiretap(const WiretapFilter &) override { return refuse(); }
	Result<std::string> audit_findings(const FindingFilter &) override { return refuse(); }
	Result<std::string> policy_telemetry() override { return refuse(); }
	Result<std::string> sysdump() override { return refuse(); }
	// clang-format on

protected:
	static tl::unexpected<Error> refuse()
	{
		return fail(ErrorKind::unavailable, "the test has no appliance");
	}
};

} // namespace neuwerk::api
