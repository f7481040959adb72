// SQLite as the house uses it: the only file that sees sqlite3.h.
#include "storage/storage.h"

#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"

#include <fcntl.h>
#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <system_error>
#include <vector>

namespace neuwerk::storage {

namespace {

constexpr int busy_timeout_ms = 5000;
// Who wants the file alone meets either nobody or another neuwerkd, which will not go away by waiting.
constexpr int exclusive_timeout_ms = 500;
// A WAL file that grew beyond this shrinks to it when it starts over.
constexpr int journal_limit_bytes = 64 << 20;

ErrorKind kind_of(int code)
{
	switch (code & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return ErrorKind::corrupt;
	case SQLITE_FULL:
		return ErrorKind::resource_exhausted;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
	case SQLITE_PROTOCOL:
		return ErrorKind::unavailable;
	default:
		return ErrorKind::internal;
	}
}

// "open: /x/raft.db: unable to open database file (Permission denied)"
Error error_of(sqlite3 *database, int code, std::string_view what, std::string_view path)
{
	std::string reason = database && sqlite3_errcode(database) != SQLITE_OK ? sqlite3_errmsg(database)
										: sqlite3_errstr(code);
	const int cause = database ? sqlite3_system_errno(database) : 0;
	const int primary = code & 0xff;
	if (cause != 0 && (primary == SQLITE_CANTOPEN || primary == SQLITE_IOERR))
		reason += text(" (", std::generic_category().message(cause), ")");
	return {kind_of(code), text(what, ": ", path, ": ", reason)};
}

std::string_view path_of(sqlite3 *database)
{
	const char *path = sqlite3_db_filename(database, "main");
	return path ? path : "";
}

const char *vfs_name(const std::string &vfs)
{
	return vfs.empty() ? nullptr : vfs.c_str();
}

std::string_view synchronous(Durability durability)
{
	switch (durability) {
	case Durability::every_commit:
		return "FULL";
	case Durability::checkpoints:
		return "NORMAL";
	case Durability::none:
		break;
	}
	return "OFF";
}

std::string directory_of(const std::string &path)
{
	const std::size_t slash = path.rfind('/');
	return slash == std::string::npos ? "." : path.substr(0, std::max<std::size_t>(slash, 1));
}

// SQLite would give the file the mode 0644 and would not fsync the directory's new entry.
Result<> create_file(const std::string &path)
{
	const Fd file(open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
	if (!file)
		return errno == EEXIST ? Result<>() : tl::unexpected(system_error("create", path, errno));
	return SystemFiles().sync_directory(directory_of(path));
}

int note_pages(void *pages, sqlite3 *, const char *, int in_wal)
{
	*static_cast<int *>(pages) = in_wal;
	return SQLITE_OK;
}

// The whole file, in chunks; SQLite's code.
int write_again(sqlite3_file &file)
{
	constexpr sqlite3_int64 chunk_bytes =
		65536; // a page at most is what a VFS must take: SQLITE_MAX_PAGE_SIZE
	std::vector<char> chunk(chunk_bytes);
	sqlite3_int64 size = 0;
	int code = file.pMethods->xFileSize(&file, &size);
	for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size; at += chunk_bytes) {
		const int bytes = static_cast<int>(std::min(chunk_bytes, size - at));
		code = file.pMethods->xRead(&file, chunk.data(), bytes, at);
		if (code == SQLITE_OK)
			code = file.pMethods->xWrite(&file, chunk.data(), bytes, at);
	}
	return code == SQLITE_OK ? file.pMethods->xSync(&file, SQLITE_SYNC_NORMAL) : code;
}

} // namespace

Result<bool> exists(const Options &options)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(vfs_name(options.vfs));
	int found = 0;
	const int code =
		vfs ? vfs->xAccess(vfs, options.path.c_str(), SQLITE_ACCESS_READWRITE, &found) : SQLITE_ERROR;
	if (code != SQLITE_OK)
		return tl::unexpected(error_of(nullptr, code, "look for", options.path));
	// READWRITE and not EXISTS: SQLite takes an empty file for an absent one there. Root passes both.
	if (!found && vfs->xAccess(vfs, options.path.c_str(), SQLITE_ACCESS_EXISTS, &found) != SQLITE_OK)
		return tl::unexpected(error_of(nullptr, SQLITE_IOERR, "look for", options.path));
	return found != 0;
}

