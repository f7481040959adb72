// The data ports over DPDK's net_af_xdp; the only file that knows DPDK.
//
// Traps of DPDK 22.11 and libxdp 1.3 that decide how this file looks:
//  1. No `xdp_prog=`: then libxdp adopts the program that is attached (named xsk_def_prog) instead of its
//  own.
//  2. No rte_eth_dev_close, ever: it detaches the program, or tries to.
//  3. `--no-huge` excludes `--in-memory`; without `--iova-mode=va` a pool lies in several pieces.
//  4. A queue stays busy for some 40 ms after the process that held it died.
//  5. Debian builds the driver without shared_umem, so each port has a pool of its own.
#include "dataplane/poller/data_ports.h"

#include "base/log.h"
#include "base/text.h"

#include <linux/if_xdp.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_log.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <sys/socket.h>
#include <xdp/libxdp.h>

#include <algorithm>
#include <charconv>
#include <cstdarg>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

namespace neuwerk::dataplane {

namespace {

// The driver takes 2048 for each of its fill, receive and transmit rings; the rest are frames in our hands.
constexpr unsigned buffers_per_port = 12287;
constexpr unsigned cached_buffers = 256;
constexpr std::uint16_t ring_entries = 2048;
// Buffers, rings and the library's own needs. Only without huge pages.
constexpr unsigned base_memory_mib = 64, port_memory_mib = 48;
// The kernel frees the queue of a process that died some 40 ms later (EBUSY until then).
constexpr auto bind_patience = std::chrono::seconds(3);
constexpr auto bind_pause = std::chrono::milliseconds(20);

// 2 MiB pages that are free, as the kernel counts them.
std::uint64_t free_huge_pages()
{
	std::ifstream file("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages");
	std::uint64_t pages = 0;
	file >> pages;
	return pages;
}

// "(0,1,5)": where this process may run.
std::string allowed_cores()
{
	cpu_set_t allowed;
	CPU_ZERO(&allowed);
	sched_getaffinity(0, sizeof(allowed), &allowed);
	std::string list;
	for (int core = 0; core < CPU_SETSIZE; core++)
		if (CPU_ISSET(core, &allowed))
			list += text(list.empty() ? "(" : ",", core);
	return list + ")";
}

// One worker, on its core or wherever the process may run; DPDK's number of it is 0 either way.
std::vector<std::string> library_arguments(std::span<const std::string> interfaces, int core)
{
	const auto memory_mib = static_cast<unsigned>(base_memory_mib + port_memory_mib * interfaces.size());
	std::vector<std::string> arguments = {"neuwerk-dataplane", "--no-pci", "--iova-mode=va",
					      "--no-telemetry",    "-m",       text(memory_mib),
					      "--log-level=*:info"};
	if (free_huge_pages() * 2 >= memory_mib)
		arguments.push_back("--in-memory");
	else
		for (const char *each : {"--no-huge", "--no-shconf"})
			arguments.push_back(each);
	arguments.push_back("--file-prefix=neuwerk");
	arguments.push_back("--lcores=0@" + (core >= 0 ? text(core) : allowed_cores()));
	for (std::size_t i = 0; i < interfaces.size(); i++)
		arguments.push_back(text("--vdev=net_af_xdp", i, ",iface=", interfaces[i], ",queue_count=1"));
	return arguments;
}

// The library's lines go to the log at level debug, one by one.
ssize_t write_log(void *, const char *bytes, size_t count)
{
	std::string_view line(bytes, count);
	while (!line.empty() && line.back() == '\n')
		line.remove_suffix(1);
	if (!line.empty())
		log::debug(line);
	return static_cast<ssize_t>(count);
}

int write_libxdp_log(libxdp_print_level, const char *format, va_list arguments)
{
	char line[512];
	const int bytes = vsnprintf(line, sizeof(line), format, arguments);
	if (bytes > 0)
		write_log(nullptr, line, std::min<size_t>(static_cast<size_t>(bytes), sizeof(line) - 1));
	return bytes;
}

void redirect_library_logs()
{
	libxdp_set_print(write_libxdp_log);
	cookie_io_functions_t functions{};
	functions.write = write_log;
	FILE *stream = fopencookie(nullptr, "w", functions);
	if (!stream)
		return;
	setvbuf(stream, nullptr, _IOLBF, 4096);
	rte_openlog_stream(stream);
}

Result<> start_library(std::span<const std::string> interfaces, int core, const std::string &run)
{
	redirect_library_logs();
	setenv("RUNTIME_DIRECTORY", run.c_str(), 1); // where DPDK makes its own directory
	std::vector<std::string> arguments = library_arguments(interfaces, core);
	std::vector<char *> pointers;
	for (std::string &argument : arguments)
		pointers.push_back(argument.data());
	if (rte_eal_init(static_cast<int>(pointers.size()), pointers.data()) < 0)
		return fail(ErrorKind::unavailable, text("cannot start DPDK: ", rte_strerror(rte_errno),
							 ": --log-level debug shows its own words"));
	if (rte_eth_dev_count_avail() != interfaces.size())
		return fail(ErrorKind::unavailable, text("DPDK found ", rte_eth_dev_count_avail(), " of ",
							 interfaces.size(), " ports"));
	return {};
}

Result<rte_mempool *> make_pool(const std::string &interface, std::uint16_t id)
{
	rte_mempool *pool =
		rte_pktmbuf_pool_create(text("frames", id).c_str(), buffers_per_port, cached_buffers, 0,
					RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (!pool)
		return fail(ErrorKind::resource_exhausted,
			    text("interface ", interface,
				 ": no memory for packet buffers: ", rte_strerror(rte_errno)));
	// The driver registers the first piece of memory as if it were the whole pool.
	if (pool->nb_mem_chunks != 1)
		return fail(ErrorKind::resource_exhausted,
			    text("interface ", interface, ": packet buffers lie in ", pool->nb_mem_chunks,
				 " pieces of memory, must be one: more free memory helps"));
	return pool;
}

int bind_queue(std::uint16_t id, rte_mempool *pool)
{
	const auto give_up = std::chrono::steady_clock::now() + bind_patience;
	for (;;) {
		const int code = rte_eth_rx_queue_setup(id, 0, ring_entries, SOCKET_ID_ANY, nullptr, pool);
		if (code == 0 || std::chrono::steady_clock::now() > give_up)
			return code;
		std::this_thread::sleep_for(bind_pause);
	}
}

Result<> start_port(const std::string &interface, std::uint16_t id)
{
	const auto pool = make_pool(interface, id);
	if (!pool)
		return tl::unexpected(pool.error());
	const rte_eth_conf configuration{};
	int code = rte_eth_dev_configure(id, 1, 1, &configuration);
	if (code == 0)
		code = bind_queue(id, *pool);
	if (code == 0)
		code = rte_eth_tx_queue_setup(id, 0, ring_entries, SOCKET_ID_ANY, nullptr);
	if (code == 0)
		code = rte_eth_dev_start(id);
	if (code == 0)
		return {};
	return fail(
		ErrorKind::unavailable,
		text("interface ", interface,
		     ": cannot bind an AF_XDP socket to queue 0: ", rte_strerror(-code),
		     ": does another process hold the queue, or is neuwerkd's XDP program not attached?"));
}

// The driver does not give its sockets away.
std::vector<int> find_sockets()
{
	std::vector<int> found;
	for (const auto &entry : std::filesystem::directory_iterator("/proc/self/fd")) {
		const std::string name = entry.path().filename().string();
		int fd = -1, domain = 0;
		std::from_chars(name.data(), name.data() + name.size(), fd);
		socklen_t bytes = sizeof(domain);
		if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &bytes) == 0 && domain == AF_XDP)
			found.push_back(fd);
	}
	return found;
}

} // namespace

