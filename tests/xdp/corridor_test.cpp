// The libbpf adapter against a real kernel: attach, publish, explain, restart, uninstall.
#include "private_corridor.h"

#include "dataplane/publish/frame.h"
#include "model/policy.h"
#include "path/packet.h"
#include "policy/policy.h"

#include <doctest/doctest.h>

#include <filesystem>
#include <map>

namespace {

using namespace neuwerk;
using xdp_test::PrivateCorridor;

constexpr dataplane::Sizes small{.flow_lines = 1024, .policy_nodes = 4096, .policy_decisions = 4096};
constexpr std::uint32_t client = 0x0a000002, server = 0xc633640a;

policy::CompiledPolicy compiled(const std::string &document)
{
	const auto parsed = policy::parse(document, policy::Syntax::yaml);
	REQUIRE_MESSAGE(parsed, (parsed ? "" : parsed.error().what));
	auto compiled = policy::compile(*parsed, {.internal = {{0x0a000000, 8}}}, {4096, 4096});
	REQUIRE(compiled);
	return *compiled;
}

const char *const allow_web = "source_groups: [{id: a, mode: enforce, sources: {cidrs: [10.0.0.0/24]}, "
			      "rules: [{id: web, action: allow, match: {proto: tcp, dst_ports: [443]}}]}]";
const char *const deny_all = "source_groups: []";

} // namespace

TEST_CASE("a corridor without a policy drops, with one it decides, and explaining moves no counter")
{
	auto made = PrivateCorridor::make(small);
	REQUIRE_MESSAGE(made, (made ? "" : made.error().what));
	auto &corridor = made->corridor();
	const dataplane::Question question{client, server, 6, 40000, 443};

	auto before = corridor.explain(question);
	REQUIRE(before);
	CHECK(before->verdict == NW_VERDICT_dropped_no_policy);
	CHECK_FALSE(before->decided);

	REQUIRE(corridor.publish(compiled(allow_web), 1));
	auto after = corridor.explain(question);
	REQUIRE(after);
	CHECK(after->verdict == NW_VERDICT_handed_to_poller);
	CHECK(after->generation == 1);
	CHECK(after->decision.group == 0);
	CHECK(after->decision.rule == 0);

	for (const nw_verdict_count &count : corridor.xdp_verdicts())
		CHECK(count.packets == 0);
}

TEST_CASE("a generation must follow the one in force, and a policy that does not fit changes nothing")
{
	auto made = PrivateCorridor::make({.flow_lines = 1024, .policy_nodes = 4, .policy_decisions = 4});
	REQUIRE_MESSAGE(made, (made ? "" : made.error().what));
	auto &corridor = made->corridor();
	REQUIRE(corridor.publish(compiled(deny_all), 1));

	CHECK_FALSE(corridor.publish(compiled(deny_all), 1));
	CHECK_FALSE(corridor.publish(compiled(deny_all), 3));
	std::string big = "source_groups: [{id: a, mode: enforce, sources: {cidrs: [10.0.0.0/24]}, rules: [";
	for (int i = 0; i < 64; i++)
		big += "{id: r" + std::to_string(i) +
		       ", action: allow, match: {proto: tcp, dst_ips: [198.51.100." + std::to_string(i) +
		       "], dst_ports: [" + std::to_string(1000 + 7 * i) + "]}},";
	const auto refused = corridor.publish(compiled(big + "]}]"), 2);
	REQUIRE_FALSE(refused);
	CHECK(refused.error().kind == ErrorKind::resource_exhausted);
	CHECK(corridor.generation() == 1);
}

TEST_CASE("a second open finds maps, link and policy as they were, and exchanges the program")
{
	auto made = PrivateCorridor::make(small);
	REQUIRE_MESSAGE(made, (made ? "" : made.error().what));
	REQUIRE(made->corridor().publish(compiled(allow_web), 1));
	const dataplane::CorridorSpec spec{.bpffs = std::filesystem::path(made->pin("x")).parent_path(),
					   .ports = {{.interface = "inside", .side = NW_SIDE_INSIDE},
						     {.interface = "outside", .side = NW_SIDE_OUTSIDE}},
					   .sizes = small};

	auto again = dataplane::Corridor::open(spec);
	REQUIRE_MESSAGE(again, (again ? "" : again.error().what));
	CHECK(again->generation() == 1);
	CHECK(again->explain({client, server, 6, 40000, 443})->verdict == NW_VERDICT_handed_to_poller);

	auto other = spec;
	other.sizes.flow_lines = 2048;
	const auto refused = dataplane::Corridor::open(other);
	REQUIRE_FALSE(refused);
	CHECK(refused.error().what.find("flow_table") != std::string::npos);
	CHECK(refused.error().what.find("uninstall") != std::string::npos);
}

TEST_CASE("uninstall leaves neither pins nor a program")
{
	auto made = PrivateCorridor::make(small);
	REQUIRE_MESSAGE(made, (made ? "" : made.error().what));
	const std::string directory = std::filesystem::path(made->pin("x")).parent_path();

	REQUIRE(dataplane::Corridor::uninstall(directory));
	CHECK_FALSE(std::filesystem::exists(directory));
	CHECK(std::system("ip link show inside | grep -q xdp") != 0);
	CHECK_FALSE(dataplane::Corridor::uninstall(directory));
}

TEST_CASE("every denied packet is counted by rule and destination, and read once by whoever reads")
{
	auto made = PrivateCorridor::make(small);
	REQUIRE_MESSAGE(made, (made ? "" : made.error().what));
	auto &corridor = made->corridor();
	REQUIRE(corridor.publish(compiled(allow_web), 1));
	const auto program = made->enforcing_program("inside");
	REQUIRE_MESSAGE(program, (program ? "" : program.error().what));
	const auto deny = [&](const dataplane::Question &question, int times) {
		const auto frame = dataplane::frame_of(question, xdp_test::inside_mac);
		for (int i = 0; i < times; i++)
			REQUIRE(PrivateCorridor::run(*program, frame) == 1); // XDP_DROP
	};
	std::uint64_t without_line = 0;
	const auto read = [&] {
		std::map<std::pair<int, int>, std::uint64_t> packets; // protocol, port or ICMP type and code
		without_line = corridor.drain_denials([&](const nw_denial &line, std::uint32_t count) {
			CHECK(line.key.kind == NW_EVENT_denied);
			CHECK(line.key.generation == 1);
			CHECK(line.key.group == NW_NO_GROUP);
			CHECK(line.key.rule == NW_NO_RULE);
			CHECK(line.key.destination.word_be[3] == NW_BE32(server));
			CHECK(line.source.word_be[3] == NW_BE32(client));
			packets[{line.key.protocol, NW_HOST16(line.key.service_port_be)}] += count;
		});
		return packets;
	};
	deny({client, server, 6, 40000, 80}, 1500); // more than events are reported
	deny({client, server, 17, 40000, 53}, 3);
	deny({client, server, 1, 77, 0, 8, 0}, 2);
	auto packets = read();
	CHECK(packets[{6, 80}] == 1500);
	CHECK(packets[{17, 53}] == 3);
	CHECK(packets[{1, 8 << 8}] == 2);
	CHECK(packets.size() == 3);
	CHECK(read().empty());

	deny({client, server, 17, 40000, 53}, 4);
	packets = read();
	CHECK(packets[{17, 53}] == 4);
	CHECK(packets.size() == 1);
	CHECK(without_line == 0);
	CHECK(corridor.xdp_verdicts()[NW_VERDICT_denied_by_default].packets == 1509);
}
