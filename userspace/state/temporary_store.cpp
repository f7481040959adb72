// A Store in a temporary directory.
#include "state/temporary_store.h"

#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace neuwerk::state {

namespace {

[[noreturn]] void give_up(const std::string &why)
{
	std::fprintf(stderr, "temporary store: %s\n", why.c_str());
	std::abort();
}

} // namespace

TemporaryStore::TemporaryStore(Options options) : options_(std::move(options))
{
	std::string pattern = std::filesystem::temp_directory_path() / "nw-store-XXXXXX";
	if (!mkdtemp(pattern.data()))
		give_up("no directory " + pattern);
	options_.directory = pattern;
	options_.synced = false;
	// The disk of whoever runs the tests is not their subject.
	if (!options_.free_bytes)
		options_.free_bytes = [](const std::string &) { return std::nullopt; };
	reopen();
}

TemporaryStore::~TemporaryStore()
{
	store_.reset();
	std::error_code ignored; // a directory that stays behind in /tmp fails no test
	std::filesystem::remove_all(options_.directory, ignored);
}

void TemporaryStore::close()
{
	store_.reset();
}

void TemporaryStore::reopen()
{
	close();
	auto store = Store::open(options_);
	if (!store)
		give_up(store.error().what);
	store_ = std::move(*store);
}

} // namespace neuwerk::state