std::span<std::uint8_t> Packet::frame() const
{
	return {rte_pktmbuf_mtod(buffer, std::uint8_t *), rte_pktmbuf_data_len(buffer)};
}

nw_handoff Packet::handoff() const
{
	nw_handoff record;
	std::memcpy(&record, rte_pktmbuf_mtod(buffer, std::uint8_t *) - sizeof(record), sizeof(record));
	return record;
}

void Packet::drop() const
{
	rte_pktmbuf_free(buffer);
}

Result<DataPorts> DataPorts::start(std::span<const std::string> interfaces, int core, const std::string &run)
{
	if (auto started = start_library(interfaces, core, run); !started)
		return tl::unexpected(started.error());
	DataPorts ports;
	for (std::size_t i = 0; i < interfaces.size(); i++) {
		std::uint16_t id = 0;
		if (rte_eth_dev_get_port_by_name(text("net_af_xdp", i).c_str(), &id) != 0)
			return fail(ErrorKind::unavailable,
				    text("interface ", interfaces[i], ": DPDK did not take it"));
		if (auto started = start_port(interfaces[i], id); !started)
			return tl::unexpected(started.error());
		Port &port = ports.ports_.emplace_back(Port{id, {}});
		port.queued.reserve(burst);
	}
	ports.sockets_ = find_sockets();
	if (ports.sockets_.size() != interfaces.size())
		return fail(ErrorKind::internal, text("found ", ports.sockets_.size(), " AF_XDP sockets for ",
						      interfaces.size(), " ports"));
	return ports;
}

std::size_t DataPorts::receive(std::uint8_t port, std::span<Packet, burst> packets)
{
	rte_mbuf *buffers[burst];
	const std::uint16_t count = rte_eth_rx_burst(ports_[port].id, 0, buffers, burst);
	for (std::uint16_t i = 0; i < count; i++)
		packets[i].buffer = buffers[i];
	return count;
}

bool DataPorts::queue(std::uint8_t port, Packet packet)
{
	ports_[port].queued.push_back(packet.buffer);
	return ports_[port].queued.size() == burst;
}

// The driver copies a frame of another port's pool into a buffer of its own: its transmit side knows one
// pool.
Flushed DataPorts::flush(std::uint8_t port)
{
	std::vector<rte_mbuf *> &queued = ports_[port].queued;
	Flushed flushed;
	if (queued.empty())
		return flushed;
	std::uint16_t bytes[burst];
	const auto count = static_cast<std::uint16_t>(queued.size());
	for (std::uint16_t i = 0; i < count; i++)
		bytes[i] = rte_pktmbuf_data_len(queued[i]);
	const std::uint16_t sent = rte_eth_tx_burst(ports_[port].id, 0, queued.data(), count);
	for (std::uint16_t i = 0; i < count; i++) {
		Traffic &fate = i < sent ? flushed.sent : flushed.refused;
		fate.packets++;
		fate.bytes += bytes[i];
		if (i >= sent)
			rte_pktmbuf_free(queued[i]);
	}
	queued.clear();
	return flushed;
}

std::span<const int> DataPorts::sockets() const
{
	return sockets_;
}

std::uint64_t ring_drops(std::span<const int> sockets)
{
	std::uint64_t drops = 0;
	for (const int fd : sockets) {
		xdp_statistics statistics{};
		socklen_t bytes = sizeof(statistics);
		if (getsockopt(fd, SOL_XDP, XDP_STATISTICS, &statistics, &bytes) == 0)
			drops += statistics.rx_dropped + statistics.rx_ring_full;
	}
	return drops;
}

} // namespace neuwerk::dataplane
