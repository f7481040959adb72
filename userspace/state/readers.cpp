// A few read-only connections that callers share.
#include "state/readers.h"

#include "base/text.h"
#include "state/compress.h"
#include "state/records.h"

namespace neuwerk::state {

namespace {

// A read takes microseconds: more connections than threads that serve requests help nobody.
constexpr std::size_t connections_max = 4;

} // namespace

Readers::Readers(storage::Options file) : file_(std::move(file)) {}

Result<std::unique_ptr<Readers::Reader>> Readers::open() const
{
	auto database = storage::Database::open(file_);
	if (!database)
		return tl::unexpected(database.error());
	auto reader = std::make_unique<Reader>();
	reader->database = std::move(*database);
	constexpr std::string_view columns =
		"SELECT key, value, unpacked_bytes, rev, mod_index, mod_ms, crc FROM kv ";
	auto get = reader->database.prepare(text(columns, "WHERE key = ?1"));
	if (!get)
		return tl::unexpected(get.error());
	auto list = reader->database.prepare(
		text(columns, "WHERE key >= ?1 AND (?2 IS NULL OR key < ?2) ORDER BY key"));
	if (!list)
		return tl::unexpected(list.error());
	reader->get = std::move(*get);
	reader->list = std::move(*list);
	return reader;
}

Result<std::unique_ptr<Readers::Reader>> Readers::borrow()
{
	{
		std::unique_lock lock(mutex_);
		returned_.wait(lock, [this] { return !idle_.empty() || open_count_ < connections_max; });
		if (!idle_.empty()) {
			auto reader = std::move(idle_.back());
			idle_.pop_back();
			return reader;
		}
		open_count_++;
	}
	auto reader = open();
	if (!reader)
		give_back(nullptr);
	return reader;
}

// nullptr: the connection is gone.
void Readers::give_back(std::unique_ptr<Reader> reader)
{
	{
		const std::lock_guard lock(mutex_);
		if (reader)
			idle_.push_back(std::move(reader));
		else
			open_count_--;
	}
	returned_.notify_one();
}

template <typename Query>
auto Readers::with_reader(const Query &query)
{
	auto reader = borrow();
	if (!reader)
		return decltype(query(**reader))(tl::unexpected(reader.error()));
	auto answer = query(**reader);
	(*reader)->get.reset(); // ends the read transaction, also after an error
	(*reader)->list.reset();
	give_back(std::move(*reader));
	return answer;
}

Result<Record> Readers::record_of(const storage::Statement &row) const
{
	Record record{.key = std::string(row.bytes(0)),
		      .value = {},
		      .revision = static_cast<std::uint64_t>(row.integer(3)),
		      .changed_index = static_cast<Index>(row.integer(4)),
		      .changed_ms = row.integer(5)};
	const std::string_view stored = row.bytes(1);
	const auto unpacked_bytes = static_cast<std::uint64_t>(row.integer(2));
	const bool fits = row.integer(6) == record_crc(record.key, stored, unpacked_bytes, record.revision,
						       record.changed_index, record.changed_ms);
	if (!fits || unpacked_bytes > value_limit_bytes)
		return fail(ErrorKind::corrupt,
			    text("read: ", file_.path, ": the checksum of record ", record.key,
				 " does not fit; the file is damaged: restore from a backup"));
	if (unpacked_bytes == 0) {
		record.value = stored;
		return record;
	}
	auto value = uncompress(stored, unpacked_bytes);
	if (!value)
		return fail(ErrorKind::corrupt,
			    text("read: ", file_.path, ": record ", record.key, ": ", value.error().what));
	record.value = std::move(*value);
	return record;
}

Result<std::optional<Record>> Readers::get(std::string_view key)
{
	return with_reader([this, key](Reader &reader) -> Result<std::optional<Record>> {
		const auto row = reader.get.bind(1, key).step();
		if (!row)
			return tl::unexpected(row.error());
		if (!*row)
			return std::nullopt;
		auto record = record_of(reader.get);
		if (!record)
			return tl::unexpected(record.error());
		return std::optional(std::move(*record));
	});
}

Result<std::vector<Record>> Readers::list(std::string_view prefix)
{
	return with_reader([this, prefix](Reader &reader) -> Result<std::vector<Record>> {
		const auto end = after_prefix(prefix);
		reader.list.bind(1, prefix);
		if (end)
			reader.list.bind(2, *end);
		else
			reader.list.bind_null(2);
		std::vector<Record> records;
		for (;;) {
			const auto row = reader.list.step();
			if (!row)
				return tl::unexpected(row.error());
			if (!*row)
				return records;
			auto record = record_of(reader.list);
			if (!record)
				return tl::unexpected(record.error());
			records.push_back(std::move(*record));
		}
	});
}

Result<> Readers::backup_to(const std::string &path)
{
	return with_reader([&path](Reader &reader) -> Result<> { return reader.database.backup_to(path); });
}

} // namespace neuwerk::state
