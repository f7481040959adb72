// Hands each event of the poller to every subscriber.
#include "daemon/event_hub.h"

#include <utility>

namespace neuwerk::daemon {

EventHub::Subscription::Subscription(EventHub &hub) : hub_(hub)
{
	const std::scoped_lock lock(hub_.mutex_);
	hub_.subscribers_.push_back(this);
}

EventHub::Subscription::~Subscription()
{
	const std::scoped_lock lock(hub_.mutex_);
	hub_.subscribers_.remove(this);
}

std::optional<v1::Event> EventHub::Subscription::next(Duration patience)
{
	std::unique_lock lock(hub_.mutex_);
	hub_.changed_.wait_for(lock, patience, [&] { return !queue_.empty() || hub_.closed_; });
	if (queue_.empty())
		return std::nullopt;
	v1::Event event = std::move(queue_.front());
	queue_.pop_front();
	// What the poller lost on its way to us and what we lost here are one number for the reader.
	event.set_lost(event.lost() + std::exchange(lost_, 0));
	return event;
}

void EventHub::publish(const v1::Event &event)
{
	{
		const std::scoped_lock lock(mutex_);
		for (Subscription *subscriber : subscribers_) {
			if (subscriber->queue_.size() >= queue_limit_count)
				subscriber->lost_ += 1 + event.lost();
			else
				subscriber->queue_.push_back(event);
		}
	}
	changed_.notify_all();
}

void EventHub::close()
{
	{
		const std::scoped_lock lock(mutex_);
		closed_ = true;
	}
	changed_.notify_all();
}

bool EventHub::closed() const
{
	const std::scoped_lock lock(mutex_);
	return closed_;
}

} // namespace neuwerk::daemon
