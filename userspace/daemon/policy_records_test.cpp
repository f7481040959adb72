// The policy in a real store: what is committed comes back, and only the last revisions are kept.
#include "daemon/policy_records.h"

#include "state/temporary_store.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using namespace neuwerk::daemon;

namespace {

PolicyRecord record_of(std::uint64_t revision)
{
	return {.revision = revision,
		.id = nil_uuid,
		.created_at = "2027-01-15T08:00:00Z",
		.name = revision % 2 ? std::optional<std::string>("edge \"1\"") : std::nullopt,
		.mode = "enforce",
		.document = "{\"revision\":" + std::to_string(revision) + "}",
		.author = "alice",
		.message = "why",
		.source = "admin-api",
		.time = "2027-01-15T08:00:01Z"};
}

void commit(PolicyRecords &records, std::uint64_t revision,
	    const std::optional<Confirmation> &confirmation = std::nullopt)
{
	const auto before = records.read();
	REQUIRE(before);
	const auto committed = records.commit(*before, record_of(revision), confirmation);
	REQUIRE_MESSAGE(committed, (committed ? "" : committed.error().what));
}

} // namespace

TEST_CASE("before the first write the policy denies everything")
{
	state::TemporaryStore store;
	const auto state = PolicyRecords(*store).read();
	REQUIRE(state);
	CHECK(state->record.revision == 0);
	CHECK(state->record.document == first_document);
	CHECK(state->record.id == nil_uuid);
}

TEST_CASE("a committed record comes back after a restart, field by field")
{
	state::TemporaryStore store;
	{
		PolicyRecords records(*store);
		commit(records, 1, Confirmation{.revision = 1, .previous_revision = 0, .deadline_ms = 77});
	}
	store.reopen();
	PolicyRecords records(*store);
	const auto state = records.read();
	REQUIRE(state);
	const PolicyRecord wanted = record_of(1);
	CHECK(state->record.revision == 1);
	CHECK(state->record.name == wanted.name);
	CHECK(state->record.document == wanted.document);
	CHECK(state->record.author == wanted.author);
	CHECK(state->record.message == wanted.message);
	CHECK(state->record.source == wanted.source);
	CHECK(state->record.time == wanted.time);
	REQUIRE(state->confirmation);
	CHECK(state->confirmation->deadline_ms == 77);

	REQUIRE(records.confirm(*state, "bob"));
	CHECK_FALSE(records.read()->confirmation);
	CHECK_FALSE(records.confirm(*state, "bob")); // by then it was gone
}

TEST_CASE("of two writers on the same state one is refused, and nothing of it is kept")
{
	state::TemporaryStore store;
	PolicyRecords records(*store);
	const auto before = records.read();
	REQUIRE(records.commit(*before, record_of(1), std::nullopt));
	const auto late = records.commit(*before, record_of(2), std::nullopt);
	REQUIRE_FALSE(late);
	CHECK(late.error().kind == ErrorKind::conflict);
	CHECK(records.read()->record.revision == 1);
	CHECK_FALSE(records.at(2));
}

TEST_CASE("the last 50 revisions are kept, newest first, and the one that may return")
{
	state::TemporaryStore store;
	PolicyRecords records(*store);
	for (std::uint64_t revision = 1; revision <= 60; revision++) {
		std::optional<Confirmation> confirmation;
		if (revision > 3)
			confirmation = {.revision = revision, .previous_revision = 3, .deadline_ms = 77};
		commit(records, revision, confirmation);
	}
	const auto history = records.history();
	REQUIRE(history);
	REQUIRE(history->size() == PolicyBook::history_limit_count + 1);
	CHECK(history->front().revision == 60);
	CHECK(history->back().revision == 3);
	CHECK(history->front().document.empty());
	CHECK(records.at(11)->document == record_of(11).document);
	CHECK(records.at(3)->document == record_of(3).document);
	const auto gone = records.at(10);
	REQUIRE_FALSE(gone);
	CHECK(gone.error().kind == ErrorKind::not_found);
	commit(records, 61);
	CHECK_FALSE(records.at(3)); // nobody needs it any more
	CHECK(records.history()->size() == PolicyBook::history_limit_count);
}

TEST_CASE("a damaged record is named")
{
	state::TemporaryStore store;
	PolicyRecords records(*store);
	commit(records, 1);
	REQUIRE(store->write(
		{.operations = {state::put("policy/state", "{}")}, .actor = "x", .request_id = {}}));
	const auto damaged = records.read();
	REQUIRE_FALSE(damaged);
	CHECK(damaged.error().kind == ErrorKind::corrupt);
	CHECK(damaged.error().what.starts_with("record policy/state: damaged: "));
}
