// neuwerkctl status, ready: is this node well, and what does it enforce?
#include "nouns.h"

#include "base/text.h"

namespace neuwerk::cli {

namespace {

std::string poller_line(const Json &status)
{
	const Json &poller = status["dataplane"];
	if (poller.is_null())
		return "does not answer: established flows go on, new ones are dropped";
	std::string line =
		text("pid ", poller["pid"].number(), ", ", poller["active_flows"].number(), " flows");
	if (poller["adopted_flows"].number() > 0)
		line += text(" (", poller["adopted_flows"].number(), " taken over at its start)");
	if (poller["unresolved_next_hops"].number() > 0)
		line += text(", ", poller["unresolved_next_hops"].number(), " unresolved next hops");
	return line;
}

std::string policy_line(const Json &status)
{
	const std::uint64_t revision = status["revision"].number();
	const std::uint64_t enforced = status["enforced_revision"].number();
	if (status["generation"].number() == 0)
		return "none: everything is dropped";
	std::string line = text("generation ", status["generation"].number());
	if (enforced != 0)
		line += text(", revision ", enforced);
	line += text(" (", status["policy_source"].text(), ')');
	if (revision > enforced)
		line += text("; revision ", revision, " is committed, but not enforced yet");
	return line;
}

std::string check_table(const Json &checks)
{
	Table table({"CHECK", "STATE", "DETAIL"});
	for (const Json &check : checks.items())
		table.add(
			{check["name"].text(), check["ok"].truth() ? "ok" : "FAILS", check["detail"].text()});
	return table.text();
}

// Not ready is an answer of its own: 503 with the checks. Scripts ask for the exit code.
Result<> show_ready(const Session &session)
{
	const std::string path = session.words.has("--dataplane") ? "/ready/dataplane" : "/ready";
	auto answer = session.client().send({.path = path, .accept_status = 503});
	if (!answer)
		return tl::unexpected(answer.error());
	const bool is_ready = answer->json["ready"].truth();
	if (session.is_table())
		session.print((is_ready ? green("ready", session.style) : red("NOT READY", session.style)) +
			      "\n" + check_table(answer->json["checks"]));
	else
		session.print(structured(answer->json, session.style.format));
	if (is_ready)
		return {};
	return fail(ErrorKind::unavailable, "the appliance is not ready");
}

} // namespace

std::string render_status(const Json &status, const Style &style)
{
	if (style.format != Format::table)
		return structured(status, style.format);
	std::string out =
		text("neuwerkd ", status["version"].text(), " (pid ", status["pid"].number(),
		     "): ", status["ready"].truth() ? green("ready", style) : red("NOT READY", style), '\n');
	out += "policy  " + policy_line(status) + '\n';
	out += text("snat    ", status["snat"].text(), '\n');
	const char *lead = "ports   ";
	for (const Json &port : status["ports"].items()) {
		out += text(lead, port["interface"].text(), ' ', port["side"].text(), ", mtu ",
			    port["mtu"].number(), '\n');
		lead = "        ";
	}
	out += text("poller  ", poller_line(status), "\n\n");
	return out + check_table(status["checks"]);
}

std::vector<Command> status_commands()
{
	return {
		{.words = "status",
		 .help = "is this node well, and what does it enforce?",
		 .options = {watch_option()},
		 .run =
			 [](Session &session) {
				 return session.show_watched("/api/v1/status", [&](const Json &status) {
					 return render_status(status, session.style);
				 });
			 }},
		{.words = "ready",
		 .help = "may traffic be sent to this node? Exit 0 or 8",
		 .options = {{.name = "--dataplane", .help = "only what packets need"}},
		 .run = [](Session &session) { return show_ready(session); }},
	};
}

} // namespace neuwerk::cli
