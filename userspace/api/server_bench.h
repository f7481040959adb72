// For tests of the server: a certificate, a small table of routes, and a server on a free port.
#pragma once

#include "api/api.h"
#include "api/test_client.h"
#include "base/text.h"

#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <mutex>

namespace neuwerk::api {

// A door that handlers wait at and tests open.
class Gate {
public:
	void open()
	{
		const std::lock_guard lock(mutex_);
		is_open_ = true;
		changed_.notify_all();
	}
	void pass() // what a handler calls
	{
		std::unique_lock lock(mutex_);
		waiting_count_++;
		changed_.notify_all();
		changed_.wait(lock, [&] { return is_open_; });
	}
	void await(int count) // until so many have come
	{
		std::unique_lock lock(mutex_);
		changed_.wait(lock, [&] { return waiting_count_ >= count; });
	}

private:
	std::mutex mutex_;
	std::condition_variable changed_;
	int waiting_count_ = 0;
	bool is_open_ = false;
};

// A stream that a test feeds.
class FedStream final : public StreamSource {
public:
	struct Feed {
		std::mutex mutex;
		std::condition_variable changed;
		std::string pending;
		std::string endless; // given again and again
		bool is_ended = false, is_released = false;
		std::size_t taken_bytes = 0;
		std::function<void()> wake;

		void say(std::string_view bytes, bool end = false)
		{
			std::function<void()> wake_now;
			{
				const std::lock_guard lock(mutex);
				pending += bytes;
				is_ended = end;
				wake_now = wake;
			}
			if (wake_now)
				wake_now();
		}
		void await_release()
		{
			std::unique_lock lock(mutex);
			changed.wait(lock, [&] { return is_released; });
		}
	};
	explicit FedStream(std::shared_ptr<Feed> feed) : feed_(std::move(feed)) {}
	~FedStream() override
	{
		const std::lock_guard lock(feed_->mutex);
		feed_->is_released = true;
		feed_->changed.notify_all();
	}
	std::string take() override
	{
		const std::lock_guard lock(feed_->mutex);
		std::string bytes =
			feed_->endless.empty() ? std::exchange(feed_->pending, "") : feed_->endless;
		feed_->taken_bytes += bytes.size();
		return bytes;
	}
	[[nodiscard]] bool ended() const override
	{
		const std::lock_guard lock(feed_->mutex);
		return feed_->is_ended;
	}
	void on_ready(std::function<void()> wake) override
	{
		const std::lock_guard lock(feed_->mutex);
		feed_->wake = std::move(wake);
	}

private:
	std::shared_ptr<Feed> feed_;
};

// Fields that a test sets before start().
struct ServerBench {
	std::filesystem::path directory = make_directory();
	ServerOptions options;
	Gate gate;
	std::shared_ptr<FedStream::Feed> feed = std::make_shared<FedStream::Feed>();
	std::mutex mutex;
	std::vector<std::string> exchanges; // "GET /path 200"
	std::unique_ptr<Server> server;

	ServerBench()
	{
		issue("server");
		options.bind = {INADDR_LOOPBACK, 0};
		options.certificate_path = directory / "node.crt";
		options.key_path = directory / "node.key";
		options.unix_socket = directory / "api.sock";
		options.on_exchange = [this](const Exchange &exchange) {
			const std::lock_guard lock(mutex);
			exchanges.push_back(text(exchange.method, " ", exchange.route, " ", exchange.status));
		};
	}
	~ServerBench()
	{
		gate.open();
		server.reset();
		std::filesystem::remove_all(directory);
	}

