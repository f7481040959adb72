// SQLite behind our door: values come back as they went in, and each failure has its kind and names the file.
#include "storage/storage.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

using namespace neuwerk;
using namespace neuwerk::storage;
using namespace std::string_view_literals;

namespace {

class Directory {
public:
	Directory()
	{
		std::string pattern = std::filesystem::temp_directory_path() / "nw-storage-XXXXXX";
		REQUIRE(mkdtemp(pattern.data()));
		path_ = pattern;
	}
	~Directory()
	{
		std::filesystem::remove_all(path_);
	}
	[[nodiscard]] std::string file(const char *name) const
	{
		return path_ / name;
	}

private:
	std::filesystem::path path_;
};

Database open_table(const Options &options)
{
	auto database = Database::open(options);
	REQUIRE(database);
	REQUIRE(database->execute("CREATE TABLE IF NOT EXISTS t(k INTEGER PRIMARY KEY, v BLOB)"));
	return std::move(*database);
}

Result<> insert(Database &database, std::int64_t key, std::string_view value)
{
	auto statement = database.prepare("INSERT INTO t VALUES(?1, ?2)");
	return statement ? statement->bind(1, key).bind(2, value).run() : tl::unexpected(statement.error());
}

std::int64_t count(Database &database)
{
	auto statement = database.prepare("SELECT count(*) FROM t");
	REQUIRE(statement);
	REQUIRE(*statement->step());
	return statement->integer(0);
}

} // namespace

TEST_CASE("blobs, texts, numbers and nothing come back as they were bound")
{
	const Directory directory;
	auto database = open_table({.path = directory.file("a.db")});
	auto write = database.prepare("INSERT INTO t VALUES(?1, ?2)");
	REQUIRE(write);
	REQUIRE(write->bind(1, 1).bind(2, "a\0b"sv).run());
	REQUIRE(write->bind(1, 2).bind(2, std::string_view()).run());
	REQUIRE(write->bind(1, 3).bind_null(2).run());
	REQUIRE(write->bind(1, 4).bind_text(2, "text").run());
	REQUIRE(write->bind(1, 5).bind(2, std::int64_t{-7}).run());

	auto read = database.prepare("SELECT v FROM t ORDER BY k");
	REQUIRE(read);
	for (int round = 0; round < 2; round++) {
		REQUIRE(*read->step());
		CHECK(read->bytes(0) == "a\0b"sv);
		REQUIRE(*read->step());
		CHECK_FALSE(read->is_null(0));
		CHECK(read->bytes(0).empty());
		REQUIRE(*read->step());
		CHECK(read->is_null(0));
		REQUIRE(*read->step());
		CHECK(read->bytes(0) == "text");
		REQUIRE(*read->step());
		CHECK(read->integer(0) == -7);
		CHECK_FALSE(*read->step()); // the end resets: the second round starts from the front
	}
}

TEST_CASE("what is rolled back is gone, what is committed stays")
{
	const Directory directory;
	const Options options{.path = directory.file("a.db")};
	{
		auto database = open_table(options);
		REQUIRE(database.begin());
		REQUIRE(insert(database, 1, "kept"));
		REQUIRE(database.commit());
		REQUIRE(database.begin());
		REQUIRE(insert(database, 2, "dropped"));
		database.rollback();
		database.rollback(); // harmless
	}
	auto again = open_table(options);
	CHECK(count(again) == 1);
}

TEST_CASE("a new database and its WAL are readable by the owner only")
{
	const Directory directory;
	auto database = open_table({.path = directory.file("a.db")});
	for (const char *name : {"a.db", "a.db-wal", "a.db-shm"}) {
		CAPTURE(name);
		struct stat status {};
		REQUIRE(stat(directory.file(name).c_str(), &status) == 0);
		CHECK((status.st_mode & 0777) == 0600);
	}
}

TEST_CASE("what is no database is corrupt, and the error names the file")
{
	const Directory directory;
	const std::string path = directory.file("a.db");
	std::ofstream(path) << std::string(8192, 'x');
	const auto database = Database::open({.path = path});
	REQUIRE_FALSE(database);
	CHECK(database.error().kind == ErrorKind::corrupt);
	CHECK(database.error().what.find(path) != std::string::npos);
}

TEST_CASE("damage inside a page is found by check")
{
	const Directory directory;
	const std::string path = directory.file("a.db");
	{
		auto database = open_table({.path = path});
		REQUIRE(database.begin());
		for (int key = 0; key < 2000; key++)
			REQUIRE(insert(database, key, "some value that fills pages"));
		REQUIRE(database.commit());
		CHECK(database.check());
	}
	std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
	file.seekp(3 * 4096); // the header of a page of the table
	file << std::string(64, '\x7f');
	file.close();

	auto database = Database::open({.path = path});
	const auto found = database ? database->check() : tl::unexpected(database.error());
	REQUIRE_FALSE(found);
	CHECK(found.error().kind == ErrorKind::corrupt);
	CHECK(found.error().what.find(path) != std::string::npos);
}

