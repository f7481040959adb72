// A thousand policy swaps under millions of packets: no packet meets two policies, no allowed flow loses one.
#include "private_corridor.h"

#include "dataplane/flows/flow_table.h"
#include "dataplane/publish/frame.h"
#include "dataplane/publish/pinned_maps.h"
#include "path/parse.h"
#include "path/track.h"
#include "policy/policy.h"
#include "properties/generate.h"
#include "properties/oracle.h"

#include <doctest/doctest.h>
#include <linux/bpf.h>

#include <atomic>
#include <cstring>
#include <ctime>
#include <numeric>
#include <thread>

namespace {

using namespace neuwerk;
using xdp_test::PrivateCorridor;

constexpr std::uint32_t swap_count = 1000;
constexpr std::uint64_t packet_target = 5'000'000;
constexpr std::size_t policy_count = 16;
constexpr std::size_t packet_kinds = 2000;
constexpr std::uint32_t flow_count = 10'000;
constexpr std::uint32_t flow_client =
	0x0ac80000; // 10.200.0.0/16: every policy allows it, before anything else
constexpr std::uint32_t flow_server = 0xc633640a;

const dataplane::Sizes sizes{.flow_lines = 1u << 16};

// Random policies over one set of packets, each with the oracle's answers.
struct Play {
	std::vector<policy::Query> packets;
	std::vector<std::vector<std::byte>> frames;
	std::vector<policy::CompiledPolicy> policies;
	std::vector<std::vector<nw_decision>> truth; // by policy, then by packet
};

model::Policy with_flows_allowed(model::Policy policy)
{
	model::SourceGroup group{};
	group.id = "established";
	group.priority = 0;
	group.sources.prefixes = {{flow_client, 16}};
	group.default_action = model::Action::allow;
	policy.source_groups.insert(policy.source_groups.begin(), group);
	return policy;
}

Play make_play()
{
	Play play;
	const std::uint64_t seed = properties::seed_of_the_run();
	for (std::size_t i = 0; i < policy_count; i++) {
		auto scenario = properties::make_scenario(seed + i, properties::Universe::corridor,
							  packet_kinds / policy_count);
		play.packets.insert(play.packets.end(), scenario.packets.begin(), scenario.packets.end());
	}
	for (const policy::Query &query : play.packets)
		play.frames.push_back(dataplane::frame_of({query.source, query.destination, query.protocol,
							   query.source_port, query.destination_port,
							   query.icmp_type, query.icmp_code},
							  xdp_test::inside_mac));
	for (std::size_t i = 0; i < policy_count; i++) {
		const auto scenario =
			properties::make_scenario(seed + i, properties::Universe::corridor, 100);
		const model::Policy policy = with_flows_allowed(scenario.policy);
		policy::Surroundings surroundings = scenario.surroundings;
		const auto compiled = policy::compile(policy, surroundings, {});
		REQUIRE(compiled);
		play.policies.push_back(*compiled);
		const properties::Oracle oracle(policy, surroundings);
		auto &truth = play.truth.emplace_back();
		for (const policy::Query &query : play.packets)
			truth.push_back(oracle.judge(query));
	}
	return play;
}

// Asks the dry program about packet after packet until told to stop; counts answers that differ from the
// oracle's for the generation that they name.
struct Asker {
	std::atomic<std::uint64_t> asked = 0;
	std::atomic<std::uint64_t> wrong = 0;

