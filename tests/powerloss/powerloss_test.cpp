// A power loss at any I/O call loses no acknowledged write, applies none twice and invents nothing.
#include "powerloss/machine.h"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace neuwerk;
using namespace neuwerk::powerloss;

namespace {

struct Tally {
	std::uint64_t power_losses = 0;
	std::uint64_t kills = 0;
	std::uint64_t faults = 0;
	std::uint64_t wrong = 0;
	std::string first_wrong;
};

// scripts/test --soak runs this many times as many lives.
std::uint64_t lives(std::uint64_t normally)
{
	return std::getenv("NW_SOAK") ? 20 * normally : normally;
}

// One life of a machine: strikes at random calls until `strikes` have happened or something is wrong.
void live(std::uint64_t seed, std::uint32_t strikes, bool synced, bool power_only, Tally &tally)
{
	properties::Random random(seed * 977 + 13);
	Machine machine(seed, synced);
	std::string wrong;
	for (std::uint32_t i = 0; wrong.empty() && i < strikes; i++) {
		const Fault fault =
			power_only ? Fault::power_loss
				   : random.pick({Fault::power_loss, Fault::io_error, Fault::disk_full});
		machine.disk.strike_after(1 + random.below(random.chance(30) ? 40 : 600), fault);
		wrong = machine.start();
		if (wrong.empty() && machine.is_open())
			wrong = machine.work(random.between(1, 60));
		machine.crash();
		tally.faults += fault != Fault::power_loss;
		if (power_only || random.chance(50)) {
			tally.power_losses++;
			machine.disk.restart_after_power_loss();
		} else {
			tally.kills++;
			machine.disk.restart_after_kill();
		}
	}
	if (wrong.empty())
		wrong = machine.start(); // without a strike: it must open
	machine.crash();
	if (wrong.empty())
		return;
	if (tally.wrong++ == 0)
		tally.first_wrong = "seed " + std::to_string(seed) + ": " + wrong;
}

} // namespace

TEST_CASE("after 1,000 power losses every acknowledged write is there, once, and nothing else")
{
	Tally tally;
	for (std::uint64_t seed = 1; seed <= lives(100); seed++)
		live(seed, 10, true, true, tally);
	CAPTURE(tally.first_wrong);
	CHECK(tally.wrong == 0);
	CHECK(tally.power_losses >= 1000);
}

TEST_CASE("EIO and a full disk at any call end the process; the next start finds every acknowledged write")
{
	Tally tally;
	for (std::uint64_t seed = 1'000'001; seed <= 1'000'000 + lives(60); seed++)
		live(seed, 10, true, false, tally);
	CAPTURE(tally.first_wrong);
	CHECK(tally.wrong == 0);
	CHECK(tally.faults > 300);
	CHECK(tally.kills > 200);
}

// Linux keeps the pages of a failed fsync and calls them clean: the next process reads what no disk holds.
TEST_CASE("after an fsync that failed, the next start builds on nothing that only memory holds")
{
	constexpr int wal_pages = 10'000; // no checkpoint but the one at the start
	std::string first_wrong;
	for (std::uint64_t call = 1; call <= 60 && first_wrong.empty(); call++) {
		Machine machine(call, true, wal_pages);
		const auto step = [&](const char *what, const std::string &wrong) {
			if (first_wrong.empty() && !wrong.empty())
				first_wrong =
					std::string(what) + ", call " + std::to_string(call) + ": " + wrong;
		};
		step("start", machine.start());
		step("work", machine.work(20));
		machine.disk.strike_after(call, Fault::io_error);
		step("work until EIO", machine.work(40));
		machine.crash();
		machine.disk.restart_after_kill();
		step("start after EIO", machine.start());
		step("work after EIO", machine.work(3));
		machine.crash();
		machine.disk.restart_after_power_loss();
		step("start after the power loss", machine.start());
		machine.crash();
	}
	CHECK(first_wrong == "");
}

TEST_CASE("the same machine without fsync loses acknowledged writes: the test above can fail")
{
	Tally tally;
	for (std::uint64_t seed = 1; seed <= 10; seed++)
		live(seed, 10, false, true, tally);
	CHECK(tally.wrong > 0);
}
