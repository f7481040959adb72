// What the records must be: the same commands applied to a std::map, and random commands for it.
#pragma once

#include "properties/random.h"
#include "state/state.h"

#include <map>
#include <string>
#include <vector>

namespace neuwerk::powerloss {

class Model {
public:
	struct Value {
		std::string value;
		std::uint64_t revision;
		bool operator==(const Value &) const = default;
	};

	// Whether the write is accepted; otherwise nothing changes.
	bool apply(const state::Write &write);

	// Empty, or the first difference in words.
	[[nodiscard]] std::string difference(const std::vector<state::Record> &records) const;

private:
	std::map<std::string, Value> values_;
};

// A write of one to four operations on a few keys; some are refused. Each changes the record "count", whose
// revision so says how many writes there were; the value of every put is a new one.
[[nodiscard]] state::Write random_write(properties::Random &random, std::uint64_t number);

} // namespace neuwerk::powerloss
