// Reads of state.db on connections of their own: a reader never waits for the writer.
#pragma once

#include "state/state.h"
#include "storage/storage.h"

#include <condition_variable>
#include <mutex>

namespace neuwerk::state {

class Readers {
public:
	explicit Readers(storage::Options file);

	[[nodiscard]] Result<std::optional<Record>> get(std::string_view key);
	[[nodiscard]] Result<std::vector<Record>> list(std::string_view prefix);
	[[nodiscard]] Result<> backup_to(const std::string &path);

private:
	struct Reader {
		storage::Database database;
		storage::Statement get, list;
	};

	[[nodiscard]] Result<std::unique_ptr<Reader>> open() const;
	[[nodiscard]] Result<std::unique_ptr<Reader>> borrow();
	void give_back(std::unique_ptr<Reader> reader);
	[[nodiscard]] Result<Record> record_of(const storage::Statement &row) const;
	template <typename Query>
	[[nodiscard]] auto with_reader(const Query &query);

	const storage::Options file_;
	std::mutex mutex_; // over what follows
	std::condition_variable returned_;
	std::vector<std::unique_ptr<Reader>> idle_;
	std::size_t open_count_ = 0;
};

} // namespace neuwerk::state
