// The loop of the packet thread.
#include "dataplane/poller/packet_loop.h"

#include <array>
#include <ctime>

namespace neuwerk::dataplane {

namespace {

constexpr int empty_rounds_before_sleep = 32;
constexpr int looks_per_round = 64;
// Under load: kernel notifications are read this often. Asleep: they wake us.
constexpr std::uint64_t rare_ns = 10'000'000;
constexpr std::uint64_t tidy_ns = 1'000'000'000;

std::uint64_t now_monotonic_ns()
{
	timespec now{};
	clock_gettime(CLOCK_MONOTONIC, &now);
	return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000 +
	       static_cast<std::uint64_t>(now.tv_nsec);
}

} // namespace

PacketLoop::PacketLoop(const LoopParts &parts) : parts_(parts) {}

void PacketLoop::run(const std::atomic<bool> &stop)
{
	int empty_rounds = 0;
	while (!stop.load(std::memory_order_relaxed)) {
		const std::uint64_t now_ns = now_monotonic_ns();
		std::size_t received = 0;
		for (std::uint8_t port = 0; port < parts_.port_count; port++)
			received += serve(port, now_ns);
		parts_.maps.read_events();
		parts_.tracker.advance(now_ns, looks_per_round);
		if (now_ns >= next_rare_ns_)
			serve_rarely(now_ns);
		for (std::uint8_t port = 0; port < parts_.port_count; port++)
			flush(port);
		empty_rounds = received ? 0 : empty_rounds + 1;
		if (empty_rounds > empty_rounds_before_sleep) {
			sleep_until_needed(now_ns);
			empty_rounds = 0;
			next_rare_ns_ = 0;
		}
	}
}

std::size_t PacketLoop::serve(std::uint8_t port, std::uint64_t now_ns)
{
	std::array<Packet, DataPorts::burst> packets;
	const std::size_t count = parts_.ports.receive(port, packets);
	for (std::size_t i = 0; i < count; i++)
		handle(port, packets[i], now_ns, now_ns);
	return count;
}

void PacketLoop::handle(std::uint8_t port, Packet packet, std::uint64_t since_ns, std::uint64_t now_ns)
{
	const nw_handoff handoff = packet.handoff();
	const Outcome outcome = parts_.tracker.handle(packet.frame(), port, &handoff, now_ns);
	if (outcome.verdict == NW_VERDICT_forwarded_by_poller && outcome.egress_port < parts_.port_count) {
		if (parts_.ports.queue(outcome.egress_port, packet))
			flush(outcome.egress_port);
		return;
	}
	if (outcome.verdict == NW_VERDICT_dropped_no_next_hop && outcome.awaited_hop != 0 &&
	    held_.hold({packet, since_ns, outcome.awaited_hop, port}))
		return;
	count(outcome.verdict, {1, packet.frame().size()});
	packet.drop();
}

void PacketLoop::flush(std::uint8_t port)
{
	const Flushed flushed = parts_.ports.flush(port);
	count(NW_VERDICT_forwarded_by_poller, flushed.sent);
	count(NW_VERDICT_dropped_poller_busy, flushed.refused);
}

// All of them go through the tracker again: the one that waits for something else is held again.
void PacketLoop::serve_held(std::uint64_t now_ns)
{
	for (std::size_t left = held_.count(); left > 0; left--) {
		const HeldFrames::Held frame = held_.take_oldest();
		handle(frame.port, frame.packet, frame.since_ns, now_ns);
	}
}

void PacketLoop::serve_rarely(std::uint64_t now_ns)
{
	next_rare_ns_ = now_ns + rare_ns;
	parts_.netlink.pump(parts_.next_hops);
	if (parts_.next_hops.resolved_count() != resolved_before_) {
		resolved_before_ = parts_.next_hops.resolved_count();
		serve_held(now_ns);
	}
	while (!held_.is_empty() && now_ns - held_.oldest().since_ns > HeldFrames::patience_ns) {
		const HeldFrames::Held frame = held_.take_oldest();
		count(NW_VERDICT_dropped_no_next_hop, {1, frame.packet.frame().size()});
		frame.packet.drop();
	}
	if (now_ns >= next_tidy_ns_) {
		next_tidy_ns_ = now_ns + tidy_ns;
		parts_.next_hops.tidy(now_ns);
	}
}

void PacketLoop::sleep_until_needed(std::uint64_t now_ns)
{
	std::uint64_t until_ns = now_ns + tidy_ns;
	if (const auto due_ns = parts_.tracker.next_due_ns(); due_ns && *due_ns < until_ns)
		until_ns = *due_ns;
	if (until_ns > now_ns)
		parts_.sleep.wait(until_ns - now_ns);
}

// The map is read by others meanwhile; this thread is its only writer.
void PacketLoop::count(nw_verdict verdict, Traffic traffic)
{
	if (traffic.packets == 0)
		return;
	nw_verdict_count &place = parts_.maps.verdicts()[verdict];
	__atomic_store_n(&place.packets, place.packets + traffic.packets, __ATOMIC_RELAXED);
	__atomic_store_n(&place.bytes, place.bytes + traffic.bytes, __ATOMIC_RELAXED);
}

} // namespace neuwerk::dataplane
