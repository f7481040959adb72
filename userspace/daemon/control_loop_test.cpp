// From documents, reloads and address changes to published policies: all or nothing.
#include "daemon/control_loop.h"
#include "daemon/fake_test_parts.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using namespace neuwerk::daemon;

namespace {

constexpr const char *allow_all = R"({"default_policy":"allow","source_groups":[]})";
constexpr const char *stored_at = "/s/policy.json";

struct Fixture {
	FakeEnforcer enforcer;
	FakeFiles files;
	PolicyStore store{files, "/s"};
	Generations generations;
	ControlLoop control{enforcer, store, files, generations};

	void start()
	{
		REQUIRE(control.start(two_arm(), two_ports()));
	}
	nw_verdict verdict_of(std::uint32_t source, std::uint32_t destination)
	{
		return enforcer
			.explain({.source = source,
				  .destination = destination,
				  .protocol = 17,
				  .source_port = 1,
				  .destination_port = 53})
			->verdict;
	}
};

constexpr std::uint32_t inside = 0x0a000005;  // 10.0.0.5
constexpr std::uint32_t outside = 0xc6336407; // 198.51.100.7

} // namespace

TEST_CASE_FIXTURE(Fixture, "a first start without any document denies everything and stores nothing")
{
	start();
	CHECK(enforcer.configured.size() == 1);
	CHECK(enforcer.current == 1);
	CHECK(verdict_of(inside, outside) == NW_VERDICT_denied_by_default);
	CHECK(files.content.empty());
	CHECK(control.policy_source() == "built-in deny: nothing was applied yet");
}

TEST_CASE_FIXTURE(Fixture,
		  "a first start applies policy.file, a later one the document that was applied last")
{
	files.content["/p.yaml"] = "default_policy: allow\nsource_groups: []\n";
	Config config = two_arm();
	config.policy.file = "/p.yaml";
	REQUIRE(control.start(config, two_ports()));
	CHECK(verdict_of(inside, outside) == NW_VERDICT_handed_to_poller);
	CHECK(control.policy_source() == "/p.yaml");
	REQUIRE(control.apply(R"({"default_policy":"deny","source_groups":[]})", policy::Syntax::json,
			      "socket"));

	FakeEnforcer next_enforcer;
	next_enforcer.current = enforcer.current; // pinned
	PolicyStore next_store(files, "/s");
	ControlLoop next(next_enforcer, next_store, files, generations);
	REQUIRE(next.start(config, two_ports()));
	CHECK(next_enforcer.current == 3);
	CHECK(next.policy_source() == stored_at);
	CHECK(*next.document() == files.content[stored_at]);
}

TEST_CASE_FIXTURE(Fixture, "a start with a document that cannot be read fails and says which one")
{
	files.content[stored_at] = "{";
	const auto started = control.start(two_arm(), two_ports());
	REQUIRE_FALSE(started);
	CHECK(started.error().what.starts_with("/s/policy.json: "));
	CHECK(enforcer.current == 0);

	Config config = two_arm();
	config.policy.file = "/absent.yaml";
	files.content.clear();
	const auto missing = control.start(config, two_ports());
	REQUIRE_FALSE(missing);
	CHECK(missing.error().what == "policy.file: open: /absent.yaml: No such file or directory");
}

TEST_CASE_FIXTURE(Fixture, "apply enforces, stores and reports warnings")
{
	start();
	const auto applied = control.apply(R"({"default_policy":"allow","source_groups":[],"colour":1})",
					   policy::Syntax::json, "control socket");
	REQUIRE(applied);
	CHECK(applied->generation == 2);
	REQUIRE(applied->warnings.size() == 1);
	CHECK(applied->warnings[0].starts_with("colour: "));
	CHECK(verdict_of(inside, outside) == NW_VERDICT_handed_to_poller);
	CHECK(*control.document() == files.content[stored_at]);
	CHECK(control.policy_source() == "control socket");
	CHECK(generations.find(2));
	CHECK(generations.find(1));
	CHECK_FALSE(generations.find(3));
}

