// The engine of one voter through its door: order, batches, limits, restarts and what it refuses.
#include "consensus/consensus.h"
#include "storage/storage.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <filesystem>
#include <future>
#include <latch>
#include <thread>

using namespace neuwerk;
using namespace neuwerk::consensus;

namespace {

// Remembers what was applied; "refuse" is refused.
class Memory final : public StateMachine {
public:
	std::vector<std::string> commands;
	std::vector<std::size_t> batches;
	int made_durable = 0;
	Index index = 0;
	Term term = 0;
	bool broken = false;

	Index applied_index() const override
	{
		return index;
	}
	Term applied_term() const override
	{
		return term;
	}
	Result<std::vector<Result<Index>>> apply(std::span<const Entry> entries) override
	{
		if (broken)
			return fail(ErrorKind::internal, "apply: state.db: disk I/O error");
		std::vector<Result<Index>> outcomes;
		batches.push_back(entries.size());
		for (const Entry &entry : entries) {
			CHECK(entry.index == index + 1);
			index = entry.index;
			term = entry.term;
			if (!entry.command.empty())
				commands.emplace_back(entry.command);
			if (entry.command == "refuse")
				outcomes.push_back(fail(ErrorKind::conflict, "refused"));
			else
				outcomes.push_back(entry.index);
		}
		return outcomes;
	}
	Result<> make_durable() override
	{
		made_durable++;
		return {};
	}
	Result<> tidy_up(bool) override
	{
		return {};
	}
};

class Bench {
public:
	Bench()
	{
		std::string pattern = std::filesystem::temp_directory_path() / "nw-consensus-XXXXXX";
		REQUIRE(mkdtemp(pattern.data()));
		directory = pattern;
		options.log_path = directory + "/raft.db";
		options.fresh = true;
		options.synced = false; // these tests lose no power
		options.fail_stop = [this](const Error &error) { stopped_by = error.what; };
		options.free_bytes = [this](const std::string &) { return free_bytes; };
	}
	~Bench()
	{
		engine.reset();
		std::filesystem::remove_all(directory);
	}
	Bench(const Bench &) = delete;
	Bench &operator=(const Bench &) = delete;

	Result<> start()
	{
		engine.reset();
		auto opened = open_single_voter(options, memory);
		if (!opened)
			return tl::unexpected(opened.error());
		engine = std::move(*opened);
		options.fresh = false;
		return {};
	}
	Result<Index> propose(std::string command)
	{
		std::promise<Result<Index>> promise;
		auto answer = promise.get_future();
		engine->propose(std::move(command),
				[&promise](Result<Index> outcome) { promise.set_value(std::move(outcome)); });
		return answer.get();
	}
	void change_log(std::string_view sql) const
	{
		auto database = storage::Database::open({.path = options.log_path});
		REQUIRE(database);
		REQUIRE(database->execute(sql));
	}
	// The error of a start that must fail with corrupt and name the file.
	std::string refusal()
	{
		const auto started = start();
		REQUIRE_FALSE(started);
		CHECK(started.error().kind == ErrorKind::corrupt);
		CHECK(started.error().what.find(options.log_path) != std::string::npos);
		return started.error().what;
	}

	std::string directory;
	Options options;
	std::optional<std::uint64_t> free_bytes;
	std::string stopped_by;
	Memory memory;
	std::unique_ptr<ConsensusEngine> engine;
};

} // namespace

TEST_CASE("commands are applied in order, and each start is a term of its own")
{
	Bench bench;
	REQUIRE(bench.start());
	CHECK(bench.memory.made_durable == 1); // before the first entry
	CHECK(*bench.propose("one") == 2);     // behind the no-op
	CHECK(*bench.propose("two") == 3);
	CHECK(bench.propose("refuse").error().kind == ErrorKind::conflict);
	CHECK(bench.engine->status().term == 1);
	CHECK(bench.engine->status().commit_index == 4);
	CHECK(*bench.engine->read_barrier() == 4);

	REQUIRE(bench.start());
	CHECK(bench.engine->status().term == 2);
	CHECK(*bench.propose("three") == 6);
	CHECK(bench.memory.commands == std::vector<std::string>{"one", "two", "refuse", "three"});
}

