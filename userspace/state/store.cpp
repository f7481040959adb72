// The records behind their door: engine, state.db, readers and watchers put together.
#include "base/error_codes.h"
#include "base/fd.h"
#include "base/files.h"
#include "base/log.h"
#include "base/text.h"
#include "state/command.h"
#include "state/readers.h"
#include "state/records.h"
#include "state/watchers.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <future>

namespace neuwerk::state {

namespace {

std::int64_t system_time_ms()
{
	const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
	return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

void end_process(const Error &error)
{
	log::error(text("stopping, because the store cannot be written: ", error.what));
	_exit(exit_failed);
}

// One process per store: a second one would rewrite what the first is writing.
Result<Fd> lock_directory(const std::string &directory)
{
	if (auto made = make_directories(directory); !made)
		return tl::unexpected(made.error());
	Fd locked(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (!locked)
		return tl::unexpected(system_error("open", directory, errno));
	if (flock(locked.get(), LOCK_EX | LOCK_NB) == 0)
		return locked;
	if (errno == EWOULDBLOCK)
		return fail(ErrorKind::unavailable,
			    text("store: ", directory, ": another process uses it: is neuwerkd running?"));
	return tl::unexpected(system_error("lock", directory, errno));
}

} // namespace

// Destroyed from the bottom: the engine stops before what it drives goes away.
struct Store::State {
	Fd locked; // the directory
	std::function<std::int64_t()> now_ms;
	Watchers watchers;
	std::unique_ptr<Records> records;
	std::unique_ptr<Readers> readers;
	std::unique_ptr<consensus::ConsensusEngine> engine;
};

Store::Store(std::unique_ptr<State> state) : state_(std::move(state)) {}

Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const Options &options)
{
	Fd locked;
	if (options.vfs.empty()) {
		auto taken = lock_directory(options.directory);
		if (!taken)
			return tl::unexpected(taken.error());
		locked = std::move(*taken);
	}
	const std::string log_path = options.directory + "/raft.db";
	const auto log_exists = storage::exists({.path = log_path, .vfs = options.vfs});
	if (!log_exists)
		return tl::unexpected(log_exists.error());
	auto state = std::make_unique<State>();
	state->locked = std::move(locked);
	state->now_ms = options.now_ms ? options.now_ms : system_time_ms;
	auto records =
		Records::open(options, *log_exists, [watchers = &state->watchers](const auto &changes) {
			watchers->tell(changes);
		});
	if (!records)
		return tl::unexpected(records.error());
	state->records = std::move(*records);
	state->readers = std::make_unique<Readers>(storage::Options{
		.path = options.directory + "/state.db", .vfs = options.vfs, .read_only = true});

	const consensus::Options engine_options{.log_path = log_path,
						.vfs = options.vfs,
						.fresh = state->records->fresh(),
						.synced = options.synced,
						.limits = options.limits,
						.fail_stop =
							options.fail_stop ? options.fail_stop : end_process,
						.free_bytes = options.free_bytes};
	auto engine = consensus::open_single_voter(engine_options, *state->records);
	if (!engine)
		return tl::unexpected(engine.error());
	state->engine = std::move(*engine);
	return std::unique_ptr<Store>(new Store(std::move(state)));
}

Result<Index> Store::write(Write write)
{
	std::promise<Result<Index>> answer;
	auto answered = answer.get_future();
	this->write(std::move(write),
		    [&answer](Result<Index> outcome) { answer.set_value(std::move(outcome)); });
	return answered.get();
}

void Store::write(Write write, consensus::Done done)
{
	auto command = encode(write, state_->now_ms());
	if (!command)
		return done(tl::unexpected(command.error()));
	state_->engine->propose(std::move(*command), std::move(done));
}

Result<std::optional<Record>> Store::get(std::string_view key) const
{
	return state_->readers->get(key);
}

Result<std::vector<Record>> Store::list(std::string_view prefix) const
{
	return state_->readers->list(prefix);
}

std::shared_ptr<Store::Watch> Store::watch(std::string prefix, Watcher watcher)
{
	return state_->watchers.add(std::move(prefix), std::move(watcher));
}

Index Store::applied_index() const
{
	return state_->records->totals().applied_index;
}

consensus::Status Store::status() const
{
	return state_->engine->status();
}

Store::Size Store::size() const
{
	const Records::Totals &totals = state_->records->totals();
	return {.log_bytes = state_->engine->status().log_bytes,
		.state_bytes = totals.file_bytes,
		.record_count = totals.record_count};
}

std::uint64_t Store::digest() const
{
	return state_->records->totals().digest;
}

Result<> Store::backup_to(const std::string &path)
{
	SystemFiles files;
	const std::string partial = path + ".partial";
	if (const auto there = storage::exists({.path = path}); !there || *there)
		return fail(ErrorKind::conflict, text("back up: ", path, ": the file exists"));
	if (auto removed = files.remove(partial); !removed) // of an attempt that was interrupted
		return removed;
	auto done = state_->readers->backup_to(partial);
	if (done)
		done = Records::mark_as_copy(partial);
	if (done)
		done = files.rename(partial, path);
	if (done) {
		const std::size_t slash = path.rfind('/');
		return files.sync_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
	}
	(void)files.remove(partial); // the first error says more
	return done;
}

} // namespace neuwerk::state
