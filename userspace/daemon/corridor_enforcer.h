// The real corridor behind the interface of enforcer.h.
#pragma once

#include "daemon/enforcer.h"

#include <utility>

namespace neuwerk::daemon {

class CorridorEnforcer final : public Enforcer {
public:
	explicit CorridorEnforcer(dataplane::Corridor corridor) : corridor_(std::move(corridor)) {}
	Result<> configure(const dataplane::Settings &settings) override
	{
		return corridor_.configure(settings);
	}
	Result<> prepare(const policy::CompiledPolicy &policy, std::uint32_t generation) override
	{
		return corridor_.prepare(policy, generation);
	}
	Result<> flip(std::uint32_t generation) override
	{
		return corridor_.flip(generation);
	}
	std::uint32_t generation() const override
	{
		return corridor_.generation();
	}
	Result<dataplane::Explanation> explain(const dataplane::Question &question) override
	{
		return corridor_.explain(question);
	}
	dataplane::VerdictCounts xdp_verdicts() const override
	{
		return corridor_.xdp_verdicts();
	}
	dataplane::VerdictCounts poller_verdicts() const override
	{
		return corridor_.poller_verdicts();
	}
	std::uint64_t live_flow_lines() const override
	{
		return corridor_.live_flow_lines();
	}
	std::uint64_t drain_denials(const dataplane::Corridor::TakeDenial &take) const override
	{
		return corridor_.drain_denials(take);
	}

private:
	dataplane::Corridor corridor_;
};

} // namespace neuwerk::daemon
