// The pool of worker threads.
#include "api/workers.h"

#include <utility>

namespace neuwerk::api {

void Workers::post(std::function<void()> job)
{
	const std::lock_guard lock(mutex_);
	if (is_stopping_)
		return;
	jobs_.push_back(std::move(job));
	if (jobs_.size() > idle_count_ && threads_.size() < limit_count_)
		threads_.emplace_back([this] { run(); });
	changed_.notify_one();
}

void Workers::run()
{
	std::unique_lock lock(mutex_);
	while (true) {
		idle_count_++;
		changed_.wait(lock, [&] { return is_stopping_ || !jobs_.empty(); });
		idle_count_--;
		if (is_stopping_)
			return;
		std::function<void()> job = std::move(jobs_.front());
		jobs_.pop_front();
		lock.unlock();
		job();
		job = nullptr; // what it holds is released before the next one is waited for
		lock.lock();
	}
}

void Workers::stop()
{
	std::deque<std::function<void()>> dropped; // destroyed outside the lock
	std::vector<std::thread> threads;
	{
		const std::lock_guard lock(mutex_);
		is_stopping_ = true;
		dropped.swap(jobs_);
		threads.swap(threads_);
	}
	changed_.notify_all();
	for (std::thread &thread : threads)
		thread.join();
}

} // namespace neuwerk::api
