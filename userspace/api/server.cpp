// The server: listeners, I/O threads, workers, and how all of them stop.
#include "api/api.h"
#include "api/listeners.h"
#include "api/session.h"
#include "api/tls_context.h"
#include "base/log.h"
#include "base/text.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <future>
#include <mutex>
#include <thread>
#include <utility>

namespace neuwerk::api {

namespace asio = boost::asio;

namespace {

constexpr std::size_t least_loops_count = 2;
constexpr std::size_t most_loops_count = 4;
constexpr std::size_t reserved_descriptors_count = 512; // of the process, besides connections

RouterOptions router_options(const ServerOptions &options, Authenticate authenticate)
{
	RouterOptions router;
	router.authenticate = std::move(authenticate);
	router.body_limit_bytes = options.limits.body_bytes;
	router.policy_body_limit_bytes = options.limits.policy_body_bytes;
	router.on_auth = options.on_auth;
	return router;
}

// A connection is a descriptor, and the process needs more of them: for the Store, BPF maps, logs. Where
// systemd allows only 1,024, idle clients would starve those: the limit is raised, or else fewer connections
// are taken.
ServerOptions fitted(ServerOptions options)
{
	rlimit files{};
	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		return options;
	const rlim_t needed = options.limits.connection_count + reserved_descriptors_count;
	if (files.rlim_cur < needed) {
		files.rlim_cur = std::min<rlim_t>(files.rlim_max, needed);
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
	if (files.rlim_cur < needed) {
		options.limits.connection_count =
			files.rlim_cur > 2 * reserved_descriptors_count
				? static_cast<std::size_t>(files.rlim_cur - reserved_descriptors_count)
				: reserved_descriptors_count;
		log::warning(text("api: at most ", options.limits.connection_count,
				  " connections: the process may have ", files.rlim_cur,
				  " descriptors (RLIMIT_NOFILE)"));
	}
	return options;
}

} // namespace

struct Server::State {
	ServerOptions options;
	Router router;
	Workers workers;
	Host host;
	std::mutex mutex;
	std::condition_variable connection_ended;
	TlsContext tls; // of new connections; under the mutex
	std::vector<std::unique_ptr<Loop>> loops;
	std::unique_ptr<Listeners> listeners;
	std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards;
	std::vector<std::thread> threads;

	State(const ServerOptions &given, Routes routes, Authenticate authenticate)
	    : options(fitted(given)),
	      router(std::move(routes), router_options(given, std::move(authenticate))),
	      workers(given.limits.worker_count),
	      host{router, workers, options.limits, options.on_exchange, 0, 0, nullptr}
	{
		host.on_connection_end = [this] {
			const std::lock_guard lock(mutex);
			connection_ended.notify_all();
		};
		const std::size_t count = std::clamp<std::size_t>(std::thread::hardware_concurrency(),
								  least_loops_count, most_loops_count);
		for (std::size_t i = 0; i < count; i++)
			loops.push_back(std::make_unique<Loop>());
	}

	[[nodiscard]] TlsContext tls_now()
	{
		const std::lock_guard lock(mutex);
		return tls;
	}

	// Runs `step` on every loop's thread and waits for it.
	template <typename Step>
	void on_every_loop(Step step)
	{
		std::vector<std::future<void>> done;
		for (const auto &loop : loops) {
			auto finished = std::make_shared<std::promise<void>>();
			done.push_back(finished->get_future());
			asio::post(loop->context, [&step, &loop = *loop, finished] {
				step(loop);
				finished->set_value();
			});
		}
		for (auto &each : done)
			each.wait();
	}
};

Server::Server(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Server>> Server::start(const ServerOptions &options, Routes routes,
					      identity::Identity &identity)
{
	return start(options, std::move(routes), [&identity](const identity::Credentials &credentials) {
		return identity.authenticate(credentials);
	});
}

Result<std::unique_ptr<Server>> Server::start(const ServerOptions &options, Routes routes,
					      Authenticate authenticate)
{
	auto state = std::make_unique<State>(options, std::move(routes), std::move(authenticate));
	auto tls = make_tls_context(options.certificate_path, options.key_path);
	if (!tls)
		return tl::unexpected(tls.error());
	state->tls = std::move(*tls);
	state->listeners = std::make_unique<Listeners>(state->host, state->loops,
						       [raw = state.get()] { return raw->tls_now(); });
	if (auto opened = state->listeners->open(options.bind, options.unix_socket); !opened)
		return tl::unexpected(opened.error());
	for (const auto &loop : state->loops) {
		state->guards.push_back(asio::make_work_guard(loop->context));
		state->threads.emplace_back([raw = loop.get()] { raw->context.run(); });
	}
	return std::unique_ptr<Server>(new Server(std::move(state)));
}

std::uint16_t Server::port() const
{
	return state_->listeners->port();
}

Result<> Server::reload_certificate()
{
	auto tls = make_tls_context(state_->options.certificate_path, state_->options.key_path);
	if (!tls)
		return tl::unexpected(tls.error());
	const std::lock_guard lock(state_->mutex);
	state_->tls = std::move(*tls);
	return {};
}

void Server::stop()
{
	if (state_->threads.empty())
		return;
	state_->on_every_loop([this](Loop &loop) {
		if (&loop == state_->loops.front().get())
			state_->listeners->close();
		loop.is_draining = true;
		const auto sessions = loop.sessions; // closing takes them out
		for (const auto &session : sessions)
			session->drain();
	});
	{
		std::unique_lock lock(state_->mutex);
		state_->connection_ended.wait_for(lock, state_->options.limits.stop, [this] {
			return state_->host.connection_count.load() == 0;
		});
	}
	state_->workers.stop();
	state_->on_every_loop([](Loop &loop) {
		const auto sessions = loop.sessions; // closing takes them out
		for (const auto &session : sessions)
			session->close();
	});
	state_->guards.clear();
	for (const auto &loop : state_->loops)
		loop->context.stop();
	for (std::thread &thread : state_->threads)
		thread.join();
	state_->threads.clear();
}

Server::~Server()
{
	stop();
}

} // namespace neuwerk::api
