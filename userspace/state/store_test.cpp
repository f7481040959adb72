// The Store as its users see it: what was written is read, in order, once, and again after a restart.
#include "state/temporary_store.h"
#include "storage/storage.h"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <thread>

using namespace neuwerk;
using namespace neuwerk::state;

namespace {

Result<Index> write(TemporaryStore &store, std::vector<Operation> operations, std::string request_id = {})
{
	return store->write({.operations = std::move(operations),
			     .actor = "local:root",
			     .request_id = std::move(request_id)});
}

std::optional<std::string> value_of(TemporaryStore &store, std::string_view key)
{
	const auto record = store->get(key);
	REQUIRE(record);
	return *record ? std::optional((*record)->value) : std::nullopt;
}

std::uint64_t revision_of(TemporaryStore &store, std::string_view key)
{
	const auto record = store->get(key);
	REQUIRE(record);
	return *record ? (*record)->revision : 0;
}

} // namespace

TEST_CASE("what was written is read back, and is still there after a restart")
{
	TemporaryStore store;
	const auto index = write(store, {put("a/1", "one"), put("a/2", std::string("two\0!", 5))});
	REQUIRE(index);
	CHECK(value_of(store, "a/1") == "one");
	CHECK(value_of(store, "a/2") == std::string("two\0!", 5));
	CHECK(value_of(store, "a/3") == std::nullopt);
	CHECK((*store->get("a/1"))->changed_index == *index);
	CHECK(store->applied_index() == *index);
	const auto digest = store->digest();

	store.reopen();
	CHECK(value_of(store, "a/1") == "one");
	CHECK(revision_of(store, "a/1") == 1);
	CHECK(store->applied_index() > *index); // each start is a term of its own with a no-op
	CHECK(store->status().term == 2);
	CHECK(store->digest() == digest);
	CHECK(store->size().record_count == 2);
}

TEST_CASE("a revision counts the changes of its key and starts anew after a deletion")
{
	TemporaryStore store;
	for (const std::uint64_t revision : {1, 2, 3}) {
		REQUIRE(write(store, {put("k", "v")}));
		CHECK(revision_of(store, "k") == revision);
	}
	REQUIRE(write(store, {erase("k")}));
	REQUIRE(write(store, {erase("k")})); // absent: fine
	CHECK(revision_of(store, "k") == 0);
	REQUIRE(write(store, {put("k", "v")}));
	CHECK(revision_of(store, "k") == 1);
}

TEST_CASE("a requirement that does not hold refuses the whole write and names the key")
{
	TemporaryStore store;
	REQUIRE(write(store, {require("k", 0), put("k", "one")}));
	const auto exists = write(store, {put("other", "x"), require("k", 0)});
	REQUIRE_FALSE(exists);
	CHECK(exists.error().kind == ErrorKind::conflict);
	CHECK(exists.error().what == "write: k: it exists already");
	CHECK(value_of(store, "other") == std::nullopt);

	CHECK(write(store, {require("k", 2), put("k", "two")}).error().what ==
	      "write: k: it was changed meanwhile: revision 1, not 2");
	CHECK(write(store, {require("absent", 2)}).error().what ==
	      "write: absent: it does not exist, revision 2 was expected");
	REQUIRE(write(store, {require("k", 1), put("k", "two")}));
	CHECK(value_of(store, "k") == "two");
}

TEST_CASE("the operations of one write happen in their order")
{
	TemporaryStore store;
	REQUIRE(write(store, {put("k", "one"), erase("k"), put("k", "two")}));
	CHECK(value_of(store, "k") == "two");
	CHECK(revision_of(store, "k") == 1);
}

TEST_CASE("a list holds exactly the keys of the prefix, ascending by byte")
{
	TemporaryStore store;
	REQUIRE(write(store, {put("p/b", "2"), put("p/a", "1"), put("p/\xff", "3"), put("p0", "x"),
			      put("o", "x"), put("\xff\xff", "y")}));
	const auto some = store->list("p/");
	REQUIRE(some);
	REQUIRE(some->size() == 3);
	CHECK((*some)[0].key == "p/a");
	CHECK((*some)[1].key == "p/b");
	CHECK((*some)[2].key == "p/\xff");
	CHECK(store->list("")->size() == 6);
	CHECK(store->list("\xff")->size() == 1);
	CHECK(store->list("q")->empty());
}

