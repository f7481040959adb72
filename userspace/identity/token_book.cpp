// Tokens of service accounts in the Store.
#include "identity/account_book.h"

#include "base/text.h"
#include "identity/record_access.h"
#include "identity/token.h"

#include <utility>

namespace neuwerk::identity {

Result<std::vector<TokenRecord>> AccountBook::all_tokens() const
{
	return list_sorted<TokenRecord>(store_, token_prefix, token_of);
}

Result<std::optional<TokenRecord>> AccountBook::find_token(std::string_view id) const
{
	return find<TokenRecord>(store_, token_key(id), token_of);
}

Result<std::optional<std::int64_t>> AccountBook::last_used_s(std::string_view token) const
{
	const auto record = store_.get(use_key(token));
	if (!record)
		return tl::unexpected(record.error());
	const auto use = *record ? use_of(**record) : std::nullopt;
	return use ? std::optional(use->at_s) : std::nullopt;
}

Result<std::vector<TokenMeta>> AccountBook::tokens(std::string_view account) const
{
	const auto records = all_tokens();
	if (!records)
		return tl::unexpected(records.error());
	std::vector<TokenMeta> out;
	for (const auto &record : *records) {
		if (record.meta.service_account_id != account)
			continue;
		const auto used_s = last_used_s(record.meta.id);
		if (!used_s)
			return tl::unexpected(used_s.error());
		out.push_back(record.meta);
		if (*used_s)
			out.back().last_used_at = format_time(**used_s * 1000);
	}
	return out;
}

Result<AccountBook::Room> AccountBook::room_for_token() const
{
	const auto all = all_tokens();
	if (!all)
		return tl::unexpected(all.error());
	Room room{{}, all->empty() ? 0 : all->back().sequence};
	if (all->size() < token_limit_count)
		return room;
	const std::int64_t now_s = now_ms_() / 1000;
	for (const auto &record : *all) {
		const bool is_over = record.expires_s && *record.expires_s + clock_skew_s < now_s;
		if ((!record.meta.revoked_at && !is_over) || room.operations.size() >= 2 * pruned_limit_count)
			continue;
		room.operations.push_back(state::erase(token_key(record.meta.id)));
		room.operations.push_back(state::erase(use_key(record.meta.id)));
	}
	if (room.operations.empty())
		return fail(ErrorKind::resource_exhausted,
			    text("service account tokens: ", token_limit_count,
				 " are in use, the most there may be: revoke some first"));
	return room;
}

Result<> AccountBook::add_token(const AccountRecord &account, TokenRecord token, const std::string &actor)
{
	auto room = room_for_token();
	if (!room)
		return tl::unexpected(std::move(room.error()));
	token.sequence = next_sequence(*room);
	const std::string key = token_key(token.meta.id);
	room->operations.push_back(state::require(account_key(account.account.id), account.revision));
	room->operations.push_back(state::require(key, 0));
	room->operations.push_back(state::put(key, to_json(token)));
	if (auto written = store_.write({std::move(room->operations), actor, ""}); !written)
		return tl::unexpected(std::move(written.error()));
	return {};
}

Result<> AccountBook::revoke(const std::string &account, const std::string &token, const std::string &actor)
{
	for (int attempt = 0; attempt < rewrite_attempt_limit_count; attempt++) {
		auto found = find_token(token);
		if (!found)
			return tl::unexpected(std::move(found.error()));
		if (!*found)
			return fail(ErrorKind::not_found, "token not found");
		TokenRecord record = std::move(**found);
		if (record.meta.service_account_id != account)
			return fail(ErrorKind::invalid_argument, "token does not belong to account");
		if (record.meta.revoked_at)
			return {};
		record.meta.revoked_at = format_time(now_ms_());
		const std::string key = token_key(token);
		const auto written = store_.write(
			{{state::require(key, record.revision), state::put(key, to_json(record))},
			 actor,
			 ""});
		if (written)
			return {};
		if (written.error().kind != ErrorKind::conflict)
			return tl::unexpected(written.error());
	}
	return gives_up(text("token ", token));
}

void AccountBook::note_use(const std::string &token, std::int64_t at_s)
{
	store_.write({{state::put(use_key(token), to_json(Use{at_s}))}, "neuwerkd", ""},
		     [](const Result<state::Index> &) {});
}

} // namespace neuwerk::identity
