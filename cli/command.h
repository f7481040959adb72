// What neuwerkctl can do, as data: commands, their options, and what the command line said about them.
//
// The parser, the help, the completions and the test that compares the manual with the program all read the
// same table.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::cli {

class Session;

// An option "--limit" or "-n,--limit", or a positional argument, which is spelled in capitals: "FILE".
struct Option {
	std::string name;
	std::string value = {}; // what stands for its value in the help; empty: a flag
	std::string help;
	bool required = false;
	std::vector<std::string> choices = {};
	std::uint64_t max = 0; // not 0: a number from `min` up to this
	std::uint64_t min = 0;
	bool repeated = false;
	bool is_file = false;     // for completion
	std::string missing = {}; // what to say without it; by default "missing <name>"
	std::string key = {};     // under which its words are found; by default the long name

	[[nodiscard]] bool is_positional() const
	{
		return name[0] != '-';
	}
	[[nodiscard]] bool is_flag() const
	{
		return !is_positional() && value.empty();
	}
	// "--limit" of "-n,--limit"
	[[nodiscard]] std::string long_name() const
	{
		return name.substr(name.find(',') + 1);
	}
};

// The words that a command line gave, by the key of the option.
class Words {
public:
	void add(const std::string &name, std::string value)
	{
		values_[name].push_back(std::move(value));
	}
	[[nodiscard]] bool has(const std::string &name) const
	{
		return values_.contains(name);
	}
	// The last one; empty when there is none.
	[[nodiscard]] std::string get(const std::string &name) const
	{
		const auto found = values_.find(name);
		return found == values_.end() ? "" : found->second.back();
	}
	[[nodiscard]] std::vector<std::string> all(const std::string &name) const
	{
		const auto found = values_.find(name);
		return found == values_.end() ? std::vector<std::string>{} : found->second;
	}

private:
	std::map<std::string, std::vector<std::string>> values_;
};

struct Command {
	std::string words; // "policy apply"
	std::string help;  // one line
	std::vector<Option> options = {};
	std::function<Result<>(Session &)> run;
	// A fault that only several words together show is a usage error too.
	std::function<Result<>(const Words &)> check = {};
	bool offline = false; // asks no appliance
	bool local = false;   // asks the host that it runs on, whatever context is in use
};

struct Noun {
	std::string words; // "policy", "auth key"
	std::string help;
};

[[nodiscard]] const std::vector<Command> &all_commands();
[[nodiscard]] const std::vector<Noun> &all_nouns();        // words that need a verb
[[nodiscard]] const std::vector<Option> &global_options(); // anywhere on the line

} // namespace neuwerk::cli
