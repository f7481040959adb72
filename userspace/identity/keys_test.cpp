// The signing keys: created or imported once, rotated, retired; tokens for people minted with them.
#include "identity/identity_bench.h"

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>
#include <vector>

using namespace neuwerk;
using namespace neuwerk::identity;

namespace {

// RFC 8032 §7.1, test 1, as the reference writes its keys.
const std::string seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const std::string public_half = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

std::string bytes_of_hex(std::string_view hex)
{
	std::string bytes;
	for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
		bytes += static_cast<char>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16));
	return bytes;
}

std::string reference_private_key()
{
	return crypto::to_base64(bytes_of_hex("302e020100300506032b657004220420" + seed));
}

std::string reference_keyset(const json::value &private_key, std::string_view status = "active")
{
	const json::object key{{"kid", "the-kid"},
			       {"public_key", crypto::to_base64(bytes_of_hex(public_half))},
			       {"private_key", private_key},
			       {"created_at", "2025-01-02T03:04:05.123456789Z"},
			       {"status", status}};
	return json::serialize(json::object{{"active_kid", "the-kid"}, {"keys", json::array{key}}});
}

class File {
public:
	explicit File(std::string_view content)
	{
		std::string name = (std::filesystem::temp_directory_path() / "nw-keys-XXXXXX").string();
		REQUIRE(mkdtemp(name.data()) != nullptr);
		directory_ = name;
		path = name + "/api-auth.json";
		write(content);
	}
	~File()
	{
		std::filesystem::remove_all(directory_);
	}
	void write(std::string_view content) const
	{
		std::ofstream(path, std::ios::binary) << content;
	}
	[[nodiscard]] std::string content() const
	{
		std::ifstream file(path, std::ios::binary);
		return {std::istreambuf_iterator<char>(file), {}};
	}

	std::string path;

private:
	std::string directory_;
};

std::string error_of(const Result<std::string> &result)
{
	return result ? "" : result.error().what;
}

json::object claims_of(std::string_view token)
{
	const std::size_t first = token.find('.'), second = token.find('.', first + 1);
	const auto decoded = crypto::from_base64url(token.substr(first + 1, second - first - 1));
	REQUIRE(decoded);
	return json::parse(*decoded).as_object();
}

} // namespace

TEST_CASE("a new store gets one key, and the next start finds it")
{
	Bench bench;
	const auto keys = bench->keys();
	REQUIRE(keys);
	REQUIRE(keys->size() == 1);
	CHECK(keys->at(0).active);
	CHECK(keys->at(0).signing);
	CHECK(keys->at(0).public_key.size() == 32);
	CHECK(keys->at(0).created_at == "2027-01-15T08:00:00Z");
	bench.open();
	CHECK(bench->keys()->at(0).kid == keys->at(0).kid);
}

TEST_CASE("private keys are sealed in the store")
{
	Bench bench;
	const auto record = bench.store->get("auth/api_keys");
	REQUIRE(record);
	const auto parsed = json::parse((*record)->value);
	const auto &sealed = parsed.at("keys").at(0).at("private_key");
	REQUIRE(sealed.is_object());
	const auto der = crypto::unseal(bench.sealing, json::serialize(sealed));
	REQUIRE(der);
	CHECK((*record)->value.find(crypto::to_base64(*der)) == std::string::npos);
}

TEST_CASE("api-auth.json of the reference is imported once and never written")
{
	const File file(reference_keyset(json::value(reference_private_key())));
	const std::string before = file.content();
	Bench bench(file.path);
	REQUIRE(bench->keys()->size() == 1);
	CHECK(bench->keys()->at(0).kid == "the-kid");
	CHECK(bench->keys()->at(0).created_at == "2025-01-02T03:04:05.123456789Z");
	CHECK(crypto::to_hex(bench->keys()->at(0).public_key) == public_half);
	const auto token = bench->mint({.sub = "alice"});
	REQUIRE(token);
	CHECK(bench.refusal(*token) == "");
	REQUIRE(bench->rotate_key("root"));
	CHECK(file.content() == before);
	file.write("damaged later");
	bench.open(file.path);
	CHECK(bench->keys()->size() == 2);
	CHECK(bench.refusal(*token) == "");
}

TEST_CASE("an api-auth.json that does not parse stops the start instead of making a new key")
{
	for (const std::string &content :
	     {std::string("{"), std::string("[]"), std::string("{\"active_kid\":\"x\",\"keys\":[]}"),
	      reference_keyset("bm8ga2V5"), reference_keyset(7),
	      reference_keyset(json::value(reference_private_key()), "retired"),
	      reference_keyset(json::value(reference_private_key()), "strange")}) {
		CAPTURE(content);
		const File file(content);
		const state::TemporaryStore store;
		const auto opened = Identity::open(
			*store, {"local-v1", std::string(32, 'k')}, [] { return 0; }, file.path);
		REQUIRE_FALSE(opened);
		CHECK(opened.error().kind == ErrorKind::corrupt);
		CHECK(opened.error().what.starts_with("import " + file.path + ": api auth keyset: "));
		CHECK_FALSE(*store->get("auth/api_keys"));
	}
}

TEST_CASE("an imported key without private half verifies, and another must sign")
{
	const File file(reference_keyset(nullptr));
	Bench bench(file.path);
	CHECK(error_of(bench->mint({.sub = "alice"})) == "signing key missing private material");
	REQUIRE(bench->rotate_key("root"));
	CHECK(bench->mint({.sub = "alice"}));
}

