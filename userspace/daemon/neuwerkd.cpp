// Puts the parts of neuwerkd together, starts them in order and takes them down in reverse.
//
//   lock → directories → ip_forward 0 → SNAT address → corridor → configure, publish → poller → doors
//
// Whatever fails before the corridor has touched nothing; whatever fails later leaves what was pinned in
// force.
#include "daemon/neuwerkd.h"

#include "base/error_codes.h"
#include "base/files.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/control_service.h"
#include "daemon/corridor_enforcer.h"
#include "daemon/host.h"
#include "daemon/netlink.h"
#include "daemon/node.h"
#include "daemon/poller_process.h"

#include <unistd.h>

#include <array>
#include <csignal>
#include <optional>
#include <thread>

namespace neuwerk::daemon {

namespace {

// How often the poller is looked at; its end is also reported by SIGCHLD.
constexpr auto supervise_period = std::chrono::milliseconds(100);

int exit_code_of(const Error &error)
{
	switch (error.kind) {
	case ErrorKind::conflict:
		return exit_running;
	case ErrorKind::forbidden:
		return exit_privilege;
	default:
		return exit_failed;
	}
}

int refuse_start(const Error &error)
{
	log::error(error.what);
	return exit_code_of(error);
}

std::string own_directory()
{
	std::array<char, 4096> path{};
	const ssize_t bytes = readlink("/proc/self/exe", path.data(), path.size() - 1);
	const std::string self(path.data(), bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
	return self.substr(0, self.rfind('/'));
}

std::string_view level_name(log::Level level)
{
	switch (level) {
	case log::Level::debug:
		return "debug";
	case log::Level::warning:
		return "warning";
	case log::Level::error:
		return "error";
	case log::Level::info:
		break;
	}
	return "info";
}

PollerProcess poller_of(const Config &config)
{
	const std::string program = config.dataplane.poller_binary.empty()
					    ? own_directory() + "/neuwerk-dataplane"
					    : config.dataplane.poller_binary;
	return PollerProcess({program, "--bpffs", config.paths.bpffs, "--run", config.paths.run,
			      "--log-level", std::string(level_name(config.log_level))},
			     config.paths.run + "/dataplane.lock", config.paths.run + "/dataplane.sock");
}

Result<Config> read_config(const std::string &path)
{
	SystemFiles files;
	const auto yaml = files.read(path);
	if (!yaml)
		return tl::unexpected(yaml.error());
	auto config = parse_config(*yaml);
	if (!config)
		return fail(ErrorKind::invalid_argument, text(path, ": ", config.error().what));
	return config;
}

// Reads the configuration, opens the log and takes the lock: what every verb of neuwerkd begins with.
struct Opening {
	Config config;
	Fd lock;
};
Result<Opening> open_house(const std::string &config_path, int &exit_code)
{
	log::open("neuwerkd", log::Level::info);
	auto config = read_config(config_path);
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
		return tl::unexpected(lock.error());
	}
	return Opening{std::move(*config), std::move(*lock)};
}

// Everything that lives as long as neuwerkd serves. Members are torn down in reverse order.
class House {
public:
	House(const std::string &config_path, const Config &config, dataplane::Corridor corridor)
	    : config_path_(config_path), config_(config), enforcer_(std::move(corridor)),
	      store_(files_, config.paths.state), control_(enforcer_, store_, files_, generations_),
	      process_(poller_of(config)), supervisor_(process_, clock_),
	      poller_(config.paths.run + "/dataplane.sock"),
	      node_({.loop = loop_,
		     .control = control_,
		     .enforcer = enforcer_,
		     .generations = generations_,
		     .poller = poller_,
		     .events = events_,
		     .read_facts = [this] { return facts_of(config_.dataplane); },
		     .poller_restarts = [this] { return supervisor_.restart_count(); }})
	{
	}

	Result<> start(Facts facts)
	{
		if (auto started = control_.start(config_, std::move(facts)); !started)
			return started;
		auto watch = AddressWatch::open();
		if (!watch)
			return tl::unexpected(watch.error());
		watch_.emplace(std::move(*watch));
		auto http = HttpServer::start(
			config_.metrics, [this](const std::string &path) { return node_.answer_http(path); });
		if (!http)
			return tl::unexpected(http.error());
		http_.emplace(std::move(*http));
		auto socket = ControlService::start(config_.paths.socket, node_);
		if (!socket)
			return tl::unexpected(socket.error());
		socket_.emplace(std::move(*socket));
		connect();
		return {};
	}

	void serve()
	{
		log::info(text("serving ", config_.paths.socket, " and http://",
			       format_endpoint(config_.metrics)));
		loop_.run();
		log::info("stopped; packets flow on under the last published policy");
	}

	~House()
	{
		events_.close();
		loop_.close(); // whoever waits for an answer gets one
	}

private:
	void connect()
	{
		loop_.on_readable(watch_->fd(), [this] { on_address_change(); });
		loop_.on_signal(SIGHUP, [this] { on_reload(); });
		loop_.on_signal(SIGTERM, [this] { on_stop(); });
		loop_.on_signal(SIGINT, [this] { on_stop(); });
		if (config_.dataplane.run_poller) {
			supervisor_.tick();
			loop_.on_signal(SIGCHLD, [this] { supervise(); });
			loop_.every(supervise_period, [this] { supervise(); });
		}
		poller_.watch([this](v1::Event event) {
			name_event(event, generations_);
			events_.publish(event);
		});
	}

	void supervise()
	{
		supervisor_.tick();
		if (supervisor_.stopped())
			loop_.stop();
	}

	void on_address_change()
	{
		watch_->drain();
		auto facts = facts_of(config_.dataplane);
		if (!facts)
			return log::error(facts.error().what);
		if (const auto ensured = ensure_snat_address(config_.dataplane, *facts); !ensured)
			log::error(ensured.error().what);
		if (const auto changed = control_.surroundings_changed(std::move(*facts)); !changed)
			log::error(text("an address change is not in force: ", changed.error().what));
	}

	void on_reload()
	{
		const auto fresh = read_config(config_path_);
		if (!fresh)
			return log::error(text("reload refused, nothing changed: ", fresh.error().what));
		const auto applied = control_.reload(*fresh);
		if (!applied)
			return log::error(text("reload refused, nothing changed: ", applied.error().what));
		for (const std::string &warning : applied->warnings)
			log::warning(warning);
		log::info("reloaded the policy section; other sections take effect with a restart");
	}

	void on_stop()
	{
		node_.drain();
		events_.close();
		if (!config_.dataplane.run_poller)
			return loop_.stop();
		supervisor_.stop();
		supervise();
	}

	std::string config_path_;
	Config config_;
	SystemFiles files_;
	SystemClock clock_;
	EventLoop loop_;
	EventHub events_;
	Generations generations_;
	CorridorEnforcer enforcer_;
	PolicyStore store_;
	ControlLoop control_;
	PollerProcess process_;
	Supervisor supervisor_;
	std::optional<AddressWatch> watch_;
	PollerClient poller_;
	Node node_;
	std::optional<HttpServer> http_;
	std::optional<ControlService> socket_;
};

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
	House house(config_path, config, std::move(*corridor));
	if (const auto started = house.start(std::move(*facts)); !started)
		return refuse_start(started.error());
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
		for (int i = 0; i < 50 && process.lock_is_held(); i++)
			std::this_thread::sleep_for(supervise_period);
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
