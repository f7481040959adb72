// The diagnostics routes: what they ask the appliance, what they refuse, and when performance mode closes
// them.
#include "api/diagnostics_query.h"
#include "api/route_bench.h"
#include "api/settings_records.h"

namespace neuwerk::api {

namespace {

class Silence final : public StreamSource {
public:
	std::string take() override
	{
		return {};
	}
	bool ended() const override
	{
		return true;
	}
	void on_ready(std::function<void()>) override {}
};

// Answers with what it was asked.
class Echo final : public FakeAppliance {
public:
	bool ready = true;
	FindingFilter asked;
	WiretapFilter wanted;
	std::uint32_t limit = 0;

	std::string readiness(bool dataplane_only, bool &is_ready) override
	{
		is_ready = ready;
		return dataplane_only ? R"({"of":"dataplane"})" : R"({"of":"all"})";
	}
	Result<std::string> stats() override
	{
		return R"({"dataplane":{}})";
	}
	Result<std::string> flows(std::uint32_t at_most) override
	{
		limit = at_most;
		return "[]";
	}
	Result<std::string> audit_findings(const FindingFilter &filter) override
	{
		asked = filter;
		return R"([{"count":1}])";
	}
	Result<std::string> policy_telemetry() override
	{
		return "[]";
	}
	Result<std::shared_ptr<StreamSource>> events() override
	{
		return std::make_shared<Silence>();
	}
	Result<std::shared_ptr<StreamSource>> wiretap(const WiretapFilter &filter) override
	{
		wanted = filter;
		return std::make_shared<Silence>();
	}
	Result<std::string> sysdump() override
	{
		return "\x1f\x8b archive";
	}
};

struct Diagnostics : RouteBench {
	explicit Diagnostics(std::shared_ptr<Echo> appliance = std::make_shared<Echo>())
	    : RouteBench(add_diagnostics_routes, appliance), echo(*appliance)
	{
	}
	Echo &echo;

