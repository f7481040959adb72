// Keeps one poller running: starts it, restarts it when it ends, adopts one that an earlier neuwerkd left.
//
// States (the poller holds a lock file while it lives, so a second one never starts):
//   1. waiting   until a moment; then: lock held by somebody → adopted, else launch → running
//   2. running   our child; its end is logged and → waiting (0.1 s, doubling up to 10 s; 0.1 s again after 30
//   s)
//   3. adopted   not our child; when the lock is free → waiting
//   4. stopping  terminated; killed after 5 s; then → stopped
//   5. stopped
#pragma once

#include "base/clock.h"
#include "base/result.h"

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>

namespace neuwerk::daemon {

class Launcher {
public:
	virtual ~Launcher() = default;
	[[nodiscard]] virtual Result<pid_t> launch() = 0;
	// How our child ended, in words ("exit code 77", "signal 9"); nullopt: it still runs.
	[[nodiscard]] virtual std::optional<std::string> reap(pid_t pid) = 0;
	virtual void signal(pid_t pid, int number) = 0;
	[[nodiscard]] virtual bool lock_is_held() = 0;
	[[nodiscard]] virtual std::optional<pid_t> holder() = 0; // of the lock, when it answers
};

class Supervisor {
public:
	Supervisor(Launcher &launcher, const Clock &clock) : launcher_(launcher), clock_(clock) {}

	// Call it often, and on SIGCHLD. Never blocks.
	void tick();
	void stop();
	[[nodiscard]] bool stopped() const
	{
		return state_ == State::stopped;
	}
	[[nodiscard]] std::uint64_t restart_count() const
	{
		return restart_count_;
	}

	static constexpr Duration first_pause = std::chrono::milliseconds(100);
	static constexpr Duration longest_pause = std::chrono::seconds(10);
	static constexpr Duration healthy_after = std::chrono::seconds(30);
	static constexpr Duration patience = std::chrono::seconds(5);

private:
	enum class State { waiting, running, adopted, stopping, stopped };
	void begin();
	void wait_and_retry();
	[[nodiscard]] bool is_gone();

	Launcher &launcher_;
	const Clock &clock_;
	State state_ = State::waiting;
	Instant until_{};   // waiting: when to begin; stopping: when to kill
	Instant started_{}; // running
	Duration pause_ = first_pause;
	pid_t pid_ = 0; // 0: unknown
	bool is_child_ = false;
	std::uint64_t restart_count_ = 0;
};

} // namespace neuwerk::daemon
