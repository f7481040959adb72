// The reader of the rows: keys under their sequence, counts by difference.
#include "dataplane/publish/denials.h"

#include "path/line.h"

namespace neuwerk::dataplane {

namespace {

// A line that is not read to the end keeps its key, so copy, difference and note belong together.
std::uint32_t packets_since(nw_denial &line, nw_denial &copy)
{
	if (nw_read_sequenced(&line, &copy, sizeof(copy) / sizeof(nw_word)) != NW_READ_stable)
		return 0;
	const std::uint32_t packets = copy.count - copy.counted;
	if (packets != 0)
		nw_publish(&line.counted, copy.count);
	return packets;
}

std::uint64_t drain_rest(nw_denial &rest)
{
	const std::uint32_t count = nw_load(&rest.count);
	const std::uint32_t packets = count - rest.counted;
	nw_publish(&rest.counted, count);
	return packets;
}

} // namespace

std::uint64_t drain_denials(std::span<nw_denial_set> sets,
			    const std::function<void(const nw_denial &, std::uint32_t)> &take)
{
	std::uint64_t without_line = 0;
	for (std::size_t index = 0; index < sets.size(); index++) {
		if (index % NW_DENIAL_SETS == 0) {
			without_line += drain_rest(sets[index].way[0]);
			continue;
		}
		for (nw_denial &line : sets[index].way) {
			nw_denial copy{};
			if (const std::uint32_t packets = packets_since(line, copy))
				take(copy, packets);
		}
	}
	return without_line;
}

} // namespace neuwerk::dataplane
