// Capabilities over libcap; libpsx makes every thread follow.
#include "dataplane/poller/privileges.h"

#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/psx_syscall.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <type_traits>

namespace neuwerk::dataplane {

namespace {

struct FreeCapabilities {
	void operator()(cap_t capabilities) const
	{
		cap_free(capabilities);
	}
};
using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, FreeCapabilities>;

// The effective set of one thread, as /proc prints it; "" when it cannot be read.
std::string effective_set_of(const std::filesystem::path &thread)
{
	std::ifstream status(thread / "status");
	for (std::string line; std::getline(status, line);)
		if (line.starts_with("CapEff:"))
			return line.substr(line.find_first_not_of("\t ", 7));
	return {};
}

} // namespace

Result<> check_privileges()
{
	constexpr std::array needed = {CAP_SYS_ADMIN, CAP_NET_ADMIN, CAP_NET_RAW};
	const Capabilities mine(cap_get_proc());
	std::string missing;
	for (const cap_value_t capability : needed) {
		cap_flag_value_t is_set = CAP_CLEAR;
		if (mine && cap_get_flag(mine.get(), capability, CAP_EFFECTIVE, &is_set) == 0 &&
		    is_set == CAP_SET)
			continue;
		char *name = cap_to_name(capability);
		missing += (missing.empty() ? "" : ", ") + std::string(name ? name : "?");
		cap_free(name);
	}
	if (missing.empty())
		return {};
	return fail(ErrorKind::forbidden, "privilege missing: " + missing +
						  ": run as root, or from the systemd unit that grants it");
}

void raise_memory_lock_limit()
{
	const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
}

Result<> drop_privileges()
{
	const Capabilities none(cap_init());
	// Both calls reach all threads: cap_set_proc through libpsx, prctl by our own hand.
	if (!none || cap_set_proc(none.get()) != 0 ||
	    psx_syscall6(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0, 0) != 0)
		return fail(ErrorKind::internal, "cannot drop capabilities: the kernel refuses");
	for (const auto &thread : std::filesystem::directory_iterator("/proc/self/task"))
		if (effective_set_of(thread.path()).find_first_not_of('0') != std::string::npos)
			return fail(ErrorKind::internal, "cannot drop capabilities: thread " +
								 thread.path().filename().string() +
								 " kept some");
	return {};
}

bool keep_only_network_administration()
{
	const Capabilities one(cap_init());
	const cap_value_t kept = CAP_NET_ADMIN;
	return one && cap_set_flag(one.get(), CAP_PERMITTED, 1, &kept, CAP_SET) == 0 &&
	       cap_set_flag(one.get(), CAP_EFFECTIVE, 1, &kept, CAP_SET) == 0 &&
	       cap_set_proc(one.get()) == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

} // namespace neuwerk::dataplane
