// The program neuwerkd: its command line.
#include "base/error_codes.h"
#include "daemon/config.h"
#include "daemon/neuwerkd.h"

#include <CLI/CLI.hpp>

#include <cstdio>

int main(int argc, char **argv)
{
	using namespace neuwerk;

	std::string config_path = daemon::default_config_path;
	CLI::App app(
		"Neuwerk: egress firewall and NAT controller. Configured by its configuration file alone.");
	app.add_option("--config", config_path, "configuration file")->capture_default_str();
	app.set_version_flag("--version", "neuwerkd " NW_VERSION);
	CLI::App *uninstall =
		app.add_subcommand("uninstall", "detach the programs and remove every pinned map");
	try {
		app.parse(argc, argv);
	} catch (const CLI::Success &answer) {
		return app.exit(answer);
	} catch (const CLI::ParseError &error) {
		std::fprintf(stderr, "neuwerkd: %s\n", error.what());
		return exit_usage;
	}
	return *uninstall ? daemon::uninstall(config_path) : daemon::run(config_path);
}
