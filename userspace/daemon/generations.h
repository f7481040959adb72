// The compiled policies of the last generations: events name a generation, people want the names of its
// rules.
#pragma once

#include "policy/policy.h"

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace neuwerk::daemon {

// Safe from every thread.
class Generations {
public:
	static constexpr std::size_t kept_count = 64;

	// A number that is there already was never published (that failed): the new policy takes its place.
	void add(std::uint32_t generation, policy::CompiledPolicy policy)
	{
		const std::scoped_lock lock(mutex_);
		std::erase_if(kept_, [&](const auto &entry) { return entry.first == generation; });
		kept_.emplace_back(generation, std::move(policy));
		if (kept_.size() > kept_count)
			kept_.pop_front();
	}

	// nullopt: published by an earlier neuwerkd, or longer ago than kept_count generations.
	[[nodiscard]] std::optional<policy::CompiledPolicy> find(std::uint32_t generation) const
	{
		const std::scoped_lock lock(mutex_);
		for (const auto &[number, policy] : kept_)
			if (number == generation)
				return policy;
		return std::nullopt;
	}

private:
	mutable std::mutex mutex_;
	std::deque<std::pair<std::uint32_t, policy::CompiledPolicy>> kept_;
};

} // namespace neuwerk::daemon
