// The control thread over Boost.Asio.
#include "daemon/event_loop.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>

#include <list>
#include <mutex>

namespace neuwerk::daemon {

namespace asio = boost::asio;

namespace {

struct Readable {
	asio::posix::stream_descriptor descriptor;
	std::function<void()> task;

	void wait()
	{
		descriptor.async_wait(asio::posix::descriptor_base::wait_read,
				      [this](boost::system::error_code error) {
					      if (error)
						      return;
					      task();
					      wait();
				      });
	}
};

struct Signal {
	asio::signal_set set; // cannot be moved
	std::function<void()> task;

	Signal(asio::io_context &context, int number, std::function<void()> what)
	    : set(context, number), task(std::move(what))
	{
	}

	void wait()
	{
		set.async_wait([this](boost::system::error_code error, int) {
			if (error)
				return;
			task();
			wait();
		});
	}
};

struct Ticker {
	asio::steady_timer timer;
	Duration period;
	std::function<void()> task;

	void wait()
	{
		timer.expires_after(period);
		timer.async_wait([this](boost::system::error_code error) {
			if (error)
				return;
			task();
			wait();
		});
	}
};

} // namespace

struct EventLoop::State {
	asio::io_context context{1};
	asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
	std::list<Readable> readables;
	std::list<Signal> signals;
	std::list<Ticker> tickers;
	std::list<asio::steady_timer> delays; // as many as were asked for: a handful
	std::mutex mutex;
	bool closed = false; // under mutex
};

EventLoop::EventLoop() : state_(std::make_unique<State>()) {}

EventLoop::~EventLoop()
{
	for (Readable &readable : state_->readables)
		(void)readable.descriptor.release();
}

void EventLoop::on_readable(int fd, std::function<void()> task)
{
	state_->readables.push_back({asio::posix::stream_descriptor(state_->context, fd), std::move(task)});
	state_->readables.back().wait();
}

void EventLoop::on_signal(int number, std::function<void()> task)
{
	state_->signals.emplace_back(state_->context, number, std::move(task));
	state_->signals.back().wait();
}

void EventLoop::every(Duration period, std::function<void()> task)
{
	state_->tickers.push_back({asio::steady_timer(state_->context), period, std::move(task)});
	state_->tickers.back().wait();
}

void EventLoop::after(Duration delay, std::function<void()> task)
{
	state_->delays.emplace_back(state_->context, delay)
		.async_wait([task = std::move(task)](boost::system::error_code error) {
			if (!error)
				task();
		});
}

void EventLoop::run()
{
	state_->context.run();
}

void EventLoop::stop()
{
	state_->context.stop();
}

void EventLoop::close()
{
	{
		const std::scoped_lock lock(state_->mutex);
		state_->closed = true;
	}
	// Posted before the flag: their callers wait for an answer.
	state_->context.restart();
	state_->context.poll();
}

bool EventLoop::post(std::function<void()> task)
{
	const std::scoped_lock lock(state_->mutex);
	if (state_->closed)
		return false;
	asio::post(state_->context, std::move(task));
	return true;
}

} // namespace neuwerk::daemon
