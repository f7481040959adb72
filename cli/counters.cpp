// neuwerkctl counters: what became of every packet.
#include "nouns.h"

namespace neuwerk::cli {

std::string render_counters(const Json &counters, bool all, const Style &style)
{
	Json::Array shown;
	for (const Json &counter : counters["counters"].items())
		if (all || counter["packets"].number() > 0)
			shown.push_back(counter);
	if (style.format == Format::jsonl)
		return structured_list(shown, style.format);
	if (style.format != Format::table)
		return structured(Json::object({{"counters", shown}}), style.format);
	return listed(shown,
		      {{"WHERE", "stage"},
		       {"VERDICT", "verdict"},
		       {"PACKETS", "packets"},
		       {"BYTES", "bytes"},
		       {"MEANING", "why"}},
		      "no packet yet", style);
}

std::vector<Command> counters_commands()
{
	return {
		{.words = "counters",
		 .help = "what became of every packet",
		 .options = {{.name = "--all", .help = "also what never happened"}, watch_option()},
		 .run =
			 [](Session &session) {
				 return session.show_watched("/api/v1/counters", [&](const Json &counters) {
					 return render_counters(counters, session.words.has("--all"),
								session.style);
				 });
			 }},
	};
}

} // namespace neuwerk::cli
