// neuwerkctl flow list: who talks to whom, and as whom.
#include "nouns.h"

#include "base/text.h"

namespace neuwerk::cli {

namespace {

std::string endpoint(const std::string &address, std::uint32_t port)
{
	return text(address, ':', port);
}

} // namespace

std::string render_flows(const std::vector<v1::Flow> &flows, const Style &style)
{
	if (style.format == Format::jsonl) {
		std::string out;
		for (const v1::Flow &flow : flows)
			out += structured(flow, Format::jsonl);
		return out;
	}
	if (style.format != Format::table) {
		// A list, as the other structured answers are objects: {"flows": […]} would add nothing.
		std::string list = "[";
		for (const v1::Flow &flow : flows)
			list += (list.size() > 1 ? "," : "") + structured(flow, Format::jsonl);
		return reformatted(list + "]", style.format);
	}
	if (flows.empty())
		return "no flows\n";
	Table table({"PROTO", "INSIDE", "SEEN OUTSIDE AS", "REMOTE", "STATE", "IDLE s", "PACKETS OUT",
		     "PACKETS IN", "BYTES OUT", "BYTES IN", "GENERATION"});
	for (const v1::Flow &flow : flows)
		table.add({flow.protocol(), endpoint(flow.inside_address(), flow.inside_port()),
			   flow.external_address().empty()
				   ? "(not translated)"
				   : endpoint(flow.external_address(), flow.external_port()),
			   endpoint(flow.remote_address(), flow.remote_port()), flow.state(),
			   text(flow.idle_seconds()), text(flow.packets_out()), text(flow.packets_in()),
			   text(flow.bytes_out()), text(flow.bytes_in()), text(flow.generation())});
	return table.text();
}

} // namespace neuwerk::cli
