// What neuwerkctl prints, to the letter.
#include "nouns.h"

#include "neuwerk/v1/control.pb.h"
#include "proto/message_json.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using namespace neuwerk::cli;

namespace {

// The API prints the messages of the contract: a renderer that looks for another name finds nothing.
Json json_of(const google::protobuf::Message &message)
{
	return *Json::parse(v1::to_json(message));
}

Json list_of(const std::vector<v1::Flow> &flows)
{
	Json::Array list;
	for (const v1::Flow &flow : flows)
		list.push_back(json_of(flow));
	return list;
}

const Style table{};
const Style json{.format = Format::json};
const Style jsonl{.format = Format::jsonl};
const Style yaml{.format = Format::yaml};

v1::NodeStatusReply healthy()
{
	v1::NodeStatusReply status;
	status.set_version("0.1.0");
	status.set_pid(12);
	status.set_generation(3);
	status.set_policy_source("admin-api by local:root");
	status.set_ready(true);
	status.set_snat("auto 203.0.113.1");
	for (const char *side : {"inside", "outside"}) {
		v1::Port &port = *status.add_ports();
		port.set_interface(std::string("eth-") + side);
		port.set_side(side);
		port.set_mtu(1500);
	}
	v1::Check &check = *status.add_checks();
	check.set_name("policy_ready");
	check.set_ok(true);
	check.set_detail("generation 3");
	status.mutable_dataplane()->set_pid(13);
	status.mutable_dataplane()->set_active_flows(2);
	status.mutable_dataplane()->set_adopted_flows(1);
	return status;
}

v1::Flow flow()
{
	v1::Flow flow;
	flow.set_protocol("tcp");
	flow.set_inside_address("10.0.0.2");
	flow.set_inside_port(40000);
	flow.set_remote_address("203.0.113.10");
	flow.set_remote_port(443);
	flow.set_external_address("203.0.113.1");
	flow.set_external_port(1024);
	flow.set_state("established");
	flow.set_idle_seconds(1);
	flow.set_packets_out(10);
	flow.set_packets_in(12);
	flow.set_bytes_out(900);
	flow.set_bytes_in(14000);
	flow.set_generation(3);
	return flow;
}

v1::CountersReply counters()
{
	v1::CountersReply reply;
	v1::Counter &seen = *reply.add_counters();
	seen.set_stage("xdp");
	seen.set_verdict("forwarded_in_xdp");
	seen.set_fate("forward");
	seen.set_why("established flow, rewritten and sent in the driver");
	seen.set_packets(1204);
	seen.set_bytes(1400000);
	v1::Counter &never = *reply.add_counters();
	never.set_stage("poller");
	never.set_verdict("dropped_no_port");
	never.set_fate("drop");
	never.set_why("every SNAT port towards this remote is in use");
	return reply;
}

Json question()
{
	return Json::object({{"source", "10.0.0.2"},
			     {"destination", "203.0.113.10"},
			     {"protocol", "tcp"},
			     {"destination_port", std::uint64_t{443}}});
}

} // namespace

TEST_CASE("status of a healthy node")
{
	CHECK(render_status(json_of(healthy()), table) ==
	      "neuwerkd 0.1.0 (pid 12): ready\n"
	      "policy  generation 3 (admin-api by local:root)\n"
	      "snat    auto 203.0.113.1\n"
	      "ports   eth-inside inside, mtu 1500\n"
	      "        eth-outside outside, mtu 1500\n"
	      "poller  pid 13, 2 flows (1 taken over at its start)\n"
	      "\n"
	      "CHECK         STATE  DETAIL\n"
	      "policy_ready  ok     generation 3\n");
}

