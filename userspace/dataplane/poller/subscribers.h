// Events from the packet thread to everybody who watches, each with a bounded queue of its own.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "dataplane/flows/tracker.h"
#include "dataplane/poller/event_ring.h"

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <list>
#include <mutex>
#include <optional>
#include <thread>

namespace neuwerk::dataplane {

class Subscribers final : public EventSink {
public:
	// An event, and how many the subscriber lost since the one before.
	struct Received {
		nw_event event;
		FlowTraffic traffic;
		std::uint64_t lost;
	};

	class Subscription {
	public:
		// Empty: nothing came within `patience`, or the poller stops.
		[[nodiscard]] std::optional<Received> next(std::chrono::milliseconds patience);

	private:
		friend class Subscribers;
		static constexpr std::size_t queue_limit = 4096;
		std::mutex mutex_;
		std::condition_variable arrived_;
		std::deque<QueuedEvent> queue_;
		std::uint64_t lost_ = 0;
	};

	[[nodiscard]] Result<> start();
	void stop();
	~Subscribers() override;

	// Packet thread: never waits.
	void event(const nw_event &event, const FlowTraffic &traffic) override;

	[[nodiscard]] std::list<Subscription>::iterator subscribe();
	void unsubscribe(std::list<Subscription>::iterator subscription);

	[[nodiscard]] std::uint64_t lost() const; // before any subscriber could see them

private:
	void distribute();
	void deliver(const QueuedEvent &event);

	EventRing ring_;
	Fd arrived_; // eventfd
	std::atomic<bool> reader_sleeps_ = false;
	std::atomic<bool> stopping_ = false;
	std::thread thread_;
	std::mutex mutex_; // of the list
	std::list<Subscription> subscriptions_;
};

} // namespace neuwerk::dataplane
