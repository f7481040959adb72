// Reading records of one kind from the Store; for the files of AccountBook.
#pragma once

#include "base/text.h"
#include "identity/account_book.h"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace neuwerk::identity {

// A full table gives up this many records at once, so that not every creation has to look for one.
inline constexpr std::size_t pruned_limit_count = 64;

[[nodiscard]] inline tl::unexpected<Error> gives_up(std::string_view what)
{
	return fail(ErrorKind::conflict, text(what, ": others changed it ", rewrite_attempt_limit_count,
					      " times meanwhile: try again"));
}

// Every record under `prefix`, in creation order.
template <typename Record, typename Read>
[[nodiscard]] Result<std::vector<Record>> list_sorted(const state::Store &store, std::string_view prefix,
						      Read read)
{
	auto records = store.list(prefix);
	if (!records)
		return tl::unexpected(std::move(records.error()));
	std::vector<Record> out;
	out.reserve(records->size());
	for (const auto &record : *records) {
		auto one = read(record);
		if (!one)
			return tl::unexpected(std::move(one.error()));
		out.push_back(std::move(*one));
	}
	std::ranges::stable_sort(out, {}, &Record::sequence);
	return out;
}

template <typename Record, typename Read>
[[nodiscard]] Result<std::optional<Record>> find(const state::Store &store, const std::string &key, Read read)
{
	auto record = store.get(key);
	if (!record)
		return tl::unexpected(std::move(record.error()));
	if (!*record)
		return std::nullopt;
	auto one = read(**record);
	if (!one)
		return tl::unexpected(std::move(one.error()));
	return std::move(*one);
}

} // namespace neuwerk::identity
