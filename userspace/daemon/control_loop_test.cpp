// What becomes a published policy and when: starts, writes, reloads, address changes.
#include "daemon/control_loop.h"
#include "daemon/control_loop_bench.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using namespace neuwerk::daemon;

TEST_CASE_FIXTURE(ControlBench, "a first start without any document denies everything and writes nothing")
{
	start();
	CHECK(enforcer.configured.size() == 1);
	CHECK(enforcer.current == 1);
	CHECK(verdict_of(inside, outside) == NW_VERDICT_denied_by_default);
	control->tick();
	CHECK(files.content.empty());
	CHECK(book.records.empty());
	CHECK(control->policy_source() == "built-in deny: nothing was applied yet");
	CHECK(control->status().revision == 0);
}

TEST_CASE_FIXTURE(ControlBench, "a first start writes policy.file, a later one enforces what stands")
{
	files.content["/p.yaml"] = "default_policy: allow\nsource_groups: []\n";
	Config config = two_arm();
	config.policy.file = "/p.yaml";
	start(config);
	CHECK(verdict_of(inside, outside) == NW_VERDICT_handed_to_poller);
	CHECK(control->policy_source() == "/p.yaml");
	CHECK(book.state.record.source == "init");
	REQUIRE(write(deny_all));
	control->tick();
	CHECK(files.content.at(copy_path) == deny_all);

	restart(config);
	CHECK(enforcer.current == 3); // once, although the copy and the records say so
	CHECK(verdict_of(inside, outside) == NW_VERDICT_denied_by_default);
	CHECK(control->policy_source() == "admin-api by alice");
	CHECK(control->status().enforced_revision == 2);
	CHECK(generations.origin(3).revision == 2);
}

TEST_CASE_FIXTURE(ControlBench, "the copy on disk is enforced before the records are read, then they win")
{
	start();
	REQUIRE(write(allow_all));
	control->tick();
	files.content[copy_path] = deny_all; // out of date
	make_control();
	REQUIRE(control->start(two_arm(), two_ports()));
	CHECK(verdict_of(inside, outside) == NW_VERDICT_denied_by_default);
	CHECK(control->policy_ready());
	REQUIRE(control->open_book(book));
	CHECK(verdict_of(inside, outside) == NW_VERDICT_handed_to_poller);
	control->tick();
	CHECK(files.content.at(copy_path) == allow_all);
}

TEST_CASE_FIXTURE(ControlBench, "the policy of a version without records becomes revision 1, once")
{
	files.content[copy_path] = R"({"default_policy": "allow", "source_groups": []})";
	start();
	CHECK(book.state.record.revision == 1);
	CHECK(book.state.record.source == "import");
	CHECK(book.state.record.document == allow_all);
	restart();
	CHECK(book.state.record.revision == 1);
}

TEST_CASE_FIXTURE(ControlBench, "a damaged copy stops a start only while it is all there is")
{
	files.content[copy_path] = "{";
	make_control();
	REQUIRE(control->start(two_arm(), two_ports()));
	const auto opened = control->open_book(book);
	REQUIRE_FALSE(opened);
	CHECK(opened.error().what.starts_with("/s/policy.json: "));
	CHECK(enforcer.current == 0);

	files.content.clear();
	start();
	REQUIRE(write(allow_all));
	files.content[copy_path] = "{";
	restart();
	CHECK(verdict_of(inside, outside) == NW_VERDICT_handed_to_poller);
}

TEST_CASE_FIXTURE(ControlBench, "a policy.file that is missing at the first start is named")
{
	Config config = two_arm();
	config.policy.file = "/absent.yaml";
	make_control();
	REQUIRE(control->start(config, two_ports()));
	const auto missing = control->open_book(book);
	REQUIRE_FALSE(missing);
	CHECK(missing.error().what == "policy.file: open: /absent.yaml: No such file or directory");
}

