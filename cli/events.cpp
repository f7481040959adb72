// neuwerkctl events: what happens, as it happens.
#include "nouns.h"

#include "base/text.h"

namespace neuwerk::cli {

namespace {

constexpr std::uint32_t no_rule = 0xffffffff;

std::string decided_by(const Json &event)
{
	if (event["group_name"].text().empty())
		return {};
	std::string words = text("  by ", event["group_name"].text());
	if (!event["rule_name"].text().empty())
		words += '/' + event["rule_name"].text();
	else if (event["rule"].number() != no_rule)
		words += text("/rule ", event["rule"].number());
	return words;
}

} // namespace

std::string render_event(const Json &event, const Style &style)
{
	if (style.format == Format::yaml)
		return "---\n" + structured(event, Format::yaml);
	if (style.format != Format::table)
		return structured(event, Format::jsonl); // a stream has no closing bracket
	std::string line;
	if (event["lost"].number() > 0)
		line += red(text("(", event["lost"].number(), " events lost)"), style) + '\n';
	const std::string kind = event["kind"].text();
	const bool is_denial = kind == "denied" || kind == "flow_denied";
	line += is_denial ? red(kind, style) : kind;
	line += text("  ", event["protocol"].text(), ' ', event["source_address"].text(), ':',
		     event["source_port"].number(), " -> ", event["destination_address"].text(), ':',
		     event["destination_port"].number());
	if (event["external_port"].number() != 0)
		line += text("  as port ", event["external_port"].number());
	line += decided_by(event);
	if (is_denial && !event["verdict"].text().empty())
		line += "  " + event["verdict"].text();
	if (const std::string reason = event["reason"].text(); !reason.empty() && reason != "none")
		line += "  " + reason;
	return line + text("  (generation ", event["generation"].number(), ")\n");
}

std::vector<Command> events_commands()
{
	return {
		{.words = "events",
		 .help = "what happens, as it happens",
		 .options = {count_option()},
		 .run =
			 [](Session &session) {
				 return session.follow("/api/v1/events", [&](const StreamEvent &event) {
					 const auto json = Json::parse(event.data);
					 return json ? render_event(*json, session.style) : std::string();
				 });
			 }},
	};
}

} // namespace neuwerk::cli
