// The appliance as the API asks for it: a corridor, a poller and records in memory, the loop on a thread.
#include "daemon/appliance.h"

#include "daemon/control_loop_bench.h"
#include "daemon/event_streams.h"
#include "daemon/observation.h"

#include <boost/json.hpp>

#include <netinet/in.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

using namespace neuwerk;
using namespace neuwerk::daemon;
namespace json = boost::json;

namespace {

constexpr const char *with_rules =
	R"({"default_policy":"deny","source_groups":[{"id":"clients","mode":"enforce",
	"sources":{"cidrs":["10.0.0.0/24"]},"rules":[
	{"id":"web","mode":"enforce","action":"allow","match":{"proto":"tcp","dst_ports":[80]}},
	{"id":"ssh","mode":"audit","action":"deny","match":{"proto":"tcp","dst_ports":[22]}}]}]})";

struct TemporaryDirectory {
	std::string path = std::filesystem::temp_directory_path() / "nw-daemon-XXXXXX";

	TemporaryDirectory()
	{
		REQUIRE(mkdtemp(path.data()));
	}
	~TemporaryDirectory()
	{
		std::filesystem::remove_all(path);
	}
};

struct Bench : ControlBench {
	TemporaryDirectory directory;
	FakePoller poller;
	EventHub events;
	EventLoop loop;
	std::unique_ptr<observe::Observer> observer;
	std::optional<Node> node;
	std::optional<NodeAppliance> appliance;
	std::thread thread;

	Bench()
	{
		ControlBench::start();
		auto opened = observe::Observer::open(
			{.directory = directory.path,
			 .node_id = "6f1d9a52-8f1e-4b44-9d3e-0a4a0f7f1c11",
			 .now_ms = [this] { return now_ms; },
			 .policy_of =
				 [this](std::uint32_t generation) {
					 return std::pair(generations.origin(generation).revision,
							  std::string(nil_uuid));
				 }});
		REQUIRE(opened);
		observer = std::move(*opened);
		node.emplace(Node::Parts{.loop = loop,
					 .control = *control,
					 .enforcer = enforcer,
					 .generations = generations,
					 .poller = poller,
					 .events = events,
					 .read_facts = [] { return Result<Facts>(two_ports()); },
					 .poller_restarts = [] { return std::uint64_t{2}; }});
		appliance.emplace(NodeAppliance::Parts{
			.node = *node, .book = book, .observer = *observer, .clock = clock, .sysdump = {}});
		thread = std::thread([this] { loop.run(); });
	}
	~Bench()
	{
		events.close();
		loop.stop();
		thread.join();
		loop.close();
	}
	Result<PolicyWritten> put(std::string_view document)
	{
		return appliance->write_policy(
			{.document = std::string(document), .author = "alice", .message = {}});
	}
	json::value ask(const std::string &protocol, int port)
	{
		const auto answer =
			appliance->explain(json::serialize(json::object{{"source", "10.0.0.5"},
									{"destination", "198.51.100.7"},
									{"protocol", protocol},
									{"destination_port", port}}));
		REQUIRE_MESSAGE(answer, (answer ? "" : answer.error().what));
		return json::parse(*answer);
	}
};

json::value tree(const Result<std::string> &answer)
{
	REQUIRE_MESSAGE(answer, (answer ? "" : answer.error().what));
	return json::parse(*answer);
}

} // namespace

TEST_CASE_FIXTURE(Bench, "a policy is written, explained with its names and its revision, and read back")
{
	const auto written = put(with_rules);
	REQUIRE(written);
	CHECK(written->generation == 2);

	const json::value web = ask("tcp", 80);
	CHECK(web.at("allowed").as_bool());
	CHECK(web.at("group") == "clients");
	CHECK(web.at("rule") == "web");
	CHECK(web.at("generation") == 2);
	CHECK(web.at("revision") == 1);
	CHECK(web.at("mode") == "");
	const json::value ssh = ask("TCP", 22);
	CHECK(ssh.at("allowed").as_bool());
	CHECK(ssh.at("mode") == "audited");
	CHECK(ssh.at("audit") == "clients/ssh");
	const json::value dns = ask("udp", 53);
	CHECK_FALSE(dns.at("allowed").as_bool());
	CHECK(dns.at("verdict") == "denied_by_default");
	CHECK(dns.at("group") == "default");

	CHECK(appliance->policy()->document == written->record.document);
	CHECK(appliance->policy_history()->size() == 1);
	CHECK(appliance->policy_at(1)->author == "alice");
}

