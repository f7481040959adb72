// The manual and the program say the same: docs/reference/cli.md and cli/*.md against the table of commands.
//
// A page documents a command under the heading "## neuwerkctl WORDS": its synopsis as an indented line, and
// one item
// "- `--option VALUE`: …" or "- `ARGUMENT`: …" for each option.
#include "nouns.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

using namespace neuwerk::cli;

namespace {

struct Section {
	std::string synopsis;
	std::set<std::string> items;
};

// Both by the words after "## neuwerkctl "; the options of every command stand under "Options of every
// command".
std::map<std::string, Section> read_manual()
{
	const std::filesystem::path root = NW_REFERENCE;
	std::vector<std::filesystem::path> pages = {root / "cli.md"};
	for (const auto &entry : std::filesystem::directory_iterator(root / "cli"))
		pages.push_back(entry.path());
	std::map<std::string, Section> sections;
	for (const auto &page : pages) {
		std::ifstream file(page);
		std::string line;
		Section *section = nullptr;
		while (std::getline(file, line)) {
			if (line.starts_with("## ")) {
				std::string words = line.substr(3);
				if (words.starts_with("neuwerkctl "))
					words = words.substr(11);
				CAPTURE(words);
				CHECK_MESSAGE(!sections.contains(words), "documented twice");
				section = &sections[words];
			}
			if (section && line.starts_with("    neuwerkctl ") && section->synopsis.empty())
				section->synopsis = line.substr(4);
			if (section && line.starts_with("- `"))
				section->items.insert(line.substr(3, line.find('`', 3) - 3));
		}
	}
	return sections;
}

std::string item_of(const Option &option)
{
	std::string item = option.name;
	if (const auto comma = item.find(','); comma != std::string::npos)
		item.insert(comma + 1, " ");
	return option.value.empty() ? item : item + ' ' + option.value;
}

std::set<std::string> items_of(const std::vector<Option> &options)
{
	std::set<std::string> items;
	for (const Option &option : options)
		items.insert(item_of(option));
	return items;
}

} // namespace

TEST_CASE("every command and every option is documented, and nothing else")
{
	const auto manual = read_manual();
	std::set<std::string> known;
	for (const Command &command : all_commands()) {
		CAPTURE(command.words);
		known.insert(command.words);
		const auto section = manual.find(command.words);
		CHECK_MESSAGE(section != manual.end(), "no section in the manual");
		if (section == manual.end())
			continue;
		CHECK(section->second.synopsis == usage_of(command));
		const std::set<std::string> wanted = items_of(command.options);
		for (const std::string &item : wanted) {
			CAPTURE(item);
			CHECK_MESSAGE(section->second.items.contains(item), "not documented");
		}
		for (const std::string &item : section->second.items) {
			CAPTURE(item);
			CHECK_MESSAGE(wanted.contains(item), "documented, but there is no such option");
		}
	}
	for (const auto &[words, section] : manual)
		if (!section.synopsis.empty()) {
			CAPTURE(words);
			CHECK_MESSAGE(known.contains(words), "documented, but there is no such command");
		}
	const auto everywhere = manual.find("Options of every command");
	REQUIRE(everywhere != manual.end());
	CHECK(everywhere->second.items == items_of(global_options()));
}

TEST_CASE("a completion offers the next words, the options after a dash, and the values of an option")
{
	const std::string bash = completion_of("bash");
	const std::filesystem::path script =
		std::filesystem::temp_directory_path() / "nw-cli-completion.bash";
	std::ofstream(script) << bash << "COMP_WORDS=(\"$@\")\nCOMP_CWORD=$(($# - 1))\n_neuwerkctl\n"
			      << "echo \"${COMPREPLY[*]}\"\n";
	const auto offered = [&](const std::string &line) {
		std::string out;
		FILE *shell = popen(("bash " + script.string() + ' ' + line).c_str(), "r");
		REQUIRE(shell != nullptr);
		for (int c; (c = fgetc(shell)) != EOF;)
			out += static_cast<char>(c);
		CHECK(pclose(shell) == 0);
		return out;
	};
	CHECK(offered("neuwerkctl po") == "policy\n");
	CHECK(offered("neuwerkctl auth key ''") == "list rotate retire\n");
	CHECK(offered("neuwerkctl policy apply --c") == "--confirm --context --ca\n");
	CHECK(offered("neuwerkctl policy apply --confirm 5m --w") == "--wait\n");
	CHECK(offered("neuwerkctl -o ''") == "table json yaml jsonl\n");
	CHECK(offered("neuwerkctl -o json settings set performance-mode o") == "on off\n");
	CHECK(offered("neuwerkctl audit list --type l") == "l4_deny\n");
	CHECK(offered("neuwerkctl sysdump --output j") == "\n"); // a file, not a format
	std::filesystem::remove(script);
	CHECK(completion_of("zsh").starts_with("#compdef neuwerkctl\n"));
	CHECK(completion_of("fish").find(
		      "complete -c neuwerkctl -n '__neuwerkctl_at '\\''policy'\\''' -a 'apply'") !=
	      std::string::npos);
}
