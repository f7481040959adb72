// state.db: how it is created, checked and loaded, and the rows that the records need for that.
#include "base/crc32c.h"
#include "base/text.h"
#include "state/records.h"

#include <utility>

namespace neuwerk::state {

namespace {

constexpr int schema_version = 1;
// mod_ms and crc are ours beside the key space of the specification; unpacked_bytes 0: not compressed.
constexpr std::string_view schema = R"(
	CREATE TABLE applied(k INTEGER PRIMARY KEY CHECK(k = 1), idx INTEGER NOT NULL, term INTEGER NOT NULL,
		time_ms INTEGER NOT NULL, record_count INTEGER NOT NULL, digest INTEGER NOT NULL,
		durable_count INTEGER NOT NULL, driven INTEGER NOT NULL, crc INTEGER NOT NULL);
	CREATE TABLE kv(key BLOB PRIMARY KEY, value BLOB NOT NULL, unpacked_bytes INTEGER NOT NULL,
		rev INTEGER NOT NULL, mod_index INTEGER NOT NULL, mod_ms INTEGER NOT NULL,
		crc INTEGER NOT NULL) WITHOUT ROWID;
	CREATE TABLE request(idx INTEGER PRIMARY KEY, id BLOB NOT NULL, time_ms INTEGER NOT NULL,
		refusal INTEGER NOT NULL, what TEXT NOT NULL, crc INTEGER NOT NULL);
	PRAGMA user_version = 1;
)";

// A refusal in the column of that name: 0 is success, otherwise ErrorKind + 1.
std::int64_t refusal_of(const Result<> &outcome)
{
	return outcome ? 0 : static_cast<std::int64_t>(outcome.error().kind) + 1;
}

std::string_view what_of(const Result<> &outcome)
{
	return outcome ? std::string_view() : std::string_view(outcome.error().what);
}

std::uint32_t request_crc(Index index, std::string_view id, std::int64_t time_ms, std::int64_t refusal,
			  std::string_view what)
{
	return crc32c_of_parts({id, what}, {index, static_cast<std::uint64_t>(time_ms),
					    static_cast<std::uint64_t>(refusal)});
}

std::uint64_t column(const storage::Statement &row, int number)
{
	return static_cast<std::uint64_t>(row.integer(number));
}

} // namespace

tl::unexpected<Error> Records::corrupt(std::string_view why) const
{
	return fail(ErrorKind::corrupt, text("state: ", database_.path(), ": ", why,
					     "; the file is damaged: restore from a backup"));
}

Result<std::unique_ptr<Records>> Records::open(const Options &options, bool log_exists, Committed committed)
{
	const storage::Options file{.path = options.directory + "/state.db",
				    .durability = options.synced ? storage::Durability::every_commit
								 : storage::Durability::none,
				    .vfs = options.vfs,
				    .auto_checkpoint_pages = 0};
	const auto there = storage::exists(file);
	if (!there)
		return tl::unexpected(there.error());
	if (!*there && log_exists)
		return fail(ErrorKind::corrupt, text("state: ", file.path,
						     ": the file is missing beside a raft.db: put it back or "
						     "restore from a backup"));
	if (auto settled = storage::rewrite_wal(file); !settled)
		return tl::unexpected(settled.error());
	auto database = storage::Database::open(file);
	if (!database)
		return tl::unexpected(database.error());
	auto records = std::make_unique<Records>();
	records->database_ = std::move(*database);
	records->committed_ = std::move(committed);
	records->synced_ = options.synced;
	records->limits_ = options.limits;

	const auto version = records->database_.pragma("user_version");
	if (!version)
		return tl::unexpected(version.error());
	if (*version > schema_version)
		return fail(ErrorKind::internal, text("state: ", file.path, ": format ", *version,
						      " was written by a newer neuwerkd"));
	if (*version < 0 || (*version == 0 && log_exists))
		return records->corrupt("it is empty");
	// Durable before there is a raft.db: from then on, an absent state.db means damage.
	if (*version == 0)
		if (auto created = records->create(); !created)
			return tl::unexpected(created.error());
	if (auto loaded = records->load(); !loaded)
		return tl::unexpected(loaded.error());
	if (options.synced)
		if (auto set = records->database_.set_durability(storage::Durability::checkpoints); !set)
			return tl::unexpected(set.error());
	records->publish();
	return records;
}