TEST_CASE("a missing directory and wrong SQL are told apart, each with the file and SQLite's words")
{
	const Directory directory;
	const auto nowhere = Database::open({.path = directory.file("no/a.db")});
	REQUIRE_FALSE(nowhere);
	CHECK(nowhere.error().kind == ErrorKind::not_found);

	auto database = open_table({.path = directory.file("a.db")});
	const auto wrong = database.prepare("SELECT x FROM absent");
	REQUIRE_FALSE(wrong);
	CHECK(wrong.error().kind == ErrorKind::internal);
	CHECK(wrong.error().what.find("no such table") != std::string::npos);
	CHECK(wrong.error().what.find("a.db") != std::string::npos);
}

TEST_CASE("a file that is held exclusively is unavailable to everybody else")
{
	const Directory directory;
	const std::string path = directory.file("a.db");
	auto holder = open_table({.path = path, .exclusive = true});
	REQUIRE(insert(holder, 1, "mine"));
	const auto other = Database::open({.path = path, .exclusive = true});
	REQUIRE_FALSE(other);
	CHECK(other.error().kind == ErrorKind::unavailable);
}

TEST_CASE("a reader sees what was committed and is not held up by a writer inside a transaction")
{
	const Directory directory;
	const std::string path = directory.file("a.db");
	auto writer = open_table({.path = path});
	auto reader = Database::open({.path = path, .read_only = true});
	REQUIRE(reader);
	REQUIRE(insert(writer, 1, "one"));
	REQUIRE(writer.begin());
	REQUIRE(insert(writer, 2, "two"));
	CHECK(count(*reader) == 1);
	REQUIRE(writer.commit());
	CHECK(count(*reader) == 2);
	CHECK_FALSE(reader->execute("INSERT INTO t VALUES(3, 'x')"));
}

TEST_CASE("a checkpoint moves the pages that the WAL has collected")
{
	const Directory directory;
	auto database = open_table({.path = directory.file("a.db"),
				    .durability = Durability::checkpoints,
				    .auto_checkpoint_pages = 0});
	for (int key = 0; key < 2000; key++)
		REQUIRE(insert(database, key, "value"));
	CHECK(database.wal_pages() > 2000);
	const auto before = std::filesystem::file_size(directory.file("a.db"));
	REQUIRE(database.checkpoint());
	CHECK(database.wal_pages() == 0);
	CHECK(std::filesystem::file_size(directory.file("a.db")) > before);
	CHECK(database.file_bytes() > std::filesystem::file_size(directory.file("a.db")));
}

TEST_CASE("a backup is one complete file of its own, and never overwrites")
{
	const Directory directory;
	auto database = open_table({.path = directory.file("a.db")});
	REQUIRE(insert(database, 1, "one"));
	const std::string path = directory.file("copy.db");
	REQUIRE(database.backup_to(path));
	CHECK(std::filesystem::exists(path));
	CHECK_FALSE(std::filesystem::exists(path + "-wal"));
	CHECK(database.backup_to(path).error().kind == ErrorKind::conflict);

	auto copy = Database::open({.path = path});
	REQUIRE(copy);
	CHECK(count(*copy) == 1);
}

TEST_CASE("a WAL that is written once more is the same WAL")
{
	const Directory directory;
	const Options options{.path = directory.file("a.db"), .auto_checkpoint_pages = 0};
	REQUIRE(rewrite_wal(options)); // there is none yet
	auto database = open_table(options);
	REQUIRE(insert(database, 1, std::string(3'000'000, 'v')));
	const Options copy{.path = directory.file("b.db")};
	std::filesystem::copy(options.path, copy.path);
	std::filesystem::copy(options.path + "-wal", copy.path + "-wal");
	REQUIRE(std::filesystem::file_size(copy.path + "-wal") > 3'000'000);
	REQUIRE(rewrite_wal(copy));
	auto rewritten = open_table(copy);
	auto value = rewritten.prepare("SELECT v FROM t");
	REQUIRE(*value->step());
	CHECK(value->bytes(0) == std::string(3'000'000, 'v'));
}

TEST_CASE("an empty file exists, an absent one does not")
{
	const Directory directory;
	CHECK_FALSE(*exists({.path = directory.file("a.db")}));
	std::ofstream(directory.file("a.db")).flush();
	CHECK(*exists({.path = directory.file("a.db")}));
}
