// Feeds the observer: once a second the counted denials, the flows while somebody taps, and a flush.
#pragma once

#include "daemon/enforcer.h"
#include "daemon/generations.h"
#include "daemon/poller_client.h"
#include "observe/observe.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

namespace neuwerk::daemon {

// A thread of its own: its writes wait for a disk.
class Observation {
public:
	static constexpr std::chrono::seconds period{1};

	struct Parts {
		observe::Observer &observer;
		Enforcer &enforcer;
		Generations &generations;
		PollerLink &poller;
	};
	explicit Observation(Parts parts);
	~Observation();

	// One round; the thread calls it, tests do. Not from two threads.
	void round();
	void start();
	void stop(); // with a last round

	// Denied packets since the start that had no line in XDP's count, so are in no finding's.
	[[nodiscard]] std::uint64_t uncounted_packets() const
	{
		return uncounted_packets_;
	}

private:
	void run();

	Parts parts_;
	std::mutex mutex_;
	std::condition_variable stopped_;
	bool stopping_ = false; // under mutex_
	std::string last_error_;
	std::atomic<std::uint64_t> uncounted_packets_ = 0;
	std::thread thread_;
};

// A line of abi/denial.h as the event of its last packet, names filled.
[[nodiscard]] v1::Event event_of(const nw_denial &line, const Generations &generations);

} // namespace neuwerk::daemon