TEST_CASE("after a rotation the new key signs and the old one still verifies, until it is retired")
{
	Bench bench;
	const std::string old_kid = bench.active_kid();
	const auto token = bench->mint({.sub = "alice"});
	const auto rotated = bench->rotate_key("root");
	REQUIRE(rotated);
	CHECK(rotated->signing);
	CHECK(rotated->kid != old_kid);
	CHECK(bench.active_kid() == rotated->kid);
	const auto keys = bench->keys();
	REQUIRE(keys->size() == 2);
	CHECK(keys->at(0).kid == old_kid);
	CHECK(keys->at(0).active);
	CHECK_FALSE(keys->at(0).signing);
	CHECK(bench.refusal(*token) == "");
	CHECK(bench.refusal(bench->mint({.sub = "bob", .kid = old_kid}).value()) == "");

	CHECK(bench->retire_key(rotated->kid, "root").error().what == "cannot retire active signing key");
	CHECK(bench->retire_key("nobody", "root").error().what == "unknown kid nobody");
	REQUIRE(bench->retire_key(old_kid, "root"));
	CHECK(bench->retire_key(old_kid, "root"));
	CHECK(bench.refusal(*token) == "jwt key retired");
	CHECK(error_of(bench->mint({.sub = "bob", .kid = old_kid})) == "signing key is retired");
	CHECK(error_of(bench->mint({.sub = "bob", .kid = "nobody"})) == "signing key not found");
}

TEST_CASE("no rotation is lost when several ask at once")
{
	Bench bench;
	std::vector<std::thread> threads;
	std::atomic<int> failures = 0;
	for (int i = 0; i < 8; i++)
		threads.emplace_back([&] { failures += bench->rotate_key("root") ? 0 : 1; });
	for (auto &thread : threads)
		thread.join();
	CHECK(failures == 0);
	CHECK(bench->keys()->size() == 9);
}

TEST_CASE("the table of keys is bounded: retired ones make room, keys in use do not")
{
	Bench bench;
	const std::string first = bench.active_kid();
	for (std::size_t i = 1; i < key_limit_count; i++)
		REQUIRE(bench->rotate_key("root"));
	const auto refused = bench->rotate_key("root");
	REQUIRE_FALSE(refused);
	CHECK(refused.error().kind == ErrorKind::resource_exhausted);
	REQUIRE(bench->retire_key(first, "root"));
	REQUIRE(bench->rotate_key("root"));
	CHECK(bench->keys()->size() == key_limit_count);
	CHECK(bench->retire_key(first, "root").error().what == "unknown kid " + first);
}

TEST_CASE("with another secret.key tokens still verify, minting says why not, and a rotation mends it")
{
	Bench bench;
	const auto token = bench->mint({.sub = "alice"});
	const crypto::SealingKey other{"local-v1", std::string(32, 'x')};
	auto reopened = Identity::open(
		*bench.store, other, [&] { return bench.now_ms; }, "");
	REQUIRE(reopened);
	CHECK((*reopened)->authenticate({"Bearer " + *token, std::nullopt}));
	const auto refused = (*reopened)->mint({.sub = "alice"});
	REQUIRE_FALSE(refused);
	CHECK(refused.error().kind == ErrorKind::corrupt);
	CHECK(refused.error().what.find("another secret.key") != std::string::npos);
	REQUIRE((*reopened)->rotate_key("root"));
	CHECK((*reopened)->mint({.sub = "alice"}));
}

TEST_CASE("a minted token carries what the specification lists, and nothing else")
{
	Bench bench;
	const auto token =
		bench->mint({.sub = " alice ", .ttl_s = 90, .roles = {" Admin", "admin", "", "readonly"}});
	REQUIRE(token);
	const auto header = json::parse(*crypto::from_base64url(token->substr(0, token->find('.'))));
	CHECK(header == json::value{{"alg", "EdDSA"}, {"kid", bench.active_kid()}, {"typ", "JWT"}});
	json::object claims = claims_of(*token);
	CHECK(crypto::canonical_uuid(claims.at("jti").as_string()));
	claims.erase("jti");
	CHECK(claims == json::object{{"iss", "neuwerk-api"},
				     {"aud", "neuwerk-api"},
				     {"sub", "alice"},
				     {"iat", bench.now_s()},
				     {"exp", bench.now_s() + 90},
				     {"roles", json::array{"admin", "readonly"}}});
	const json::object plain = claims_of(bench->mint({.sub = "alice"}).value());
	CHECK(plain.at("exp") == bench.now_s() + 7'776'000);
	CHECK_FALSE(plain.contains("roles"));
	CHECK_FALSE(plain.contains("sa_id"));
}

TEST_CASE("what cannot be minted is refused with the message of its fault")
{
	Bench bench;
	CHECK(error_of(bench->mint({.sub = ""})) == "sub is required");
	CHECK(error_of(bench->mint({.sub = " \t"})) == "sub is required");
	CHECK(error_of(bench->mint({.sub = "a", .ttl_s = 0})) == "ttl must be positive");
	CHECK(error_of(bench->mint({.sub = "a", .ttl_s = -1})) == "ttl must be positive");
	CHECK(error_of(bench->mint({.sub = "a", .ttl_s = INT64_MAX})) == "ttl duration overflow");
}
