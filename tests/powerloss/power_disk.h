// A disk in memory that loses power: an SQLite VFS that forgets what was not fsynced, as a real disk may.
//
// What survives a power loss, decided by the seed: of the writes since the last fsync of a file none, the
// first ones or any of them; each whole or some of its sectors; a file may have its new length without the
// bytes. A name that was made or removed since the last fsync of the directory is there or not. Like SQLite's
// own VFS on Unix, the first fsync of a new journal or WAL covers the directory, that of a database does not.
#pragma once

#include "properties/random.h"

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace neuwerk::powerloss {

enum class Fault {
	power_loss,
	io_error, // EIO once; of an fsync: the pages are called clean and never written, as on Linux
	disk_full,
};

class PowerDisk {
public:
	explicit PowerDisk(std::uint64_t seed);
	~PowerDisk(); // every connection must be closed
	PowerDisk(const PowerDisk &) = delete;
	PowerDisk &operator=(const PowerDisk &) = delete;

	// For storage::Options::vfs.
	[[nodiscard]] const std::string &vfs() const
	{
		return name_;
	}

	// Strikes at the `calls`-th changing call (write, truncate, fsync, create, delete) from now.
	void strike_after(std::uint64_t calls, Fault fault);
	[[nodiscard]] bool has_struck() const;
	// The process is gone: from now on every call fails and changes nothing.
	void stop();
	// The machine is up again, on what survived; every connection must be closed.
	void restart_after_power_loss();
	// The same machine goes on with its page cache: kill -9.
	void restart_after_kill();

	[[nodiscard]] std::vector<std::string> files() const; // their paths
	// All files as they are; and put in place of what is there, durable. Damage is done in between.
	using Image = std::map<std::string, std::string>;
	[[nodiscard]] Image image() const;
	void restore(const Image &image);

	struct Inode;
	struct Handle;

private:
	friend struct Vfs;
	struct Registration; // with SQLite
	enum class Outcome { fine, fails, full };
	[[nodiscard]] Outcome before_change();
	void restart();

	std::string name_;
	mutable std::mutex mutex_; // over what follows
	properties::Random random_;
	std::map<std::string, std::shared_ptr<Inode>> seen_, durable_; // names
	std::optional<std::uint64_t> strikes_in_;
	Fault fault_ = Fault::power_loss;
	bool struck_ = false;
	bool stopped_ = false;
	std::uint64_t boot_ = 0; // a handle of an earlier one is dead
	std::unique_ptr<Registration> registration_;
};

} // namespace neuwerk::powerloss
