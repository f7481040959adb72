// raft.db on SQLite: what is written, and what is believed at the start.
#include "consensus/log_file.h"

#include "base/crc32c.h"
#include "base/text.h"

#include <algorithm>

namespace neuwerk::consensus {

namespace {

constexpr int schema_version = 1;
constexpr std::string_view schema = R"(
	CREATE TABLE meta(k INTEGER PRIMARY KEY CHECK(k = 1), term INTEGER NOT NULL, vote INTEGER NOT NULL,
		commit_idx INTEGER NOT NULL, first_idx INTEGER NOT NULL, prev_term INTEGER NOT NULL,
		crc INTEGER NOT NULL);
	CREATE TABLE log(idx INTEGER PRIMARY KEY, term INTEGER NOT NULL, type INTEGER NOT NULL,
		data BLOB NOT NULL, crc INTEGER NOT NULL);
	PRAGMA user_version = 1;
)";

constexpr std::uint64_t voter_id = 1; // the only voter votes for itself
enum EntryType : int { entry_command = 0 };

// A purge that follows an append may take this much longer than the append alone: a DELETE of everything at
// once would hold up the next turn (Part B, pitfall 9).
constexpr std::size_t purge_rows_min = 32;
constexpr std::uint64_t purge_bytes_max = std::uint64_t{4} << 20;

std::int64_t row_crc(Index index, Term term, int type, std::string_view command)
{
	return crc32c_of_parts({command}, {index, term, static_cast<std::uint64_t>(type)});
}

std::int64_t meta_crc(Term term, std::uint64_t vote, Index committed, Index first, Term term_before_first)
{
	return crc32c_of_parts({}, {term, vote, committed, first, term_before_first});
}

std::int64_t as_sql(std::uint64_t value)
{
	return static_cast<std::int64_t>(value);
}

std::uint64_t column(const storage::Statement &row, int number)
{
	return static_cast<std::uint64_t>(row.integer(number));
}

} // namespace

tl::unexpected<Error> LogFile::corrupt(std::string_view why) const
{
	return fail(ErrorKind::corrupt,
		    text("log: ", database_.path(), ": ", why,
			 "; the file is damaged or not the one of this state.db: restore from a backup"));
}

Result<LogFile> LogFile::open(const Options &options, Applied applied)
{
	const storage::Options file{.path = options.log_path,
				    .durability = options.synced ? storage::Durability::every_commit
								 : storage::Durability::none,
				    .vfs = options.vfs,
				    .exclusive = true,
				    .auto_checkpoint_pages = 0};
	const auto there = storage::exists(file);
	if (!there)
		return tl::unexpected(there.error());
	if (!*there && !options.fresh)
		return fail(ErrorKind::corrupt,
			    text("log: ", options.log_path,
				 ": the file is missing, but state.db was written with one: "
				 "put it back or restore from a backup"));
	if (auto settled = storage::rewrite_wal(file); !settled)
		return tl::unexpected(settled.error());
	auto database = storage::Database::open(file);
	if (!database)
		return tl::unexpected(database.error());
	LogFile log;
	log.database_ = std::move(*database);

	const auto version = log.database_.pragma("user_version");
	if (!version)
		return tl::unexpected(version.error());
	if (*version > schema_version)
		return fail(ErrorKind::internal, text("log: ", options.log_path, ": format ", *version,
						      " was written by a newer neuwerkd"));
	if (*version < 0 || (*version == 0 && !options.fresh))
		return log.corrupt("it is empty");
	if (*version == 0)
		if (auto made = log.create(applied); !made)
			return tl::unexpected(made.error());
	if (auto checked = log.database_.check(); !checked)
		return tl::unexpected(checked.error());
	if (auto prepared = log.prepare(); !prepared)
		return log.corrupt(prepared.error().what);
	if (auto loaded = log.load(options.fresh); !loaded)
		return tl::unexpected(loaded.error());
	if (auto fitting = log.fits(applied); !fitting)
		return tl::unexpected(fitting.error());
	return log;
}

