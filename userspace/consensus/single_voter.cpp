// The engine of one voter: a turn is append, one fsync, apply, answer.
#include "consensus/single_voter.h"

#include "base/text.h"

#include <sys/statvfs.h>

#include <algorithm>

namespace neuwerk::consensus {

namespace {

// With a log of huge commands, so many stay behind the applied index.
constexpr Index trailing_entries_min = 8;

std::optional<std::uint64_t> free_bytes_of(const std::string &directory)
{
	struct statvfs status {};
	if (statvfs(directory.c_str(), &status) != 0)
		return std::nullopt;
	return std::uint64_t{status.f_bavail} * status.f_frsize;
}

std::string directory_of(const std::string &path)
{
	const std::size_t slash = path.rfind('/');
	return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

Error stopping_error()
{
	return {ErrorKind::unavailable, "write: the store is stopping; try again after the restart"};
}

Error failed_error()
{
	return {ErrorKind::unavailable,
		"write: the store has failed and is not written any more; the command may have been stored"};
}

} // namespace

SingleVoter::SingleVoter(Options options, StateMachine &machine, LogFile log)
    : options_(std::move(options)), directory_(directory_of(options_.log_path)), machine_(machine),
      log_(std::move(log))
{
}

SingleVoter::~SingleVoter()
{
	stop();
}

Result<> SingleVoter::start()
{
	// Not only when the log was created just now: that start may have ended right after.
	if (options_.fresh)
		if (auto durable = machine_.make_durable(); !durable)
			return durable;
	if (auto caught_up = catch_up(); !caught_up)
		return caught_up;
	Turn nothing;
	// On a full disk the records can still be read; the term begins with the first write.
	if (has_room())
		if (auto begun = perform(nothing); !begun)
			return begun;
	publish();
	thread_ = std::thread([this] { run(); });
	return {};
}

Result<> SingleVoter::catch_up()
{
	while (machine_.applied_index() < log_.last_index()) {
		const auto stored = log_.read(machine_.applied_index() + 1, options_.limits.turn_commands,
					      options_.limits.turn_bytes);
		if (!stored)
			return tl::unexpected(stored.error());
		std::vector<Entry> entries;
		for (const LogFile::Stored &entry : *stored)
			entries.push_back({entry.index, entry.term, entry.command});
		const auto outcomes = machine_.apply(entries);
		if (!outcomes)
			return tl::unexpected(outcomes.error());
	}
	return {};
}

Result<> SingleVoter::admit(const std::string &command) const
{
	if (failed_)
		return tl::unexpected(failed_error());
	if (stopping_)
		return tl::unexpected(stopping_error());
	if (command.size() > options_.limits.command_bytes)
		return fail(ErrorKind::invalid_argument, text("write: the record is too large: ",
							      command.size(), " bytes after compression, ",
							      options_.limits.command_bytes, " are allowed"));
	if (queue_.size() >= options_.limits.queue_commands ||
	    queue_bytes_ + command.size() > std::max(options_.limits.queue_bytes, command.size()))
		return fail(ErrorKind::resource_exhausted, text("write: too many writes are waiting (",
								queue_.size(), "): try again later"));
	return {};
}

void SingleVoter::propose(std::string command, Done done)
{
	Result<> admitted;
	{
		const std::lock_guard lock(mutex_);
		admitted = admit(command);
		if (admitted) {
			queue_bytes_ += command.size();
			queue_.push_back({std::move(command), std::move(done)});
		}
	}
	if (admitted)
		arrived_.notify_one();
	else
		done(tl::unexpected(admitted.error()));
}

Result<Index> SingleVoter::read_barrier()
{
	const std::lock_guard lock(mutex_);
	if (failed_)
		return tl::unexpected(failed_error());
	return status_.applied_index; // an answer is given only after its command was applied
}

Status SingleVoter::status() const
{
	const auto room = has_room();
	const std::lock_guard lock(mutex_);
	Status status = status_;
	status.accepts_writes = room && !failed_ && !stopping_;
	if (!room)
		status.detail = room.error().what;
	if (stopping_)
		status.detail = stopping_error().what;
	if (failed_)
		status.detail = failed_error().what;
	return status;
}

void SingleVoter::stop()
{
	{
		const std::lock_guard lock(mutex_);
		stopping_ = true;
	}
	arrived_.notify_one();
	if (thread_.joinable())
		thread_.join();
}

void SingleVoter::run()
{
	for (;;) {
		Turn turn = next_turn();
		if (turn.empty())
			return;
		bool idle = false;
		auto done = perform(turn);
		if (done) {
			{
				const std::lock_guard lock(mutex_);
				idle = queue_.empty();
			}
			done = tidy_up(idle);
		}
		if (!done)
			return give_up(done.error(), turn);
	}
}

SingleVoter::Turn SingleVoter::next_turn()
{
	std::unique_lock lock(mutex_);
	arrived_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
	Turn turn;
	take(turn);
	return turn;
}

void SingleVoter::take(Turn &turn)
{
	std::size_t bytes = 0;
	while (!queue_.empty() && turn.size() < options_.limits.turn_commands) {
		bytes += queue_.front().command.size();
		if (!turn.empty() && bytes > options_.limits.turn_bytes)
			return;
		queue_bytes_ -= queue_.front().command.size();
		turn.push_back(std::move(queue_.front()));
		queue_.pop_front();
	}
}

// On success every proposal of the turn was answered; on failure `turn` holds those that were not.
Result<> SingleVoter::perform(Turn &turn)
{
	if (auto room = has_room(); !room) {
		for (Proposal &proposal : turn)
			proposal.done(tl::unexpected(room.error()));
		turn.clear();
		return {};
	}
	std::vector<std::string_view> commands;
	const bool begins = !term_began_;
	if (begins)
		commands.emplace_back(); // the no-op
	for (const Proposal &proposal : turn)
		commands.emplace_back(proposal.command);

	const Term term = log_.term() + (begins ? 1 : 0);
	std::vector<Entry> entries;
	for (const std::string_view command : commands)
		entries.push_back({log_.last_index() + 1 + entries.size(), term, command});
	if (auto appended = log_.append(term, commands); !appended)
		return appended;
	term_began_ = true;
	return apply(entries, turn);
}

Result<> SingleVoter::apply(std::span<const Entry> entries, Turn &turn)
{
	auto outcomes = machine_.apply(entries);
	if (!outcomes)
		return tl::unexpected(outcomes.error());
	publish();
	const std::size_t first = entries.size() - turn.size(); // behind the no-op
	for (std::size_t i = 0; i < turn.size(); i++)
		turn[i].done(std::move((*outcomes)[first + i]));
	turn.clear();
	return {};
}

Result<> SingleVoter::tidy_up(bool idle)
{
	if (auto compacted = compact(); !compacted)
		return compacted;
	if (log_.wal_pages() >= (idle ? options_.limits.wal_pages_idle : options_.limits.wal_pages_max))
		if (auto moved = log_.checkpoint(); !moved)
			return moved;
	return machine_.tidy_up(idle);
}

Result<> SingleVoter::compact()
{
	const Limits &limits = options_.limits;
	const Index applied = machine_.applied_index();
	const bool heavy = log_.command_bytes() > limits.log_bytes_max;
	const Index trailing = heavy ? trailing_entries_min : limits.trailing_entries;
	const Index enough = heavy ? trailing_entries_min : limits.compact_entries;
	if (applied < log_.first_index() + trailing + enough)
		return {};
	if (auto durable = machine_.make_durable(); !durable)
		return durable;
	return log_.compact(applied + 1 - trailing);
}

Result<> SingleVoter::has_room() const
{
	const auto free = options_.free_bytes ? options_.free_bytes(directory_) : free_bytes_of(directory_);
	if (!free || *free >= options_.limits.free_bytes_min)
		return {};
	return fail(ErrorKind::resource_exhausted,
		    text("write: ", directory_, ": ", *free >> 20, " MiB are free, less than ",
			 options_.limits.free_bytes_min >> 20, " MiB: make room on this disk"));
}

void SingleVoter::publish()
{
	const std::lock_guard lock(mutex_);
	status_.role = Role::leader;
	status_.term = log_.term();
	status_.last_index = log_.last_index();
	status_.commit_index = log_.last_index();
	status_.applied_index = machine_.applied_index();
	status_.log_bytes = log_.file_bytes();
}

void SingleVoter::give_up(const Error &error, Turn &turn)
{
	options_.fail_stop(error);
	{
		const std::lock_guard lock(mutex_);
		failed_ = true;
		for (Proposal &proposal : queue_)
			turn.push_back(std::move(proposal));
		queue_.clear();
	}
	for (Proposal &proposal : turn)
		proposal.done(tl::unexpected(failed_error()));
}

Result<std::unique_ptr<ConsensusEngine>> open_single_voter(const Options &options, StateMachine &machine)
{
	auto log = LogFile::open(options, {machine.applied_index(), machine.applied_term()});
	if (!log)
		return tl::unexpected(log.error());
	auto engine = std::make_unique<SingleVoter>(options, machine, std::move(*log));
	if (auto started = engine->start(); !started)
		return tl::unexpected(started.error());
	return engine;
}

} // namespace neuwerk::consensus
