// Where revisions of the policy are kept, as the control loop sees it; the Store is behind policy_records.h.
#pragma once

#include "api/appliance.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace neuwerk::daemon {

using api::PolicyRecord;

// A revision that goes away again unless somebody confirms it.
struct Confirmation {
	std::uint64_t revision;
	std::uint64_t previous_revision; // that returns; 0: the policy from before the first write
	std::int64_t deadline_ms;        // Unix time

	bool operator==(const Confirmation &) const = default;
};

// What the records say at one moment. A change is committed against it, or refused with conflict.
struct PolicyState {
	PolicyRecord record; // revision 0: nothing was ever written
	std::optional<Confirmation> confirmation;
	std::uint64_t version_key = 0; // revisions of the keys behind them, 0: absent
	std::uint64_t confirmation_key = 0;
};

class PolicyBook {
public:
	static constexpr std::uint64_t history_limit_count = 50;

	virtual ~PolicyBook() = default;

	[[nodiscard]] virtual Result<PolicyState> read() const = 0;
	// Newest first, without documents.
	[[nodiscard]] virtual Result<std::vector<PolicyRecord>> history() const = 0;
	// not_found: never written, or longer ago than history_limit_count revisions.
	[[nodiscard]] virtual Result<PolicyRecord> at(std::uint64_t revision) const = 0;

	// One transaction: `next` becomes the policy and enters the history, `confirmation` replaces what was
	// asked for before. When it returns, both survive power loss.
	[[nodiscard]] virtual Result<> commit(const PolicyState &before, const PolicyRecord &next,
					      const std::optional<Confirmation> &confirmation) = 0;
	// The confirmation of `before` is not needed any more.
	[[nodiscard]] virtual Result<> confirm(const PolicyState &before, const std::string &actor) = 0;
};

// {"default_policy":"deny","source_groups":[]}: the policy before the first write (spec/http-api §5.3).
inline constexpr const char *first_document = R"({"default_policy":"deny","source_groups":[]})";
inline constexpr const char *nil_uuid = "00000000-0000-0000-0000-000000000000";

} // namespace neuwerk::daemon
