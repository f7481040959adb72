// The poller as a real process: what it inherits, how its end reads, who holds its lock.
#include "daemon/poller_process.h"

#include "base/fd.h"
#include "base/files.h"
#include "daemon/host.h"

#include <doctest/doctest.h>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>

using namespace neuwerk;
using namespace neuwerk::daemon;

namespace {

struct TemporaryFile {
	std::array<char, 32> path{"/tmp/nw-lock-XXXXXX"};
	Fd file{mkstemp(path.data())};

	~TemporaryFile()
	{
		unlink(path.data());
	}
};

// How `command` ended, once it did.
std::string end_of(PollerProcess &process, pid_t pid)
{
	siginfo_t ignored;
	REQUIRE(waitid(P_PID, static_cast<id_t>(pid), &ignored, WEXITED | WNOWAIT) == 0);
	const auto end = process.reap(pid);
	REQUIRE(end);
	return *end;
}

std::string end_of_shell(const char *script)
{
	PollerProcess process({"/bin/sh", "-c", script}, "/nowhere/lock", "/nowhere/sock");
	const auto pid = process.launch();
	REQUIRE(pid);
	return end_of(process, *pid);
}

} // namespace

TEST_CASE("the end of the process is told in words")
{
	CHECK(end_of_shell("exit 77") == "exit code 77");
	CHECK(end_of_shell("kill -9 $$") == "signal 9");
}

TEST_CASE("the process inherits none of our descriptors and leads its own process group")
{
	const Fd inherited(open("/dev/null", O_RDONLY)); // no O_CLOEXEC, as some libraries do
	const int high = fcntl(inherited.get(), F_DUPFD, 77);
	CHECK(end_of_shell("test ! -e /proc/self/fd/77") == "exit code 0");
	close(high);
	CHECK(end_of_shell("test \"$(ps -o pgid= -p $$)\" -eq $$") == "exit code 0");
}

TEST_CASE("a process that runs is not reaped, and a signal reaches it")
{
	PollerProcess process({"/bin/cat", "/dev/zero"}, "/nowhere/lock", "/nowhere/sock");
	const Fd nothing(open("/dev/null", O_WRONLY | O_CLOEXEC));
	const Fd saved(fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3));
	dup2(nothing.get(), STDOUT_FILENO);
	const auto pid = process.launch();
	dup2(saved.get(), STDOUT_FILENO);
	REQUIRE(pid);
	CHECK_FALSE(process.reap(*pid));
	process.signal(*pid, SIGTERM);
	CHECK(end_of(process, *pid) == "signal 15");
}

TEST_CASE("a program that does not exist is named")
{
	PollerProcess process({"/nowhere/neuwerk-dataplane"}, "/nowhere/lock", "/nowhere/sock");
	const auto pid = process.launch();
	REQUIRE_FALSE(pid);
	CHECK(pid.error().what == "start: /nowhere/neuwerk-dataplane: No such file or directory");
}

TEST_CASE("a lock shows that somebody lives, and its absence that nobody does")
{
	const TemporaryFile lock;
	PollerProcess process({"/bin/true"}, lock.path.data(), "/nowhere/sock");
	CHECK_FALSE(process.lock_is_held());
	REQUIRE(flock(lock.file.get(), LOCK_EX) == 0);
	CHECK(process.lock_is_held());
	CHECK_FALSE(process.holder()); // nobody listens

	PollerProcess absent({"/bin/true"}, "/nowhere/lock", "/nowhere/sock");
	CHECK_FALSE(absent.lock_is_held());
}

TEST_CASE("a second instance is refused with the pid of the first")
{
	const TemporaryFile lock;
	auto first = lock_instance(lock.path.data());
	REQUIRE(first);
	const auto second = lock_instance(lock.path.data());
	REQUIRE_FALSE(second);
	CHECK(second.error().kind == ErrorKind::conflict);
	CHECK(second.error().what == "another neuwerkd runs already: " + std::string(lock.path.data()) +
					     " is held by pid " + std::to_string(getpid()));
	first->reset();
	CHECK(lock_instance(lock.path.data()));
}
