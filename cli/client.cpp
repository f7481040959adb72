// neuwerkd over its control socket; the only file of neuwerkctl that knows gRPC.
#include "client.h"

#include "base/error_codes.h"
#include "base/text.h"
#include "neuwerk/v1/control.grpc.pb.h"
#include "proto/read_stream.h"

#include <grpcpp/grpcpp.h>

#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace neuwerk::cli {

namespace {

constexpr auto answer_patience = std::chrono::seconds(10);
constexpr auto policy_patience = std::chrono::minutes(5); // a document of 32 MiB compiles that long at worst
constexpr int message_limit_bytes = 64 << 20;

} // namespace

struct Client::State {
	std::string socket;
	std::unique_ptr<v1::Control::Stub> stub;

	[[nodiscard]] tl::unexpected<Error> error_of(const grpc::Status &status) const
	{
		const auto code = status.error_code();
		// gRPC's own words for a refused connection are about channels and names.
		if (code == grpc::StatusCode::UNAVAILABLE &&
		    status.error_message().starts_with("failed to connect"))
			return fail(ErrorKind::unavailable,
				    text("neuwerkd does not answer on ", socket, ": is it running?"));
		if (code == grpc::StatusCode::UNAVAILABLE && status.error_message() == "Socket closed")
			return fail(ErrorKind::unavailable,
				    text("neuwerkd closed the connection on ", socket));
		if (code == grpc::StatusCode::DEADLINE_EXCEEDED)
			return fail(ErrorKind::unavailable,
				    text("neuwerkd did not answer in time on ", socket));
		return fail(kind_of_grpc_code(code), status.error_message());
	}

	template <typename Request, typename Reply>
	[[nodiscard]] Result<Reply> ask(grpc::Status (v1::Control::Stub::*method)(grpc::ClientContext *,
										  const Request &, Reply *),
					const Request &request, std::chrono::seconds patience)
	{
		grpc::ClientContext context;
		context.set_deadline(std::chrono::system_clock::now() + patience);
		Reply reply;
		const grpc::Status status = (stub.get()->*method)(&context, request, &reply);
		if (!status.ok())
			return error_of(status);
		return reply;
	}
};

Client::Client(std::unique_ptr<State> state) : state_(std::move(state)) {}
Client::Client(Client &&) noexcept = default;
Client::~Client() = default;

Result<Client> Client::connect(const std::string &socket)
{
	if (access(socket.c_str(), R_OK | W_OK) != 0) {
		if (errno == EACCES)
			return fail(ErrorKind::forbidden, text("may not open ", socket, ": only root may"));
		return fail(ErrorKind::unavailable,
			    text("neuwerkd is not running: there is no socket ", socket));
	}
	auto state = std::make_unique<State>();
	state->socket = socket;
	grpc::ChannelArguments arguments;
	arguments.SetMaxReceiveMessageSize(message_limit_bytes);
	arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
	state->stub = v1::Control::NewStub(
		grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments));
	return Client(std::move(state));
}

Result<v1::NodeStatusReply> Client::status()
{
	return state_->ask(&v1::Control::Stub::NodeStatus, v1::NodeStatusRequest{}, answer_patience);
}

Result<v1::PolicyReply> Client::validate(const v1::PolicyDocument &document)
{
	return state_->ask(&v1::Control::Stub::ValidatePolicy, document, policy_patience);
}

Result<v1::PolicyReply> Client::apply(const v1::PolicyDocument &document)
{
	return state_->ask(&v1::Control::Stub::ApplyPolicy, document, policy_patience);
}

Result<v1::PolicyDocument> Client::policy()
{
	return state_->ask(&v1::Control::Stub::GetPolicy, v1::GetPolicyRequest{}, answer_patience);
}

Result<v1::CountersReply> Client::counters()
{
	return state_->ask(&v1::Control::Stub::Counters, v1::CountersRequest{}, answer_patience);
}

Result<v1::ExplainReply> Client::explain(const v1::ExplainRequest &request)
{
	return state_->ask(&v1::Control::Stub::Explain, request, answer_patience);
}

Result<> Client::flows(std::uint32_t limit, const std::function<bool(const v1::Flow &)> &take)
{
	grpc::ClientContext context;
	v1::ListFlowsRequest request;
	request.set_limit(limit);
	const auto stream = state_->stub->ListFlows(&context, request);
	const grpc::Status status = v1::read_stream(context, *stream, take);
	return status.ok() ? Result<>{} : state_->error_of(status);
}

Result<> Client::watch(const std::function<void()> &subscribed,
		       const std::function<bool(const v1::Event &)> &take)
{
	grpc::ClientContext context;
	const auto stream = state_->stub->Watch(&context, v1::WatchRequest{});
	stream->WaitForInitialMetadata();
	subscribed();
	const grpc::Status status = v1::read_stream(context, *stream, take);
	return status.ok() ? Result<>{} : state_->error_of(status);
}

} // namespace neuwerk::cli
