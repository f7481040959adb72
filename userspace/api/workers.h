// Threads for handlers that block: started when needed, never more than a bound.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace neuwerk::api {

// Safe from every thread. The queue is bounded by its users: one job per connection.
class Workers {
public:
	explicit Workers(std::size_t limit_count) : limit_count_(limit_count) {}
	~Workers()
	{
		stop();
	}
	// After stop() the job is dropped.
	void post(std::function<void()> job);
	// Waits for the jobs that run; drops those that wait.
	void stop();

private:
	void run();

	const std::size_t limit_count_;
	std::mutex mutex_;
	std::condition_variable changed_;
	std::deque<std::function<void()>> jobs_;
	std::vector<std::thread> threads_;
	std::size_t idle_count_ = 0;
	bool is_stopping_ = false;
};

} // namespace neuwerk::api