TEST_CASE_FIXTURE(ControlBench, "a write is enforced, recorded and warned about")
{
	start();
	const auto written = write(R"({"default_policy":"allow","source_groups":[],"colour":1})");
	REQUIRE(written);
	CHECK(written->generation == 2);
	CHECK(written->record.revision == 1);
	CHECK(written->record.document == allow_all);
	CHECK(written->record.author == "alice");
	CHECK(written->record.time == "2027-01-15T08:00:00Z");
	CHECK(written->record.created_at == written->record.time);
	CHECK_FALSE(written->activation_pending);
	REQUIRE(written->warnings.size() == 1);
	CHECK(written->warnings[0].starts_with("colour: "));
	CHECK(verdict_of(inside, outside) == NW_VERDICT_handed_to_poller);
	CHECK(generations.origin(2).revision == 1);
	CHECK(generations.find(1));
	CHECK_FALSE(generations.find(3));
}

TEST_CASE_FIXTURE(ControlBench, "a write of what stands makes no revision and no generation")
{
	start();
	REQUIRE(write(allow_all));
	const auto again = write(R"({"default_policy": "allow"})");
	REQUIRE(again);
	CHECK(again->unchanged);
	CHECK(again->record.revision == 1);
	CHECK(again->generation == 2);
	CHECK(enforcer.current == 2);
}

TEST_CASE_FIXTURE(ControlBench, "a write that fails before the commit changes nothing")
{
	start();
	REQUIRE(write(allow_all));
	const auto unchanged = [&] {
		CHECK(enforcer.current == 2);
		CHECK(verdict_of(inside, outside) == NW_VERDICT_handed_to_poller);
		CHECK(control->status().revision == 1);
		CHECK_FALSE(control->status().pending);
		CHECK(book.records.size() == 1);
	};
	SUBCASE("it does not parse")
	{
		CHECK_FALSE(write("{"));
	}
	SUBCASE("it holds what the dataplane does not enforce")
	{
		CHECK_FALSE(write(
			R"({"source_groups":[{"id":"a","mode":"enforce","sources":{"cidrs":["10.0.0.0/24"]},
			   "rules":[{"id":"r","action":"allow","match":{"dns_hostname":"^x$"}}]}]})"));
	}
	SUBCASE("one of its own tests fails")
	{
		const auto refused = write(R"({"default_policy":"deny","tests":[{"name":"web is open",
			"from":"10.0.0.5","to":"198.51.100.7","proto":"tcp","dport":443,"expect":"allow"}]})");
		REQUIRE_FALSE(refused);
		CHECK(refused.error().kind == ErrorKind::invalid_argument);
		CHECK(refused.error().what == "policy test 'web is open' fails: expected allow, but it is "
					      "denied_by_default by default");
	}
	SUBCASE("it is too much for the tables")
	{
		Config small = two_arm();
		small.dataplane.sizes.policy_nodes = 2; // what allow_all takes
		enforcer.current = 0;
		make_control();
		REQUIRE(control->start(small, two_ports()));
		REQUIRE(control->open_book(book));
		enforcer.current = 2;
		const auto refused = write(
			R"({"source_groups":[{"id":"a","mode":"enforce","sources":{"cidrs":["10.0.0.0/24"]},
			   "rules":[{"id":"r","action":"allow","match":{"proto":"tcp","dst_ports":[80]}}]}]})");
		REQUIRE_FALSE(refused);
		CHECK(refused.error().kind == ErrorKind::invalid_argument);
	}
	SUBCASE("the half cannot be filled")
	{
		enforcer.prepare_fails = true;
		CHECK_FALSE(write(deny_all));
		enforcer.prepare_fails = false;
	}
	SUBCASE("it cannot be recorded")
	{
		book.commit_fails = true;
		const auto refused = write(deny_all);
		REQUIRE_FALSE(refused);
		CHECK(refused.error().kind == ErrorKind::resource_exhausted);
		CHECK(refused.error().what ==
		      "the policy was not stored and is not enforced: write: the disk "
		      "is nearly full");
	}
	SUBCASE("somebody else wrote meanwhile")
	{
		PolicyWrite late{.document = deny_all, .author = "bob", .message = {}};
		late.expected_revision = 7;
		const auto refused = control->write(late);
		REQUIRE_FALSE(refused);
		CHECK(refused.error().kind == ErrorKind::conflict);
	}
	unchanged();
}

