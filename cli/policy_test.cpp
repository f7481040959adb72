// What the policy commands send, and what they make of the answers.
#include "nouns.h"
#include "test_world.h"

#include "base/error_codes.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using namespace neuwerk::cli;

TEST_CASE("a policy is sent as it stands, with the type that its name or its first character tells")
{
	const TestDirectory directory;
	write_file(directory / "p.yaml", "default_policy: deny\n");
	write_file(directory / "p.json", "{}");
	const Headers headers = {{"x-neuwerk-revision", "7"},
				 {"x-neuwerk-generation", "4"},
				 {"x-neuwerk-warning", "source_groups[0].colour: unknown key"},
				 {"x-neuwerk-warning", "second"}};
	TestWorld ctl;
	ctl.answer(200, "{}", headers);
	CHECK(ctl({"policy", "apply", "--confirm", "5m", "--message", "why & how", "--wait",
		   directory / "p.yaml"}) == 0);
	CHECK(line_of(ctl.requests.back()) ==
	      "PUT /api/v1/policy?confirm=300&message=why%20%26%20how&wait=required default_policy: deny\n");
	CHECK(ctl.requests.back().content_type == "application/yaml");
	CHECK(ctl.out == "policy revision 7 is in force, generation 4\n"
			 "warning: source_groups[0].colour: unknown key\n"
			 "warning: second\n"
			 "without `neuwerkctl policy confirm` within 5m the previous policy returns\n");

	ctl.answer(200, "{}", {{"x-neuwerk-revision", "8"}, {"x-neuwerk-activation", "pending"}});
	CHECK(ctl({"policy", "apply", "--if-revision", "7", directory / "p.json"}) == 0);
	CHECK(ctl.requests.back().content_type == "application/json");
	CHECK(ctl.requests.back().headers == Headers{{"If-Match", "\"7\""}});
	CHECK(ctl.out ==
	      "policy revision 8 is committed, but not enforced yet: `neuwerkctl policy status`\n");

	ctl.standard_input = " {\"default_policy\":\"deny\"}";
	ctl.answer(200, R"({"warnings":["w"],"not_enforceable":["tls"]})");
	CHECK(ctl({"policy", "validate", "-"}) == 0);
	CHECK(ctl.requests.back().content_type == "application/json");
	CHECK(ctl.requests.back().path == "/api/v1/policy/validate");
	CHECK(ctl.out == "-: valid\nwarning: w\napply would refuse it: tls\n");

	ctl.answer(200, "{}", headers);
	CHECK(ctl({"-o", "jsonl", "policy", "apply", directory / "p.json"}) == 0);
	CHECK(ctl.out == R"({"revision":7,"generation":4,"activation":"enforced","unchanged":false,)"
			 R"("warnings":["source_groups[0].colour: unknown key","second"]})"
			 "\n");
	ctl.answer(200, "{}", {{"x-neuwerk-revision", "7"}, {"x-neuwerk-unchanged", "true"}});
	CHECK(ctl({"policy", "apply", directory / "p.json"}) == 0);
	CHECK(ctl.out == "policy revision 7 was in force already, generation 0\n");
	CHECK(ctl({"policy", "apply", "/nowhere/p.yaml"}) == 4);
	CHECK(ctl.error == "neuwerkctl: open: /nowhere/p.yaml: No such file or directory\n");
}

TEST_CASE("a comparison names what changed, and packets that show it")
{
	const TestDirectory directory;
	write_file(directory / "p.yaml", "default_policy: deny\n");
	TestWorld ctl;
	ctl.answer(
		200,
		R"({"equivalent":false,"complete":false,"default_policy_changed":true,)"
		R"("groups":{"added":["g2"],"removed":[],"changed":[],"moved":[]},"rules":{"added":[],"removed":["g/r"]},)"
		R"("examples":[{"packet":{"source":"10.0.0.2","destination":"1.2.3.4","protocol":"tcp","source_port":0,)"
		R"("destination_port":80},"from":{"verdict":"allowed","group":"g","rule":"r"},)"
		R"("to":{"verdict":"denied_by_default","group":"default","rule":""}}]})");
	CHECK(ctl({"policy", "diff", "--revision", "3", directory / "p.yaml"}) == 0);
	CHECK(ctl.requests.back().path == "/api/v1/policy/diff?revision=3");
	CHECK(ctl.out == "group added: g2\n"
			 "rule removed: g/r\n"
			 "default_policy changed\n"
			 "packet tcp 10.0.0.2:0 -> 1.2.3.4:80: allowed by g/r => denied_by_default by "
			 "default (default)\n"
			 "there may be more packets that are treated differently\n");
	ctl.answer(200, R"({"equivalent":true,"complete":true,"groups":{},"rules":{},"examples":[]})");
	CHECK(ctl({"policy", "diff", directory / "p.yaml"}) == 0);
	CHECK(ctl.out == "no packet is treated differently\n");
}

TEST_CASE("a policy whose tests fail exits 3 and names them")
{
	const TestDirectory directory;
	write_file(directory / "p.json", "{}");
	TestWorld ctl;
	ctl.answer(200, R"({"passed":false,"tests":[{"name":"web","passed":true,"detail":"allowed: g/web"},)"
			R"({"name":"mail","passed":false,"detail":"expected deny, but allowed: g/any"}]})");
	CHECK(ctl({"policy", "test", directory / "p.json"}) == 3);
	CHECK(ctl.out == "ok    web: allowed: g/web\nFAILS mail: expected deny, but allowed: g/any\n");
	CHECK(ctl.error == "neuwerkctl: 1 of 2 tests of the policy failed\n");
	ctl.answer(200, R"({"passed":true,"tests":[]})");
	CHECK(ctl({"policy", "test"}) == 0);
	CHECK(line_of(ctl.requests.back()) == "POST /api/v1/policy/test");
	CHECK(ctl.out.ends_with("the policy has no tests\n"));
}

TEST_CASE("the state of a policy says what is not enforced, and what waits for a confirmation")
{
	TestWorld ctl;
	ctl.answer(200,
		   R"({"revision":8,"generation":4,"enforced_revision":7,"enforced_since":"T1",)"
		   R"("pending":{"revision":8,"since":"T2","attempts":3,"last_error":"no memory"},)"
		   R"("confirm":{"revision":8,"previous_revision":7,"deadline":"T3"},"last_error":null})");
	CHECK(ctl({"policy", "status"}) == 0);
	CHECK(ctl.out ==
	      "revision   8\n"
	      "enforced   revision 7 as generation 4 since T1\n"
	      "pending    revision 8 since T2, 3 attempts: no memory\n"
	      "unconfirmed revision 8: revision 7 returns at T3 unless `neuwerkctl policy confirm` comes "
	      "before\n");
}

TEST_CASE("an explanation asks for the packet that was meant")
{
	TestWorld ctl;
	ctl.answer(
		200,
		R"({"verdict":"denied_by_rule","why":"w","allowed":false,"generation":3,"group":"g","rule":"r"})");
	CHECK(ctl({"explain", "--from", "10.0.0.1", "--to", "1.2.3.4", "--proto", "ICMP"}) == 0);
	CHECK(line_of(ctl.requests.back()) ==
	      R"(POST /api/v1/policy/explain {"source":"10.0.0.1","destination":"1.2.3.4","protocol":"icmp",)"
	      R"("source_port":0,"destination_port":0,"icmp_type":8,"icmp_code":0})");
	CHECK(ctl.out.starts_with("icmp 10.0.0.1 -> 1.2.3.4\nDENIED by rule 'r' of group 'g'\n"));
}
