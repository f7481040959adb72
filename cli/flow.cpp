// neuwerkctl flow, nat: who talks to whom, and as whom.
#include "nouns.h"

#include "base/text.h"

namespace neuwerk::cli {

namespace {

std::string endpoint(const Json &address, const Json &port)
{
	return text(address.text(), ':', port.number());
}

Result<> list_flows(const Session &session)
{
	Query query("/api/v1/flows");
	query.add("limit", session.words.get("--limit"));
	return session.show_watched(query.path(),
				    [&](const Json &flows) { return render_flows(flows, session.style); });
}

std::string render_nat(const Json &nat, const Style &style)
{
	if (style.format != Format::table)
		return structured(nat, style.format);
	const std::string mode = text("snat  ", nat["mode"].text(), '\n');
	if (nat["pools"].items().empty())
		return mode;
	return mode + '\n' +
	       listed(nat["pools"],
		      {{"SEEN OUTSIDE AS", "external_address"},
		       {"FLOWS", "flows"},
		       {"PORTS TOWARDS EACH REMOTE", "ports_per_remote"}},
		      "", style);
}

Result<> watch_flows(const Session &session)
{
	return session.follow("/api/v1/events", [&](const StreamEvent &event) {
		const auto json = Json::parse(event.data);
		if (!json || !(*json)["kind"].text().starts_with("flow_"))
			return std::string();
		return render_event(*json, session.style);
	});
}

} // namespace

std::string render_flows(const Json &flows, const Style &style)
{
	if (style.format != Format::table)
		return structured_list(flows.items(), style.format);
	if (flows.items().empty())
		return "no flows\n";
	Table table({"PROTO", "INSIDE", "SEEN OUTSIDE AS", "REMOTE", "STATE", "IDLE s", "PACKETS OUT",
		     "PACKETS IN", "BYTES OUT", "BYTES IN", "GENERATION"});
	for (const Json &flow : flows.items())
		table.add({flow["protocol"].text(), endpoint(flow["inside_address"], flow["inside_port"]),
			   flow["external_address"].text().empty()
				   ? "(not translated)"
				   : endpoint(flow["external_address"], flow["external_port"]),
			   endpoint(flow["remote_address"], flow["remote_port"]), flow["state"].text(),
			   flow["idle_seconds"].text(), flow["packets_out"].text(), flow["packets_in"].text(),
			   flow["bytes_out"].text(), flow["bytes_in"].text(), flow["generation"].text()});
	return table.text();
}

std::vector<Command> flow_commands()
{
	return {
		{.words = "flow list",
		 .help = "who talks to whom, and as whom",
		 .options = {{.name = "-n,--limit",
			      .value = "LIMIT",
			      .help = "at most so many; default 10000",
			      .max = 100'000,
			      .min = 1},
			     watch_option()},
		 .run = [](Session &session) { return list_flows(session); }},
		{.words = "flow watch",
		 .help = "flows that start, end or are denied, as it happens",
		 .options = {count_option()},
		 .run = [](Session &session) { return watch_flows(session); }},
		{.words = "nat show",
		 .help = "what the outside sees, and how many ports are in use",
		 .options = {watch_option()},
		 .run =
			 [](Session &session) {
				 return session.show_watched("/api/v1/nat", [&](const Json &nat) {
					 return render_nat(nat, session.style);
				 });
			 }},
	};
}

} // namespace neuwerk::cli