Result<> Records::create()
{
	if (auto begun = database_.begin(); !begun)
		return begun;
	auto made = database_.execute(schema);
	if (made)
		made = database_.execute("INSERT INTO applied VALUES(1, 0, 0, 0, 0, 0, 0, 0, 0)");
	if (made)
		made = prepare();
	if (made)
		made = write_applied();
	if (made)
		made = database_.commit();
	if (!made)
		database_.rollback();
	return made;
}

Result<> Records::prepare()
{
	const std::pair<storage::Statement &, std::string_view> statements[] = {
		{look_up_, "SELECT rev, crc FROM kv WHERE key = ?1"},
		{put_, "INSERT INTO kv(key, value, unpacked_bytes, rev, mod_index, mod_ms, crc) "
		       "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT(key) DO UPDATE SET value = ?2, "
		       "unpacked_bytes = ?3, rev = ?4, mod_index = ?5, mod_ms = ?6, crc = ?7"},
		{erase_, "DELETE FROM kv WHERE key = ?1"},
		{stale_, "SELECT key FROM kv WHERE key >= ?1 AND (?2 IS NULL OR key < ?2) AND mod_ms < ?3 "
			 "ORDER BY key LIMIT ?4"},
		{remember_, "INSERT INTO request(idx, id, time_ms, refusal, what, crc) "
			    "VALUES(?1, ?2, ?3, ?4, ?5, ?6)"},
		{forget_, "DELETE FROM request WHERE idx = ?1"},
		{applied_row_, "UPDATE applied SET idx = ?1, term = ?2, time_ms = ?3, record_count = ?4, "
			       "digest = ?5, durable_count = ?6, driven = ?7, crc = ?8 WHERE k = 1"},
	};
	for (const auto &[into, sql] : statements) {
		auto statement = database_.prepare(sql);
		if (!statement)
			return corrupt(statement.error().what);
		into = std::move(*statement);
	}
	return {};
}

Result<> Records::load()
{
	auto done = database_.check();
	if (done)
		done = prepare();
	if (done)
		done = load_applied();
	const std::uint64_t digest = digest_;
	digest_ = 0;
	if (done)
		done = verify_records();
	if (done)
		done = load_requests();
	if (done && digest_ != digest)
		return corrupt("the sum of all checksums does not fit: a row is missing");
	return done;
}

Result<> Records::load_applied()
{
	auto query =
		database_.prepare("SELECT idx, term, time_ms, record_count, digest, durable_count, driven, "
				  "crc FROM applied");
	if (!query)
		return corrupt(query.error().what);
	const auto row = query->step();
	if (!row)
		return tl::unexpected(row.error());
	if (!*row)
		return corrupt("the row of the applied index is missing");
	applied_ = column(*query, 0);
	term_ = column(*query, 1);
	time_ms_ = query->integer(2);
	record_count_ = column(*query, 3);
	digest_ = column(*query, 4);
	durable_count_ = column(*query, 5);
	driven_ = query->integer(6) != 0;
	if (query->integer(7) != crc32c_of_parts({}, {applied_, term_, column(*query, 2), record_count_,
						      digest_, durable_count_, column(*query, 6)}))
		return corrupt("the checksum of the applied index does not fit");
	return {};
}

Result<> Records::verify_records()
{
	auto query =
		database_.prepare("SELECT key, value, unpacked_bytes, rev, mod_index, mod_ms, crc FROM kv");
	if (!query)
		return corrupt(query.error().what);
	std::uint64_t count = 0;
	for (;; count++) {
		const auto row = query->step();
		if (!row)
			return tl::unexpected(row.error());
		if (!*row)
			break;
		const std::uint32_t crc = record_crc(query->bytes(0), query->bytes(1), column(*query, 2),
						     column(*query, 3), column(*query, 4), query->integer(5));
		if (query->integer(6) != crc)
			return corrupt(text("the checksum of record ", query->bytes(0), " does not fit"));
		digest_ += crc;
	}
	if (count != record_count_)
		return corrupt(text(count, " records are there instead of ", record_count_));
	return {};
}

