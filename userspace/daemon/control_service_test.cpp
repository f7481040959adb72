// The control socket, asked as neuwerkctl asks it: real gRPC on a temporary socket, a corridor in memory.
#include "daemon/control_service.h"

#include "daemon/fake_test_parts.h"
#include "daemon/node.h"
#include "neuwerk/v1/control.grpc.pb.h"

#include <doctest/doctest.h>
#include <grpcpp/grpcpp.h>

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <optional>
#include <thread>

using namespace neuwerk;
using namespace neuwerk::daemon;

namespace {

constexpr const char *with_rules =
	R"({"default_policy":"deny","source_groups":[{"id":"clients","mode":"enforce",
	"sources":{"cidrs":["10.0.0.0/24"]},"rules":[
	{"id":"web","mode":"enforce","action":"allow","match":{"proto":"tcp","dst_ports":[80]}},
	{"id":"ssh","mode":"audit","action":"deny","match":{"proto":"tcp","dst_ports":[22]}}]}]})";

struct TemporaryDirectory {
	std::array<char, 32> path{"/tmp/nw-control-XXXXXX"};

	TemporaryDirectory()
	{
		REQUIRE(mkdtemp(path.data()));
	}
	~TemporaryDirectory()
	{
		rmdir(path.data());
	}
};

struct Fixture {
	TemporaryDirectory directory;
	std::string socket = std::string(directory.path.data()) + "/s";
	FakeEnforcer enforcer;
	FakeFiles files;
	FakePoller poller;
	PolicyStore store{files, "/s"};
	Generations generations;
	EventHub events;
	EventLoop loop;
	ControlLoop control{enforcer, store, files, generations};
	Node node{{.loop = loop,
		   .control = control,
		   .enforcer = enforcer,
		   .generations = generations,
		   .poller = poller,
		   .events = events,
		   .read_facts = [] { return Result<Facts>(two_ports()); },
		   .poller_restarts = [] { return std::uint64_t{2}; }}};
	std::optional<ControlService> service;
	std::unique_ptr<v1::Control::Stub> stub;
	std::thread thread;

	Fixture()
	{
		REQUIRE(control.start(two_arm(), two_ports()));
		auto started = ControlService::start(socket, node);
		REQUIRE(started);
		service.emplace(std::move(*started));
		stub = v1::Control::NewStub(
			grpc::CreateChannel("unix:" + socket, grpc::InsecureChannelCredentials()));
		thread = std::thread([this] { loop.run(); });
	}
	~Fixture()
	{
		events.close();
		loop.stop();
		thread.join();
		loop.close();
	}

	template <typename Request, typename Reply>
	grpc::Status ask(grpc::Status (v1::Control::Stub::*method)(grpc::ClientContext *, const Request &,
								   Reply *),
			 const Request &request, Reply &reply)
	{
		grpc::ClientContext context;
		return (stub.get()->*method)(&context, request, &reply);
	}
	grpc::Status apply(const std::string &text, v1::PolicyReply &reply, const std::string &syntax = {})
	{
		v1::PolicyDocument document;
		document.set_text(text);
		document.set_syntax(syntax);
		return ask(&v1::Control::Stub::ApplyPolicy, document, reply);
	}
	v1::ExplainReply explain(const std::string &protocol, std::uint32_t port)
	{
		v1::ExplainRequest request;
		request.set_source("10.0.0.5");
		request.set_destination("198.51.100.7");
		request.set_protocol(protocol);
		request.set_destination_port(port);
		v1::ExplainReply reply;
		CHECK(ask(&v1::Control::Stub::Explain, request, reply).ok());
		return reply;
	}
};

} // namespace

TEST_CASE_FIXTURE(Fixture, "the socket is for its owner alone, and gone when the service ends")
{
	struct stat status {};
	REQUIRE(stat(socket.c_str(), &status) == 0);
	CHECK((status.st_mode & 0777) == 0600);
	service.reset();
	CHECK(access(socket.c_str(), F_OK) != 0);
}

TEST_CASE_FIXTURE(Fixture, "a policy is applied, explained with its names, and read back")
{
	v1::PolicyReply applied;
	REQUIRE(apply(with_rules, applied).ok());
	CHECK(applied.generation() == 2);

	const auto web = explain("tcp", 80);
	CHECK(web.allowed());
	CHECK(web.group() == "clients");
	CHECK(web.rule() == "web");
	CHECK(web.generation() == 2);
	CHECK(web.mode().empty());
	const auto ssh = explain("TCP", 22);
	CHECK(ssh.allowed());
	CHECK(ssh.mode() == "audited");
	CHECK(ssh.audit() == "clients/ssh");
	const auto dns = explain("udp", 53);
	CHECK_FALSE(dns.allowed());
	CHECK(dns.verdict() == "denied_by_default");
	CHECK(dns.group() == "default");

	v1::PolicyDocument document;
	REQUIRE(ask(&v1::Control::Stub::GetPolicy, v1::GetPolicyRequest{}, document).ok());
	CHECK(document.text() == files.content["/s/policy.json"]);
	CHECK(document.syntax() == "json");
}

