// posix_spawn and a pipe that is read until it ends or patience does.
#include "daemon/run_command.h"

#include "base/fd.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

extern char **environ;

namespace neuwerk::daemon {

namespace {

// The child sees its end of the pipe as output and error, and no signal blocked.
int spawn(const std::vector<std::string> &words, int output, pid_t &pid)
{
	std::vector<char *> arguments;
	for (const std::string &word : words)
		arguments.push_back(const_cast<char *>(word.c_str()));
	arguments.push_back(nullptr);
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, 1);
	posix_spawn_file_actions_adddup2(&actions, output, 2);
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1); // no lock, no listening port
	posix_spawnattr_t attributes;
	posix_spawnattr_init(&attributes);
	sigset_t none, all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	const int code = posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return code;
}

int milliseconds_until(Instant deadline)
{
	const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
		deadline - std::chrono::steady_clock::now());
	return static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0));
}

// True: the child closed its end.
bool read_until(int fd, Instant deadline, std::size_t limit_bytes, std::string &output)
{
	std::array<char, 16384> block{};
	for (;;) {
		pollfd wait{.fd = fd, .events = POLLIN, .revents = 0};
		const int ready = poll(&wait, 1, milliseconds_until(deadline));
		if (ready < 0 && errno == EINTR)
			continue;
		if (ready <= 0)
			return false;
		const ssize_t count = read(fd, block.data(), block.size());
		if (count <= 0)
			return true;
		const std::size_t room = limit_bytes - output.size();
		output.append(block.data(), std::min(static_cast<std::size_t>(count), room));
	}
}

} // namespace

CommandOutput run_command(const std::vector<std::string> &words, const CommandLimits &limits)
{
	CommandOutput result;
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) != 0) {
		result.error = std::strerror(errno);
		return result;
	}
	const Fd reading(ends[0]);
	Fd writing(ends[1]);
	pid_t pid = -1;
	if (const int code = spawn(words, writing.get(), pid); code != 0) {
		result.error = std::strerror(code);
		return result;
	}
	writing.reset();
	result.started = true;
	const Instant deadline = std::chrono::steady_clock::now() + limits.patience;
	result.timed_out = !read_until(reading.get(), deadline, limits.output_bytes, result.output);
	if (result.timed_out)
		kill(pid, SIGKILL);
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status))
		result.exit_status = WEXITSTATUS(status);
	return result;
}

} // namespace neuwerk::daemon
