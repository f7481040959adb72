// neuwerkctl events: what happens, as it happens.
#include "nouns.h"

#include "base/text.h"

namespace neuwerk::cli {

namespace {

constexpr std::uint32_t no_rule = 0xffffffff;

std::string decided_by(const v1::Event &event)
{
	if (event.group_name().empty())
		return {};
	std::string words = text("  by ", event.group_name());
	if (!event.rule_name().empty())
		words += '/' + event.rule_name();
	else if (event.rule() != no_rule)
		words += text("/rule ", event.rule());
	return words;
}

} // namespace

std::string render_event(const v1::Event &event, const Style &style)
{
	if (style.format == Format::yaml)
		return "---\n" + structured(event, Format::yaml);
	if (style.format != Format::table)
		return structured(event, Format::jsonl); // a stream has no closing bracket
	std::string line;
	if (event.lost() > 0)
		line += red(text("(", event.lost(), " events lost)"), style) + '\n';
	const bool is_denial = event.kind() == "denied" || event.kind() == "flow_denied";
	line += is_denial ? red(event.kind(), style) : event.kind();
	line += text("  ", event.protocol(), ' ', event.source_address(), ':', event.source_port(), " -> ",
		     event.destination_address(), ':', event.destination_port());
	if (event.external_port() != 0)
		line += text("  as port ", event.external_port());
	line += decided_by(event);
	if (!event.verdict().empty() && is_denial)
		line += text("  ", event.verdict());
	if (!event.reason().empty() && event.reason() != "none")
		line += text("  ", event.reason());
	return line + text("  (generation ", event.generation(), ")\n");
}

} // namespace neuwerk::cli
