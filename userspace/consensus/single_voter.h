// The engine of one voter: one thread that turns proposals into turns, each one fsync.
#pragma once

#include "consensus/log_file.h"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace neuwerk::consensus {

class SingleVoter final : public ConsensusEngine {
public:
	SingleVoter(Options options, StateMachine &machine, LogFile log);
	~SingleVoter() override;

	// Applies what the log holds beyond the state machine, begins a term, starts the thread.
	[[nodiscard]] Result<> start();

	void propose(std::string command, Done done) override;
	[[nodiscard]] Result<Index> read_barrier() override;
	[[nodiscard]] Status status() const override;
	void stop() override;

private:
	struct Proposal {
		std::string command;
		Done done;
	};
	using Turn = std::vector<Proposal>;

	void run();
	[[nodiscard]] Turn next_turn(); // empty: stopping
	void take(Turn &turn);
	[[nodiscard]] Result<> perform(Turn &turn);
	[[nodiscard]] Result<> catch_up();
	[[nodiscard]] Result<> apply(std::span<const Entry> entries, Turn &turn);
	[[nodiscard]] Result<> tidy_up(bool idle);
	[[nodiscard]] Result<> compact();
	[[nodiscard]] Result<> has_room() const; // fails when the disk is
	[[nodiscard]] Result<> admit(const std::string &command) const;
	void publish();
	void give_up(const Error &error, Turn &turn);

	const Options options_;
	const std::string directory_;
	StateMachine &machine_;
	LogFile log_;             // the thread's, like everything up to the mutex
	bool term_began_ = false; // false: the next turn opens with a no-op

	mutable std::mutex mutex_; // over what follows
	std::condition_variable arrived_;
	std::deque<Proposal> queue_;
	std::size_t queue_bytes_ = 0;
	bool stopping_ = false;
	bool failed_ = false;
	Status status_{};

	std::thread thread_;
};

} // namespace neuwerk::consensus
