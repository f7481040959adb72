// What neuwerkd does to its host beside the corridor.
#include "daemon/host.h"

#include "base/files.h"
#include "base/log.h"
#include "base/text.h"
#include "daemon/netlink.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace neuwerk::daemon {

namespace {

constexpr const char *ip_forward = "/proc/sys/net/ipv4/ip_forward";

const PortFacts &outside_facts(const DataplaneConfig &config, const Facts &facts)
{
	const std::string &name = outside_port(config).interface;
	return *std::ranges::find_if(facts, [&](const PortFacts &port) { return port.interface == name; });
}

} // namespace

Result<Fd> lock_instance(const std::string &path)
{
	Fd file(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
	if (!file)
		return tl::unexpected(system_error("open", path, errno));
	if (flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
		SystemFiles files;
		const auto holder = files.read(path);
		return fail(ErrorKind::conflict, text("another neuwerkd runs already: ", path,
						      " is held by pid ", holder ? *holder : "unknown"));
	}
	const std::string pid = std::to_string(getpid());
	if (ftruncate(file.get(), 0) != 0 || pwrite(file.get(), pid.data(), pid.size(), 0) < 0)
		return tl::unexpected(system_error("write", path, errno));
	return file;
}

Result<> disable_ip_forward()
{
	SystemFiles files;
	const auto now = files.read(ip_forward);
	if (!now)
		return tl::unexpected(now.error());
	if (now->starts_with('0'))
		return {};
	const Fd file(open(ip_forward, O_WRONLY | O_CLOEXEC));
	if (!file || write(file.get(), "0", 1) != 1)
		return fail(ErrorKind::forbidden,
			    text("net.ipv4.ip_forward is 1 and cannot be set to 0: the kernel would forward "
				 "untranslated packets whenever the XDP program is detached"));
	log::info("set net.ipv4.ip_forward to 0: packets are forwarded by XDP, never by the kernel");
	return {};
}

Result<Facts> facts_of(const DataplaneConfig &config)
{
	std::vector<std::string> interfaces;
	for (const dataplane::PortSpec &port : config.ports)
		interfaces.push_back(port.interface);
	return read_facts(interfaces);
}

Result<> ensure_snat_address(const DataplaneConfig &config, const Facts &facts)
{
	const PortFacts &outside = outside_facts(config, facts);
	if (config.snat_mode != NW_SNAT_STATIC || outside.index == 0)
		return {};
	for (const PortFacts &port : facts)
		for (const PortAddress &address : port.addresses)
			if (address.address == config.snat_address)
				return {};
	log::info(text("adding the SNAT address ", format_ipv4(config.snat_address), "/32 to ",
		       outside.interface));
	return add_host_address(outside.index, config.snat_address);
}

Result<> remove_snat_address(const DataplaneConfig &config, const Facts &facts)
{
	const PortFacts &outside = outside_facts(config, facts);
	if (config.snat_mode != NW_SNAT_STATIC || outside.index == 0)
		return {};
	return remove_host_address(outside.index, config.snat_address);
}

} // namespace neuwerk::daemon
