// The memory of verified tokens.
#include "identity/verified_tokens.h"

#include <utility>

namespace neuwerk::identity {

VerifiedPtr VerifiedTokens::find(const std::string &digest)
{
	const std::lock_guard lock(mutex_);
	if (const auto found = younger_.find(digest); found != younger_.end())
		return found->second.epoch == epoch() ? found->second.verified : nullptr;
	const auto found = older_.find(digest);
	if (found == older_.end() || found->second.epoch != epoch())
		return nullptr;
	Entry entry = std::move(found->second);
	older_.erase(found);
	VerifiedPtr verified = entry.verified;
	insert(digest, std::move(entry));
	return verified;
}

void VerifiedTokens::remember(const std::string &digest, Epoch epoch, VerifiedPtr verified)
{
	const std::lock_guard lock(mutex_);
	insert(digest, {epoch, std::move(verified)});
}

void VerifiedTokens::insert(const std::string &digest, Entry entry)
{
	if (younger_.size() >= half_limit_count) {
		older_ = std::move(younger_);
		younger_.clear();
	}
	younger_.insert_or_assign(digest, std::move(entry));
}

} // namespace neuwerk::identity
