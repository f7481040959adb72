// What neuwerkctl asks, and what it makes of the answers: whole command lines against a scripted appliance.
#include "nouns.h"
#include "test_world.h"

#include "base/error_codes.h"

#include <doctest/doctest.h>

#include <fstream>

using namespace neuwerk;
using namespace neuwerk::cli;

namespace {

void write(const std::string &path, const std::string &content)
{
	std::ofstream(path) << content;
}

std::string line_of(const Request &request)
{
	return request.method + ' ' + request.path + (request.body.empty() ? "" : ' ' + request.body);
}

const std::string token_answer =
	R"({"token":"eyJ.a.b","token_meta":{"id":"t1","role":"admin","expires_at":null}})";
const std::string accounts_answer =
	R"([{"id":"a1","name":"ci","description":"builds","role":"readonly","status":"active"},)"
	R"({"id":"a2","name":"old","role":"admin","status":"disabled"},)"
	R"({"id":"a3","name":"twin","role":"admin","status":"active"},)"
	R"({"id":"a4","name":"twin","role":"admin","status":"active"}])";

} // namespace

TEST_CASE("a wrong command line exits 2, says what is wrong in the words of the reference, and asks nobody")
{
	const struct {
		std::vector<std::string> line;
		const char *what;
	} rows[] = {
		{{}, "missing command"},
		{{"bogus"}, "unknown command: bogus"},
		{{"--bogus"}, "unknown flag: --bogus"},
		{{"auth", "bogus"}, "unknown auth command: bogus"},
		{{"auth"}, "missing auth action"},
		{{"auth", "key"}, "missing auth action"},
		{{"auth", "key", "bogus"}, "unknown auth key action: bogus"},
		{{"auth", "key", "retire"}, "missing kid"},
		{{"auth", "token", "mint"}, "missing --sub"},
		{{"auth", "key", "list", "--bogus"}, "unknown auth flag: --bogus"},
		{{"auth", "key", "list", "--cluster-addr", "x"},
		 "--cluster-addr must be a socket address in the form ip:port, got x"},
		{{"auth", "key", "list", "--cluster-addr=1.2.3.4:5", "--http-tls-dir=/x"},
		 "choose either cluster auth"},
		{{"cluster", "members"}, "missing cluster action"},
		{{"cluster", "members", "list", "--http-addr", "1.2.3.4:5"}, "missing --token"},
		{{"cluster", "members", "list", "--force"},
		 "--force is only valid for mutating cluster commands"},
		{{"cluster", "members", "remove"}, "members remove requires <node-id>"},
		{{"cluster", "members", "remove", "x"}, "<node-id> must be a numeric node id, got x"},
		{{"cluster", "voters", "set"}, "missing --ids"},
		{{"cluster", "voters", "set", "--ids", ","}, "--ids must not be empty"},
		{{"sysdump", "--bogus"}, "unknown sysdump flag: --bogus"},
		{{"status", "now"}, "status: 'now' was not expected"},
		{{"-o", "xml", "status"}, "--output: 'xml' is none of table, json, yaml, jsonl"},
		{{"flow", "list", "-n", "many"}, "--limit: 'many' is not a number from 1 to 100000"},
		{{"policy", "apply"}, "missing file"},
		{{"policy", "apply", "--confirm", "25h", "p"},
		 "--confirm: '25h' is no duration from 1s to 24h"},
		{{"policy", "rollback", "0"}, "revision: '0' is not a number from 1 to"},
		{{"token", "mint", "a", "--ttl", "1d", "--eternal"},
		 "--ttl and --eternal are mutually exclusive"},
		{{"explain", "--from", "10.0.0", "--to", "1.2.3.4", "--proto", "icmp"},
		 "--from: '10.0.0' is not an IPv4 address such as 192.0.2.1"},
		{{"explain", "--from", "10.0.0.1", "--to", "host", "--proto", "icmp"},
		 "--to: 'host' is not an IPv4 address such as 192.0.2.1"},
		{{"explain", "--from", "10.0.0.1", "--to", "1.2.3.4", "--proto", "ip"},
		 "--proto: 'ip' is not a protocol: tcp, udp, icmp or a number from 0 to 255"},
		{{"explain", "--from", "10.0.0.1", "--to", "1.2.3.4", "--proto", "udp"},
		 "--dport: udp needs a destination port"},
	};
	for (const auto &row : rows) {
		CAPTURE(row.what);
		TestWorld ctl;
		CHECK(ctl(row.line) == exit_usage);
		CAPTURE(ctl.error);
		CHECK(ctl.error.starts_with(std::string("neuwerkctl: ") + row.what));
		CHECK(ctl.error.find("\n\nusage: neuwerkctl ") != std::string::npos);
		CHECK(ctl.targets.empty());
	}
}

