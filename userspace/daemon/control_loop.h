// The only place where a document, a reload or a change of the surroundings becomes a published policy.
//
//   write ──► prepare (what can fail) ──► commit in the book ──► flip ──► the copy on disk, at the next tick
//
// Not thread-safe: it lives on the control thread (event_loop.h). Until the commit every change is all or
// nothing; from then on the record stands, and what is enforced follows it, retried for as long as it takes.
#pragma once

#include "base/clock.h"
#include "daemon/config.h"
#include "daemon/enforcer.h"
#include "daemon/generations.h"
#include "daemon/policy_book.h"
#include "daemon/policy_store.h"
#include "daemon/surroundings.h"
#include "policy/policy.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::daemon {

using api::PolicyReview;
using api::PolicyWrite;
using api::PolicyWritten;

// The record that stands is not enforced yet.
struct Activation {
	std::uint64_t revision;
	std::int64_t since_ms; // Unix time
	std::uint32_t attempt_count;
	std::string last_error;
};

// What policy status shows. Times are Unix time in milliseconds.
struct PolicyStatus {
	std::uint64_t revision = 0;
	std::uint32_t generation = 0;
	std::uint64_t enforced_revision = 0; // 0: no record, but the policy from before the first write
	std::optional<std::int64_t> enforced_since_ms;
	std::optional<Activation> pending;
	std::optional<Confirmation> confirmation;
	std::string last_error; // of the last activation, confirmation or copy that failed; empty: none
};

class ControlLoop {
public:
	static constexpr Duration first_retry = std::chrono::seconds(1); // doubles up to the longest
	static constexpr Duration longest_retry = std::chrono::seconds(60);
	static constexpr std::int64_t confirm_max_s = 86'400;

	struct Parts {
		Enforcer &enforcer;
		PolicyStore &copy;
		Files &files;
		Generations &generations;
		const Clock &clock;                   // for pauses between attempts
		std::function<std::int64_t()> now_ms; // Unix time, for records and deadlines
	};
	explicit ControlLoop(Parts parts);

	// Configures the corridor and enforces the copy on disk, so that packets need not wait for the
	// records. No copy, or one that cannot be read: what is pinned stays in force.
	[[nodiscard]] Result<> start(const Config &config, Facts facts);

	// From here on the book decides. A book without a policy takes over the copy of an earlier version,
	// else policy.file; without both nothing is written and everything is denied.
	[[nodiscard]] Result<> open_book(PolicyBook &book);

	// Errors leave everything as it was, except unavailable with `wait_required`, which says so.
	[[nodiscard]] Result<PolicyWritten> write(const PolicyWrite &write);
	[[nodiscard]] Result<PolicyWritten> roll_back(std::uint64_t revision, const std::string &author,
						      const std::string &message);
	[[nodiscard]] Result<> confirm(const std::string &author);
	[[nodiscard]] Result<> reset(const std::string &id, const std::string &author);
	[[nodiscard]] Result<PolicyReview> validate(std::string_view document, policy::Syntax syntax) const;

	// Takes over the policy section of a freshly read configuration and writes policy.file, if there is
	// one. The other sections take effect with a restart.
	[[nodiscard]] Result<PolicyWritten> reload(const Config &fresh);

	// Addresses or MTUs of the data ports changed.
	[[nodiscard]] Result<> surroundings_changed(Facts facts);

	// Retries what is pending, ends what was not confirmed, writes the copy. Call it several times a
	// second.
	void tick();

	// What a document would compile to here; for comparisons.
	[[nodiscard]] Result<policy::CompiledPolicy> compile(const model::Policy &policy) const;

	[[nodiscard]] PolicyStatus status() const;
	// "admin-api by alice", the path of policy.file, or where the policy from before the first write came
	// from.
	[[nodiscard]] std::string policy_source() const;
	[[nodiscard]] bool policy_ready() const
	{
		return enforced_.has_value();
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
		model::Policy effective;
		policy::CompiledPolicy compiled;
		std::string stored;
		std::vector<std::string> warnings;
	};
	struct Retry {
		Duration pause = first_retry;
		Instant due{};
	};

	[[nodiscard]] policy::Terms terms(const PolicyWrite &write, const PolicyConfig &config) const;
	[[nodiscard]] Result<policy::CompiledPolicy>
	compile(const model::Policy &policy, const PolicyConfig &config, const Facts &facts) const;
	[[nodiscard]] Result<Prepared> prepare(const PolicyWrite &write, const PolicyConfig &config) const;
	[[nodiscard]] Result<> check_standing(const PolicyWrite &write) const;
	[[nodiscard]] PolicyRecord successor(const PolicyWrite &write, std::string stored) const;
	[[nodiscard]] Result<PolicyWritten> apply(const PolicyWrite &write, const PolicyConfig &config);
	[[nodiscard]] Result<PolicyWritten> commit(const PolicyRecord &next, Prepared prepared,
						   const PolicyConfig &config,
						   const std::optional<Confirmation> &confirmation);
	[[nodiscard]] Result<> renew(const model::Policy &effective, const PolicyConfig &config);
	[[nodiscard]] Result<> record(const PolicyRecord &next,
				      const std::optional<Confirmation> &confirmation);
	[[nodiscard]] PolicyRecord returning(const PolicyRecord &old, std::string author, std::string message,
					     std::string source) const;
	[[nodiscard]] std::optional<Confirmation> asked_confirmation(const PolicyWrite &write) const;
	[[nodiscard]] Result<PolicyRecord> record_at(std::uint64_t revision) const;
	[[nodiscard]] Result<PolicyWritten> write_back(const PolicyRecord &next);

	[[nodiscard]] Result<> publish(const model::Policy &effective, const PolicyConfig &config,
				       const Facts &facts);
	void flip(model::Policy effective, const policy::CompiledPolicy &compiled, std::uint32_t generation);
	[[nodiscard]] Result<> activate();
	void wait_for_activation(const Error &error);
	void end_unconfirmed();
	void write_copy();
	[[nodiscard]] Result<> take_over();
	[[nodiscard]] PolicyOrigin origin() const
	{
		return {state_.record.revision, state_.record.id};
	}
	void pause(Retry &retry);

	Parts parts_;
	Config config_;
	Facts facts_;
	PolicyBook *book_ = nullptr; // until open_book
	PolicyState state_;          // what the book says
	std::optional<model::Policy> enforced_;
	std::string enforced_copy_; // the document that start() enforced; empty: none
	std::uint64_t enforced_revision_ = 0;
	std::optional<std::int64_t> enforced_since_ms_;
	std::optional<Activation> pending_;
	bool copy_is_stale_ = false;
	Retry activation_retry_, confirmation_retry_, copy_retry_;
	std::string last_error_;
};

} // namespace neuwerk::daemon
