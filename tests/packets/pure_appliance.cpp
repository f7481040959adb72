// The simulator as an appliance of transcripts.
#include "appliance.h"

#include "abi/verdict.h"
#include "base/address.h"
#include "dataplane/sim/sim.h"
#include "path/packet.h"
#include "policy/policy.h"

#include <algorithm>
#include <map>
#include <sstream>

namespace neuwerk::packets {

namespace {

constexpr std::uint32_t outside_address = 0xcb007101; // 203.0.113.1
constexpr std::uint32_t inside_address = 0x0a000001;  // 10.0.0.1

const char *const verdict_names[] = {
#define NAME(name, fate, why) #name,
	NW_VERDICTS(NAME)
#undef NAME
};
const char *const event_names[] = {
#define NAME(name, why) #name,
	NW_EVENTS(NAME)
#undef NAME
};

nw_port port_of(const Mac &mac, nw_side side)
{
	nw_port port{};
	std::ranges::copy(mac, port.mac);
	port.mtu_bytes = 1500;
	port.side = static_cast<__u8>(side);
	return port;
}

nw_next_hop hop_to(const Mac &mac, const Mac &from, std::uint8_t port)
{
	nw_next_hop hop{};
	std::ranges::copy(mac, hop.destination_mac);
	std::ranges::copy(from, hop.source_mac);
	hop.mtu_bytes = 1500;
	hop.port = port;
	return hop;
}

Result<dataplane::Settings> settings_of(const Setting &setting)
{
	dataplane::Settings settings;
	settings.own_addresses = {outside_address, inside_address};
	settings.timeouts = {7440, 30, 240, 60, 300, 10, 60, 0};
	if (setting.snat == "none")
		settings.snat_mode = NW_SNAT_NONE;
	else if (setting.snat == "auto")
		settings.external = {outside_address};
	else if (setting.snat != "auto-unknown") {
		const auto address = parse_ipv4(setting.snat);
		if (!address)
			return tl::unexpected(address.error());
		settings.snat_mode = NW_SNAT_STATIC;
		settings.external = {*address};
		settings.own_addresses.push_back(*address);
	}
	for (const std::string &service : setting.host_services) {
		std::istringstream words(service);
		std::string protocol;
		std::uint16_t port = 0;
		words >> protocol >> port;
		const __u8 number = protocol == "tcp"   ? NW_PROTOCOL_TCP
				    : protocol == "udp" ? NW_PROTOCOL_UDP
							: NW_PROTOCOL_ICMP;
		settings.host_services.push_back({NW_BE16(port), number, 0});
	}
	return settings;
}

class Pure : public Appliance {
public:
	Pure(Form form, const dataplane::SimSpec &spec) : form_(form), sim_(spec) {}

	Result<> apply(const std::string &document) override
	{
		auto parsed = policy::parse(document, policy::syntax_of(document));
		if (!parsed)
			return tl::unexpected(parsed.error());
		if (auto able = policy::enforceable(*parsed); !able)
			return able;
		auto compiled =
			policy::compile(*parsed, {.internal = {{0x0a000000, 8}}}, {1u << 15, 1u << 15});
		if (!compiled)
			return tl::unexpected(compiled.error());
		if (auto published = sim_.publish(*compiled); !published)
			return published;
		generations_.insert_or_assign(sim_.generation(), *compiled);
		return {};
	}

	Observed send(Side side, const std::vector<std::uint8_t> &frame) override
	{
		collect();
		events_.clear();
		std::vector<std::uint8_t> copy = frame;
		const std::uint8_t port = form_ == Form::two_arm && side == Side::outside ? 1 : 0;
		const auto reaction = sim_.receive(port, copy);
		Observed observed;
		observed.verdict =
			verdict_names[reaction.poller == NW_VERDICT_COUNT ? reaction.xdp : reaction.poller];
		if (reaction.egress_port) {
			const bool is_inside = std::equal(client_mac.begin(), client_mac.end(), copy.begin());
			observed.left.push_back({is_inside ? Side::inside : Side::outside, copy});
		}
		return observed;
	}

	std::vector<SeenEvent> events(const SeenEvent &) override
	{
		collect();
		return events_;
	}

	std::uint64_t flows(std::uint64_t) override
	{
		collect(); // a denied flow goes when its event is read
		return sim_.active_flows();
	}

	void pass(std::uint64_t seconds) override
	{
		sim_.advance(seconds * 1'000'000'000);
	}

	Result<> sweep() override
	{
		return fail(ErrorKind::internal, "a simulator is cheap: make a new one");
	}

private:
	void collect()
	{
		for (const nw_event &event : sim_.take_events()) {
			const auto &names = generations_.at(event.generation);
			const std::string rule(names.rule_name(event.group, event.rule));
			events_.push_back({event_names[event.kind],
					   std::string(names.group_name(event.group)),
					   rule.empty() ? "-" : rule});
		}
	}

	Form form_;
	dataplane::Sim sim_;
	std::vector<SeenEvent> events_;
	std::map<std::uint32_t, policy::CompiledPolicy> generations_;
};

} // namespace

Result<std::unique_ptr<Appliance>> pure_appliance(Form form, const Setting &setting)
{
	auto settings = settings_of(setting);
	if (!settings)
		return tl::unexpected(settings.error());
	dataplane::SimSpec spec;
	spec.settings = *settings;
	const bool two_arm = form == Form::two_arm;
	spec.ports = two_arm ? std::vector{port_of(inside_mac, NW_SIDE_INSIDE),
					   port_of(outside_mac, NW_SIDE_OUTSIDE)}
			     : std::vector{port_of(inside_mac, NW_SIDE_BOTH)};
	for (const std::uint32_t inside : {0x0a000002u, 0x0a000003u, 0x0a000004u, 0x0a000005u, 0x0a0a0002u})
		spec.hops[inside] = hop_to(client_mac, inside_mac, 0);
	spec.default_hop = hop_to(server_mac, two_arm ? outside_mac : inside_mac, two_arm ? 1 : 0);
	return std::make_unique<Pure>(form, spec);
}

} // namespace neuwerk::packets
