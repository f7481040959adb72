// The command line by CLI11; the only file that knows it. CLI11 cuts it into words, the table judges them: so
// every message is ours, and the reference's where scripts know it (spec/http-api.md §10.1).
#include "command_line.h"

#include "base/address.h"
#include "base/text.h"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <deque>
#include <sstream>

namespace neuwerk::cli {

namespace {

// Where CLI11 puts what it finds; a deque, since it keeps addresses.
struct Slot {
	const Option *option;
	CLI::Option *parsed;
	std::vector<std::string> values;
};

struct Tree {
	CLI::App root{"Asks a Neuwerk appliance, and tells it what to enforce.", "neuwerkctl"};
	std::map<std::string, CLI::App *> apps; // by their words; "" is the root
	std::map<std::string, std::deque<Slot>> slots;
};

std::string help_of(const Option &option)
{
	std::string help = option.help;
	for (std::size_t i = 0; i < option.choices.size(); i++)
		help += (i == 0 ? ": " : ", ") + option.choices[i];
	return option.required ? help + " (required)" : help;
}

void add_option(Tree &tree, const std::string &words, const Option &option)
{
	CLI::App &app = *tree.apps.at(words);
	Slot &slot = tree.slots[words].emplace_back(Slot{&option, nullptr, {}});
	if (option.is_flag()) {
		const std::string help = help_of(option);
		slot.parsed = app.add_flag(option.name, help);
		return;
	}
	slot.parsed = app.add_option(option.name, slot.values, help_of(option))
			      ->option_text(option.is_positional() ? " " : option.value)
			      ->expected(1)
			      ->multi_option_policy(option.repeated ? CLI::MultiOptionPolicy::TakeAll
								    : CLI::MultiOptionPolicy::TakeLast)
			      ->allow_extra_args(false);
}

CLI::App &app_of(Tree &tree, const std::string &words)
{
	if (const auto found = tree.apps.find(words); found != tree.apps.end())
		return *found->second;
	const auto blank = words.rfind(' ');
	CLI::App &parent = app_of(tree, blank == std::string::npos ? "" : words.substr(0, blank));
	std::string help;
	for (const Noun &noun : all_nouns())
		if (noun.words == words)
			help = noun.help;
	CLI::App *app = parent.add_subcommand(words.substr(blank + 1), help)->fallthrough();
	app->footer("Options of every command: neuwerkctl --help");
	app->require_subcommand(0, 1);
	tree.apps[words] = app;
	return *app;
}

void build(Tree &tree)
{
	tree.apps[""] = &tree.root;
	tree.root.allow_extras()->require_subcommand(0, 1);
	tree.root.set_version_flag("--version", "neuwerkctl " NW_VERSION);
	for (const Option &option : global_options())
		add_option(tree, "", option);
	for (const Command &command : all_commands()) {
		CLI::App &app = app_of(tree, command.words);
		app.description(command.help);
		for (const Option &option : command.options)
			add_option(tree, command.words, option);
	}
}

// The deepest words that were recognised: "auth key" of `auth key bogus`.
std::string reached(const Tree &tree)
{
	std::string words;
	for (const auto &[each, app] : tree.apps)
		if (app->parsed() && each.size() > words.size())
			words = each;
	return words;
}

const Command *command_of(const std::string &words)
{
	for (const Command &command : all_commands())
		if (command.words == words)
			return &command;
	return nullptr;
}

// In the words of the reference: "unknown auth key action: x", "missing cluster action".
std::string fault_of_noun(const std::string &words, const std::string &extra)
{
	const std::string first = words.substr(0, words.find(' '));
	if (extra.starts_with('-'))
		return words.empty() ? text("unknown flag: ", extra)
				     : text("unknown ", first, " flag: ", extra);
	if (extra.empty())
		return words.empty() ? "missing command" : text("missing ", first, " action");
	if (words.empty())
		return text("unknown command: ", extra);
	return text("unknown ", words,
		    words.find(' ') == std::string::npos ? " command: " : " action: ", extra);
}

std::string fault_of_option(const Option &option, const std::vector<std::string> &values)
{
	std::string name = option.long_name();
	if (option.is_positional())
		std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
	if (option.required && values.empty())
		return option.missing.empty() ? text("missing ", name) : option.missing;
	for (const std::string &value : values) {
		if (option.max != 0)
			if (const auto number = parse_number(value, option.max);
			    !number || *number < option.min)
				return text(name, ": '", value, "' is not a number from ", option.min, " to ",
					    option.max);
		if (!option.choices.empty() &&
		    std::ranges::find(option.choices, value) == option.choices.end()) {
			std::string list;
			for (const std::string &choice : option.choices)
				list += (list.empty() ? "" : ", ") + choice;
			return text(name, ": '", value, "' is none of ", list);
		}
	}
	return {};
}

// Fills `words`; what is wrong with them otherwise.
std::string judge(Tree &tree, const std::string &command, Words &words)
{
	for (const std::string &place : {command, std::string()})
		for (Slot &slot : tree.slots[place]) {
			if (slot.option->is_flag() && slot.parsed->count() > 0)
				slot.values.emplace_back("yes");
			if (std::string fault = fault_of_option(*slot.option, slot.values); !fault.empty())
				return fault;
			const std::string &key = slot.option->key;
			for (const std::string &value : slot.values)
				words.add(key.empty() ? slot.option->long_name() : key, value);
		}
	return {};
}

// "neuwerkctl auth key list|rotate|retire"
std::string usage_of_noun(const Tree &tree, const std::string &words)
{
	std::string verbs;
	for (const CLI::App *app :
	     tree.apps.at(words)->get_subcommands([](const CLI::App *) { return true; }))
		verbs += (verbs.empty() ? "" : "|") + app->get_name();
	return text("neuwerkctl ", words, words.empty() ? "" : " ", verbs);
}

Parsed wrong(const Tree &tree, const std::string &what, const std::string &words)
{
	const Command *command = command_of(words);
	return {.usage_error =
			text(what, "\n\nusage: ", command ? usage_of(*command) : usage_of_noun(tree, words))};
}

} // namespace

std::string usage_of(const Command &command)
{
	std::string options, positionals;
	for (const Option &option : command.options) {
		std::string each = option.is_positional() ? option.name : option.long_name();
		if (!option.is_positional() && !option.value.empty())
			each += ' ' + option.value;
		if (!option.required)
			each = '[' + each + ']';
		(option.is_positional() ? positionals : options) += ' ' + each;
	}
	return text("neuwerkctl ", command.words, options, positionals);
}

Parsed parse_command_line(const std::vector<std::string> &arguments)
{
	Tree tree;
	build(tree);
	std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());
	try {
		tree.root.parse(reversed);
	} catch (const CLI::Success &asked) {
		std::ostringstream out, errors;
		tree.root.exit(asked, out, errors);
		return {.answer = out.str()};
	} catch (const CLI::ParseError &error) {
		return wrong(tree, error.what(), reached(tree));
	}
	const std::string words = reached(tree);
	const Command *command = command_of(words);
	const std::vector<std::string> extras = tree.root.remaining(true);
	if (!command)
		return wrong(tree, fault_of_noun(words, extras.empty() ? "" : extras[0]), words);
	if (!extras.empty() && extras[0].starts_with('-'))
		return wrong(tree, fault_of_noun(words, extras[0]), words);
	if (!extras.empty())
		return wrong(tree, text(words, ": '", extras[0], "' was not expected"), words);
	Order order{command, {}};
	if (const std::string fault = judge(tree, words, order.words); !fault.empty())
		return wrong(tree, fault, words);
	if (command->check)
		if (const auto checked = command->check(order.words); !checked)
			return wrong(tree, checked.error().what, words);
	return {.order = std::move(order)};
}

} // namespace neuwerk::cli
