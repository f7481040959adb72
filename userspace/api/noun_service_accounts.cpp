// Routes: service accounts and their tokens (spec/http-api §5.6, §12.2).
#include "api/fields.h"
#include "api/nouns.h"
#include "api/spelling.h"

#include <boost/json.hpp>

namespace neuwerk::api {

namespace {

namespace json = boost::json;
using identity::Account;
using identity::AccountFields;
using identity::Identity;
using identity::TokenMeta;

constexpr std::string_view tag = "Service Accounts";
constexpr std::string_view collection = "/api/v1/service-accounts";
constexpr std::string_view item = "/api/v1/service-accounts/{id}";
constexpr std::string_view tokens = "/api/v1/service-accounts/{id}/tokens";

json::value value_of(const std::optional<std::string> &written)
{
	return written ? json::value(*written) : json::value();
}

json::value value_of(const Account &account)
{
	return json::object{{"id", account.id},
			    {"name", account.name},
			    {"description", value_of(account.description)},
			    {"created_at", account.created_at},
			    {"created_by", account.created_by},
			    {"role", name(account.role)},
			    {"status", account.enabled ? "active" : "disabled"}};
}

json::value value_of(const TokenMeta &token)
{
	return json::object{{"id", token.id},
			    {"service_account_id", token.service_account_id},
			    {"name", value_of(token.name)},
			    {"created_at", token.created_at},
			    {"created_by", token.created_by},
			    {"expires_at", value_of(token.expires_at)},
			    {"revoked_at", value_of(token.revoked_at)},
			    {"last_used_at", value_of(token.last_used_at)},
			    {"kid", token.kid},
			    {"role", name(token.role)},
			    {"status", token.revoked_at ? "revoked" : "active"}};
}

json::value value_of(const identity::MintedToken &minted)
{
	return json::object{{"token", minted.token}, {"token_meta", value_of(minted.meta)}};
}

template <typename Item>
json::value value_of(const std::vector<Item> &items)
{
	json::array list;
	for (const auto &one : items)
		list.push_back(value_of(one));
	return list;
}

template <typename Value>
Response answer(const Result<Value> &result)
{
	if (!result)
		return error_response(result.error());
	return {.body = json::serialize(value_of(*result))};
}

Response answer(const Result<> &result)
{
	return result ? Response{.status = 204} : error_response(result.error());
}

Result<std::string> account_id(const Call &call)
{
	auto id = parse_uuid(call.parameters.at(0));
	if (!id)
		return fail(ErrorKind::invalid_argument, "invalid service account id");
	return std::move(*id);
}

// 400 for the id and 404 come before any error of the body (spec/http-api §2.1).
Result<Account> account_of(const Identity &identity, const Call &call)
{
	const auto id = account_id(call);
	if (!id)
		return tl::unexpected(id.error());
	return identity.account(*id);
}

Result<AccountFields> read_fields(const Call &call)
{
	AccountFields read;
	std::string role;
	Fields fields(call.request.body);
	fields.required("name", read.name);
	fields.optional("description", read.description);
	fields.required("role", role, {"readonly", "admin"});
	if (auto done = fields.result(); !done)
		return tl::unexpected(std::move(done.error()));
	read.role = *identity::parse_role(role);
	return read;
}

Result<Account> create(Identity &identity, const Call &call)
{
	const auto fields = read_fields(call);
	if (!fields)
		return tl::unexpected(fields.error());
	return identity.create_account(*fields, call.subject.sub);
}

Result<Account> update(Identity &identity, const Call &call)
{
	const auto account = account_of(identity, call);
	if (!account)
		return account;
	const auto fields = read_fields(call);
	if (!fields)
		return tl::unexpected(fields.error());
	return identity.update_account(account->id, *fields, call.subject.sub);
}

Result<Account> update_by_name(Identity &identity, const Call &call)
{
	const auto fields = read_fields(call);
	if (!fields)
		return tl::unexpected(fields.error());
	return identity.update_account_by_name(*fields, call.subject.sub);
}

Result<> disable(Identity &identity, const Call &call)
{
	const auto id = account_id(call);
	if (!id)
		return tl::unexpected(id.error());
	return identity.disable_account(*id, call.subject.sub);
}

Result<std::vector<TokenMeta>> list_tokens(const Identity &identity, const Call &call)
{
	const auto id = account_id(call);
	if (!id)
		return tl::unexpected(id.error());
	return identity.tokens(*id);
}

Result<identity::MintedToken> mint(Identity &identity, const Call &call)
{
	const auto account = account_of(identity, call);
	if (!account)
		return tl::unexpected(account.error());
	if (!account->enabled)
		return fail(ErrorKind::invalid_argument, "service account disabled");
	identity::TokenRequest request;
	std::string role;
	Fields fields(call.request.body);
	fields.optional("name", request.name);
	fields.optional("ttl", request.ttl);
	fields.optional("eternal", request.eternal);
	fields.optional("role", role, {"readonly", "admin"});
	if (auto done = fields.result(); !done)
		return tl::unexpected(std::move(done.error()));
	request.role = identity::parse_role(role);
	return identity.mint_token(account->id, request, call.subject.sub);
}

Result<> revoke(Identity &identity, const Call &call)
{
	const auto account = account_id(call);
	if (!account)
		return tl::unexpected(account.error());
	const auto token = parse_uuid(call.parameters.at(1));
	if (!token)
		return fail(ErrorKind::invalid_argument, "invalid token id");
	return identity.revoke_token(*account, *token, call.subject.sub);
}

void add_account_routes(Routes &routes, Identity &identity)
{
	routes.push_back(
		{.method = Method::get,
		 .path = collection,
		 .access = Access::user,
		 .reads = Reads::no_body,
		 .documentation = {.tag = tag,
				   .summary = "All service accounts, disabled ones too, oldest first",
				   .response = "#ServiceAccounts"},
		 .handle = [&](const Call &) { return answer(identity.accounts()); }});
	routes.push_back({.method = Method::post,
			  .path = collection,
			  .access = Access::user,
			  .reads = Reads::json_body,
			  .documentation = {.tag = tag,
					    .summary = "Create a service account",
					    .request = "#ServiceAccountFields",
					    .response = "#ServiceAccount"},
			  .handle = [&](const Call &call) { return answer(create(identity, call)); }});
	routes.push_back({.method = Method::put,
			  .path = item,
			  .access = Access::user,
			  .reads = Reads::json_body,
			  .documentation = {.tag = tag,
					    .summary = "Replace name, description and role",
					    .request = "#ServiceAccountFields",
					    .response = "#ServiceAccount"},
			  .handle = [&](const Call &call) { return answer(update(identity, call)); }});
	// The published Terraform provider updates with an empty id: it names the account by its name.
	routes.push_back(
		{.method = Method::put,
		 .path = "/api/v1/service-accounts/",
		 .access = Access::user,
		 .reads = Reads::json_body,
		 .documentation = {.tag = tag,
				   .summary = "Update the one active account of that name",
				   .request = "#ServiceAccountFields",
				   .response = "#ServiceAccount"},
		 .handle = [&](const Call &call) { return answer(update_by_name(identity, call)); }});
	routes.push_back(
		{.method = Method::erase,
		 .path = item,
		 .access = Access::user,
		 .reads = Reads::no_body,
		 .documentation = {.tag = tag,
				   .summary = "Disable an account and revoke its tokens; it stays listed",
				   .success = 204},
		 .handle = [&](const Call &call) { return answer(disable(identity, call)); }});
}

void add_token_routes(Routes &routes, Identity &identity)
{
	routes.push_back(
		{.method = Method::get,
		 .path = tokens,
		 .access = Access::user,
		 .reads = Reads::no_body,
		 .documentation = {.tag = tag,
				   .summary = "The tokens of an account, revoked ones too, oldest first",
				   .response = "#ServiceAccountTokens"},
		 .handle = [&](const Call &call) { return answer(list_tokens(identity, call)); }});
	routes.push_back({.method = Method::post,
			  .path = tokens,
			  .access = Access::user,
			  .reads = Reads::json_body,
			  .documentation = {.tag = tag,
					    .summary = "Mint a token; its text is shown only here",
					    .request = "#ServiceAccountTokenFields",
					    .response = "#MintedServiceAccountToken"},
			  .handle = [&](const Call &call) { return answer(mint(identity, call)); }});
	routes.push_back({.method = Method::erase,
			  .path = "/api/v1/service-accounts/{id}/tokens/{token_id}",
			  .access = Access::user,
			  .reads = Reads::no_body,
			  .documentation = {.tag = tag,
					    .summary = "Revoke a token, at once; it stays listed",
					    .success = 204},
			  .handle = [&](const Call &call) { return answer(revoke(identity, call)); }});
}

} // namespace

void add_service_accounts_routes(Routes &routes, Services &services)
{
	add_account_routes(routes, services.identity);
	add_token_routes(routes, services.identity);
}

} // namespace neuwerk::api