Result<> Records::load_requests()
{
	auto query =
		database_.prepare("SELECT idx, id, time_ms, refusal, what, crc FROM request ORDER BY idx");
	if (!query)
		return corrupt(query.error().what);
	for (;;) {
		const auto row = query->step();
		if (!row)
			return tl::unexpected(row.error());
		if (!*row)
			return {};
		const Index index = column(*query, 0);
		const std::string id(query->bytes(1));
		const std::int64_t time_ms = query->integer(2);
		const std::int64_t refusal = query->integer(3);
		const std::string what(query->bytes(4));
		const std::uint32_t crc = request_crc(index, id, time_ms, refusal, what);
		if (query->integer(5) != crc)
			return corrupt(text("the checksum of request ", index, " does not fit"));
		digest_ += crc;
		Result<> outcome;
		if (refusal != 0)
			outcome = fail(static_cast<ErrorKind>(refusal - 1), what);
		requests_.emplace(id, Remembered{index, time_ms, std::move(outcome)});
		request_order_.push_back(id);
	}
}

// Depends on the commands alone and not on how they were batched: every node forgets at the same entry.
Result<> Records::forget_requests()
{
	while (!request_order_.empty()) {
		const auto oldest = requests_.find(request_order_.front());
		const Remembered &request = oldest->second;
		if (request.time_ms >= time_ms_ - request_memory_ms &&
		    requests_.size() < request_memory_count)
			return {};
		auto forgotten = forget_.bind(1, static_cast<std::int64_t>(request.index)).run();
		if (!forgotten)
			return forgotten;
		digest_ -= request_crc(request.index, oldest->first, request.time_ms,
				       refusal_of(request.outcome), what_of(request.outcome));
		requests_.erase(oldest);
		request_order_.pop_front();
	}
	return {};
}

Result<> Records::remember(const std::string &id, Index index, const Result<> &outcome)
{
	const std::uint32_t crc = request_crc(index, id, time_ms_, refusal_of(outcome), what_of(outcome));
	auto written = remember_.bind(1, static_cast<std::int64_t>(index))
			       .bind(2, id)
			       .bind(3, time_ms_)
			       .bind(4, refusal_of(outcome))
			       .bind_text(5, what_of(outcome))
			       .bind(6, std::int64_t{crc})
			       .run();
	if (!written)
		return written;
	digest_ += crc;
	requests_.emplace(id, Remembered{index, time_ms_, outcome});
	request_order_.push_back(id);
	return {};
}

Result<> Records::write_applied()
{
	const std::uint64_t driven = driven_ ? 1 : 0;
	return applied_row_.bind(1, static_cast<std::int64_t>(applied_))
		.bind(2, static_cast<std::int64_t>(term_))
		.bind(3, time_ms_)
		.bind(4, static_cast<std::int64_t>(record_count_))
		.bind(5, static_cast<std::int64_t>(digest_))
		.bind(6, static_cast<std::int64_t>(durable_count_))
		.bind(7, static_cast<std::int64_t>(driven))
		.bind(8,
		      std::int64_t{crc32c_of_parts({}, {applied_, term_, static_cast<std::uint64_t>(time_ms_),
							record_count_, digest_, durable_count_, driven})})
		.run();
}

// One commit with an fsync of the WAL covers every commit before it. It must change a byte: SQLite writes
// nothing for an UPDATE that leaves a row as it is.
Result<> Records::make_durable()
{
	durable_count_++;
	driven_ = true;
	if (!synced_)
		return write_applied();
	auto done = database_.set_durability(storage::Durability::every_commit);
	if (done)
		done = write_applied();
	if (done)
		done = database_.set_durability(storage::Durability::checkpoints);
	return done;
}

Result<> Records::mark_as_copy(const std::string &path)
{
	auto database = storage::Database::open({.path = path});
	if (!database)
		return tl::unexpected(database.error());
	Records copy;
	copy.database_ = std::move(*database);
	auto done = copy.prepare();
	if (done)
		done = copy.load_applied();
	copy.driven_ = false;
	if (done)
		done = copy.write_applied();
	if (done)
		done = copy.database_.execute("PRAGMA journal_mode = DELETE");
	return done;
}

} // namespace neuwerk::state