TEST_CASE("a large value is stored compressed and comes back whole")
{
	TemporaryStore store;
	std::string large;
	for (int line = 0; line < 200'000; line++)
		large += "  - name: rule-" + std::to_string(line % 97) + "\n";
	REQUIRE(write(store, {put("policy", large)}));
	CHECK(value_of(store, "policy") == large);
	CHECK(store->size().state_bytes < large.size());
	store.reopen();
	CHECK(value_of(store, "policy") == large);
}

TEST_CASE("what is too large is refused before it is proposed, with its name")
{
	TemporaryStore store({.limits = {.command_bytes = 1 << 20}});
	std::string noise; // does not compress
	std::uint64_t state = 1;
	while (noise.size() < (1 << 20) + 1) {
		state = state * 6364136223846793005 + 1442695040888963407;
		noise += static_cast<char>(state >> 56);
	}
	const auto whole = write(store, {put("k", noise)});
	REQUIRE_FALSE(whole);
	CHECK(whole.error().kind == ErrorKind::invalid_argument);
	CHECK(whole.error().what.find("too large") != std::string::npos);

	const auto key = write(store, {put(std::string(key_limit_bytes + 1, 'k'), "v")});
	CHECK(key.error().kind == ErrorKind::invalid_argument);
	CHECK(write(store, {put("", "v")}).error().kind == ErrorKind::invalid_argument);
	CHECK(write(store, {}).error().kind == ErrorKind::invalid_argument);
	CHECK(write(store, {put("k", "v")}, std::string(request_id_limit_bytes + 1, 'r')).error().kind ==
	      ErrorKind::invalid_argument);
	CHECK(write(store, {put(std::string(key_limit_bytes, 'k'), "v")}));
}

TEST_CASE("a retry with the same request id has the first outcome and applies nothing again")
{
	TemporaryStore store;
	const auto first = write(store, {put("k", "one")}, "request 1");
	REQUIRE(first);
	const auto again = write(store, {put("k", "one")}, "request 1");
	CHECK(*again == *first);
	CHECK(revision_of(store, "k") == 1);

	const auto refused = write(store, {require("k", 7)}, "request 2");
	REQUIRE(write(store, {put("k", "two")}));
	store.reopen();
	CHECK(*write(store, {put("k", "one")}, "request 1") == *first);
	const auto refused_again = write(store, {require("k", 2)}, "request 2"); // would succeed now
	REQUIRE_FALSE(refused_again);
	CHECK(refused_again.error().what == refused.error().what);
	CHECK(refused_again.error().kind == ErrorKind::conflict);
}

TEST_CASE("a request id is forgotten after ten minutes of leader time, which never goes back")
{
	std::int64_t now_ms = 1'000'000;
	TemporaryStore store({.now_ms = [&now_ms] { return now_ms; }});
	REQUIRE(write(store, {put("k", "v")}, "id"));
	now_ms += request_memory_ms;
	REQUIRE(write(store, {put("k", "v")}, "id"));
	CHECK(revision_of(store, "k") == 1);
	now_ms += 1;
	REQUIRE(write(store, {put("k", "v")}, "id"));
	CHECK(revision_of(store, "k") == 2);

	const auto changed_ms = (*store->get("k"))->changed_ms;
	now_ms = 5;
	REQUIRE(write(store, {put("k", "v")}));
	CHECK((*store->get("k"))->changed_ms == changed_ms);
}

TEST_CASE("collect erases what was last changed before the cutoff, under its prefix only")
{
	std::int64_t now_ms = 1000;
	TemporaryStore store({.now_ms = [&now_ms] { return now_ms; }});
	for (int i = 0; i < 2500; i += 500) {
		std::vector<Operation> operations;
		for (int k = i; k < i + 500; k++)
			operations.push_back(put("old/" + std::to_string(k), "v"));
		REQUIRE(write(store, operations));
	}
	REQUIRE(write(store, {put("other", "v")}));
	now_ms = 2000;
	REQUIRE(write(store, {put("old/7", "changed"), put("old/new", "v")}));
	REQUIRE(write(store, {collect("old/", 2000)}));
	const auto left = store->list("old/");
	REQUIRE(left->size() == 2);
	CHECK((*left)[0].key == "old/7");
	CHECK((*left)[1].key == "old/new");
	CHECK(value_of(store, "other") == "v");
	CHECK(store->size().record_count == 3);
	store.reopen(); // count and digest still fit
	CHECK(store->list("")->size() == 3);
}

TEST_CASE("a watcher hears of its prefix in commit order, when readers see it, and before the writer")
{
	TemporaryStore store;
	std::vector<std::string> heard;
	bool visible = true;
	const auto watch = store->watch("w/", [&](const std::vector<Change> &changes) {
		for (const Change &change : changes) {
			heard.push_back(change.key + "=" + change.value.value_or("(deleted)"));
			const auto record = store->get(change.key);
			visible = visible && record->has_value() == change.value.has_value();
		}
	});
	REQUIRE(write(store, {put("w/1", "a"), put("x", "b"), put("w/2", std::string(9000, 'z'))}));
	CHECK(heard.size() == 2); // already, since write() has returned
	REQUIRE(write(store, {put("x", "c")}));
	REQUIRE(write(store, {erase("w/1"), erase("w/absent")}));
	REQUIRE_FALSE(write(store, {put("w/1", "refused"), require("w/2", 9)}));
	CHECK(heard == std::vector<std::string>{"w/1=a", "w/2=" + std::string(9000, 'z'), "w/1=(deleted)"});
	CHECK(visible);
}

TEST_CASE("a watch ends with its handle, also inside its own call")
{
	TemporaryStore store;
	int first_calls = 0, second_calls = 0;
	auto first = store->watch("", [&](const auto &) { first_calls++; });
	std::shared_ptr<Store::Watch> second;
	second = store->watch("", [&](const auto &) {
		second_calls++;
		second.reset();
	});
	REQUIRE(write(store, {put("k", "1")}));
	first.reset();
	REQUIRE(write(store, {put("k", "2")}));
	CHECK(first_calls == 1);
	CHECK(second_calls == 1);
}

TEST_CASE("many writers and readers at once: every write happens once, and readers see whole transactions")
{
	constexpr int writers = 8, writes = 100;
	TemporaryStore store;
	std::atomic<bool> writing = true;
	std::atomic<int> torn = 0, failed = 0;
	std::thread reader([&] {
		while (writing) {
			const auto pair = store->list("pair/");
			if (!pair || (pair->size() == 2 && (*pair)[0].value != (*pair)[1].value))
				torn++;
		}
	});
	std::vector<std::thread> threads;
	for (int writer = 0; writer < writers; writer++)
		threads.emplace_back([&store, &failed, writer] {
			for (int i = 0; i < writes; i++) {
				const std::string value = std::to_string(writer) + "/" + std::to_string(i);
				const auto index = store->write(
					{.operations = {put("pair/a", value), put("pair/b", value),
							put("w/" + value, value)},
					 .actor = "test",
					 .request_id = {}});
				failed += !index;
			}
		});
	for (std::thread &thread : threads)
		thread.join();
	writing = false;
	reader.join();
	CHECK(failed == 0);
	CHECK(torn == 0);
	CHECK(store->list("w/")->size() == writers * writes);
	CHECK(revision_of(store, "pair/a") == writers * writes);
}

TEST_CASE("a nearly full disk refuses writes, says so, and everything can still be read; also at the start")
{
	std::atomic<std::uint64_t> free_bytes = std::uint64_t{1} << 40;
	TemporaryStore store({.free_bytes = [&free_bytes](const std::string &) {
		return std::optional(free_bytes.load());
	}});
	REQUIRE(write(store, {put("k", "one")}));
	CHECK(store->status().accepts_writes);
	free_bytes = std::uint64_t{100} << 20;
	for (int round = 0; round < 2; round++) {
		const auto refused = write(store, {put("k", "two")});
		REQUIRE_FALSE(refused);
		CHECK(refused.error().kind == ErrorKind::resource_exhausted);
		CHECK(refused.error().what.find("100 MiB are free") != std::string::npos);
		CHECK_FALSE(store->status().accepts_writes);
		CHECK(store->status().detail == refused.error().what);
		CHECK(value_of(store, "k") == "one");
		store.reopen();
	}
	free_bytes = std::uint64_t{1} << 40;
	CHECK(write(store, {put("k", "two")}));
	CHECK(store->status().term == 2);
}

TEST_CASE("a backup is restored by putting it alone into a directory; the log goes on behind it")
{
	TemporaryStore store;
	REQUIRE(write(store, {put("k", "saved")}));
	const std::string copy = store.directory() + "/backup.db";
	REQUIRE(store->backup_to(copy));
	CHECK(store->backup_to(copy).error().kind == ErrorKind::conflict);
	const Index saved = store->applied_index();
	REQUIRE(write(store, {put("k", "lost")}));

	TemporaryStore other;
	const Options options{.directory = store.directory() + "/restored", .synced = false};
	REQUIRE(std::system(("mkdir " + options.directory + " && cp " + copy + " " + options.directory +
			     "/state.db")
				    .c_str()) == 0);
	for (int start = 0; start < 2; start++) {
		auto restored = Store::open(options);
		REQUIRE(restored);
		CHECK((*(*restored)->get("k"))->value == "saved");
		CHECK((*restored)->applied_index() > saved);
		CHECK((*restored)->write(
			{.operations = {put("n", "new")}, .actor = "test", .request_id = {}}));
	}
	// Over a log that goes on elsewhere it is refused: two histories would be mixed.
	REQUIRE(std::system(("rm " + options.directory + "/state.db* && cp " + copy + " " +
			     options.directory + "/state.db")
				    .c_str()) == 0);
	const auto mixed = Store::open(options);
	REQUIRE_FALSE(mixed);
	CHECK(mixed.error().kind == ErrorKind::corrupt);
	CHECK(mixed.error().what.find("raft.db") != std::string::npos);
}

TEST_CASE("a changed or missing row of state.db is found at the start, and the error names the file")
{
	const struct {
		const char *what, *sql, *error;
	} damages[] = {
		{"a value was changed", "UPDATE kv SET value = 'other' WHERE key = CAST('k/1' AS BLOB)",
		 "the checksum of record k/1"},
		{"a revision was changed", "UPDATE kv SET rev = 7 WHERE key = CAST('k/1' AS BLOB)",
		 "the checksum of record k/1"},
		{"a record is gone", "DELETE FROM kv WHERE key = CAST('k/1' AS BLOB)",
		 "1 records are there instead of 2"},
		{"a request is gone", "DELETE FROM request", "a row is missing"},
		{"a request was changed", "UPDATE request SET time_ms = 1", "the checksum of request"},
		{"the applied index was changed", "UPDATE applied SET idx = 1",
		 "the checksum of the applied index"},
		{"there is no applied index", "DELETE FROM applied", "applied index is missing"},
		{"a table is gone", "DROP TABLE request", "no such table"},
	};
	for (const auto &damage : damages) {
		CAPTURE(damage.what);
		TemporaryStore store;
		REQUIRE(write(store, {put("k/1", "v"), put("k/2", "v")}, "request"));
		store.close();
		const std::string path = store.directory() + "/state.db";
		REQUIRE(storage::Database::open({.path = path})->execute(damage.sql));
		const auto opened = Store::open({.directory = store.directory()});
		REQUIRE_FALSE(opened);
		CHECK(opened.error().kind == ErrorKind::corrupt);
		CHECK(opened.error().what.find(damage.error) != std::string::npos);
		CHECK(opened.error().what.find(path) != std::string::npos);
	}
}

TEST_CASE("a record that is damaged while the Store runs is refused by its reader")
{
	TemporaryStore store;
	REQUIRE(write(store, {put("k/1", "v"), put("k/2", "v")}));
	auto other = storage::Database::open({.path = store.directory() + "/state.db"});
	REQUIRE(other->execute("UPDATE kv SET value = 'other' WHERE key = CAST('k/1' AS BLOB)"));
	const auto damaged = store->get("k/1");
	REQUIRE_FALSE(damaged);
	CHECK(damaged.error().kind == ErrorKind::corrupt);
	CHECK(damaged.error().what.find("state.db: the checksum of record k/1") != std::string::npos);
	CHECK_FALSE(store->list("k/"));
	CHECK(value_of(store, "k/2") == "v");
}

TEST_CASE("a second Store on the same directory is refused")
{
	TemporaryStore store;
	const auto second = Store::open({.directory = store.directory()});
	REQUIRE_FALSE(second);
	CHECK(second.error().kind == ErrorKind::unavailable);
}
