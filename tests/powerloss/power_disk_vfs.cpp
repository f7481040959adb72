// The methods of the VFS: see sqlite.org/c3ref/io_methods.html and .../vfs.html.
#include "powerloss/power_disk_vfs.h"

#include <algorithm>
#include <cstring>
#include <new>

namespace neuwerk::powerloss {

// The functions that SQLite calls; each takes the mutex of the disk. A friend of PowerDisk.
struct Vfs {
	using Handle = PowerDisk::Handle;
	using Inode = PowerDisk::Inode;
	using Outcome = PowerDisk::Outcome;

	static Handle &handle_of(sqlite3_file *file)
	{
		return *reinterpret_cast<Handle *>(file);
	}
	static PowerDisk &disk_of(sqlite3_vfs *vfs)
	{
		return *static_cast<PowerDisk *>(vfs->pAppData);
	}
	static bool is_dead(const Handle &handle)
	{
		return handle.disk->stopped_ || handle.boot != handle.disk->boot_;
	}
	// SQLITE_OK or the error of a call that would change something.
	static int may_change(const Handle &handle, int error)
	{
		if (handle.boot != handle.disk->boot_)
			return error;
		switch (handle.disk->before_change()) {
		case Outcome::fine:
			return SQLITE_OK;
		case Outcome::full:
			return SQLITE_FULL;
		case Outcome::fails:
			break;
		}
		return error;
	}

	static int close(sqlite3_file *file)
	{
		Handle &handle = handle_of(file);
		unlock(file, SQLITE_LOCK_NONE);
		handle.~Handle();
		return SQLITE_OK;
	}

	static int read(sqlite3_file *file, void *into, int bytes, sqlite3_int64 offset)
	{
		const Handle &handle = handle_of(file);
		const std::lock_guard lock(handle.disk->mutex_);
		if (is_dead(handle))
			return SQLITE_IOERR_READ;
		const std::string &content = handle.inode->content.seen();
		const auto from = std::min<std::size_t>(content.size(), static_cast<std::size_t>(offset));
		const std::size_t count =
			std::min<std::size_t>(content.size() - from, static_cast<std::size_t>(bytes));
		std::memcpy(into, content.data() + from, count);
		if (count == static_cast<std::size_t>(bytes))
			return SQLITE_OK;
		std::memset(static_cast<char *>(into) + count, 0, static_cast<std::size_t>(bytes) - count);
		return SQLITE_IOERR_SHORT_READ;
	}

	static int write(sqlite3_file *file, const void *from, int bytes, sqlite3_int64 offset)
	{
		Handle &handle = handle_of(file);
		PowerDisk &disk = *handle.disk;
		const std::lock_guard lock(disk.mutex_);
		const bool was_struck = disk.struck_;
		const int code = may_change(handle, SQLITE_IOERR_WRITE);
		auto count = static_cast<std::size_t>(bytes);
		if (code != SQLITE_OK) {
			if (was_struck || !disk.struck_)
				return code;
			count = disk.random_.below(count); // it was under way: its front may be there
		}
		handle.inode->content.write(static_cast<std::uint64_t>(offset),
					    {static_cast<const char *>(from), count});
		return code;
	}

	static int truncate(sqlite3_file *file, sqlite3_int64 bytes)
	{
		Handle &handle = handle_of(file);
		const std::lock_guard lock(handle.disk->mutex_);
		if (const int code = may_change(handle, SQLITE_IOERR_TRUNCATE); code != SQLITE_OK)
			return code;
		handle.inode->content.truncate(static_cast<std::uint64_t>(bytes));
		return SQLITE_OK;
	}

	static int sync(sqlite3_file *file, int)
	{
		Handle &handle = handle_of(file);
		const std::lock_guard lock(handle.disk->mutex_);
		if (const int code = may_change(handle, SQLITE_IOERR_FSYNC); code != SQLITE_OK) {
			if (!is_dead(handle))
				handle.inode->content.call_clean();
			return code == SQLITE_FULL ? SQLITE_IOERR_FSYNC : code;
		}
		handle.inode->content.sync();
		if (handle.syncs_directory && !handle.inode->name_is_synced) {
			handle.inode->name_is_synced = true;
			handle.disk->durable_ = handle.disk->seen_;
		}
		return SQLITE_OK;
	}

	static int file_size(sqlite3_file *file, sqlite3_int64 *bytes)
	{
		const Handle &handle = handle_of(file);
		const std::lock_guard lock(handle.disk->mutex_);
		if (is_dead(handle))
			return SQLITE_IOERR_FSTAT;
		*bytes = static_cast<sqlite3_int64>(handle.inode->content.seen().size());
		return SQLITE_OK;
	}

