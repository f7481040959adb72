// neuwerkctl counters: what became of every packet.
#include "nouns.h"

#include "base/text.h"

namespace neuwerk::cli {

std::string render_counters(const v1::CountersReply &counters, bool all, const Style &style)
{
	v1::CountersReply shown;
	for (const v1::Counter &counter : counters.counters())
		if (all || counter.packets() > 0)
			*shown.add_counters() = counter;
	if (style.format == Format::jsonl) {
		std::string out;
		for (const v1::Counter &counter : shown.counters())
			out += structured(counter, Format::jsonl);
		return out;
	}
	if (style.format != Format::table)
		return structured(shown, style.format);
	if (shown.counters_size() == 0)
		return "no packet yet\n";
	Table table({"WHERE", "VERDICT", "PACKETS", "BYTES", "MEANING"});
	for (const v1::Counter &counter : shown.counters())
		table.add({counter.stage(), counter.verdict(), text(counter.packets()), text(counter.bytes()),
			   counter.why()});
	return table.text();
}

} // namespace neuwerk::cli