TEST_CASE("help and version are answers, not errors")
{
	TestWorld ctl;
	for (const std::vector<std::string> &line : {std::vector<std::string>{"--help"},
						     {"--version"},
						     {"auth", "--help"},
						     {"policy", "apply", "-h"},
						     {"sysdump", "--help"}}) {
		CHECK(ctl(line) == exit_ok);
		CHECK_FALSE(ctl.out.empty());
		CHECK(ctl.error.empty());
	}
}

TEST_CASE("the exit code follows the status, the message is the server's own")
{
	const struct {
		int status;
		int exit_code;
	} rows[] = {{400, 3}, {401, 6},  {403, 7}, {404, 4}, {405, 3}, {409, 5}, {413, 9},
		    {429, 8}, {500, 11}, {502, 8}, {503, 8}, {504, 8}, {507, 9}, {302, 11}};
	for (const auto &row : rows) {
		CAPTURE(row.status);
		TestWorld ctl;
		CHECK(ctl.answer(row.status, R"({"error":"no: because"})")({"status"}) == row.exit_code);
		CHECK(ctl.error == "neuwerkctl: no: because\n");
		CHECK(ctl.out.empty());
	}
	TestWorld ctl;
	CHECK(ctl.answer(404, "")({"status"}) == 4);
	CHECK(ctl.error == "neuwerkctl: GET /api/v1/status: this neuwerkd has no such route\n");
	CHECK(ctl({"status"}) == 8);
	CHECK(ctl.error == "neuwerkctl: nobody answers\n");
}

TEST_CASE("options of the whole program may stand anywhere, and sysdump's --output is not the format")
{
	TestWorld ctl;
	for (const std::vector<std::string> &line : {std::vector<std::string>{"-o", "jsonl", "flow", "list"},
						     {"flow", "--output=jsonl", "list"},
						     {"flow", "list", "-o", "jsonl"}}) {
		CHECK(ctl.answer(200, R"([{"a":1},{"a":2}])")(line) == 0);
		CHECK(ctl.requests.back().path == "/api/v1/flows");
		CHECK(ctl.out == "{\"a\":1}\n{\"a\":2}\n");
	}
	const TestDirectory directory;
	CHECK(ctl.answer(200, "\x1f\x8b!")(
		      {"-o", "json", "sysdump", "--output", directory / "deep/a.tar.gz"}) == 0);
	CHECK(std::filesystem::file_size(directory / "deep/a.tar.gz") == 3);
	CHECK(ctl.out.find("\"bytes\": 3") != std::string::npos);
	CHECK(line_of(ctl.requests.back()) == "POST /api/v1/support/sysdump/node");
	CHECK(ctl.answer(200, "{}")({"sysdump", "--output", directory / "b.tar.gz"}) == 11);
	CHECK_FALSE(std::filesystem::exists(directory / "b.tar.gz"));
}

TEST_CASE("the nearest word decides who is asked")
{
	TestWorld ctl;
	const TestDirectory home;
	ctl.variables["HOME"] = home.path();
	const auto asked = [&](std::vector<std::string> line) {
		line.emplace_back("status");
		CHECK(ctl.answer(200, "{}")(line) == 0);
		const Target &target = ctl.targets.back();
		return target.socket + target.server + '|' + target.token + '|' + target.ca;
	};
	CHECK(asked({}) == "/run/neuwerk/neuwerkd.sock||");
	CHECK(ctl({"context", "set", "far", "--server", "10.0.0.1:8443", "--token", "jwt", "--ca", "/ca"}) ==
	      0);
	CHECK(ctl({"context", "set", "near", "--socket", "/near.sock"}) == 0);
	CHECK(asked({}) == "https://10.0.0.1:8443|jwt|/ca");
	ctl.variables["NEUWERK_CONTEXT"] = "near";
	CHECK(asked({}) == "/near.sock||");
	ctl.variables["NEUWERK_SERVER"] = "b:1";
	ctl.variables["NEUWERK_TOKEN"] = "other";
	CHECK(asked({}) == "https://b:1|other|");
	ctl.variables["NEUWERK_SOCKET"] = "/environment.sock";
	CHECK(asked({}) == "/environment.sock||");
	ctl.variables.erase("NEUWERK_SOCKET");
	CHECK(ctl.answer(200, "[]")({"auth", "key", "list"}) == 0); // keys are those of this host
	CHECK(ctl.targets.back().socket == "/run/neuwerk/neuwerkd.sock");
	CHECK(ctl.answer(200, "[]")({"auth", "key", "list", "--context", "far"}) == 0);
	CHECK(ctl.targets.back().server == "https://10.0.0.1:8443");
	CHECK(asked({"--context", "far"}) == "https://10.0.0.1:8443|jwt|/ca");
	CHECK(asked({"--context", "far", "--token", "mine"}) == "https://10.0.0.1:8443|mine|/ca");
	CHECK(asked({"--server", "https://c:2/"}) == "https://c:2|other|");
	CHECK(asked({"--socket", "/mine.sock", "--context", "far"}) == "/mine.sock||");
	CHECK(ctl({"--context", "none", "status"}) == 4);
	CHECK(ctl({"--server", "http://c:2", "status"}) == 3);
	CHECK(ctl.error == "neuwerkctl: server: 'http://c:2' is not like https://10.0.0.1:8443\n");
}

