// Random choices that are the same on every machine for the same seed.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

namespace neuwerk::properties {

class Random {
public:
	explicit Random(std::uint64_t seed) : state_(seed) {}

	// SplitMix64 (Steele, Lea, Flood 2014).
	std::uint64_t bits()
	{
		std::uint64_t z = state_ += 0x9e3779b97f4a7c15;
		z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
		z = (z ^ z >> 27) * 0x94d049bb133111eb;
		return z ^ z >> 31;
	}

	// 0 to n - 1.
	std::uint32_t below(std::uint64_t n)
	{
		return static_cast<std::uint32_t>(bits() % n);
	}
	std::uint32_t between(std::uint32_t first, std::uint32_t last)
	{
		return first + below(std::uint64_t{last} - first + 1);
	}
	bool chance(std::uint32_t percent)
	{
		return below(100) < percent;
	}

	template <typename T>
	const T &pick(const std::vector<T> &values)
	{
		return values[below(values.size())];
	}

	template <typename T>
	T pick(std::initializer_list<T> values)
	{
		return values.begin()[below(values.size())];
	}

private:
	std::uint64_t state_;
};

} // namespace neuwerk::properties
