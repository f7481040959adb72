// Interface properties by the classic ioctls (netdevice(7), linux/ethtool.h).
#include "dataplane/publish/interface_check.h"

#include "abi/config.h"
#include "base/fd.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace neuwerk::dataplane {

namespace {

Result<ifreq> ask(int socket_fd, const std::string &name, unsigned long request, void *data = nullptr)
{
	ifreq answer{};
	std::strncpy(answer.ifr_name, name.c_str(), IFNAMSIZ - 1);
	if (data)
		answer.ifr_data = static_cast<char *>(data);
	if (ioctl(socket_fd, request, &answer) != 0)
		return fail(ErrorKind::unavailable, "interface " + name + ": " + std::strerror(errno) +
							    (errno == ENODEV ? ": see `ip link`" : ""));
	return answer;
}

} // namespace

Result<Interface> check_interface(const std::string &name)
{
	if (name.empty() || name.size() >= IFNAMSIZ)
		return fail(ErrorKind::invalid_argument,
			    "interface \"" + name + "\": a name has 1 to 15 characters");
	const Fd socket_fd(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	auto index = ask(socket_fd.get(), name, SIOCGIFINDEX);
	if (!index)
		return tl::unexpected(index.error());
	auto mtu = ask(socket_fd.get(), name, SIOCGIFMTU);
	auto mac = ask(socket_fd.get(), name, SIOCGIFHWADDR);
	if (!mtu || !mac)
		return tl::unexpected(!mtu ? mtu.error() : mac.error());
	if (mtu->ifr_mtu > NW_MTU_MAX_BYTES)
		return fail(ErrorKind::invalid_argument,
			    "interface " + name + ": MTU " + std::to_string(mtu->ifr_mtu) + " is above " +
				    std::to_string(NW_MTU_MAX_BYTES) +
				    ", what one AF_XDP frame holds: `ip link set dev " + name + " mtu 1500`");

	ethtool_value flags{ETHTOOL_GFLAGS, 0};
	if (auto answered = ask(socket_fd.get(), name, SIOCETHTOOL, &flags); answered) {
		if (flags.data & ETH_FLAG_LRO)
			return fail(ErrorKind::invalid_argument,
				    "interface " + name + ": LRO merges packets before XDP: `ethtool -K " +
					    name + " lro off`");
		if (flags.data & ETH_FLAG_RXVLAN)
			return fail(ErrorKind::invalid_argument,
				    "interface " + name +
					    ": VLAN receive offload hides tags from XDP: `ethtool -K " +
					    name + " rxvlan off`");
	}
	Interface found{};
	found.index = static_cast<std::uint32_t>(index->ifr_ifindex);
	found.mtu_bytes = static_cast<std::uint32_t>(mtu->ifr_mtu);
	std::memcpy(found.mac.data(), mac->ifr_hwaddr.sa_data, found.mac.size());
	return found;
}

} // namespace neuwerk::dataplane
