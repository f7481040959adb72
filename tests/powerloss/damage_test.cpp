// Damage that no power loss does: the Store is right or refuses and names the file; it is never quietly less.
#include "powerloss/machine.h"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace neuwerk;
using namespace neuwerk::powerloss;

namespace {

// A store that was killed while it worked: both databases and both WALs hold something.
PowerDisk::Image killed_store(std::uint64_t seed, Machine &machine)
{
	REQUIRE(machine.start().empty());
	properties::Random random(seed);
	REQUIRE(machine.work(random.between(1, 200)).empty());
	machine.crash();
	machine.disk.restart_after_kill();
	return machine.disk.image();
}

struct Damage {
	std::string file, what;
};

// One file of the image, in one of the ways in which disks and people damage files.
Damage damage(PowerDisk::Image &image, properties::Random &random)
{
	auto victim = image.begin();
	std::advance(victim, random.below(image.size()));
	std::string &content = victim->second;
	if (content.empty())
		return {victim->first, "nothing: it is empty"};
	const std::size_t at = random.below(content.size());
	switch (random.below(5)) {
	case 0:
		content[at] = static_cast<char>(content[at] ^ 1 << random.below(8));
		return {victim->first, "a bit of byte " + std::to_string(at)};
	case 1:
		for (std::size_t i = at; i < std::min(content.size(), at + 4096); i++)
			content[i] = static_cast<char>(random.bits());
		return {victim->first, "4096 random bytes from " + std::to_string(at)};
	case 2:
		for (std::size_t i = at - at % 4096; i < std::min(content.size(), at - at % 4096 + 4096); i++)
			content[i] = 0;
		return {victim->first, "zeros in the page of " + std::to_string(at)};
	case 3:
		content.resize(at);
		return {victim->first, "cut off at " + std::to_string(at)};
	default:
		const std::size_t small = random.below(std::min<std::size_t>(content.size(), 100));
		content[small] = static_cast<char>(random.bits());
		return {victim->first, "byte " + std::to_string(small) + " of the header"};
	}
}

std::string database_of(std::string file)
{
	if (const auto dash = file.rfind("-wal"); dash != std::string::npos)
		file.resize(dash);
	return file;
}

} // namespace

TEST_CASE("a damaged file is harmless or refused by name, never a store that lacks what it acknowledged")
{
	const std::uint64_t stores = std::getenv("NW_SOAK") ? 400 : 40;
	int refused = 0, harmless = 0;
	for (std::uint64_t seed = 1; seed <= stores; seed++) {
		Machine machine(seed, true);
		const PowerDisk::Image whole = killed_store(seed, machine);
		REQUIRE(whole.size() >= 3);
		properties::Random random(seed * 31);
		for (int round = 0; round < 25; round++) {
			PowerDisk::Image damaged = whole;
			const Damage done = damage(damaged, random);
			machine.disk.restore(damaged);
			Machine::Books books = machine.books();

			const std::string wrong = machine.start();

			machine.crash();
			machine.keep_books(std::move(books));
			harmless += wrong.empty();
			if (wrong.empty())
				continue;
			refused++;
			CAPTURE(seed);
			CAPTURE(round);
			CAPTURE(done.file);
			CAPTURE(done.what);
			CAPTURE(wrong);
			REQUIRE(wrong.starts_with("the store does not open: "));
			// The log and the state machine check each other: the error may stand in the other
			// file.
			CHECK(wrong.find("/store/") != std::string::npos);
			CHECK((wrong.find(database_of(done.file)) != std::string::npos ||
			       wrong.find("raft.db") != std::string::npos));
		}
	}
	CHECK(refused > 200);
	CHECK(harmless > 100);
}

TEST_CASE("when one of the two files is gone, the store refuses and names it")
{
	for (const bool clean : {true, false})
		for (const char *file : {"/store/raft.db", "/store/state.db"}) {
			CAPTURE(clean);
			CAPTURE(file);
			Machine machine(7, true);
			PowerDisk::Image image = killed_store(7, machine);
			if (clean) {
				REQUIRE(machine.start().empty());
				machine.shut_down();
				image = machine.disk.image();
			}
			REQUIRE(image.erase(file) == 1);
			machine.disk.restore(image);
			const std::string wrong = machine.start();
			CHECK(wrong.find(std::string(file) + ": the file is missing") != std::string::npos);
			machine.crash();

			image[file] = "";
			machine.disk.restore(image);
			const std::string empty = machine.start();
			CHECK(empty.find(std::string(file) + ": it is empty") != std::string::npos);
			machine.crash();
		}
}

TEST_CASE("files of two stores are not mixed")
{
	Machine one(1, true), other(2, true);
	PowerDisk::Image image = killed_store(1, one);
	REQUIRE(other.start().empty());
	REQUIRE(other.work(300).empty());
	other.shut_down();
	REQUIRE(other.start().empty()); // a second term
	REQUIRE(other.work(10).empty());
	other.shut_down();
	image.erase("/store/state.db-wal");
	image["/store/state.db"] = other.disk.image().at("/store/state.db");
	one.disk.restore(image);
	const std::string wrong = one.start();
	CHECK(wrong.find("/store/raft.db") != std::string::npos);
	one.crash();
}