TEST_CASE("contexts are kept in a file that only its owner reads, and tokens are not shown")
{
	TestWorld ctl;
	const TestDirectory home;
	ctl.variables["XDG_CONFIG_HOME"] = home.path();
	CHECK(ctl({"context", "list"}) == 0);
	CHECK(ctl.out == "no contexts: the socket of this host is asked\n");
	write(home / "token", "secret-jwt\n");
	CHECK(ctl({"context", "set", "far", "--server", "10.0.0.1:8443", "--token-file", home / "token"}) ==
	      0);
	CHECK(ctl({"context", "set", "near", "--socket", "/near.sock"}) == 0);
	CHECK(ctl({"context", "use", "near"}) == 0);
	CHECK(ctl({"context", "list"}) == 0);
	CHECK(ctl.out == "CURRENT  NAME  APPLIANCE              CA  TOKEN\n"
			 "-        far   https://10.0.0.1:8443  -   yes\n"
			 "*        near  unix:/near.sock        -   no\n");
	const std::string file = home / "neuwerk/config.yaml";
	CHECK(std::filesystem::status(file).permissions() ==
	      (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
	CHECK(ctl.files.read(file)->find("token: secret-jwt\n") != std::string::npos);
	CHECK(ctl({"context", "remove", "near"}) == 0);
	CHECK(ctl({"context", "use", "near"}) == 4);
	CHECK(ctl({"context", "set", "empty"}) == 3);

	for (const char *broken : {"contexts: {a: {socket: x, server: y}}", "contexts: {a: {tokn: x}}", "[",
				   "- 1", "contexts: 1", "current: {}"}) {
		CAPTURE(broken);
		write(file, broken);
		CHECK(ctl({"status"}) == 3);
		CHECK(ctl.error.starts_with("neuwerkctl: " + file + ":"));
	}
}

TEST_CASE("a policy is sent as it stands, with the type that its name or its first character tells")
{
	const TestDirectory directory;
	write(directory / "p.yaml", "default_policy: deny\n");
	write(directory / "p.json", "{}");
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
	write(directory / "p.yaml", "default_policy: deny\n");
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
	write(directory / "p.json", "{}");
	TestWorld ctl;
	ctl.answer(200, R"({"passed":false,"tests":[{"name":"web","passed":true,"detail":"allowed: g/web"},)"
			R"({"name":"mail","passed":false,"detail":"expected deny, but allowed: g/any"}]})");
	CHECK(ctl({"policy", "test", directory / "p.json"}) == 3);
	CHECK(ctl.out == "ok    web: allowed: g/web\nFAILS mail: expected deny, but allowed: g/any\n");
	CHECK(ctl.error == "neuwerkctl: 1 of 2 tests of the policy failed\n");
	ctl.answer(200, R"({"passed":true,"tests":[]})");
	CHECK(ctl({"policy", "test"}) == 0);
	CHECK(line_of(ctl.requests.back()) == "POST /api/v1/policy/test");
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

TEST_CASE("an object within an object is shown under both names")
{
	TestWorld ctl;
	ctl.answer(
		200,
		R"({"enabled":true,"feeds":{"a":{"enabled":false},"b":{}},"list":["x","y"],"source":null})");
	CHECK(ctl({"settings", "get", "threat-intel"}) == 0);
	CHECK(ctl.out == "enabled          true\n"
			 "feeds.a.enabled  false\n"
			 "feeds.b          {}\n"
			 "list             x,y\n"
			 "source           -\n");
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

TEST_CASE("--watch asks again, and redraws only on a terminal")
{
	TestWorld ctl;
	ctl.pauses = 1;
	ctl.answer(200, "[]").answer(200, "[]");
	CHECK(ctl({"flow", "list", "--watch"}) == 0);
	CHECK(ctl.out == "no flows\nno flows\n");
	ctl.world.is_out_terminal = true;
	ctl.pauses = 0;
	ctl.answer(200, "[]");
	CHECK(ctl({"flow", "list", "--watch"}) == 0);
	CHECK(ctl.out == "\x1b[H\x1b[2Jno flows\n");
	ctl.answer(200, R"({"ready":true})");
	CHECK(ctl({"status"}) == 0);
	CHECK(ctl.out.find("\x1b[32mready") != std::string::npos);
	ctl.variables["NO_COLOR"] = "1";
	ctl.answer(200, R"({"ready":true})");
	CHECK(ctl({"status"}) == 0);
	CHECK(ctl.out.find('\x1b') == std::string::npos);
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
	write(directory / "ca.pem", "PEM");
	write(directory / "provider.json", R"({"name": "corp"})");
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