Result<> LogFile::create(Applied applied)
{
	if (auto begun = database_.begin(); !begun)
		return begun;
	auto made = database_.execute(schema);
	if (made) {
		const Index first = applied.index + 1;
		made = database_.execute(
			text("INSERT INTO meta VALUES(1, ", applied.term, ", ", voter_id, ", ", applied.index,
			     ", ", first, ", ", applied.term, ", ",
			     meta_crc(applied.term, voter_id, applied.index, first, applied.term), ")"));
	}
	if (made)
		made = database_.commit();
	if (!made)
		database_.rollback();
	return made;
}

Result<> LogFile::prepare()
{
	const auto one = [this](storage::Statement &into, std::string_view sql) -> Result<> {
		auto statement = database_.prepare(sql);
		if (!statement)
			return tl::unexpected(statement.error());
		into = std::move(*statement);
		return {};
	};
	auto done = one(insert_, "INSERT INTO log(idx, term, type, data, crc) VALUES(?1, ?2, ?3, ?4, ?5)");
	if (done)
		done = one(select_,
			   "SELECT idx, term, type, data, crc FROM log WHERE idx >= ?1 ORDER BY idx");
	if (done)
		done = one(remove_, "DELETE FROM log WHERE idx < ?1");
	if (done)
		done = one(update_meta_,
			   "UPDATE meta SET term = ?1, vote = ?2, commit_idx = ?3, first_idx = ?4, "
			   "prev_term = ?5, crc = ?6 WHERE k = 1");
	return done;
}

Result<> LogFile::load(bool must_be_empty)
{
	auto query = database_.prepare("SELECT term, vote, commit_idx, first_idx, prev_term, crc FROM meta");
	if (!query)
		return corrupt(query.error().what);
	const auto row = query->step();
	if (!row)
		return tl::unexpected(row.error());
	if (!*row)
		return corrupt("the row of term and vote is missing");
	const Index committed = column(*query, 2);
	term_ = column(*query, 0);
	first_ = column(*query, 3);
	term_before_first_ = column(*query, 4);
	if (query->integer(5) != meta_crc(term_, column(*query, 1), committed, first_, term_before_first_))
		return corrupt("the checksum of term and vote does not fit");
	query->reset();
	if (auto loaded = load_rows(committed); !loaded)
		return loaded;
	if (must_be_empty && last_index() >= first_)
		return corrupt("it holds entries, but state.db is new or a restored copy: move raft.db away");
	return {};
}

Result<> LogFile::load_rows(Index committed)
{
	oldest_ = first_;
	select_.bind(1, std::int64_t{0});
	for (;;) {
		const auto row = select_.step();
		if (!row)
			return tl::unexpected(row.error());
		if (!*row)
			break;
		const Index index = column(select_, 0);
		if (row_bytes_.empty())
			oldest_ = index;
		if (index != oldest_ + row_bytes_.size())
			return corrupt(text("entry ", oldest_ + row_bytes_.size(), " is missing"));
		const std::string_view command = select_.bytes(3);
		if (select_.integer(4) !=
		    row_crc(index, column(select_, 1), static_cast<int>(select_.integer(2)), command))
			return corrupt(text("the checksum of entry ", index, " does not fit"));
		row_bytes_.push_back(static_cast<std::uint32_t>(command.size()));
		if (index >= first_)
			command_bytes_ += command.size();
	}
	if (oldest_ > first_ || last_index() + 1 < first_)
		return corrupt(text("it begins with entry ", oldest_, " and not with ", first_));
	// One voter: what is written is committed.
	if (last_index() != committed)
		return corrupt(text("it ends with entry ", last_index(), " and not with ", committed));
	return {};
}

Result<> LogFile::fits(Applied applied)
{
	if (applied.index + 1 < first_)
		return corrupt(
			text("it begins with entry ", first_, ", but state.db needs ", applied.index + 1));
	if (applied.index > last_index())
		return corrupt(text("it ends with entry ", last_index(), ", but state.db has applied ",
				    applied.index));
	const auto term = term_of(applied.index);
	if (!term)
		return tl::unexpected(term.error());
	if (*term != applied.term)
		return corrupt(text("entry ", applied.index, " is of term ", *term,
				    ", but state.db has applied one of term ", applied.term));
	return {};
}

