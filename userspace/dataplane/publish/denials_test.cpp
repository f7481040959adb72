// Reading the rows of denied packets: every packet once, whoever reads.
#include "dataplane/publish/denials.h"

#include "path/denial.h"

#include <doctest/doctest.h>

#include <atomic>
#include <map>
#include <thread>
#include <vector>

namespace {

using namespace neuwerk::dataplane;

constexpr nw_address sender = {{0, 0, NW_BE32(0xffff), NW_BE32(0x0a000005)}};

nw_denial_key key_of(std::uint32_t destination)
{
	nw_denial_key key{};
	key.destination.word_be[3] = NW_BE32(destination);
	return key;
}

// As XDP does it, in the row of one CPU.
void deny(std::vector<nw_denial_set> &sets, std::size_t row, std::uint32_t destination, std::uint32_t ticks)
{
	const nw_denial_key key = key_of(destination);
	nw_denial_set *first = &sets[row * NW_DENIAL_SETS];
	if (!nw_count_denial(&first[nw_denial_set_of(&key, 0)], &key, &sender, ticks))
		nw_store(&first->way[0].count, first->way[0].count + 1);
}

struct Totals {
	std::map<std::uint32_t, std::uint64_t> of; // by destination
	std::uint64_t without_line = 0;
	void drain(std::vector<nw_denial_set> &sets)
	{
		without_line += drain_denials(sets, [&](const nw_denial &line, std::uint32_t packets) {
			of[NW_HOST32(line.key.destination.word_be[3])] += packets;
		});
	}
	[[nodiscard]] std::uint64_t sum() const
	{
		std::uint64_t total = without_line;
		for (const auto &[destination, packets] : of)
			total += packets;
		return total;
	}
};

} // namespace

TEST_CASE("every packet is read once, from all rows, also by a reader that starts anew")
{
	std::vector<nw_denial_set> sets(2 * NW_DENIAL_SETS);
	Totals totals;
	deny(sets, 0, 7, 1);
	deny(sets, 1, 7, 1);
	deny(sets, 1, 8, 1);
	totals.drain(sets);
	CHECK(totals.of[7] == 2);
	CHECK(totals.of[8] == 1);

	deny(sets, 0, 7, 2);
	Totals restarted;
	restarted.drain(sets);
	CHECK(restarted.of.size() == 1);
	CHECK(restarted.of[7] == 1);
}

TEST_CASE("a scan of more keys than there are lines is counted to the last packet, named or not")
{
	std::vector<nw_denial_set> sets(NW_DENIAL_SETS);
	Totals totals;
	for (std::uint32_t second = 0; second < 10; second++) {
		for (std::uint32_t i = 0; i < 10'000; i++)
			deny(sets, 0, second * 10'000 + i, second * 4);
		totals.drain(sets);
	}
	CHECK(totals.sum() == 100'000);
	CHECK(totals.without_line > 0);
	CHECK(totals.of.size() > 10 * NW_DENIAL_SETS); // lines are given away once they rested
}

TEST_CASE("a reader beside the writer loses and invents nothing")
{
	std::vector<nw_denial_set> sets(NW_DENIAL_SETS);
	Totals totals;
	std::atomic<bool> done = false;
	std::thread writer([&] {
		for (std::uint32_t i = 0; i < 400'000; i++)
			deny(sets, 0, i / 10, i / 1'000);
		done = true;
	});
	while (!done)
		totals.drain(sets);
	writer.join();
	totals.drain(sets);

	CHECK(totals.sum() == 400'000);
	for (const auto &[destination, packets] : totals.of) {
		REQUIRE(destination < 40'000);
		CHECK(packets <= 10);
	}
}
