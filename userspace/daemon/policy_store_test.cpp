// A policy that was acknowledged survives every crash; one that failed leaves no trace.
#include "daemon/policy_store.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

using namespace neuwerk;
using namespace neuwerk::daemon;

namespace {

using Directory = std::map<std::string, std::string>;

// A disk that loses power: names become durable with sync_directory, contents with write_synced.
// Operation number `fails_at` fails; from operation number `dies_at` on nothing happens any more.
class BreakableFiles final : public Files {
public:
	Directory seen;    // what a running system reads
	Directory durable; // what is left after a power cut
	int operations = 0;
	int fails_at = -1;
	int fails_from = 1'000'000;
	int dies_at = 1'000'000;

	Result<std::string> read(const std::string &path) override
	{
		const auto entry = seen.find(path);
		if (entry == seen.end())
			return fail(ErrorKind::not_found, "open: " + path);
		return entry->second;
	}
	Result<> write_synced(const std::string &path, std::string_view content) override
	{
		if (auto outcome = begin(); !outcome) {
			seen[path] = content.substr(0, content.size() / 2); // a torn write
			return outcome;
		}
		seen[path] = content;
		if (durable.contains(path))
			durable[path] = content;
		return {};
	}
	Result<> rename(const std::string &from, const std::string &to) override
	{
		if (auto outcome = begin(); !outcome)
			return outcome;
		seen[to] = seen.at(from);
		seen.erase(from);
		return {};
	}
	Result<> remove(const std::string &path) override
	{
		if (auto outcome = begin(); !outcome)
			return outcome;
		seen.erase(path);
		return {};
	}
	Result<> sync_directory(const std::string &) override
	{
		if (auto outcome = begin(); !outcome)
			return outcome;
		durable = seen;
		return {};
	}

private:
	Result<> begin()
	{
		const int number = operations++;
		if (number == fails_at || number >= fails_from || number >= dies_at)
			return fail(ErrorKind::resource_exhausted,
				    "write: /s/policy.json.new: No space left on device");
		return {};
	}
};

std::optional<std::string> stored(const Directory &directory)
{
	const auto entry = directory.find("/s/policy.json");
	return entry == directory.end() ? std::nullopt : std::optional(entry->second);
}

} // namespace

TEST_CASE("the last document that was stored is loaded, and none at first")
{
	BreakableFiles files;
	PolicyStore store(files, "/s");
	CHECK(*store.load() == std::nullopt);
	CHECK(store.replace("one"));
	CHECK(store.replace("two"));
	PolicyStore after_restart(files, "/s");
	CHECK(*after_restart.load() == "two");
}

TEST_CASE("whichever file operation fails, the old document stays and the error says why")
{
	for (const bool had_one : {false, true})
		for (int failing = 0; failing < 3; failing++) {
			CAPTURE(had_one);
			CAPTURE(failing);
			BreakableFiles files;
			PolicyStore store(files, "/s");
			REQUIRE(store.load());
			if (had_one)
				REQUIRE(store.replace("old"));
			files.operations = 0;
			files.fails_at = failing;

			const auto outcome = store.replace("new");

			REQUIRE_FALSE(outcome);
			CHECK(outcome.error().kind == ErrorKind::resource_exhausted);
			const std::optional<std::string> expected =
				had_one ? std::optional<std::string>("old") : std::nullopt;
			CHECK(stored(files.seen) == expected);
			CHECK(stored(files.durable) == expected);
			files.fails_at = -1;
			CHECK(store.replace("newer"));
			CHECK(stored(files.durable) == "newer");
		}
}

TEST_CASE("a disk that fails for good is reported as such, never hidden")
{
	BreakableFiles files;
	PolicyStore store(files, "/s");
	REQUIRE(store.replace("old"));
	files.operations = 0;
	files.fails_from = 2; // stage and rename work, then the disk is gone

	const auto outcome = store.replace("new");

	REQUIRE_FALSE(outcome);
	CHECK(outcome.error().what.find("could not be put back") != std::string::npos);
}

TEST_CASE("a power cut leaves the old or the new document whole, and the new one once it was acknowledged")
{
	for (int death = 0; death < 5; death++) {
		CAPTURE(death);
		BreakableFiles files;
		PolicyStore store(files, "/s");
		REQUIRE(store.replace("old"));
		files.operations = 0;
		files.dies_at = death;

		const bool acknowledged = store.replace("new").has_value();

		// Names that were not synced may have reached the disk or not: both worlds must be whole.
		for (const Directory *world : {&files.durable, &files.seen}) {
			const auto document = stored(*world);
			REQUIRE(document);
			CHECK((*document == "old" || *document == "new"));
		}
		if (acknowledged)
			CHECK(stored(files.durable) == "new");
	}
}

TEST_CASE("a document that could not be published is taken back")
{
	BreakableFiles files;
	PolicyStore store(files, "/s");
	REQUIRE(store.replace("old"));
	REQUIRE(store.replace("new"));
	CHECK(store.restore());
	CHECK(stored(files.durable) == "old");

	PolicyStore first(files, "/other");
	REQUIRE(first.replace("only"));
	CHECK(first.restore());
	CHECK_FALSE(files.durable.contains("/other/policy.json"));
}
