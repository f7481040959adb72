// Hands each event of the poller to every subscriber; who does not keep up loses events and is told how many.
#pragma once

#include "base/clock.h"
#include "neuwerk/v1/dataplane.pb.h"

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>

namespace neuwerk::daemon {

// Safe from every thread.
class EventHub {
public:
	static constexpr std::size_t queue_limit_count = 4096;

	class Subscription {
	public:
		explicit Subscription(EventHub &hub);
		~Subscription();
		Subscription(const Subscription &) = delete;

		// Waits up to `patience`; nullopt: nothing came, or the hub is closed.
		[[nodiscard]] std::optional<v1::Event> next(Duration patience);

	private:
		friend EventHub;
		EventHub &hub_;
		std::deque<v1::Event> queue_; // under the hub's mutex, as is lost_
		std::uint64_t lost_ = 0;
	};

	void publish(const v1::Event &event);
	void close(); // every subscriber stops waiting
	[[nodiscard]] bool closed() const;

private:
	mutable std::mutex mutex_;
	std::condition_variable changed_;
	std::list<Subscription *> subscribers_;
	bool closed_ = false;
};

} // namespace neuwerk::daemon