Result<> rewrite_wal(const Options &options)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(vfs_name(options.vfs));
	const std::string path = options.path + "-wal";
	int found = 0;
	int code = vfs ? vfs->xAccess(vfs, path.c_str(), SQLITE_ACCESS_EXISTS, &found) : SQLITE_ERROR;
	if (code != SQLITE_OK)
		return tl::unexpected(error_of(nullptr, code, "look for", path));
	if (!found)
		return {};
	// A VFS takes only names that SQLite has made.
	const char *name = sqlite3_create_filename(options.path.c_str(), "", path.c_str(), 0, nullptr);
	std::vector<std::max_align_t> memory(
		static_cast<std::size_t>(vfs->szOsFile) / sizeof(std::max_align_t) + 1);
	auto *file = reinterpret_cast<sqlite3_file *>(memory.data());
	code = vfs->xOpen(vfs, sqlite3_filename_wal(name), file, SQLITE_OPEN_READWRITE | SQLITE_OPEN_WAL,
			  nullptr);
	if (code == SQLITE_OK)
		code = write_again(*file);
	if (file->pMethods)
		file->pMethods->xClose(file);
	sqlite3_free_filename(name);
	if (code != SQLITE_OK)
		return tl::unexpected(error_of(nullptr, code, "write again", path));
	return {};
}

Statement &Statement::bind(int position, std::int64_t value)
{
	sqlite3_bind_int64(statement_.get(), position, value);
	return *this;
}

Statement &Statement::bind(int position, std::string_view blob)
{
	// A null pointer would bind NULL instead of nothing.
	sqlite3_bind_blob64(statement_.get(), position, blob.empty() ? "" : blob.data(), blob.size(),
			    SQLITE_STATIC);
	return *this;
}

Statement &Statement::bind_text(int position, std::string_view text)
{
	sqlite3_bind_text64(statement_.get(), position, text.empty() ? "" : text.data(), text.size(),
			    SQLITE_STATIC, SQLITE_UTF8);
	return *this;
}

Statement &Statement::bind_null(int position)
{
	sqlite3_bind_null(statement_.get(), position);
	return *this;
}

Result<bool> Statement::step()
{
	sqlite3_stmt *raw = statement_.get();
	const int code = sqlite3_step(raw);
	if (code == SQLITE_ROW)
		return true;
	if (code == SQLITE_DONE) {
		sqlite3_reset(raw);
		return false;
	}
	sqlite3 *database = sqlite3_db_handle(raw);
	Error error = error_of(database, code, sqlite3_sql(raw), path_of(database));
	sqlite3_reset(raw);
	return tl::unexpected(std::move(error));
}

Result<> Statement::run()
{
	for (;;) {
		const auto row = step();
		if (!row)
			return tl::unexpected(row.error());
		if (!*row)
			return {};
	}
}

void Statement::reset()
{
	sqlite3_reset(statement_.get());
}

