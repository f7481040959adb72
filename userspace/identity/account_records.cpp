// Service accounts and tokens to JSON and back.
#include "identity/account_records.h"

#include "base/text.h"
#include "identity/json.h"

namespace neuwerk::identity {

namespace {

namespace json = boost::json;

tl::unexpected<Error> damaged(const state::Record &record)
{
	return fail(ErrorKind::corrupt,
		    text("record ", record.key, ": damaged: it is not what this program writes"));
}

} // namespace

std::string_view name(Role role)
{
	return role == Role::admin ? "admin" : "readonly";
}

std::optional<Role> parse_role(std::string_view text)
{
	if (text == "admin")
		return Role::admin;
	if (text == "readonly")
		return Role::readonly;
	return std::nullopt;
}

Result<AccountRecord> account_of(const state::Record &record)
{
	const auto object = object_of(record.value);
	if (!object)
		return damaged(record);
	const auto id = text_member(*object, "id");
	const auto name = text_member(*object, "name");
	const auto created_at = text_member(*object, "created_at");
	const auto created_by = text_member(*object, "created_by");
	const auto role = parse_role(text_member(*object, "role").value_or(""));
	const auto status = text_member(*object, "status");
	if (!id || !name || !created_at || !created_by || !role || !status)
		return damaged(record);
	// Whatever is not active is disabled: an unknown status never opens a door.
	return AccountRecord{{*id, *name, text_member(*object, "description"), *created_at, *created_by,
			      *role, status == "active"},
			     integer_member(*object, "sequence").value_or(0),
			     record.revision};
}

Result<TokenRecord> token_of(const state::Record &record)
{
	const auto object = object_of(record.value);
	if (!object)
		return damaged(record);
	const auto id = text_member(*object, "id");
	const auto account = text_member(*object, "service_account_id");
	const auto created_at = text_member(*object, "created_at");
	const auto created_by = text_member(*object, "created_by");
	const auto kid = text_member(*object, "kid");
	const auto role = parse_role(text_member(*object, "role").value_or(""));
	const auto status = text_member(*object, "status");
	if (!id || !account || !created_at || !created_by || !kid || !role || !status)
		return damaged(record);
	TokenMeta meta{*id,
		       *account,
		       text_member(*object, "name"),
		       *created_at,
		       *created_by,
		       text_member(*object, "expires_at"),
		       text_member(*object, "revoked_at"),
		       std::nullopt,
		       *kid,
		       *role};
	if (status != "active" && !meta.revoked_at)
		meta.revoked_at = *created_at; // revoked without a time still counts as revoked
	return TokenRecord{std::move(meta), integer_member(*object, "expires_s"),
			   integer_member(*object, "sequence").value_or(0), record.revision};
}

std::string to_json(const AccountRecord &record)
{
	const auto &account = record.account;
	return json::serialize(json::object{{"id", account.id},
					    {"name", account.name},
					    {"description", value_of(account.description)},
					    {"created_at", account.created_at},
					    {"created_by", account.created_by},
					    {"role", name(account.role)},
					    {"status", account.enabled ? "active" : "disabled"},
					    {"sequence", record.sequence}});
}

std::string to_json(const TokenRecord &record)
{
	const auto &meta = record.meta;
	return json::serialize(
		json::object{{"id", meta.id},
			     {"service_account_id", meta.service_account_id},
			     {"name", value_of(meta.name)},
			     {"created_at", meta.created_at},
			     {"created_by", meta.created_by},
			     {"expires_at", value_of(meta.expires_at)},
			     {"expires_s", record.expires_s ? json::value(*record.expires_s) : json::value()},
			     {"revoked_at", value_of(meta.revoked_at)},
			     {"kid", meta.kid},
			     {"role", name(meta.role)},
			     {"status", meta.revoked_at ? "revoked" : "active"},
			     {"sequence", record.sequence}});
}

std::string account_key(std::string_view id)
{
	return text(account_prefix, id);
}

std::string token_key(std::string_view id)
{
	return text(token_prefix, id);
}

std::string use_key(std::string_view token_id)
{
	return text(use_prefix, token_id);
}

std::optional<Use> use_of(const state::Record &record)
{
	const auto object = object_of(record.value);
	const auto at_s = object ? integer_member(*object, "at_s") : std::nullopt;
	if (!at_s)
		return std::nullopt;
	return Use{*at_s};
}

std::string to_json(Use use)
{
	return json::serialize(json::object{{"at_s", use.at_s}});
}

} // namespace neuwerk::identity
