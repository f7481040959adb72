// The line before the command, and what is the same for every command: usage, exit codes, targets, formats.
#include "nouns.h"
#include "test_world.h"

#include "base/error_codes.h"

#include <doctest/doctest.h>

using namespace neuwerk;
using namespace neuwerk::cli;

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
	write_file(home / "token", "secret-jwt\n");
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
		write_file(file, broken);
		CHECK(ctl({"status"}) == 3);
		CHECK(ctl.error.starts_with("neuwerkctl: " + file + ":"));
	}
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
