// Service accounts in the Store.
#include "identity/account_book.h"

#include "base/text.h"
#include "identity/record_access.h"
#include "identity/spelling.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace neuwerk::identity {

namespace {

using state::Operation;

tl::unexpected<Error> no_account()
{
	return fail(ErrorKind::not_found, "service account not found");
}

// Name and description as they are kept: trimmed, a blank description is none.
Result<AccountFields> normalised(const AccountFields &fields)
{
	AccountFields kept{std::string(trimmed(std::string_view(fields.name))), std::nullopt, fields.role};
	const std::string_view description = trimmed(fields.description);
	if (kept.name.empty())
		return fail(ErrorKind::invalid_argument, "name is required");
	if (kept.name.size() > name_limit_bytes)
		return fail(ErrorKind::invalid_argument, text("name is too long: ", kept.name.size(),
							      " bytes, at most ", name_limit_bytes));
	if (description.size() > description_limit_bytes)
		return fail(ErrorKind::invalid_argument, text("description is too long: ", description.size(),
							      " bytes, at most ", description_limit_bytes));
	if (!description.empty())
		kept.description = description;
	return kept;
}

} // namespace

AccountBook::AccountBook(state::Store &store, WallClock now_ms) : store_(store), now_ms_(std::move(now_ms)) {}

Result<std::vector<AccountRecord>> AccountBook::accounts() const
{
	return list_sorted<AccountRecord>(store_, account_prefix, account_of);
}

Result<std::optional<AccountRecord>> AccountBook::find_account(std::string_view id) const
{
	return find<AccountRecord>(store_, account_key(id), account_of);
}

// Above everything that is there, and above what others are just adding.
std::int64_t AccountBook::next_sequence(const Room &room)
{
	const std::lock_guard lock(sequence_mutex_);
	last_sequence_ = std::max(last_sequence_, room.last_sequence) + 1;
	return last_sequence_;
}

Result<AccountBook::Room> AccountBook::room_for_account() const
{
	const auto all = accounts();
	if (!all)
		return tl::unexpected(all.error());
	Room room{{}, all->empty() ? 0 : all->back().sequence};
	if (all->size() < account_limit_count)
		return room;
	for (const auto &record : *all)
		if (!record.account.enabled && room.operations.size() < pruned_limit_count)
			room.operations.push_back(state::erase(account_key(record.account.id)));
	if (room.operations.empty())
		return fail(ErrorKind::resource_exhausted, text("service accounts: ", account_limit_count,
								" are active, the most there may be"));
	return room;
}

Result<Account> AccountBook::create(const AccountFields &fields, const std::string &actor)
{
	auto kept = normalised(fields);
	if (!kept)
		return tl::unexpected(std::move(kept.error()));
	auto room = room_for_account();
	if (!room)
		return tl::unexpected(std::move(room.error()));
	const AccountRecord record{{crypto::random_uuid(), kept->name, kept->description,
				    format_time(now_ms_()), actor, kept->role, true},
				   next_sequence(*room)};
	const std::string key = account_key(record.account.id);
	room->operations.push_back(state::require(key, 0));
	room->operations.push_back(state::put(key, to_json(record)));
	if (auto written = store_.write({std::move(room->operations), actor, ""}); !written)
		return tl::unexpected(std::move(written.error()));
	return record.account;
}

Result<Account> AccountBook::update(const std::string &id, const AccountFields &fields,
				    const std::string &actor)
{
	auto kept = normalised(fields);
	if (!kept)
		return tl::unexpected(std::move(kept.error()));
	const std::lock_guard turn(rewriting_);
	for (int attempt = 0; attempt < rewrite_attempt_limit_count; attempt++) {
		auto found = find_account(id);
		if (!found)
			return tl::unexpected(std::move(found.error()));
		if (!*found)
			return no_account();
		AccountRecord record = std::move(**found);
		record.account.name = kept->name;
		record.account.description = kept->description;
		record.account.role = kept->role;
		const std::string key = account_key(id);
		const auto written = store_.write(
			{{state::require(key, record.revision), state::put(key, to_json(record))},
			 actor,
			 ""});
		if (written)
			return record.account;
		if (written.error().kind != ErrorKind::conflict)
			return tl::unexpected(written.error());
	}
	return gives_up(text("service account ", id));
}

Result<Account> AccountBook::update_by_name(const AccountFields &fields, const std::string &actor)
{
	const auto kept = normalised(fields);
	if (!kept)
		return tl::unexpected(kept.error());
	const auto all = accounts();
	if (!all)
		return tl::unexpected(all.error());
	const AccountRecord *only = nullptr;
	for (const auto &record : *all) {
		if (!record.account.enabled || record.account.name != kept->name)
			continue;
		if (only)
			return fail(ErrorKind::conflict,
				    text("service account name '", kept->name,
					 "': several active accounts have it: name one by its id"));
		only = &record;
	}
	return only ? update(only->account.id, *kept, actor) : no_account();
}

// Once the account is disabled no further token can be added: a pass that finds nothing to do is the last.
Result<> AccountBook::disable(const std::string &id, const std::string &actor)
{
	const std::lock_guard turn(rewriting_);
	for (int attempt = 0; attempt < rewrite_attempt_limit_count; attempt++) {
		auto found = find_account(id);
		if (!found)
			return tl::unexpected(std::move(found.error()));
		if (!*found)
			return no_account();
		auto records = all_tokens();
		if (!records)
			return tl::unexpected(std::move(records.error()));
		std::vector<Operation> requirements, changes;
		const auto change = [&](const std::string &key, const auto &record) {
			requirements.push_back(state::require(key, record.revision));
			changes.push_back(state::put(key, to_json(record)));
		};
		AccountRecord &account = **found;
		if (std::exchange(account.account.enabled, false))
			change(account_key(id), account);
		for (auto &token : *records) {
			if (token.meta.service_account_id != id || token.meta.revoked_at)
				continue;
			token.meta.revoked_at = format_time(now_ms_());
			change(token_key(token.meta.id), token);
		}
		if (changes.empty())
			return {};
		std::ranges::move(changes, std::back_inserter(requirements));
		const auto written = store_.write({std::move(requirements), actor, ""});
		if (!written && written.error().kind != ErrorKind::conflict)
			return tl::unexpected(written.error());
	}
	return gives_up(text("service account ", id));
}

} // namespace neuwerk::identity
