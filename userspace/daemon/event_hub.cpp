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

std::optional<v1::Event> EventHub::Subscription::next()
{
	const std::scoped_lock lock(hub_.mutex_);
	if (queue_.empty())
		return std::nullopt;
	v1::Event event = std::move(queue_.front());
	queue_.pop_front();
	// What the poller lost on its way to us and what we lost here are one number for the reader.
	event.set_lost(event.lost() + std::exchange(lost_, 0));
	return event;
}

bool EventHub::Subscription::ended() const
{
	const std::scoped_lock lock(hub_.mutex_);
	return hub_.closed_ && queue_.empty();
}

void EventHub::Subscription::on_ready(std::function<void()> wake)
{
	const std::scoped_lock lock(hub_.mutex_);
	wake_ = std::move(wake);
}

std::vector<std::function<void()>> EventHub::wakes() const
{
	std::vector<std::function<void()>> wakes;
	for (const Subscription *subscriber : subscribers_)
		if (subscriber->wake_)
			wakes.push_back(subscriber->wake_);
	return wakes;
}

void EventHub::publish(const v1::Event &event)
{
	std::vector<std::function<void()>> ready;
	{
		const std::scoped_lock lock(mutex_);
		for (Subscription *subscriber : subscribers_) {
			if (subscriber->queue_.size() >= queue_limit_count)
				subscriber->lost_ += 1 + event.lost();
			else
				subscriber->queue_.push_back(event);
		}
		ready = wakes();
	}
	for (const auto &wake : ready)
		wake();
}

void EventHub::close()
{
	std::vector<std::function<void()>> ready;
	{
		const std::scoped_lock lock(mutex_);
		closed_ = true;
		ready = wakes();
	}
	for (const auto &wake : ready)
		wake();
}

bool EventHub::closed() const
{
	const std::scoped_lock lock(mutex_);
	return closed_;
}

} // namespace neuwerk::daemon
