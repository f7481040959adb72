// One connection: it reads a request, has it decided and handled, writes the answer, and again.
//
//   handshake ─► idle ─► head ─► decide ─► body ─► handle ─► write ─► idle
//                                   │ refused, body unread       └─► stream
//                                   └─► write ─► linger
#pragma once

#include "api/request_reader.h"
#include "api/response_writer.h"
#include "api/router.h"
#include "api/transport.h"
#include "api/workers.h"

#include <boost/asio/steady_timer.hpp>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>

namespace neuwerk::api {

class Session;

// What all sessions of a server share. Outlives them.
struct Host {
	const Router &router;
	Workers &workers;
	const ServerLimits &limits;
	const std::function<void(const Exchange &)> &on_exchange;
	std::atomic<std::size_t> connection_count{0};
	std::atomic<std::size_t> stream_count{0};
	std::function<void()> on_connection_end; // from any I/O thread
};

// One I/O thread's share of the connections.
struct Loop {
	std::unordered_set<std::shared_ptr<Session>> sessions; // until they close; on the loop's thread only
	bool is_draining = false;
	boost::asio::io_context context{1};
};

// Wakes a session from any thread, for as long as it has a stream.
class StreamWaker {
public:
	StreamWaker(Loop &loop, std::weak_ptr<Session> session) : loop_(&loop), session_(std::move(session))
	{
	}
	void wake();
	void detach(); // after it returns, no wake() touches the loop
	void rearm();  // the next wake() counts again

private:
	std::mutex mutex_;
	Loop *loop_; // nullptr: detached
	std::weak_ptr<Session> session_;
	bool is_posted_ = false;
};

// Lives on its loop's thread; kept alive by what it waits for.
class Session : public std::enable_shared_from_this<Session> {
public:
	Session(Host &host, Loop &loop, std::unique_ptr<Transport> transport, bool is_local,
		std::string peer);
	~Session();
	void start();
	// The server stops: what is idle ends now, an exchange with its answer.
	void drain();
	void close();
	void pump(); // the stream may have something

private:
	enum class Phase { handshake, idle, head, body, handling, writing, streaming, lingering };
	using Step = void (Session::*)();

	void begin(); // the next request
	void read(Step next);
	void on_read_error();
	void read_head();
	void on_head();
	void decide_on_worker();
	void on_decision();
	void read_body();
	void handle();
	void handle_on_worker();
	void on_handled();
	void refuse(const RequestReader::Failure &failure);
	// `unread`: a body may still be on its way, so the connection cannot serve another request.
	void respond(Response response, bool unread);
	void write_rest();
	void on_written();
	void finish();
	void linger();
	void report(int status);

	void start_stream();
	void watch_peer();
	void write_stream(std::string bytes, Step next);
	void end_stream();

	void arm(std::chrono::milliseconds after); // the phase's deadline
	void disarm();
	void wait();
	void on_deadline();
	void post_to_loop(Step step);

	Host &host_;
	Loop &loop_;
	std::unique_ptr<Transport> transport_;
	const bool is_local_;
	const std::string peer_;
	Phase phase_ = Phase::handshake;
	bool is_closed_ = false;

	boost::asio::steady_timer timer_;
	std::chrono::steady_clock::time_point deadline_{};
	std::chrono::steady_clock::time_point waiting_until_ = std::chrono::steady_clock::time_point::max();
	bool is_late_ = false; // the deadline of a read has passed: answer 408

	std::array<char, 16 << 10> chunk_; // of one read
	std::string input_;                // read, not yet understood
	std::optional<RequestReader> reader_;
	Router::Match match_;
	std::optional<Router::Decision> decision_;
	std::chrono::steady_clock::time_point started_{};

	Response response_;
	Framing framing_;
	bool is_unread_ = false;
	std::string output_;      // under way
	std::size_t body_at_ = 0; // of response_.body: written so far
	std::size_t lingered_bytes_ = 0;

	std::shared_ptr<StreamWaker> waker_;
	bool is_writing_ = false; // of a stream
};

} // namespace neuwerk::api
