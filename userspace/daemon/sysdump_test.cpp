// The archive for support: what is in it, and above all what is not.
#include "daemon/sysdump.h"

#include "daemon/archive.h"
#include "daemon/redaction.h"
#include "state/temporary_store.h"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>

using namespace neuwerk;
using namespace neuwerk::daemon;
namespace fs = std::filesystem;

namespace {

// Every secret that this test plants somewhere; none of them may be in the archive.
const std::string jwt = "eyJhbGciOiJFZERTQSIsImtpZCI6ImsxIn0.eyJzdWIiOiJyb290In0.c2lnbmF0dXJlLW9mLWl0";
const std::string pem_body = "MC4CAQAwBQYDK2VwBCIEIHBsYW50ZWQtcHJpdmF0ZS1rZXktYnl0ZXM";
const std::string pem = "-----BEGIN PRIVATE KEY-----\n" + pem_body + "\n-----END PRIVATE KEY-----\n";
const std::string sealing_secret = "sealing-secret-of-32-bytes-length";
const std::string client_secret = "oidc-client-secret";
const std::string kubernetes_token = "kubernetes-token-value";
const std::string ciphertext = "Y2lwaGVydGV4dC1vZi1hLWtleQ";
const std::string bootstrap = "bootstrap-token-value";
const std::string database_bytes = "database-bytes-with-a-password";
const std::string opaque = "opaque-binary-state-key";
const std::vector<std::string> secrets = {jwt,           pem_body,         sealing_secret,
					  client_secret, kubernetes_token, ciphertext,
					  bootstrap,     database_bytes,   opaque};

struct Node {
	Node()
	{
		std::string name = fs::temp_directory_path() / "nw-sysdump-XXXXXX";
		REQUIRE(mkdtemp(name.data()) != nullptr);
		root = name;
	}
	~Node()
	{
		fs::remove_all(root);
	}
	void write(const std::string &path, const std::string &content) const
	{
		fs::create_directories(fs::path(root + path).parent_path());
		std::ofstream(root + path) << content;
	}
	void put(const std::string &key, const std::string &value) const
	{
		REQUIRE(store->write({.operations = {state::put(key, value)}, .actor = "test"}));
	}
	// The archive as path → content; fails the test when a secret is anywhere in it.
	[[nodiscard]] std::map<std::string, std::string> dump() const
	{
		const auto archive = sysdump(
			{.root = root,
			 .directories = {"/var/lib/neuwerk"},
			 .config_path = "/etc/neuwerk/config.yaml",
			 .store = *store,
			 .now_ms = 1'800'000'000'000,
			 .node_id = "6f1d9a52-8f1e-4b44-9d3e-0a4a0f7f1c11",
			 .finding_count = 3,
			 .answers = {{"system/http/metrics.prom",
				      [] { return Result<std::string>("up 1\n"); }},
				     {"system/http/broken.json",
				      []() -> Result<std::string> {
					      return fail(ErrorKind::unavailable, "no answer: Bearer " + jwt);
				      }}},
			 .run = [](const std::vector<std::string> &words) {
				 if (words[0] == "systemctl")
					 return CommandOutput{.error = "No such file or directory"};
				 return CommandOutput{.started = true,
						      .exit_status = 0,
						      .output = "said " + words[0] +
								"\nAuthorization: Bearer " + jwt + "\n"};
			 }});
		REQUIRE_MESSAGE(archive, (archive ? "" : archive.error().what));
		const auto entries = read_tar_gz(*archive);
		REQUIRE(entries);
		std::map<std::string, std::string> files;
		for (const ArchiveEntry &entry : *entries) {
			files[entry.path] = entry.content;
			for (const std::string &secret : secrets)
				CHECK_MESSAGE(entry.content.find(secret) == std::string::npos, entry.path,
					      " holds ", secret);
		}
		return files;
	}

