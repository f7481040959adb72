// What the other commands send, and what they make of the answers.
#include "nouns.h"
#include "test_world.h"

#include "base/error_codes.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using namespace neuwerk::cli;

namespace {

const std::string token_answer =
	R"({"token":"eyJ.a.b","token_meta":{"id":"t1","role":"admin","expires_at":null}})";
const std::string accounts_answer =
	R"([{"id":"a1","name":"ci","description":"builds","role":"readonly","status":"active"},)"
	R"({"id":"a2","name":"old","role":"admin","status":"disabled"},)"
	R"({"id":"a3","name":"twin","role":"admin","status":"active"},)"
	R"({"id":"a4","name":"twin","role":"admin","status":"active"}])";

} // namespace

TEST_CASE("translation shows each address with its use")
{
	TestWorld ctl;
	ctl.answer(200, R"({"mode":"auto 203.0.113.1","pools":[{"external_address":"203.0.113.1","flows":2,)"
			R"("ports_per_remote":64512}]})");
	CHECK(ctl({"nat", "show"}) == 0);
	CHECK(ctl.out == "snat  auto 203.0.113.1\n\n"
			 "SEEN OUTSIDE AS  FLOWS  PORTS TOWARDS EACH REMOTE\n"
			 "203.0.113.1          2                      64512\n");
	CHECK(ctl.answer(200, R"({"mode":"none","pools":[]})")({"nat", "show"}) == 0);
	CHECK(ctl.out == "snat  none\n");
}

TEST_CASE("a service account is found by its id or by a name that only one active account has")
{
	TestWorld ctl;
	ctl.answer(200, accounts_answer).answer(200, token_answer);
	CHECK(ctl({"token", "mint", "ci", "--ttl", "30d"}) == 0);
	CHECK(line_of(ctl.requests.back()) == R"(POST /api/v1/service-accounts/a1/tokens {"ttl":"30d"})");
	CHECK(ctl.out == "eyJ.a.b\n");
	CHECK(ctl.error.empty());
	ctl.answer(200, accounts_answer);
	CHECK(ctl({"token", "mint", "twin"}) == 5);
	ctl.answer(200, accounts_answer);
	CHECK(ctl({"token", "mint", "old"}) == 4);
	ctl.answer(200, accounts_answer).answer(204, "");
	CHECK(ctl({"token", "revoke", "a2", "../x"}) == 0);
	CHECK(line_of(ctl.requests.back()) == "DELETE /api/v1/service-accounts/a2/tokens/..%2Fx");
	ctl.answer(200, accounts_answer).answer(200, "{}");
	CHECK(ctl({"service-account", "update", "ci", "--role", "admin"}) == 0);
	CHECK(line_of(ctl.requests.back()) ==
	      R"(PUT /api/v1/service-accounts/a1 {"name":"ci","description":"builds","role":"admin"})");
}

