// The command line over CLI11.
#include "dataplane/poller/options.h"

#include "base/error_codes.h"

#include <CLI/CLI.hpp>

namespace neuwerk::dataplane {

std::optional<Options> parse_options(int argc, char **argv, int &exit_code)
{
	Options options;
	std::string level = "info";
	CLI::App app(
		"The poller of a Neuwerk appliance: begins flows, translates their first packets, ends them.",
		"neuwerk-dataplane");
	app.add_option("--bpffs", options.bpffs, "directory of the pinned maps")->capture_default_str();
	app.add_option("--run", options.run, "directory of lock and socket")->capture_default_str();
	app.add_option("--core", options.core, "pin the packet thread to this core")
		->check(CLI::Range(0, 1023));
	app.add_option("--log-level", level, "debug, info, warning or error")->capture_default_str();
	try {
		app.parse(argc, argv);
	} catch (const CLI::ParseError &error) {
		exit_code = app.exit(error) == 0 ? exit_ok : exit_usage;
		return {};
	}
	const auto parsed = log::parse_level(level);
	if (!parsed) {
		std::cerr << "neuwerk-dataplane: --log-level: " << parsed.error().what << '\n';
		exit_code = exit_usage;
		return {};
	}
	options.log_level = *parsed;
	return options;
}

} // namespace neuwerk::dataplane
