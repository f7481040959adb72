// state.db: how commands change records.
#include "state/records.h"

#include "base/crc32c.h"
#include "base/text.h"
#include "neuwerk/v1/state.pb.h"
#include "state/compress.h"

#include <algorithm>

namespace neuwerk::state {

namespace {

// Keys that one `collect` looks at in one query; bounds memory, not the command.
constexpr std::size_t collect_step_keys = 1024;

Result<> refuse(std::string_view key, std::uint64_t wanted, std::uint64_t found)
{
	std::string why;
	if (found == 0)
		why = text("it does not exist, revision ", wanted, " was expected");
	else if (wanted == 0)
		why = "it exists already";
	else
		why = text("it was changed meanwhile: revision ", found, ", not ", wanted);
	return fail(ErrorKind::conflict, text("write: ", key, ": ", why));
}

} // namespace

std::uint32_t record_crc(std::string_view key, std::string_view stored_value, std::uint64_t unpacked_bytes,
			 std::uint64_t revision, Index index, std::int64_t changed_ms)
{
	return crc32c_of_parts({key, stored_value},
			       {unpacked_bytes, revision, index, static_cast<std::uint64_t>(changed_ms)});
}

std::optional<std::string> after_prefix(std::string_view prefix)
{
	std::string after(prefix);
	while (!after.empty() && static_cast<unsigned char>(after.back()) == 0xff)
		after.pop_back();
	if (after.empty())
		return std::nullopt;
	after.back() = static_cast<char>(static_cast<unsigned char>(after.back()) + 1);
	return after;
}

Result<std::vector<Result<Index>>> Records::apply(std::span<const consensus::Entry> entries)
{
	std::vector<Result<Index>> outcomes;
	std::vector<std::vector<Change>> changes(entries.size());
	if (auto begun = database_.begin(); !begun)
		return tl::unexpected(begun.error());
	Result<> done;
	for (std::size_t i = 0; done && i < entries.size(); i++) {
		auto outcome = apply_entry(entries[i], changes[i]);
		if (outcome)
			outcomes.push_back(std::move(*outcome));
		else
			done = tl::unexpected(outcome.error());
	}
	if (done)
		done = write_applied();
	if (done)
		done = database_.commit();
	if (!done) {
		database_.rollback();
		return tl::unexpected(done.error());
	}
	publish();
	for (const std::vector<Change> &each : changes)
		if (!each.empty())
			committed_(each);
	return outcomes;
}

Result<Result<Index>> Records::apply_entry(const consensus::Entry &entry, std::vector<Change> &changes)
{
	if (entry.index != applied_ + 1)
		return corrupt(text("entry ", entry.index, " does not follow ", applied_));
	applied_ = entry.index;
	term_ = entry.term;
	if (entry.command.empty())
		return Result<Index>(entry.index); // a leader's no-op

	v1::StateCommand command;
	if (!command.ParseFromArray(entry.command.data(), static_cast<int>(entry.command.size())))
		return corrupt(text("entry ", entry.index, " of the log is no command"));
	if (command.cmd_version() > command_version)
		return fail(ErrorKind::internal,
			    text("apply: ", database_.path(), ": entry ", entry.index, " has version ",
				 command.cmd_version(), ": it was written by a newer neuwerkd"));
	time_ms_ = std::max(time_ms_, command.leader_time_ms());
	if (command.request_id().empty()) {
		auto outcome = perform(command, entry.index, changes);
		if (!outcome)
			return tl::unexpected(outcome.error());
		return outcome->map([&entry] { return entry.index; });
	}
	if (auto forgotten = forget_requests(); !forgotten)
		return tl::unexpected(forgotten.error());
	if (const auto known = requests_.find(command.request_id()); known != requests_.end())
		return known->second.outcome.map([&known] { return known->second.index; });
	auto outcome = perform(command, entry.index, changes);
	if (!outcome)
		return tl::unexpected(outcome.error());
	if (auto remembered = remember(command.request_id(), entry.index, *outcome); !remembered)
		return tl::unexpected(remembered.error());
	return outcome->map([&entry] { return entry.index; });
}

Result<Result<>> Records::perform(const v1::StateCommand &command, Index index, std::vector<Change> &changes)
{
	for (const v1::StateOperation &operation : command.operations()) {
		auto outcome = check(operation);
		if (!outcome || !*outcome)
			return outcome;
	}
	// Nothing below can be refused: the command happens as a whole.
	for (const v1::StateOperation &operation : command.operations())
		if (auto changed = change(operation, index, changes); !changed)
			return tl::unexpected(changed.error());
	return Result<>();
}

Result<Result<>> Records::check(const v1::StateOperation &operation)
{
	if (!operation.has_require())
		return Result<>();
	const auto old = look_up(operation.require().key());
	if (!old)
		return tl::unexpected(old.error());
	if (old->revision != operation.require().revision())
		return refuse(operation.require().key(), operation.require().revision(), old->revision);
	return Result<>();
}

Result<> Records::change(const v1::StateOperation &operation, Index index, std::vector<Change> &changes)
{
	switch (operation.kind_case()) {
	case v1::StateOperation::kPut:
		return put(operation, index, changes);
	case v1::StateOperation::kErase:
		return erase(operation.erase().key(), index, changes);
	case v1::StateOperation::kCollect:
		return collect(operation.collect().prefix(), operation.collect().cutoff_ms(), index, changes);
	case v1::StateOperation::kRequire:
		return {};
	case v1::StateOperation::KIND_NOT_SET:
		break;
	}
	return corrupt(text("entry ", index, " of the log holds an operation of no known kind"));
}

Result<> Records::put(const v1::StateOperation &operation, Index index, std::vector<Change> &changes)
{
	const v1::StateOperation::Put &put = operation.put();
	Change changed{.key = put.key(), .value = put.value(), .index = index};
	if (put.unpacked_bytes() > value_limit_bytes)
		return corrupt(
			text("entry ", index, " of the log: the value of ", put.key(), " is too large"));
	if (put.unpacked_bytes() != 0) {
		auto value = uncompress(put.value(), put.unpacked_bytes());
		if (!value)
			return corrupt(
				text("entry ", index, " of the log: ", put.key(), ": ", value.error().what));
		changed.value = std::move(*value);
	}
	const auto old = look_up(put.key());
	if (!old)
		return tl::unexpected(old.error());
	const std::uint64_t revision = old->revision + 1;
	const std::uint32_t crc =
		record_crc(put.key(), put.value(), put.unpacked_bytes(), revision, index, time_ms_);
	auto written = put_.bind(1, put.key())
			       .bind(2, put.value())
			       .bind(3, static_cast<std::int64_t>(put.unpacked_bytes()))
			       .bind(4, static_cast<std::int64_t>(revision))
			       .bind(5, static_cast<std::int64_t>(index))
			       .bind(6, time_ms_)
			       .bind(7, std::int64_t{crc})
			       .run();
	if (!written)
		return written;
	digest_ += crc - std::uint64_t{old->crc};
	record_count_ += old->revision == 0;
	changes.push_back(std::move(changed));
	return {};
}

Result<> Records::erase(std::string_view key, Index index, std::vector<Change> &changes)
{
	const auto old = look_up(key);
	if (!old)
		return tl::unexpected(old.error());
	if (old->revision == 0)
		return {};
	if (auto erased = erase_.bind(1, key).run(); !erased)
		return erased;
	digest_ -= old->crc;
	record_count_--;
	changes.push_back({.key = std::string(key), .value = std::nullopt, .index = index});
	return {};
}

Result<> Records::collect(std::string_view prefix, std::int64_t cutoff_ms, Index index,
			  std::vector<Change> &changes)
{
	const auto end = after_prefix(prefix);
	std::vector<std::string> keys;
	do {
		keys.clear();
		stale_.bind(1, prefix).bind(3, cutoff_ms).bind(4, std::int64_t{collect_step_keys});
		if (end)
			stale_.bind(2, *end);
		else
			stale_.bind_null(2);
		for (;;) {
			const auto row = stale_.step();
			if (!row)
				return tl::unexpected(row.error());
			if (!*row)
				break;
			keys.emplace_back(stale_.bytes(0));
		}
		for (const std::string &key : keys)
			if (auto erased = erase(key, index, changes); !erased)
				return erased;
	} while (keys.size() == collect_step_keys);
	return {};
}

Result<Records::Old> Records::look_up(std::string_view key)
{
	const auto row = look_up_.bind(1, key).step();
	if (!row)
		return tl::unexpected(row.error());
	if (!*row)
		return Old{};
	const Old old{static_cast<std::uint64_t>(look_up_.integer(0)),
		      static_cast<std::uint32_t>(look_up_.integer(1))};
	look_up_.reset();
	return old;
}

Result<> Records::tidy_up(bool idle)
{
	if (database_.wal_pages() < (idle ? limits_.wal_pages_idle : limits_.wal_pages_max))
		return {};
	return database_.checkpoint();
}

void Records::publish()
{
	totals_.record_count = record_count_;
	totals_.digest = digest_;
	totals_.file_bytes = database_.file_bytes();
	totals_.applied_index = applied_;
}

} // namespace neuwerk::state
