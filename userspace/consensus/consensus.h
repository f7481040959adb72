// Front door of consensus/: commands go in from any thread, come out committed and in order on every node.
//
//   propose ──► one turn: append to raft.db, one fsync ──► committed ──► StateMachine::apply ──►
//   done(outcome)
//
// Terms are those of the Raft paper. A standalone node is a cluster of one voter behind the same door.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::consensus {

using Index = std::uint64_t; // of a log entry, from 1
using Term = std::uint64_t;

struct Entry {
	Index index;
	Term term;
	std::string_view command; // empty: a leader's no-op
};

// What is replicated. Called on the engine's thread only, except durable_index().
class StateMachine {
public:
	virtual ~StateMachine() = default;

	// The last entry that is applied; entries up to it are never handed over again.
	[[nodiscard]] virtual Index applied_index() const = 0;
	[[nodiscard]] virtual Term applied_term() const = 0;

	// Applies the entries in one transaction together with the applied index. One outcome per entry: the
	// index under which the command took effect (its own, or the one of which it is a retry), or the
	// command's own refusal (a conflict, say), the same on every node. A failed Result means that storage
	// failed: the engine stops the process.
	[[nodiscard]] virtual Result<std::vector<Result<Index>>> apply(std::span<const Entry> entries) = 0;

	// Makes everything that is applied survive power loss. The log is compacted only after this. Also
	// called before the first entry of a fresh log: from then on the machine is not fresh any more.
	[[nodiscard]] virtual Result<> make_durable() = 0;

	// Called after every turn, when its answers were given: the place for work that nobody should wait
	// for. idle: nobody waits right now.
	[[nodiscard]] virtual Result<> tidy_up(bool idle) = 0;
};

enum class Role { follower, candidate, leader, learner };

struct Status {
	Role role;
	Term term;
	Index last_index;
	Index commit_index;
	Index applied_index;
	std::uint64_t log_bytes;
	bool accepts_writes; // false: the free-space watermark, or no leader
	std::string detail;  // why not
};

// index: of the entry under which the command took effect. An error is the refusal of the state machine or of
// the engine: unavailable (stopping, no leader: the command may still commit), resource_exhausted (disk
// nearly full or the queue is; not proposed), invalid_argument (too large).
using Done = std::function<void(Result<Index>)>;

class ConsensusEngine {
public:
	virtual ~ConsensusEngine() = default;

	// `done` is called once, on the engine's thread, after this node has applied the command; a command
	// that is refused at once is answered on the caller's thread. It must not block.
	virtual void propose(std::string command, Done done) = 0;

	// Linearizable reads: waits until this node has applied everything that was acknowledged before the
	// call.
	[[nodiscard]] virtual Result<Index> read_barrier() = 0;

	[[nodiscard]] virtual Status status() const = 0;

	// Refuses new commands, finishes those that are queued, joins the thread.
	virtual void stop() = 0;
};

struct Limits {
	std::size_t queue_commands = 4096;
	std::size_t queue_bytes = std::size_t{64} << 20; // of commands that wait
	std::size_t turn_commands = 256;                 // commands in one fsync
	std::size_t turn_bytes = std::size_t{4} << 20;   // of commands in one fsync; one larger goes alone
	std::size_t command_bytes = std::size_t{8} << 20;
	Index trailing_entries = 1024; // kept in the log behind the applied index
	Index compact_entries = 4096;  // the log is compacted when it is this much longer
	std::uint64_t log_bytes_max = std::uint64_t{64}
				      << 20; // of commands: beyond, all but a few entries go
	int wal_pages_idle = 1000;           // a WAL this long is checkpointed when idle,
	int wal_pages_max = 4096;            // and this long also under load
	std::uint64_t free_bytes_min = std::uint64_t{256} << 20; // below: refuse client writes
};

struct Options {
	std::string log_path; // raft.db
	std::string vfs;      // storage::Options
	// The state machine was never driven by a log, or is a restored copy: raft.db may be missing, and
	// must hold no entry. Otherwise it must be there.
	bool fresh = false;
	bool synced = true; // false: acknowledged commands may be lost; for tests only
	Limits limits;
	// Called when the log or the state machine cannot be written; must not return, since nobody may carry
	// on with a half-written log: the next start decides. (Where a test returns, the engine refuses
	// everything from then on.)
	std::function<void(const Error &)> fail_stop;
	// Bytes that are free for `directory`; empty: statvfs. nullopt: unknown, which refuses nothing.
	std::function<std::optional<std::uint64_t>(const std::string &directory)> free_bytes;
};

// The engine of one voter; nobody else may use the files meanwhile. Opens or creates raft.db, checks that the
// log is contiguous and every CRC fits, and applies what is committed but not applied. Fails with corrupt,
// naming the file, when the log does not fit itself or the state machine (a log that begins behind the
// applied index + 1; a state machine that is ahead of a log that should hold it).
[[nodiscard]] Result<std::unique_ptr<ConsensusEngine>> open_single_voter(const Options &options,
									 StateMachine &machine);

} // namespace neuwerk::consensus
