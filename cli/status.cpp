// neuwerkctl status: is this node well, and what does it enforce?
#include "nouns.h"

#include "base/text.h"

namespace neuwerk::cli {

namespace {

std::string poller_line(const v1::NodeStatusReply &status)
{
	if (!status.has_dataplane())
		return "does not answer: established flows go on, new ones are dropped";
	const v1::StatusReply &poller = status.dataplane();
	std::string line = text("pid ", poller.pid(), ", ", poller.active_flows(), " flows");
	if (poller.adopted_flows() > 0)
		line += text(" (", poller.adopted_flows(), " taken over at its start)");
	if (poller.unresolved_next_hops() > 0)
		line += text(", ", poller.unresolved_next_hops(), " unresolved next hops");
	return line;
}

} // namespace

std::string render_status(const v1::NodeStatusReply &status, const Style &style)
{
	if (style.format != Format::table)
		return structured(status, style.format);
	std::string out = text("neuwerkd ", status.version(), " (pid ", status.pid(),
			       "): ", status.ready() ? green("ready", style) : red("NOT READY", style), '\n');
	out += status.generation() == 0 ? "policy  none: everything is dropped\n"
					: text("policy  generation ", status.generation(), " (",
					       status.policy_source(), ")\n");
	out += text("snat    ", status.snat(), '\n');
	for (int i = 0; i < status.ports_size(); i++)
		out += text(i == 0 ? "ports   " : "        ", status.ports(i).interface(), ' ',
			    status.ports(i).side(), ", mtu ", status.ports(i).mtu(), '\n');
	out += text("poller  ", poller_line(status), "\n\n");
	Table table({"CHECK", "STATE", "DETAIL"});
	for (const v1::Check &check : status.checks())
		table.add({check.name(), check.ok() ? "ok" : "FAILS", check.detail()});
	return out + table.text();
}

} // namespace neuwerk::cli
