// A lock that is given in the order of asking: who asks once comes before those who ask again and again.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace neuwerk::identity {

// For std::lock_guard. std::mutex may give itself to the same busy thread for ever.
class Turns {
public:
	void lock()
	{
		std::unique_lock guard(mutex_);
		const std::uint64_t mine = next_++;
		changed_.wait(guard, [&] { return serving_ == mine; });
	}
	void unlock()
	{
		{
			const std::lock_guard guard(mutex_);
			serving_++;
		}
		changed_.notify_all();
	}

private:
	std::mutex mutex_;
	std::condition_variable changed_;
	std::uint64_t next_ = 0;
	std::uint64_t serving_ = 0;
};

} // namespace neuwerk::identity
