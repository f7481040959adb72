// The archive for support: what of this house goes into it.
#include "daemon/house.h"

#include "daemon/sysdump.h"

#include <chrono>

namespace neuwerk::daemon {

namespace {

constexpr std::uint32_t dumped_flow_limit_count = 1000;

} // namespace

// On a worker of the API: the control thread answers meanwhile.
Result<std::string> House::sysdump()
{
	const auto now = std::chrono::system_clock::now().time_since_epoch();
	SysdumpParts parts{.directories = {config_.paths.state},
			   .config_path = config_path_,
			   .store = *store_,
			   .now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count(),
			   .node_id =
				   files_.read(config_.paths.state + "/node_id").value_or("").substr(0, 36),
			   .finding_count = observer_->finding_count().value_or(0),
			   .run = [](const std::vector<std::string> &words) { return run_command(words); }};
	if (!config_.http.tls_directory.starts_with(config_.paths.state + "/"))
		parts.directories.push_back(config_.http.tls_directory);
	const auto readiness = [this]() -> Result<std::string> {
		bool is_ready = false;
		return appliance_->readiness(false, is_ready);
	};
	parts.answers = {
		{"system/http/metrics.prom",
		 [this]() -> Result<std::string> { return node_.answer_http("/metrics").body; }},
		{"system/http/ready.json", readiness},
		{"system/http/status.json", [this] { return appliance_->node_status(); }},
		{"system/http/stats.json", [this] { return appliance_->stats(); }},
		{"system/http/counters.json", [this] { return appliance_->counters(); }},
		{"system/http/nat.json", [this] { return appliance_->nat(); }},
		{"system/http/flows.json", [this] { return appliance_->flows(dumped_flow_limit_count); }},
		{"system/http/policy-status.json",
		 [this]() -> Result<std::string> { return appliance_->policy_status(); }},
	};
	return daemon::sysdump(parts);
}

} // namespace neuwerk::daemon