TEST_CASE_FIXTURE(Bench, "a question that is no packet is refused by name")
{
	const auto refusal = [&](const char *question) { return appliance->explain(question).error().what; };
	CHECK(refusal(R"({"source":"10.0.0.5","destination":"1.2.3.4","protocol":"tcp","destination_port":70000})") ==
	      "destination_port: 70000 is above 65535");
	CHECK(refusal(R"({"source":"ten","destination":"1.2.3.4","protocol":"tcp"})") ==
	      "source: 'ten' is not an IPv4 address such as 192.0.2.1");
	CHECK(refusal(R"({"source":"10.0.0.5","destination":"example.com","protocol":"tcp"})") ==
	      "destination: 'example.com' is a name: names are not enforced yet, ask about one of its "
	      "addresses");
	CHECK(refusal("[").starts_with("invalid json: "));
}

TEST_CASE_FIXTURE(Bench, "the state of the policy says what is enforced, what is pending and what waits")
{
	const json::value fresh = json::parse(appliance->policy_status());
	CHECK(fresh.at("revision") == 0);
	CHECK(fresh.at("generation") == 1);
	CHECK(fresh.at("pending").is_null());
	CHECK(fresh.at("confirm").is_null());
	CHECK(fresh.at("enforced_since") == "2027-01-15T08:00:00Z");
	CHECK(fresh.at("last_error").is_null());

	REQUIRE(put(allow_all));
	enforcer.flip_fails = true;
	PolicyWrite waiting{.document = with_rules, .author = "alice", .message = {}};
	waiting.confirm_s = 60;
	const auto written = appliance->write_policy(waiting);
	REQUIRE(written);
	CHECK(written->activation_pending);
	const json::value status = json::parse(appliance->policy_status());
	CHECK(status.at("revision") == 2);
	CHECK(status.at("enforced_revision") == 1);
	CHECK(status.at("pending").at("revision") == 2);
	CHECK(status.at("pending").at("attempts") == 1);
	CHECK(status.at("confirm").at("previous_revision") == 1);
	CHECK(status.at("confirm").at("deadline") == "2027-01-15T08:01:00Z");
	CHECK(status.at("last_error") == "flip: broken");
	CHECK(appliance->confirm_policy("bob"));
	CHECK(json::parse(appliance->policy_status()).at("confirm").is_null());
}

TEST_CASE_FIXTURE(Bench, "two documents are compared by name and by packet")
{
	const json::value same = tree(appliance->diff_policies(with_rules, with_rules));
	CHECK(same.at("equivalent").as_bool());
	CHECK(same.at("examples").as_array().empty());
	const json::value open = tree(appliance->diff_policies(with_rules, allow_all));
	CHECK_FALSE(open.at("equivalent").as_bool());
	CHECK(open.at("default_policy_changed").as_bool());
	CHECK(open.at("groups").at("removed").as_array() == json::array{"clients"});
	REQUIRE_FALSE(open.at("examples").as_array().empty());
	const json::value &example = open.at("examples").as_array()[0];
	CHECK_FALSE(example.at("from").at("allowed").as_bool());
	CHECK(example.at("to").at("verdict") == "allowed");
	const auto broken = appliance->diff_policies(with_rules, "{");
	REQUIRE_FALSE(broken);
	CHECK(broken.error().what.starts_with("to: E_JSON"));
}

TEST_CASE_FIXTURE(Bench, "the tests of a document are run without writing it")
{
	const json::value outcome = tree(appliance->test_policy(
		R"({"default_policy":"allow","tests":[
		{"name":"open","from":"10.0.0.5","to":"1.2.3.4","proto":"udp","dport":53,"expect":"allow"},
		{"name":"shut","from":"10.0.0.5","to":"1.2.3.4","proto":"udp","dport":53,"expect":"deny"}]})"));
	CHECK_FALSE(outcome.at("passed").as_bool());
	CHECK(outcome.at("tests").as_array()[0].at("passed").as_bool());
	CHECK(outcome.at("tests").as_array()[1].at("detail") ==
	      "expected deny, but it is allowed by default");
	CHECK(enforcer.current == 1);
}

TEST_CASE_FIXTURE(Bench, "status shows the node, its ports and its poller; readiness follows the poller")
{
	const json::value well = tree(appliance->node_status());
	CHECK(well.at("ready").as_bool());
	CHECK(well.at("generation") == 1);
	CHECK(well.at("snat") == "auto 203.0.113.1");
	CHECK(well.at("ports").as_array()[1].at("side") == "outside");
	CHECK(well.at("dataplane").at("pid") == 99);
	bool is_ready = false;
	(void)appliance->readiness(false, is_ready);
	CHECK(is_ready);

	poller.answers = false;
	CHECK(tree(appliance->node_status()).at("dataplane").is_null());
	const std::string checks = appliance->readiness(false, is_ready);
	CHECK_FALSE(is_ready);
	CHECK(checks.find("dataplane_running") != std::string::npos);
	poller.answers = true;
	node->drain();
	(void)appliance->readiness(false, is_ready);
	CHECK_FALSE(is_ready);
	(void)appliance->readiness(true, is_ready); // no new packets should come here either
	CHECK_FALSE(is_ready);
}