	void run(dataplane::Corridor &corridor, const Play &play, const std::atomic<bool> &stop)
	{
		for (std::size_t i = 0; !stop; i = (i + 1) % play.frames.size()) {
			const auto answer = corridor.explain_frame(play.frames[i]);
			asked++;
			if (!answer || !answer->decided || answer->generation == 0) {
				wrong++;
				continue;
			}
			const nw_decision &truth = play.truth[answer->generation % policy_count][i];
			const nw_verdict verdict = truth.verdict == NW_VERDICT_forwarded_in_xdp
							   ? NW_VERDICT_handed_to_poller
							   : static_cast<nw_verdict>(truth.verdict);
			if (answer->verdict != verdict ||
			    std::memcmp(&answer->decision, &truth, sizeof(truth)) != 0)
				wrong++;
		}
	}
};

// 10,000 established UDP flows in the pinned table, as the poller would have published them.
std::vector<std::vector<std::byte>> establish_flows(const std::string &directory, std::uint64_t now_ns)
{
	auto maps = dataplane::open_pinned_maps(directory, sizes);
	REQUIRE_MESSAGE(maps, (maps ? "" : maps.error().what));
	auto *hops = maps->next_hops.as<nw_next_hop>();
	hops[1].mtu_bytes = 1500;
	hops[1].port = 1;
	hops[1].sequence = 2;
	const auto *config = maps->config.as<nw_config>();
	dataplane::FlowTable table({maps->flow_table.as<nw_flow_line>(), sizes.flow_lines}, *config, 1);
	std::vector<std::vector<std::byte>> frames;
	for (std::uint32_t i = 0; i < flow_count; i++) {
		nw_flow_line line{};
		line.protocol = NW_PROTOCOL_UDP;
		line.inside = nw_mapped_ipv4(NW_BE32(flow_client + i));
		line.remote = nw_mapped_ipv4(NW_BE32(flow_server));
		line.inside_port_be = line.external_port_be = NW_BE16(5000);
		line.remote_port_be = NW_BE16(9);
		line.next_hop = 1;
		line.last_seen_ticks = nw_tick_of(now_ns);
		REQUIRE(table.publish(line, now_ns));
		frames.push_back(dataplane::frame_of({flow_client + i, flow_server, NW_PROTOCOL_UDP, 5000, 9},
						     xdp_test::inside_mac));
	}
	return frames;
}

std::uint64_t now_ns()
{
	timespec now{};
	clock_gettime(CLOCK_MONOTONIC, &now);
	return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
	       static_cast<std::uint64_t>(now.tv_nsec);
}

std::uint64_t total(const dataplane::VerdictCounts &counts)
{
	return std::accumulate(
		counts.begin(), counts.end(), std::uint64_t{0},
		[](std::uint64_t sum, const nw_verdict_count &count) { return sum + count.packets; });
}

} // namespace

TEST_CASE("under a thousand swaps every verdict is right for the generation it names, and no flow loses a "
	  "packet")
{
	auto made = PrivateCorridor::make(sizes);
	REQUIRE_MESSAGE(made, (made ? "" : made.error().what));
	auto &corridor = made->corridor();
	const Play play = make_play();
	const auto flow_frames = establish_flows(made->pin(""), now_ns());
	auto enforcing = made->enforcing_program("inside");
	REQUIRE(enforcing);
	REQUIRE(corridor.publish(play.policies[1 % policy_count], 1));

	std::atomic<bool> stop = false;
	Asker asker;
	std::uint64_t forwarded = 0, lost = 0;
	std::thread asking([&] { asker.run(corridor, play, stop); });
	std::thread flowing([&] {
		for (std::size_t i = 0; !stop; i = (i + 1) % flow_frames.size())
			(PrivateCorridor::run(*enforcing, flow_frames[i]) == XDP_REDIRECT ? forwarded
											  : lost)++;
	});
	std::uint32_t swaps = 0;
	for (std::uint32_t generation = 2; swaps < swap_count || asker.asked + forwarded < packet_target;
	     generation++) {
		CHECK(corridor.publish(play.policies[generation % policy_count], generation));
		swaps++;
	}
	stop = true;
	asking.join();
	flowing.join();

	CHECK(asker.wrong == 0);
	CHECK(lost == 0);
	const auto verdicts = corridor.xdp_verdicts();
	CHECK(verdicts[NW_VERDICT_forwarded_in_xdp].packets == forwarded);
	CHECK(total(verdicts) == forwarded + lost);
	MESSAGE(swaps, " swaps, ", asker.asked.load(), " packets judged, ", forwarded,
		" of established flows, ", lost, " lost");
}