TEST_CASE("status of a node without poller and policy says what that means")
{
	v1::NodeStatusReply status = healthy();
	status.set_ready(false);
	status.set_generation(0);
	status.clear_dataplane();
	status.mutable_checks(0)->set_ok(false);
	const std::string text = render_status(json_of(status), table);
	CHECK(text.starts_with("neuwerkd 0.1.0 (pid 12): NOT READY\npolicy  none: everything is dropped\n"));
	CHECK(text.find("poller  does not answer: established flows go on, new ones are dropped\n") !=
	      text.npos);
	CHECK(text.find("policy_ready  FAILS  ") != text.npos);
}

TEST_CASE("color is for terminals only")
{
	Style colorful{.format = Format::table, .color = true};
	CHECK(render_status(json_of(healthy()), colorful).find("\x1b[32mready\x1b[0m") != std::string::npos);
	CHECK(render_status(json_of(healthy()), table).find('\x1b') == std::string::npos);
}

TEST_CASE("flows as a table name both ends and the translation")
{
	CHECK(render_flows(list_of({}), table) == "no flows\n");
	CHECK(render_flows(list_of({flow()}), table) ==
	      "PROTO  INSIDE          SEEN OUTSIDE AS   REMOTE            "
	      "STATE        IDLE s  PACKETS OUT  PACKETS IN  "
	      "BYTES OUT  BYTES IN  GENERATION\n"
	      "tcp    10.0.0.2:40000  203.0.113.1:1024  203.0.113.10:443  "
	      "established       1           10          12  "
	      "      900     14000           3\n");
	v1::Flow routed = flow();
	routed.clear_external_address();
	CHECK(render_flows(list_of({routed}), table).find("(not translated)") != std::string::npos);
}

TEST_CASE("structured output has every field, and numbers are numbers")
{
	CHECK(render_flows(list_of({flow()}), jsonl) ==
	      R"({"inside_address":"10.0.0.2","inside_port":40000,"remote_address":"203.0.113.10","remote_port":443,)"
	      R"("external_address":"203.0.113.1","external_port":1024,"protocol":"tcp","state":"established",)"
	      R"("idle_seconds":1,"packets_out":10,"packets_in":12,"bytes_out":900,"bytes_in":14000,"generation":3})"
	      "\n");
	CHECK(render_flows(list_of({}), json) == "[]\n");
	CHECK(render_flows(list_of({}), jsonl).empty());

	const Json reply =
		*Json::parse(R"({"generation":4,"warnings":["a: \"b\""],"not_enforceable":[],"share":0.5,)"
			     R"("yes":null,"a: b":{"c":[[1,[]],{"d":true}]}})");
	CHECK(structured(reply, Format::json) == "{\n"
						 "  \"generation\": 4,\n"
						 "  \"warnings\": [\n"
						 "    \"a: \\\"b\\\"\"\n"
						 "  ],\n"
						 "  \"not_enforceable\": [],\n"
						 "  \"share\": 0.5,\n"
						 "  \"yes\": null,\n"
						 "  \"a: b\": {\n"
						 "    \"c\": [\n"
						 "      [\n"
						 "        1,\n"
						 "        []\n"
						 "      ],\n"
						 "      {\n"
						 "        \"d\": true\n"
						 "      }\n"
						 "    ]\n"
						 "  }\n"
						 "}\n");
	CHECK(structured(reply, Format::yaml) == "generation: 4\n"
						 "warnings:\n"
						 "  - \"a: \\\"b\\\"\"\n"
						 "not_enforceable: []\n"
						 "share: 0.5\n"
						 "\"yes\": null\n"
						 "\"a: b\":\n"
						 "  c:\n"
						 "    - - 1\n"
						 "      - []\n"
						 "    - d: true\n");
}

TEST_CASE("a name cannot steer the terminal of whoever reads a table")
{
	const Json::Array list = {
		Json::object({{"name", "evil\x1b[2J\nna\xc2\x9bme\xc3\x9c"}, {"role", ""}})};
	CHECK(listed(list, {{"NAME", "name"}, {"ROLE", "role"}}, "none", table) ==
	      "NAME              ROLE\n"
	      "evil [2J na  me\xc3\x9c  -\n");
}