	static int lock(sqlite3_file *file, int level)
	{
		Handle &handle = handle_of(file);
		const std::lock_guard guard(handle.disk->mutex_);
		Inode &inode = *handle.inode;
		if (handle.lock >= level)
			return SQLITE_OK;
		const auto other = [&handle](const Handle *holder) { return holder && holder != &handle; };
		if (other(inode.exclusive) || (level > SQLITE_LOCK_SHARED && other(inode.reserved)))
			return SQLITE_BUSY;
		if (handle.lock == SQLITE_LOCK_NONE)
			inode.shared_count++;
		if (handle.lock < SQLITE_LOCK_SHARED)
			handle.lock = SQLITE_LOCK_SHARED;
		if (level == SQLITE_LOCK_RESERVED)
			inode.reserved = &handle;
		if (level == SQLITE_LOCK_EXCLUSIVE) {
			if (inode.shared_count > 1)
				return SQLITE_BUSY;
			inode.exclusive = &handle;
		}
		handle.lock = level;
		return SQLITE_OK;
	}

	static int unlock(sqlite3_file *file, int level)
	{
		Handle &handle = handle_of(file);
		const std::lock_guard guard(handle.disk->mutex_);
		Inode &inode = *handle.inode;
		if (handle.lock <= level || handle.boot != handle.disk->boot_)
			return SQLITE_OK;
		if (inode.exclusive == &handle)
			inode.exclusive = nullptr;
		if (inode.reserved == &handle)
			inode.reserved = nullptr;
		if (level == SQLITE_LOCK_NONE)
			inode.shared_count--;
		handle.lock = level;
		return SQLITE_OK;
	}

	static int check_reserved(sqlite3_file *file, int *reserved)
	{
		const Handle &handle = handle_of(file);
		const std::lock_guard guard(handle.disk->mutex_);
		*reserved = handle.inode->reserved != nullptr || handle.inode->exclusive != nullptr;
		return SQLITE_OK;
	}

	static int file_control(sqlite3_file *, int, void *)
	{
		return SQLITE_NOTFOUND;
	}

	static int sector_size(sqlite3_file *)
	{
		return 4096; // as on Unix
	}

	static int characteristics(sqlite3_file *)
	{
		// As on Unix: a write that is cut off leaves the bytes beside it alone.
		return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
	}

	static int index_map(sqlite3_file *file, int region, int bytes, int extend, void volatile **memory)
	{
		Handle &handle = handle_of(file);
		const std::lock_guard guard(handle.disk->mutex_);
		auto &index = handle.inode->index;
		*memory = nullptr;
		const auto number = static_cast<std::size_t>(region);
		if (bytes != 32768)
			return SQLITE_IOERR_SHMMAP;
		if (number >= index.size() && !extend)
			return SQLITE_OK;
		while (number >= index.size())
			index.push_back(std::make_unique<std::array<char, 32768>>());
		*memory = index[number]->data();
		return SQLITE_OK;
	}

	static int index_lock(sqlite3_file *file, int first, int count, int flags)
	{
		Handle &handle = handle_of(file);
		const std::lock_guard guard(handle.disk->mutex_);
		auto &locks = handle.inode->index_locks;
		const bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;
		for (int i = first; i < first + count; i++) {
			const Inode::IndexLock &lock = locks[static_cast<std::size_t>(i)];
			const int mine = handle.index_shared >> i & 1;
			if (flags & SQLITE_SHM_UNLOCK)
				continue;
			if ((lock.exclusive && lock.exclusive != &handle) ||
			    (exclusive && lock.shared_count > mine))
				return SQLITE_BUSY;
		}
		for (int i = first; i < first + count; i++)
			set_index_lock(handle, locks[static_cast<std::size_t>(i)], 1U << i, flags);
		return SQLITE_OK;
	}

	static void set_index_lock(Handle &handle, Inode::IndexLock &lock, std::uint32_t bit, int flags)
	{
		const bool exclusive = flags & SQLITE_SHM_EXCLUSIVE;
		std::uint32_t &held = exclusive ? handle.index_exclusive : handle.index_shared;
		const bool take = flags & SQLITE_SHM_LOCK;
		if (take == ((held & bit) != 0))
			return;
		held ^= bit;
		if (exclusive)
			lock.exclusive = take ? &handle : nullptr;
		else
			lock.shared_count += take ? 1 : -1;
	}

	static void index_barrier(sqlite3_file *file)
	{
		const std::lock_guard guard(handle_of(file).disk->mutex_);
	}

	static int index_unmap(sqlite3_file *file, int remove)
	{
		Handle &handle = handle_of(file);
		const std::lock_guard guard(handle.disk->mutex_);
		if (remove && handle.boot == handle.disk->boot_)
			handle.inode->index.clear();
		return SQLITE_OK;
	}

	static int open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *flags_out);
	static int remove(sqlite3_vfs *vfs, const char *path, int sync_directory);
	static int access(sqlite3_vfs *vfs, const char *path, int what, int *found);