TEST_CASE("a state machine that is behind gets exactly the entries that it lacks, in bounded batches")
{
	Bench bench;
	bench.options.limits.turn_commands = 4;
	REQUIRE(bench.start());
	for (int i = 0; i < 10; i++)
		REQUIRE(bench.propose("command " + std::to_string(i)));
	bench.engine->stop(); // before its memory goes
	bench.memory = Memory();
	bench.memory.index = 3; // the no-op and two commands
	bench.memory.term = 1;
	REQUIRE(bench.start());
	CHECK(bench.memory.commands.size() == 8);
	CHECK(bench.memory.commands.front() == "command 2");
	CHECK(bench.memory.batches == std::vector<std::size_t>{4, 4, 1}); // the last: the new no-op
}

TEST_CASE("what waits is taken together, up to the limits of a turn")
{
	Bench bench;
	bench.options.limits.turn_commands = 4;
	bench.options.limits.turn_bytes = 100;
	REQUIRE(bench.start());
	bench.memory.batches.clear();
	std::latch queued(1);
	std::atomic<int> answers = 0;
	bench.engine->propose("first", [&](const auto &) { queued.wait(); });
	for (const std::size_t bytes : {10, 10, 10, 10, 10, 95, 500, 10})
		bench.engine->propose(std::string(bytes, 'c'), [&](const auto &) { answers++; });
	queued.count_down();
	bench.engine->stop(); // finishes what is queued
	CHECK(answers == 8);
	// The first may have been joined by those that were quick enough.
	CHECK(bench.memory.batches.size() >= 5);
	for (const std::size_t batch : bench.memory.batches)
		CHECK(batch <= 4);
	CHECK(bench.memory.commands.size() == 9);
	CHECK(bench.propose("late").error().kind == ErrorKind::unavailable);
}

TEST_CASE("a full queue and a command that is too large are refused at once")
{
	Bench bench;
	bench.options.limits.queue_commands = 3;
	bench.options.limits.command_bytes = 100;
	REQUIRE(bench.start());
	CHECK(bench.propose(std::string(101, 'c')).error().kind == ErrorKind::invalid_argument);
	std::latch under_way(1), released(1);
	bench.engine->propose("first", [&](const auto &) {
		under_way.count_down();
		released.wait();
	});
	under_way.wait();
	for (int i = 0; i < 3; i++)
		bench.engine->propose("waits", [](const auto &) {});
	const auto refused = bench.propose("one too many");
	CHECK(refused.error().kind == ErrorKind::resource_exhausted);
	released.count_down();
	bench.engine->stop();
	CHECK(bench.memory.commands.size() == 4);
}

TEST_CASE("the log is compacted behind the applied index, after the state machine was made durable")
{
	Bench bench;
	bench.options.limits.trailing_entries = 10;
	bench.options.limits.compact_entries = 20;
	REQUIRE(bench.start());
	for (int i = 0; i < 200; i++)
		REQUIRE(bench.propose("command"));
	CHECK(bench.memory.made_durable > 5);
	bench.engine.reset();
	{
		auto log = storage::Database::open({.path = bench.options.log_path});
		auto rows = log->prepare("SELECT count(*), max(idx) FROM log");
		REQUIRE(*rows->step());
		CHECK(rows->integer(0) < 35);
		CHECK(rows->integer(1) == 201);
	}
	REQUIRE(bench.start());
	bench.engine->stop();
	bench.memory = Memory(); // a state.db that is too old for what is left of the log
	CHECK(bench.refusal().find("but state.db needs 1") != std::string::npos);
}

