// neuwerkctl explain: what would happen to this packet, and which line of the policy says so?
#include "nouns.h"

#include "base/address.h"
#include "base/text.h"

#include <netinet/in.h>

namespace neuwerk::cli {

namespace {

bool has_ports(const std::string &protocol)
{
	const auto number = parse_protocol(protocol);
	return number && (*number == IPPROTO_TCP || *number == IPPROTO_UDP);
}

std::string packet_words(const Json &question)
{
	const std::string protocol = question["protocol"].text();
	std::string out = text(protocol, ' ', question["source"].text());
	if (has_ports(protocol) && question["source_port"].number() != 0)
		out += text(':', question["source_port"].number());
	out += " -> " + question["destination"].text();
	if (has_ports(protocol))
		out += text(':', question["destination_port"].number());
	return out;
}

std::string decided_by(const Json &answer)
{
	const std::string group = answer["group"].text();
	if (group.empty())
		return "before policy was asked";
	const bool is_default_policy = group == "default";
	if (is_default_policy && answer["verdict"].text().starts_with("dropped_"))
		return "by its direction, before any rule";
	if (const std::string rule = answer["rule"].text(); !rule.empty())
		return text("by rule '", rule, "' of group '", group, '\'');
	return is_default_policy ? "by default_policy"
				 : text("by the default_action of group '", group, '\'');
}

Result<> check(const Words &words)
{
	for (const char *name : {"--from", "--to"})
		if (const auto address = parse_ipv4(words.get(name)); !address)
			return fail(ErrorKind::invalid_argument, text(name, ": ", address.error().what));
	const std::string protocol = words.get("--proto");
	if (const auto number = parse_protocol(protocol); !number)
		return fail(ErrorKind::invalid_argument, text("--proto: ", number.error().what));
	if (has_ports(protocol) && !words.has("--dport"))
		return fail(ErrorKind::invalid_argument,
			    text("--dport: ", protocol, " needs a destination port"));
	return {};
}

Result<> explain(const Session &session)
{
	const Words &words = session.words;
	const auto number = [&](const char *name, std::uint64_t otherwise) -> std::uint64_t {
		return words.has(name) ? std::stoull(words.get(name)) : otherwise;
	};
	const std::string protocol = format_protocol(*parse_protocol(words.get("--proto")));
	constexpr std::uint64_t echo_request = 8;
	const Json question = Json::object({
		{"source", words.get("--from")},
		{"destination", words.get("--to")},
		{"protocol", protocol},
		{"source_port", number("--sport", 0)},
		{"destination_port", has_ports(protocol) ? number("--dport", 0) : 0},
		{"icmp_type", number("--icmp-type", echo_request)},
		{"icmp_code", number("--icmp-code", 0)},
	});
	return session.send("POST", "/api/v1/policy/explain", question, [&](const Json &answer) {
		return render_explanation(question, answer, session.style);
	});
}

} // namespace

std::string render_explanation(const Json &question, const Json &answer, const Style &style)
{
	if (style.format != Format::table)
		return structured(answer, style.format);
	std::string out = packet_words(question) + '\n';
	out += answer["allowed"].truth() ? green("ALLOWED", style) : red("DENIED", style);
	out += text(' ', decided_by(answer), '\n');
	if (answer["mode"].text() == "audited")
		out += "  audit mode: the policy says deny, but this part of it only reports\n";
	if (!answer["audit"].text().empty())
		out += text("  an audit-mode rule would deny it: ", answer["audit"].text(), '\n');
	out += text("  verdict     ", answer["verdict"].text(), " (", answer["why"].text(), ")\n");
	out += answer["generation"].number() == 0
		       ? "  generation  none\n"
		       : text("  generation  ", answer["generation"].number(), '\n');
	if (answer["revision"].number() != 0)
		out += text("  revision    ", answer["revision"].number(), '\n');
	return out;
}

std::vector<Command> explain_commands()
{
	std::vector<Command> commands;
	for (const char *words : {"explain", "policy explain"})
		commands.push_back(
			{.words = words,
			 .help = "what would happen to this packet, and why?",
			 .options =
				 {{.name = "--from",
				   .value = "ADDRESS",
				   .help = "source address",
				   .required = true},
				  {.name = "--to",
				   .value = "ADDRESS",
				   .help = "destination address",
				   .required = true},
				  {.name = "--proto",
				   .value = "PROTOCOL",
				   .help = "tcp, udp, icmp or a number",
				   .required = true},
				  {.name = "--sport",
				   .value = "PORT",
				   .help = "source port, or ICMP identifier",
				   .max = 65535},
				  {.name = "--dport",
				   .value = "PORT",
				   .help = "destination port",
				   .max = 65535},
				  {.name = "--icmp-type",
				   .value = "TYPE",
				   .help = "default 8, echo request",
				   .max = 255},
				  {.name = "--icmp-code", .value = "CODE", .help = "default 0", .max = 255}},
			 .run = [](Session &session) { return explain(session); },
			 .check = check});
	return commands;
}

} // namespace neuwerk::cli