	std::string root;
	state::TemporaryStore store;
};

void plant(const Node &node)
{
	const std::string state = "/var/lib/neuwerk/";
	node.write(state + "node_id", "6f1d9a52-8f1e-4b44-9d3e-0a4a0f7f1c11\n");
	node.write(state + "secret.key", sealing_secret);
	node.write(state + "http-tls/node.key", pem);
	node.write(state + "http-tls/node.crt", "-----BEGIN CERTIFICATE-----\nharmless\n");
	node.write(state + "http-tls/api-auth.json", R"({"private_key":")" + pem_body + R"("})");
	node.write(state + "http-tls/both.pem", "-----BEGIN CERTIFICATE-----\nchain\n" + pem + "tail\n");
	node.write(state + "bootstrap-token", bootstrap);
	node.write(state + "sso/state-key.bin", opaque);
	node.write(state + "store/state.db", database_bytes);
	node.write(state + "store/state.db-wal", database_bytes);
	node.write(state + "unknown.bin", std::string("\0\1\2", 3) + opaque);
	node.write(state + "notes.txt", "token: " + kubernetes_token + "\nharmless: yes\ncurl " + jwt + "\n");
	fs::create_symlink("secret.key", node.root + state + "link");
	node.write("/etc/neuwerk/config.yaml", "version: 1\npassword: " + client_secret + "\n");
	node.write("/etc/hostname", "gateway-7\n");

	node.put("policy/state", R"({"revision":4,"author":"local:root"})");
	node.put("auth/api_keys",
		 R"({"active_kid":"k1","keys":[{"kid":"k1","public_key":"AAAA","status":"active",)"
		 R"("created_at":"2026-01-01T00:00:00Z","private_key":{"ciphertext":")" +
			 ciphertext + R"("}}]})");
	node.put("auth/service-accounts/item/a", R"({"id":"a","name":"terraform","status":"active",)"
						 R"("created_at":"2026-01-01T00:00:00Z"})");
	node.put("auth/service-accounts/tokens/item/t",
		 R"({"id":"t","service_account_id":"a","status":"active"})");
	node.put("auth/sso/providers/item/p",
		 R"({"id":"p","name":"corp","client_secret":")" + client_secret + R"("})");
	node.put("auth/sso/state_key", opaque);
	node.put("http/ca/envelope", R"({"ciphertext":")" + ciphertext + R"("})");
	node.put(
		"integrations/item/k",
		R"({"id":"k","name":"prod","kind":"kubernetes","api_server_url":"https://k8s","service_account_token":{"ciphertext":")" +
			ciphertext + R"("},"ca_cert_pem":")" + "-----BEGIN EC PRIVATE KEY-----\\n" +
			pem_body + R"(\n-----END EC PRIVATE KEY-----"})");
	node.put("settings/unknown/thing", kubernetes_token);
}

boost::json::object object_at(const std::map<std::string, std::string> &files, const std::string &path)
{
	REQUIRE_MESSAGE(files.contains(path), path);
	return boost::json::parse(files.at(path)).as_object();
}

} // namespace

TEST_CASE("no secret of files, records, commands or answers is in the archive")
{
	const Node node;
	plant(node);
	const auto files = node.dump();
	const std::string state = "var/lib/neuwerk/";
	CHECK(files.at(state + "secret.key") == "redacted secret file: secret.key\n");
	CHECK(files.at(state + "http-tls/node.key") == "redacted secret file: node.key\n");
	CHECK(files.at(state + "bootstrap-token") == "redacted secret file: bootstrap-token\n");
	CHECK(files.at(state + "store/state.db") == "redacted secret file: state.db\n");
	CHECK(files.at(state + "http-tls/both.pem").find("chain") != std::string::npos);
	CHECK(files.at(state + "http-tls/both.pem").find("tail") != std::string::npos);
	CHECK(files.at(state + "link.symlink.txt") == "secret.key\n");
	CHECK_FALSE(files.contains(state + "unknown.bin"));
}

TEST_CASE("what is harmless is there to be read")
{
	const Node node;
	plant(node);
	const auto files = node.dump();
	CHECK(files.at("etc/hostname") == "gateway-7\n");
	CHECK(files.at("var/lib/neuwerk/http-tls/node.crt").find("harmless") != std::string::npos);
	CHECK(files.at("var/lib/neuwerk/notes.txt").find("harmless: yes") != std::string::npos);
	CHECK(files.at("etc/neuwerk/config.yaml").starts_with("version: 1\n"));
	CHECK(files.at("system/http/metrics.prom") == "up 1\n");
	CHECK(files.at("system/commands/ip-route.txt").find("$ ip route show table all\nexit status: 0\n") ==
	      0);
	const auto records = boost::json::parse(files.at("summary/records.json")).as_array();
	CHECK(records.size() == 9);
	for (const auto &record : records) {
		const auto &entry = record.as_object();
		if (entry.at("key") == "policy/state")
			CHECK(entry.at("value").as_object().at("revision") == 4);
		if (entry.at("key") == "auth/sso/providers/item/p")
			CHECK(entry.at("value").as_object().at("name") == "corp");
		if (entry.at("key") == "settings/unknown/thing")
			CHECK(entry.at("value") == "<redacted>");
	}
}