TEST_CASE("a log of large commands is compacted by its bytes")
{
	Bench bench;
	bench.options.limits.log_bytes_max = 100'000;
	REQUIRE(bench.start());
	for (int i = 0; i < 100; i++)
		REQUIRE(bench.propose(std::string(10'000, 'c')));
	bench.engine.reset();
	auto log = storage::Database::open({.path = bench.options.log_path});
	auto rows = log->prepare("SELECT sum(length(data)) FROM log");
	REQUIRE(*rows->step());
	CHECK(rows->integer(0) < 300'000);
}

TEST_CASE("a log that does not fit itself or the state machine is refused, and the error says where")
{
	const struct {
		const char *what, *sql, *error;
	} damages[] = {
		{"a row is gone", "DELETE FROM log WHERE idx = 3", "entry 3 is missing"},
		{"the last row is gone", "DELETE FROM log WHERE idx = 5",
		 "it ends with entry 4 and not with 5"},
		{"the first row is gone", "DELETE FROM log WHERE idx = 1", "it begins with entry 2"},
		{"a command was changed", "UPDATE log SET data = 'other' WHERE idx = 4",
		 "the checksum of entry 4"},
		{"the term was changed", "UPDATE meta SET term = 7", "the checksum of term and vote"},
		{"there is no term", "DELETE FROM meta", "term and vote is missing"},
		{"a table is gone", "DROP TABLE log", "no such table"},
	};
	for (const auto &damage : damages) {
		CAPTURE(damage.what);
		Bench bench;
		REQUIRE(bench.start());
		for (int i = 0; i < 4; i++)
			REQUIRE(bench.propose("command"));
		bench.engine.reset();
		bench.change_log(damage.sql);
		CHECK(bench.refusal().find(damage.error) != std::string::npos);
	}
	Bench bench;
	REQUIRE(bench.start());
	bench.engine.reset();
	bench.memory.index = 9;
	CHECK(bench.refusal().find("but state.db has applied 9") != std::string::npos);
	bench.memory.index = 1;
	bench.memory.term = 3;
	CHECK(bench.refusal().find("applied one of term 3") != std::string::npos);
	bench.memory.term = 1;
	bench.options.fresh = true;
	CHECK(bench.refusal().find("move raft.db away") != std::string::npos);
	bench.options.fresh = false;
	std::filesystem::remove(bench.options.log_path);
	CHECK(bench.refusal().find("the file is missing") != std::string::npos);
}

TEST_CASE("a log of a newer format is left alone")
{
	Bench bench;
	REQUIRE(bench.start());
	bench.engine.reset();
	bench.change_log("PRAGMA user_version = 2");
	const auto started = bench.start();
	REQUIRE_FALSE(started);
	CHECK(started.error().what.find("newer neuwerkd") != std::string::npos);
}

TEST_CASE("a state machine that cannot be written stops the process, and nobody gets a success")
{
	Bench bench;
	REQUIRE(bench.start());
	bench.memory.broken = true;
	CHECK(bench.propose("command").error().kind == ErrorKind::unavailable);
	CHECK(bench.stopped_by == "apply: state.db: disk I/O error");
	CHECK(bench.propose("command").error().kind == ErrorKind::unavailable);
	CHECK_FALSE(bench.engine->status().accepts_writes);
	CHECK_FALSE(bench.engine->read_barrier());
}

TEST_CASE("a nearly full disk is said and nothing is proposed; a new log still knows its term")
{
	Bench bench;
	bench.free_bytes = 1;
	REQUIRE(bench.start());
	CHECK(bench.propose("command").error().kind == ErrorKind::resource_exhausted);
	CHECK(bench.engine->status().last_index == 0);
	bench.free_bytes.reset();
	CHECK(*bench.propose("command") == 2);
	CHECK(bench.engine->status().term == 1);
}

TEST_CASE("a restored state machine gets a log that begins behind it")
{
	Bench bench;
	bench.memory.index = 41;
	bench.memory.term = 5;
	REQUIRE(bench.start());
	CHECK(*bench.propose("command") == 43);
	CHECK(bench.engine->status().term == 6);
	REQUIRE(bench.start());
	CHECK(bench.engine->status().term == 7);
}
