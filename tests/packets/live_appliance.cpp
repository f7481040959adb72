// A real appliance: neuwerkd, XDP, DPDK and two hosts, each in its own network namespace.
#include "appliance.h"
#include "live_hosts.h"
#include "local_api.h"

#include "abi/verdict.h"

#include "neuwerk/v1/control.pb.h"
#include "proto/message_json.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <thread>

namespace neuwerk::packets {

namespace {

using namespace std::chrono_literals;
using Counts = std::array<nw_verdict_count, NW_VERDICT_COUNT>;

constexpr auto patience = 3000ms; // for what must happen; what must not is known from the counters

const char *const verdict_names[] = {
#define NAME(name, fate, why) #name,
	NW_VERDICTS(NAME)
#undef NAME
};

// Somewhere of its own for one appliance: configuration, state, sockets, bpffs. Removed at the end.
class Place {
public:
	// scripts/test cleans its scratch directory after an interrupted run; alone, the next run does.
	explicit Place(std::string prefix) : prefix_(std::move(prefix))
	{
		const char *scratch = std::getenv("NW_TEST_DIRECTORY");
		directory_ = std::string(scratch ? scratch : "/tmp") + "/" + prefix_;
		(void)run_shell("nw_bpffs_down " + bpffs());
		std::filesystem::remove_all(directory_);
		std::filesystem::create_directories(directory_);
	}
	~Place()
	{
		(void)run_shell("nw_bpffs_down " + bpffs());
		std::error_code ignored;
		std::filesystem::remove_all(directory_, ignored);
	}
	Place(const Place &) = delete;
	Place &operator=(const Place &) = delete;

	[[nodiscard]] const std::string &prefix() const
	{
		return prefix_;
	}
	[[nodiscard]] std::string file(const std::string &name) const
	{
		return directory_ + "/" + name;
	}
	[[nodiscard]] std::string bpffs() const
	{
		return directory_ + "/bpf";
	}

private:
	std::string prefix_;
	std::string directory_;
};

std::string config_text(const Place &place, Form form, const Setting &setting)
{
	std::string text =
		"version: 1\npolicy:\n  internal_cidr: 10.0.0.0/8\ndataplane:\n  flow_lines: 4096\n";
	text += "  snat: " + (setting.snat == "auto-unknown" ? "auto" : setting.snat) + "\n  ports:\n";
	if (form == Form::one_arm)
		text += "    - {interface: data, side: both}\n";
	else
		text += "    - {interface: inside, side: inside}\n    - {interface: outside, side: "
			"outside}\n";
	if (!setting.host_services.empty())
		text += "  host_services:\n";
	for (const std::string &service : setting.host_services) {
		const auto space = service.find(' ');
		const std::string protocol = service.substr(0, space);
		text += "    - {proto: " + protocol +
			(protocol == "icmp" ? "" : ", port: " + service.substr(space + 1)) + "}\n";
	}
	text += "metrics:\n  bind: 127.0.0.1:8080\npaths:\n  state: " + place.file("state") +
		"\n  run: " + place.file("run") + "\n  bpffs: " + place.bpffs() + "/nw\n";
	return text;
}

Counts counts_of(int fd, bool per_cpu)
{
	static const auto cpus = static_cast<std::size_t>(libbpf_num_possible_cpus());
	std::vector<nw_verdict_count> values(cpus);
	Counts counts{};
	for (std::uint32_t verdict = 0; verdict < NW_VERDICT_COUNT; verdict++) {
		if (bpf_map_lookup_elem(fd, &verdict, values.data()) != 0)
			continue;
		for (std::size_t cpu = 0; cpu < (per_cpu ? cpus : 1); cpu++) {
			counts[verdict].packets += values[cpu].packets;
			counts[verdict].bytes += values[cpu].bytes;
		}
	}
	return counts;
}

// Which verdict one frame of this size got between two readings. ARP (42 bytes) comes and goes meanwhile and
// is the only thing that does.
nw_verdict verdict_between(const Counts &before, const Counts &after, std::size_t frame_bytes)
{
	for (std::size_t i = 0; i < before.size(); i++) {
		const std::uint64_t bytes = after[i].bytes - before[i].bytes;
		const std::uint64_t packets = after[i].packets - before[i].packets;
		const bool is_arp_alone = i == NW_VERDICT_passed_to_kernel && bytes == packets * 42;
		if (packets && !is_arp_alone && bytes >= frame_bytes)
			return static_cast<nw_verdict>(i);
	}
	return NW_VERDICT_COUNT;
}

class Live : public Appliance {
public:
	Live(std::unique_ptr<Place> place, Hosts hosts, Process daemon)
	    : place_(std::move(place)), hosts_(std::move(hosts)), daemon_(std::move(daemon))
	{
	}

