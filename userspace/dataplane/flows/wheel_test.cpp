// When the wheel hands out its entries.
#include "dataplane/flows/wheel.h"

#include <doctest/doctest.h>

#include <random>
#include <vector>

using neuwerk::dataplane::Wheel;

namespace {

constexpr std::uint64_t start_ns = 5'000'000'000'000;
constexpr std::uint64_t slot_ns = std::uint64_t{1} << Wheel::slot_shift;

} // namespace

TEST_CASE("an entry comes due once, not before its time and within one slot after it")
{
	Wheel wheel(4, start_ns);
	wheel.schedule(3, start_ns + 1'000'000'000);

	CHECK_FALSE(wheel.take(start_ns + 999'999'999));
	CHECK(wheel.take(start_ns + 1'000'000'000 + slot_ns) == 3);
	CHECK_FALSE(wheel.take(start_ns + 2'000'000'000));
	CHECK_FALSE(wheel.next_due_ns());
}

TEST_CASE("a new due time replaces the old one, and a cancelled entry never comes")
{
	Wheel wheel(4, start_ns);
	wheel.schedule(0, start_ns + 1'000'000'000);
	wheel.schedule(0, start_ns + 3'000'000'000);
	wheel.schedule(1, start_ns + 1'000'000'000);
	wheel.cancel(1);

	CHECK_FALSE(wheel.take(start_ns + 2'000'000'000));
	CHECK(wheel.take(start_ns + 4'000'000'000) == 0);
}

TEST_CASE("beyond the horizon an entry comes early rather than never")
{
	Wheel wheel(1, start_ns);
	wheel.schedule(0, start_ns + 100 * Wheel::horizon_ns);

	CHECK(wheel.take(start_ns + Wheel::horizon_ns + slot_ns) == 0);
}

TEST_CASE("after a long sleep everything that was due comes at once")
{
	Wheel wheel(1000, start_ns);
	std::mt19937 random(1);
	for (std::uint32_t entry = 0; entry < 1000; entry++)
		wheel.schedule(entry, start_ns + random() % Wheel::horizon_ns);

	std::vector<int> taken(1000);
	while (const auto entry = wheel.take(start_ns + 500 * Wheel::horizon_ns))
		taken[*entry]++;
	for (int times : taken)
		CHECK(times == 1);
}

TEST_CASE("an entry that is due already is handed out at once")
{
	Wheel wheel(2, start_ns);
	CHECK_FALSE(wheel.take(start_ns + 1'000'000'000));
	wheel.schedule(1, start_ns);
	CHECK(wheel.take(start_ns + 1'000'000'000) == 1);
}
