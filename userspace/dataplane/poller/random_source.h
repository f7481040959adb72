// Random numbers that nobody outside can predict, from the kernel, some at a time.
#pragma once

#include <sys/random.h>

#include <array>
#include <cstdint>

namespace neuwerk::dataplane {

class RandomSource {
public:
	std::uint32_t operator()()
	{
		if (next_ == numbers_.size()) {
			next_ = 0;
			// 256 bytes are given at once and in full once the kernel's pool is ready
			// (getrandom(2)).
			(void)!getrandom(numbers_.data(), sizeof(numbers_), 0);
		}
		return numbers_[next_++];
	}

private:
	std::array<std::uint32_t, 64> numbers_{};
	std::size_t next_ = 64;
};

} // namespace neuwerk::dataplane
