// A machine with a Store on a PowerDisk, and the books of what it has acknowledged.
#pragma once

#include "powerloss/model.h"
#include "powerloss/power_disk.h"

#include <memory>

namespace neuwerk::powerloss {

class Machine {
public:
	// wal_pages: so long a WAL is checkpointed.
	Machine(std::uint64_t seed, bool synced, int wal_pages = 12);

	// Opens the Store and compares: everything acknowledged and, of what was under way, the first writes
	// or none, each once. "" or what is wrong. A Store that does not open because the disk struck
	// meanwhile is not wrong: is_open() is false then.
	[[nodiscard]] std::string start();
	[[nodiscard]] bool is_open() const
	{
		return store_ != nullptr;
	}
	// Writes until the disk strikes or `writes` are acknowledged. "" or what is wrong with an answer.
	[[nodiscard]] std::string work(std::uint32_t writes);
	// Closes what is left of the Store. Nothing is answered after this.
	void crash();

	// Closes the Store in order.
	void shut_down();

	// What must be there: to be put back when a start is tried again from the same image of the disk.
	struct Books {
		Model acknowledged;
		std::vector<state::Write> unanswered; // in the order in which they were proposed
		std::vector<state::Write> settled;    // unanswered, but found applied: to be tried again
	};
	[[nodiscard]] const Books &books() const
	{
		return books_;
	}
	void keep_books(Books books)
	{
		books_ = std::move(books);
	}

	PowerDisk disk;

private:
	[[nodiscard]] std::string work_burst(std::uint32_t count);
	[[nodiscard]] std::string settle();
	[[nodiscard]] std::string repeat_settled();
	[[nodiscard]] std::string repeat_lost();
	[[nodiscard]] std::string book(const Result<state::Index> &answer);

	properties::Random random_;
	bool synced_;
	int wal_pages_;
	std::unique_ptr<state::Store> store_;
	Books books_;
	std::uint64_t written_ = 0;
};

} // namespace neuwerk::powerloss