TEST_CASE_FIXTURE(Fixture, "a refusal carries the code of its kind and the message for the operator")
{
	v1::PolicyReply reply;
	const grpc::Status broken = apply("{", reply, "json");
	CHECK(broken.error_code() == grpc::StatusCode::INVALID_ARGUMENT);
	CHECK(broken.error_message().starts_with("E_"));
	CHECK(apply("{}", reply, "toml").error_message() == "syntax: 'toml' is not json or yaml");
	files.disk_is_full = true;
	CHECK(apply(with_rules, reply).error_code() == grpc::StatusCode::RESOURCE_EXHAUSTED);
	CHECK(enforcer.current == 1);
}

TEST_CASE_FIXTURE(Fixture, "validate says what apply would refuse and changes nothing")
{
	v1::PolicyDocument document;
	document.set_text("default_policy: allow\nextra: 1\n");
	v1::PolicyReply reply;
	REQUIRE(ask(&v1::Control::Stub::ValidatePolicy, document, reply).ok());
	CHECK(reply.generation() == 0);
	CHECK(reply.warnings_size() == 1);
	CHECK(reply.not_enforceable_size() == 0);
	CHECK(enforcer.current == 1);
}

TEST_CASE_FIXTURE(Fixture, "a question that is no packet is refused by name")
{
	v1::ExplainRequest request;
	request.set_source("10.0.0.5");
	request.set_destination("198.51.100.7");
	request.set_protocol("tcp");
	request.set_destination_port(70000);
	v1::ExplainReply reply;
	CHECK(ask(&v1::Control::Stub::Explain, request, reply).error_message() ==
	      "dport: 70000 is above 65535");
	request.set_destination_port(1);
	request.set_source("ten");
	CHECK(ask(&v1::Control::Stub::Explain, request, reply).error_message() ==
	      "from: 'ten' is not an IPv4 address such as 192.0.2.1");
}

TEST_CASE_FIXTURE(Fixture, "status shows the node, its ports and its poller")
{
	v1::NodeStatusReply reply;
	REQUIRE(ask(&v1::Control::Stub::NodeStatus, v1::NodeStatusRequest{}, reply).ok());
	CHECK(reply.ready());
	CHECK(reply.generation() == 1);
	CHECK(reply.snat() == "auto 203.0.113.1");
	REQUIRE(reply.ports_size() == 2);
	CHECK(reply.ports(1).side() == "outside");
	CHECK(reply.ports(1).mtu() == 1500);
	CHECK(reply.dataplane().pid() == 99);

	poller.answers = false;
	REQUIRE(ask(&v1::Control::Stub::NodeStatus, v1::NodeStatusRequest{}, reply).ok());
	CHECK_FALSE(reply.ready());
	CHECK_FALSE(reply.has_dataplane());
}

TEST_CASE_FIXTURE(Fixture, "flows are relayed from the poller, counters from both")
{
	for (int i = 0; i < 3; i++)
		poller.flows.emplace_back().set_inside_port(1000 + static_cast<std::uint32_t>(i));
	grpc::ClientContext context;
	v1::ListFlowsRequest request;
	request.set_limit(2);
	const auto stream = stub->ListFlows(&context, request);
	v1::Flow flow;
	int count = 0;
	while (stream->Read(&flow))
		count++;
	CHECK(stream->Finish().ok());
	CHECK(count == 2);

	enforcer.xdp[NW_VERDICT_denied_by_rule] = {.packets = 3, .bytes = 180};
	v1::CountersReply counters;
	REQUIRE(ask(&v1::Control::Stub::Counters, v1::CountersRequest{}, counters).ok());
	REQUIRE(counters.counters_size() == 2 * NW_VERDICT_COUNT);
	const v1::Counter &denied = counters.counters(NW_VERDICT_denied_by_rule);
	CHECK(denied.stage() == "xdp");
	CHECK(denied.verdict() == "denied_by_rule");
	CHECK(denied.fate() == "drop");
	CHECK(denied.packets() == 3);
}

TEST_CASE_FIXTURE(Fixture,
		  "a subscriber gets the events from its subscription on, and an end when the node ends")
{
	grpc::ClientContext context;
	const auto stream = stub->Watch(&context, v1::WatchRequest{});
	stream->WaitForInitialMetadata();
	v1::Event event;
	event.set_kind("denied");
	events.publish(event);
	v1::Event received;
	REQUIRE(stream->Read(&received));
	CHECK(received.kind() == "denied");
	events.close();
	CHECK_FALSE(stream->Read(&received));
	CHECK(stream->Finish().ok());
}

TEST_CASE_FIXTURE(Fixture, "health, readiness and metrics are answered, and draining shows")
{
	CHECK(node.answer_http("/health").body == R"({"status":"ok"})");
	CHECK(node.answer_http("/ready").status == 200);
	CHECK(node.answer_http("/nothing").status == 404);
	v1::PolicyReply reply;
	REQUIRE(apply(with_rules, reply).ok());
	(void)apply("{", reply);
	const HttpReply metrics = node.answer_http("/metrics");
	CHECK(metrics.content_type == "text/plain; version=0.0.4");
	CHECK(metrics.body.find("dp_policy_generation 2\n") != std::string::npos);
	CHECK(metrics.body.find("policy_applies_total{result=\"refused\"} 1\n") != std::string::npos);
	CHECK(metrics.body.find("poller_restarts_total 2\n") != std::string::npos);
	node.drain();
	CHECK(node.answer_http("/ready").status == 503);
}
