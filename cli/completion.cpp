// neuwerkctl completion: what the shells offer at the Tab key, made from the table of commands.
//
// Each script finds out at which words the line stands ("policy apply") and looks that place up: the words
// that may follow, or the options; after an option with a value, its choices or files.
#include "nouns.h"

#include "base/text.h"

#include <map>
#include <set>

namespace neuwerk::cli {

namespace {

struct Offer {
	std::string word;
	std::string help;
};

struct Place {
	std::vector<Offer> offers;
	bool files = false; // a positional argument is a file
};

std::string quoted(const std::string &words)
{
	std::string out = "'";
	for (const char c : words)
		out += c == '\'' ? "'\\''" : std::string(1, c);
	return out + '\'';
}

std::vector<std::string> names_of(const Option &option)
{
	const auto comma = option.name.find(',');
	if (comma == std::string::npos)
		return {option.name};
	return {option.name.substr(0, comma), option.name.substr(comma + 1)};
}

std::string help_of(const std::string &words)
{
	for (const Command &command : all_commands())
		if (command.words == words)
			return command.help;
	for (const Noun &noun : all_nouns())
		if (noun.words == words)
			return noun.help;
	return {};
}

// Every place by its words; "" is the start of the line.
std::map<std::string, Place> places()
{
	std::map<std::string, Place> all;
	std::set<std::string> seen;
	for (const Command &command : all_commands()) {
		for (std::size_t end = 0; end < command.words.size();) {
			const std::string at = command.words.substr(0, end);
			const std::size_t start = end == 0 ? 0 : end + 1;
			end = std::min(command.words.find(' ', start), command.words.size());
			if (const std::string whole = command.words.substr(0, end); seen.insert(whole).second)
				all[at].offers.push_back(
					{command.words.substr(start, end - start), help_of(whole)});
		}
		Place &place = all[command.words];
		for (const Option &option : command.options) {
			if (!option.is_positional())
				place.offers.push_back({option.long_name(), option.help});
			for (const std::string &choice : option.choices)
				if (option.is_positional())
					place.offers.push_back({choice, option.help});
			place.files |= option.is_positional() && option.is_file;
		}
	}
	for (auto &[words, place] : all) {
		for (const Option &option : global_options())
			place.offers.push_back({option.long_name(), option.help});
		place.offers.push_back({"--help", "print help and exit"});
	}
	return all;
}

// Calls `use` with each option that takes a value, the special places first: "sysdump --output" is no format.
template <typename Use>
void each_value(Use use)
{
	for (const Command &command : all_commands())
		for (const Option &option : command.options)
			if (!option.is_positional() && !option.is_flag())
				for (const std::string &name : names_of(option))
					use(command.words + ' ' + name, option);
	for (const Option &option : global_options())
		if (!option.is_flag())
			for (const std::string &name : names_of(option))
				use("* " + name, option);
}

// The part that bash and zsh share: `at` and `previous` are set; fills `offers` ("word:help" lines) and
// `files`.
std::string lookup_function()
{
	std::string at, values, offers;
	for (const auto &[words, place] : places()) {
		if (!words.empty())
			at += text(at.empty() ? "" : "|", quoted(words));
		offers += text("\t", quoted(words), ")\n\t\tfiles=", place.files ? 1 : 0, "\n\t\toffers=(");
		for (const Offer &offer : place.offers)
			offers += text("\n\t\t\t", quoted(text(offer.word, ':', offer.help)));
		offers += ") ;;\n";
	}
	std::set<std::string> seen;
	each_value([&](const std::string &where, const Option &option) {
		if (!seen.insert(where).second)
			return;
		const std::string pattern = where[0] == '*' ? "*" + quoted(where.substr(1)) : quoted(where);
		values += text("\t", pattern, ")\n\t\tvalue=1 files=", option.is_file ? 1 : 0,
			       "\n\t\toffers=(");
		for (const std::string &choice : option.choices)
			values += ' ' + quoted(choice + ":");
		values += ") ;;\n";
	});
	return text("_neuwerkctl_is_place() {\n\tcase $1 in\n\t", at,
		    ") return 0 ;;\n\tesac\n\treturn 1\n}\n\n"
		    "_neuwerkctl_value() {\n\tvalue=0 files=0 offers=()\n\tcase \"$at $previous\" in\n",
		    values,
		    "\tesac\n\t[ $value = 1 ]\n}\n\n"
		    "_neuwerkctl_offers() {\n\tfiles=0 offers=()\n\tcase $at in\n",
		    offers, "\tesac\n}\n\n");
}

// Walks the words before the cursor; `previous` is the last of them.
constexpr const char *walk = R"(	at='' previous=''
	local word next skip=0
	for word in "$@"; do
		next=${at:+$at }$word
		if [ $skip = 0 ] && _neuwerkctl_is_place "$next"; then at=$next; fi
		skip=0 previous=$word
		if _neuwerkctl_value; then skip=1; fi
	done
	_neuwerkctl_value || _neuwerkctl_offers
)";

std::string bash_script()
{
	return text("# bash completion of neuwerkctl, made by `neuwerkctl completion bash`\n",
		    lookup_function(),
		    "_neuwerkctl() {\n\tlocal at previous value files offers offer\n"
		    "\tlocal current=${COMP_WORDS[COMP_CWORD]}\n"
		    "\t_neuwerkctl_walk \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"\n\tCOMPREPLY=()\n"
		    "\tfor offer in \"${offers[@]}\"; do\n\t\toffer=${offer%%:*}\n"
		    "\t\t[[ $offer != -* || $current == -* ]] || continue\n"
		    "\t\t[[ $offer != \"$current\"* ]] || COMPREPLY+=(\"$offer\")\n\tdone\n"
		    "\tif [ $files = 1 ]; then COMPREPLY+=($(compgen -f -- \"$current\")); fi\n}\n\n"
		    "_neuwerkctl_walk() {\n",
		    walk, "}\n\ncomplete -o filenames -F _neuwerkctl neuwerkctl\n");
}

std::string zsh_script()
{
	return text(
		"#compdef neuwerkctl\n# zsh completion of neuwerkctl, made by `neuwerkctl completion zsh`\n",
		lookup_function(), "_neuwerkctl_walk() {\n", walk,
		"}\n\n_neuwerkctl() {\n\tlocal at previous value files\n\tlocal -a offers\n"
		"\t_neuwerkctl_walk \"${(@)words[2,CURRENT-1]}\"\n"
		"\t(( ${#offers} )) && _describe -t words neuwerkctl offers\n"
		"\t[ $files = 1 ] && _files\n\treturn 0\n}\n\ncompdef _neuwerkctl neuwerkctl\n");
}

std::string fish_line(const std::string &at, const Option &option)
{
	std::string line = "complete -c neuwerkctl";
	if (!at.empty())
		line += " -n " + quoted(text("__neuwerkctl_at '", at, '\''));
	for (const std::string &name : names_of(option))
		line += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
	if (!option.is_flag())
		line += option.is_file ? " -r -F" : " -x";
	if (!option.choices.empty()) {
		std::string choices;
		for (const std::string &choice : option.choices)
			choices += (choices.empty() ? "" : " ") + choice;
		line += " -a " + quoted(choices);
	}
	return line + " -d " + quoted(option.help) + '\n';
}

constexpr const char *fish_walk = R"(# Is this the place at which the line stands?
function __neuwerkctl_at --argument-names wanted
	set -l at ''
	set -l skip 0
	set -l words (commandline -opc)
	set -e words[1]
	for word in $words
		set -l next (string trim "$at $word")
		if test $skip = 1
			set skip 0
		else if contains -- $next $__neuwerkctl_places
			set at $next
		else if contains -- $word $__neuwerkctl_valued
			set skip 1
		end
	end
	test "$at" = "$wanted"
end

complete -c neuwerkctl -f
)";

