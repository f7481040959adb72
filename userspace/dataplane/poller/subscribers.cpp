// One thread takes events off the ring and gives each subscriber a copy.
#include "dataplane/poller/subscribers.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace neuwerk::dataplane {

std::optional<Subscribers::Received> Subscribers::Subscription::next(std::chrono::milliseconds patience)
{
	std::unique_lock lock(mutex_);
	if (!arrived_.wait_for(lock, patience, [this] { return !queue_.empty(); }))
		return {};
	Received received{queue_.front().event, queue_.front().traffic, lost_};
	queue_.pop_front();
	lost_ = 0;
	return received;
}

Result<> Subscribers::start()
{
	arrived_ = Fd(eventfd(0, EFD_CLOEXEC));
	if (!arrived_)
		return fail(ErrorKind::internal,
			    std::string("cannot make an eventfd: ") + std::strerror(errno));
	thread_ = std::thread([this] { distribute(); });
	return {};
}

void Subscribers::stop()
{
	if (!thread_.joinable())
		return;
	stopping_ = true;
	const std::uint64_t one = 1;
	(void)!write(arrived_.get(), &one, sizeof(one));
	thread_.join();
}

Subscribers::~Subscribers()
{
	stop();
}

// The reader raises its flag before it looks a last time, so either it sees the event or this side sees the
// flag.
void Subscribers::event(const nw_event &event, const FlowTraffic &traffic)
{
	ring_.push({event, traffic});
	std::atomic_thread_fence(std::memory_order_seq_cst);
	if (!reader_sleeps_.load(std::memory_order_relaxed) || !reader_sleeps_.exchange(false))
		return;
	const std::uint64_t one = 1;
	(void)!write(arrived_.get(), &one, sizeof(one)); // an eventfd far from its limit does not block
}

void Subscribers::distribute()
{
	while (!stopping_) {
		while (const auto event = ring_.pop())
			deliver(*event);
		reader_sleeps_ = true;
		std::atomic_thread_fence(std::memory_order_seq_cst);
		if (const auto event = ring_.pop()) {
			reader_sleeps_ = false;
			deliver(*event);
			continue;
		}
		std::uint64_t count = 0;
		(void)!read(arrived_.get(), &count, sizeof(count));
	}
}

void Subscribers::deliver(const QueuedEvent &event)
{
	const std::lock_guard list_lock(mutex_);
	for (Subscription &subscription : subscriptions_) {
		const std::lock_guard lock(subscription.mutex_);
		if (subscription.queue_.size() == Subscription::queue_limit) {
			subscription.queue_.pop_front(); // the newest tell more than the oldest
			subscription.lost_++;
		}
		subscription.queue_.push_back(event);
		subscription.arrived_.notify_one();
	}
}

std::list<Subscribers::Subscription>::iterator Subscribers::subscribe()
{
	const std::lock_guard lock(mutex_);
	return subscriptions_.emplace(subscriptions_.end());
}

void Subscribers::unsubscribe(std::list<Subscription>::iterator subscription)
{
	const std::lock_guard lock(mutex_);
	subscriptions_.erase(subscription);
}

std::uint64_t Subscribers::lost() const
{
	return ring_.lost();
}

} // namespace neuwerk::dataplane