TEST_CASE_FIXTURE(Fixture, "an apply that fails anywhere changes nothing")
{
	start();
	REQUIRE(control.apply(allow_all, policy::Syntax::json, "before"));
	const auto unchanged = [&] {
		CHECK(enforcer.current == 2);
		CHECK(verdict_of(inside, outside) == NW_VERDICT_handed_to_poller);
		CHECK(control.policy_source() == "before");
		CHECK(*control.document() == files.content[stored_at]);
		CHECK_FALSE(files.content.contains("/s/policy.json.new"));
	};
	const char *deny = R"({"default_policy":"deny","source_groups":[]})";

	SUBCASE("it does not parse")
	{
		CHECK_FALSE(control.apply("{", policy::Syntax::json, "x"));
		unchanged();
	}
	SUBCASE("it holds what the dataplane does not enforce")
	{
		const auto applied = control.apply(
			R"({"source_groups":[{"id":"a","mode":"enforce","sources":{"cidrs":["10.0.0.0/24"]},
			   "rules":[{"id":"r","mode":"enforce","action":"allow","match":{"dns_hostname":"^x$"}}]}]})",
			policy::Syntax::json, "x");
		CHECK_FALSE(applied);
		unchanged();
	}
	SUBCASE("the disk is full")
	{
		files.disk_is_full = true;
		const auto applied = control.apply(deny, policy::Syntax::json, "x");
		REQUIRE_FALSE(applied);
		CHECK(applied.error().kind == ErrorKind::resource_exhausted);
		CHECK(applied.error().what == "the policy was not stored and is not enforced: write: "
					      "/s/policy.json.new: No space left on device");
		unchanged();
	}
	SUBCASE("it cannot be published")
	{
		enforcer.publish_fails = true;
		CHECK_FALSE(control.apply(deny, policy::Syntax::json, "x"));
		enforcer.publish_fails = false;
		unchanged();
	}
}

TEST_CASE_FIXTURE(Fixture, "validate accepts what is valid and says what apply would refuse")
{
	start();
	const auto reviewed = control.validate(
		R"({"source_groups":[{"id":"a","mode":"enforce","sources":{"cidrs":["10.0.0.0/24"]},
		   "rules":[{"id":"r","mode":"enforce","action":"allow","match":{"dns_hostname":"^x\\.example$"}}]}]})",
		policy::Syntax::json);
	REQUIRE(reviewed);
	REQUIRE(reviewed->not_enforceable.size() == 1);
	CHECK(reviewed->not_enforceable[0].find("dns_hostname") != std::string::npos);
	CHECK_FALSE(control.validate("{", policy::Syntax::json));
	CHECK(control.validate(allow_all, policy::Syntax::json)->not_enforceable.empty());
	CHECK(enforcer.current == 1);
}

TEST_CASE_FIXTURE(Fixture, "reload applies policy.file and the policy section together, or neither")
{
	start();
	Config fresh = two_arm();
	fresh.policy.file = "/p.yaml";
	fresh.policy.internal = {{0xac100000, 12}};
	CHECK_FALSE(control.reload(fresh));
	CHECK(control.config().policy.internal.empty());
	CHECK(enforcer.current == 1);

	files.content["/p.yaml"] = "default_policy: allow\n";
	REQUIRE(control.reload(fresh));
	CHECK(control.config().policy.internal.size() == 1);
	CHECK(verdict_of(inside, outside) == NW_VERDICT_dropped_external_source);
	CHECK(verdict_of(0xac100001, outside) == NW_VERDICT_handed_to_poller);
	CHECK(files.content.contains(stored_at));
}

TEST_CASE_FIXTURE(Fixture, "policy.default decides for a document that does not")
{
	Config config = two_arm();
	config.policy.default_allow = true;
	REQUIRE(control.start(config, two_ports()));
	CHECK(verdict_of(inside, outside) == NW_VERDICT_denied_by_default); // nothing was applied yet
	REQUIRE(control.apply(R"({"source_groups":[]})", policy::Syntax::json, "x"));
	CHECK(verdict_of(inside, outside) == NW_VERDICT_handed_to_poller);
}

TEST_CASE_FIXTURE(Fixture,
		  "an address change reconfigures, and republishes only when the internal networks changed")
{
	start();
	Facts facts = two_ports();
	CHECK(control.surroundings_changed(facts));
	CHECK(enforcer.configured.size() == 1);

	facts[1].addresses[0].address = 0xcb007105; // the outside address
	CHECK(control.surroundings_changed(facts));
	CHECK(enforcer.configured.size() == 2);
	CHECK(enforcer.configured.back().external == std::vector<std::uint32_t>{0xcb007105});
	CHECK(enforcer.current == 1);

	facts[0].addresses.push_back({0xac100001, 16, true}); // a second inside network
	CHECK(control.surroundings_changed(facts));
	CHECK(enforcer.current == 2);
	CHECK(verdict_of(0xac100009, outside) == NW_VERDICT_denied_by_default);
}

TEST_CASE_FIXTURE(Fixture, "the last 64 generations keep their names")
{
	start();
	for (int i = 0; i < 70; i++)
		REQUIRE(control.apply(allow_all, policy::Syntax::json, "x"));
	CHECK(enforcer.current == 71);
	CHECK_FALSE(generations.find(7));
	CHECK(generations.find(8));
	CHECK(generations.find(71));
}
