// The appliance in std containers.
#include "dataplane/sim/sim.h"

#include "dataplane/flows/environment.h"
#include "dataplane/flows/tracker.h"
#include "policy/policy.h"

#include "corridor.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <random>

namespace neuwerk::dataplane {

namespace {

constexpr std::uint32_t node_limit = 1u << 15; // per half
constexpr std::uint32_t decision_limit = 1u << 15;
constexpr std::uint32_t hop_limit = 1u << 10;
constexpr std::uint64_t second_ns = 1'000'000'000;
constexpr int lines_per_step = 1 << 16;

// Resolves from the spec's table at once; an index never changes its meaning.
class ListedHops : public NextHops {
public:
	ListedHops(const SimSpec &spec, std::span<nw_next_hop> hops) : spec_(spec), hops_(hops) {}

	std::uint16_t resolve(__be32 address_be) override
	{
		const std::uint32_t address = NW_HOST32(address_be);
		if (const auto known = index_.find(address); known != index_.end())
			return known->second;
		const auto listed = spec_.hops.find(address);
		if ((listed == spec_.hops.end() && !spec_.default_hop) || next_ == hop_limit)
			return 0;
		nw_next_hop hop = listed == spec_.hops.end() ? *spec_.default_hop : listed->second;
		hop.sequence = 2;
		hops_[next_] = hop;
		index_[address] = next_;
		return next_++;
	}
	bool hold(std::uint16_t index) override
	{
		return index != 0 && index < next_;
	}
	void release(std::uint16_t) override {}

private:
	const SimSpec &spec_;
	std::span<nw_next_hop> hops_;
	std::map<std::uint32_t, std::uint16_t> index_;
	std::uint16_t next_ = 1;
};

class Recorder : public EventSink {
public:
	void event(const nw_event &event, const FlowTraffic &) override
	{
		events.push_back(event);
	}
	std::vector<nw_event> events;
};

nw_config config_of(const SimSpec &spec)
{
	nw_config config{};
	config.flow_line_mask = spec.flow_lines - 1;
	config.hash_seed = 20'26;
	config.policy_node_limit = node_limit;
	config.policy_decision_limit = decision_limit;
	config.snat_mode = static_cast<__u8>(spec.settings.snat_mode);
	config.port_count = static_cast<__u8>(spec.ports.size());
	config.timeouts = spec.settings.timeouts;
	config.event_interval_ns = 1; // every event is reported
	config.event_burst_ns = UINT32_MAX;
	for (std::size_t i = 0; i < spec.settings.own_addresses.size(); i++)
		config.own_address_be[i] = NW_BE32(spec.settings.own_addresses[i]);
	for (std::size_t i = 0; i < spec.settings.external.size(); i++)
		config.external[i] = nw_mapped_ipv4(NW_BE32(spec.settings.external[i]));
	config.own_address_count = static_cast<__u8>(spec.settings.own_addresses.size());
	config.external_count = static_cast<__u8>(spec.settings.external.size());
	std::copy(spec.settings.host_services.begin(), spec.settings.host_services.end(),
		  config.host_service);
	std::copy(spec.ports.begin(), spec.ports.end(), config.port);
	return config;
}

} // namespace

struct Sim::State {
	SimSpec spec;
	nw_config config;
	nw_policy_active active{};
	std::vector<nw_policy_node> nodes;
	std::vector<nw_decision> decisions;
	std::vector<nw_flow_line> lines;
	std::vector<nw_next_hop> hops;
	DataplaneMemory memory;
	ListedHops listed;
	Recorder recorder;
	std::mt19937 random{20'26};
	std::uint64_t now_ns;
	__u64 event_bucket = 0;
	Tracker tracker;
	VerdictCounts xdp{};
	VerdictCounts poller{};

	State(const SimSpec &given, std::uint64_t start_ns)
	    : spec(given), config(config_of(given)), nodes(2 * node_limit), decisions(2 * decision_limit),
	      lines(given.flow_lines), hops(hop_limit),
	      memory{&config, &active, nodes, decisions, lines, hops}, listed(spec, hops), now_ns(start_ns),
	      tracker(
		      memory, listed, recorder, [this] { return static_cast<std::uint32_t>(random()); },
		      start_ns)
	{
	}
};

Sim::Sim(const SimSpec &spec, std::uint64_t start_ns) : state_(std::make_unique<State>(spec, start_ns)) {}
Sim::~Sim() = default;

Result<> Sim::publish(const policy::CompiledPolicy &policy)
{
	if (policy.nodes().size() > node_limit || policy.decisions().size() > decision_limit)
		return fail(ErrorKind::resource_exhausted, "the policy does not fit the simulator");
	const std::uint32_t generation = state_->active.generation + 1;
	const std::uint32_t half = generation & 1;
	std::ranges::copy(policy.nodes(), state_->nodes.begin() + half * node_limit);
	std::ranges::copy(policy.decisions(), state_->decisions.begin() + half * decision_limit);
	state_->active.root[half] = policy.root();
	state_->active.generation = generation;
	return {};
}

std::uint32_t Sim::generation() const
{
	return state_->active.generation;
}

Reaction Sim::receive(std::uint8_t ingress_port, std::span<std::uint8_t> frame)
{
	State &state = *state_;
	Reaction reaction{NW_VERDICT_COUNT, NW_VERDICT_COUNT, {}};
	nw_passage passage{};
	{
		const Environment environment{&state.memory, &state.recorder, &state.event_bucket,
					      state.now_ns};
		const EnvironmentScope scope(environment);
		reaction.xdp = nw_corridor({frame.data(), frame.data() + frame.size()}, ingress_port, false,
					   &passage);
	}
	state.xdp[reaction.xdp].packets++;
	state.xdp[reaction.xdp].bytes += frame.size();
	if (reaction.xdp == NW_VERDICT_forwarded_in_xdp)
		reaction.egress_port = passage.egress_port;
	if (reaction.xdp != NW_VERDICT_handed_to_poller)
		return reaction;

	const nw_handoff handoff{NW_HANDOFF_MAGIC, passage.generation, passage.decision, passage.flow_hash};
	const Outcome outcome = state.tracker.handle(frame, ingress_port, &handoff, state.now_ns);
	reaction.poller = outcome.verdict;
	state.poller[outcome.verdict].packets++;
	state.poller[outcome.verdict].bytes += frame.size();
	if (outcome.verdict == NW_VERDICT_forwarded_by_poller)
		reaction.egress_port = outcome.egress_port;
	return reaction;
}

void Sim::advance(std::uint64_t by_ns)
{
	State &state = *state_;
	const std::uint64_t end_ns = state.now_ns + by_ns;
	while (state.now_ns < end_ns) {
		state.now_ns = std::min(end_ns, state.now_ns + second_ns);
		state.tracker.advance(state.now_ns, lines_per_step);
	}
}

std::vector<nw_event> Sim::take_events()
{
	// What XDP emits on its ring reaches the tracker; here the ring is the recorder itself.
	std::vector<nw_event> events;
	events.swap(state_->recorder.events);
	for (const nw_event &event : events)
		if (event.kind == NW_EVENT_flow_denied)
			state_->tracker.on_event(event, state_->now_ns);
	std::erase_if(state_->recorder.events,
		      [](const nw_event &event) { return event.kind == NW_EVENT_flow_denied; });
	events.insert(events.end(), state_->recorder.events.begin(), state_->recorder.events.end());
	state_->recorder.events.clear();
	return events;
}

std::uint64_t Sim::active_flows() const
{
	return state_->tracker.status().active_flows;
}

std::span<const nw_flow_line> Sim::lines() const
{
	return state_->lines;
}

const VerdictCounts &Sim::xdp_verdicts() const
{
	return state_->xdp;
}

const VerdictCounts &Sim::poller_verdicts() const
{
	return state_->poller;
}

} // namespace neuwerk::dataplane