std::int64_t Statement::integer(int column) const
{
	return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::bytes(int column) const
{
	const void *data = sqlite3_column_blob(statement_.get(), column);
	const int size = sqlite3_column_bytes(statement_.get(), column);
	return {static_cast<const char *>(data), data ? static_cast<std::size_t>(size) : 0};
}

bool Statement::is_null(int column) const
{
	return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

void Statement::Finalize::operator()(sqlite3_stmt *statement) const
{
	sqlite3_finalize(statement);
}

void Database::Close::operator()(sqlite3 *database) const
{
	sqlite3_close_v2(database);
}

Result<Database> Database::open(const Options &options)
{
	if (options.vfs.empty() && !options.read_only)
		if (auto created = create_file(options.path); !created)
			return tl::unexpected(created.error());
	const int flags =
		SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
		(options.read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
	sqlite3 *raw = nullptr;
	const int code = sqlite3_open_v2(options.path.c_str(), &raw, flags, vfs_name(options.vfs));
	Database database;
	database.database_.reset(raw);
	database.path_ = options.path;
	database.vfs_ = options.vfs;
	if (code != SQLITE_OK)
		return tl::unexpected(error_of(raw, code, "open", options.path));
	sqlite3_busy_timeout(raw, options.exclusive ? exclusive_timeout_ms : busy_timeout_ms);
	sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
	sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
	std::string settings = "PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;";
	if (options.exclusive)
		settings += "PRAGMA locking_mode = EXCLUSIVE;";
	if (!options.read_only)
		settings +=
			text("PRAGMA journal_mode = WAL; PRAGMA journal_size_limit = ", journal_limit_bytes,
			     "; PRAGMA synchronous = ", synchronous(options.durability),
			     "; PRAGMA wal_autocheckpoint = ", options.auto_checkpoint_pages, ";");
	if (auto set = database.execute(settings); !set)
		return tl::unexpected(set.error());
	if (!options.read_only) {
		// SQLite does not call it an error when it has to stay with a rollback journal.
		auto mode = database.prepare("PRAGMA journal_mode");
		const auto row = mode ? mode->step() : tl::unexpected(mode.error());
		if (!row)
			return tl::unexpected(row.error());
		if (mode->bytes(0) != "wal")
			return fail(ErrorKind::internal, text("open: ", options.path, ": no WAL mode here"));
	}
	if (options.auto_checkpoint_pages == 0) {
		database.wal_pages_ = std::make_unique<int>(0);
		sqlite3_wal_hook(raw, note_pages, database.wal_pages_.get());
	}
	return database;
}

Result<> Database::execute(std::string_view sql)
{
	const std::string terminated(sql);
	const int code = sqlite3_exec(database_.get(), terminated.c_str(), nullptr, nullptr, nullptr);
	if (code != SQLITE_OK)
		return tl::unexpected(error_of(database_.get(), code, sql, path_));
	return {};
}

Result<Statement> Database::prepare(std::string_view sql)
{
	sqlite3_stmt *raw = nullptr;
	const int code = sqlite3_prepare_v3(database_.get(), sql.data(), static_cast<int>(sql.size()),
					    SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
	if (code != SQLITE_OK)
		return tl::unexpected(error_of(database_.get(), code, sql, path_));
	Statement statement;
	statement.statement_.reset(raw);
	return statement;
}

Result<> Database::begin()
{
	return execute("BEGIN IMMEDIATE");
}

Result<> Database::commit()
{
	return execute("COMMIT");
}

void Database::rollback()
{
	// Fails when SQLite has rolled back by itself after an error: that is the same outcome.
	sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
}

Result<> Database::checkpoint()
{
	const int code = sqlite3_wal_checkpoint_v2(database_.get(), "main", SQLITE_CHECKPOINT_PASSIVE,
						   nullptr, nullptr);
	if (code != SQLITE_OK && code != SQLITE_BUSY) // busy: another connection does it right now
		return tl::unexpected(error_of(database_.get(), code, "checkpoint", path_));
	if (wal_pages_)
		*wal_pages_ = 0;
	return {};
}

int Database::wal_pages() const
{
	return wal_pages_ ? *wal_pages_ : 0;
}

Result<> Database::set_durability(Durability durability)
{
	return execute(text("PRAGMA synchronous = ", synchronous(durability)));
}

Result<> Database::check()
{
	auto query = prepare("PRAGMA quick_check(1)");
	if (!query)
		return tl::unexpected(query.error());
	const auto row = query->step();
	if (!row)
		return tl::unexpected(row.error());
	const std::string_view finding = *row ? query->bytes(0) : "no answer";
	if (finding != "ok")
		return fail(ErrorKind::corrupt, text("quick_check: ", path_, ": ", finding));
	return {};
}

Result<> Database::backup_to(const std::string &path)
{
	Options options{.path = path, .vfs = vfs_};
	const auto there = exists(options);
	if (!there)
		return tl::unexpected(there.error());
	if (*there)
		return fail(ErrorKind::conflict, text("back up: ", path, ": the file exists"));
	auto copy = open(options);
	if (!copy)
		return tl::unexpected(copy.error());
	sqlite3 *target = copy->database_.get();
	sqlite3_backup *backup = sqlite3_backup_init(target, "main", database_.get(), "main");
	if (!backup)
		return tl::unexpected(error_of(target, sqlite3_extended_errcode(target), "back up", path));
	const int copied = sqlite3_backup_step(backup, -1);
	const int finished = sqlite3_backup_finish(backup);
	if (copied != SQLITE_DONE)
		return tl::unexpected(
			error_of(target, finished != SQLITE_OK ? finished : copied, "back up", path));
	// One file that can be carried away, without a WAL beside it.
	return copy->execute("PRAGMA journal_mode = DELETE");
}

Result<std::int64_t> Database::pragma(std::string_view name)
{
	auto query = prepare(text("PRAGMA ", name));
	if (!query)
		return tl::unexpected(query.error());
	const auto row = query->step();
	if (!row)
		return tl::unexpected(row.error());
	return *row ? query->integer(0) : 0;
}

std::uint64_t Database::file_bytes() const
{
	std::uint64_t sum = 0;
	for (const int operation : {SQLITE_FCNTL_FILE_POINTER, SQLITE_FCNTL_JOURNAL_POINTER}) {
		sqlite3_file *file = nullptr;
		sqlite3_int64 bytes = 0;
		if (sqlite3_file_control(database_.get(), "main", operation, &file) == SQLITE_OK && file &&
		    file->pMethods && file->pMethods->xFileSize(file, &bytes) == SQLITE_OK)
			sum += static_cast<std::uint64_t>(bytes);
	}
	return sum;
}

} // namespace neuwerk::storage
