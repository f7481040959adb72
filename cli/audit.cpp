// neuwerkctl audit, wiretap: what was denied, and what flows.
#include "nouns.h"

#include "base/text.h"

#include <ctime>

namespace neuwerk::cli {

namespace {

constexpr std::int64_t day_s = 86400;

std::string utc(const Json &unix_s)
{
	const std::time_t time = static_cast<std::time_t>(unix_s.number());
	std::tm parts{};
	gmtime_r(&time, &parts);
	char words[32];
	std::strftime(words, sizeof words, "%Y-%m-%dT%H:%M:%SZ", &parts);
	return words;
}

// What was tried: a name or an address, whatever the finding knows.
std::string subject_of(const Json &finding)
{
	for (const char *key : {"hostname", "sni", "fqdn"})
		if (const std::string name = finding[key].text(); !name.empty())
			return name;
	std::string words = finding["dst_ip"].text();
	if (!finding["dst_port"].is_null())
		words += ':' + finding["dst_port"].text();
	if (!finding["icmp_type"].is_null())
		words += text(" type ", finding["icmp_type"].text(), " code ", finding["icmp_code"].text());
	return words;
}

std::string render_findings(const Json &answer, const Style &style)
{
	if (style.format == Format::jsonl)
		return structured_list(answer["items"].items(), style.format);
	if (style.format != Format::table)
		return structured(answer, style.format);
	if (answer["items"].items().empty())
		return "no findings\n";
	Table table({"LAST SEEN", "COUNT", "TYPE", "SOURCE GROUP", "RULE", "TO", "PROTO"});
	for (const Json &finding : answer["items"].items()) {
		const std::string rule = finding["rule"].text();
		table.add({utc(finding["last_seen"]), finding["count"].text(),
			   finding["finding_type"].text() + (finding["audited"].truth() ? " (audited)" : ""),
			   finding["source_group"].text(), rule.empty() ? "(default)" : rule,
			   subject_of(finding), finding["proto"].text()});
	}
	return table.text();
}

Result<> list_findings(const Session &session)
{
	const Words &words = session.words;
	Query query("/api/v1/audit/findings");
	for (const std::string &type : words.all("--type"))
		query.add("finding_type", type);
	for (const std::string &group : words.all("--group"))
		query.add("source_group", group);
	for (const std::string &policy : words.all("--policy-id"))
		query.add("policy_id", policy);
	if (words.has("--days"))
		query.add("since", text(session.world.now_s() -
					day_s * static_cast<std::int64_t>(std::stoull(words.get("--days")))));
	query.add("since", words.get("--since"));
	query.add("until", words.get("--until"));
	query.add("limit", words.get("--limit"));
	const auto answer = session.client().get(query.path());
	if (!answer)
		return tl::unexpected(answer.error());
	session.print(render_findings(answer->json, session.style));
	for (const Json &fault : answer->json["node_errors"].items())
		session.warn(
			text("node ", fault["node_id"].text(), " did not answer: ", fault["error"].text()));
	return {};
}

std::string render_report(const StreamEvent &event, const Style &style)
{
	auto report = Json::parse(event.data);
	if (!report)
		return {};
	if (style.format != Format::table) {
		report->set("event", event.name);
		return style.format == Format::yaml ? "---\n" + structured(*report, style.format)
						    : structured(*report, Format::jsonl);
	}
	const Json &flow = *report;
	std::string line =
		text(event.name == "flow_end" ? "end   " : "flow  ", "proto ", flow["proto"].number(), ' ',
		     flow["src_ip"].text(), ':', flow["src_port"].number(), " -> ", flow["dst_ip"].text(),
		     ':', flow["dst_port"].number());
	if (const std::string name = flow["hostname"].text(); !name.empty())
		line += " (" + name + ')';
	return line + text("  packets ", flow["packets_out"].number(), " out, ", flow["packets_in"].number(),
			   " in\n");
}

Result<> tap(const Session &session)
{
	Query query("/api/v1/wiretap/stream");
	for (const auto &[option, key] : {std::pair{"--src-cidr", "src_cidr"},
					  {"--dst-cidr", "dst_cidr"},
					  {"--hostname", "hostname"},
					  {"--proto", "proto"},
					  {"--src-port", "src_port"},
					  {"--dst-port", "dst_port"}})
		for (const std::string &value : session.words.all(option))
			query.add(key, value);
	return session.follow(query.path(),
			      [&](const StreamEvent &event) { return render_report(event, session.style); });
}

Option filter(const char *name, const char *value, const char *help)
{
	return {.name = name, .value = value, .help = help, .repeated = true};
}

constexpr std::uint64_t year_9999_s = 253'402'300'799;

} // namespace

std::vector<Command> audit_commands()
{
	return {
		{.words = "audit list",
		 .help = "what was denied, or would have been; the newest first",
		 .options = {{.name = "--type",
			      .value = "TYPE",
			      .help = "only this, or one of several",
			      .choices = {"dns_deny", "l4_deny", "tls_deny", "icmp_deny", "auth_sso"},
			      .repeated = true},
			     filter("--group", "GROUP", "only this source group, or one of several"),
			     filter("--policy-id", "UUID", "only of this policy, or one of several"),
			     {.name = "--days",
			      .value = "DAYS",
			      .help = "seen in the last so many days",
			      .max = 3650,
			      .min = 1},
			     {.name = "--since",
			      .value = "TIME",
			      .help = "seen after this Unix time in seconds",
			      .max = year_9999_s},
			     {.name = "--until",
			      .value = "TIME",
			      .help = "seen before this Unix time in seconds",
			      .max = year_9999_s},
			     {.name = "-n,--limit",
			      .value = "LIMIT",
			      .help = "at most so many; default 500",
			      .max = 10000,
			      .min = 1}},
		 .run = [](Session &session) { return list_findings(session); },
		 .check = [](const Words &words) -> Result<> {
			 if (words.has("--days") && words.has("--since"))
				 return fail(ErrorKind::invalid_argument,
					     "--days and --since are mutually exclusive");
			 return {};
		 }},
		{.words = "wiretap",
		 .help = "flows with their packet counts, as it happens",
		 .options = {filter("--src-cidr", "CIDR", "only from here, or from one of several"),
			     filter("--dst-cidr", "CIDR", "only to here"),
			     filter("--hostname", "REGEX", "only to names that match"),
			     filter("--proto", "PROTOCOL", "any, tcp, udp, icmp or a number"),
			     filter("--src-port", "PORT", "a port or a range 1000-2000"),
			     filter("--dst-port", "PORT", "a port or a range 1000-2000"), count_option()},
		 .run = [](Session &session) { return tap(session); }},
	};
}

} // namespace neuwerk::cli
