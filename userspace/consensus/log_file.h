// raft.db: term, vote, commit index and the log, each change one transaction and one fsync.
//
// Findings Part B; duties U1 (the hard state is written with the entries) and U5 (the term before the first
// entry stays known).
#pragma once

#include "consensus/consensus.h"
#include "storage/storage.h"

#include <deque>

namespace neuwerk::consensus {

// Where the state machine stands when the log is opened.
struct Applied {
	Index index;
	Term term;
};

class LogFile {
public:
	// Creates the file (only where `options.fresh`) so that it begins behind `applied`. Otherwise checks
	// every row against its CRC, that no index is missing, and that the log fits the state machine.
	[[nodiscard]] static Result<LogFile> open(const Options &options, Applied applied);

	// Appends behind last_index(), marks everything committed, purges a little: one fsync.
	[[nodiscard]] Result<> append(Term term, std::span<const std::string_view> commands);

	struct Stored {
		Index index;
		Term term;
		std::string command;
	};
	// The entries from `from` on; at least one where there is one, then up to the limits.
	[[nodiscard]] Result<std::vector<Stored>> read(Index from, std::size_t entries_max,
						       std::size_t bytes_max);

	// Entries before `first` are not needed any more; the rows go with later appends. Takes effect on
	// disk with the next append.
	[[nodiscard]] Result<> compact(Index first);

	[[nodiscard]] Result<> checkpoint();

	[[nodiscard]] Term term() const
	{
		return term_;
	}
	[[nodiscard]] Index first_index() const // of the first entry, or of the next one
	{
		return first_;
	}
	[[nodiscard]] Index last_index() const
	{
		return oldest_ + row_bytes_.size() - 1;
	}
	[[nodiscard]] std::uint64_t command_bytes() const // from first_index() on
	{
		return command_bytes_;
	}
	[[nodiscard]] int wal_pages() const
	{
		return database_.wal_pages();
	}
	[[nodiscard]] std::uint64_t file_bytes() const
	{
		return database_.file_bytes();
	}

private:
	[[nodiscard]] Result<> create(Applied applied);
	[[nodiscard]] Result<> prepare();
	[[nodiscard]] Result<> load(bool must_be_empty);
	[[nodiscard]] Result<> load_rows(Index committed);
	[[nodiscard]] Result<> fits(Applied applied);
	[[nodiscard]] Result<Term> term_of(Index index);
	[[nodiscard]] Result<> write_rows(std::span<const std::string_view> commands);
	[[nodiscard]] Result<Index> purge(std::size_t appended);
	[[nodiscard]] Result<> write_meta(Index committed);
	[[nodiscard]] tl::unexpected<Error> corrupt(std::string_view why) const;

	storage::Database database_;
	storage::Statement insert_, select_, remove_, update_meta_;
	Term term_ = 0;
	Index first_ = 1;
	Term term_before_first_ = 0;
	Index oldest_ = 1;                    // of the rows that are still there; at most first_
	std::deque<std::uint32_t> row_bytes_; // of the commands from oldest_ on
	std::uint64_t command_bytes_ = 0;     // from first_ on
};

} // namespace neuwerk::consensus