// Of an entry from first_ - 1 on.
Result<Term> LogFile::term_of(Index index)
{
	if (index + 1 == first_)
		return term_before_first_;
	select_.bind(1, as_sql(index));
	const auto row = select_.step();
	if (!row)
		return tl::unexpected(row.error());
	const Term term = *row ? column(select_, 1) : 0;
	select_.reset();
	return term;
}

Result<> LogFile::append(Term term, std::span<const std::string_view> commands)
{
	if (auto begun = database_.begin(); !begun)
		return begun;
	term_ = term;
	auto written = write_rows(commands);
	Result<Index> oldest = written ? purge(commands.size()) : tl::unexpected(written.error());
	if (oldest)
		written = write_meta(last_index() + commands.size());
	if (oldest && written)
		written = database_.commit();
	if (!oldest || !written) {
		database_.rollback();
		return !oldest ? tl::unexpected(oldest.error()) : written;
	}
	for (const std::string_view command : commands) {
		row_bytes_.push_back(static_cast<std::uint32_t>(command.size()));
		command_bytes_ += command.size();
	}
	for (; oldest_ < *oldest; oldest_++)
		row_bytes_.pop_front();
	return {};
}

Result<> LogFile::write_rows(std::span<const std::string_view> commands)
{
	Index index = last_index();
	for (const std::string_view command : commands) {
		index++;
		auto written = insert_.bind(1, as_sql(index))
				       .bind(2, as_sql(term_))
				       .bind(3, std::int64_t{entry_command})
				       .bind(4, command)
				       .bind(5, row_crc(index, term_, entry_command, command))
				       .run();
		if (!written)
			return written;
	}
	return {};
}

// The index from which rows are kept now.
Result<Index> LogFile::purge(std::size_t appended)
{
	const std::size_t limit = std::max(purge_rows_min, 2 * appended);
	Index keep = oldest_;
	std::uint64_t bytes = 0;
	while (keep < first_ && keep - oldest_ < limit && bytes < purge_bytes_max)
		bytes += row_bytes_[keep++ - oldest_];
	if (keep != oldest_)
		if (auto removed = remove_.bind(1, as_sql(keep)).run(); !removed)
			return tl::unexpected(removed.error());
	return keep;
}

Result<> LogFile::write_meta(Index committed)
{
	return update_meta_.bind(1, as_sql(term_))
		.bind(2, as_sql(voter_id))
		.bind(3, as_sql(committed))
		.bind(4, as_sql(first_))
		.bind(5, as_sql(term_before_first_))
		.bind(6, meta_crc(term_, voter_id, committed, first_, term_before_first_))
		.run();
}

Result<std::vector<LogFile::Stored>> LogFile::read(Index from, std::size_t entries_max, std::size_t bytes_max)
{
	std::vector<Stored> entries;
	std::size_t bytes = 0;
	select_.bind(1, as_sql(from));
	for (;;) {
		const auto row = select_.step();
		if (!row)
			return tl::unexpected(row.error());
		if (!*row)
			return entries;
		const std::string_view command = select_.bytes(3);
		bytes += command.size();
		if (!entries.empty() && (entries.size() == entries_max || bytes > bytes_max)) {
			select_.reset();
			return entries;
		}
		entries.push_back({column(select_, 0), column(select_, 1), std::string(command)});
	}
}

Result<> LogFile::compact(Index first)
{
	const auto term = term_of(first - 1);
	if (!term)
		return tl::unexpected(term.error());
	for (; first_ < first; first_++)
		command_bytes_ -= row_bytes_[first_ - oldest_];
	term_before_first_ = *term;
	return {};
}

Result<> LogFile::checkpoint()
{
	return database_.checkpoint();
}

} // namespace neuwerk::consensus