std::string fish_script()
{
	std::string known = "set -g __neuwerkctl_places", valued = "set -g __neuwerkctl_valued", lines;
	std::set<std::string> seen;
	each_value([&](const std::string &where, const Option &) {
		const std::string name = where.substr(where.rfind(' ') + 1);
		if (seen.insert(name).second)
			valued += ' ' + name;
	});
	for (const auto &[words, place] : places()) {
		if (!words.empty())
			known += ' ' + quoted(words);
		const std::string start =
			"complete -c neuwerkctl -n " + quoted(text("__neuwerkctl_at '", words, '\''));
		for (const Offer &offer : place.offers)
			if (offer.word[0] != '-')
				lines += text(start, " -a ", quoted(offer.word), " -d ", quoted(offer.help),
					      '\n');
		if (place.files)
			lines += start + " -F\n";
	}
	for (const Command &command : all_commands())
		for (const Option &option : command.options)
			if (!option.is_positional())
				lines += fish_line(command.words, option);
	for (const Option &option : global_options())
		lines += fish_line("", option);
	return text("# fish completion of neuwerkctl, made by `neuwerkctl completion fish`\n", known, '\n',
		    valued, "\n\n", fish_walk, lines);
}

} // namespace

std::string completion_of(const std::string &shell)
{
	return shell == "bash" ? bash_script() : shell == "zsh" ? zsh_script() : fish_script();
}

std::vector<Command> completion_commands()
{
	return {
		{.words = "completion",
		 .help = "the completion script of a shell",
		 .options = {{.name = "SHELL",
			      .help = "which one",
			      .required = true,
			      .choices = {"bash", "zsh", "fish"}}},
		 .run = [](Session &session) -> Result<> {
			 session.print(completion_of(session.words.get("SHELL")));
			 return {};
		 },
		 .offline = true},
	};
}

} // namespace neuwerk::cli
