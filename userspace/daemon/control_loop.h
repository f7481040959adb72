// The only place where a document, a reload or a change of the surroundings becomes a published policy.
//
// Not thread-safe: it lives on the control thread (event_loop.h). Every change is all or nothing: on an error
// what was enforced stays enforced, and the stored document is the enforced one.
#pragma once

#include "daemon/config.h"
#include "daemon/enforcer.h"
#include "daemon/generations.h"
#include "daemon/policy_store.h"
#include "daemon/surroundings.h"
#include "policy/policy.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::daemon {

struct Applied {
	std::uint32_t generation;
	std::vector<std::string> warnings;
};

struct Reviewed {
	std::vector<std::string> warnings;
	std::vector<std::string> not_enforceable; // what apply would refuse
};

class ControlLoop {
public:
	ControlLoop(Enforcer &enforcer, PolicyStore &store, Files &files, Generations &generations);

	// Configures the corridor and publishes the stored document; if none, policy.file; if none, deny all.
	[[nodiscard]] Result<> start(const Config &config, Facts facts);

	// parse → enforceable → compile → store → publish. `source` is for status: who brought the document.
	[[nodiscard]] Result<Applied> apply(std::string_view document, policy::Syntax syntax,
					    std::string_view source);
	[[nodiscard]] Result<Reviewed> validate(std::string_view document, policy::Syntax syntax) const;

	// Takes over the policy section of a freshly read configuration and applies policy.file, if there is
	// one. The other sections take effect with a restart.
	[[nodiscard]] Result<Applied> reload(const Config &fresh);

	// Addresses or MTUs of the data ports changed.
	[[nodiscard]] Result<> surroundings_changed(Facts facts);

	// The enforced document, normalised, as JSON. Fails with unavailable before start.
	[[nodiscard]] Result<std::string> document() const;
	[[nodiscard]] const std::string &policy_source() const
	{
		return policy_source_;
	}
	[[nodiscard]] bool policy_ready() const
	{
		return policy_.has_value();
	}
	[[nodiscard]] const Facts &facts() const
	{
		return facts_;
	}
	[[nodiscard]] const Config &config() const
	{
		return config_;
	}

private:
	struct Prepared {
		model::Policy policy;
		policy::CompiledPolicy compiled;
	};
	[[nodiscard]] Result<Prepared> prepare(std::string_view document, policy::Syntax syntax,
					       const PolicyConfig &config) const;
	[[nodiscard]] Result<policy::CompiledPolicy>
	compile(const model::Policy &policy, const PolicyConfig &config, const Facts &facts) const;
	[[nodiscard]] Result<Applied> commit(std::string_view document, policy::Syntax syntax,
					     const PolicyConfig &config, std::string_view source);
	[[nodiscard]] Result<> publish(const policy::CompiledPolicy &compiled);
	void adopt(model::Policy policy, const PolicyConfig &config, std::string_view source);

	Enforcer &enforcer_;
	PolicyStore &store_;
	Files &files_;
	Generations &generations_;
	Config config_;
	Facts facts_;
	std::optional<model::Policy> policy_; // the enforced one
	std::string policy_source_;
};

} // namespace neuwerk::daemon
