// How the poller is started, restarted, adopted and stopped, without processes and without waiting.
#include "daemon/supervise.h"

#include <doctest/doctest.h>

#include <csignal>
#include <vector>

using namespace neuwerk;
using namespace neuwerk::daemon;
using namespace std::chrono_literals;

namespace {

class FakeLauncher final : public Launcher {
public:
	int launches = 0;
	bool refuses = false;
	bool locked = false;
	std::optional<std::string> end;
	std::optional<pid_t> holder_pid;
	std::vector<int> signals;

	Result<pid_t> launch() override
	{
		launches++;
		if (refuses)
			return fail(ErrorKind::not_found, "spawn: /nowhere: No such file or directory");
		return 1000 + launches;
	}
	std::optional<std::string> reap(pid_t) override
	{
		return std::exchange(end, std::nullopt);
	}
	void signal(pid_t, int number) override
	{
		signals.push_back(number);
	}
	bool lock_is_held() override
	{
		return locked;
	}
	std::optional<pid_t> holder() override
	{
		return holder_pid;
	}
};

struct Fixture {
	FakeLauncher launcher;
	ManualClock clock;
	Supervisor supervisor{launcher, clock};

	void crash()
	{
		launcher.end = "signal 9";
		supervisor.tick();
	}
	void pass(Duration time)
	{
		clock.advance(time);
		supervisor.tick();
	}
};

} // namespace

TEST_CASE_FIXTURE(Fixture, "the poller is started at once and left alone while it runs")
{
	supervisor.tick();
	for (int i = 0; i < 100; i++)
		pass(1s);
	CHECK(launcher.launches == 1);
	CHECK(supervisor.restart_count() == 0);
}

TEST_CASE_FIXTURE(Fixture,
		  "a poller that crashes is restarted after 0.1 s, and ever later if it keeps crashing")
{
	supervisor.tick();
	Duration pause = 100ms;
	for (int crashes = 1; crashes <= 12; crashes++) {
		CAPTURE(crashes);
		crash();
		pass(pause - 1ms);
		CHECK(launcher.launches == crashes);
		pass(1ms);
		CHECK(launcher.launches == crashes + 1);
		pause = std::min<Duration>(pause * 2, 10s);
	}
}

TEST_CASE_FIXTURE(Fixture, "a poller that ran for half a minute is restarted quickly again")
{
	supervisor.tick();
	for (int crashes = 0; crashes < 6; crashes++) {
		crash();
		pass(10s);
	}
	pass(30s);
	const int before = launcher.launches;
	crash();
	pass(100ms);
	CHECK(launcher.launches == before + 1);
}

TEST_CASE_FIXTURE(Fixture, "a poller that cannot be started is tried again")
{
	launcher.refuses = true;
	supervisor.tick();
	launcher.refuses = false;
	pass(100ms);
	CHECK(launcher.launches == 2);
	CHECK(supervisor.restart_count() == 1);
}

TEST_CASE_FIXTURE(Fixture, "a poller that outlived an earlier neuwerkd is adopted, and replaced when it ends")
{
	launcher.locked = true;
	supervisor.tick();
	pass(1h);
	CHECK(launcher.launches == 0);

	launcher.locked = false;
	supervisor.tick();
	pass(100ms);
	CHECK(launcher.launches == 1);
}

TEST_CASE_FIXTURE(Fixture, "stop terminates the poller, and kills one that does not listen")
{
	supervisor.tick();
	supervisor.stop();
	CHECK(launcher.signals == std::vector{SIGTERM});
	pass(5s - 1ms);
	CHECK(launcher.signals.size() == 1);
	pass(1ms);
	CHECK(launcher.signals == std::vector{SIGTERM, SIGKILL});
	CHECK_FALSE(supervisor.stopped());
	launcher.end = "signal 9";
	supervisor.tick();
	CHECK(supervisor.stopped());
	pass(1h);
	CHECK(launcher.launches == 1);
}

TEST_CASE_FIXTURE(Fixture, "an adopted poller is stopped by the process that holds its lock")
{
	launcher.locked = true;
	launcher.holder_pid = 77;
	supervisor.tick();
	supervisor.stop();
	CHECK(launcher.signals == std::vector{SIGTERM});
	launcher.locked = false;
	supervisor.tick();
	CHECK(supervisor.stopped());
}

TEST_CASE_FIXTURE(Fixture, "an adopted poller that does not answer is left alone")
{
	launcher.locked = true;
	supervisor.tick();
	supervisor.stop();
	supervisor.tick();
	CHECK(supervisor.stopped());
	CHECK(launcher.signals.empty());
}

TEST_CASE_FIXTURE(Fixture, "stop between two starts has nothing to stop")
{
	supervisor.tick();
	crash();
	supervisor.stop();
	CHECK(supervisor.stopped());
}