TEST_CASE_FIXTURE(ControlBench,
		  "after the commit a write succeeds, and enforcement is retried until it works")
{
	start();
	enforcer.flip_fails = true;
	const auto written = write(allow_all);
	REQUIRE(written);
	CHECK(written->activation_pending);
	CHECK(written->record.revision == 1);
	CHECK(verdict_of(inside, outside) == NW_VERDICT_denied_by_default);
	REQUIRE(control->status().pending);
	CHECK(control->status().pending->attempt_count == 1);

	control->tick(); // too early
	CHECK(control->status().pending->attempt_count == 1);
	clock.advance(ControlLoop::first_retry);
	control->tick();
	CHECK(control->status().pending->attempt_count == 2);
	clock.advance(ControlLoop::first_retry); // the second pause is twice as long
	control->tick();
	CHECK(control->status().pending->attempt_count == 2);
	CHECK_FALSE(files.content.contains(copy_path)); // the copy is of what is enforced

	enforcer.flip_fails = false;
	clock.advance(ControlLoop::longest_retry);
	control->tick();
	CHECK_FALSE(control->status().pending);
	CHECK(control->status().enforced_revision == 1);
	CHECK(verdict_of(inside, outside) == NW_VERDICT_handed_to_poller);
	CHECK(files.content.at(copy_path) == allow_all);
}

TEST_CASE_FIXTURE(ControlBench, "who insists on enforcement gets an error, though the write stands")
{
	start();
	enforcer.flip_fails = true;
	PolicyWrite insistent{.document = allow_all, .author = "alice", .message = {}};
	insistent.wait_required = true;
	const auto written = control->write(insistent);
	REQUIRE_FALSE(written);
	CHECK(written.error().kind == ErrorKind::unavailable);
	CHECK(written.error().what.starts_with("policy revision 1 is committed but not enforced yet"));
	CHECK(book.state.record.revision == 1);
}

TEST_CASE_FIXTURE(ControlBench, "a commit whose answer was lost is enforced all the same")
{
	start();
	book.answer_is_lost = true;
	CHECK_FALSE(write(allow_all));
	CHECK(control->status().revision == 1);
	clock.advance(ControlLoop::first_retry);
	control->tick();
	CHECK(control->status().enforced_revision == 1);
	CHECK(verdict_of(inside, outside) == NW_VERDICT_handed_to_poller);
}

TEST_CASE_FIXTURE(ControlBench, "a copy that cannot be written is tried again and never fails a write")
{
	start();
	files.disk_is_full = true;
	REQUIRE(write(allow_all));
	control->tick();
	CHECK(control->status().last_error.find("No space left") != std::string::npos);
	files.disk_is_full = false;
	clock.advance(ControlLoop::first_retry);
	control->tick();
	CHECK(files.content.at(copy_path) == allow_all);
}

