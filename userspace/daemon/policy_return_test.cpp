// Policies that come back: confirmations that nobody gave, rollbacks, and the names of the legacy routes.
#include "daemon/control_loop_bench.h"

using namespace neuwerk;
using namespace neuwerk::daemon;

TEST_CASE_FIXTURE(ControlBench, "a policy that nobody confirms in time goes, and the one before returns")
{
	start();
	REQUIRE(write(allow_all));
	REQUIRE(write(deny_all, 60));
	CHECK_FALSE(is_open());
	REQUIRE(control->status().confirmation);
	CHECK(*control->status().confirmation ==
	      Confirmation{.revision = 2, .previous_revision = 1, .deadline_ms = now_ms + 60'000});
	pass(59);
	CHECK_FALSE(is_open());
	pass(1);
	CHECK(is_open());
	CHECK(book.state.record.revision == 3);
	CHECK(book.state.record.source == "confirm-timeout");
	CHECK(book.state.record.author == "neuwerkd");
	CHECK(book.state.record.document == allow_all);
	CHECK_FALSE(control->status().confirmation);
	CHECK(control->status().enforced_revision == 3);
	pass(600);
	CHECK(book.state.record.revision == 3);
}

TEST_CASE_FIXTURE(ControlBench, "a confirmation keeps the policy, and there is only one to give")
{
	start();
	REQUIRE(write(allow_all));
	REQUIRE(write(deny_all, 60));
	REQUIRE(control->confirm("bob"));
	CHECK_FALSE(book.state.confirmation);
	pass(600);
	CHECK_FALSE(is_open());
	CHECK(book.state.record.revision == 2);
	const auto again = control->confirm("bob");
	REQUIRE_FALSE(again);
	CHECK(again.error().kind == ErrorKind::conflict);
}

TEST_CASE_FIXTURE(ControlBench, "a deadline that passed while nobody ran is kept at the start")
{
	start();
	REQUIRE(write(allow_all));
	REQUIRE(write(deny_all, 60));
	control->tick();
	now_ms += 3'600'000;
	restart();
	CHECK_FALSE(is_open());
	control->tick();
	CHECK(is_open());
	CHECK(book.state.record.source == "confirm-timeout");
}

TEST_CASE_FIXTURE(ControlBench, "without an earlier policy the one before the first write returns")
{
	start();
	REQUIRE(write(allow_all, 10));
	CHECK(is_open());
	pass(10);
	CHECK_FALSE(is_open());
	CHECK(book.state.record.revision == 2);
	CHECK(book.state.record.document == deny_all);
}

TEST_CASE_FIXTURE(ControlBench, "while a confirmation is waited for, other writes are refused")
{
	start();
	REQUIRE(write(allow_all));
	REQUIRE(write(deny_all, 60));
	const auto refused = write(allow_all);
	REQUIRE_FALSE(refused);
	CHECK(refused.error().kind == ErrorKind::conflict);
	CHECK(refused.error().what ==
	      "policy: revision 2 waits for its confirmation: confirm it, roll back to "
	      "revision 1, or write with confirm");

	SUBCASE("one with a confirmation of its own is taken, and the last confirmed policy stays the one to "
		"return")
	{
		pass(30);
		REQUIRE(write(R"({"default_policy":"DENY"})", 60));
		pass(59);
		CHECK_FALSE(is_open());
		pass(1);
		CHECK(is_open());
		CHECK(book.state.record.document == allow_all);
	}
	SUBCASE("a rollback to the policy that would return ends the wait")
	{
		REQUIRE(control->roll_back(1, "alice", ""));
		CHECK(is_open());
		CHECK_FALSE(control->status().confirmation);
		CHECK(book.state.record.message == "back to revision 1");
	}
	SUBCASE("a rollback to another policy is refused")
	{
		const auto other = control->roll_back(2, "alice", "");
		REQUIRE_FALSE(other);
		CHECK(other.error().kind == ErrorKind::conflict);
	}
}

TEST_CASE_FIXTURE(ControlBench, "a policy that cannot return is tried again until it can")
{
	start();
	REQUIRE(write(allow_all));
	REQUIRE(write(deny_all, 60));
	book.commit_fails = true;
	pass(60);
	CHECK_FALSE(is_open());
	CHECK(control->status().last_error.find("cannot return") != std::string::npos);
	book.commit_fails = false;
	pass(1);
	CHECK(is_open());
}

TEST_CASE_FIXTURE(ControlBench, "a confirmation takes from one second to one day")
{
	start();
	for (const std::int64_t seconds :
	     {std::int64_t{0}, std::int64_t{-1}, ControlLoop::confirm_max_s + 1}) {
		const auto refused = write(allow_all, seconds);
		REQUIRE_FALSE(refused);
		CHECK(refused.error().kind == ErrorKind::invalid_argument);
	}
	CHECK(write(allow_all, ControlLoop::confirm_max_s));
}

TEST_CASE_FIXTURE(ControlBench, "a rollback is a new revision with the old document")
{
	start();
	REQUIRE(write(allow_all));
	REQUIRE(write(deny_all));
	const auto back = control->roll_back(1, "bob", "it broke mail");
	REQUIRE(back);
	CHECK(back->record.revision == 3);
	CHECK(back->record.source == "rollback");
	CHECK(back->record.author == "bob");
	CHECK(back->record.message == "it broke mail");
	CHECK(is_open());
	const auto unknown = control->roll_back(9, "bob", "");
	REQUIRE_FALSE(unknown);
	CHECK(unknown.error().kind == ErrorKind::not_found);
}

TEST_CASE_FIXTURE(ControlBench, "the legacy routes name the policy, soften it, switch it off and reset it")
{
	start();
	PolicyWrite named{.document = deny_all, .author = "terraform", .message = {}};
	named.name = "Edge";
	named.mode = "audit";
	named.default_group_mode = "enforce";
	const auto created = control->write(named);
	REQUIRE(created);
	const std::string id = created->record.id;
	CHECK(id != nil_uuid);
	CHECK(created->record.mode == "audit");
	CHECK(is_open()); // audited: the deny of default_policy only reports
	control->tick();
	CHECK(files.content.at(copy_path).find(R"("default_policy": "allow")") != std::string::npos);

	named.name = " edge ";
	named.mode = "disabled";
	named.document = allow_all;
	const auto updated = control->write(named);
	REQUIRE(updated);
	CHECK(updated->record.id == id);
	CHECK_FALSE(is_open()); // stored, but no rule counts: policy.default
	CHECK(updated->record.document == allow_all);

	named.name = "other";
	const auto refused = control->write(named);
	REQUIRE_FALSE(refused);
	CHECK(refused.error().kind == ErrorKind::conflict);
	CHECK(refused.error().what == "policy name already exists:  edge ");

	const auto unknown = control->reset("11111111-2222-4333-8444-555555555555", "terraform");
	REQUIRE_FALSE(unknown);
	CHECK(unknown.error().kind == ErrorKind::not_found);
	REQUIRE(control->reset(id, "terraform"));
	CHECK_FALSE(book.state.record.name);
	CHECK(book.state.record.document == deny_all);
	CHECK(book.state.record.mode == "enforce");
	CHECK_FALSE(control->reset(id, "terraform"));
}

TEST_CASE_FIXTURE(ControlBench, "a write without a name takes the name and the mode away, not the id")
{
	start();
	PolicyWrite named{.document = allow_all, .author = "terraform", .message = {}};
	named.name = "edge";
	const std::string id = control->write(named)->record.id;
	const auto plain = write(deny_all);
	REQUIRE(plain);
	CHECK_FALSE(plain->record.name);
	CHECK(plain->record.id == id);
	named.mode = "sometimes";
	CHECK_FALSE(control->write(named));
}
