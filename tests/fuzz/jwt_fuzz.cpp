// Any bytes as a token, as header and claims that are signed, as credentials and as a key set: nothing gets
// in that the key did not sign, and one altered character keeps a signed token out.
//
// Byte 0 chooses; the rest is text. Ed25519 signs the same bytes alike every time, so "signed" can be checked
// by signing again.
#include "crypto/crypto.h"
#include "identity/credentials.h"
#include "identity/keyset.h"
#include "identity/token.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

using namespace neuwerk;
using namespace neuwerk::identity;

namespace {

constexpr std::int64_t now_s = 1'800'000'000;

void require(bool holds)
{
	if (!holds)
		std::abort();
}

// The key of RFC 8032 §7.1, test 1: the corpus holds tokens that it signed.
const std::string seed = "\x9d\x61\xb1\x9d\xef\xfd\x5a\x60\xba\x84\x4a\xf4\x92\xec\x2c\xc4"
			 "\x44\x49\xc5\x69\x7b\x32\x69\x19\x70\x3b\xac\x03\x1c\xae\x7f\x60";
const std::string private_pkcs8 =
	std::string("\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20", 16) + seed;
const std::string public_key = "\xd7\x5a\x98\x01\x82\xb1\x0a\xb7\xd5\x4b\xfe\xd3\xc9\x64\x07\x3a"
			       "\x0e\xe1\x72\xf3\xda\xa6\x23\x25\xaf\x02\x1a\x68\xf7\x07\x51\x1a";
const KeySet keys{"k1", {{"k1", public_key, "", ""}, {"k0", public_key, "", "", true}}};

bool is_good(std::string_view text)
{
	const auto token = parse_token(text);
	return token && check_token(*token, keys) && check_times(token->claims, now_s);
}

void check_text(std::string_view text)
{
	const auto token = parse_token(text);
	if (!token) {
		require(token.error().kind == ErrorKind::unauthenticated && !token.error().what.empty());
		return;
	}
	for (const std::int64_t time_s : {std::int64_t{INT64_MIN} + 60, std::int64_t{0}, INT64_MAX - 60})
		(void)check_times(token->claims, time_s);
	if (!check_token(*token, keys))
		return;
	require(token->algorithm == "EdDSA" && token->kid == "k1");
	require(token->claims.issuer == "neuwerk-api" && token->claims.audience == "neuwerk-api");
	require(!token->claims.subject.empty() && !token->claims.token_id.empty());
	const std::string signed_part(text.substr(0, text.rfind('.')));
	const std::string signature = crypto::sign(private_pkcs8, signed_part).value();
	require(text == signed_part + "." + crypto::to_base64url(signature));
}

// `text`: header, newline, claims.
void check_signed(std::string_view text)
{
	const std::size_t newline = text.find('\n');
	if (newline == std::string_view::npos)
		return;
	const std::string part = crypto::to_base64url(text.substr(0, newline)) + "." +
				 crypto::to_base64url(text.substr(newline + 1));
	std::string token = part + "." + crypto::to_base64url(crypto::sign(private_pkcs8, part).value());
	check_text(token);
	if (!is_good(token))
		return;
	const std::size_t position = text.size() * 7919 % token.size();
	token[position] = token[position] == 'A' ? 'B' : 'A';
	require(!is_good(token));
}

// `text`: Authorization, newline, Cookie.
void check_credentials(std::string_view text)
{
	const std::size_t newline = text.find('\n');
	Credentials credentials{text.substr(0, newline), std::nullopt};
	if (newline != std::string_view::npos)
		credentials.cookie = text.substr(newline + 1);
	const auto token = presented_token(credentials);
	require(!token || !token->empty());
	require(!token ||
		(token->data() >= text.data() && token->data() + token->size() <= text.data() + text.size()));
	if (token)
		check_text(*token);
}

void check_keyset(std::string_view text)
{
	const auto read = parse_keyset(text);
	if (!read) {
		require(read.error().kind == ErrorKind::corrupt);
		return;
	}
	const auto again = parse_keyset(to_json(*read));
	require(again && to_json(*again) == to_json(*read));
	(void)import_keyset(text, {"k", std::string(32, 'k')});
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t count)
{
	if (count == 0)
		return 0;
	const std::string_view text(reinterpret_cast<const char *>(bytes) + 1, count - 1);
	switch (bytes[0] % 4) {
	case 0:
		check_text(text);
		break;
	case 1:
		check_signed(text);
		break;
	case 2:
		check_credentials(text);
		break;
	default:
		check_keyset(text);
	}
	return 0;
}
