// Routes: the signing keys and tokens for people, over the local socket only (spec/http-api §3.3).
#include "api/body.h"
#include "api/nouns.h"

#include <boost/json.hpp>

#include <utility>

namespace neuwerk::api {

namespace {

namespace json = boost::json;
using identity::Identity;
using identity::KeyInfo;

constexpr std::string_view tag = "Auth";
constexpr std::string_view key_schema = R"({"type": "object", "properties": {
"kid": {"type": "string"}, "public_key": {"type": "string", "description": "32 bytes in base64"},
"created_at": {"type": "string", "format": "date-time"}, "active": {"type": "boolean"},
"signing": {"type": "boolean", "description": "new tokens are signed with it"}
}, "required": ["kid", "public_key", "created_at", "active", "signing"]})";
constexpr std::string_view keys_schema = R"({"type": "array", "items": {"type": "object"}})";
constexpr std::string_view request_schema = R"({"type": "object", "properties": {
"sub": {"type": "string"}, "ttl": {"type": ["string", "null"], "description": "90, 30s, 15m, 12h, 7d"},
"kid": {"type": ["string", "null"]}, "roles": {"type": ["array", "null"], "items": {"type": "string"}}
}, "required": ["sub"]})";
constexpr std::string_view token_schema =
	R"({"type": "object", "properties": {"token": {"type": "string"}}, "required": ["token"]})";

json::value value_of(const KeyInfo &key)
{
	return json::object{{"kid", key.kid},
			    {"public_key", crypto::to_base64(key.public_key)},
			    {"created_at", key.created_at},
			    {"active", key.active},
			    {"signing", key.signing}};
}

Response list(const Identity &identity)
{
	const auto keys = identity.keys();
	if (!keys)
		return error_response(keys.error());
	json::array all;
	for (const auto &key : *keys)
		all.push_back(value_of(key));
	return {.body = json::serialize(all)};
}

Response rotate(Identity &identity, const Call &call)
{
	const auto key = identity.rotate_key(call.subject.sub);
	return key ? Response{.body = json::serialize(value_of(*key))} : error_response(key.error());
}

Response retire(Identity &identity, const Call &call)
{
	const auto retired = identity.retire_key(call.parameters.at(0), call.subject.sub);
	return retired ? Response{.status = 204} : error_response(retired.error());
}

Result<identity::MintRequest> read_request(const Request &request, std::int64_t now_s)
{
	const auto body = Body::parse(request.body);
	if (!body)
		return tl::unexpected(body.error());
	auto sub = body->text("sub");
	auto ttl = body->text_or_none("ttl");
	auto kid = body->text_or_none("kid");
	auto roles = body->texts_or_none("roles");
	for (const Error *error : {sub ? nullptr : &sub.error(), ttl ? nullptr : &ttl.error(),
				   kid ? nullptr : &kid.error(), roles ? nullptr : &roles.error()})
		if (error)
			return tl::unexpected(*error);
	identity::MintRequest read{std::move(*sub), std::nullopt, std::move(*kid),
				   roles->value_or(std::vector<std::string>{})};
	if (*ttl) {
		const auto ttl_s = identity::parse_ttl(**ttl, now_s);
		if (!ttl_s)
			return tl::unexpected(ttl_s.error());
		read.ttl_s = *ttl_s;
	}
	return read;
}

Response mint(Services &services, const Call &call)
{
	const auto request = read_request(call.request, services.now_ms() / 1000);
	if (!request)
		return error_response(request.error());
	const auto token = services.identity.mint(*request);
	return token ? Response{.body = json::serialize(json::object{{"token", *token}})}
		     : error_response(token.error());
}

} // namespace

void add_keys_routes(Routes &routes, Services &services)
{
	Identity &identity = services.identity;
	routes.push_back({.method = Method::get,
			  .path = "/api/v1/local/keys",
			  .access = Access::local,
			  .reads = Reads::no_body,
			  .documentation = {.tag = tag,
					    .summary = "The keys that verify tokens, oldest first",
					    .response = keys_schema},
			  .handle = [&](const Call &) { return list(identity); }});
	routes.push_back({.method = Method::post,
			  .path = "/api/v1/local/keys/rotate",
			  .access = Access::local,
			  .reads = Reads::no_body,
			  .documentation = {.tag = tag,
					    .summary = "Sign with a new key; the old ones go on verifying",
					    .response = key_schema},
			  .handle = [&](const Call &call) { return rotate(identity, call); }});
	routes.push_back({.method = Method::post,
			  .path = "/api/v1/local/keys/{kid}/retire",
			  .access = Access::local,
			  .reads = Reads::no_body,
			  .documentation = {.tag = tag,
					    .summary = "Refuse every token of a key from now on",
					    .success = 204},
			  .handle = [&](const Call &call) { return retire(identity, call); }});
	routes.push_back({.method = Method::post,
			  .path = "/api/v1/local/tokens",
			  .access = Access::local,
			  .reads = Reads::json_body,
			  .documentation = {.tag = tag,
					    .summary = "Mint a token; without roles it may only read",
					    .request = request_schema,
					    .response = token_schema},
			  .handle = [&](const Call &call) { return mint(services, call); }});
}

} // namespace neuwerk::api
