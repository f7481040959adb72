// One round a second: what XDP counted, what flows do, what is to be written.
#include "daemon/observation.h"

#include "base/address.h"
#include "base/log.h"
#include "daemon/node.h"

#include <netinet/in.h>

#include <utility>

namespace neuwerk::daemon {

namespace {

constexpr std::string_view kind_names[] = {
#define NW_EVENT_NAME(name, why) #name,
	NW_EVENTS(NW_EVENT_NAME)
#undef NW_EVENT_NAME
};

} // namespace

v1::Event event_of(const nw_denial &line, const Generations &generations)
{
	const nw_denial_key &key = line.key;
	const std::uint16_t service = ntohs(key.service_port_be);
	v1::Event event;
	event.set_kind(std::string(key.kind < NW_EVENT_COUNT ? kind_names[key.kind] : "denied"));
	event.set_verdict(std::string(verdict_name(static_cast<nw_verdict>(key.verdict))));
	event.set_generation(key.generation);
	event.set_group(key.group);
	event.set_rule(key.rule);
	event.set_protocol(format_protocol(key.protocol));
	event.set_source_address(format_ipv4(ntohl(line.source.word_be[3])));
	event.set_destination_address(format_ipv4(ntohl(key.destination.word_be[3])));
	if (key.protocol == IPPROTO_ICMP) {
		event.set_icmp_type(service >> 8);
		event.set_icmp_code(service & 0xff);
	} else {
		event.set_destination_port(service);
	}
	name_event(event, generations);
	return event;
}

Observation::Observation(Parts parts) : parts_(parts) {}

Observation::~Observation()
{
	stop();
}

void Observation::start()
{
	thread_ = std::thread([this] { run(); });
}

void Observation::stop()
{
	{
		const std::scoped_lock lock(mutex_);
		stopping_ = true;
	}
	stopped_.notify_all();
	if (thread_.joinable())
		thread_.join();
}

void Observation::run()
{
	std::unique_lock lock(mutex_);
	for (;;) {
		const bool is_last = stopped_.wait_for(lock, period, [this] { return stopping_; });
		lock.unlock();
		round();
		lock.lock();
		if (is_last)
			return;
	}
}

void Observation::round()
{
	uncounted_packets_ +=
		parts_.enforcer.drain_denials([this](const nw_denial &line, std::uint32_t packet_count) {
			parts_.observer.on_denied(event_of(line, parts_.generations), packet_count);
		});
	if (parts_.observer.is_tapped())
		(void)parts_.poller.list_flows(observe::Observer::tapped_limit_count,
					       [this](const v1::Flow &flow) {
						       parts_.observer.on_flow(flow);
						       return true;
					       }); // no poller: no flow moves
	const auto flushed = parts_.observer.flush();
	// The same fault is said once, not once a second.
	std::string error = flushed ? "" : flushed.error().what;
	if (!error.empty() && error != last_error_)
		log::error(error);
	last_error_ = std::move(error);
}

} // namespace neuwerk::daemon
