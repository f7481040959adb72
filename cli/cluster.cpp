// neuwerkctl cluster: the nodes of a cluster, in the words of the reference (spec/http-api.md §10.1).
#include "nouns.h"

#include "base/address.h"
#include "base/text.h"

#include <algorithm>

namespace neuwerk::cli {

namespace {

// Ids are decimal numbers of up to 128 bits, kept as text: shorter is smaller.
bool is_smaller(const std::string &left, const std::string &right)
{
	return left.size() != right.size() ? left.size() < right.size() : left < right;
}

bool is_node_id(const std::string &words)
{
	return !words.empty() && words.size() <= 39 &&
	       words.find_first_not_of("0123456789") == std::string::npos;
}

std::vector<std::string> split(const std::string &list)
{
	std::vector<std::string> parts;
	std::size_t start = 0;
	while (start <= list.size()) {
		const std::size_t end = std::min(list.find(',', start), list.size());
		if (end > start)
			parts.push_back(list.substr(start, end - start));
		start = end + 1;
	}
	return parts;
}

std::string member_line(const Json &member)
{
	std::string line = text(member["node_id"].text(), " role=", member["role"].text(),
				" voter=", member["is_voter"].truth() ? "yes" : "no",
				" addr=", member["addr"].text(), " cloud=", member["cloud_status"].text());
	for (const auto &[key, label] : {std::pair{"auto_evict_reason", " auto_evict="},
					 {"drain_state", " drain="},
					 {"termination_event_id", " termination_event="}})
		if (!member[key].is_null())
			line += label + member[key].text();
	return line + '\n';
}

std::string voter_line(const Json &answer, const Style &style)
{
	if (style.format != Format::table)
		return structured(answer, style.format);
	std::vector<std::string> ids;
	for (const Json &id : answer["voters"].items())
		ids.push_back(id.text());
	std::ranges::sort(ids, is_smaller);
	std::string line = "voters: ";
	for (std::size_t i = 0; i < ids.size(); i++)
		line += (i == 0 ? "" : ",") + ids[i];
	return line + '\n';
}

// "503 Service Unavailable", as the reference prints a refusal.
std::string status_words(int status)
{
	for (const auto &[code, words] : {std::pair{400, "Bad Request"},
					  {401, "Unauthorized"},
					  {403, "Forbidden"},
					  {404, "Not Found"},
					  {500, "Internal Server Error"},
					  {502, "Bad Gateway"},
					  {503, "Service Unavailable"}})
		if (status == code)
			return text(code, ' ', words);
	return text(status);
}

Result<> ask(const Session &session, const Request &request, const Session::Render &render)
{
	const auto response = session.client().exchange(request);
	if (!response)
		return tl::unexpected(response.error());
	if (response->status != 200) {
		const Error error = error_of(*response, request.method, request.path);
		return fail(error.kind,
			    text("cluster api status ", status_words(response->status), ": ", error.what));
	}
	const auto json = Json::parse(response->body);
	session.print(render(json ? *json : Json()));
	return {};
}

Result<> change(const Session &session, const char *method, const std::string &path, const Json &body)
{
	return ask(
		session,
		{.method = method, .path = path, .body = body.compact(), .content_type = "application/json"},
		[&](const Json &answer) { return voter_line(answer, session.style); });
}

Result<> list_members(const Session &session)
{
	return ask(session, {.path = "/api/v1/cluster/members"}, [&](const Json &answer) {
		Json::Array members = answer["members"].items();
		std::ranges::sort(members, [](const Json &left, const Json &right) {
			return is_smaller(left["node_id"].text(), right["node_id"].text());
		});
		if (!session.is_table())
			return structured_list(members, session.style.format);
		std::string out;
		for (const Json &member : members)
			out += member_line(member);
		return out;
	});
}

Result<> remove_member(const Session &session)
{
	return change(session, "POST",
		      text("/api/v1/cluster/members/", session.words.get("NODE_ID"), "/remove"),
		      Json::object({{"force", session.words.has("--force")}}));
}

Result<> set_voters(const Session &session)
{
	Json::Array ids;
	for (const std::string &id : split(session.words.get("--ids")))
		ids.emplace_back(id);
	return change(session, "PUT", "/api/v1/cluster/members/voters",
		      Json::object({{"ids", ids}, {"force", session.words.has("--force")}}));
}

// Without --http-addr the context, or the socket of this host, is asked as by every other command.
Result<> check_target(const Words &words)
{
	if (!words.has("--http-addr"))
		return {};
	if (!words.has("--token"))
		return fail(ErrorKind::invalid_argument, "missing --token");
	if (const auto endpoint = parse_endpoint(words.get("--http-addr")); !endpoint)
		return fail(ErrorKind::invalid_argument,
			    text("--http-addr must be a socket address in the form ip:port, got ",
				 words.get("--http-addr")));
	return {};
}

Result<> check_removal(const Words &words)
{
	if (const std::string id = words.get("NODE_ID"); !is_node_id(id))
		return fail(ErrorKind::invalid_argument, "<node-id> must be a numeric node id, got " + id);
	return check_target(words);
}

Result<> check_voters(const Words &words)
{
	const auto ids = split(words.get("--ids"));
	if (ids.empty())
		return fail(ErrorKind::invalid_argument, "--ids must not be empty");
	for (const std::string &id : ids)
		if (!is_node_id(id))
			return fail(ErrorKind::invalid_argument, "--ids: not a numeric node id: " + id);
	return check_target(words);
}

const Option http_option{
	.name = "--http-addr", .value = "IP:PORT", .help = "ask this node over HTTPS, with --token and --ca"};
const Option force_option{.name = "--force", .help = "even if the node asks to remove itself"};

} // namespace

std::vector<Command> cluster_commands()
{
	return {
		{.words = "cluster members list",
		 .help = "one line per node",
		 .options = {http_option, {.name = "--force", .help = "refused here, as by the reference"}},
		 .run = [](Session &session) { return list_members(session); },
		 .check = [](const Words &words) -> Result<> {
			 if (words.has("--force"))
				 return fail(ErrorKind::invalid_argument,
					     "--force is only valid for mutating cluster commands");
			 return check_target(words);
		 }},
		{.words = "cluster members remove",
		 .help = "take a node out of the cluster",
		 .options = {http_option,
			     force_option,
			     {.name = "NODE_ID",
			      .help = "decimal id, as `cluster members list` shows it",
			      .required = true,
			      .missing = "members remove requires <node-id>"}},
		 .run = [](Session &session) { return remove_member(session); },
		 .check = check_removal},
		{.words = "cluster voters set",
		 .help = "which nodes vote",
		 .options = {http_option,
			     force_option,
			     {.name = "--ids",
			      .value = "ID,ID",
			      .help = "decimal ids, separated by commas",
			      .required = true}},
		 .run = [](Session &session) { return set_voters(session); },
		 .check = check_voters},
	};
}

} // namespace neuwerk::cli
