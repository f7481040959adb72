// A set of small numbers that finds its next member without looking at empty stretches one by one.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace neuwerk::policy {

class Bitmap {
public:
	static constexpr std::size_t none = ~std::size_t{0};

	explicit Bitmap(std::size_t size) : words_(size / 64 + 1), summary_(words_.size() / 64 + 1) {}

	// Sets or clears `count` bits from `first` on.
	void assign(std::size_t first, std::size_t count, bool value)
	{
		const std::size_t end = first + count;
		while (first < end) {
			const std::size_t word = first / 64;
			const std::size_t bits = std::min(end - first, 64 - first % 64);
			const std::uint64_t mask =
				(bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << bits) - 1)
				<< first % 64;
			words_[word] = value ? words_[word] | mask : words_[word] & ~mask;
			const std::uint64_t flag = std::uint64_t{1} << word % 64;
			std::uint64_t &summary = summary_[word / 64];
			summary = words_[word] ? summary | flag : summary & ~flag;
			first += bits;
		}
	}

	// The first member at or after `from`, or none.
	[[nodiscard]] std::size_t next(std::size_t from) const
	{
		std::size_t word = from / 64;
		if (word >= words_.size())
			return none;
		if (const std::uint64_t rest = words_[word] >> from % 64)
			return from + static_cast<std::size_t>(std::countr_zero(rest));
		word++;
		std::size_t block = word / 64;
		if (block >= summary_.size())
			return none;
		std::uint64_t words = word % 64 ? summary_[block] >> word % 64 << word % 64 : summary_[block];
		while (!words) {
			if (++block == summary_.size())
				return none;
			words = summary_[block];
		}
		word = block * 64 + static_cast<std::size_t>(std::countr_zero(words));
		return word * 64 + static_cast<std::size_t>(std::countr_zero(words_[word]));
	}

private:
	std::vector<std::uint64_t> words_;
	std::vector<std::uint64_t> summary_; // bit w: word w holds a member
};

} // namespace neuwerk::policy
