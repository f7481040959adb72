// Counts failed logins per peer and token (spec/http-api §5.2).
#include "identity/identity.h"

#include "base/text.h"

#include <list>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace neuwerk::identity {

namespace {

constexpr std::int64_t window_ms = 60'000;
constexpr std::int64_t block_ms = 120'000;
constexpr std::size_t digest_digits = 16;

struct Bucket {
	std::string key;
	std::vector<std::int64_t> failures_ms; // of the last window, oldest first; never failure_limit_count
	std::int64_t blocked_until_ms = INT64_MIN;
};

std::string key_of(const std::string &peer, std::string_view token)
{
	return text(peer, ' ', crypto::to_hex(crypto::sha256(token)).substr(0, digest_digits));
}

} // namespace

struct LoginLimiter::State {
	using Buckets = std::list<Bucket>; // seen last first

	// The bucket of `key`, now seen last; nullptr: there is none.
	Bucket *find(const std::string &key)
	{
		const auto found = by_key.find(key);
		if (found == by_key.end())
			return nullptr;
		buckets.splice(buckets.begin(), buckets, found->second);
		return &buckets.front();
	}

	Bucket &create(const std::string &key)
	{
		if (buckets.size() >= bucket_limit_count) {
			by_key.erase(buckets.back().key);
			buckets.pop_back();
		}
		buckets.push_front({key, {}});
		by_key[key] = buckets.begin();
		return buckets.front();
	}

	std::function<std::int64_t()> now_ms;
	std::mutex mutex;
	Buckets buckets;
	std::unordered_map<std::string, Buckets::iterator> by_key;
};

LoginLimiter::LoginLimiter(std::function<std::int64_t()> now_ms) : state_(std::make_unique<State>())
{
	state_->now_ms = std::move(now_ms);
}

LoginLimiter::~LoginLimiter() = default;

bool LoginLimiter::allows(const std::string &peer, std::string_view token)
{
	const std::string key = key_of(peer, token);
	const std::lock_guard lock(state_->mutex);
	const Bucket *bucket = state_->find(key);
	return !bucket || bucket->blocked_until_ms <= state_->now_ms();
}

void LoginLimiter::failed(const std::string &peer, std::string_view token)
{
	const std::string key = key_of(peer, token);
	const std::lock_guard lock(state_->mutex);
	const std::int64_t at_ms = state_->now_ms();
	Bucket *bucket = state_->find(key);
	if (!bucket)
		bucket = &state_->create(key);
	std::erase_if(bucket->failures_ms,
		      [&](std::int64_t then_ms) { return at_ms - then_ms >= window_ms; });
	bucket->failures_ms.push_back(at_ms);
	if (bucket->failures_ms.size() < failure_limit_count)
		return;
	bucket->blocked_until_ms = at_ms + block_ms;
	bucket->failures_ms.clear();
}

void LoginLimiter::succeeded(const std::string &peer, std::string_view token)
{
	const std::string key = key_of(peer, token);
	const std::lock_guard lock(state_->mutex);
	const auto found = state_->by_key.find(key);
	if (found == state_->by_key.end())
		return;
	state_->buckets.erase(found->second);
	state_->by_key.erase(found);
}

} // namespace neuwerk::identity
