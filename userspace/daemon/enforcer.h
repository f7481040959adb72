// What the daemon needs of the corridor, as an interface: tests run without BPF.
#pragma once

#include "dataplane/corridor.h"

#include <utility>

namespace neuwerk::daemon {

// Each call means what it means in dataplane/corridor.h.
class Enforcer {
public:
	virtual ~Enforcer() = default;
	[[nodiscard]] virtual Result<> configure(const dataplane::Settings &settings) = 0;
	[[nodiscard]] virtual Result<> publish(const policy::CompiledPolicy &policy,
					       std::uint32_t generation) = 0;
	[[nodiscard]] virtual std::uint32_t generation() const = 0;
	[[nodiscard]] virtual Result<dataplane::Explanation> explain(const dataplane::Question &question) = 0;
	[[nodiscard]] virtual dataplane::VerdictCounts xdp_verdicts() const = 0;
	[[nodiscard]] virtual dataplane::VerdictCounts poller_verdicts() const = 0;
	[[nodiscard]] virtual std::uint64_t live_flow_lines() const = 0;
};

class CorridorEnforcer final : public Enforcer {
public:
	explicit CorridorEnforcer(dataplane::Corridor corridor) : corridor_(std::move(corridor)) {}
	Result<> configure(const dataplane::Settings &settings) override
	{
		return corridor_.configure(settings);
	}
	Result<> publish(const policy::CompiledPolicy &policy, std::uint32_t generation) override
	{
		return corridor_.publish(policy, generation);
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

private:
	dataplane::Corridor corridor_;
};

} // namespace neuwerk::daemon
