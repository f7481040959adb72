// neuwerkctl integration: Kubernetes clusters whose pods and nodes a policy may name.
#include "nouns.h"

#include "base/text.h"

namespace neuwerk::cli {

namespace {

const std::string integrations_path = "/api/v1/integrations";

std::string path_of(const Session &session)
{
	return integrations_path + '/' + escaped(session.words.get("NAME"));
}

// The secret and the CA come from files: a command line is seen by every user of the host.
Result<Json> fields_of(const Session &session)
{
	Json body = Json::object({{"api_server_url", session.words.get("--api-server-url")}});
	for (const auto &[option, key] :
	     {std::pair{"--ca-file", "ca_cert_pem"}, {"--token-file", "service_account_token"}}) {
		auto content = read_file(session.world, session.words.get(option));
		if (!content)
			return tl::unexpected(content.error());
		body.set(key, std::move(*content));
	}
	return body;
}

Result<> create(const Session &session)
{
	auto body = fields_of(session);
	if (!body)
		return tl::unexpected(body.error());
	body->set("name", session.words.get("NAME"));
	body->set("kind", "kubernetes");
	return session.send("POST", integrations_path, *body, as_object(session.style));
}

Result<> update(const Session &session)
{
	const auto body = fields_of(session);
	if (!body)
		return tl::unexpected(body.error());
	return session.send("PUT", path_of(session), *body, as_object(session.style));
}

Result<> erase(const Session &session)
{
	const auto answer = session.client().send_json("DELETE", path_of(session), {});
	if (!answer)
		return tl::unexpected(answer.error());
	const std::string name = session.words.get("NAME");
	session.done(text("deleted integration ", name), Json::object({{"name", name}, {"deleted", true}}));
	return {};
}

const Option name_argument{.name = "NAME", .help = "of the integration", .required = true};

std::vector<Option> field_options()
{
	return {{.name = "--api-server-url",
		 .value = "URL",
		 .help = "https address of the API server",
		 .required = true},
		{.name = "--ca-file",
		 .value = "FILE",
		 .help = "PEM certificate that it is checked against",
		 .required = true,
		 .is_file = true},
		{.name = "--token-file",
		 .value = "FILE",
		 .help = "token of a Kubernetes service account; - is standard input",
		 .required = true,
		 .is_file = true},
		name_argument};
}

} // namespace

std::vector<Command> integration_commands()
{
	return {
		{.words = "integration list",
		 .help = "all of them",
		 .run =
			 [](Session &session) {
				 return session.show(integrations_path,
						     as_list(session.style,
							     {{"NAME", "name"},
							      {"KIND", "kind"},
							      {"API SERVER", "api_server_url"},
							      {"TOKEN", "token_configured"},
							      {"CREATED", "created_at"},
							      {"ID", "id"}},
							     "no integrations"));
			 }},
		{.words = "integration get",
		 .help = "one of them; its token is never shown",
		 .options = {name_argument},
		 .run =
			 [](Session &session) {
				 return session.show(path_of(session), as_object(session.style));
			 }},
		{.words = "integration create",
		 .help = "name a Kubernetes cluster",
		 .options = field_options(),
		 .run = [](Session &session) { return create(session); }},
		{.words = "integration update",
		 .help = "replace address, certificate and token",
		 .options = field_options(),
		 .run = [](Session &session) { return update(session); }},
		{.words = "integration delete",
		 .help = "forget it",
		 .options = {name_argument},
		 .run = [](Session &session) { return erase(session); }},
	};
}

} // namespace neuwerk::cli