TEST_CASE("the reference's forms answer in the reference's words")
{
	TestWorld ctl;
	const std::string keys = R"([{"kid":"k1","created_at":"T1","active":false,"signing":false},)"
				 R"({"kid":"k2","created_at":"T2","active":true,"signing":true}])";
	CHECK(ctl.answer(200, keys)({"auth", "key", "list"}) == 0);
	CHECK(ctl.out == "active kid: k2\n"
			 "kid: k1 status: Retired created: T1\n"
			 "kid: k2 status: Active created: T2 signing\n");
	CHECK(ctl.answer(200, R"({"kid":"k3","created_at":"T3","active":true,"signing":true})")(
		      {"auth", "key", "rotate", "--http-tls-dir=/tls"}) == 0);
	CHECK(ctl.out == "rotated key: k3 (created T3, status Active)\n");
	CHECK(ctl.answer(204, "")({"auth", "key", "retire", "k1"}) == 0);
	CHECK(ctl.out == "retired key: k1\n");
	CHECK(ctl.requests.back().path == "/api/v1/local/keys/k1/retire");
	CHECK(ctl.answer(200, R"({"token":"jwt"})")(
		      {"auth", "token", "mint", "--sub=me", "--roles", "admin, readonly"}) == 0);
	CHECK(ctl.out == "jwt\n");
	CHECK(line_of(ctl.requests.back()) ==
	      R"(POST /api/v1/local/tokens {"sub":"me","roles":["admin","readonly"]})");

	const std::string members =
		R"({"members":[{"node_id":"20","addr":"b:1","role":"follower","is_voter":true,"cloud_status":"unknown"},)"
		R"({"node_id":"3","addr":"a:1","role":"learner","is_voter":false,"cloud_status":"missing_from_discovery",)"
		R"("auto_evict_reason":"missing_from_discovery:5"}]})";
	CHECK(ctl.answer(200, members)(
		      {"cluster", "members", "list", "--http-addr", "1.2.3.4:5", "--token", "t"}) == 0);
	CHECK(ctl.targets.back().server == "https://1.2.3.4:5");
	CHECK(ctl.out == "3 role=learner voter=no addr=a:1 cloud=missing_from_discovery "
			 "auto_evict=missing_from_discovery:5\n"
			 "20 role=follower voter=yes addr=b:1 cloud=unknown\n");
	CHECK(ctl.answer(200, R"({"voters":["20","3"]})")({"cluster", "voters", "set", "--ids", "20,3"}) ==
	      0);
	CHECK(line_of(ctl.requests.back()) ==
	      R"(PUT /api/v1/cluster/members/voters {"ids":["20","3"],"force":false})");
	CHECK(ctl.out == "voters: 3,20\n");
	CHECK(ctl.answer(503, R"({"error":"cluster membership requires cluster mode"})")(
		      {"cluster", "members", "remove", "7", "--force"}) == 8);
	CHECK(ctl.error ==
	      "neuwerkctl: cluster api status 503 Service Unavailable: cluster membership requires "
	      "cluster mode\n");
}

TEST_CASE("the limits of the appliance are a table")
{
	TestWorld ctl;
	ctl.answer(200,
		   R"([{"name":"request_body","value":2097152,"unit":"bytes","what":"body of a request"}])");
	CHECK(ctl({"debug", "limits"}) == 0);
	CHECK(ctl.requests.back().path == "/api/v1/limits");
	CHECK(ctl.out == "NAME            VALUE  UNIT   WHAT\n"
			 "request_body  2097152  bytes  body of a request\n");
}

TEST_CASE("readiness is an exit code, and an unready appliance still shows its checks")
{
	TestWorld ctl;
	CHECK(ctl.answer(200, R"({"ready":true,"checks":[]})")({"ready"}) == 0);
	ctl.answer(
		503,
		R"({"ready":false,"checks":[{"name":"draining","ok":false,"detail":"instance is draining"}]})");
	CHECK(ctl({"ready", "--dataplane"}) == 8);
	CHECK(ctl.requests.back().path == "/ready/dataplane");
	CHECK(ctl.out == "NOT READY\nCHECK     STATE  DETAIL\ndraining  FAILS  instance is draining\n");
}

