// neuwerkctl service-account, token: accounts of programs and what they log in with.
#include "nouns.h"

#include "base/text.h"

namespace neuwerk::cli {

namespace {

const std::string accounts_path = "/api/v1/service-accounts";

// An account by its id, or by its name when only one active account has it. The API has no GET by id (spec
// §5.6), so the list is read.
Result<Json> find_account(const Session &session, const std::string &words)
{
	const auto answer = session.client().get(accounts_path);
	if (!answer)
		return tl::unexpected(answer.error());
	const Json *found = nullptr;
	for (const Json &account : answer->json.items()) {
		if (account["id"].text() == words)
			return account;
		if (account["name"].text() != words || account["status"].text() != "active")
			continue;
		if (found)
			return fail(ErrorKind::conflict, text("service account '", words,
							      "': several have this name; give the id"));
		found = &account;
	}
	if (!found)
		return fail(ErrorKind::not_found, text("service account '", words, "': there is none"));
	return *found;
}

std::string account_path(const Json &account)
{
	return accounts_path + '/' + escaped(account["id"].text());
}

Result<> create_account(const Session &session)
{
	Json body =
		Json::object({{"name", session.words.get("NAME")}, {"role", session.words.get("--role")}});
	if (session.words.has("--description"))
		body.set("description", session.words.get("--description"));
	return session.send("POST", accounts_path, body, as_object(session.style));
}

// PUT replaces everything: what the line does not say stays as it is.
Result<> update_account(const Session &session)
{
	const auto account = find_account(session, session.words.get("ACCOUNT"));
	if (!account)
		return tl::unexpected(account.error());
	const auto field = [&](const char *option, const char *key) -> Json {
		return session.words.has(option) ? Json(session.words.get(option)) : (*account)[key];
	};
	const Json body = Json::object({{"name", field("--name", "name")},
					{"description", field("--description", "description")},
					{"role", field("--role", "role")}});
	return session.send("PUT", account_path(*account), body, as_object(session.style));
}

Result<> disable_account(const Session &session)
{
	const auto account = find_account(session, session.words.get("ACCOUNT"));
	if (!account)
		return tl::unexpected(account.error());
	const auto answer = session.client().send_json("DELETE", account_path(*account), {});
	if (!answer)
		return tl::unexpected(answer.error());
	session.done(text("disabled service account ", (*account)["name"].text(), " (",
			  (*account)["id"].text(), "); its tokens are revoked"),
		     Json::object({{"id", (*account)["id"]}, {"status", "disabled"}}));
	return {};
}

Result<> mint_token(const Session &session)
{
	const auto account = find_account(session, session.words.get("ACCOUNT"));
	if (!account)
		return tl::unexpected(account.error());
	Json body = Json::object();
	for (const auto &[option, key] : {std::pair{"--name", "name"}, {"--ttl", "ttl"}, {"--role", "role"}})
		if (session.words.has(option))
			body.set(key, session.words.get(option));
	if (session.words.has("--eternal"))
		body.set("eternal", true);
	return session.send("POST", account_path(*account) + "/tokens", body, [&](const Json &answer) {
		if (!session.is_table())
			return structured(answer, session.style.format);
		const Json &meta = answer["token_meta"];
		const std::string end = meta["expires_at"].text();
		session.note(text("token ", meta["id"].text(), ", role ", meta["role"].text(), ", ",
				  end.empty() ? "never expires" : "until " + end, "; it is shown only now"));
		return answer["token"].text() + '\n';
	});
}

Result<> list_tokens(const Session &session)
{
	const auto account = find_account(session, session.words.get("ACCOUNT"));
	if (!account)
		return tl::unexpected(account.error());
	return session.show(account_path(*account) + "/tokens", as_list(session.style,
									{{"ID", "id"},
									 {"NAME", "name"},
									 {"ROLE", "role"},
									 {"STATUS", "status"},
									 {"CREATED", "created_at"},
									 {"EXPIRES", "expires_at"},
									 {"LAST USED", "last_used_at"},
									 {"KEY", "kid"}},
									"no tokens"));
}

Result<> revoke_token(const Session &session)
{
	const auto account = find_account(session, session.words.get("ACCOUNT"));
	if (!account)
		return tl::unexpected(account.error());
	const std::string token = session.words.get("TOKEN_ID");
	const auto answer = session.client().send_json(
		"DELETE", account_path(*account) + "/tokens/" + escaped(token), {});
	if (!answer)
		return tl::unexpected(answer.error());
	session.done(text("revoked token ", token), Json::object({{"id", token}, {"status", "revoked"}}));
	return {};
}

const Option account_argument{
	.name = "ACCOUNT", .help = "id, or the name of an active account", .required = true};

Option role_option(const char *help, bool required)
{
	return {.name = "--role",
		.value = "ROLE",
		.help = help,
		.required = required,
		.choices = {"readonly", "admin"}};
}

} // namespace

std::vector<Command> service_account_commands()
{
	const std::vector<Column> columns = {{"ID", "id"},
					     {"NAME", "name"},
					     {"ROLE", "role"},
					     {"STATUS", "status"},
					     {"CREATED", "created_at"},
					     {"BY", "created_by"},
					     {"DESCRIPTION", "description"}};
	return {
		{.words = "service-account list",
		 .help = "all accounts, disabled ones too",
		 .run =
			 [columns](Session &session) {
				 return session.show(accounts_path,
						     as_list(session.style, columns, "no service accounts"));
			 }},
		{.words = "service-account create",
		 .help = "a new account",
		 .options = {role_option("what its tokens may do at most", true),
			     {.name = "--description", .value = "TEXT", .help = "what it is for"},
			     {.name = "NAME", .help = "need not be unique", .required = true}},
		 .run = [](Session &session) { return create_account(session); }},
		{.words = "service-account update",
		 .help = "rename it, describe it, change its role; what is not given stays",
		 .options = {{.name = "--name", .value = "NAME", .help = "its new name"},
			     role_option("what its tokens may do at most", false),
			     {.name = "--description",
			      .value = "TEXT",
			      .help = "what it is for; \"\" removes it"},
			     account_argument},
		 .run = [](Session &session) { return update_account(session); }},
		{.words = "service-account disable",
		 .help = "disable it for ever and revoke its tokens",
		 .options = {account_argument},
		 .run = [](Session &session) { return disable_account(session); }},
		{.words = "token mint",
		 .help = "a new token of a service account, printed alone on one line",
		 .options = {{.name = "--name", .value = "NAME", .help = "to know it again in a list"},
			     {.name = "--ttl",
			      .value = "DURATION",
			      .help = "90, 30s, 15m, 12h or 7d; default 90d"},
			     {.name = "--eternal", .help = "never expires"},
			     role_option("default: the role of the account", false),
			     account_argument},
		 .run = [](Session &session) { return mint_token(session); },
		 .check = [](const Words &words) -> Result<> {
			 if (words.has("--ttl") && words.has("--eternal"))
				 return fail(ErrorKind::invalid_argument,
					     "--ttl and --eternal are mutually exclusive");
			 return {};
		 }},
		{.words = "token list",
		 .help = "the tokens of a service account, revoked ones too",
		 .options = {account_argument},
		 .run = [](Session &session) { return list_tokens(session); }},
		{.words = "token revoke",
		 .help = "end a token at once",
		 .options = {account_argument,
			     {.name = "TOKEN_ID", .help = "as `token list` shows it", .required = true}},
		 .run = [](Session &session) { return revoke_token(session); }},
	};
}

} // namespace neuwerk::cli
