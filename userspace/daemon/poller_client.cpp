// The poller as neuwerkd sees it, over gRPC.
#include "daemon/poller_client.h"

#include "base/error_codes.h"
#include "base/text.h"
#include "neuwerk/v1/dataplane.grpc.pb.h"
#include "proto/read_stream.h"

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace neuwerk::daemon {

namespace {

// The poller answers from memory; who takes longer is stuck.
constexpr auto status_patience = std::chrono::milliseconds(500);
constexpr auto reconnect_pause = std::chrono::milliseconds(250);

tl::unexpected<Error> error_of(const grpc::Status &status, const std::string &socket)
{
	// gRPC's own words for "nobody is there" are about channels and resolvers.
	if (status.error_code() == grpc::StatusCode::UNAVAILABLE)
		return fail(ErrorKind::unavailable, text("no poller answers on ", socket));
	if (status.error_code() == grpc::StatusCode::DEADLINE_EXCEEDED)
		return fail(ErrorKind::unavailable, text("the poller did not answer in time on ", socket));
	return fail(kind_of_grpc_code(status.error_code()), text("the poller: ", status.error_message()));
}

} // namespace

struct PollerClient::State {
	std::string socket;
	std::shared_ptr<grpc::Channel> channel;
	std::unique_ptr<v1::Dataplane::Stub> stub;
	std::thread watcher;
	std::mutex mutex;
	std::condition_variable changed;
	bool stopping = false;                   // under mutex
	grpc::ClientContext *watching = nullptr; // under mutex

	void watch_once(const std::function<void(v1::Event)> &take)
	{
		grpc::ClientContext context;
		// Queued until the poller is there, so that it watches no later than status() gets an answer:
		// who waits for /ready sees every event from then on.
		context.set_wait_for_ready(true);
		{
			const std::scoped_lock lock(mutex);
			if (stopping)
				return;
			watching = &context;
		}
		const auto stream = stub->Watch(&context, v1::WatchRequest{});
		v1::Event event;
		while (stream->Read(&event))
			take(std::move(event));
		(void)stream->Finish(); // ended: the poller did, or we do
		const std::scoped_lock lock(mutex);
		watching = nullptr;
	}
	bool pause()
	{
		std::unique_lock lock(mutex);
		return !changed.wait_for(lock, reconnect_pause, [&] { return stopping; });
	}
};

PollerClient::PollerClient(const std::string &socket) : state_(std::make_unique<State>())
{
	state_->socket = socket;
	grpc::ChannelArguments arguments;
	// A restarted poller is back within a second; gRPC's own back-off would grow to two minutes.
	arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
	arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 500);
	arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 100);
	arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
	state_->channel =
		grpc::CreateCustomChannel("unix:" + socket, grpc::InsecureChannelCredentials(), arguments);
	state_->stub = v1::Dataplane::NewStub(state_->channel);
}

PollerClient::~PollerClient()
{
	{
		const std::scoped_lock lock(state_->mutex);
		state_->stopping = true;
		if (state_->watching)
			state_->watching->TryCancel();
	}
	state_->changed.notify_all();
	if (state_->watcher.joinable())
		state_->watcher.join();
}

Result<v1::StatusReply> PollerClient::status()
{
	grpc::ClientContext context;
	context.set_deadline(std::chrono::system_clock::now() + status_patience);
	v1::StatusReply reply;
	const grpc::Status status = state_->stub->Status(&context, v1::StatusRequest{}, &reply);
	if (!status.ok())
		return error_of(status, state_->socket);
	return reply;
}

Result<> PollerClient::list_flows(std::uint32_t limit, const std::function<bool(const v1::Flow &)> &take)
{
	grpc::ClientContext context;
	v1::ListFlowsRequest request;
	request.set_limit(limit);
	const auto stream = state_->stub->ListFlows(&context, request);
	const grpc::Status status = v1::read_stream(context, *stream, take);
	if (!status.ok())
		return error_of(status, state_->socket);
	return {};
}

void PollerClient::watch(std::function<void(v1::Event)> take)
{
	state_->watcher = std::thread([state = state_.get(), take = std::move(take)] {
		do
			state->watch_once(take);
		while (state->pause());
	});
}

} // namespace neuwerk::daemon
