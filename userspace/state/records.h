// state.db: the records and how far the log was applied to them, always in one transaction.
//
// It is its own snapshot. It is not fsynced per commit: the log is, and what is missing here after a power
// loss is applied again. Every row carries a checksum, and the sum of them all (the digest) shows a lost one.
#pragma once

#include "consensus/consensus.h"
#include "state/state.h"
#include "storage/storage.h"

#include <atomic>
#include <deque>
#include <unordered_map>

namespace neuwerk::v1 {
class StateCommand;
class StateOperation;
} // namespace neuwerk::v1

namespace neuwerk::state {

// Raised when an older neuwerkd would apply a command differently; see proto/neuwerk/v1/state.proto.
inline constexpr std::uint32_t command_version = 1;

using Committed = std::function<void(const std::vector<Change> &)>;

class Records final : public consensus::StateMachine {
public:
	// `log_exists`: raft.db is there, so state.db must be, too. `committed` gets the changes of each
	// command after the commit.
	[[nodiscard]] static Result<std::unique_ptr<Records>> open(const Options &options, bool log_exists,
								   Committed committed);

	// No log has driven these records yet: they are new, or a restored copy.
	[[nodiscard]] bool fresh() const
	{
		return !driven_;
	}
	[[nodiscard]] Index applied_index() const override
	{
		return applied_;
	}
	[[nodiscard]] consensus::Term applied_term() const override
	{
		return term_;
	}
	[[nodiscard]] Result<std::vector<Result<Index>>>
	apply(std::span<const consensus::Entry> entries) override;
	[[nodiscard]] Result<> make_durable() override;
	[[nodiscard]] Result<> tidy_up(bool idle) override;

	// Safe from every thread, as of the last commit.
	struct Totals {
		std::atomic<Index> applied_index = 0;
		std::atomic<std::uint64_t> record_count = 0;
		std::atomic<std::uint64_t> digest = 0;
		std::atomic<std::uint64_t> file_bytes = 0;
	};
	[[nodiscard]] const Totals &totals() const
	{
		return totals_;
	}

	// Makes a copy of state.db one from which a new log may begin.
	[[nodiscard]] static Result<> mark_as_copy(const std::string &path);

private:
	struct Remembered {
		Index index;
		std::int64_t time_ms;
		Result<> outcome;
	};
	// What a key holds before a change.
	struct Old {
		std::uint64_t revision = 0; // 0: nothing
		std::uint32_t crc = 0;
	};

	[[nodiscard]] Result<> create();
	[[nodiscard]] Result<> prepare();
	[[nodiscard]] Result<> load();
	[[nodiscard]] Result<> load_applied();
	[[nodiscard]] Result<> verify_records();
	[[nodiscard]] Result<> load_requests();
	[[nodiscard]] tl::unexpected<Error> corrupt(std::string_view why) const;

	// The outer Result is storage's, the inner one the command's.
	[[nodiscard]] Result<Result<Index>> apply_entry(const consensus::Entry &entry,
							std::vector<Change> &changes);
	[[nodiscard]] Result<Result<>> perform(const v1::StateCommand &command, Index index,
					       std::vector<Change> &changes);
	[[nodiscard]] Result<Result<>> check(const v1::StateOperation &operation);
	[[nodiscard]] Result<> change(const v1::StateOperation &operation, Index index,
				      std::vector<Change> &changes);
	[[nodiscard]] Result<> put(const v1::StateOperation &operation, Index index,
				   std::vector<Change> &changes);
	[[nodiscard]] Result<> erase(std::string_view key, Index index, std::vector<Change> &changes);
	[[nodiscard]] Result<> collect(std::string_view prefix, std::int64_t cutoff_ms, Index index,
				       std::vector<Change> &changes);
	[[nodiscard]] Result<Old> look_up(std::string_view key);
	[[nodiscard]] Result<> forget_requests();
	[[nodiscard]] Result<> remember(const std::string &id, Index index, const Result<> &outcome);
	[[nodiscard]] Result<> write_applied();
	void publish();

	storage::Database database_;
	storage::Statement look_up_, put_, erase_, stale_, remember_, forget_, applied_row_;
	Committed committed_;
	bool synced_ = true;
	consensus::Limits limits_;

	// The row `applied`.
	Index applied_ = 0;
	consensus::Term term_ = 0;
	std::int64_t time_ms_ = 0; // of the leader; never goes back
	std::uint64_t record_count_ = 0;
	std::uint64_t digest_ = 0;
	std::uint64_t durable_count_ = 0; // of make_durable()
	bool driven_ = false;

	std::unordered_map<std::string, Remembered> requests_; // by request id
	std::deque<std::string> request_order_;                // oldest first
	Totals totals_;
};

// Shared with the readers.
[[nodiscard]] std::uint32_t record_crc(std::string_view key, std::string_view stored_value,
				       std::uint64_t unpacked_bytes, std::uint64_t revision, Index index,
				       std::int64_t changed_ms);
// "key >= ?1 AND key < ?2" for a prefix; nullopt: there is no upper bound.
[[nodiscard]] std::optional<std::string> after_prefix(std::string_view prefix);

} // namespace neuwerk::state
