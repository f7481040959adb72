// The poller as a real process.
#include "daemon/poller_process.h"

#include "base/fd.h"
#include "base/files.h"
#include "base/text.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace neuwerk::daemon {

namespace {

std::string own_directory()
{
	std::array<char, 4096> path{};
	const ssize_t bytes = readlink("/proc/self/exe", path.data(), path.size() - 1);
	const std::string self(path.data(), bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
	return self.substr(0, self.rfind('/'));
}

} // namespace

PollerProcess poller_of(const Config &config)
{
	const std::string program = config.dataplane.poller_binary.empty()
					    ? own_directory() + "/neuwerk-dataplane"
					    : config.dataplane.poller_binary;
	return PollerProcess({program, "--bpffs", config.paths.bpffs, "--run", config.paths.run,
			      "--log-level", std::string(log::name(config.log_level))},
			     config.paths.run + "/dataplane.lock", config.paths.run + "/dataplane.sock");
}

PollerProcess::PollerProcess(std::vector<std::string> command, std::string lock, std::string socket)
    : command_(std::move(command)), lock_(std::move(lock)), socket_(std::move(socket))
{
}

Result<pid_t> PollerProcess::launch()
{
	std::vector<char *> arguments;
	for (std::string &argument : command_)
		arguments.push_back(argument.data());
	arguments.push_back(nullptr);

	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	// A library's descriptor without CLOEXEC would keep our lock and our listening port alive after a
	// crash.
	posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
	// Its own process group: Ctrl-C in a terminal is for neuwerkd, which then stops the poller.
	posix_spawnattr_setflags(&attributes,
				 POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	posix_spawnattr_setpgroup(&attributes, 0);
	sigset_t none;
	sigset_t all;
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);

	pid_t pid = 0;
	const int error = posix_spawn(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	if (error != 0)
		return tl::unexpected(system_error("start", command_[0], error));
	return pid;
}

std::optional<std::string> PollerProcess::reap(pid_t pid)
{
	int status = 0;
	if (waitpid(pid, &status, WNOHANG) == 0)
		return std::nullopt;
	if (WIFSIGNALED(status))
		return text("signal ", WTERMSIG(status));
	return text("exit code ", WEXITSTATUS(status));
}

void PollerProcess::signal(pid_t pid, int number)
{
	kill(pid, number);
}

bool PollerProcess::lock_is_held()
{
	const Fd file(open(lock_.c_str(), O_RDONLY | O_CLOEXEC));
	return file && flock(file.get(), LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

std::optional<pid_t> PollerProcess::holder()
{
	// Whoever listens on its socket while its lock is held is the poller: the kernel knows the pid.
	const Fd connection(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
	sockaddr_un address{};
	address.sun_family = AF_UNIX;
	if (!connection || socket_.size() >= sizeof(address.sun_path))
		return std::nullopt;
	std::memcpy(address.sun_path, socket_.c_str(), socket_.size() + 1);
	ucred peer{};
	socklen_t bytes = sizeof(peer);
	if (!lock_is_held() ||
	    connect(connection.get(), reinterpret_cast<const sockaddr *>(&address), sizeof(address)) != 0 ||
	    getsockopt(connection.get(), SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0 || peer.pid <= 0)
		return std::nullopt;
	return peer.pid;
}

} // namespace neuwerk::daemon
