// A machine with a Store on a PowerDisk, and the books of what it has acknowledged.
#pragma once

#include "powerloss/model.h"
#include "powerloss/power_disk.h"

#include <memory>

namespace neuwerk::powerloss {

class Machine {
public:
	Machine(std::uint64_t seed, bool synced);

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

	PowerDisk disk;

private:
	[[nodiscard]] std::string work_burst(std::uint32_t count);
	[[nodiscard]] std::string settle();
	[[nodiscard]] std::string repeat_settled();
	[[nodiscard]] std::string repeat_lost();
	[[nodiscard]] std::string book(const Result<state::Index> &answer);

	properties::Random random_;
	bool synced_;
	std::unique_ptr<state::Store> store_;
	Model acknowledged_;
	std::vector<state::Write> unanswered_; // in the order in which they were proposed
	std::vector<state::Write> settled_;    // unanswered, but found applied: to be tried again
	std::uint64_t written_ = 0;
};

} // namespace neuwerk::powerloss
