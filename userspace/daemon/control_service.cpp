// The control socket over gRPC: words in, values out, errors by the one table.
#include "daemon/control_service.h"

#include "base/address.h"
#include "base/error_codes.h"
#include "base/files.h"
#include "base/text.h"
#include "daemon/node.h"
#include "neuwerk/v1/control.grpc.pb.h"
#include "policy/policy.h"

#include <grpcpp/grpcpp.h>

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <utility>

namespace neuwerk::daemon {

namespace {

// A document of the full size, as one message, with room for its frame.
constexpr int message_limit_bytes = static_cast<int>(policy::document_limit_bytes) + (1 << 20);

grpc::Status status_of(const Error &error)
{
	return {static_cast<grpc::StatusCode>(codes_of(error.kind).grpc_code), error.what};
}

Result<policy::Syntax> syntax_of(const v1::PolicyDocument &document)
{
	if (document.syntax().empty())
		return policy::syntax_of(document.text());
	if (document.syntax() == "json")
		return policy::Syntax::json;
	if (document.syntax() == "yaml")
		return policy::Syntax::yaml;
	return fail(ErrorKind::invalid_argument,
		    text("syntax: '", document.syntax(), "' is not json or yaml"));
}

Result<> read_number(const char *what, std::uint32_t value, std::uint32_t max)
{
	if (value > max)
		return fail(ErrorKind::invalid_argument, text(what, ": ", value, " is above ", max));
	return {};
}

Result<dataplane::Question> question_of(const v1::ExplainRequest &request)
{
	const auto source = parse_ipv4(request.source());
	if (!source)
		return fail(ErrorKind::invalid_argument, "from: " + source.error().what);
	const auto destination = parse_ipv4(request.destination());
	if (!destination)
		return fail(ErrorKind::invalid_argument, "to: " + destination.error().what);
	const auto protocol = parse_protocol(request.protocol());
	if (!protocol)
		return fail(ErrorKind::invalid_argument, "proto: " + protocol.error().what);
	for (const auto &checked : {read_number("sport", request.source_port(), 65535),
				    read_number("dport", request.destination_port(), 65535),
				    read_number("icmp type", request.icmp_type(), 255),
				    read_number("icmp code", request.icmp_code(), 255)})
		if (!checked)
			return tl::unexpected(checked.error());
	return dataplane::Question{.source = *source,
				   .destination = *destination,
				   .protocol = *protocol,
				   .source_port = static_cast<std::uint16_t>(request.source_port()),
				   .destination_port = static_cast<std::uint16_t>(request.destination_port()),
				   .icmp_type = static_cast<std::uint8_t>(request.icmp_type()),
				   .icmp_code = static_cast<std::uint8_t>(request.icmp_code())};
}

void fill(const NamedExplanation &named, v1::ExplainReply &reply)
{
	const nw_verdict verdict = named.explanation.verdict;
	const std::string_view fate = verdict_fate(verdict);
	reply.set_verdict(std::string(verdict_name(verdict)));
	reply.set_why(std::string(verdict_why(verdict)));
	reply.set_allowed(fate == "forward" || fate == "slow");
	reply.set_generation(named.explanation.generation);
	reply.set_group(named.group);
	reply.set_rule(named.rule);
	if (reply.allowed() && named.explanation.decided &&
	    (named.explanation.decision.flags & NW_DECISION_RAW_DENY))
		reply.set_mode("audited");
	reply.set_audit(named.audit);
}

void add_counters(const char *stage, const dataplane::VerdictCounts &counts, v1::CountersReply &reply)
{
	for (std::size_t i = 0; i < counts.size(); i++) {
		const auto verdict = static_cast<nw_verdict>(i);
		v1::Counter &counter = *reply.add_counters();
		counter.set_stage(stage);
		counter.set_verdict(std::string(verdict_name(verdict)));
		counter.set_fate(std::string(verdict_fate(verdict)));
		counter.set_why(std::string(verdict_why(verdict)));
		counter.set_packets(counts[i].packets);
		counter.set_bytes(counts[i].bytes);
	}
}

class Service final : public v1::Control::Service {
public:
	explicit Service(Node &node) : node_(node) {}

	grpc::Status NodeStatus(grpc::ServerContext *, const v1::NodeStatusRequest *,
				v1::NodeStatusReply *reply) override
	{
		auto status = node_.status();
		if (!status)
			return status_of(status.error());
		reply->set_version(NW_VERSION);
		reply->set_pid(static_cast<std::uint64_t>(getpid()));
		reply->set_generation(status->generation);
		reply->set_policy_source(status->policy_source);
		reply->set_ready(is_ready(status->checks));
		reply->set_snat(status->snat);
		for (const Check &check : status->checks) {
			v1::Check &entry = *reply->add_checks();
			entry.set_name(check.name);
			entry.set_ok(check.ok);
			entry.set_detail(check.detail);
		}
		for (const PortStatus &port : status->ports) {
			v1::Port &entry = *reply->add_ports();
			entry.set_interface(port.interface);
			entry.set_side(port.side);
			entry.set_mtu(port.mtu);
		}
		if (status->poller)
			*reply->mutable_dataplane() = std::move(*status->poller);
		return grpc::Status::OK;
	}

