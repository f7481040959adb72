// neuwerkctl sso provider: who vouches for people.
#include "nouns.h"

#include "base/text.h"

namespace neuwerk::cli {

namespace {

const std::string providers_path = "/api/v1/settings/sso/providers";

std::string path_of(const Session &session)
{
	return providers_path + '/' + escaped(session.words.get("ID"));
}

// The fields of a provider as spec/http-api.md §5.14 names them; the file keeps the client secret off the
// command line.
Result<> send_file(const Session &session, const char *method, const std::string &path)
{
	const std::string file = session.words.get("FILE");
	const auto content = read_file(session.world, file);
	if (!content)
		return tl::unexpected(content.error());
	const auto body = Json::parse(*content);
	if (!body)
		return fail(ErrorKind::invalid_argument, text(file, ": ", body.error().what));
	return session.send(method, path, *body, as_object(session.style));
}

Result<> erase(const Session &session)
{
	const auto answer = session.client().send_json("DELETE", path_of(session), {});
	if (!answer)
		return tl::unexpected(answer.error());
	const std::string id = session.words.get("ID");
	session.done(text("deleted SSO provider ", id), Json::object({{"id", id}, {"deleted", true}}));
	return {};
}

Result<> test(const Session &session)
{
	const auto answer = session.client().send_json("POST", path_of(session) + "/test", {});
	if (!answer)
		return tl::unexpected(answer.error());
	session.print(described(answer->json, session.style));
	if (!answer->json["ok"].truth())
		return fail(ErrorKind::unavailable, "the provider does not answer as it should");
	return {};
}

const Option id_argument{.name = "ID", .help = "as `sso provider list` shows it", .required = true};
const Option file_argument{.name = "FILE",
			   .help = "JSON object with its fields; - is standard input",
			   .required = true,
			   .is_file = true};

} // namespace

std::vector<Command> sso_commands()
{
	return {
		{.words = "sso provider list",
		 .help = "all of them, disabled ones too",
		 .run =
			 [](Session &session) {
				 return session.show(providers_path,
						     as_list(session.style,
							     {{"ID", "id"},
							      {"NAME", "name"},
							      {"KIND", "kind"},
							      {"ENABLED", "enabled"},
							      {"ORDER", "display_order"},
							      {"DEFAULT ROLE", "default_role"},
							      {"ISSUER", "issuer_url"}},
							     "no SSO providers"));
			 }},
		{.words = "sso provider get",
		 .help = "one of them; its secret is never shown",
		 .options = {id_argument},
		 .run =
			 [](Session &session) {
				 return session.show(path_of(session), as_object(session.style));
			 }},
		{.words = "sso provider create",
		 .help = "a new one",
		 .options = {file_argument},
		 .run = [](Session &session) { return send_file(session, "POST", providers_path); }},
		{.words = "sso provider update",
		 .help = "change the fields that the file holds; the others stay",
		 .options = {id_argument, file_argument},
		 .run = [](Session &session) { return send_file(session, "PUT", path_of(session)); }},
		{.words = "sso provider test",
		 .help = "does its authorization endpoint answer? Exit 0 or 8",
		 .options = {id_argument},
		 .run = [](Session &session) { return test(session); }},
		{.words = "sso provider delete",
		 .help = "forget it",
		 .options = {id_argument},
		 .run = [](Session &session) { return erase(session); }},
	};
}

} // namespace neuwerk::cli
