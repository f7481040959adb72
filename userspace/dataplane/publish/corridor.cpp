// The controller's hold on the corridor: what corridor.h promises, over the adapters beside this file.
#include "dataplane/corridor.h"

#include "abi/version.h"
#include "path/line.h"
#include "path/parse.h"
#include "dataplane/publish/bpf_error.h"
#include "dataplane/publish/denials.h"
#include "dataplane/publish/frame.h"
#include "dataplane/publish/program.h"
#include "policy/policy.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <linux/membarrier.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace neuwerk::dataplane {

struct Corridor::State {
	CorridorSpec spec;
	PinnedMaps maps;
	Fd dry_program;
	std::array<std::uint8_t, 6> question_mac; // of the port that questions arrive on
	std::uint32_t prepared = 0;               // the generation that flip() may make active; 0: none
};

namespace {

constexpr std::uint64_t ns_per_s = 1'000'000'000;

Result<> check_spec(const CorridorSpec &spec)
{
	if (spec.ports.empty() || spec.ports.size() > NW_PORT_LIMIT)
		return fail(ErrorKind::invalid_argument,
			    "an appliance has 1 to " + std::to_string(NW_PORT_LIMIT) + " ports, not " +
				    std::to_string(spec.ports.size()));
	if (!std::has_single_bit(spec.sizes.flow_lines))
		return fail(ErrorKind::invalid_argument,
			    "flow_lines: " + std::to_string(spec.sizes.flow_lines) +
				    " is not a power of two");
	return {};
}

// A fresh config map gets its identity once; one of another version is left alone.
Result<> claim(nw_config *config, const std::string &directory)
{
	if (config->abi_version == NW_ABI_VERSION)
		return {};
	if (config->abi_version != 0)
		return fail(ErrorKind::conflict,
			    directory + " holds maps of ABI version " + std::to_string(config->abi_version) +
				    ", this is version " + std::to_string(NW_ABI_VERSION) +
				    ": drain, then `neuwerkd uninstall`");
	if (getrandom(&config->hash_seed, sizeof(config->hash_seed), 0) != sizeof(config->hash_seed))
		return fail(ErrorKind::internal, "no randomness for the hash seed: " + bpf_error(errno));
	config->abi_version = NW_ABI_VERSION;
	return {};
}

Result<> open_port(const CorridorSpec &spec, const PinnedMaps &maps, std::uint32_t index)
{
	const PortSpec &port = spec.ports[index];
	auto interface = check_interface(port.interface);
	if (!interface)
		return tl::unexpected(interface.error());
	auto *config = maps.config.as<nw_config>();
	nw_port &entry = config->port[index];
	entry.ifindex = interface->index;
	entry.mtu_bytes = static_cast<std::uint16_t>(interface->mtu_bytes);
	entry.side = static_cast<std::uint8_t>(port.side);
	std::copy(interface->mac.begin(), interface->mac.end(), entry.mac);

	bpf_devmap_val target{};
	target.ifindex = interface->index;
	if (bpf_map_update_elem(maps.tx_ports.fd(), &index, &target, 0) != 0)
		return fail(ErrorKind::unavailable,
			    "interface " + port.interface +
				    ": cannot be a redirect target: " + bpf_error(errno));
	auto program = load_port_program(spec.bpffs, maps, port.interface, index);
	if (!program)
		return tl::unexpected(program.error());
	return attach(spec.bpffs, port, *interface, *program);
}

std::uint32_t question_port(const CorridorSpec &spec)
{
	for (std::size_t i = 0; i < spec.ports.size(); i++)
		if (spec.ports[i].side != NW_SIDE_OUTSIDE)
			return static_cast<std::uint32_t>(i);
	return 0;
}

// While it lives, the kernel ends RCU grace periods at once (with an interrupt to each CPU) instead of within
// two scheduler ticks: 0.1 ms instead of 8 ms, measured. Where the file cannot be written, it does not
// matter.
class HurriedGracePeriods {
public:
	HurriedGracePeriods() : file_(open("/sys/kernel/rcu_expedited", O_RDWR | O_CLOEXEC))
	{
		char was = 0;
		is_ours_ = file_ && pread(file_.get(), &was, 1, 0) == 1 && was == '0' &&
			   pwrite(file_.get(), "1", 1, 0) == 1;
	}
	~HurriedGracePeriods()
	{
		if (is_ours_ && pwrite(file_.get(), "0", 1, 0) != 1)
			is_ours_ = false; // stays on: costs other writers' interrupts, harms nothing
	}
	HurriedGracePeriods(const HurriedGracePeriods &) = delete;
	HurriedGracePeriods &operator=(const HurriedGracePeriods &) = delete;

private:
	Fd file_;
	bool is_ours_ = false;
};

// Returns when every XDP run that began before the call has ended: membarrier(2) waits for an RCU grace
// period.
Result<> wait_for_readers()
{
	const HurriedGracePeriods hurried;
	if (syscall(__NR_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0)
		return fail(ErrorKind::internal, "membarrier: " + bpf_error(errno));
	return {};
}

VerdictCounts sum_of_cpus(int fd)
{
	static const int cpus = libbpf_num_possible_cpus();
	std::vector<nw_verdict_count> per_cpu(static_cast<std::size_t>(cpus));
	VerdictCounts counts{};
	for (std::uint32_t verdict = 0; verdict < NW_VERDICT_COUNT; verdict++) {
		if (bpf_map_lookup_elem(fd, &verdict, per_cpu.data()) != 0)
			continue;
		for (const nw_verdict_count &count : per_cpu) {
			counts[verdict].packets += count.packets;
			counts[verdict].bytes += count.bytes;
		}
	}
	return counts;
}

} // namespace

Result<Corridor> Corridor::open(const CorridorSpec &spec)
{
	libbpf_set_print(
		[](libbpf_print_level, const char *, va_list) { return 0; }); // we say it in our words
	const bool is_first = !std::filesystem::exists(spec.bpffs + "/config");
	auto corridor = open_all(spec);
	if (!corridor && is_first) // half a corridor is of no use to anybody
		(void)uninstall(spec.bpffs);
	return corridor;
}

Result<Corridor> Corridor::open_all(const CorridorSpec &spec)
{
	if (auto sound = check_spec(spec); !sound)
		return tl::unexpected(sound.error());
	for (const PortSpec &port : spec.ports) { // before anything is created
		const auto interface = check_interface(port.interface);
		if (!interface)
			return tl::unexpected(interface.error());
		if (auto free = check_unoccupied(spec.bpffs, port, *interface); !free)
			return tl::unexpected(free.error());
	}
	auto maps = open_pinned_maps(spec.bpffs, spec.sizes);
	if (!maps)
		return tl::unexpected(maps.error());
	auto *config = maps->config.as<nw_config>();
	if (auto claimed = claim(config, spec.bpffs); !claimed)
		return tl::unexpected(claimed.error());
	config->flow_line_mask = spec.sizes.flow_lines - 1;
	config->policy_node_limit = spec.sizes.policy_nodes;
	config->policy_decision_limit = spec.sizes.policy_decisions;
	for (std::uint32_t index = 0; index < spec.ports.size(); index++)
		if (auto opened = open_port(spec, *maps, index); !opened)
			return tl::unexpected(opened.error());
	config->port_count = static_cast<std::uint8_t>(spec.ports.size());

	const std::uint32_t port = question_port(spec);
	auto dry_program = load_dry_program(*maps, port);
	if (!dry_program)
		return tl::unexpected(dry_program.error());
	auto state = std::make_unique<State>();
	std::copy_n(config->port[port].mac, 6, state->question_mac.begin());
	state->spec = spec;
	state->maps = std::move(*maps);
	state->dry_program = std::move(*dry_program);
	return Corridor(std::move(state));
}

Result<> Corridor::configure(const Settings &settings)
{
	if (settings.own_addresses.size() > NW_OWN_ADDRESS_LIMIT ||
	    settings.external.size() > NW_EXTERNAL_LIMIT ||
	    settings.host_services.size() > NW_HOST_SERVICE_LIMIT)
		return fail(ErrorKind::resource_exhausted,
			    "the data ports have more addresses, SNAT addresses or host services than fit (" +
				    std::to_string(NW_OWN_ADDRESS_LIMIT) + ", " +
				    std::to_string(NW_EXTERNAL_LIMIT) + ", " +
				    std::to_string(NW_HOST_SERVICE_LIMIT) + ")");
	if (!settings.misses_per_second || !settings.events_per_second)
		return fail(ErrorKind::invalid_argument,
			    "a rate of 0 per second would drop every first packet");
	auto *config = state_->maps.config.as<nw_config>();
	config->miss_interval_ns = static_cast<__u32>(ns_per_s / settings.misses_per_second);
	config->miss_burst_ns = static_cast<__u32>(std::min<std::uint64_t>(
		std::uint64_t{config->miss_interval_ns} * settings.miss_burst, UINT32_MAX));
	config->event_interval_ns = static_cast<__u32>(ns_per_s / settings.events_per_second);
	config->event_burst_ns = static_cast<__u32>(ns_per_s); // one second's worth
	config->timeouts = settings.timeouts;
	for (std::size_t i = 0; i < NW_HOST_SERVICE_LIMIT; i++)
		config->host_service[i] =
			i < settings.host_services.size() ? settings.host_services[i] : nw_host_service{};
	for (std::size_t i = 0; i < NW_OWN_ADDRESS_LIMIT; i++)
		config->own_address_be[i] =
			i < settings.own_addresses.size() ? NW_BE32(settings.own_addresses[i]) : 0;
	config->own_address_count = static_cast<__u8>(settings.own_addresses.size());
	for (std::size_t i = 0; i < settings.external.size(); i++)
		config->external[i] = nw_mapped_ipv4(NW_BE32(settings.external[i]));
	config->external_count = static_cast<__u8>(settings.external.size());
	config->snat_mode = static_cast<__u8>(settings.snat_mode);
	return {};
}

Result<> Corridor::publish(const policy::CompiledPolicy &policy, std::uint32_t generation)
{
	if (auto prepared = prepare(policy, generation); !prepared)
		return prepared;
	return flip(generation);
}

Result<> Corridor::prepare(const policy::CompiledPolicy &policy, std::uint32_t generation)
{
	state_->prepared = 0;
	const auto nodes = policy.nodes();
	const auto decisions = policy.decisions();
	const Sizes &sizes = state_->spec.sizes;
	if (nodes.size() > sizes.policy_nodes || decisions.size() > sizes.policy_decisions)
		return fail(ErrorKind::resource_exhausted,
			    "the policy takes " + std::to_string(nodes.size()) + " nodes and " +
				    std::to_string(decisions.size()) + " decisions; this node has room for " +
				    std::to_string(sizes.policy_nodes) + " and " +
				    std::to_string(sizes.policy_decisions) +
				    " (dataplane.policy_nodes, dataplane.policy_decisions)");
	if (generation != this->generation() + 1)
		return fail(ErrorKind::conflict, "generation " + std::to_string(generation) +
							 " does not follow " +
							 std::to_string(this->generation()));
	if (auto quiet = wait_for_readers(); !quiet)
		return quiet;
	const std::uint32_t half = generation & 1;
	auto *active = state_->maps.policy_active.as<nw_policy_active>();
	std::copy(nodes.begin(), nodes.end(),
		  state_->maps.policy_nodes.as<nw_policy_node>() + std::size_t{half} * sizes.policy_nodes);
	std::copy(decisions.begin(), decisions.end(),
		  state_->maps.policy_decisions.as<nw_decision>() +
			  std::size_t{half} * sizes.policy_decisions);
	std::atomic_ref(active->root[half]).store(policy.root(), std::memory_order_release);
	state_->prepared = generation;
	return {};
}

Result<> Corridor::flip(std::uint32_t generation)
{
	if (generation == 0 || generation != state_->prepared)
		return fail(ErrorKind::conflict,
			    "generation " + std::to_string(generation) + " is not the prepared one");
	state_->prepared = 0;
	auto *active = state_->maps.policy_active.as<nw_policy_active>();
	std::atomic_ref(active->generation).store(generation, std::memory_order_release);
	return {};
}

std::uint32_t Corridor::generation() const
{
	auto *active = state_->maps.policy_active.as<nw_policy_active>();
	return std::atomic_ref(active->generation).load(std::memory_order_acquire);
}

Result<Explanation> Corridor::explain(const Question &question)
{
	return explain_frame(frame_of(question, state_->question_mac));
}

Result<Explanation> Corridor::explain_frame(std::span<const std::byte> frame)
{
	for (;;) { // again when a publish reused the half that decided, before its decision was read
		auto report = ask(state_->dry_program, frame);
		if (!report)
			return tl::unexpected(report.error());
		Explanation explanation{};
		explanation.verdict = static_cast<nw_verdict>(report->flow_hash);
		explanation.generation = report->generation;
		explanation.decided = report->decision != NW_NO_DECISION;
		if (explanation.decided) {
			const std::size_t half = report->generation & 1;
			explanation.decision = state_->maps.policy_decisions.as<
				nw_decision>()[half * state_->spec.sizes.policy_decisions + report->decision];
		}
		if (!explanation.decided || generation() == report->generation)
			return explanation;
	}
}

VerdictCounts Corridor::xdp_verdicts() const
{
	return sum_of_cpus(state_->maps.verdicts.fd());
}

VerdictCounts Corridor::poller_verdicts() const
{
	VerdictCounts counts{};
	auto *shared = state_->maps.poller_verdicts.as<nw_verdict_count>();
	for (std::size_t i = 0; i < counts.size(); i++)
		counts[i] = {std::atomic_ref(shared[i].packets).load(),
			     std::atomic_ref(shared[i].bytes).load()};
	return counts;
}

std::uint64_t Corridor::drain_denials(const TakeDenial &take) const
{
	return dataplane::drain_denials(state_->maps.denials.elements<nw_denial_set>(), take);
}

std::uint64_t Corridor::live_flow_lines() const
{
	auto *lines = state_->maps.flow_table.as<nw_flow_line>();
	std::uint64_t live = 0;
	for (std::size_t i = 0; i < state_->spec.sizes.flow_lines; i++)
		live += nw_load(&lines[i].sequence) != 0 &&
			nw_load(&lines[i].protocol) != NW_LINE_PROTOCOL_DEAD;
	return live;
}

Result<> Corridor::uninstall(const std::string &bpffs)
{
	std::error_code code;
	std::filesystem::directory_iterator entries(bpffs, code);
	if (code)
		return fail(ErrorKind::not_found,
			    "nothing is installed under " + bpffs + ": " + code.message());
	// A wrong path must not cost anybody a file, nor a shared directory somebody else's pins.
	if (auto sound = check_bpf_file_system(bpffs); !sound)
		return sound;
	std::vector<std::filesystem::path> pins;
	for (const auto &entry : entries)
		if (is_pin_of_ours(entry.path().filename().string()))
			pins.push_back(entry.path());
	for (const auto &pin : pins) {
		if (pin.filename().string().starts_with("link_"))
			if (auto detached = detach(pin.string()); !detached)
				return detached;
		if (!std::filesystem::remove(pin, code) && code)
			return fail(ErrorKind::unavailable,
				    "cannot remove " + pin.string() + ": " + code.message());
	}
	std::filesystem::remove(bpffs, code); // a mount point stays, and so does what holds others' pins
	return {};
}

Corridor::Corridor(std::unique_ptr<State> state) : state_(std::move(state)) {}
Corridor::Corridor(Corridor &&) noexcept = default;
Corridor &Corridor::operator=(Corridor &&) noexcept = default;
Corridor::~Corridor() = default;

} // namespace neuwerk::dataplane
