// A document, a reload or a change of the surroundings becomes a published policy: here and nowhere else.
#include "daemon/control_loop.h"

#include "base/log.h"
#include "base/text.h"

#include <utility>

namespace neuwerk::daemon {

namespace {

constexpr std::string_view deny_all = R"({"default_policy":"deny","source_groups":[]})";

tl::unexpected<Error> in_context(std::string_view context, const Error &error)
{
	return fail(error.kind, text(context, ": ", error.what));
}

} // namespace

ControlLoop::ControlLoop(Enforcer &enforcer, PolicyStore &store, Files &files, Generations &generations)
    : enforcer_(enforcer), store_(store), files_(files), generations_(generations)
{
}

Result<> ControlLoop::start(const Config &config, Facts facts)
{
	const auto settings = settings_of(config.dataplane, facts);
	if (!settings)
		return tl::unexpected(settings.error());
	if (auto configured = enforcer_.configure(*settings); !configured)
		return configured;
	config_ = config;
	facts_ = std::move(facts);

	const auto stored = store_.load();
	if (!stored)
		return in_context("stored policy", stored.error());
	if (!*stored && !config.policy.file.empty()) {
		const auto applied = reload(config);
		return applied ? Result<>{} : tl::unexpected(applied.error());
	}
	// What was stored is not stored again, and the empty policy is no decision of anybody: the next start
	// may still find a policy.file.
	const std::string source = *stored ? store_.path() : "built-in deny: nothing was applied yet";
	auto prepared = prepare(*stored ? **stored : deny_all, policy::Syntax::json, config.policy);
	if (!prepared)
		return in_context(source, prepared.error());
	if (auto published = publish(prepared->compiled); !published)
		return published;
	adopt(std::move(prepared->policy), config.policy, source);
	return {};
}

Result<Applied> ControlLoop::apply(std::string_view document, policy::Syntax syntax, std::string_view source)
{
	return commit(document, syntax, config_.policy, source);
}

Result<Reviewed> ControlLoop::validate(std::string_view document, policy::Syntax syntax) const
{
	const auto policy = policy::parse(document, syntax);
	if (!policy)
		return tl::unexpected(policy.error());
	Reviewed reviewed;
	const auto warnings = policy::review(document, syntax);
	if (!warnings)
		return tl::unexpected(warnings.error());
	for (const policy::Warning &warning : *warnings)
		reviewed.warnings.push_back(text(warning.path, ": ", warning.what));
	if (const auto enforceable = policy::enforceable(*policy); !enforceable)
		reviewed.not_enforceable.push_back(enforceable.error().what);
	else if (const auto compiled = compile(*policy, config_.policy, facts_); !compiled)
		reviewed.not_enforceable.push_back(compiled.error().what);
	return reviewed;
}

Result<Applied> ControlLoop::reload(const Config &fresh)
{
	if (!fresh.policy.file.empty()) {
		const auto document = files_.read(fresh.policy.file);
		if (!document)
			return in_context("policy.file", document.error());
		auto applied =
			commit(*document, policy::syntax_of(*document), fresh.policy, fresh.policy.file);
		return applied ? applied : in_context(fresh.policy.file, applied.error());
	}
	if (!policy_)
		return fail(ErrorKind::unavailable, "no policy to reload: starting");
	const auto compiled = compile(*policy_, fresh.policy, facts_);
	if (!compiled)
		return tl::unexpected(compiled.error());
	if (auto published = publish(*compiled); !published)
		return tl::unexpected(published.error());
	config_.policy = fresh.policy;
	return Applied{enforcer_.generation(), {}};
}

Result<> ControlLoop::surroundings_changed(Facts facts)
{
	if (facts == facts_)
		return {};
	const auto settings = settings_of(config_.dataplane, facts);
	if (!settings)
		return tl::unexpected(settings.error());
	if (auto configured = enforcer_.configure(*settings); !configured)
		return configured;
	const bool same_networks =
		surroundings_of(config_, facts).internal == surroundings_of(config_, facts_).internal;
	if (same_networks || !policy_) {
		facts_ = std::move(facts);
		return {};
	}
	const auto compiled = compile(*policy_, config_.policy, facts);
	if (!compiled)
		return tl::unexpected(compiled.error());
	if (auto published = publish(*compiled); !published)
		return published;
	facts_ = std::move(facts);
	return {};
}

Result<std::string> ControlLoop::document() const
{
	if (!policy_)
		return fail(ErrorKind::unavailable, "no policy yet: starting");
	return policy::to_json(*policy_);
}

Result<ControlLoop::Prepared> ControlLoop::prepare(std::string_view document, policy::Syntax syntax,
						   const PolicyConfig &config) const
{
	auto policy = policy::parse(document, syntax,
				    config.default_allow ? model::Action::allow : model::Action::deny);
	if (!policy)
		return tl::unexpected(policy.error());
	if (const auto enforceable = policy::enforceable(*policy); !enforceable)
		return tl::unexpected(enforceable.error());
	auto compiled = compile(*policy, config, facts_);
	if (!compiled)
		return tl::unexpected(compiled.error());
	return Prepared{std::move(*policy), std::move(*compiled)};
}

Result<policy::CompiledPolicy> ControlLoop::compile(const model::Policy &policy, const PolicyConfig &config,
						    const Facts &facts) const
{
	Config with = config_;
	with.policy = config;
	const dataplane::Sizes &sizes = config_.dataplane.sizes;
	return policy::compile(policy, surroundings_of(with, facts),
			       {.nodes = sizes.policy_nodes, .decisions = sizes.policy_decisions});
}

// What can fail comes before the store; after it only the flip, which takes the document back when it fails.
Result<Applied> ControlLoop::commit(std::string_view document, policy::Syntax syntax,
				    const PolicyConfig &config, std::string_view source)
{
	auto prepared = prepare(document, syntax, config);
	if (!prepared)
		return tl::unexpected(prepared.error());
	const auto warnings = policy::review(document, syntax);
	if (!warnings)
		return tl::unexpected(warnings.error());
	if (auto stored = store_.replace(policy::to_json(prepared->policy)); !stored)
		return in_context("the policy was not stored and is not enforced", stored.error());
	if (auto published = publish(prepared->compiled); !published) {
		if (const auto restored = store_.restore(); !restored)
			log::error(text("the stored policy differs from the enforced one: ",
					restored.error().what));
		return tl::unexpected(published.error());
	}
	adopt(std::move(prepared->policy), config, source);
	Applied applied{enforcer_.generation(), {}};
	for (const policy::Warning &warning : *warnings)
		applied.warnings.push_back(text(warning.path, ": ", warning.what));
	return applied;
}

Result<> ControlLoop::publish(const policy::CompiledPolicy &compiled)
{
	const std::uint32_t generation = enforcer_.generation() + 1;
	generations_.add(generation, compiled); // before the flip: its first event may come at once
	return enforcer_.publish(compiled, generation);
}

void ControlLoop::adopt(model::Policy policy, const PolicyConfig &config, std::string_view source)
{
	policy_ = std::move(policy);
	config_.policy = config;
	policy_source_ = source;
	log::info(text("policy generation ", enforcer_.generation(), " is in force (", source, ')'));
}

} // namespace neuwerk::daemon
