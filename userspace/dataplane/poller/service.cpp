// The gRPC door over a synchronous server; flows are read from the table by its threads, not by the packet
// thread.
#include "dataplane/poller/service.h"

#include "base/address.h"
#include "base/text.h"
#include "dataplane/poller/data_ports.h"

#include "path/flow.h"
#include "path/track.h"

#include "neuwerk/v1/dataplane.grpc.pb.h"

#include <grpcpp/grpcpp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <ctime>

namespace neuwerk::dataplane {

namespace {

namespace v1 = neuwerk::v1;

// How soon a stream notices that its reader is gone, or that the poller stops.
constexpr auto stream_patience = std::chrono::milliseconds(200);
constexpr auto stop_patience = std::chrono::milliseconds(500);

constexpr const char *event_names[] = {
#define NW_EVENT_NAME(name, why) #name,
	NW_EVENTS(NW_EVENT_NAME)
#undef NW_EVENT_NAME
};
constexpr const char *reason_names[] = {
#define NW_REASON_NAME(name) #name,
	NW_END_REASONS(NW_REASON_NAME)
#undef NW_REASON_NAME
};
constexpr const char *verdict_names[] = {
#define NW_VERDICT_NAME(name, fate, why) #name,
	NW_VERDICTS(NW_VERDICT_NAME)
#undef NW_VERDICT_NAME
};
constexpr const char *state_names[] = {
#define NW_STATE_NAME(name) #name,
	NW_FLOW_STATES(NW_STATE_NAME)
#undef NW_STATE_NAME
};

template <std::size_t N>
const char *name_of(const char *const (&names)[N], std::size_t index)
{
	return index < N ? names[index] : "unknown";
}

std::string address_text(const nw_address &address)
{
	return format_ipv4(NW_HOST32(address.word_be[3]));
}

std::string state_text(nw_flow_state state)
{
	if (state == NW_STATE_new_flow)
		return "new";
	return state == NW_STATE_assured ? "established" : name_of(state_names, state);
}

std::uint16_t tick_now()
{
	timespec now{};
	clock_gettime(CLOCK_MONOTONIC, &now);
	return nw_tick_of(static_cast<__u64>(now.tv_sec) * 1'000'000'000 + static_cast<__u64>(now.tv_nsec));
}

v1::Event event_message(const Subscribers::Received &received)
{
	const nw_event &event = received.event;
	v1::Event message;
	message.set_kind(name_of(event_names, event.kind));
	message.set_verdict(name_of(verdict_names, event.verdict));
	message.set_generation(event.generation);
	message.set_group(event.group);
	message.set_rule(event.rule);
	message.set_protocol(format_protocol(event.protocol));
	message.set_source_address(address_text(event.source));
	message.set_source_port(NW_HOST16(event.source_port_be));
	message.set_destination_address(address_text(event.destination));
	if (event.protocol == NW_PROTOCOL_ICMP && event.kind != NW_EVENT_flow_started &&
	    event.kind != NW_EVENT_flow_ended) {
		message.set_icmp_type(NW_HOST16(event.destination_port_be) >> 8);
		message.set_icmp_code(NW_HOST16(event.destination_port_be) & 0xff);
	} else {
		message.set_destination_port(NW_HOST16(event.destination_port_be));
	}
	message.set_external_port(NW_HOST16(event.external_port_be));
	if (event.kind == NW_EVENT_flow_ended) {
		message.set_reason(name_of(reason_names, event.reason));
		message.set_packets_out(received.traffic.out.packets);
		message.set_packets_in(received.traffic.in.packets);
		message.set_bytes_out(received.traffic.out.bytes);
		message.set_bytes_in(received.traffic.in.bytes);
	}
	message.set_time_ns(event.time_ns);
	message.set_lost(received.lost);
	return message;
}

class Door final : public v1::Dataplane::Service {
public:
	explicit Door(ServiceSources sources) : sources_(std::move(sources)) {}

	grpc::Status Status(grpc::ServerContext *, const v1::StatusRequest *, v1::StatusReply *reply) override
	{
		const TrackerStatus status = sources_.tracker->status();
		reply->set_pid(static_cast<std::uint64_t>(getpid()));
		reply->set_active_flows(status.active_flows);
		reply->set_adopted_flows(status.adopted_flows);
		reply->set_ring_drops(ring_drops(sources_.sockets));
		reply->set_events_lost(sources_.subscribers->lost());
		reply->set_unresolved_next_hops(sources_.next_hops->unresolved());
		for (const std::string &interface : sources_.interfaces)
			reply->add_ports(interface);
		const nw_config &config = *sources_.config;
		for (std::uint8_t i = 0; config.snat_mode != NW_SNAT_NONE && i < config.external_count; i++) {
			v1::SnatPool &pool = *reply->add_snat_pools();
			pool.set_external_address(address_text(config.external[i]));
			pool.set_flows(sources_.tracker->translated_flows(i));
			pool.set_ports_per_remote(external_port_count);
		}
		return grpc::Status::OK;
	}

	grpc::Status ListFlows(grpc::ServerContext *context, const v1::ListFlowsRequest *request,
			       grpc::ServerWriter<v1::Flow> *writer) override
	{
		const FlowTable &table = sources_.tracker->table();
		std::uint32_t sent = 0;
		for (std::uint32_t index = 0; index < table.size(); index++) {
			const auto out = table.read(index);
			if (!out || nw_is_inbound(&*out) || !sources_.tracker->notes().has_begun(index))
				continue;
			if (stopping_ || context->IsCancelled() || !writer->Write(flow_message(index, *out)))
				break;
			if (request->limit() != 0 && ++sent == request->limit())
				break;
		}
		return grpc::Status::OK;
	}

	grpc::Status Watch(grpc::ServerContext *context, const v1::WatchRequest *,
			   grpc::ServerWriter<v1::Event> *writer) override
	{
		writer->SendInitialMetadata(); // the client knows from when on it sees everything
		const auto subscription = sources_.subscribers->subscribe();
		while (!stopping_ && !context->IsCancelled()) {
			const auto received = subscription->next(stream_patience);
			if (received && !writer->Write(event_message(*received)))
				break;
		}
		sources_.subscribers->unsubscribe(subscription);
		return grpc::Status::OK;
	}

	void stop()
	{
		stopping_ = true;
	}

private:
	[[nodiscard]] v1::Flow flow_message(std::uint32_t index, const nw_flow_line &out) const
	{
		const FlowNotes &notes = sources_.tracker->notes();
		const std::uint32_t inbound = notes.partner(index);
		const FlowTable &table = sources_.tracker->table();
		const nw_flow_line in = inbound < table.size() ? table.read(inbound).value_or(nw_flow_line{})
							       : nw_flow_line{};
		const FlowTotals totals_out = notes.totals(index, out.traffic);
		const FlowTotals totals_in = in.sequence ? notes.totals(inbound, in.traffic) : FlowTotals{};
		const std::uint16_t now = tick_now();
		const std::uint32_t idle_ticks =
			std::min(ticks_between(out.last_seen_ticks, now),
				 ticks_between(in.sequence ? in.last_seen_ticks : out.last_seen_ticks, now));
		v1::Flow flow;
		flow.set_inside_address(address_text(out.inside));
		flow.set_inside_port(NW_HOST16(out.inside_port_be));
		flow.set_remote_address(address_text(out.remote));
		flow.set_remote_port(NW_HOST16(out.remote_port_be));
		if (out.external != NW_NOT_TRANSLATED)
			flow.set_external_address(address_text(nw_external_address(&out, sources_.config)));
		flow.set_external_port(NW_HOST16(out.external_port_be));
		flow.set_protocol(format_protocol(out.protocol));
		flow.set_state(state_text(nw_flow_state_of(out.protocol, out.seen, in.seen)));
		flow.set_idle_seconds(static_cast<std::uint32_t>(idle_ticks * tick_ns / 1'000'000'000));
		flow.set_packets_out(totals_out.packets);
		flow.set_bytes_out(totals_out.bytes);
		flow.set_packets_in(totals_in.packets);
		flow.set_bytes_in(totals_in.bytes);
		flow.set_generation(out.judged_generation);
		return flow;
	}

	ServiceSources sources_;
	std::atomic<bool> stopping_ = false;
};

} // namespace

struct Service::State {
	explicit State(ServiceSources sources) : door(std::move(sources)) {}
	Door door;
	std::unique_ptr<grpc::Server> server;
};

Service::Service(std::unique_ptr<State> state) : state_(std::move(state)) {}
Service::Service(Service &&) noexcept = default;
Service::~Service() = default;

Result<Service> Service::start(const std::string &socket, ServiceSources sources)
{
	auto state = std::make_unique<State>(std::move(sources));
	unlink(socket.c_str());
	const mode_t mask = umask(0177);
	grpc::ServerBuilder builder;
	builder.SetSyncServerOption(grpc::ServerBuilder::NUM_CQS, 1);
	builder.SetSyncServerOption(grpc::ServerBuilder::MAX_POLLERS, 2);
	builder.AddListeningPort("unix:" + socket, grpc::InsecureServerCredentials());
	builder.RegisterService(&state->door);
	state->server = builder.BuildAndStart();
	umask(mask);
	if (!state->server)
		return fail(ErrorKind::unavailable,
			    text("cannot listen on ", socket, ": is the directory there and writable?"));
	return Service(std::move(state));
}

void Service::stop()
{
	state_->door.stop();
	state_->server->Shutdown(std::chrono::system_clock::now() + stop_patience);
}

} // namespace neuwerk::dataplane
