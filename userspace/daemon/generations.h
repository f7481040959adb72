// The compiled policies of the last generations: events name a generation, people want the names of its
// rules and the revision that it came from.
#pragma once

#include "policy/policy.h"

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace neuwerk::daemon {

// Which record a generation enforces.
struct PolicyOrigin {
	std::uint64_t revision = 0; // 0: no record (the first start), or not known
	std::string policy_id;
};

// Safe from every thread.
class Generations {
public:
	static constexpr std::size_t kept_count = 64;

	// A number that is there already was never published (that failed): the new policy takes its place.
	void add(std::uint32_t generation, policy::CompiledPolicy policy, PolicyOrigin origin)
	{
		const std::scoped_lock lock(mutex_);
		std::erase_if(kept_, [&](const Entry &entry) { return entry.generation == generation; });
		kept_.push_back({generation, std::move(policy), std::move(origin)});
		if (kept_.size() > kept_count)
			kept_.pop_front();
	}

	// The generation turned out to enforce this record: it was published before the records were read.
	void attribute(std::uint32_t generation, PolicyOrigin origin)
	{
		const std::scoped_lock lock(mutex_);
		for (Entry &entry : kept_)
			if (entry.generation == generation)
				entry.origin = origin;
	}

	// nullopt: published by an earlier neuwerkd, or longer ago than kept_count generations.
	[[nodiscard]] std::optional<policy::CompiledPolicy> find(std::uint32_t generation) const
	{
		const std::scoped_lock lock(mutex_);
		for (const Entry &entry : kept_)
			if (entry.generation == generation)
				return entry.policy;
		return std::nullopt;
	}

	[[nodiscard]] PolicyOrigin origin(std::uint32_t generation) const
	{
		const std::scoped_lock lock(mutex_);
		for (const Entry &entry : kept_)
			if (entry.generation == generation)
				return entry.origin;
		return {};
	}

private:
	struct Entry {
		std::uint32_t generation;
		policy::CompiledPolicy policy;
		PolicyOrigin origin;
	};

	mutable std::mutex mutex_;
	std::deque<Entry> kept_;
};

} // namespace neuwerk::daemon
