// Keeps one poller running; the states are numbered in supervise.h.
#include "daemon/supervise.h"

#include "base/log.h"
#include "base/text.h"

#include <algorithm>
#include <csignal>

namespace neuwerk::daemon {

void Supervisor::tick()
{
	switch (state_) {
	case State::waiting:
		if (clock_.now() >= until_)
			begin();
		return;
	case State::running:
		if (const auto end = launcher_.reap(pid_)) {
			log::warning(text("the poller (pid ", pid_, ") ended: ", *end,
					  "; established flows go on, new ones wait for its restart"));
			if (clock_.now() - started_ >= healthy_after)
				pause_ = first_pause;
			wait_and_retry();
		}
		return;
	case State::adopted:
		if (!launcher_.lock_is_held()) {
			log::warning("the adopted poller ended");
			wait_and_retry();
		}
		return;
	case State::stopping:
		if (is_gone())
			state_ = State::stopped;
		else if (pid_ != 0 && clock_.now() >= until_)
			launcher_.signal(pid_, SIGKILL);
		else if (pid_ == 0)
			state_ = State::stopped; // it never answered, so nobody knows whom to stop
		return;
	case State::stopped:
		return;
	}
}

void Supervisor::begin()
{
	if (launcher_.lock_is_held()) {
		log::info("adopting the poller that runs already");
		state_ = State::adopted;
		is_child_ = false;
		return;
	}
	const auto pid = launcher_.launch();
	if (!pid) {
		log::error(text("the poller does not start: ", pid.error().what));
		wait_and_retry();
		return;
	}
	log::info(text("started the poller (pid ", *pid, ')'));
	state_ = State::running;
	is_child_ = true;
	pid_ = *pid;
	started_ = clock_.now();
}

void Supervisor::wait_and_retry()
{
	restart_count_++;
	state_ = State::waiting;
	until_ = clock_.now() + pause_;
	pause_ = std::min(pause_ * 2, longest_pause);
}

bool Supervisor::is_gone()
{
	return is_child_ ? launcher_.reap(pid_).has_value() : !launcher_.lock_is_held();
}

void Supervisor::stop()
{
	if (state_ == State::adopted)
		pid_ = launcher_.holder().value_or(0);
	if (state_ != State::running && state_ != State::adopted) {
		if (state_ == State::waiting)
			state_ = State::stopped;
		return;
	}
	if (pid_ != 0)
		launcher_.signal(pid_, SIGTERM);
	else
		log::warning("the adopted poller does not answer and is left running");
	until_ = clock_.now() + patience;
	state_ = State::stopping;
}

} // namespace neuwerk::daemon
