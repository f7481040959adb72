// Puts the parts of neuwerkd together, starts them in order and takes them down in reverse.
//
//   lock → directories → ip_forward 0 → SNAT address → corridor → configure, publish the copy on disk →
//   records → the policy that stands → doors → poller
//
// Whatever fails before the corridor has touched nothing. What fails later leaves in force what an earlier
// run pinned; a first start that fails removes what it pinned itself.
#include "daemon/neuwerkd.h"

#include "base/error_codes.h"
#include "base/files.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/host.h"
#include "daemon/house.h"
#include "daemon/poller_process.h"

#include <csignal>
#include <thread>

namespace neuwerk::daemon {

namespace {

// How long uninstall waits for the poller to end, in steps.
constexpr auto stop_step = std::chrono::milliseconds(100);
constexpr int stop_step_count = 50;

int exit_code_of(const Error &error)
{
	return error.kind == ErrorKind::forbidden ? exit_privilege : exit_failed;
}

int refuse_start(const Error &error)
{
	log::error(error.what);
	return exit_code_of(error);
}

// Reads the configuration, opens the log and takes the lock: what every verb of neuwerkd begins with.
struct Opening {
	Config config;
	Fd lock;
};
Result<Opening> open_house(const std::string &config_path, int &exit_code)
{
	log::open("neuwerkd", log::Level::info);
	SystemFiles files;
	auto config = read_config(files, config_path);
	if (!config) {
		exit_code = refuse_start(config.error());
		if (exit_code != exit_privilege)
			exit_code = exit_config;
		return tl::unexpected(config.error());
	}
	log::open("neuwerkd", config->log_level);
	for (const std::string *directory : {&config->paths.run, &config->paths.state})
		if (const auto made = make_directories(*directory); !made) {
			exit_code = refuse_start(made.error());
			return tl::unexpected(made.error());
		}
	auto lock = lock_instance(config->paths.run + "/neuwerkd.lock");
	if (!lock) {
		exit_code = refuse_start(lock.error());
		if (lock.error().kind == ErrorKind::conflict)
			exit_code = exit_running;
		return tl::unexpected(lock.error());
	}
	return Opening{std::move(*config), std::move(*lock)};
}

Result<Facts> prepare_host(const Config &config)
{
	if (auto disabled = disable_ip_forward(); !disabled)
		return tl::unexpected(disabled.error());
	auto facts = facts_of(config.dataplane);
	if (!facts)
		return facts;
	if (auto ensured = ensure_snat_address(config.dataplane, *facts); !ensured)
		return tl::unexpected(ensured.error());
	return facts_of(config.dataplane);
}

} // namespace

int run(const std::string &config_path)
{
	int exit_code = exit_failed;
	const auto opening = open_house(config_path, exit_code);
	if (!opening)
		return exit_code;
	const Config &config = opening->config;
	auto facts = prepare_host(config);
	if (!facts)
		return refuse_start(facts.error());
	auto corridor = dataplane::Corridor::open({.bpffs = config.paths.bpffs,
						   .ports = config.dataplane.ports,
						   .sizes = config.dataplane.sizes});
	if (!corridor)
		return refuse_start(corridor.error());
	const bool is_first_start = corridor->generation() == 0;
	House house(config_path, config, std::move(*corridor));
	if (const auto started = house.start(std::move(*facts)); !started) {
		if (is_first_start)
			(void)dataplane::Corridor::uninstall(config.paths.bpffs);
		return refuse_start(started.error());
	}
	house.serve();
	return exit_ok;
}

int uninstall(const std::string &config_path)
{
	int exit_code = exit_failed;
	const auto opening = open_house(config_path, exit_code);
	if (!opening)
		return exit_code;
	const Config &config = opening->config;

	PollerProcess process = poller_of(config);
	if (const auto pid = process.holder()) {
		process.signal(*pid, SIGTERM);
		for (int i = 0; i < stop_step_count && process.lock_is_held(); i++)
			std::this_thread::sleep_for(stop_step);
	}
	if (process.lock_is_held())
		return refuse_start(
			{ErrorKind::unavailable, "the poller still runs: stop neuwerk-dataplane first"});
	if (const auto removed = dataplane::Corridor::uninstall(config.paths.bpffs); !removed)
		return refuse_start(removed.error());
	const auto facts = facts_of(config.dataplane);
	if (!facts)
		return refuse_start(facts.error());
	if (const auto removed = remove_snat_address(config.dataplane, *facts); !removed)
		return refuse_start(removed.error());
	log::info(text("uninstalled: no program is attached and nothing is pinned in ", config.paths.bpffs));
	return exit_ok;
}

} // namespace neuwerk::daemon
