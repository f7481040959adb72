// The whole table of commands, noun by noun.
#include "nouns.h"

#include <iterator>

namespace neuwerk::cli {

const std::vector<Command> &all_commands()
{
	static const std::vector<Command> table = [] {
		std::vector<Command> all;
		for (auto *commands_of :
		     {status_commands, policy_commands, policy_review_commands, explain_commands,
		      flow_commands, counters_commands, events_commands, audit_commands, auth_commands,
		      service_account_commands, settings_commands, integration_commands, sso_commands,
		      cluster_commands, sysdump_commands, context_commands, completion_commands}) {
			auto commands = commands_of();
			std::ranges::move(commands, std::back_inserter(all));
		}
		return all;
	}();
	return table;
}

const std::vector<Noun> &all_nouns()
{
	static const std::vector<Noun> nouns = {
		{"policy", "check, apply, compare and read the policy"},
		{"flow", "the flows in the table"},
		{"nat", "address translation"},
		{"audit", "what was denied, or would have been"},
		{"auth", "signing keys, and tokens for people"},
		{"auth key", "the keys that sign tokens"},
		{"auth token", "tokens for people"},
		{"service-account", "accounts of programs"},
		{"token", "tokens of service accounts"},
		{"settings", "switches of the appliance"},
		{"integration", "Kubernetes clusters whose pods and nodes a policy may name"},
		{"sso", "single sign-on"},
		{"sso provider", "who vouches for people"},
		{"cluster", "the nodes of a cluster"},
		{"cluster members", "the nodes of a cluster"},
		{"cluster voters", "the nodes that vote"},
		{"debug", "a look behind the scenes"},
		{"context", "the appliances that you know"},
	};
	return nouns;
}

const std::vector<Option> &global_options()
{
	static const std::vector<Option> options = {
		{.name = "-o,--output",
		 .value = "FORMAT",
		 .help = "how to print the answer",
		 .choices = {"table", "json", "yaml", "jsonl"},
		 .key = "format"},
		{.name = "--context", .value = "NAME", .help = "ask the appliance of this context"},
		{.name = "--server", .value = "URL", .help = "ask https://ADDRESS:PORT"},
		{.name = "--token", .value = "JWT", .help = "who you are, for --server"},
		{.name = "--ca",
		 .value = "FILE",
		 .help = "PEM certificates to trust besides the system's",
		 .is_file = true},
		{.name = "--socket",
		 .value = "PATH",
		 .help = "ask the neuwerkd of this host over its Unix socket",
		 .is_file = true},
		{.name = "--debug", .help = "print request and response headers to standard error"},
	};
	return options;
}

} // namespace neuwerk::cli
