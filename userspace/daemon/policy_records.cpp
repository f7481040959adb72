// The policy, its history and the pending confirmation in the Store, JSON by JSON.
#include "daemon/policy_records.h"

#include "base/address.h"
#include "base/text.h"

#include <boost/json.hpp>

#include <cstdio>
#include <utility>

namespace neuwerk::daemon {

namespace json = boost::json;

namespace {

constexpr const char *version_key = "policy/version";
constexpr const char *state_key = "policy/state";
constexpr const char *confirm_key = "policy/confirm";
constexpr std::string_view history_prefix = "policy/history/";
constexpr std::string_view document_prefix = "policy/document/";

// Zero-padded, so that the order of keys is the order of revisions.
std::string numbered(std::string_view prefix, std::uint64_t revision)
{
	char digits[21];
	std::snprintf(digits, sizeof digits, "%020llu", static_cast<unsigned long long>(revision));
	return text(prefix, digits);
}

std::string to_json(const PolicyRecord &record)
{
	return json::serialize(json::object{
		{"revision", record.revision},
		{"id", record.id},
		{"created_at", record.created_at},
		{"name", record.name ? json::value(*record.name) : json::value()},
		{"mode", record.mode},
		{"author", record.author},
		{"message", record.message},
		{"source", record.source},
		{"time", record.time},
	});
}

tl::unexpected<Error> damaged(const std::string &key, std::string_view why)
{
	return fail(ErrorKind::corrupt, text("record ", key, ": damaged: ", why));
}

std::string text_at(const json::object &object, std::string_view key)
{
	return std::string(object.at(key).as_string());
}

// Boost.JSON throws on a missing key or another type: both mean that this is not what we wrote.
Result<PolicyRecord> record_of(const std::string &key, std::string_view value)
{
	try {
		const json::value tree = json::parse(value);
		const json::object &object = tree.as_object();
		PolicyRecord record{.revision = object.at("revision").to_number<std::uint64_t>(),
				    .id = text_at(object, "id"),
				    .created_at = text_at(object, "created_at"),
				    .name = std::nullopt,
				    .mode = text_at(object, "mode"),
				    .document = {},
				    .author = text_at(object, "author"),
				    .message = text_at(object, "message"),
				    .source = text_at(object, "source"),
				    .time = text_at(object, "time")};
		if (!object.at("name").is_null())
			record.name = text_at(object, "name");
		return record;
	} catch (const std::exception &error) {
		return damaged(key, error.what());
	}
}

Result<Confirmation> confirmation_of(std::string_view value)
{
	try {
		const json::value tree = json::parse(value);
		return Confirmation{.revision = tree.at("revision").to_number<std::uint64_t>(),
				    .previous_revision =
					    tree.at("previous_revision").to_number<std::uint64_t>(),
				    .deadline_ms = tree.at("deadline_ms").to_number<std::int64_t>()};
	} catch (const std::exception &error) {
		return damaged(confirm_key, error.what());
	}
}

std::string to_json(const Confirmation &confirmation)
{
	return json::serialize(json::object{{"revision", confirmation.revision},
					    {"previous_revision", confirmation.previous_revision},
					    {"deadline_ms", confirmation.deadline_ms}});
}

} // namespace

Result<PolicyState> PolicyRecords::read() const
{
	PolicyState state;
	const auto version = store_.get(version_key);
	if (!version)
		return tl::unexpected(version.error());
	if (!*version) {
		state.record.id = nil_uuid;
		state.record.document = first_document;
		return state;
	}
	state.version_key = (*version)->revision;
	const auto stored = store_.get(state_key);
	if (!stored)
		return tl::unexpected(stored.error());
	if (!*stored)
		return damaged(state_key, "it is missing, but policy/version is there");
	auto record = record_of(state_key, (*stored)->value);
	if (!record)
		return tl::unexpected(record.error());
	auto document = document_of(record->revision);
	if (!document)
		return tl::unexpected(document.error());
	state.record = std::move(*record);
	state.record.document = std::move(*document);
	const auto confirmation = store_.get(confirm_key);
	if (!confirmation)
		return tl::unexpected(confirmation.error());
	if (*confirmation) {
		const auto pending = confirmation_of((*confirmation)->value);
		if (!pending)
			return tl::unexpected(pending.error());
		state.confirmation = *pending;
		state.confirmation_key = (*confirmation)->revision;
	}
	return state;
}

Result<std::string> PolicyRecords::document_of(std::uint64_t revision) const
{
	const std::string key = numbered(document_prefix, revision);
	auto stored = store_.get(key);
	if (!stored)
		return tl::unexpected(stored.error());
	if (!*stored)
		return damaged(key, "it is missing");
	return std::move((*stored)->value);
}

Result<std::vector<PolicyRecord>> PolicyRecords::history() const
{
	const auto stored = store_.list(history_prefix);
	if (!stored)
		return tl::unexpected(stored.error());
	std::vector<PolicyRecord> records;
	for (auto entry = stored->rbegin(); entry != stored->rend(); ++entry) {
		auto record = record_of(entry->key, entry->value);
		if (!record)
			return tl::unexpected(record.error());
		records.push_back(std::move(*record));
	}
	return records;
}

Result<PolicyRecord> PolicyRecords::at(std::uint64_t revision) const
{
	const std::string key = numbered(history_prefix, revision);
	const auto stored = store_.get(key);
	if (!stored)
		return tl::unexpected(stored.error());
	if (!*stored)
		return fail(ErrorKind::not_found,
			    text("policy revision ", revision, ": not in the history, which holds the last ",
				 history_limit_count));
	auto record = record_of(key, (*stored)->value);
	if (!record)
		return record;
	auto document = document_of(revision);
	if (!document)
		return tl::unexpected(document.error());
	record->document = std::move(*document);
	return record;
}

// `needed` stays, however old: a missing confirmation brings it back.
Result<> PolicyRecords::forget_old(std::uint64_t next, std::uint64_t needed,
				   std::vector<state::Operation> &operations) const
{
	const auto stored = store_.list(history_prefix);
	if (!stored)
		return tl::unexpected(stored.error());
	for (const state::Record &entry : *stored) {
		const auto revision = parse_number(entry.key.substr(history_prefix.size()), INT64_MAX);
		if (!revision || *revision == needed || *revision + history_limit_count > next)
			continue;
		operations.push_back(state::erase(entry.key));
		operations.push_back(state::erase(numbered(document_prefix, *revision)));
	}
	return {};
}

Result<> PolicyRecords::commit(const PolicyState &before, const PolicyRecord &next,
			       const std::optional<Confirmation> &confirmation)
{
	const std::string record = to_json(next);
	std::vector<state::Operation> operations = {
		state::require(version_key, before.version_key),
		state::require(confirm_key, before.confirmation_key),
		state::put(version_key, std::to_string(next.revision)),
		state::put(state_key, record),
		state::put(numbered(history_prefix, next.revision), record),
		state::put(numbered(document_prefix, next.revision), next.document),
	};
	if (confirmation)
		operations.push_back(state::put(confirm_key, to_json(*confirmation)));
	else if (before.confirmation)
		operations.push_back(state::erase(confirm_key));
	const std::uint64_t needed = confirmation ? confirmation->previous_revision : 0;
	if (auto chosen = forget_old(next.revision, needed, operations); !chosen)
		return chosen;
	const auto written =
		store_.write({.operations = std::move(operations), .actor = next.author, .request_id = {}});
	return written ? Result<>{} : tl::unexpected(written.error());
}

Result<> PolicyRecords::confirm(const PolicyState &before, const std::string &actor)
{
	const auto written =
		store_.write({.operations = {state::require(confirm_key, before.confirmation_key),
					     state::erase(confirm_key)},
			      .actor = actor,
			      .request_id = {}});
	return written ? Result<>{} : tl::unexpected(written.error());
}

} // namespace neuwerk::daemon