TEST_CASE("the summaries count and name what support asks for first")
{
	const Node node;
	plant(node);
	const auto files = node.dump();
	const auto state = object_at(files, "summary/state.json");
	CHECK(state.at("generated_at") == "2027-01-15T08:00:00Z");
	CHECK(state.at("local_service_account_count") == 1);
	CHECK(state.at("local_token_count") == 1);
	CHECK(state.at("local_integration_count") == 1);
	CHECK(state.at("audit_finding_count") == 3);
	const auto accounts = object_at(files, "summary/service-accounts.json").at("local").as_object();
	CHECK(accounts.at("accounts").as_array()[0].as_object().at("active_token_count") == 1);
	const auto keys = object_at(files, "summary/configuration.json").at("local_api_auth").as_object();
	CHECK(keys.at("active_kid") == "k1");
	CHECK(keys.at("keys").as_array()[0].as_object().at("signing") == true);
	CHECK(object_at(files, "summary/storage.json").at("record_count") == 9);
}

TEST_CASE("the manifest says what became of everything, and comes last")
{
	const Node node;
	plant(node);
	const auto files = node.dump();
	const auto manifest = object_at(files, "summary/manifest.json");
	std::map<std::string, std::string> status;
	for (const auto &entry : manifest.at("entries").as_array())
		status[std::string(entry.as_object().at("archive_path").as_string())] =
			entry.as_object().at("status").as_string();
	CHECK(status.at("var/lib/neuwerk/node_id") == "ok");
	CHECK(status.at("var/lib/neuwerk/unknown.bin") == "manifest-only");
	CHECK(status.at("var/lib/neuwerk/link.symlink.txt") == "symlink");
	CHECK(status.at("proc/cpuinfo") == "missing");
	CHECK(status.at("system/commands/systemctl-status-neuwerk.txt") == "missing");
	CHECK(status.at("system/http/broken.json") == "request-failed");
	CHECK_FALSE(files.contains("system/http/broken.json"));
}

TEST_CASE("a command is bounded in time and output, and one that does not exist says so")
{
	const auto said = run_command({"sh", "-c", "echo out; echo err >&2; exit 3"});
	CHECK(said.started);
	CHECK(said.exit_status == 3);
	CHECK(said.output == "out\nerr\n");
	const auto long_one = run_command({"sh", "-c", "echo begun; exec sleep 1000"},
					  {.patience = std::chrono::milliseconds(200)});
	CHECK(long_one.timed_out);
	CHECK(long_one.exit_status == -1);
	const auto loud = run_command({"head", "-c", "100000", "/dev/zero"}, {.output_bytes = 1000});
	CHECK(loud.output.size() == 1000);
	CHECK(loud.exit_status == 0);
	const auto absent = run_command({"no-such-program-here"});
	CHECK_FALSE(absent.started);
	CHECK(absent.error == "No such file or directory");
}

TEST_CASE("names, shapes and places of secrets are recognised")
{
	for (const char *path : {"secret.key", "/a/CA.KEY", "x/raft.db", "x/raft.db-wal", "bootstrap-token",
				 "api-auth.json", "a.token"})
		CHECK_MESSAGE(is_secret_file(path), path);
	for (const char *path : {"node.crt", "config.yaml", "monkey", "keys.txt", "a.db.txt"})
		CHECK_FALSE_MESSAGE(is_secret_file(path), path);
	CHECK(scrubbed("a " + jwt + " b") == "a <redacted> b");
	CHECK(scrubbed("x" + pem + "y") == "x<redacted>\ny");
	CHECK(scrubbed("-----BEGIN RSA PRIVATE KEY-----\nabc") == "<redacted>");
	CHECK(scrubbed("-----BEGIN CERTIFICATE-----\nabc\n") == "-----BEGIN CERTIFICATE-----\nabc\n");
	CHECK(scrubbed("  api_token = abc\nport: 7") == "  api_token = <redacted>\nport: 7");
	CHECK(scrubbed("the token: was seen") == "the token: was seen"); // a sentence, no assignment
}