	static int full_path(sqlite3_vfs *, const char *path, int bytes, char *full)
	{
		sqlite3_snprintf(bytes, full, "%s", path);
		return SQLITE_OK;
	}
	static int randomness(sqlite3_vfs *vfs, int bytes, char *into)
	{
		PowerDisk &disk = disk_of(vfs);
		const std::lock_guard lock(disk.mutex_);
		for (int i = 0; i < bytes; i++)
			into[i] = static_cast<char>(disk.random_.bits());
		return bytes;
	}
	static int sleep(sqlite3_vfs *, int microseconds)
	{
		return microseconds;
	}
	static int current_time(sqlite3_vfs *, sqlite3_int64 *julian_ms)
	{
		*julian_ms = 0;
		return SQLITE_OK;
	}
	static int last_error(sqlite3_vfs *, int, char *)
	{
		return 0;
	}
};

namespace {

constexpr sqlite3_io_methods methods = {
	.iVersion = 2,
	.xClose = Vfs::close,
	.xRead = Vfs::read,
	.xWrite = Vfs::write,
	.xTruncate = Vfs::truncate,
	.xSync = Vfs::sync,
	.xFileSize = Vfs::file_size,
	.xLock = Vfs::lock,
	.xUnlock = Vfs::unlock,
	.xCheckReservedLock = Vfs::check_reserved,
	.xFileControl = Vfs::file_control,
	.xSectorSize = Vfs::sector_size,
	.xDeviceCharacteristics = Vfs::characteristics,
	.xShmMap = Vfs::index_map,
	.xShmLock = Vfs::index_lock,
	.xShmBarrier = Vfs::index_barrier,
	.xShmUnmap = Vfs::index_unmap,
};

} // namespace

int Vfs::open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *flags_out)
{
	PowerDisk &disk = disk_of(vfs);
	const std::lock_guard lock(disk.mutex_);
	file->pMethods = nullptr;
	if (disk.stopped_)
		return SQLITE_CANTOPEN;
	std::shared_ptr<Inode> inode;
	if (const auto found = path ? disk.seen_.find(path) : disk.seen_.end(); found != disk.seen_.end())
		inode = found->second;
	if (!inode) {
		if (!(flags & SQLITE_OPEN_CREATE))
			return SQLITE_CANTOPEN;
		if (const auto outcome = disk.before_change(); outcome != Outcome::fine)
			return outcome == Outcome::full ? SQLITE_FULL : SQLITE_CANTOPEN;
		inode = std::make_shared<Inode>();
		if (path) // else a temporary file
			disk.seen_[path] = inode;
	}
	auto *handle = new (file) PowerDisk::Handle{};
	handle->base.pMethods = &methods;
	handle->disk = &disk;
	handle->inode = inode;
	handle->boot = disk.boot_;
	handle->syncs_directory =
		flags & (SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_SUPER_JOURNAL);
	if (flags_out)
		*flags_out = flags;
	return SQLITE_OK;
}

int Vfs::remove(sqlite3_vfs *vfs, const char *path, int sync_directory)
{
	PowerDisk &disk = disk_of(vfs);
	const std::lock_guard lock(disk.mutex_);
	if (!disk.seen_.contains(path))
		return SQLITE_IOERR_DELETE_NOENT;
	if (disk.before_change() != Outcome::fine)
		return SQLITE_IOERR_DELETE;
	disk.seen_.erase(path);
	if (sync_directory)
		disk.durable_ = disk.seen_;
	return SQLITE_OK;
}

int Vfs::access(sqlite3_vfs *vfs, const char *path, int what, int *found)
{
	PowerDisk &disk = disk_of(vfs);
	const std::lock_guard lock(disk.mutex_);
	if (disk.stopped_)
		return SQLITE_IOERR_ACCESS;
	const auto inode = disk.seen_.find(path);
	*found = inode != disk.seen_.end();
	if (what == SQLITE_ACCESS_EXISTS && *found) // as on Unix: an empty file does not count
		*found = !inode->second->content.seen().empty();
	return SQLITE_OK;
}

PowerDisk::Registration::Registration(PowerDisk &disk)
{
	vfs.iVersion = 2;
	vfs.szOsFile = sizeof(PowerDisk::Handle);
	vfs.mxPathname = 512;
	vfs.zName = disk.name_.c_str();
	vfs.pAppData = &disk;
	vfs.xOpen = Vfs::open;
	vfs.xDelete = Vfs::remove;
	vfs.xAccess = Vfs::access;
	vfs.xFullPathname = Vfs::full_path;
	vfs.xRandomness = Vfs::randomness;
	vfs.xSleep = Vfs::sleep;
	vfs.xGetLastError = Vfs::last_error;
	vfs.xCurrentTimeInt64 = Vfs::current_time;
	sqlite3_vfs_register(&vfs, 0);
}

PowerDisk::Registration::~Registration()
{
	sqlite3_vfs_unregister(&vfs);
}

} // namespace neuwerk::powerloss
