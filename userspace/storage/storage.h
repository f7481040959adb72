// Front door of storage/: SQLite as the house uses it, one connection and its prepared statements.
//
// Every database is in WAL mode and belongs to one writer. Fault tests name another VFS.
#pragma once

#include "base/result.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace neuwerk::storage {

enum class Durability {
	every_commit, // synchronous=FULL: a commit returns after fsync
	checkpoints,  // synchronous=NORMAL: consistent after power loss, but the last commits may be gone
	none,         // synchronous=OFF: for the test that shows what it costs
};

struct Options {
	std::string path;
	Durability durability = Durability::every_commit;
	std::string vfs; // empty: the system's
	bool read_only = false;
	// Nobody else may open the file while this connection lives: they get unavailable.
	bool exclusive = false;
	// 0: no checkpoint by itself; the owner calls checkpoint().
	int auto_checkpoint_pages = 1000;
};

// Whether the file of a database is there, as its VFS sees it; an empty file is there.
[[nodiscard]] Result<bool> exists(const Options &options);

// Writes the WAL once more, byte by byte the same, and fsyncs it; before open(), while nobody has it open.
// After an fsync that failed, Linux keeps pages that never reached the disk and calls them clean: what a new
// process reads of a WAL may be in memory only, and nothing may be built on it.
[[nodiscard]] Result<> rewrite_wal(const Options &options);

// Not thread-safe. Texts and blobs are both std::string_view; embedded zero bytes are kept.
class Statement {
public:
	// Binds to ?1, ?2, … The bytes must outlive the next run().
	Statement &bind(int position, std::int64_t value);
	Statement &bind(int position, std::string_view blob);
	Statement &bind_text(int position, std::string_view text);
	Statement &bind_null(int position);

	// The next row: true, or false at the end, when the statement is reset and may be bound anew.
	[[nodiscard]] Result<bool> step();
	// For statements without rows.
	[[nodiscard]] Result<> run();
	void reset();

	// Columns of the current row, from 0. Views live until the next step() or reset().
	[[nodiscard]] std::int64_t integer(int column) const;
	[[nodiscard]] std::string_view bytes(int column) const;
	[[nodiscard]] bool is_null(int column) const;

private:
	friend class Database;
	struct Finalize {
		void operator()(sqlite3_stmt *statement) const;
	};
	std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Errors carry SQLite's own words, the file and the SQL. Kinds: corrupt (damaged, or not a database),
// resource_exhausted (disk full), unavailable (locked by somebody else), internal (I/O error and the rest).
class Database {
public:
	// Creates the file (mode 0600) where it is missing, unless read_only.
	[[nodiscard]] static Result<Database> open(const Options &options);

	[[nodiscard]] Result<> execute(std::string_view sql); // one or several statements without parameters
	[[nodiscard]] Result<Statement> prepare(std::string_view sql);

	// A transaction is a scope: what is not committed is rolled back.
	[[nodiscard]] Result<> begin(); // BEGIN IMMEDIATE
	[[nodiscard]] Result<> commit();
	void rollback();

	// Moves the WAL into the file and fsyncs it (unless the durability is none), as far as no reader
	// still needs the old pages: it waits for nobody.
	[[nodiscard]] Result<> checkpoint();
	// Pages that a checkpoint would move, as of the last commit; kept only with auto_checkpoint_pages 0.
	[[nodiscard]] int wal_pages() const;
	// From the next commit on. A commit with every_commit makes all earlier ones durable, too.
	[[nodiscard]] Result<> set_durability(Durability durability);
	// PRAGMA quick_check; fails with corrupt and SQLite's first finding.
	[[nodiscard]] Result<> check();
	// A consistent copy into a new file (mode 0600, durable), by the online backup API.
	[[nodiscard]] Result<> backup_to(const std::string &path);
	[[nodiscard]] Result<std::int64_t> pragma(std::string_view name);

	// Of the file and its WAL.
	[[nodiscard]] std::uint64_t file_bytes() const;

	[[nodiscard]] const std::string &path() const
	{
		return path_;
	}

private:
	struct Close {
		void operator()(sqlite3 *database) const;
	};
	std::unique_ptr<int> wal_pages_; // outlives the connection, which writes it
	std::unique_ptr<sqlite3, Close> database_;
	std::string path_;
	std::string vfs_;
};

} // namespace neuwerk::storage
