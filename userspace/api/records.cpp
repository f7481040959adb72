// Optimistic read–change–write on the Store.
#include "api/records.h"

#include "base/text.h"

#include <utility>

namespace neuwerk::api {

Result<> rewrite(state::Store &store, const std::string &key, const std::string &actor, const Change &change)
{
	for (int attempt = 0; attempt < rewrite_attempt_limit_count; ++attempt) {
		auto current = store.get(key);
		if (!current)
			return tl::unexpected(current.error());
		const std::uint64_t revision = *current ? (*current)->revision : 0;
		auto next = change(*current ? std::optional((*current)->value) : std::nullopt);
		if (!next)
			return tl::unexpected(next.error());
		const auto written = store.write(
			{.operations = {state::require(key, revision), state::put(key, std::move(*next))},
			 .actor = actor});
		if (written)
			return {};
		if (written.error().kind != ErrorKind::conflict)
			return tl::unexpected(written.error());
	}
	return fail(ErrorKind::conflict,
		    text("record ", key, ": changed by others ", rewrite_attempt_limit_count,
			 " times while it was being written: try again"));
}

Document::Document(state::Store &store, std::string key) : store_(store), key_(std::move(key)) {}

Result<std::optional<std::string>> Document::read() const
{
	auto record = store_.get(key_);
	if (!record)
		return tl::unexpected(record.error());
	if (!*record)
		return std::optional<std::string>();
	return std::optional(std::move((*record)->value));
}

Result<> Document::change(const std::string &actor, const Change &change)
{
	const std::lock_guard turn(turn_);
	return rewrite(store_, key_, actor, change);
}

Error damaged(std::string_view key, std::string_view why)
{
	return {ErrorKind::corrupt, text("record ", key, ": damaged: ", why)};
}

} // namespace neuwerk::api
