// The records as a std::map.
#include "powerloss/model.h"

namespace neuwerk::powerloss {

bool Model::apply(const state::Write &write)
{
	using Kind = state::Operation::Kind;
	for (const state::Operation &operation : write.operations) {
		const auto found = values_.find(operation.key);
		const std::uint64_t revision = found == values_.end() ? 0 : found->second.revision;
		if (operation.kind == Kind::require_revision && revision != operation.revision)
			return false;
	}
	for (const state::Operation &operation : write.operations) {
		if (operation.kind == Kind::erase)
			values_.erase(operation.key);
		if (operation.kind == Kind::put) {
			Value &value = values_[operation.key];
			value = {operation.value, value.revision + 1};
		}
	}
	return true;
}

std::string Model::difference(const std::vector<state::Record> &records) const
{
	auto expected = values_.begin();
	for (const state::Record &record : records) {
		if (expected == values_.end() || record.key < expected->first)
			return record.key + " was invented";
		if (record.key != expected->first)
			return expected->first + " is missing";
		if (record.revision != expected->second.revision)
			return record.key + " has revision " + std::to_string(record.revision) +
			       " instead of " + std::to_string(expected->second.revision);
		if (record.value != expected->second.value)
			return record.key + " has another value";
		expected++;
	}
	return expected == values_.end() ? "" : expected->first + " is missing";
}

state::Write random_write(properties::Random &random, std::uint64_t number)
{
	const auto key = [&random] { return "item/" + std::to_string(random.below(24)); };
	const std::string name = "write " + std::to_string(number) + " ";
	state::Write write{.operations = {state::put("count", name)},
			   .actor = "test",
			   .request_id = random.chance(70) ? name : std::string()};
	const std::uint32_t operations = random.below(4);
	for (std::uint32_t i = 0; i < operations; i++) {
		if (random.chance(15)) {
			write.operations.push_back(state::erase(key()));
			continue;
		}
		if (random.chance(15)) {
			write.operations.push_back(state::require(key(), random.below(3)));
			continue;
		}
		std::string value = name + std::to_string(i);
		if (random.chance(10)) // compresses
			value += std::string(random.between(4000, 30000), 'x');
		if (random.chance(5)) // does not
			for (std::uint32_t left = random.between(500, 3000); left != 0; left--) {
				const std::uint64_t bits = random.bits();
				value.append(reinterpret_cast<const char *>(&bits), sizeof bits);
			}
		write.operations.push_back(state::put(key(), std::move(value)));
	}
	return write;
}

} // namespace neuwerk::powerloss
