// What happens by itself: the start, changes of the surroundings, retries, deadlines.
#include "daemon/control_loop.h"

#include "base/log.h"
#include "base/text.h"
#include "daemon/effective_policy.h"

#include <algorithm>
#include <utility>

namespace neuwerk::daemon {

namespace {

constexpr const char *our_name = "neuwerkd"; // author of what nobody asked for

tl::unexpected<Error> in_context(std::string_view context, const Error &error)
{
	return fail(error.kind, text(context, ": ", error.what));
}

} // namespace

ControlLoop::ControlLoop(Parts parts) : parts_(std::move(parts))
{
	state_.record.document = first_document;
	state_.record.id = nil_uuid;
}

Result<> ControlLoop::start(const Config &config, Facts facts)
{
	const auto settings = settings_of(config.dataplane, facts);
	if (!settings)
		return tl::unexpected(settings.error());
	if (auto configured = parts_.enforcer.configure(*settings); !configured)
		return configured;
	config_ = config;
	facts_ = std::move(facts);

	const auto copy = parts_.copy.load();
	if (!copy)
		return in_context("policy copy", copy.error());
	if (!*copy)
		return {};
	auto policy = policy::parse(**copy, policy::Syntax::json);
	const auto published =
		policy ? publish(*policy, config_.policy, facts_) : tl::unexpected(policy.error());
	if (published)
		enforced_copy_ = **copy;
	else
		log::error(text(parts_.copy.path(), ": ", published.error().what,
				"; what is pinned stays in force until the records are read"));
	return {};
}

Result<> ControlLoop::open_book(PolicyBook &book)
{
	book_ = &book;
	auto state = book.read();
	if (!state)
		return in_context("policy records", state.error());
	state_ = std::move(*state);
	if (state_.record.revision == 0)
		return take_over();
	const auto copy = document_of_effect(state_.record, config_.policy);
	if (copy && *copy == enforced_copy_ && enforced_) {
		// The copy was up to date: what is in force since start() is this revision.
		parts_.generations.attribute(parts_.enforcer.generation(), origin());
		enforced_revision_ = state_.record.revision;
		if (auto exact = effective_policy(state_.record, config_.policy);
		    exact && exact->default_mode == model::Mode::enforce) {
			enforced_ = std::move(*exact);
			return {};
		}
	}
	if (const auto activated = activate(); !activated)
		wait_for_activation(activated.error());
	return {};
}

// The first start with records: what an earlier version applied, else policy.file, else nothing.
Result<> ControlLoop::take_over()
{
	const auto copy = parts_.copy.load();
	if (!copy)
		return in_context("policy copy", copy.error());
	PolicyWrite write{.document = {}, .author = our_name, .message = {}};
	if (*copy) {
		write.document = **copy;
		write.source = "import";
		write.message = text("taken over from ", parts_.copy.path());
	} else if (!config_.policy.file.empty()) {
		auto document = parts_.files.read(config_.policy.file);
		if (!document)
			return in_context("policy.file", document.error());
		write.document = std::move(*document);
		write.is_yaml = policy::syntax_of(write.document) == policy::Syntax::yaml;
		write.source = "init";
		write.message = text("first start with ", config_.policy.file);
	} else {
		return activate(); // the policy from before the first write
	}
	const auto written = apply(write, config_.policy);
	if (!written)
		return in_context(*copy ? parts_.copy.path() : config_.policy.file, written.error());
	return {};
}

Result<PolicyWritten> ControlLoop::reload(const Config &fresh)
{
	if (!fresh.policy.file.empty()) {
		PolicyWrite write{.document = {}, .author = our_name, .message = {}};
		auto document = parts_.files.read(fresh.policy.file);
		if (!document)
			return in_context("policy.file", document.error());
		write.document = std::move(*document);
		write.is_yaml = policy::syntax_of(write.document) == policy::Syntax::yaml;
		write.source = "file";
		write.message = text("reload of ", fresh.policy.file);
		auto written = apply(write, fresh.policy);
		return written ? written : in_context(fresh.policy.file, written.error());
	}
	const auto effective = effective_policy(state_.record, fresh.policy);
	if (!effective)
		return tl::unexpected(effective.error());
	if (const auto published = publish(*effective, fresh.policy, facts_); !published)
		return tl::unexpected(published.error());
	config_.policy = fresh.policy;
	copy_is_stale_ = state_.record.revision != 0;
	return PolicyWritten{.record = state_.record,
			     .unchanged = true,
			     .generation = parts_.enforcer.generation(),
			     .warnings = {}};
}

Result<> ControlLoop::surroundings_changed(Facts facts)
{
	if (facts == facts_)
		return {};
	const auto settings = settings_of(config_.dataplane, facts);
	if (!settings)
		return tl::unexpected(settings.error());
	if (auto configured = parts_.enforcer.configure(*settings); !configured)
		return configured;
	const bool same_networks =
		surroundings_of(config_, facts).internal == surroundings_of(config_, facts_).internal;
	if (!same_networks && enforced_)
		if (auto published = publish(*enforced_, config_.policy, facts); !published)
			return published;
	facts_ = std::move(facts);
	return {};
}

void ControlLoop::tick()
{
	if (!book_)
		return;
	const Instant now = parts_.clock.now();
	if (state_.confirmation && parts_.now_ms() >= state_.confirmation->deadline_ms &&
	    now >= confirmation_retry_.due)
		end_unconfirmed();
	if (pending_ && now >= activation_retry_.due) {
		pause(activation_retry_);
		if (const auto activated = activate(); !activated)
			wait_for_activation(activated.error());
	}
	if (copy_is_stale_ && !pending_ && now >= copy_retry_.due)
		write_copy();
}

void ControlLoop::pause(Retry &retry)
{
	retry.due = parts_.clock.now() + retry.pause;
	retry.pause = std::min(retry.pause * 2, longest_retry);
}

// Nobody confirmed in time: the policy from before comes back, as a record like any other.
void ControlLoop::end_unconfirmed()
{
	const Confirmation over = *state_.confirmation;
	pause(confirmation_retry_);
	const auto previous = record_at(over.previous_revision);
	const auto returned =
		previous ? write_back(returning(*previous, our_name,
						text("revision ", over.revision,
						     " was not confirmed in time: back to revision ",
						     over.previous_revision),
						"confirm-timeout"))
			 : tl::unexpected(previous.error());
	if (!returned) {
		last_error_ = text(
			"revision ", over.revision,
			" was not confirmed and the previous policy cannot return: ", returned.error().what);
		return log::error(last_error_);
	}
	confirmation_retry_ = {};
	log::warning(returned->record.message);
}

void ControlLoop::write_copy()
{
	const auto copy = document_of_effect(state_.record, config_.policy);
	const auto written = copy ? parts_.copy.replace(*copy) : tl::unexpected(copy.error());
	copy_is_stale_ = !written;
	if (written) {
		copy_retry_ = {};
		return;
	}
	pause(copy_retry_);
	last_error_ = text("the copy of the policy is out of date: ", written.error().what);
	log::warning(last_error_);
}

// Enforces the record that stands, from the beginning: the inactive half may hold something else by now.
Result<> ControlLoop::activate()
{
	auto effective = effective_policy(state_.record, config_.policy);
	if (!effective)
		return in_context(text("policy revision ", state_.record.revision), effective.error());
	if (auto sound = policy::enforceable(*effective); !sound)
		return in_context(text("policy revision ", state_.record.revision), sound.error());
	if (auto published = publish(*effective, config_.policy, facts_); !published)
		return published;
	enforced_revision_ = state_.record.revision;
	copy_is_stale_ = state_.record.revision != 0;
	log::info(text("policy revision ", enforced_revision_, " is in force as generation ",
		       parts_.enforcer.generation()));
	return {};
}

void ControlLoop::wait_for_activation(const Error &error)
{
	if (!pending_ || pending_->revision != state_.record.revision) {
		pending_ = Activation{.revision = state_.record.revision,
				      .since_ms = parts_.now_ms(),
				      .attempt_count = 0,
				      .last_error = {}};
		activation_retry_ = {};
		pause(activation_retry_);
	}
	pending_->attempt_count++;
	pending_->last_error = error.what;
	last_error_ = error.what;
	log::error(text("policy revision ", pending_->revision, " is committed but not enforced (attempt ",
			pending_->attempt_count, "): ", error.what));
}

// Compiles and puts in force. What is enforced belongs to the record that stands.
Result<> ControlLoop::publish(const model::Policy &effective, const PolicyConfig &config, const Facts &facts)
{
	const auto compiled = compile(effective, config, facts);
	if (!compiled)
		return tl::unexpected(compiled.error());
	const std::uint32_t generation = parts_.enforcer.generation() + 1;
	if (auto prepared = parts_.enforcer.prepare(*compiled, generation); !prepared)
		return prepared;
	parts_.generations.add(generation, *compiled, origin()); // before the flip: its first event may come
	if (auto flipped = parts_.enforcer.flip(generation); !flipped)
		return flipped;
	enforced_ = effective;
	enforced_since_ms_ = parts_.now_ms();
	pending_.reset();
	return {};
}

Result<policy::CompiledPolicy> ControlLoop::compile(const model::Policy &policy, const PolicyConfig &config,
						    const Facts &facts) const
{
	Config with;
	with.dataplane = config_.dataplane;
	with.policy = config;
	const dataplane::Sizes &sizes = config_.dataplane.sizes;
	auto compiled = policy::compile(policy, surroundings_of(with, facts),
					{.nodes = sizes.policy_nodes, .decisions = sizes.policy_decisions});
	// Too much of a document is a fault of the document: resource_exhausted is for the disk.
	if (!compiled && compiled.error().kind == ErrorKind::resource_exhausted)
		return fail(ErrorKind::invalid_argument, compiled.error().what);
	return compiled;
}

Result<policy::CompiledPolicy> ControlLoop::compile(const model::Policy &policy) const
{
	return compile(policy, config_.policy, facts_);
}

PolicyStatus ControlLoop::status() const
{
	return {.revision = state_.record.revision,
		.generation = parts_.enforcer.generation(),
		.enforced_revision = enforced_revision_,
		.enforced_since_ms = enforced_since_ms_,
		.pending = pending_,
		.confirmation = state_.confirmation,
		.last_error = last_error_};
}

std::string ControlLoop::policy_source() const
{
	const bool is_from_file = state_.record.source == "file" || state_.record.source == "init";
	if (is_from_file && !config_.policy.file.empty())
		return config_.policy.file;
	if (state_.record.revision != 0)
		return text(state_.record.source, " by ", state_.record.author);
	return enforced_copy_.empty() ? "built-in deny: nothing was applied yet" : parts_.copy.path();
}

} // namespace neuwerk::daemon