	Result<> connect()
	{
		socket_ = place_->file("run/neuwerkd.sock");
		const bool is_up = eventually(
			[this] {
				v1::NodeStatusReply reply;
				return !daemon_.is_running() || (status(reply) && reply.has_dataplane());
			},
			20s);
		if (!is_up || !daemon_.is_running())
			return fail(ErrorKind::unavailable, "neuwerkd does not come up: " + log_tail());
		xdp_ = Fd(bpf_obj_get((place_->bpffs() + "/nw/verdicts").c_str()));
		poller_ = Fd(bpf_obj_get((place_->bpffs() + "/nw/poller_verdicts").c_str()));
		auto follower =
			EventFollower::start(socket_, [this](const std::string &json) { on_event(json); });
		if (!follower)
			return tl::unexpected(follower.error());
		events_follower_.emplace(std::move(*follower));
		return {};
	}

	// Neighbours are resolved by first packets; transcripts begin when they are.
	Result<> warm_up(bool needs_address)
	{
		if (auto applied = apply("default_policy: allow\nsource_groups: []\n"); !applied)
			return applied;
		for (const char *inside : {"10.0.0.2", "10.0.0.3", "10.10.0.2"})
			for (const char *remote : {"198.51.100.10", "203.0.113.10"}) {
				const auto packet =
					read_packet(std::string(inside) + ":9 " + remote + ":65000 udp");
				const auto frame = frame_of(*packet, {}, inside_mac, client_mac);
				Observed last;
				if (!eventually(
					    [&] {
						    last = send(Side::inside, *frame);
						    return last.verdict != "dropped_no_next_hop";
					    },
					    10s) ||
				    (needs_address && last.left.empty()))
					return fail(ErrorKind::unavailable,
						    std::string("no way from ") + inside + " to " + remote +
							    ": " + last.verdict + ": " + log_tail());
			}
		baseline_flows_ = active_flows();
		sent_inside_.clear();
		return {};
	}

	Result<> apply(const std::string &document) override
	{
		const auto applied = ask_neuwerkd(socket_, "PUT", "/api/v1/policy", document);
		return applied ? Result<>{} : tl::unexpected(applied.error());
	}

	Observed send(Side side, const std::vector<std::uint8_t> &frame) override
	{
		{
			const std::lock_guard lock(mutex_);
			events_.clear();
		}
		if (side == Side::inside)
			sent_inside_.push_back(frame);
		Observed stray; // answers of the appliance's own kernel to what was passed to it
		collect(stray, 0ms);
		const Counts xdp_before = counts_of(xdp_.get(), true),
			     poller_before = counts_of(poller_.get(), false);
		if (auto sent = hosts_.send(side, frame); !sent)
			return {sent.error().what, {}};
		nw_verdict verdict = NW_VERDICT_COUNT;
		(void)eventually(
			[&] {
				verdict = verdict_between(xdp_before, counts_of(xdp_.get(), true),
							  frame.size());
				return verdict != NW_VERDICT_COUNT;
			},
			patience);
		if (verdict == NW_VERDICT_handed_to_poller)
			(void)eventually(
				[&] {
					verdict = verdict_between(
						poller_before, counts_of(poller_.get(), false), frame.size());
					return verdict != NW_VERDICT_COUNT;
				},
				patience);
		Observed observed{verdict == NW_VERDICT_COUNT ? "no verdict" : verdict_names[verdict], {}};
		if (verdict == NW_VERDICT_passed_to_kernel)
			return observed; // what the appliance's own kernel answers is not the corridor's
		const bool leaves =
			verdict == NW_VERDICT_forwarded_in_xdp || verdict == NW_VERDICT_forwarded_by_poller;
		collect(observed, leaves ? patience : 0ms);
		return observed;
	}

	std::vector<SeenEvent> events(const SeenEvent &wanted) override
	{
		std::vector<SeenEvent> seen;
		(void)eventually(
			[&] {
				const std::lock_guard lock(mutex_);
				seen = events_;
				return std::ranges::find(seen, wanted) != seen.end();
			},
			patience);
		return seen;
	}

