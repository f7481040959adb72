// One file of a PowerDisk: what programs see, what the disk holds, and what lies between.
#pragma once

#include "properties/random.h"

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::powerloss {

class FileContent {
public:
	void write(std::uint64_t offset, std::string_view bytes);
	void truncate(std::uint64_t bytes);
	void sync();
	void lose_unsynced(properties::Random &random); // what the disk holds is what programs see
	void call_clean();                              // nothing is pending, and nothing was written either

	[[nodiscard]] const std::string &seen() const
	{
		return seen_;
	}
	void replace(std::string content); // by damage or from an image: seen and durable alike

private:
	struct Pending {
		std::uint64_t offset;
		std::string bytes;
		bool is_truncate;
	};
	static void perform(std::string &content, const Pending &change);
	void perform_torn(const Pending &change, properties::Random &random);

	std::string seen_, durable_;
	std::deque<Pending> pending_;
};

} // namespace neuwerk::powerloss
