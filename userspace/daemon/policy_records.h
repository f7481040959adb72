// The policy as records of the Store.
//
//   policy/version               the revision that stands, as decimal text: every change moves it
//   policy/state                 its record without the document
//   policy/history/<20 digits>   the record of each of the last revisions, without the document
//   policy/document/<20 digits>  the document of each
//   policy/confirm               the Confirmation that is waited for
#pragma once

#include "daemon/policy_book.h"
#include "state/state.h"

namespace neuwerk::daemon {

// Safe from every thread.
class PolicyRecords final : public PolicyBook {
public:
	explicit PolicyRecords(state::Store &store) : store_(store) {}

	[[nodiscard]] Result<PolicyState> read() const override;
	[[nodiscard]] Result<std::vector<PolicyRecord>> history() const override;
	[[nodiscard]] Result<PolicyRecord> at(std::uint64_t revision) const override;
	[[nodiscard]] Result<> commit(const PolicyState &before, const PolicyRecord &next,
				      const std::optional<Confirmation> &confirmation) override;
	[[nodiscard]] Result<> confirm(const PolicyState &before, const std::string &actor) override;

private:
	[[nodiscard]] Result<std::string> document_of(std::uint64_t revision) const;
	[[nodiscard]] Result<> forget_old(std::uint64_t next, std::uint64_t needed,
					  std::vector<state::Operation> &operations) const;

	state::Store &store_;
};

} // namespace neuwerk::daemon
