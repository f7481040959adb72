// A machine that crashes, and what must hold when it is up again.
#include "powerloss/machine.h"

#include <future>
#include <latch>
#include <thread>

namespace neuwerk::powerloss {

namespace {

constexpr std::string_view directory = "/store";

state::Options options_of(PowerDisk &disk, bool synced, int wal_pages)
{
	state::Options options{.directory = std::string(directory),
			       .vfs = disk.vfs(),
			       .now_ms = [] { return 1'000'000; },
			       .fail_stop = [&disk](const Error &) { disk.stop(); }, // the process ends
			       .free_bytes = [](const std::string &) { return std::nullopt; },
			       .synced = synced};
	// Small, so that compaction and checkpoints come often.
	options.limits.turn_commands = 8;
	options.limits.trailing_entries = 8;
	options.limits.compact_entries = 16;
	options.limits.log_bytes_max = 200'000;
	options.limits.wal_pages_idle = wal_pages;
	options.limits.wal_pages_max = 3 * wal_pages;
	return options;
}

} // namespace

Machine::Machine(std::uint64_t seed, bool synced, int wal_pages)
    : disk(seed), random_(~seed), synced_(synced), wal_pages_(wal_pages)
{
}

void Machine::crash()
{
	disk.stop();
	store_.reset();
}

void Machine::shut_down()
{
	store_.reset();
}

std::string Machine::start()
{
	auto store = state::Store::open(options_of(disk, synced_, wal_pages_));
	if (!store)
		return disk.has_struck() ? "" : "the store does not open: " + store.error().what;
	store_ = std::move(*store);
	if (auto wrong = settle(); !wrong.empty())
		return wrong;
	if (auto wrong = store_ ? repeat_settled() : ""; !wrong.empty())
		return wrong;
	return repeat_lost();
}

// Finds out how many of the unanswered writes were applied; the rest was lost, which is allowed.
std::string Machine::settle()
{
	const auto records = store_->list("");
	if (!records) {
		if (disk.has_struck())
			return crash(), "";
		return "the records cannot be read: " + records.error().what;
	}
	const std::string from_acknowledged = books_.acknowledged.difference(*records);
	Model candidate = books_.acknowledged;
	std::size_t applied = 0;
	std::string difference = from_acknowledged;
	while (!difference.empty() && applied < books_.unanswered.size()) {
		candidate.apply(books_.unanswered[applied++]);
		difference = candidate.difference(*records);
	}
	if (!difference.empty())
		return from_acknowledged;
	books_.acknowledged = std::move(candidate);
	const auto lost = books_.unanswered.begin() + static_cast<std::ptrdiff_t>(applied);
	books_.settled.insert(books_.settled.end(), books_.unanswered.begin(), lost);
	books_.unanswered.erase(books_.unanswered.begin(), lost);
	const auto has_no_id = [](const state::Write &write) { return write.request_id.empty(); };
	std::erase_if(books_.settled, has_no_id);
	std::erase_if(books_.unanswered, has_no_id);
	return "";
}

// As a client does that got no answer: what was applied must not be applied again.
std::string Machine::repeat_settled()
{
	for (; !books_.settled.empty(); books_.settled.pop_back()) {
		const auto answer = store_->write(books_.settled.back());
		if (!answer && answer.error().kind == ErrorKind::unavailable)
			return crash(), "";
		const auto records = store_->list("");
		if (!records)
			return disk.has_struck() ? (crash(), "") : records.error().what;
		if (const auto wrong = books_.acknowledged.difference(*records); !wrong.empty())
			return "after a retry: " + wrong;
	}
	return "";
}

// What was lost is applied now.
std::string Machine::repeat_lost()
{
	while (store_ && !books_.unanswered.empty()) {
		const auto answer = store_->write(books_.unanswered.front());
		if (!answer && answer.error().kind == ErrorKind::unavailable)
			return crash(), "";
		if (auto wrong = book(answer); !wrong.empty())
			return wrong;
	}
	return "";
}

// The first of the unanswered writes got its answer.
std::string Machine::book(const Result<state::Index> &answer)
{
	const bool accepted = books_.acknowledged.apply(books_.unanswered.front());
	books_.unanswered.erase(books_.unanswered.begin());
	if (accepted == answer.has_value())
		return "";
	return "a write that should be " + std::string(accepted ? "accepted" : "refused") + ": " +
	       (answer ? "accepted" : answer.error().what);
}

std::string Machine::work(std::uint32_t writes)
{
	for (std::uint32_t done = 0; store_ && done < writes;) {
		const std::uint32_t count = random_.chance(50) ? 1 : random_.between(2, 12);
		if (auto wrong = work_burst(count); !wrong.empty())
			return wrong;
		done += count;
	}
	return "";
}

// The writes are proposed while the engine waits for the last of them: the same turns with every run.
std::string Machine::work_burst(std::uint32_t count)
{
	std::latch proposed(1);
	const auto caller = std::this_thread::get_id(); // a refusal at once comes on this thread
	std::vector<std::future<Result<state::Index>>> answers;
	for (std::uint32_t i = 0; i < count; i++) {
		auto promise = std::make_shared<std::promise<Result<state::Index>>>();
		answers.push_back(promise->get_future());
		books_.unanswered.push_back(random_write(random_, ++written_));
		store_->write(books_.unanswered.back(), [=, &proposed](Result<state::Index> answer) {
			if (i == 0 && std::this_thread::get_id() != caller)
				proposed.wait();
			promise->set_value(std::move(answer));
		});
	}
	proposed.count_down();
	std::vector<Result<state::Index>> outcomes;
	for (auto &answer : answers)
		outcomes.push_back(answer.get());
	for (const Result<state::Index> &outcome : outcomes) {
		if (!outcome && outcome.error().kind == ErrorKind::unavailable)
			return crash(), "";
		if (auto wrong = book(outcome); !wrong.empty())
			return wrong;
	}
	return "";
}

} // namespace neuwerk::powerloss
