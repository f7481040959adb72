// What somebody asked for: writes, rollbacks, confirmations.
//
// While a confirmation is waited for, only two writes are taken: one that asks for a confirmation of its own
// (the policy that returns without one stays the last confirmed one), and a rollback to that policy, which
// ends the wait. Anything else would confirm by accident what nobody has confirmed.
#include "daemon/control_loop.h"

#include "base/log.h"
#include "base/text.h"
#include "crypto/crypto.h"
#include "daemon/effective_policy.h"
#include "identity/identity.h"

#include <strings.h>

#include <utility>

namespace neuwerk::daemon {

namespace {

constexpr std::int64_t ms_per_s = 1000;

tl::unexpected<Error> in_context(std::string_view context, const Error &error)
{
	return fail(error.kind, text(context, ": ", error.what));
}

std::vector<std::string> texts_of(const std::vector<policy::Warning> &warnings)
{
	std::vector<std::string> texts;
	for (const policy::Warning &warning : warnings)
		texts.push_back(text(warning.path, ": ", warning.what));
	return texts;
}

Result<> check_tests(const model::Policy &policy, const policy::CompiledPolicy &compiled)
{
	for (const policy::TestResult &result : policy::run_tests(policy, compiled))
		if (!result.passed)
			return fail(ErrorKind::invalid_argument,
				    text("policy test '", result.name, "' fails: ", result.what));
	return {};
}

// Without surrounding blanks, and without case.
bool same_name(std::string_view a, std::string_view b)
{
	const auto trimmed = [](std::string_view name) {
		const std::size_t first = name.find_first_not_of(" \t\r\n");
		return first == std::string_view::npos
			       ? std::string()
			       : std::string(
					 name.substr(first, name.find_last_not_of(" \t\r\n") - first + 1));
	};
	return strcasecmp(trimmed(a).c_str(), trimmed(b).c_str()) == 0;
}

} // namespace

Result<PolicyWritten> ControlLoop::write(const PolicyWrite &write)
{
	return apply(write, config_.policy);
}

policy::Terms ControlLoop::terms(const PolicyWrite &write, const PolicyConfig &config) const
{
	return {.default_if_absent = config.default_allow ? model::Action::allow : model::Action::deny,
		.group_mode = write.default_group_mode.value_or("")};
}

// Everything about the document that can be wrong; changes nothing.
Result<ControlLoop::Prepared> ControlLoop::prepare(const PolicyWrite &write, const PolicyConfig &config) const
{
	if (const auto mode = read_record_mode(write.mode); !mode)
		return tl::unexpected(mode.error());
	auto accepted =
		policy::accept(write.document, write.is_yaml ? policy::Syntax::yaml : policy::Syntax::json,
			       terms(write, config));
	if (!accepted)
		return tl::unexpected(accepted.error());
	if (const auto enforceable = policy::enforceable(accepted->policy); !enforceable)
		return tl::unexpected(enforceable.error());
	auto compiled = compile(accepted->policy, config, facts_);
	if (!compiled)
		return tl::unexpected(compiled.error());
	if (const auto passed = check_tests(accepted->policy, *compiled); !passed)
		return tl::unexpected(passed.error());
	Prepared prepared{std::move(accepted->policy), *compiled, std::move(accepted->stored),
			  texts_of(accepted->warnings)};
	for (std::string &warning : texts_of(policy::unreached(prepared.effective, *compiled)))
		prepared.warnings.push_back(std::move(warning));
	if (write.mode == "enforce")
		return prepared;
	prepared.effective = effective_policy(std::move(prepared.effective), write.mode, config);
	auto softened = compile(prepared.effective, config, facts_);
	if (!softened)
		return tl::unexpected(softened.error());
	prepared.compiled = std::move(*softened);
	return prepared;
}

// Whether the record that stands lets this write in.
Result<> ControlLoop::check_standing(const PolicyWrite &write) const
{
	const PolicyRecord &now = state_.record;
	if (!book_)
		return fail(ErrorKind::unavailable, "the policy records are not open yet: starting");
	if (write.confirm_s && (*write.confirm_s < 1 || *write.confirm_s > confirm_max_s))
		return fail(ErrorKind::invalid_argument,
			    text("confirm: ", *write.confirm_s, " is not a number of seconds from 1 to ",
				 confirm_max_s));
	if (write.expected_revision && *write.expected_revision != now.revision)
		return fail(ErrorKind::conflict, text("policy: revision ", now.revision, " stands, not ",
						      *write.expected_revision, ": somebody else wrote it"));
	if (write.name && now.name && !same_name(*write.name, *now.name))
		return fail(ErrorKind::conflict, text("policy name already exists: ", *now.name));
	if (state_.confirmation && !write.confirm_s)
		return fail(ErrorKind::conflict,
			    text("policy: revision ", state_.confirmation->revision,
				 " waits for its confirmation: confirm it, roll back to revision ",
				 state_.confirmation->previous_revision, ", or write with confirm"));
	return {};
}

PolicyRecord ControlLoop::successor(const PolicyWrite &write, std::string stored) const
{
	const PolicyRecord &before = state_.record;
	const std::string now = identity::format_time(parts_.now_ms());
	PolicyRecord next = before;
	next.revision = before.revision + 1;
	next.name = write.name;
	next.mode = write.mode;
	next.document = std::move(stored);
	next.author = write.author;
	next.message = write.message;
	next.source = write.source;
	next.time = now;
	if (before.revision == 0)
		next.created_at = now;
	if (write.name && !before.name) { // the legacy routes create what they then own
		next.id = crypto::random_uuid();
		next.created_at = now;
	}
	return next;
}

std::optional<Confirmation> ControlLoop::asked_confirmation(const PolicyWrite &write) const
{
	if (!write.confirm_s)
		return std::nullopt;
	return Confirmation{.revision = state_.record.revision + 1,
			    .previous_revision = state_.confirmation ? state_.confirmation->previous_revision
								     : state_.record.revision,
			    .deadline_ms = parts_.now_ms() + *write.confirm_s * ms_per_s};
}

Result<PolicyWritten> ControlLoop::apply(const PolicyWrite &write, const PolicyConfig &config)
{
	if (const auto standing = check_standing(write); !standing)
		return tl::unexpected(standing.error());
	auto prepared = prepare(write, config);
	if (!prepared)
		return tl::unexpected(prepared.error());
	const PolicyRecord next = successor(write, std::move(prepared->stored));
	const bool is_same = state_.record.revision != 0 && next.document == state_.record.document &&
			     next.mode == state_.record.mode && next.name == state_.record.name;
	auto written = [&]() -> Result<PolicyWritten> {
		if (!is_same || write.confirm_s)
			return commit(next, std::move(*prepared), config, asked_confirmation(write));
		if (const auto renewed = renew(prepared->effective, config); !renewed)
			return tl::unexpected(renewed.error());
		return PolicyWritten{.record = state_.record,
				     .unchanged = true,
				     .generation = parts_.enforcer.generation(),
				     .warnings = std::move(prepared->warnings)};
	}();
	if (written && written->activation_pending && write.wait_required)
		return fail(ErrorKind::unavailable,
			    text("policy revision ", written->record.revision,
				 " is committed but not enforced yet: ", last_error_));
	return written;
}

// The record stands already; what it is enforced with may be new.
Result<> ControlLoop::renew(const model::Policy &effective, const PolicyConfig &config)
{
	const bool is_in_force = !pending_ && enforced_revision_ == state_.record.revision;
	if (is_in_force && config == config_.policy)
		return {};
	if (auto published = publish(effective, config, facts_); !published)
		return published;
	enforced_revision_ = state_.record.revision;
	config_.policy = config;
	copy_is_stale_ = true;
	return {};
}

// The inactive half first, then the record, then the flip.
Result<PolicyWritten> ControlLoop::commit(const PolicyRecord &next, Prepared prepared,
					  const PolicyConfig &config,
					  const std::optional<Confirmation> &confirmation)
{
	const std::uint32_t generation = parts_.enforcer.generation() + 1;
	if (auto filled = parts_.enforcer.prepare(prepared.compiled, generation); !filled)
		return tl::unexpected(filled.error());
	if (auto recorded = record(next, confirmation); !recorded)
		return in_context("the policy was not stored and is not enforced", recorded.error());
	config_.policy = config;
	flip(std::move(prepared.effective), prepared.compiled, generation);
	return PolicyWritten{.record = state_.record,
			     .activation_pending = pending_.has_value(),
			     .generation = parts_.enforcer.generation(),
			     .warnings = std::move(prepared.warnings)};
}

// After an error the book is asked what stands: a commit that nobody could acknowledge may have happened.
Result<> ControlLoop::record(const PolicyRecord &next, const std::optional<Confirmation> &confirmation)
{
	if (auto committed = book_->commit(state_, next, confirmation); !committed) {
		auto now = book_->read();
		if (now && now->record.revision != state_.record.revision) {
			state_ = std::move(*now);
			wait_for_activation(committed.error());
		}
		return committed;
	}
	state_.record = next;
	state_.version_key++;
	state_.confirmation = confirmation;
	state_.confirmation_key = confirmation ? state_.confirmation_key + 1 : 0;
	return {};
}

// Past the commit nothing is an error any more: what does not work is retried.
void ControlLoop::flip(model::Policy effective, const policy::CompiledPolicy &compiled,
		       std::uint32_t generation)
{
	parts_.generations.add(generation, compiled, origin());
	if (const auto flipped = parts_.enforcer.flip(generation); !flipped)
		return wait_for_activation(flipped.error());
	pending_.reset();
	enforced_ = std::move(effective);
	enforced_revision_ = state_.record.revision;
	enforced_since_ms_ = parts_.now_ms();
	last_error_.clear();
	copy_is_stale_ = true;
	log::info(text("policy revision ", enforced_revision_, " is in force as generation ", generation,
		       " (", policy_source(), ')'));
}

Result<PolicyRecord> ControlLoop::record_at(std::uint64_t revision) const
{
	if (!book_)
		return fail(ErrorKind::unavailable, "the policy records are not open yet: starting");
	if (revision != 0)
		return book_->at(revision);
	PolicyRecord first;
	first.id = nil_uuid;
	first.document = first_document;
	return first;
}

// An old policy as the next record. What it meant returns (document, mode, name), not who it was.
PolicyRecord ControlLoop::returning(const PolicyRecord &old, std::string author, std::string message,
				    std::string source) const
{
	PolicyWrite write{.document = {}, .author = std::move(author), .message = std::move(message)};
	write.source = std::move(source);
	write.name = old.name;
	write.mode = old.mode;
	return successor(write, old.document);
}

// Writes `next` even if it cannot be enforced right now: it was in force once, and is wanted back.
Result<PolicyWritten> ControlLoop::write_back(const PolicyRecord &next)
{
	if (auto recorded = record(next, std::nullopt); !recorded)
		return tl::unexpected(recorded.error());
	if (const auto activated = activate(); !activated)
		wait_for_activation(activated.error());
	return PolicyWritten{.record = state_.record,
			     .activation_pending = pending_.has_value(),
			     .generation = parts_.enforcer.generation(),
			     .warnings = {}};
}

Result<PolicyWritten> ControlLoop::roll_back(std::uint64_t revision, const std::string &author,
					     const std::string &message)
{
	const auto old = record_at(revision);
	if (!old)
		return tl::unexpected(old.error());
	if (state_.confirmation && state_.confirmation->previous_revision != revision)
		return fail(ErrorKind::conflict,
			    text("policy: revision ", state_.confirmation->revision,
				 " waits for its confirmation: confirm it, or roll back to revision ",
				 state_.confirmation->previous_revision));
	PolicyWrite write{.document = old->document, .author = author, .message = message};
	write.source = "rollback";
	write.name = old->name;
	write.mode = old->mode;
	if (write.message.empty())
		write.message = text("back to revision ", revision);
	auto prepared = prepare(write, config_.policy);
	if (!prepared)
		return in_context(text("policy revision ", revision), prepared.error());
	const PolicyRecord next = returning(*old, write.author, write.message, write.source);
	return commit(next, std::move(*prepared), config_.policy, std::nullopt);
}

Result<> ControlLoop::confirm(const std::string &author)
{
	if (!book_ || !state_.confirmation)
		return fail(ErrorKind::conflict, "policy: no revision waits for a confirmation");
	const std::uint64_t revision = state_.confirmation->revision;
	const auto confirmed = book_->confirm(state_, author);
	if (auto now = book_->read())
		state_ = std::move(*now);
	if (confirmed)
		log::info(text("policy revision ", revision, " was confirmed by ", author));
	return confirmed;
}

Result<> ControlLoop::reset(const std::string &id, const std::string &author)
{
	if (!state_.record.name || state_.record.id != id)
		return fail(ErrorKind::not_found, "policy not found");
	PolicyWrite write{.document = first_document, .author = author, .message = {}};
	write.message = text("deleted policy ", *state_.record.name);
	const auto written = apply(write, config_.policy);
	return written ? Result<>{} : tl::unexpected(written.error());
}

Result<PolicyReview> ControlLoop::validate(std::string_view document, policy::Syntax syntax) const
{
	PolicyWrite write{.document = {}, .author = {}, .message = {}};
	const auto accepted = policy::accept(document, syntax, terms(write, config_.policy));
	if (!accepted)
		return tl::unexpected(accepted.error());
	PolicyReview review{.warnings = texts_of(accepted->warnings), .not_enforceable = {}};
	if (const auto enforceable = policy::enforceable(accepted->policy); !enforceable) {
		review.not_enforceable.push_back(enforceable.error().what);
		return review;
	}
	const auto compiled = compile(accepted->policy, config_.policy, facts_);
	if (!compiled) {
		review.not_enforceable.push_back(compiled.error().what);
		return review;
	}
	for (std::string &warning : texts_of(policy::unreached(accepted->policy, *compiled)))
		review.warnings.push_back(std::move(warning));
	for (const policy::TestResult &result : policy::run_tests(accepted->policy, *compiled))
		if (!result.passed)
			review.not_enforceable.push_back(
				text("policy test '", result.name, "' fails: ", result.what));
	return review;
}

} // namespace neuwerk::daemon
