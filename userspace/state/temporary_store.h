// A Store in a directory that goes away with it, without fsync: for tests of the rooms above.
#pragma once

#include "state/state.h"

namespace neuwerk::state {

class TemporaryStore {
public:
	// Aborts with a message where no store can be made: a test cannot go on then. `options.directory` is
	// replaced.
	explicit TemporaryStore(Options options = {});
	~TemporaryStore();
	TemporaryStore(const TemporaryStore &) = delete;
	TemporaryStore &operator=(const TemporaryStore &) = delete;

	[[nodiscard]] Store &operator*() const
	{
		return *store_;
	}
	[[nodiscard]] Store *operator->() const
	{
		return store_.get();
	}
	// Closes and opens again, as a restart does.
	void reopen();
	// Leaves the files alone until reopen().
	void close();
	[[nodiscard]] const std::string &directory() const
	{
		return options_.directory;
	}

private:
	Options options_;
	std::unique_ptr<Store> store_;
};

} // namespace neuwerk::state
