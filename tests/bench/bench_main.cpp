// The hands of scripts/bench: generates frames, reads the meters, times one program on one frame.
//
//   nw_bench generate FOLDER INTERFACE FLOWS SECONDS DESTINATION MAC TASK   prints the frames taken
//   nw_bench measure SECONDS SINK_PIN|- INTERFACE PID…                         prints JSON, differences
//   nw_bench replay FOLDER TARGET INTERFACE REPEAT DESTINATION MAC PORT        prints ns per run and the XDP
//   action
//
// FOLDER holds the BPF objects. TARGET is the pin of a link or of a program. MAC is the appliance's.
// Errors end the program with one line and status 1.
#include "frame.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <span>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr __u16 first_source_port = 10'000;
constexpr __u16 destination_port = 9; // discard
constexpr const char *client_address = "10.0.0.2";
constexpr const char *client_mac = "02:00:00:00:01:02";

[[noreturn]] void give_up(const std::string &what)
{
	std::fprintf(stderr, "nw_bench: %s: %s\n", what.c_str(), std::strerror(errno));
	std::exit(1);
}

// The one's complement sum over big-endian words (RFC 1071), not yet inverted.
__u32 sum_of(const void *bytes, std::size_t count)
{
	const auto *at = static_cast<const __u8 *>(bytes);
	__u32 sum = 0;
	for (std::size_t i = 0; i + 1 < count; i += 2)
		sum += static_cast<__u32>(at[i] << 8 | at[i + 1]);
	return sum;
}

__be16 checksum_of(__u32 sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return NW_BE16(static_cast<__u16>(~sum));
}

nw_bench_frame make_frame(const char *destination, const char *mac)
{
	nw_bench_frame frame{};
	const ether_addr *to = ether_aton(mac);
	if (!to)
		give_up(std::string("not a MAC address: ") + mac);
	std::memcpy(frame.ethernet.destination, to, 6);
	std::memcpy(frame.ethernet.source, ether_aton(client_mac), 6);
	frame.ethernet.ethertype_be = NW_BE16(NW_ETHERTYPE_IPV4);

	constexpr __u16 udp_bytes = sizeof(frame.udp) + sizeof(frame.payload);
	frame.ip.version_and_words = 0x45;
	frame.ip.total_bytes_be = NW_BE16(sizeof(frame.ip) + udp_bytes);
	frame.ip.ttl = 64;
	frame.ip.protocol = NW_PROTOCOL_UDP;
	__be32 address = 0;
	inet_pton(AF_INET, client_address, &address);
	frame.ip.source_be = address;
	if (inet_pton(AF_INET, destination, &address) != 1)
		give_up(std::string("not an IPv4 address: ") + destination);
	frame.ip.destination_be = address;
	frame.ip.checksum_be = checksum_of(sum_of(&frame.ip, sizeof(frame.ip)));

	frame.udp.source_be = NW_BE16(first_source_port);
	frame.udp.destination_be = NW_BE16(destination_port);
	frame.udp.bytes_be = NW_BE16(udp_bytes);
	const __u32 pseudo_header = sum_of(&frame.ip.source_be, 8) + NW_PROTOCOL_UDP + udp_bytes;
	frame.udp.checksum_be = checksum_of(pseudo_header + sum_of(&frame.udp, udp_bytes));
	return frame;
}

// Never closed: the process ends with its work.
bpf_object *load(const std::string &folder, const char *name)
{
	const std::string path = folder + "/bench_" + name + ".bpf.o";
	bpf_object *object = bpf_object__open_file(path.c_str(), nullptr);
	if (!object || bpf_object__load(object))
		give_up("load " + path);
	return object;
}

int program_of(bpf_object *object, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(object, name));
}

void set_only_element(bpf_object *object, const char *map, const void *value)
{
	const __u32 zero = 0;
	if (bpf_map_update_elem(bpf_object__find_map_fd_by_name(object, map), &zero, value, 0))
		give_up(std::string("set ") + map);
}

// The counters of an interface of this namespace, as /proc/net/dev orders them: bytes and packets received
// come first, bytes and packets sent at 8 and 9, refused at 11.
std::vector<__u64> counters_of(const std::string &interface)
{
	std::ifstream table("/proc/thread-self/net/dev");
	std::string line;
	while (std::getline(table, line)) {
		const auto colon = line.find(interface + ":");
		if (colon == std::string::npos)
			continue;
		std::istringstream fields(line.substr(colon + interface.size() + 1));
		std::vector<__u64> counters(16);
		for (__u64 &counter : counters)
			fields >> counter;
		return counters;
	}
	give_up("interface " + interface);
}

// TASK: the thread that polls the device's interface; 0 sends a little and slowly, without looking at the
// device.
int generate(std::span<char *> words)
{
	bpf_object *object = load(words[0], "generator");
	auto *settings = static_cast<nw_bench_settings *>(
		mmap(nullptr, sizeof(nw_bench_settings), PROT_READ | PROT_WRITE, MAP_SHARED,
		     bpf_object__find_map_fd_by_name(object, "settings"), 0));
	if (settings == MAP_FAILED)
		give_up("map settings");
	settings->frame = make_frame(words[4], words[5]);
	settings->ifindex = if_nametoindex(words[1]);
	settings->flows = static_cast<__u32>(std::strtoul(words[2], nullptr, 10));
	settings->device_task = static_cast<__u32>(std::strtoul(words[6], nullptr, 10));
	if (!settings->ifindex || !settings->flows)
		give_up(std::string("interface ") + words[1] + ", flows " + words[2]);
	if (!bpf_program__attach(bpf_object__find_program_by_name(object, "count_taken")))
		give_up("tracepoint napi_poll");

	const bool gentle = settings->device_task == 0;
	const auto end = Clock::now() + std::chrono::duration<double>(std::strtod(words[3], nullptr));
	const __u64 before = counters_of(words[1])[9];
	nw_bench_frame data{};
	xdp_md context{};
	context.data_end = sizeof(data);
	while (Clock::now() < end) {
		LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = &data, .data_size_in = sizeof(data),
			    .ctx_in = &context, .ctx_size_in = sizeof(context),
			    .repeat = NW_BENCH_BATCH * (gentle ? 2 : 4'000),
			    .flags = BPF_F_TEST_XDP_LIVE_FRAMES, .batch_size = NW_BENCH_BATCH);
		if (bpf_prog_test_run_opts(program_of(object, "generate"), &options))
			give_up("live frames");
	}
	std::printf("%llu\n", counters_of(words[1])[9] - before);
	return 0;
}

