// Hands each event of the poller to every subscriber; who does not keep up loses events and is told how many.
#pragma once

#include "neuwerk/v1/dataplane.pb.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

namespace neuwerk::daemon {

// Safe from every thread. Outlives its subscriptions.
class EventHub {
public:
	static constexpr std::size_t queue_limit_count = 4096;

	class Subscription {
	public:
		explicit Subscription(EventHub &hub);
		~Subscription();
		Subscription(const Subscription &) = delete;

		// nullopt: nothing now.
		[[nodiscard]] std::optional<v1::Event> next();
		// Nothing is left, and nothing will come.
		[[nodiscard]] bool ended() const;
		// `wake` is called after each event and at the end, on the publisher's thread: it hands over
		// and returns. It may still be called a moment after the subscription is gone.
		void on_ready(std::function<void()> wake);

	private:
		friend EventHub;
		EventHub &hub_;
		std::deque<v1::Event> queue_; // under the hub's mutex, as are the others
		std::uint64_t lost_ = 0;
		std::function<void()> wake_;
	};

	void publish(const v1::Event &event);
	void close(); // every subscription ends
	[[nodiscard]] bool closed() const;

private:
	[[nodiscard]] std::vector<std::function<void()>> wakes() const; // under the mutex

	mutable std::mutex mutex_;
	std::list<Subscription *> subscribers_;
	bool closed_ = false;
};

} // namespace neuwerk::daemon
