// The control thread: everything that changes control state runs here, one task after the other.
#pragma once

#include "base/clock.h"
#include "base/result.h"

#include <functional>
#include <future>
#include <memory>
#include <type_traits>

namespace neuwerk::daemon {

class EventLoop {
public:
	EventLoop();
	~EventLoop();

	// Before run() only. The descriptor stays the caller's and must outlive the loop.
	void on_readable(int fd, std::function<void()> task);
	void on_signal(int number, std::function<void()> task);
	void every(Duration period, std::function<void()> task);

	// Once, on the loop; before run() or from a task of the loop.
	void after(Duration delay, std::function<void()> task);

	void run();  // until stop()
	void stop(); // from any thread
	// After run(): runs what still waits, refuses everything later.
	void close();

	// From any thread; false: the loop is closed and will not run it.
	[[nodiscard]] bool post(std::function<void()> task);

	// Runs `question`, a callable that returns a Result, on the loop and waits for its answer. Fails with
	// unavailable once the loop is closed. Never call it from the loop's own thread: it would wait for
	// itself.
	template <typename Question>
	[[nodiscard]] auto call(Question question) -> std::invoke_result_t<Question>
	{
		using Answer = std::invoke_result_t<Question>;
		auto task = std::make_shared<std::packaged_task<Answer()>>(std::move(question));
		auto answer = task->get_future();
		if (!post([task] { (*task)(); }))
			return fail(ErrorKind::unavailable, "neuwerkd is shutting down");
		return answer.get();
	}

private:
	struct State;
	std::unique_ptr<State> state_;
};

} // namespace neuwerk::daemon