// Frames that arrived at the sink, over all cores; 0 without a sink.
__u64 arrived_at(const char *pin)
{
	if (std::strcmp(pin, "-") == 0)
		return 0;
	static const int map = bpf_obj_get(pin);
	std::vector<__u64> per_core(static_cast<std::size_t>(libbpf_num_possible_cpus()));
	const __u32 zero = 0;
	if (map < 0 || bpf_map_lookup_elem(map, &zero, per_core.data()))
		give_up(std::string("sink counter ") + pin);
	__u64 sum = 0;
	for (__u64 count : per_core)
		sum += count;
	return sum;
}

// Time on a core since the task started, in ns: first word of schedstat.
__u64 cpu_ns_of(const char *task)
{
	std::ifstream file("/proc/" + std::string(task) + "/schedstat");
	__u64 nanoseconds = 0;
	if (!(file >> nanoseconds))
		give_up(std::string("schedstat of task ") + task);
	return nanoseconds;
}

int measure(std::span<char *> words)
{
	struct Meters {
		Clock::time_point time;
		__u64 arrived, received;
		std::vector<__u64> cpu_ns;
	};
	const auto read_all = [&] {
		Meters meters{Clock::now(), arrived_at(words[1]), counters_of(words[2])[1], {}};
		for (const char *task : words.subspan(3))
			meters.cpu_ns.push_back(cpu_ns_of(task));
		return meters;
	};
	const Meters before = read_all();
	std::this_thread::sleep_for(std::chrono::duration<double>(std::strtod(words[0], nullptr)));
	const Meters after = read_all();
	std::printf("{\"seconds\": %f, \"arrived\": %llu, \"received\": %llu, \"cpu_ns\": [",
		    std::chrono::duration<double>(after.time - before.time).count(),
		    after.arrived - before.arrived, after.received - before.received);
	for (std::size_t i = 0; i < after.cpu_ns.size(); i++)
		std::printf("%s%llu", i ? ", " : "", after.cpu_ns[i] - before.cpu_ns[i]);
	std::printf("]}\n");
	return 0;
}

// The program behind a pin: of a program itself, or the one that a link has attached.
int program_behind(const char *pin)
{
	const int pinned = bpf_obj_get(pin);
	if (pinned < 0)
		give_up(std::string("pin ") + pin);
	bpf_link_info link{};
	__u32 bytes = sizeof(link);
	if (bpf_obj_get_info_by_fd(pinned, &link, &bytes) || !std::strstr(pin, "link_"))
		return pinned;
	const int program = bpf_prog_get_fd_by_id(link.prog_id);
	if (program < 0)
		give_up(std::string("program of ") + pin);
	return program;
}

int replay(std::span<char *> words)
{
	bpf_object *object = load(words[0], "replay");
	nw_bench_settings settings{};
	settings.frame = make_frame(words[4], words[5]);
	const auto port = static_cast<__u16>(std::strtoul(words[6], nullptr, 10));
	const __u16 port_before = NW_HOST16(settings.frame.udp.source_be);
	settings.frame.udp.source_be = NW_BE16(port);
	const __u32 sum = static_cast<__u16>(~NW_HOST16(settings.frame.udp.checksum_be)) + port +
			  (0xffff - port_before);
	settings.frame.udp.checksum_be = checksum_of(sum);
	set_only_element(object, "settings", &settings);
	const int target = program_behind(words[1]);
	set_only_element(object, "under_test", &target);

	nw_bench_frame data = settings.frame;
	xdp_md context{};
	context.data_end = sizeof(data);
	context.ingress_ifindex = if_nametoindex(words[2]);
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = &data, .data_size_in = sizeof(data),
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = std::atoi(words[3]));
	if (bpf_prog_test_run_opts(program_of(object, "replay"), &options))
		give_up("test run");
	std::printf("%u %u\n", options.duration, options.retval);
	return 0;
}

} // namespace

int main(int count, char **words)
{
	libbpf_set_print([](libbpf_print_level level, const char *format, va_list arguments) {
		return level == LIBBPF_WARN ? std::vfprintf(stderr, format, arguments) : 0;
	});
	const std::span<char *> rest(words + 2, static_cast<std::size_t>(std::max(0, count - 2)));
	const std::string verb = count > 1 ? words[1] : "";
	if (verb == "generate" && rest.size() == 7)
		return generate(rest);
	if (verb == "measure" && rest.size() >= 3)
		return measure(rest);
	if (verb == "replay" && rest.size() == 7)
		return replay(rest);
	std::fprintf(stderr, "nw_bench: generate, measure or replay; see the head of bench_main.cpp\n");
	return 2;
}
