// Reads, checks and prints tokens.
#include "identity/token.h"

#include "base/text.h"
#include "identity/json.h"

namespace neuwerk::identity {

namespace {

namespace json = boost::json;

constexpr std::string_view algorithm = "EdDSA";
constexpr std::string_view issuer = "neuwerk-api"; // and audience

tl::unexpected<Error> refuse(std::string_view what)
{
	return fail(ErrorKind::unauthenticated, std::string(what));
}

std::optional<json::object> decode_part(std::string_view part)
{
	const auto bytes = crypto::from_base64url(part);
	if (!bytes)
		return std::nullopt;
	return object_of(*bytes);
}

// False: the claim is there and no string.
bool take_text(const json::object &object, std::string_view key, std::string &into)
{
	const auto *value = member(object, key);
	if (!value)
		return true;
	if (!value->is_string())
		return false;
	into = value->get_string();
	return true;
}

bool take_roles(const json::object &object, std::vector<std::string> &into)
{
	const auto *value = member(object, "roles");
	if (!value)
		return true;
	if (!value->is_array())
		return false;
	for (const auto &role : value->get_array()) {
		if (!role.is_string())
			return false;
		into.emplace_back(role.get_string());
	}
	return true;
}

std::optional<Claims> claims_of(const json::object &object)
{
	Claims claims;
	std::string account, scope;
	if (!take_text(object, "iss", claims.issuer) || !take_text(object, "aud", claims.audience) ||
	    !take_text(object, "sub", claims.subject) || !take_text(object, "jti", claims.token_id) ||
	    !take_text(object, "sa_id", account) || !take_text(object, "scope", scope) ||
	    !take_roles(object, claims.roles))
		return std::nullopt;
	const auto issued_s = integer_member(object, "iat");
	claims.expires_s = integer_member(object, "exp");
	if (!issued_s || (member(object, "exp") && !claims.expires_s))
		return std::nullopt;
	claims.issued_s = *issued_s;
	if (member(object, "sa_id"))
		claims.service_account = std::move(account);
	return claims;
}

} // namespace

Result<Token> parse_token(std::string_view text)
{
	if (text.empty() || text.front() == '.')
		return refuse("jwt missing header");
	const std::size_t first = text.find('.');
	if (first == std::string_view::npos)
		return refuse("jwt missing claims");
	const std::size_t second = text.find('.', first + 1);
	if (second == std::string_view::npos)
		return refuse("jwt missing signature");
	if (text.find('.', second + 1) != std::string_view::npos)
		return refuse("jwt has too many segments");

	Token token;
	const auto header = decode_part(text.substr(0, first));
	// RFC 7515 §4.1.11: extensions that we must understand, and do not.
	if (!header || !member(*header, "alg") || !take_text(*header, "alg", token.algorithm) ||
	    !take_text(*header, "kid", token.kid) || header->contains("crit"))
		return refuse("invalid jwt header");
	const auto object = decode_part(text.substr(first + 1, second - first - 1));
	auto claims = object ? claims_of(*object) : std::nullopt;
	if (!claims)
		return refuse("invalid jwt claims");
	auto signature = crypto::from_base64url(text.substr(second + 1));
	if (!signature)
		return refuse("invalid jwt signature encoding");
	token.claims = std::move(*claims);
	token.signature = std::move(*signature);
	token.signed_part = text.substr(0, second);
	return token;
}

Result<> check_token(const Token &token, const KeySet &keys)
{
	if (token.algorithm != algorithm)
		return refuse("unsupported jwt alg");
	const Key *key = keys.find(token.kid);
	if (!key)
		return refuse("unknown jwt kid");
	if (key->retired)
		return refuse("jwt key retired");
	if (!crypto::verify(key->public_key, token.signed_part, token.signature))
		return refuse("invalid jwt signature");
	if (token.claims.issuer != issuer)
		return refuse("invalid jwt issuer");
	if (token.claims.audience != issuer)
		return refuse("invalid jwt audience");
	if (token.claims.subject.empty())
		return refuse("missing jwt sub");
	if (token.claims.token_id.empty())
		return refuse("missing jwt jti");
	return {};
}

Result<> check_times(const Claims &claims, std::int64_t now_s)
{
	if (claims.expires_s && *claims.expires_s < now_s - clock_skew_s)
		return refuse("jwt expired");
	if (claims.issued_s > now_s + clock_skew_s)
		return refuse("jwt issued in the future");
	if (!claims.expires_s && !claims.service_account)
		return refuse("missing jwt exp");
	return {};
}

Result<std::string> print_token(const Claims &claims, std::string_view kid, std::string_view private_pkcs8)
{
	const json::object header{{"alg", algorithm}, {"kid", kid}, {"typ", "JWT"}};
	json::object body{{"iss", issuer},
			  {"aud", issuer},
			  {"sub", claims.subject},
			  {"iat", claims.issued_s},
			  {"jti", claims.token_id}};
	if (claims.expires_s)
		body["exp"] = *claims.expires_s;
	if (claims.service_account)
		body["sa_id"] = *claims.service_account;
	if (!claims.roles.empty())
		body["roles"] = json::value_from(claims.roles);
	const std::string signed_part = text(crypto::to_base64url(json::serialize(header)), '.',
					     crypto::to_base64url(json::serialize(body)));
	const auto signature = crypto::sign(private_pkcs8, signed_part);
	if (!signature)
		return tl::unexpected(signature.error());
	return text(signed_part, '.', crypto::to_base64url(*signature));
}

} // namespace neuwerk::identity
