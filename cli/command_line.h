// A command line becomes a command and its words, or an answer at once: help, version, what is wrong with it.
#pragma once

#include "command.h"

#include <optional>
#include <string>
#include <vector>

namespace neuwerk::cli {

struct Order {
	const Command *command;
	Words words;
};

struct Parsed {
	std::optional<Order> order;
	std::string answer;      // without an order: what was asked for (--help, --version) …
	std::string usage_error; // … or what is wrong, with the usage below it
};

// `arguments` without the name of the program.
[[nodiscard]] Parsed parse_command_line(const std::vector<std::string> &arguments);

// "neuwerkctl policy apply [--wait] FILE"
[[nodiscard]] std::string usage_of(const Command &command);

} // namespace neuwerk::cli