TEST_CASE("counters show what happened, and everything on demand")
{
	CHECK(render_counters(json_of(counters()), false, table) ==
	      "WHERE  VERDICT           PACKETS    BYTES  MEANING\n"
	      "xdp    forwarded_in_xdp     1204  1400000  established flow, rewritten and sent in the "
	      "driver\n");
	CHECK(render_counters(json_of(counters()), true, table).find("dropped_no_port") != std::string::npos);
	CHECK(render_counters(json_of(v1::CountersReply()), true, table) == "no packet yet\n");
	CHECK(render_counters(json_of(counters()), false, yaml) ==
	      "counters:\n"
	      "  - stage: \"xdp\"\n"
	      "    verdict: \"forwarded_in_xdp\"\n"
	      "    fate: \"forward\"\n"
	      "    why: \"established flow, rewritten and sent in the driver\"\n"
	      "    packets: 1204\n"
	      "    bytes: 1400000\n");
}

TEST_CASE("an event is one line that says who decided")
{
	v1::Event event;
	event.set_kind("denied");
	event.set_verdict("denied_by_rule");
	event.set_generation(3);
	event.set_group_name("clients");
	event.set_rule_name("no-mail");
	event.set_protocol("tcp");
	event.set_source_address("10.0.0.2");
	event.set_source_port(40000);
	event.set_destination_address("203.0.113.10");
	event.set_destination_port(25);
	CHECK(render_event(json_of(event), table) ==
	      "denied  tcp 10.0.0.2:40000 -> 203.0.113.10:25  by clients/no-mail  "
	      "denied_by_rule  (generation 3)\n");
	event.set_kind("flow_ended");
	event.set_reason("idle_timeout");
	event.set_external_port(1024);
	event.set_rule(0xffffffff);
	event.clear_rule_name();
	event.set_lost(7);
	CHECK(render_event(json_of(event), table) ==
	      "(7 events lost)\n"
	      "flow_ended  tcp 10.0.0.2:40000 -> 203.0.113.10:25  as port 1024  "
	      "by clients  idle_timeout  (generation 3)\n");
	CHECK(render_event(json_of(event), json).find('\n') == render_event(json_of(event), json).size() - 1);
}

TEST_CASE("an explanation says what would happen and which words of the policy decide it")
{
	v1::ExplainReply answer;
	answer.set_verdict("denied_by_rule");
	answer.set_why("a deny rule matched first");
	answer.set_generation(3);
	answer.set_group("clients");
	answer.set_rule("no-mail");
	CHECK(render_explanation(question(), json_of(answer), table) ==
	      "tcp 10.0.0.2 -> 203.0.113.10:443\n"
	      "DENIED by rule 'no-mail' of group 'clients'\n"
	      "  verdict     denied_by_rule (a deny rule matched first)\n"
	      "  generation  3\n");
	answer.set_allowed(true);
	answer.set_mode("audited");
	answer.set_audit("clients/no-mail");
	CHECK(render_explanation(question(), json_of(answer), table)
		      .find("ALLOWED by rule 'no-mail' of group 'clients'\n"
			    "  audit mode: the policy says deny, but this part of "
			    "it only reports\n"
			    "  an audit-mode rule would deny it: clients/no-mail\n") != std::string::npos);
	answer.clear_rule();
	CHECK(render_explanation(question(), json_of(answer), table)
		      .find("by the default_action of group 'clients'") != std::string::npos);
	answer.set_group("default");
	CHECK(render_explanation(question(), json_of(answer), table).find("by default_policy") !=
	      std::string::npos);
	answer.set_verdict("dropped_east_west");
	CHECK(render_explanation(question(), json_of(answer), table)
		      .find("by its direction, before any rule") != std::string::npos);
	answer.clear_group();
	CHECK(render_explanation(question(), json_of(answer), table).find("before policy was asked") !=
	      std::string::npos);
}
