// audit.db: findings and hits per hour, bounded in bytes and in hours. Not thread-safe.
#pragma once

#include "observe/observe.h"
#include "storage/storage.h"

#include <cstdint>
#include <string>
#include <vector>

namespace neuwerk::observe {

struct HourlyHits {
	std::string group;
	std::int64_t hour; // since 1970
	std::uint64_t count;
};

class AuditStore {
public:
	// `limit_bytes` bounds the serialised findings. Fails as storage/ does, and with conflict when a
	// newer version wrote the file.
	[[nodiscard]] static Result<AuditStore> open(const std::string &path, std::uint64_t limit_bytes);

	// One transaction: findings are merged with what is stored under their key, the oldest last_seen go
	// when the limit is exceeded, hours before `first_hour` go.
	[[nodiscard]] Result<> write(const std::vector<Finding> &findings,
				     const std::vector<HourlyHits> &hits, std::int64_t first_hour);

	[[nodiscard]] Result<std::vector<Finding>> findings(const FindingQuery &query);
	// `hour` is the current one. By current, then previous, descending, then by group.
	[[nodiscard]] Result<std::vector<GroupHits>> hits(std::int64_t hour);
	[[nodiscard]] Result<std::uint64_t> finding_count();

private:
	AuditStore(storage::Database database, std::uint64_t limit_bytes);
	[[nodiscard]] Result<> write_all(const std::vector<Finding> &findings,
					 const std::vector<HourlyHits> &hits, std::int64_t first_hour);
	[[nodiscard]] Result<> put(storage::Statement &get, storage::Statement &put, const Finding &finding);
	[[nodiscard]] Result<> evict();
	[[nodiscard]] Result<std::int64_t> number(const char *sql);

	storage::Database database_;
	std::uint64_t limit_bytes_;
	std::uint64_t used_bytes_ = 0; // of serialised findings
};

} // namespace neuwerk::observe
