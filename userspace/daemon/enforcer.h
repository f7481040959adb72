// What the daemon needs of the corridor, as an interface: tests run without BPF.
#pragma once

#include "dataplane/corridor.h"

namespace neuwerk::daemon {

// Each call means what it means in dataplane/corridor.h.
class Enforcer {
public:
	virtual ~Enforcer() = default;
	[[nodiscard]] virtual Result<> configure(const dataplane::Settings &settings) = 0;
	[[nodiscard]] virtual Result<> prepare(const policy::CompiledPolicy &policy,
					       std::uint32_t generation) = 0;
	[[nodiscard]] virtual Result<> flip(std::uint32_t generation) = 0;
	[[nodiscard]] virtual std::uint32_t generation() const = 0;
	[[nodiscard]] virtual Result<dataplane::Explanation> explain(const dataplane::Question &question) = 0;
	[[nodiscard]] virtual dataplane::VerdictCounts xdp_verdicts() const = 0;
	[[nodiscard]] virtual dataplane::VerdictCounts poller_verdicts() const = 0;
	[[nodiscard]] virtual std::uint64_t live_flow_lines() const = 0;
	[[nodiscard]] virtual std::uint64_t
	drain_denials(const dataplane::Corridor::TakeDenial &take) const = 0;
};

} // namespace neuwerk::daemon
