// Remembers which tokens were verified, so that the next request with one costs a hash and a lookup.
//
// An entry counts only while nothing under auth/ has changed since its verification began. Two halves: the
// younger fills up, then becomes the older one, and what was in the older and was not used since is
// forgotten.
#pragma once

#include "identity/identity.h"
#include "identity/token.h"

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace neuwerk::identity {

struct Verified {
	Claims claims;
	std::vector<std::string> effective_roles;
	// Service-account tokens only.
	std::optional<std::int64_t> stored_expires_s;
	mutable std::atomic<std::int64_t> noted_use_s{0}; // when last_used_at was refreshed; 0: never
};

using VerifiedPtr = std::shared_ptr<const Verified>;

// Safe from every thread.
class VerifiedTokens {
public:
	using Epoch = std::uint64_t;

	// To be read before the verification reads anything.
	[[nodiscard]] Epoch epoch() const
	{
		return epoch_.load(std::memory_order_acquire);
	}
	// Everything that is remembered counts no more.
	void forget_all()
	{
		epoch_.fetch_add(1, std::memory_order_acq_rel);
	}

	// By the SHA-256 of the token; nullptr: verify it.
	[[nodiscard]] VerifiedPtr find(const std::string &digest);
	void remember(const std::string &digest, Epoch epoch, VerifiedPtr verified);

private:
	struct Entry {
		Epoch epoch;
		VerifiedPtr verified;
	};
	using Half = std::unordered_map<std::string, Entry>;
	static constexpr std::size_t half_limit_count = verified_limit_count / 2;

	void insert(const std::string &digest, Entry entry);

	std::atomic<Epoch> epoch_{0};
	std::mutex mutex_;
	Half younger_, older_;
};

} // namespace neuwerk::identity