	ServerBench &start()
	{
		auto started = Server::start(options, routes(), authenticate);
		REQUIRE_MESSAGE(started, started.error().what);
		server = std::move(*started);
		return *this;
	}
	// Connected and past the handshake.
	[[nodiscard]] TestClient client()
	{
		TestClient client(server->port());
		REQUIRE(client.handshake());
		return client;
	}
	void issue(std::string_view name)
	{
		const crypto::Validity always{0, 4'000'000'000};
		const auto ca = crypto::create_ca("test ca", always);
		REQUIRE(ca);
		const auto leaf = crypto::issue_server_certificate(*ca, name, {"127.0.0.1"}, always);
		REQUIRE(leaf);
		std::ofstream(directory / "node.crt") << leaf->certificate_pem;
		std::ofstream(directory / "node.key") << leaf->key_pem;
	}
	Routes routes()
	{
		const auto add = [](Method method, std::string_view path, Access access, Reads reads,
				    std::function<Response(const Call &)> handle, bool quick = false) {
			return Route{method, path, access, reads, {}, std::move(handle), quick};
		};
		const auto echo = [](const Call &call) { return Response{.body = call.request.body}; };
		const auto size = [](const Call &call) {
			return Response{.body = std::to_string(call.request.body.size())};
		};
		return {
			add(
				Method::get, "/api/v1/quick", Access::open, Reads::no_body,
				[](const Call &) { return Response{.body = "{}"}; }, true),
			add(Method::get, "/api/v1/auth/who", Access::user, Reads::no_body,
			    [](const Call &call) {
				    return Response{.body = call.subject.sub + "@" + call.request.peer};
			    }),
			add(Method::get, "/api/v1/slow", Access::open, Reads::no_body,
			    [this](const Call &) {
				    gate.pass();
				    return Response{.body = "slow"};
			    }),
			add(Method::post, "/api/v1/echo", Access::open, Reads::json_body, echo),
			add(Method::post, "/api/v1/ignore", Access::open, Reads::no_body, size),
			add(Method::post, "/api/v1/guarded", Access::user, Reads::json_body, size),
			add(Method::put, "/api/v1/policy", Access::open, Reads::policy_body, size),
			add(Method::erase, "/api/v1/gone", Access::open, Reads::no_body,
			    [](const Call &) {
				    return Response{.status = 204, .headers = {{"x-bad", "a\r\nb"}}};
			    }),
			add(Method::get, "/api/v1/large", Access::open, Reads::no_body,
			    [](const Call &) { return Response{.body = std::string(3 << 20, 'L')}; }),
			add(Method::get, "/api/v1/framed", Access::open, Reads::no_body,
			    [](const Call &) {
				    return Response{.body = "x",
						    .headers = {{"X-Frame-Options", "SAMEORIGIN"}}};
			    }),
			add(Method::get, "/api/v1/stream", Access::open, Reads::no_body,
			    [this](const Call &) {
				    return Response{.content_type = "text/event-stream",
						    .stream = std::make_shared<FedStream>(feed)};
			    }),
			add(Method::get, "/api/v1/local", Access::local, Reads::no_body,
			    [](const Call &call) {
				    return Response{.body = call.subject.sub + "@" + call.request.peer};
			    }),
		};
	}

private:
	static std::filesystem::path make_directory()
	{
		std::string name = std::filesystem::temp_directory_path() / "nw-server-XXXXXX";
		REQUIRE(mkdtemp(name.data()));
		return name;
	}
	static Result<identity::Subject> authenticate(const identity::Credentials &credentials)
	{
		if (!credentials.authorization)
			return fail(ErrorKind::unauthenticated, "missing bearer token");
		return identity::Subject{.sub = "anna", .roles = {"admin"}};
	}
};

inline std::string get(std::string_view path, std::string_view more = "")
{
	return text("GET ", path, " HTTP/1.1\r\nHost: x\r\n", more, "\r\n");
}
inline std::string post(std::string_view path, std::string_view body, std::string_view more = "")
{
	return text("POST ", path, " HTTP/1.1\r\nHost: x\r\nContent-Length: ", body.size(), "\r\n", more,
		    "\r\n", body);
}

} // namespace neuwerk::api
