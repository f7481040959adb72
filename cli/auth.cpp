// neuwerkctl auth: signing keys, and tokens for people, in the words of the reference (spec/http-api.md
// §10.1).
#include "nouns.h"

#include "base/address.h"
#include "base/text.h"

namespace neuwerk::cli {

namespace {

const std::string keys_path = "/api/v1/local/keys";

std::string_view status_of(const Json &key)
{
	return key["active"].truth() ? "Active" : "Retired";
}

std::string render_keys(const Json &answer, const Style &style)
{
	const Json::Array &keys = answer.items();
	if (style.format != Format::table)
		return structured_list(keys, style.format);
	std::string first, rest;
	for (const Json &key : keys) {
		const bool is_signing = key["signing"].truth();
		if (is_signing)
			first = text("active kid: ", key["kid"].text(), '\n');
		rest += text("kid: ", key["kid"].text(), " status: ", status_of(key),
			     " created: ", key["created_at"].text(), is_signing ? " signing\n" : "\n");
	}
	return first + rest;
}

std::string render_rotated(const Json &key, const Style &style)
{
	if (style.format != Format::table)
		return structured(key, style.format);
	return text("rotated key: ", key["kid"].text(), " (created ", key["created_at"].text(), ", status ",
		    status_of(key), ")\n");
}

Result<> retire(const Session &session)
{
	const std::string kid = session.words.get("KID");
	const auto answer =
		session.client().send_json("POST", text(keys_path, '/', escaped(kid), "/retire"), {});
	if (!answer)
		return tl::unexpected(answer.error());
	session.done("retired key: " + kid, Json::object({{"kid", kid}, {"active", false}}));
	return {};
}

std::vector<std::string> trimmed_list(const std::string &list)
{
	std::vector<std::string> parts;
	std::string part;
	for (const char c : list + ',') {
		if (c != ',' && c != ' ')
			part += c;
		if (c == ',' && !part.empty())
			parts.push_back(std::exchange(part, {}));
	}
	return parts;
}

Result<> mint(const Session &session)
{
	const Words &words = session.words;
	Json body = Json::object({{"sub", words.get("--sub")}});
	if (words.has("--ttl"))
		body.set("ttl", words.get("--ttl"));
	if (words.has("--kid"))
		body.set("kid", words.get("--kid"));
	if (words.has("--roles")) {
		Json::Array roles;
		for (std::string &role : trimmed_list(words.get("--roles")))
			roles.emplace_back(std::move(role));
		body.set("roles", roles);
	}
	return session.send("POST", "/api/v1/local/tokens", body, [&](const Json &answer) {
		return session.is_table() ? answer["token"].text() + '\n'
					  : structured(answer, session.style.format);
	});
}

// Keys lie sealed in the store of neuwerkd, not in a file that this program could open: --http-tls-dir means
// "this host" and asks the socket, as no target at all does.
Result<> check_target(const Words &words)
{
	const std::string cluster = words.get("--cluster-addr");
	if (cluster.empty())
		return {};
	if (words.has("--http-tls-dir"))
		return fail(ErrorKind::invalid_argument, "choose either cluster auth (--cluster-addr) or "
							 "local auth (--http-tls-dir), not both");
	if (const auto endpoint = parse_endpoint(cluster); !endpoint)
		return fail(ErrorKind::invalid_argument,
			    "--cluster-addr must be a socket address in the form ip:port, got " + cluster);
	return fail(
		ErrorKind::invalid_argument,
		text("--cluster-addr ", cluster,
		     ": this appliance has no cluster mode; leave it out to ask the neuwerkd of this host"));
}

std::vector<Option> with_target(std::vector<Option> options)
{
	options.push_back({.name = "--http-tls-dir",
			   .value = "DIRECTORY",
			   .help = "this host, as without a target: over the local socket",
			   .is_file = true});
	options.push_back({.name = "--cluster-addr",
			   .value = "IP:PORT",
			   .help = "a node of a cluster; refused, since there is no cluster mode yet"});
	return options;
}

} // namespace

std::vector<Command> auth_commands()
{
	return {
		{.words = "auth key list",
		 .help = "all keys; `signing` stands at the one that signs new tokens",
		 .options = with_target({}),
		 .run =
			 [](Session &session) {
				 return session.show(keys_path, [&](const Json &answer) {
					 return render_keys(answer, session.style);
				 });
			 },
		 .check = check_target,
		 .local = true},
		{.words = "auth key rotate",
		 .help = "a new key signs from now on; older ones go on verifying",
		 .options = with_target({}),
		 .run =
			 [](Session &session) {
				 return session.send("POST", keys_path + "/rotate", {}, [&](const Json &key) {
					 return render_rotated(key, session.style);
				 });
			 },
		 .check = check_target,
		 .local = true},
		{.words = "auth key retire",
		 .help = "every token of this key is invalid at once",
		 .options = with_target(
			 {{.name = "KID", .help = "as `auth key list` shows it", .required = true}}),
		 .run = [](Session &session) { return retire(session); },
		 .check = check_target,
		 .local = true},
		{.words = "auth token mint",
		 .help = "a token, printed alone on one line; without --roles it may only read",
		 .options = with_target(
			 {{.name = "--sub", .value = "ID", .help = "who it is for", .required = true},
			  {.name = "--ttl",
			   .value = "DURATION",
			   .help = "90, 30s, 15m, 12h or 7d; default 90d"},
			  {.name = "--kid", .value = "KID", .help = "sign with this key"},
			  {.name = "--roles",
			   .value = "ROLES",
			   .help = "separated by commas: admin, readonly"}}),
		 .run = [](Session &session) { return mint(session); },
		 .check = check_target,
		 .local = true},
	};
}

} // namespace neuwerk::cli
