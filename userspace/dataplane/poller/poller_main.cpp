// neuwerk-dataplane: takes its privileges, its lock, its maps and its ports, gives the privileges up, and
// polls.
#include "base/error_codes.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/text.h"
#include "dataplane/poller/data_ports.h"
#include "dataplane/poller/maps.h"
#include "dataplane/poller/neighbour_helper.h"
#include "dataplane/poller/netlink.h"
#include "dataplane/poller/next_hops.h"
#include "dataplane/poller/options.h"
#include "dataplane/poller/packet_loop.h"
#include "dataplane/poller/privileges.h"
#include "dataplane/poller/random_source.h"
#include "dataplane/poller/service.h"
#include "dataplane/poller/sleep.h"
#include "dataplane/poller/subscribers.h"

#include <fcntl.h>
#include <net/if.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>

using namespace neuwerk;
using namespace neuwerk::dataplane;

namespace {

std::atomic<bool> stop_requested = false;
const Sleep *sleep_to_wake = nullptr;

void on_stop_signal(int)
{
	stop_requested = true;
	if (sleep_to_wake)
		sleep_to_wake->wake();
}

void catch_stop_signals()
{
	struct sigaction action {};
	action.sa_handler = on_stop_signal;
	sigaction(SIGTERM, &action, nullptr);
	sigaction(SIGINT, &action, nullptr);
	std::signal(SIGPIPE, SIG_IGN);
}

int exit_code_of(const Error &error)
{
	switch (error.kind) {
	case ErrorKind::forbidden:
		return exit_privilege;
	case ErrorKind::conflict:
		return exit_running;
	case ErrorKind::invalid_argument:
		return exit_config;
	default:
		return exit_failed;
	}
}

// Held until the process ends.
Result<Fd> take_lock(const std::string &run)
{
	const std::string path = run + "/dataplane.lock";
	Fd lock(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
	if (!lock)
		return fail(ErrorKind::invalid_argument,
			    text("cannot open ", path, ": ", std::strerror(errno)));
	if (flock(lock.get(), LOCK_EX | LOCK_NB) != 0)
		return fail(ErrorKind::conflict,
			    text("another neuwerk-dataplane runs: it holds ", path, ": stop it first"));
	return lock;
}

struct Interfaces {
	std::vector<std::string> names;
	std::vector<std::uint32_t> indices;
};

Result<Interfaces> find_interfaces(const nw_config &config)
{
	Interfaces found;
	for (std::uint8_t port = 0; port < config.port_count; port++) {
		const std::uint32_t ifindex = config.port[port].ifindex;
		char name[IF_NAMESIZE];
		if (!if_indextoname(ifindex, name))
			return fail(ErrorKind::unavailable,
				    text("data port ", port, ": there is no interface with index ", ifindex,
					 " in this network namespace: restart neuwerkd"));
		found.names.emplace_back(name);
		found.indices.push_back(ifindex);
	}
	return found;
}

std::uint64_t now_monotonic_ns()
{
	timespec now{};
	clock_gettime(CLOCK_MONOTONIC, &now);
	return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
	       static_cast<std::uint64_t>(now.tv_nsec);
}

// Everything from here on runs without a privilege.
Result<> poll_until_stopped(const Options &options, Maps &maps, DataPorts &ports, Netlink &netlink,
			    const Interfaces &interfaces)
{
	const nw_config &config = *maps.memory().config;
	NextHopTable next_hops(maps.hops(), config, netlink);
	netlink.synchronise(next_hops);
	Subscribers subscribers;
	Tracker tracker(maps.memory(), next_hops, subscribers, RandomSource(), now_monotonic_ns());
	if (auto watched = maps.watch_events(
		    [&](const nw_event &event) { tracker.on_event(event, now_monotonic_ns()); });
	    !watched)
		return watched;
	if (auto dropped = drop_privileges(); !dropped)
		return dropped;

	if (auto started = subscribers.start(); !started)
		return started;
	std::vector<int> fds(ports.sockets().begin(), ports.sockets().end());
	auto service = Service::start(options.run + "/dataplane.sock",
				      {&config, &tracker, &next_hops, &subscribers, fds, interfaces.names});
	if (!service)
		return tl::unexpected(service.error());
	fds.push_back(maps.events_fd());
	fds.push_back(netlink.notification_fd());
	auto sleep = Sleep::over(fds);
	if (!sleep)
		return tl::unexpected(sleep.error());
	sleep_to_wake = &*sleep;
	log::info(text("serving ", interfaces.names.size(), " ports; took over ",
		       tracker.status().adopted_flows, " flows"));

	PacketLoop loop({maps, ports, tracker, next_hops, netlink, *sleep, config.port_count});
	loop.run(stop_requested);

	sleep_to_wake = nullptr;
	service->stop();
	subscribers.stop();
	unlink((options.run + "/dataplane.sock").c_str());
	return {};
}

Result<> run(const Options &options)
{
	if (auto allowed = check_privileges(); !allowed)
		return allowed;
	const auto lock = take_lock(options.run);
	if (!lock)
		return tl::unexpected(lock.error());
	raise_memory_lock_limit();
	auto maps = Maps::open(options.bpffs);
	if (!maps)
		return tl::unexpected(maps.error());
	const auto interfaces = find_interfaces(*maps->memory().config);
	if (!interfaces)
		return tl::unexpected(interfaces.error());
	auto helper = start_neighbour_helper(interfaces->indices); // before any thread exists
	if (!helper)
		return tl::unexpected(helper.error());
	auto ports = DataPorts::start(interfaces->names, options.core, options.run);
	if (!ports)
		return tl::unexpected(ports.error());
	auto netlink = Netlink::open(std::move(*helper));
	if (!netlink)
		return tl::unexpected(netlink.error());
	return poll_until_stopped(options, *maps, *ports, **netlink, *interfaces);
}

} // namespace

int main(int argc, char **argv)
{
	int exit_code = exit_ok;
	const auto options = parse_options(argc, argv, exit_code);
	if (!options)
		return exit_code;
	log::open("neuwerk-dataplane", options->log_level);
	catch_stop_signals();
	const auto result = run(*options);
	if (!result) {
		log::error(result.error().what);
		exit_code = exit_code_of(result.error());
	}
	// Closing a port would take XDP's program along or complain that it cannot: the kernel closes the
	// sockets, and XDP goes on.
	_exit(exit_code);
}
