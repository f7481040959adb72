// How SQLite sees a PowerDisk: files, locks and the shared memory of a WAL.
#pragma once

#include "powerloss/file_content.h"
#include "powerloss/power_disk.h"

#include <sqlite3.h>

#include <array>

namespace neuwerk::powerloss {

struct PowerDisk::Inode {
	FileContent content;
	bool name_is_synced = false; // a journal or WAL: its first fsync syncs the directory

	// Of the running process: locks of the file (SQLITE_LOCK_…), the WAL index and its locks.
	int shared_count = 0;
	const Handle *reserved = nullptr;  // by whom
	const Handle *exclusive = nullptr; // or pending
	std::vector<std::unique_ptr<std::array<char, 32768>>> index;
	struct IndexLock {
		int shared_count = 0;
		const Handle *exclusive = nullptr;
	};
	std::array<IndexLock, SQLITE_SHM_NLOCK> index_locks;

	void forget_process()
	{
		shared_count = 0;
		reserved = exclusive = nullptr;
		index.clear();
		index_locks = {};
	}
};

// Lies in memory that SQLite allocates: constructed and destroyed by hand.
struct PowerDisk::Handle {
	sqlite3_file base; // first: SQLite casts
	PowerDisk *disk;
	std::shared_ptr<Inode> inode;
	std::uint64_t boot;
	bool syncs_directory;
	int lock = SQLITE_LOCK_NONE;
	std::uint32_t index_shared = 0, index_exclusive = 0; // bits of held index locks
};

struct PowerDisk::Registration {
	explicit Registration(PowerDisk &disk);
	~Registration();
	sqlite3_vfs vfs{};
};

} // namespace neuwerk::powerloss
