// audit.db over storage/: a finding is its key, the columns that queries filter by, and the item as JSON.
#include "observe/audit_store.h"

#include "base/text.h"
#include "observe/finding.h"

#include <boost/json.hpp>

#include <limits>

namespace neuwerk::observe {

namespace {

constexpr std::int64_t schema_version = 1;

constexpr const char *schema = R"(
	CREATE TABLE findings (
		key TEXT PRIMARY KEY, type TEXT NOT NULL, policy_id TEXT NOT NULL, source_group TEXT NOT NULL,
		first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, count INTEGER NOT NULL,
		item TEXT NOT NULL) WITHOUT ROWID;
	CREATE INDEX findings_by_time ON findings (last_seen DESC, count DESC);
	CREATE TABLE hits (
		source_group TEXT NOT NULL, hour INTEGER NOT NULL, count INTEGER NOT NULL,
		PRIMARY KEY (source_group, hour)) WITHOUT ROWID;
	PRAGMA user_version = 1;)";

constexpr const char *query_findings = R"(
	SELECT item FROM findings
	WHERE last_seen >= ?1 AND first_seen <= ?2
		AND (?3 IS NULL OR policy_id IN (SELECT value FROM json_each(?3)))
		AND (?4 IS NULL OR type IN (SELECT value FROM json_each(?4)))
		AND (?5 IS NULL OR source_group IN (SELECT value FROM json_each(?5)))
	ORDER BY last_seen DESC, count DESC, key LIMIT ?6)";

constexpr const char *query_hits = R"(
	SELECT source_group, sum(iif(hour > ?1 - 24, count, 0)) AS current,
		sum(iif(hour <= ?1 - 24, count, 0)) AS previous
	FROM hits WHERE hour > ?1 - 48 AND hour <= ?1
	GROUP BY source_group ORDER BY current DESC, previous DESC, source_group)";

// JSON array of the values as they are compared; empty: no filter.
std::string filter_of(const std::vector<std::string> &values)
{
	boost::json::array list;
	for (const std::string &value : values)
		list.push_back(boost::json::string(folded(value)));
	return boost::json::serialize(list);
}

void bind_filter(storage::Statement &statement, int position, const std::vector<std::string> &values,
		 const std::string &filter)
{
	if (values.empty())
		statement.bind_null(position);
	else
		statement.bind_text(position, filter);
}

// SQLite counts in 63 bits.
std::int64_t stored(std::uint64_t count)
{
	constexpr auto max = std::numeric_limits<std::int64_t>::max();
	return count > static_cast<std::uint64_t>(max) ? max : static_cast<std::int64_t>(count);
}

} // namespace

AuditStore::AuditStore(storage::Database database, std::uint64_t limit_bytes)
    : database_(std::move(database)), limit_bytes_(limit_bytes)
{
}

Result<AuditStore> AuditStore::open(const std::string &path, std::uint64_t limit_bytes)
{
	// Counts of the last seconds before a power loss may be gone: no fsync per transaction.
	auto database =
		storage::Database::open({.path = path, .durability = storage::Durability::checkpoints});
	if (!database)
		return tl::unexpected(database.error());
	AuditStore store(std::move(*database), limit_bytes);
	const auto version = store.number("PRAGMA user_version");
	if (!version)
		return tl::unexpected(version.error());
	if (*version > schema_version)
		return fail(ErrorKind::conflict, text(path, ": written by a newer version (schema ", *version,
						      ", this one knows ", schema_version, ")"));
	if (*version == 0) {
		auto made = store.database_.begin();
		if (made)
			made = store.database_.execute(schema);
		if (made)
			made = store.database_.commit();
		if (!made)
			return tl::unexpected(made.error());
	}
	const auto used = store.number("SELECT coalesce(sum(length(CAST(item AS BLOB))), 0) FROM findings");
	if (!used)
		return tl::unexpected(used.error());
	store.used_bytes_ = static_cast<std::uint64_t>(*used);
	return store;
}

Result<> AuditStore::write(const std::vector<Finding> &findings, const std::vector<HourlyHits> &hits,
			   std::int64_t first_hour)
{
	if (auto begun = database_.begin(); !begun)
		return begun;
	const std::uint64_t used_before = used_bytes_;
	auto written = write_all(findings, hits, first_hour);
	if (written)
		written = database_.commit();
	if (!written) {
		database_.rollback();
		used_bytes_ = used_before;
	}
	return written;
}