	grpc::Status ValidatePolicy(grpc::ServerContext *, const v1::PolicyDocument *document,
				    v1::PolicyReply *reply) override
	{
		const auto syntax = syntax_of(*document);
		if (!syntax)
			return status_of(syntax.error());
		const auto reviewed = node_.validate(document->text(), *syntax);
		if (!reviewed)
			return status_of(reviewed.error());
		for (const std::string &warning : reviewed->warnings)
			reply->add_warnings(warning);
		for (const std::string &refusal : reviewed->not_enforceable)
			reply->add_not_enforceable(refusal);
		return grpc::Status::OK;
	}

	grpc::Status ApplyPolicy(grpc::ServerContext *, const v1::PolicyDocument *document,
				 v1::PolicyReply *reply) override
	{
		const auto syntax = syntax_of(*document);
		if (!syntax)
			return status_of(syntax.error());
		const auto applied = node_.apply(document->text(), *syntax);
		if (!applied)
			return status_of(applied.error());
		reply->set_generation(applied->generation);
		for (const std::string &warning : applied->warnings)
			reply->add_warnings(warning);
		return grpc::Status::OK;
	}

	grpc::Status GetPolicy(grpc::ServerContext *, const v1::GetPolicyRequest *,
			       v1::PolicyDocument *reply) override
	{
		auto document = node_.document();
		if (!document)
			return status_of(document.error());
		reply->set_text(std::move(*document));
		reply->set_syntax("json");
		return grpc::Status::OK;
	}

	grpc::Status ListFlows(grpc::ServerContext *, const v1::ListFlowsRequest *request,
			       grpc::ServerWriter<v1::Flow> *writer) override
	{
		const auto listed = node_.poller().list_flows(
			request->limit(), [&](const v1::Flow &flow) { return writer->Write(flow); });
		return listed ? grpc::Status::OK : status_of(listed.error());
	}

	grpc::Status Counters(grpc::ServerContext *, const v1::CountersRequest *,
			      v1::CountersReply *reply) override
	{
		const auto counts = node_.counts();
		if (!counts)
			return status_of(counts.error());
		add_counters("xdp", counts->xdp, *reply);
		add_counters("poller", counts->poller, *reply);
		return grpc::Status::OK;
	}

	grpc::Status Explain(grpc::ServerContext *, const v1::ExplainRequest *request,
			     v1::ExplainReply *reply) override
	{
		const auto question = question_of(*request);
		if (!question)
			return status_of(question.error());
		const auto named = node_.explain(*question);
		if (!named)
			return status_of(named.error());
		fill(*named, *reply);
		return grpc::Status::OK;
	}

	grpc::Status Watch(grpc::ServerContext *context, const v1::WatchRequest *,
			   grpc::ServerWriter<v1::Event> *writer) override
	{
		EventHub::Subscription subscription(node_.events());
		// The first bytes tell the client that it is subscribed: nothing that happens from now on is
		// missed.
		writer->SendInitialMetadata();
		while (!context->IsCancelled() && !node_.events().closed()) {
			const auto event = subscription.next(std::chrono::milliseconds(200));
			if (event && !writer->Write(*event))
				break;
		}
		return grpc::Status::OK;
	}

private:
	Node &node_;
};

} // namespace

struct ControlService::State {
	explicit State(Node &node) : service(node) {}
	Service service;
	std::unique_ptr<grpc::Server> server;
	std::string socket;
};

ControlService::ControlService(std::unique_ptr<State> state) : state_(std::move(state)) {}
ControlService::ControlService(ControlService &&) noexcept = default;

Result<ControlService> ControlService::start(const std::string &socket, Node &node)
{
	auto state = std::make_unique<State>(node);
	state->socket = socket;
	// The lock of the run directory says that nobody serves it: what is there was left behind.
	if (unlink(socket.c_str()) != 0 && errno != ENOENT)
		return tl::unexpected(system_error("remove", socket, errno));
	grpc::ServerBuilder builder;
	builder.AddListeningPort("unix:" + socket, grpc::InsecureServerCredentials());
	builder.SetMaxReceiveMessageSize(message_limit_bytes);
	builder.SetSyncServerOption(grpc::ServerBuilder::SyncServerOption::MAX_POLLERS, 2);
	builder.RegisterService(&state->service);
	// The socket must never be open to others, not even for a moment.
	const mode_t before = umask(0177);
	state->server = builder.BuildAndStart();
	umask(before);
	if (!state->server)
		return fail(ErrorKind::unavailable,
			    text("control socket: ", socket, ": cannot listen there"));
	return ControlService(std::move(state));
}

ControlService::~ControlService()
{
	if (!state_)
		return;
	state_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(1));
	state_->server->Wait();
	unlink(state_->socket.c_str());
}

} // namespace neuwerk::daemon