TEST_CASE_FIXTURE(ControlBench, "validate accepts what is valid and says what a write would refuse")
{
	start();
	const auto review = [&](std::string_view document) {
		return control->validate(document, policy::Syntax::json);
	};
	const auto unenforced = review(
		R"({"source_groups":[{"id":"a","mode":"enforce","sources":{"cidrs":["10.0.0.0/24"]},
		   "rules":[{"id":"r","action":"allow","match":{"dns_hostname":"^x\\.example$"}}]}]})");
	REQUIRE(unenforced);
	REQUIRE(unenforced->not_enforceable.size() == 1);
	CHECK(unenforced->not_enforceable[0].find("dns_hostname") != std::string::npos);
	CHECK_FALSE(review("{"));
	CHECK(review(allow_all)->not_enforceable.empty());
	const auto failing =
		review(R"({"tests":[{"from":"10.0.0.5","to":"1.2.3.4","proto":"icmp","expect":"allow"}]})");
	REQUIRE(failing);
	CHECK(failing->not_enforceable.size() == 1);
	const auto shadowed = review(
		R"({"source_groups":[{"id":"a","mode":"enforce","sources":{"cidrs":["10.0.0.0/24"]},
		   "rules":[{"id":"all","action":"allow","match":{}},{"id":"never","action":"deny","match":{}}]}]})");
	REQUIRE(shadowed);
	REQUIRE(shadowed->warnings.size() == 1);
	CHECK(shadowed->warnings[0].starts_with("source_groups[0].rules[1]: no packet reaches rule 'never'"));
	CHECK(enforcer.current == 1);
}

TEST_CASE_FIXTURE(ControlBench, "reload writes policy.file and takes the policy section over, or neither")
{
	start();
	Config fresh = two_arm();
	fresh.policy.file = "/p.yaml";
	fresh.policy.internal = {{0xac100000, 12}};
	CHECK_FALSE(control->reload(fresh));
	CHECK(control->config().policy.internal.empty());
	CHECK(enforcer.current == 1);

	files.content["/p.yaml"] = "default_policy: allow\n";
	REQUIRE(control->reload(fresh));
	CHECK(control->config().policy.internal.size() == 1);
	CHECK(book.state.record.source == "file");
	CHECK(verdict_of(inside, outside) == NW_VERDICT_dropped_external_source);
	CHECK(verdict_of(0xac100001, outside) == NW_VERDICT_handed_to_poller);

	// The same file with other networks: no new revision, but a new generation.
	fresh.policy.internal = {{0x0a000000, 8}};
	const auto again = control->reload(fresh);
	REQUIRE(again);
	CHECK(again->unchanged);
	CHECK(verdict_of(inside, outside) == NW_VERDICT_handed_to_poller);
}

TEST_CASE_FIXTURE(ControlBench, "policy.default decides for a document that does not, and is kept with it")
{
	Config config = two_arm();
	config.policy.default_allow = true;
	start(config);
	CHECK(verdict_of(inside, outside) == NW_VERDICT_denied_by_default); // nothing was applied yet
	REQUIRE(write(R"({"source_groups":[]})"));
	CHECK(verdict_of(inside, outside) == NW_VERDICT_handed_to_poller);
	CHECK(book.state.record.document == allow_all);
}

TEST_CASE_FIXTURE(ControlBench,
		  "an address change reconfigures, and republishes only when the internal networks changed")
{
	start();
	Facts facts = two_ports();
	CHECK(control->surroundings_changed(facts));
	CHECK(enforcer.configured.size() == 1);

	facts[1].addresses[0].address = 0xcb007105; // the outside address
	CHECK(control->surroundings_changed(facts));
	CHECK(enforcer.configured.size() == 2);
	CHECK(enforcer.configured.back().external == std::vector<std::uint32_t>{0xcb007105});
	CHECK(enforcer.current == 1);

	facts[0].addresses.push_back({0xac100001, 16, true}); // a second inside network
	CHECK(control->surroundings_changed(facts));
	CHECK(enforcer.current == 2);
	CHECK(verdict_of(0xac100009, outside) == NW_VERDICT_denied_by_default);
}

TEST_CASE_FIXTURE(ControlBench, "the last 64 generations keep their names")
{
	start();
	for (int i = 0; i < 70; i++)
		REQUIRE(write(i % 2 ? deny_all : allow_all));
	CHECK(enforcer.current == 71);
	CHECK_FALSE(generations.find(7));
	CHECK(generations.find(8));
	CHECK(generations.find(71));
	CHECK(generations.origin(71).revision == 70);
}