TEST_CASE("a stream is read event by event, however it is cut, until enough came")
{
	TestWorld ctl;
	const std::string stream = ": comment\n\n"
				   "data: {\"kind\":\"denied\",\"protocol\":\"tcp\"}\r\n\r\n"
				   "event: other\ndata: not json\n\n"
				   "data:{\"kind\":\"flow_started\",\ndata:\"protocol\":\"udp\"}\n\n"
				   "data: {\"kind\":\"audited\"}\n\n";
	ctl.answer(200, stream);
	CHECK(ctl({"-o", "jsonl", "events", "-n", "2"}) == 0);
	CHECK(ctl.out == "{\"kind\":\"denied\",\"protocol\":\"tcp\"}\n"
			 "{\"kind\":\"flow_started\",\"protocol\":\"udp\"}\n");
	ctl.answer(200, stream);
	CHECK(ctl({"flow", "watch", "-o", "jsonl"}) == 8); // the stream ended by itself
	CHECK(ctl.out == "{\"kind\":\"flow_started\",\"protocol\":\"udp\"}\n");
	ctl.answer(503, R"({"error":"performance mode is disabled; wiretap is unavailable"})");
	CHECK(ctl({"wiretap", "--proto", "tcp", "--dst-port", "80", "--dst-port", "443"}) == 8);
	CHECK(ctl.requests.back().path == "/api/v1/wiretap/stream?proto=tcp&dst_port=80&dst_port=443");
	ctl.answer(200,
		   "event: flow_end\ndata: {\"proto\":6,\"src_ip\":\"a\",\"src_port\":1,\"dst_ip\":\"b\","
		   "\"dst_port\":2,\"packets_in\":3,\"packets_out\":4,\"hostname\":null}\n\n");
	CHECK(ctl({"wiretap", "--count", "1"}) == 0);
	CHECK(ctl.out == "end   proto 6 a:1 -> b:2  packets 4 out, 3 in\n");
}

TEST_CASE("findings are filtered by the server, and a node that is missing is named")
{
	TestWorld ctl;
	ctl.answer(
		200,
		R"({"items":[{"finding_type":"l4_deny","source_group":"clients","dst_ip":"1.2.3.4","dst_port":25,)"
		R"("proto":6,"last_seen":1700000000,"count":3,"rule":"","audited":true}],"partial":true,)"
		R"("node_errors":[{"node_id":"2","error":"timed out"}]})");
	CHECK(ctl({"audit", "list", "--type", "l4_deny", "--type", "icmp_deny", "--group", "a b", "--days",
		   "1"}) == 0);
	CHECK(ctl.requests.back().path ==
	      "/api/v1/audit/findings?finding_type=l4_deny&finding_type=icmp_deny&"
	      "source_group=a%20b&since=1699913600");
	CHECK(ctl.out ==
	      "LAST SEEN             COUNT  TYPE               SOURCE GROUP  RULE       TO          PROTO\n"
	      "2023-11-14T22:13:20Z      3  l4_deny (audited)  clients       (default)  1.2.3.4:25      6\n");
	CHECK(ctl.error == "neuwerkctl: warning: node 2 did not answer: timed out\n");
}

TEST_CASE("settings, integrations and providers are written with the fields that the API knows")
{
	const TestDirectory directory;
	write_file(directory / "ca.pem", "PEM");
	write_file(directory / "provider.json", R"({"name": "corp"})");
	TestWorld ctl;
	const auto sent = [&](const std::vector<std::string> &line) {
		CHECK(ctl.answer(200, "{}")(line) == 0);
		return line_of(ctl.requests.back());
	};
	CHECK(sent({"settings", "set", "performance-mode", "off"}) ==
	      R"(PUT /api/v1/settings/performance-mode {"enabled":false})");
	CHECK(sent({"settings", "set", "threat-intel", "--alert-threshold", "low"}) ==
	      R"(PUT /api/v1/settings/threat-intel {"alert_threshold":"low"})");
	CHECK(ctl({"settings", "set", "threat-intel"}) == exit_usage);
	ctl.standard_input = "secret";
	CHECK(sent({"integration", "create", "prod", "--api-server-url", "https://k:6443", "--ca-file",
		    directory / "ca.pem", "--token-file", "-"}) ==
	      R"(POST /api/v1/integrations {"api_server_url":"https://k:6443","ca_cert_pem":"PEM",)"
	      R"("service_account_token":"secret","name":"prod","kind":"kubernetes"})");
	CHECK(sent({"sso", "provider", "update", "p/1", directory / "provider.json"}) ==
	      R"(PUT /api/v1/settings/sso/providers/p%2F1 {"name":"corp"})");
	ctl.answer(200, R"({"ok":false,"details":"provider request failed"})");
	CHECK(ctl({"sso", "provider", "test", "p1"}) == 8);
	CHECK(ctl.out.find("details  provider request failed\n") != std::string::npos);
}
