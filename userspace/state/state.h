// Front door of state/: the records of the control plane, versioned, replicated through consensus/.
//
//   write ──► Command ──► ConsensusEngine ──► apply: one transaction in state.db ──► watchers, then the
//   writer
//
// apply uses no clock and no randomness: time, author and request id travel in the command.
#pragma once

#include "base/result.h"
#include "consensus/consensus.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::state {

using consensus::Index;

// Keys are paths, "auth/service-accounts/item/<id>"; values are bytes, JSON by convention.
inline constexpr std::size_t key_limit_bytes = 512;
inline constexpr std::size_t value_limit_bytes = std::size_t{64} << 20; // before compression
inline constexpr std::size_t request_id_limit_bytes = 128;
inline constexpr std::size_t operations_limit = 4096; // in one write
// How long a request id is remembered: this much leader time, at most so many of them.
inline constexpr std::int64_t request_memory_ms = 600'000;
inline constexpr std::size_t request_memory_count = 65536;

struct Record {
	std::string key;
	std::string value;
	std::uint64_t revision;  // of this key: 1 when created, then counts up; a deleted key starts anew
	Index changed_index;     // of the entry that wrote it
	std::int64_t changed_ms; // Unix time of the leader that ordered it; never goes back
};

// One condition or change of a transaction.
struct Operation {
	enum class Kind { put, erase, require_revision, collect };
	Kind kind;
	std::string key;
	std::string value;          // put
	std::uint64_t revision = 0; // require_revision: 0 means "does not exist"
	std::int64_t cutoff_ms = 0; // collect
};
[[nodiscard]] Operation put(std::string key, std::string value);
[[nodiscard]] Operation erase(std::string key); // absent: fine
[[nodiscard]] Operation require(std::string key, std::uint64_t revision);
// Erases every key that starts with `prefix` and was last changed before `cutoff_ms` (Unix time).
[[nodiscard]] Operation collect(std::string prefix, std::int64_t cutoff_ms);

struct Write {
	std::vector<Operation> operations; // all or nothing, in order; requirements are checked first
	std::string actor;                 // who: the subject of the token, "local:root", "neuwerkd"
	// Same id, same outcome within request_memory_ms: a retry does not apply twice. Empty: never retried.
	std::string request_id;
};

struct Change {
	std::string key;
	std::optional<std::string> value; // nullopt: deleted
	Index index;
};

// Called in commit order after the transaction is visible to readers, on the engine's thread: hand over, do
// not block.
using Watcher = std::function<void(const std::vector<Change> &)>;

struct Options {
	std::string directory; // holds raft.db and state.db
	std::string vfs;
	consensus::Limits limits;
	std::function<std::int64_t()> now_ms;         // Unix time; empty: the system's
	std::function<void(const Error &)> fail_stop; // empty: log and _exit(exit_failed)
	// consensus::Options
	std::function<std::optional<std::uint64_t>(const std::string &directory)> free_bytes;
	bool synced = true; // false: acknowledged writes may be lost; for tests only
};

// Safe from every thread.
class Store {
public:
	// Fails with unavailable while another process (or Store) uses the directory, and with corrupt,
	// naming the file, rather than starting empty. A directory without both files is
	// a new store; one of two files missing is corrupt. A copy that backup_to() made is restored by
	// putting it alone into an empty directory as state.db.
	[[nodiscard]] static Result<std::unique_ptr<Store>> open(const Options &options);
	~Store(); // stops the engine

	// After this returns, the write survives power loss and get() shows it. conflict: a requirement did
	// not hold; `what` names the key. invalid_argument: a key, a value or the whole is too large.
	// resource_exhausted: the disk is nearly full or too many writes wait. Not from a watcher or a
	// `done`: it would wait for itself.
	[[nodiscard]] Result<Index> write(Write write);
	// The same without waiting; `done` runs on the engine's thread (at once, where the write is refused
	// without it) and must not block.
	void write(Write write, consensus::Done done);

	[[nodiscard]] Result<std::optional<Record>> get(std::string_view key) const;
	// By key, ascending.
	[[nodiscard]] Result<std::vector<Record>> list(std::string_view prefix) const;

	// Every change of a key that starts with `prefix`, from now on. The registration ends with the
	// handle.
	class Watch;
	[[nodiscard]] std::shared_ptr<Watch> watch(std::string prefix, Watcher watcher);

	[[nodiscard]] Index applied_index() const;
	[[nodiscard]] consensus::Status status() const;
	// Bytes of raft.db and state.db with their WALs, and rows: for metrics and the sysdump.
	struct Size {
		std::uint64_t log_bytes, state_bytes, record_count;
	};
	[[nodiscard]] Size size() const;
	// A hash over all records and the remembered requests: equal on all nodes at the same applied index.
	[[nodiscard]] std::uint64_t digest() const;
	// A consistent copy of state.db in a new file, for backups.
	[[nodiscard]] Result<> backup_to(const std::string &path);

private:
	struct State;
	explicit Store(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

} // namespace neuwerk::state
