// neuwerkctl policy: read, compare and test what stands and what might.
#include "nouns.h"
#include "policy_document.h"

#include "base/text.h"

namespace neuwerk::cli {

namespace {

Result<> get(const Session &session)
{
	const std::string revision = session.words.get("--revision");
	const Format format = session.is_table() ? Format::json : session.style.format;
	if (revision.empty())
		return session.show(policy_path,
				    [&](const Json &document) { return structured(document, format); });
	return session.show(text(policy_path, "/history/", revision),
			    [&](const Json &record) { return structured(record["document"], format); });
}

std::string change_lines(const char *what, const Json &changes)
{
	std::string out;
	for (const auto &[kind, names] : changes.members())
		for (const Json &name : names.items())
			out += text(what, ' ', kind, ": ", name.text(), '\n');
	return out;
}

std::string packet_words(const Json &packet)
{
	const std::string protocol = packet["protocol"].text();
	const bool has_ports = protocol == "tcp" || protocol == "udp";
	const auto end = [&](const char *address, const char *port) {
		return packet[address].text() + (has_ports ? ':' + packet[port].text() : std::string());
	};
	std::string words = text(protocol, ' ', end("source", "source_port"), " -> ",
				 end("destination", "destination_port"));
	if (protocol == "icmp")
		words += text(" type ", packet["icmp_type"].text(), " code ", packet["icmp_code"].text());
	return words;
}

std::string fate_words(const Json &fate)
{
	const std::string rule = fate["rule"].text();
	return text(fate["verdict"].text(), " by ", fate["group"].text(),
		    rule.empty() ? std::string(" (default)") : '/' + rule);
}

std::string render_diff(const Json &diff, const Style &style)
{
	if (style.format != Format::table)
		return structured(diff, style.format);
	std::string out = change_lines("group", diff["groups"]) + change_lines("rule", diff["rules"]);
	if (diff["default_policy_changed"].truth())
		out += "default_policy changed\n";
	if (diff["equivalent"].truth())
		return out + "no packet is treated differently\n";
	for (const Json &example : diff["examples"].items())
		out += text("packet ", packet_words(example["packet"]), ": ", fate_words(example["from"]),
			    " => ", fate_words(example["to"]), '\n');
	if (!diff["complete"].truth())
		out += "there may be more packets that are treated differently\n";
	return out;
}

Result<> diff(const Session &session)
{
	Query query(policy_path + "/diff");
	query.add("revision", session.words.get("--revision"));
	const auto answer = send_document(session, "POST", query.path());
	if (!answer)
		return tl::unexpected(answer.error());
	session.print(render_diff(answer->json, session.style));
	return {};
}

Result<> test(const Session &session)
{
	const auto answer = send_document(session, "POST", policy_path + "/test");
	if (!answer)
		return tl::unexpected(answer.error());
	const Json::Array &tests = answer->json["tests"].items();
	if (!session.is_table())
		session.print(structured(answer->json, session.style.format));
	std::size_t failed_count = 0;
	for (const Json &each : tests) {
		const bool passed = each["passed"].truth();
		failed_count += passed ? 0 : 1;
		if (session.is_table())
			session.print(
				text(passed ? green("ok    ", session.style) : red("FAILS ", session.style),
				     each["name"].text(), ": ", each["detail"].text(), '\n'));
	}
	if (failed_count > 0)
		return fail(ErrorKind::invalid_argument,
			    text(failed_count, " of ", tests.size(), " tests of the policy failed"));
	if (tests.empty() && session.is_table())
		session.print("the policy has no tests\n");
	session.note(text(tests.size(), " tests passed"));
	return {};
}

std::string render_policy_status(const Json &status, const Style &style)
{
	if (style.format != Format::table)
		return structured(status, style.format);
	if (const std::string error = status["error"].text(); !error.empty())
		return error + '\n';
	std::string out = text("revision   ", status["revision"].number(), '\n');
	if (status["generation"].number() == 0)
		out += "enforced   nothing: everything is dropped\n";
	else
		out += text("enforced   revision ", status["enforced_revision"].number(), " as generation ",
			    status["generation"].number(), " since ", status["enforced_since"].text(), '\n');
	if (const Json &pending = status["pending"]; !pending.is_null())
		out += text("pending    revision ", pending["revision"].number(), " since ",
			    pending["since"].text(), ", ", pending["attempts"].number(),
			    " attempts: ", pending["last_error"].text(), '\n');
	if (const Json &confirm = status["confirm"]; !confirm.is_null())
		out += text("unconfirmed revision ", confirm["revision"].number(), ": revision ",
			    confirm["previous_revision"].number(), " returns at ", confirm["deadline"].text(),
			    " unless `neuwerkctl policy confirm` comes before\n");
	return out;
}

} // namespace

std::vector<Command> policy_review_commands()
{
	constexpr std::uint64_t any_revision = ~std::uint64_t{0};
	return {
		{.words = "policy get",
		 .help = "the document in force, or one of the history",
		 .options = {{.name = "--revision",
			      .value = "REVISION",
			      .help = "as `policy history` shows it",
			      .max = any_revision,
			      .min = 1}},
		 .run = [](Session &session) { return get(session); }},
		{.words = "policy diff",
		 .help = "what would this document change, and for which packets?",
		 .options = {{.name = "--revision",
			      .value = "REVISION",
			      .help = "compare with this one of the history; default: what stands",
			      .max = any_revision,
			      .min = 1},
			     policy_file_argument()},
		 .run = [](Session &session) { return diff(session); }},
		{.words = "policy test",
		 .help = "run the `tests` that a document holds; exit 0 or 3",
		 .options = {{.name = "FILE",
			      .help = "JSON or YAML; - is standard input; default: what stands",
			      .is_file = true}},
		 .run = [](Session &session) { return test(session); }},
		{.words = "policy history",
		 .help = "the last 50 policies: who, when, why",
		 .run =
			 [](Session &session) {
				 return session.show(policy_path + "/history",
						     as_list(session.style,
							     {{"REVISION", "revision"},
							      {"TIME", "time"},
							      {"AUTHOR", "author"},
							      {"SOURCE", "source"},
							      {"MESSAGE", "message"}},
							     "no policy was ever applied"));
			 }},
		{.words = "policy status",
		 .help = "which revision this node enforces, and since when",
		 .options = {watch_option()},
		 .run =
			 [](Session &session) {
				 return session.show_watched(
					 policy_path + "/status", [&](const Json &status) {
						 return render_policy_status(status, session.style);
					 });
			 }},
	};
}

} // namespace neuwerk::cli