Result<> AuditStore::write_all(const std::vector<Finding> &findings, const std::vector<HourlyHits> &hits,
			       std::int64_t first_hour)
{
	auto get_finding = database_.prepare("SELECT item FROM findings WHERE key = ?1");
	auto put_finding =
		database_.prepare("INSERT OR REPLACE INTO findings VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
	auto add_hits = database_.prepare("INSERT INTO hits VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET "
					  "count = count + excluded.count");
	auto forget_hits = database_.prepare("DELETE FROM hits WHERE hour < ?1");
	for (const auto *statement : {&get_finding, &put_finding, &add_hits, &forget_hits})
		if (!*statement)
			return tl::unexpected(statement->error());
	for (const Finding &finding : findings)
		if (auto done = put(*get_finding, *put_finding, finding); !done)
			return done;
	for (const HourlyHits &each : hits) {
		add_hits->bind_text(1, each.group).bind(2, each.hour).bind(3, stored(each.count));
		if (auto done = add_hits->run(); !done)
			return done;
	}
	forget_hits->bind(1, first_hour);
	if (auto done = forget_hits->run(); !done)
		return done;
	return evict();
}

Result<> AuditStore::put(storage::Statement &get, storage::Statement &put, const Finding &finding)
{
	const std::string key = dedup_key(finding);
	Finding whole = finding;
	get.bind_text(1, key);
	const auto known = get.step();
	if (!known)
		return tl::unexpected(known.error());
	if (*known) {
		const std::string_view item = get.bytes(0);
		used_bytes_ -= item.size();
		auto before = finding_of_json(item);
		get.reset();
		if (!before)
			return tl::unexpected(before.error());
		whole = std::move(*before);
		merge(whole, finding);
	}
	const std::string item = to_json(whole);
	const std::string policy = folded(whole.policy_id), group = folded(whole.source_group);
	put.bind_text(1, key)
		.bind_text(2, whole.type)
		.bind_text(3, policy)
		.bind_text(4, group)
		.bind(5, whole.first_seen_s)
		.bind(6, whole.last_seen_s)
		.bind(7, stored(whole.count))
		.bind_text(8, item);
	used_bytes_ += item.size();
	return put.run();
}

Result<> AuditStore::evict()
{
	if (used_bytes_ <= limit_bytes_)
		return {};
	auto oldest = database_.prepare("SELECT key, length(CAST(item AS BLOB)) FROM findings "
					"ORDER BY last_seen, count, key LIMIT 1");
	auto erase = database_.prepare("DELETE FROM findings WHERE key = ?1");
	if (!oldest || !erase)
		return tl::unexpected(!oldest ? oldest.error() : erase.error());
	while (used_bytes_ > limit_bytes_) {
		const auto found = oldest->step();
		if (!found)
			return tl::unexpected(found.error());
		if (!*found)
			return {};
		const std::string key(oldest->bytes(0));
		used_bytes_ -= static_cast<std::uint64_t>(oldest->integer(1));
		oldest->reset();
		erase->bind_text(1, key);
		if (auto done = erase->run(); !done)
			return done;
	}
	return {};
}

Result<std::vector<Finding>> AuditStore::findings(const FindingQuery &query)
{
	auto statement = database_.prepare(query_findings);
	if (!statement)
		return tl::unexpected(statement.error());
	const std::string policies = filter_of(query.policy_ids), types = filter_of(query.types),
			  groups = filter_of(query.source_groups);
	statement->bind(1, query.since_s.value_or(std::numeric_limits<std::int64_t>::min()))
		.bind(2, query.until_s.value_or(std::numeric_limits<std::int64_t>::max()))
		.bind(6, std::int64_t{query.limit});
	bind_filter(*statement, 3, query.policy_ids, policies);
	bind_filter(*statement, 4, query.types, types);
	bind_filter(*statement, 5, query.source_groups, groups);
	std::vector<Finding> found;
	for (;;) {
		const auto row = statement->step();
		if (!row)
			return tl::unexpected(row.error());
		if (!*row)
			return found;
		auto finding = finding_of_json(statement->bytes(0));
		if (!finding)
			return tl::unexpected(finding.error());
		if (finding->count == 0) // sampled, but not counted per key: at least the sample
			finding->count = 1;
		found.push_back(std::move(*finding));
	}
}

Result<std::vector<GroupHits>> AuditStore::hits(std::int64_t hour)
{
	auto statement = database_.prepare(query_hits);
	if (!statement)
		return tl::unexpected(statement.error());
	statement->bind(1, hour);
	std::vector<GroupHits> found;
	for (;;) {
		const auto row = statement->step();
		if (!row)
			return tl::unexpected(row.error());
		if (!*row)
			return found;
		found.push_back({.group = std::string(statement->bytes(0)),
				 .current_24h = static_cast<std::uint64_t>(statement->integer(1)),
				 .previous_24h = static_cast<std::uint64_t>(statement->integer(2))});
	}
}

Result<std::uint64_t> AuditStore::finding_count()
{
	const auto count = number("SELECT count(*) FROM findings");
	if (!count)
		return tl::unexpected(count.error());
	return static_cast<std::uint64_t>(*count);
}

Result<std::int64_t> AuditStore::number(const char *sql)
{
	auto statement = database_.prepare(sql);
	if (!statement)
		return tl::unexpected(statement.error());
	const auto row = statement->step();
	if (!row)
		return tl::unexpected(row.error());
	return *row ? statement->integer(0) : 0;
}

} // namespace neuwerk::observe
