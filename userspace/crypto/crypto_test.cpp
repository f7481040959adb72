// Digests, encodings, signatures and envelopes against published vectors; altered bytes never pass.
#include "crypto/crypto.h"
#include "crypto/seal.h"

#include <doctest/doctest.h>

#include <set>

using namespace neuwerk;
using namespace neuwerk::crypto;

namespace {

// "45 00 .." to bytes; blanks are for the reader.
std::string bytes_of_hex(std::string_view hex)
{
	std::string digits;
	for (const char c : hex)
		if (c != ' ')
			digits += c;
	std::string bytes;
	for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
		bytes += static_cast<char>(std::stoul(digits.substr(i, 2), nullptr, 16));
	return bytes;
}

// RFC 8410 §7: the wrapping of an Ed25519 seed of 32 bytes.
std::string pkcs8_of_seed(std::string_view seed_hex)
{
	return bytes_of_hex("302e020100300506032b657004220420") + bytes_of_hex(seed_hex);
}

const SealingKey sealing{"local-v1", std::string(32, 'k')};

} // namespace

TEST_CASE("SHA-256 and HMAC-SHA-256 agree with FIPS 180-4 and RFC 4231")
{
	CHECK(to_hex(sha256("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	CHECK(to_hex(sha256("")) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	CHECK(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")) ==
	      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST_CASE("base64 agrees with RFC 4648 section 10, with padding and in the alphabet of URLs without")
{
	const struct {
		std::string_view bytes, padded, url;
	} rows[] = {
		{"", "", ""},
		{"f", "Zg==", "Zg"},
		{"fo", "Zm8=", "Zm8"},
		{"foo", "Zm9v", "Zm9v"},
		{"foob", "Zm9vYg==", "Zm9vYg"},
		{"fooba", "Zm9vYmE=", "Zm9vYmE"},
		{"foobar", "Zm9vYmFy", "Zm9vYmFy"},
		{"\xfb\xff\xfe", "+//+", "-__-"},
	};
	for (const auto &row : rows) {
		CAPTURE(row.padded);
		CHECK(to_base64(row.bytes) == row.padded);
		CHECK(from_base64(row.padded) == std::string(row.bytes));
		CHECK(to_base64url(row.bytes) == row.url);
		CHECK(from_base64url(row.url) == std::string(row.bytes));
	}
}

TEST_CASE("a second spelling of the same bytes is refused by base64")
{
	for (const char *wrong :
	     {"Zg", "Zg=", "Zh==", "Zg===", "Z", "Zg==Zg==", "Zm9\n", "Zm-v", "====", "=Zg="}) {
		CAPTURE(wrong);
		CHECK_FALSE(from_base64(wrong));
	}
	for (const char *wrong : {"Zg==", "Zm8=", "Zh", "Z", "Zm+v", "Zm9v ", "Zm9vY"}) {
		CAPTURE(wrong);
		CHECK_FALSE(from_base64url(wrong));
	}
}

TEST_CASE("Ed25519 agrees with RFC 8032 section 7.1")
{
	const struct {
		const char *seed, *public_key, *message, *signature;
	} vectors[] = {
		{"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
		 "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
		 "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf"
		 "9b46b"
		 "d25bf5f0595bbe24655141438e7a100b"},
		{"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
		 "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
		 "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f"
		 "11d8c"
		 "387b2eaeb4302aeeb00d291612bb0c00"},
		{"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
		 "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
		 "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984"
		 "dc659"
		 "4a7c15e9716ed28dc027beceea1ec40a"},
	};
	for (const auto &vector : vectors) {
		CAPTURE(vector.seed);
		const std::string message = bytes_of_hex(vector.message);
		const auto signature = sign(pkcs8_of_seed(vector.seed), message);
		REQUIRE(signature);
		CHECK(to_hex(*signature) == vector.signature);
		CHECK(verify(bytes_of_hex(vector.public_key), message, *signature));
	}
}

TEST_CASE("a signature does not survive one altered bit of message, signature or key")
{
	const auto key = generate_signing_key();
	const std::string message = "header.claims";
	const std::string signature = sign(key.private_pkcs8, message).value();
	REQUIRE(verify(key.public_key, message, signature));
	for (std::size_t i = 0; i < signature.size(); i++) {
		CAPTURE(i);
		std::string altered = signature;
		altered[i] = static_cast<char>(altered[i] ^ 1);
		CHECK_FALSE(verify(key.public_key, message, altered));
	}
	CHECK_FALSE(verify(key.public_key, "header.claimt", signature));
	CHECK_FALSE(verify(generate_signing_key().public_key, message, signature));
	CHECK_FALSE(verify(key.public_key, message, signature.substr(1)));
	CHECK_FALSE(verify("short", message, signature));
}

TEST_CASE("a key of another kind signs nothing")
{
	const auto ca = create_ca("test CA", {1'000'000'000, 2'000'000'000});
	REQUIRE(ca);
	const auto signature = sign(key_der_of_pem(ca->key_pem).value(), "message");
	REQUIRE_FALSE(signature);
	CHECK(signature.error().what == "signing key: it is not an Ed25519 key");
	CHECK_FALSE(sign("not a key", "message"));
}

TEST_CASE("HKDF-SHA-256 agrees with RFC 5869, cases 1 and 3")
{
	const std::string key(22, '\x0b');
	CHECK(to_hex(hkdf_sha256(bytes_of_hex("000102030405060708090a0b0c"), key,
				 bytes_of_hex("f0f1f2f3f4f5f6f7f8f9"), 42)) ==
	      "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
	CHECK(to_hex(hkdf_sha256("", key, "", 42)) ==
	      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

TEST_CASE("ChaCha20-Poly1305 agrees with RFC 8439 section 2.8.2")
{
	const std::string key =
		bytes_of_hex("808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f");
	const std::string nonce = bytes_of_hex("070000004041424344454647");
	const std::string associated = bytes_of_hex("50515253c0c1c2c3c4c5c6c7");
	const std::string plain =
		"Ladies and Gentlemen of the class of '99: If I could offer you only one tip "
		"for the future, sunscreen would be it.";
	const std::string sealed = aead_seal(key, nonce, associated, plain);
	CHECK(to_hex(sealed) == "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9"
				"671282fafb69da92728b"
				"1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad6"
				"75945585808b4831d7bc"
				"3ff4def08e4b7a9de576d26586cec64b6116"
				"1ae10b594f09e26a7e902ecbd0600691");
	CHECK(aead_open(key, nonce, associated, sealed) == plain);
	CHECK_FALSE(aead_open(key, nonce, "other", sealed));
	CHECK_FALSE(aead_open(key, nonce, associated, sealed.substr(0, 15)));
}

TEST_CASE("what was sealed is unsealed, whatever its length, and never sealed alike twice")
{
	for (const std::size_t count : {0, 1, 31, 32, 33, 1000, 70000}) {
		CAPTURE(count);
		const std::string secret = random_bytes(count);
		CHECK(unseal(sealing, seal(sealing, secret)) == secret);
	}
	CHECK(seal(sealing, "secret") != seal(sealing, "secret"));
	CHECK(seal(sealing, "secret").find("secret") == std::string::npos);
}

TEST_CASE("an envelope does not open when any byte of it is altered")
{
	const std::string envelope = seal(sealing, "secret");
	for (std::size_t i = 0; i < envelope.size(); i++) {
		CAPTURE(i);
		std::string altered = envelope;
		altered[i] = static_cast<char>(altered[i] ^ 1);
		const auto opened = unseal(sealing, altered);
		REQUIRE_FALSE(opened);
		CHECK(opened.error().kind == ErrorKind::corrupt);
	}
	for (const char *wrong : {"", "{}", "[]", "null", R"({"kid":"local-v1","salt":1})"}) {
		CAPTURE(wrong);
		CHECK(unseal(sealing, wrong).error().kind == ErrorKind::corrupt);
	}
}

TEST_CASE("the error of an envelope says which key it wants")
{
	const std::string envelope = seal(sealing, "secret");
	CHECK(unseal({"local-v2", sealing.secret}, envelope).error().what ==
	      "sealed secret: sealed with key local-v1, not with local-v2: another secret.key");
	CHECK(unseal({"local-v1", std::string(32, 'x')}, envelope).error().what ==
	      "sealed secret: does not open with key local-v1: another secret.key, or altered bytes");
}

TEST_CASE("a random UUID is version 4, and no two are alike")
{
	std::set<std::string> seen;
	for (int i = 0; i < 1000; i++) {
		const std::string uuid = random_uuid();
		REQUIRE(uuid.size() == 36);
		CHECK(uuid[14] == '4');
		CHECK(std::string_view("89ab").find(uuid[19]) != std::string_view::npos);
		CHECK(canonical_uuid(uuid) == uuid);
		CHECK(seen.insert(uuid).second);
	}
}

TEST_CASE("every usual spelling of a UUID is understood, and nothing else")
{
	const std::string canonical = "67e55044-10b1-426f-9247-bb680e5fe0c8";
	for (const char *spelling :
	     {"67e55044-10b1-426f-9247-bb680e5fe0c8", "67E55044-10B1-426F-9247-BB680E5FE0C8",
	      "67e5504410b1426f9247bb680e5fe0c8", "urn:uuid:67e55044-10b1-426f-9247-bb680e5fe0c8",
	      "{67e55044-10b1-426f-9247-bb680e5fe0c8}"}) {
		CAPTURE(spelling);
		CHECK(canonical_uuid(spelling) == canonical);
	}
	for (const char *wrong :
	     {"", "67e55044", "67e55044-10b1-426f-9247-bb680e5fe0c", "../../../../etc/passwd",
	      "67e55044-10b1-426f-9247-bb680e5fe0cg", "67e55044x10b1-426f-9247-bb680e5fe0c8",
	      "67e55044-10b1-426f-9247bb680e5fe0c80-", "{67e5504410b1426f9247bb680e5fe0c8}}"}) {
		CAPTURE(wrong);
		CHECK_FALSE(canonical_uuid(wrong));
	}
}

TEST_CASE("a comparison in constant time still compares")
{
	CHECK(equal_in_constant_time("", ""));
	CHECK(equal_in_constant_time("same", "same"));
	CHECK_FALSE(equal_in_constant_time("same", "sama"));
	CHECK_FALSE(equal_in_constant_time("same", "sames"));
}