	void disable_performance_mode()
	{
		put_record(performance_mode_key, "0");
	}
};

constexpr std::string_view findings = "/api/v1/audit/findings";
constexpr std::string_view stream = "/api/v1/wiretap/stream";

WiretapFlow web_flow()
{
	return {.source = 0x0a000005,
		.destination = 0xc6336407,
		.source_port = 40000,
		.destination_port = 443,
		.protocol = 6,
		.hostname = "www.Example.com"};
}

} // namespace

TEST_CASE("health always answers; readiness is the appliance's, 503 when it says no")
{
	Diagnostics bench;
	CHECK(bench.get("/health").body == R"({"status":"ok"})");
	CHECK(bench.get("/ready").status == 200);
	CHECK(bench.get("/ready").body == R"({"of":"all"})");
	bench.echo.ready = false;
	CHECK(bench.get("/ready").status == 503);
	CHECK(bench.get("/ready/dataplane").status == 503);
	CHECK(bench.get("/ready/dataplane").body == R"({"of":"dataplane"})");
	CHECK(bench.get("/health").status == 200);
}

TEST_CASE("what the appliance cannot say is an error with its words")
{
	Diagnostics bench;
	CHECK(bench.get("/api/v1/stats").body == R"({"dataplane":{}})");
	CHECK(bench.get("/api/v1/counters").status == 503);
	CHECK(bench.get("/api/v1/counters").error() == "the test has no appliance");
}

TEST_CASE("findings come in the envelope of one node, here and under /local")
{
	Diagnostics bench;
	for (const std::string path : {"/api/v1/audit/findings", "/api/v1/audit/findings/local"}) {
		const Answer answer = bench.get(path);
		CHECK(answer.status == 200);
		CHECK(answer.tree() == json::parse(R"({"items":[{"count":1}],"partial":false,"node_errors":[],
			"nodes_queried":1,"nodes_responded":1})"));
	}
	for (const std::string path : {"/api/v1/policy/telemetry", "/api/v1/policy/telemetry/local"})
		CHECK(bench.get(path).tree().at("nodes_responded") == 1);
}

TEST_CASE("keys of a findings query repeat, ignore case and blanks, and the limit is brought inside")
{
	Diagnostics bench;
	CHECK(bench.get("/api/v1/audit/findings?finding_type=l4_deny&finding_type=ICMP_DENY&source_group=A"
			"&source_group=+b+&source_group=&policy_id=11111111222243338444555555555555&policy_"
			"id="
			"&since=10&until=-5&limit=99999")
		      .status == 200);
	const FindingFilter &asked = bench.echo.asked;
	CHECK(asked.types == std::vector<std::string>{"l4_deny", "icmp_deny"});
	CHECK(asked.source_groups == std::vector<std::string>{"a", "b"});
	CHECK(asked.policy_ids == std::vector<std::string>{"11111111-2222-4333-8444-555555555555"});
	CHECK(asked.since_s == 10);
	CHECK(asked.until_s == -5);
	CHECK(asked.limit == 10'000);

	CHECK(bench.get(findings).status == 200);
	CHECK(bench.echo.asked.limit == 500);
	CHECK_FALSE(bench.echo.asked.since_s);
	CHECK(bench.get("/api/v1/audit/findings?limit=0").status == 200);
	CHECK(bench.echo.asked.limit == 1);
}

TEST_CASE("a findings query that makes no sense is refused with the key and the value")
{
	Diagnostics bench;
	const std::pair<std::string, std::string> refusals[] = {
		{"finding_type=bogus", "invalid finding_type value: bogus"},
		{"policy_id=7", "invalid policy_id: '7' is not a UUID"},
		{"since=soon", "invalid since: 'soon' is not an integer"},
		{"until=1.5", "invalid until: '1.5' is not an integer"},
		{"since=99999999999999999999", "invalid since: '99999999999999999999' is not an integer"},
		{"limit=-1", "invalid limit: '-1' is not a positive integer"},
	};
	for (const auto &[query, message] : refusals) {
		const Answer answer = bench.get("/api/v1/audit/findings?" + query);
		CHECK(answer.status == 400);
		CHECK(answer.error() == message);
	}
}

TEST_CASE("without performance mode audit and wiretap are closed, and nothing else")
{
	Diagnostics bench;
	bench.disable_performance_mode();
	for (const std::string path : {"/api/v1/audit/findings", "/api/v1/audit/findings/local"}) {
		CHECK(bench.get(path).status == 503);
		CHECK(bench.get(path).error() == "performance mode is disabled; audit is unavailable");
	}
	CHECK(bench.get(stream).status == 503);
	CHECK(bench.get(stream).error() == "performance mode is disabled; wiretap is unavailable");
	CHECK(bench.get("/api/v1/policy/telemetry").status == 200);
	CHECK(bench.get("/api/v1/events").status == 200);
	bench.put_record(performance_mode_key, "1");
	CHECK(bench.get(stream).status == 200);
}

TEST_CASE("streams are event streams that nobody may cache")
{
	Diagnostics bench;
	for (const std::string path : {"/api/v1/wiretap/stream", "/api/v1/events"}) {
		const Answer answer = bench.get(path);
		CHECK(answer.content_type == "text/event-stream");
		CHECK(answer.header("cache-control") == "no-cache");
	}
}

TEST_CASE("wiretap filters are OR within a key and AND across keys")
{
	const struct {
		const char *query;
		bool passes;
	} rows[] = {
		{"", true},
		{"src_cidr=10.0.0.0/8", true},
		{"src_cidr=10.0.0.5", true},
		{"src_cidr=10.0.0.77/24", true},
		{"src_cidr=10.1.0.0/16", false},
		{"src_cidr=10.1.0.0/16&src_cidr=10.0.0.5", true},
		{"src_cidr=0.0.0.0/0&dst_cidr=192.0.2.0/24", false},
		{"dst_port=443", true},
		{"dst_port=80&dst_port=400-500", true},
		{"dst_port=80", false},
		{"src_port=40000-40000", true},
		{"src_port=1-39999", false},
		{"proto=tcp", true},
		{"proto=17&proto=6", true},
		{"proto=udp", false},
		{"proto=udp&proto=any", true},
		{"hostname=example", true},
		{"hostname=%5Ewww%5C.EXAMPLE%5C.com%24", true},
		{"hostname=other&hostname=exa", true},
		{"hostname=other", false},
		{"hostname=example&dst_port=80", false},
		{"proto=&dst_port=&hostname=&src_cidr=", true},
	};
	Diagnostics bench;
	for (const auto &row : rows) {
		CAPTURE(row.query);
		REQUIRE(bench.get(std::string(stream) + "?" + row.query).status == 200);
		CHECK(bench.echo.wanted(web_flow()) == row.passes);
	}
	REQUIRE(bench.get(std::string(stream) + "?hostname=.*").status == 200);
	WiretapFlow nameless = web_flow();
	nameless.hostname = {};
	CHECK_FALSE(bench.echo.wanted(nameless));
}

TEST_CASE("a wiretap filter that makes no sense is refused with the key and the value")
{
	Diagnostics bench;
	const std::pair<std::string, std::string> refusals[] = {
		{"src_cidr=10.0.0.0/33", "invalid src_cidr value: 10.0.0.0/33: a prefix length is 0 to 32"},
		{"dst_cidr=2001:db8::1",
		 "invalid dst_cidr value: 2001:db8::1: neither an IPv4 address nor a CIDR"},
		{"src_port=70000",
		 "invalid src_port value: 70000: neither a port (0 to 65535) nor a range of ports"},
		{"dst_port=9-1", "invalid dst_port value: 9-1: the range ends before it starts"},
		{"proto=sctp", "invalid proto value: sctp: neither any, tcp, udp, icmp nor 0 to 255"},
		{"hostname=(", "invalid hostname value: (: missing ): ("},
	};
	for (const auto &[query, message] : refusals) {
		const Answer answer = bench.get(std::string(stream) + "?" + query);
		CHECK(answer.status == 400);
		CHECK(answer.error() == message);
	}
}

TEST_CASE("a list of flows is bounded, whatever is asked")
{
	Diagnostics bench;
	const std::pair<std::string, std::uint32_t> rows[] = {{"", flow_limit_default},
							      {"?limit=5", 5},
							      {"?limit=0", 1},
							      {"?limit=4294967295", flow_limit_max}};
	for (const auto &[query, limit] : rows) {
		CHECK(bench.get("/api/v1/flows" + query).status == 200);
		CHECK(bench.echo.limit == limit);
	}
	CHECK(bench.get("/api/v1/flows?limit=all").error() ==
	      "invalid limit: 'all' is not a positive integer");
}

TEST_CASE("a sysdump needs the fan-out header, and a cluster's needs a cluster")
{
	Diagnostics bench;
	const std::string path = "/api/v1/support/sysdump/node";
	CHECK(bench.send(Method::post, path).status == 403);
	CHECK(bench.send(Method::post, path).error() == "cluster sysdump fanout header required");
	CHECK(bench.send(Method::post, path, "", {{"X-Neuwerk-Cluster-Sysdump-Fanout", "yes"}}).status ==
	      403);
	const Answer answer = bench.send(Method::post, path, "", {{"X-Neuwerk-Cluster-Sysdump-Fanout", "1"}});
	CHECK(answer.status == 200);
	CHECK(answer.content_type == "application/gzip");
	CHECK(answer.header("content-disposition") ==
	      R"(attachment; filename="neuwerk-sysdump-20270115T080000Z.tar.gz")");
	const Answer cluster = bench.send(Method::post, "/api/v1/support/sysdump/cluster");
	CHECK(cluster.status == 503);
	CHECK(cluster.error() == "cluster sysdump requires cluster mode");
}

} // namespace neuwerk::api