	std::uint64_t flows(std::uint64_t wanted) override
	{
		std::uint64_t flows = 0;
		(void)eventually([&] { return (flows = active_flows() - baseline_flows_) == wanted; },
				 patience);
		return flows;
	}

	void pass(std::uint64_t) override {}

	// A policy that denies everything ends a flow with its next packet.
	Result<> sweep() override
	{
		if (auto denied = apply("source_groups: []\n"); !denied)
			return denied;
		const auto frames = std::move(sent_inside_);
		for (const auto &frame : frames)
			(void)send(Side::inside, frame);
		sent_inside_.clear();
		if (const auto left = flows(0); left != 0)
			return fail(ErrorKind::internal,
				    std::to_string(left) + " flows outlive a deny: " + log_tail());
		return {};
	}

private:
	bool status(v1::NodeStatusReply &reply)
	{
		const auto answer = ask_neuwerkd(socket_, "GET", "/api/v1/status");
		return answer && v1::from_json(*answer, reply);
	}

	std::uint64_t active_flows()
	{
		v1::NodeStatusReply reply;
		return status(reply) ? reply.dataplane().active_flows() : 0;
	}

	void on_event(const std::string &json)
	{
		v1::Event event;
		if (!v1::from_json(json, event))
			return;
		const std::lock_guard lock(mutex_);
		events_.push_back({event.kind(), event.group_name(),
				   event.rule_name().empty() ? "-" : event.rule_name()});
	}

	// Waits for one frame at either host if one must come, then takes what is there.
	void collect(Observed &observed, std::chrono::milliseconds wait)
	{
		(void)eventually(
			[&] {
				for (const Side side : {Side::inside, Side::outside})
					while (auto frame = hosts_.receive(side, 0ms))
						observed.left.push_back({side, std::move(*frame)});
				return wait == 0ms || !observed.left.empty();
			},
			wait);
	}

	std::string log_tail()
	{
		std::ifstream log(place_->file("log"));
		std::string text((std::istreambuf_iterator<char>(log)), {});
		return text.size() > 1500 ? text.substr(text.size() - 1500) : text;
	}

	std::unique_ptr<Place> place_;
	Hosts hosts_;
	Process daemon_;
	Fd xdp_, poller_;
	std::string socket_;
	std::mutex mutex_;
	std::vector<SeenEvent> events_;
	std::vector<std::vector<std::uint8_t>> sent_inside_; // since the last sweep
	std::uint64_t baseline_flows_ = 0;
	std::optional<EventFollower> events_follower_; // ends before what it fills
};

// For `snat auto-unknown`: routes without any address that SNAT could take.
std::string forget_addresses(const std::string &prefix, Form form)
{
	const std::string ip = "ip -n " + prefix + "-appliance ";
	const std::string in = form == Form::one_arm ? "data" : "inside",
			  out = form == Form::one_arm ? "data" : "outside";
	return ip + "address flush dev " + out + "; " + ip + "route add 10.0.0.0/24 dev " + in +
	       " || true; " + ip + "route add 203.0.113.0/24 dev " + out + "; " + ip +
	       "route add default via 203.0.113.10; " + ip + "route replace 10.10.0.0/16 via 10.0.0.2";
}

} // namespace

Result<std::unique_ptr<Appliance>> live_appliance(Form form, const Setting &setting)
{
	auto place = std::make_unique<Place>("nw-live");
	auto hosts = Hosts::up(place->prefix(), form);
	if (!hosts)
		return tl::unexpected(hosts.error());
	const bool has_address = setting.snat != "auto-unknown";
	if (!has_address)
		if (auto forgot = run_shell(forget_addresses(place->prefix(), form)); !forgot)
			return tl::unexpected(forgot.error());
	if (auto mounted = run_shell("nw_bpffs_up " + place->bpffs()); !mounted)
		return tl::unexpected(mounted.error());
	std::ofstream(place->file("config.yaml")) << config_text(*place, form, setting);
	auto daemon = Process::start(place->prefix() + "-appliance",
				     {NW_BIN_DIR "/neuwerkd", "--config", place->file("config.yaml")},
				     place->file("log"));
	if (!daemon)
		return tl::unexpected(daemon.error());
	auto live = std::make_unique<Live>(std::move(place), std::move(*hosts), std::move(*daemon));
	if (auto connected = live->connect(); !connected)
		return tl::unexpected(connected.error());
	if (auto warm = live->warm_up(has_address); !warm)
		return tl::unexpected(warm.error());
	return live;
}

} // namespace neuwerk::packets