TEST_CASE_FIXTURE(Bench, "flows come from the poller, counters from both, stats from a snapshot")
{
	for (int i = 0; i < 3; i++)
		poller.flows.emplace_back().set_inside_port(1000 + static_cast<std::uint32_t>(i));
	CHECK(tree(appliance->flows(2)).as_array().size() == 2);
	CHECK(tree(appliance->flows(0)).as_array().size() == 3);

	enforcer.xdp[NW_VERDICT_denied_by_rule] = {.packets = 3, .bytes = 180};
	const json::value counters = tree(appliance->counters());
	const json::value &denied = counters.at("counters").as_array()[NW_VERDICT_denied_by_rule];
	CHECK(denied.at("stage") == "xdp");
	CHECK(denied.at("verdict") == "denied_by_rule");
	CHECK(denied.at("packets") == 3);

	CHECK(tree(appliance->stats()).at("dataplane").at("packets").at("deny") == 3);
	CHECK(tree(appliance->stats()).at("dataplane").at("active_flows") == 3);
	enforcer.xdp[NW_VERDICT_denied_by_rule].packets = 9;
	CHECK(tree(appliance->stats()).at("dataplane").at("packets").at("deny") == 3);
	clock.advance(NodeAppliance::stats_age_max);
	CHECK(tree(appliance->stats()).at("dataplane").at("packets").at("deny") == 9);
	CHECK(tree(appliance->dns_cache()).at("entries").as_array().empty());
}

TEST_CASE_FIXTURE(Bench, "events stream from the subscription on, and end with the node")
{
	const auto stream = *appliance->events();
	CHECK(stream->take() == ": subscribed\n\n");
	CHECK(stream->take().empty());
	int woken = 0;
	stream->on_ready([&] { woken++; });
	v1::Event event;
	event.set_kind("denied");
	events.publish(event);
	CHECK(woken == 1);
	const std::string sent = stream->take();
	CHECK(sent.starts_with("data: {"));
	CHECK(sent.ends_with("}\n\n"));
	CHECK(sent.find(R"("kind":"denied")") != std::string::npos);
	CHECK_FALSE(stream->ended());
	events.close();
	CHECK(stream->ended());
}

TEST_CASE_FIXTURE(Bench, "counted denials become findings that name group, rule and revision")
{
	REQUIRE(put(with_rules));
	nw_denial line{};
	line.key.kind = NW_EVENT_denied;
	line.key.verdict = NW_VERDICT_denied_by_default;
	line.key.protocol = 17;
	line.key.service_port_be = htons(53);
	line.key.group = NW_NO_GROUP;
	line.key.rule = NW_NO_RULE;
	line.key.generation = 2;
	line.key.destination.word_be[3] = htonl(outside);
	line.source.word_be[3] = htonl(inside);
	enforcer.denials = {{line, 40}};
	Observation observation(
		{.observer = *observer, .enforcer = enforcer, .generations = generations, .poller = poller});
	observation.round();
	const json::value findings = tree(appliance->audit_findings({}));
	REQUIRE(findings.as_array().size() == 1);
	const json::value &finding = findings.as_array()[0];
	CHECK(finding.at("source_group") == "default");
	CHECK(finding.at("dst_ip") == "198.51.100.7");
	CHECK(finding.at("dst_port") == 53);
	CHECK(finding.at("count") == 40);
	CHECK(finding.at("revision") == 1);
}

TEST_CASE_FIXTURE(Bench, "health, readiness and metrics are answered, and draining shows")
{
	CHECK(node->answer_http("/health").body == R"({"status":"ok"})");
	CHECK(node->answer_http("/ready").status == 200);
	CHECK(node->answer_http("/nothing").status == 404);
	REQUIRE(put(with_rules));
	CHECK_FALSE(put("{"));
	const HttpReply metrics = node->answer_http("/metrics");
	CHECK(metrics.content_type == "text/plain; version=0.0.4");
	CHECK(metrics.body.find("dp_policy_generation 2\n") != std::string::npos);
	CHECK(metrics.body.find("policy_applies_total{result=\"refused\"} 1\n") != std::string::npos);
	CHECK(metrics.body.find("poller_restarts_total 2\n") != std::string::npos);
	node->drain();
	CHECK(node->answer_http("/ready").status == 503);
}
