// Namespaces, raw sockets and child processes of live tests.
#include "live_hosts.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>

namespace neuwerk::packets {

namespace {

Error broken(const std::string &what)
{
	return {ErrorKind::unavailable, what + ": " + std::strerror(errno)};
}

// A socket belongs to the namespace that its thread was in when it was made.
Result<Fd> open_wire(const std::string &network_namespace)
{
	const Fd home(open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC));
	const Fd there(open(("/run/netns/" + network_namespace).c_str(), O_RDONLY | O_CLOEXEC));
	if (!there || setns(there.get(), CLONE_NEWNET) != 0)
		return tl::unexpected(broken(network_namespace));
	Fd wire(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)));
	sockaddr_ll address{};
	address.sll_family = AF_PACKET;
	address.sll_protocol = htons(ETH_P_ALL);
	address.sll_ifindex = static_cast<int>(if_nametoindex("eth0"));
	const bool bound =
		wire && bind(wire.get(), reinterpret_cast<sockaddr *>(&address), sizeof(address)) == 0;
	const Error error = broken("raw socket in " + network_namespace);
	if (setns(home.get(), CLONE_NEWNET) != 0 || !bound)
		return tl::unexpected(error);
	return wire;
}

} // namespace

Result<> run_shell(const std::string &script)
{
	const std::string command = "set -euo pipefail; . " NW_TOPOLOGY "; { " + script + "; } 2>&1";
	const std::string quoted = "bash -c '" + command + "'";
	FILE *pipe = popen(quoted.c_str(), "r");
	if (!pipe)
		return tl::unexpected(broken("bash"));
	std::string output;
	std::array<char, 4096> buffer;
	while (fgets(buffer.data(), buffer.size(), pipe))
		output += buffer.data();
	if (pclose(pipe) != 0)
		return fail(ErrorKind::unavailable, script + ": " + output);
	return {};
}

Result<Hosts> Hosts::up(const std::string &prefix, Form form)
{
	// The hosts' own stacks stay silent: every packet of a transcript is sent and seen by the test.
	const std::string quiet =
		"table ip quiet { chain in { type filter hook input priority 0; policy drop; }; "
		"chain out { type filter hook output priority 0; policy drop; }; }";
	auto made = run_shell("nw_topology_up " + prefix + (form == Form::one_arm ? " one-arm" : " two-arm") +
			      "; for host in client internet; do nw_in " + prefix + "-$host nft \"" + quiet +
			      "\"; done; for last in 3 4 5; do ip -n " + prefix +
			      "-client address add 10.0.0.$last/24 dev eth0; done; ip -n " + prefix +
			      "-appliance route add 10.10.0.0/16 via 10.0.0.2");
	Hosts hosts;
	hosts.prefix_ = prefix;
	if (!made)
		return tl::unexpected(made.error());
	for (const Side side : {Side::inside, Side::outside}) {
		auto wire = open_wire(prefix + (side == Side::inside ? "-client" : "-internet"));
		if (!wire)
			return tl::unexpected(wire.error());
		hosts.wire_[static_cast<int>(side)] = std::move(*wire);
	}
	return hosts;
}

Hosts::~Hosts()
{
	if (!prefix_.empty())
		(void)run_shell("nw_topology_down " + prefix_);
}

Result<> Hosts::send(Side side, const std::vector<std::uint8_t> &frame) const
{
	if (::send(wire_[static_cast<int>(side)].get(), frame.data(), frame.size(), 0) < 0)
		return tl::unexpected(broken("sending a frame"));
	return {};
}

std::optional<std::vector<std::uint8_t>> Hosts::receive(Side side, std::chrono::milliseconds wait) const
{
	const auto end = std::chrono::steady_clock::now() + wait;
	const int wire = wire_[static_cast<int>(side)].get();
	const Mac &own = side == Side::inside ? client_mac : server_mac;
	std::vector<std::uint8_t> frame(4096);
	for (;;) {
		sockaddr_ll from{};
		socklen_t bytes = sizeof(from);
		const ssize_t got = recvfrom(wire, frame.data(), frame.size(), MSG_DONTWAIT,
					     reinterpret_cast<sockaddr *>(&from), &bytes);
		if (got >= ETH_HLEN) {
			const bool is_ours = from.sll_pkttype != PACKET_OUTGOING && frame[12] == 8 &&
					     frame[13] == 0 &&
					     std::equal(own.begin(), own.end(), frame.begin());
			if (!is_ours)
				continue;
			frame.resize(static_cast<std::size_t>(got));
			return frame;
		}
		const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
			end - std::chrono::steady_clock::now());
		if (left.count() <= 0)
			return {};
		pollfd ready{wire, POLLIN, 0};
		poll(&ready, 1, static_cast<int>(left.count()));
	}
}

Result<Process> Process::start(const std::string &network_namespace, const std::vector<std::string> &command,
			       const std::string &log)
{
	const pid_t pid = fork();
	if (pid < 0)
		return tl::unexpected(broken("fork"));
	if (pid == 0) {
		const int there = open(("/run/netns/" + network_namespace).c_str(), O_RDONLY | O_CLOEXEC);
		const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);
		if (there < 0 || setns(there, CLONE_NEWNET) != 0 || out < 0)
			_exit(127);
		dup2(out, 1);
		dup2(out, 2);
		std::vector<char *> words;
		for (const std::string &word : command)
			words.push_back(const_cast<char *>(word.c_str()));
		words.push_back(nullptr);
		execv(words[0], words.data());
		_exit(127);
	}
	return Process(pid);
}

Process::Process(Process &&other) noexcept : pid_(std::exchange(other.pid_, -1)) {}

bool Process::is_running()
{
	return pid_ > 0 && waitpid(pid_, nullptr, WNOHANG) == 0;
}

void Process::kill_now()
{
	if (pid_ <= 0)
		return;
	kill(pid_, SIGKILL);
	waitpid(pid_, nullptr, 0);
	pid_ = -1;
}

Process::~Process()
{
	if (pid_ <= 0)
		return;
	kill(pid_, SIGTERM);
	if (!eventually([this] { return waitpid(pid_, nullptr, WNOHANG) != 0; }, std::chrono::seconds(5)))
		kill_now();
}

} // namespace neuwerk::packets
