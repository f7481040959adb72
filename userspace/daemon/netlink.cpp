// The kernel's view of network interfaces over libmnl; the only file of this room that knows it.
#include "daemon/netlink.h"

#include "base/files.h"
#include "base/text.h"

#include <libmnl/libmnl.h>

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>

namespace neuwerk::daemon {

namespace {

struct CloseSocket {
	void operator()(mnl_socket *socket) const
	{
		mnl_socket_close(socket);
	}
};
using Socket = std::unique_ptr<mnl_socket, CloseSocket>;

constexpr unsigned sequence = 1; // one request per socket
// Room for one datagram of a dump, whatever the page size.
using Buffer = std::array<char, 32768>;

Result<Socket> ask(const nlmsghdr *request)
{
	Socket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
	if (!socket || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket.get(), request, request->nlmsg_len) < 0)
		return tl::unexpected(system_error("netlink", "route socket", errno));
	return socket;
}

// Hands every message of the answer to `read`; 0 or the kernel's error number.
int receive(mnl_socket *socket, mnl_cb_t read, void *data)
{
	Buffer buffer;
	const unsigned port = mnl_socket_get_portid(socket);
	for (;;) {
		const ssize_t bytes = mnl_socket_recvfrom(socket, buffer.data(), buffer.size());
		if (bytes < 0)
			return errno;
		const int outcome = mnl_cb_run(buffer.data(), static_cast<std::size_t>(bytes), sequence, port,
					       read, data);
		if (outcome == MNL_CB_ERROR)
			return errno;
		if (outcome == MNL_CB_STOP)
			return 0;
	}
}

Result<> dump(std::uint16_t type, unsigned char family, mnl_cb_t read, Facts &facts)
{
	std::array<char, 256> room{};
	nlmsghdr *request = mnl_nlmsg_put_header(room.data());
	request->nlmsg_type = type;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	request->nlmsg_seq = sequence;
	// RTM_GETLINK wants an ifinfomsg, RTM_GETADDR an ifaddrmsg: both start with the family.
	const std::size_t header_bytes = type == RTM_GETLINK ? sizeof(ifinfomsg) : sizeof(ifaddrmsg);
	*static_cast<unsigned char *>(mnl_nlmsg_put_extra_header(request, header_bytes)) = family;
	auto socket = ask(request);
	if (!socket)
		return tl::unexpected(socket.error());
	if (const int error = receive(socket->get(), read, &facts))
		return tl::unexpected(system_error(
			"netlink", type == RTM_GETLINK ? "list links" : "list addresses", error));
	return {};
}

// libmnl's own macro for this is C only.
template <typename Visit>
void for_each_attribute(const void *begin, const void *end, Visit visit)
{
	const auto *attribute = static_cast<const nlattr *>(begin);
	while (mnl_attr_ok(attribute, static_cast<int>(static_cast<const char *>(end) -
						       reinterpret_cast<const char *>(attribute)))) {
		visit(attribute);
		attribute = mnl_attr_next(attribute);
	}
}

template <typename Visit>
void for_each_attribute(const nlmsghdr *message, std::size_t header_bytes, Visit visit)
{
	for_each_attribute(mnl_nlmsg_get_payload_offset(message, header_bytes),
			   mnl_nlmsg_get_payload_tail(message), visit);
}

bool is_attached(const nlattr *xdp)
{
	bool attached = false;
	const auto *payload = static_cast<const char *>(mnl_attr_get_payload(xdp));
	for_each_attribute(payload, payload + mnl_attr_get_payload_len(xdp), [&](const nlattr *attribute) {
		if (mnl_attr_get_type(attribute) == IFLA_XDP_ATTACHED)
			attached = mnl_attr_get_u8(attribute) != XDP_ATTACHED_NONE;
	});
	return attached;
}

// A dump may be torn by a change; the watch reports that change, and the facts are read again.
int on_link(const nlmsghdr *message, void *data)
{
	auto &facts = *static_cast<Facts *>(data);
	const auto *link = static_cast<const ifinfomsg *>(mnl_nlmsg_get_payload(message));
	std::string name;
	std::uint32_t mtu = 0;
	bool has_xdp = false;
	for_each_attribute(message, sizeof(*link), [&](const nlattr *attribute) {
		if (mnl_attr_get_type(attribute) == IFLA_IFNAME)
			name = mnl_attr_get_str(attribute);
		if (mnl_attr_get_type(attribute) == IFLA_MTU)
			mtu = mnl_attr_get_u32(attribute);
		if (mnl_attr_get_type(attribute) == IFLA_XDP)
			has_xdp = is_attached(attribute);
	});
	for (PortFacts &port : facts)
		if (port.interface == name) {
			port.index = static_cast<std::uint32_t>(link->ifi_index);
			port.mtu = mtu;
			port.up = (link->ifi_flags & IFF_UP) != 0;
			port.has_xdp = has_xdp;
		}
	return MNL_CB_OK;
}

int on_address(const nlmsghdr *message, void *data)
{
	auto &facts = *static_cast<Facts *>(data);
	const auto *entry = static_cast<const ifaddrmsg *>(mnl_nlmsg_get_payload(message));
	for_each_attribute(message, sizeof(*entry), [&](const nlattr *attribute) {
		// IFA_LOCAL is ours; IFA_ADDRESS is the peer's on a point-to-point link.
		if (mnl_attr_get_type(attribute) != IFA_LOCAL || entry->ifa_family != AF_INET)
			return;
		for (PortFacts &port : facts)
			if (port.index != 0 && port.index == entry->ifa_index)
				port.addresses.push_back({ntohl(mnl_attr_get_u32(attribute)),
							  entry->ifa_prefixlen,
							  entry->ifa_scope == RT_SCOPE_UNIVERSE});
	});
	return MNL_CB_OK;
}

int change_host_address(std::uint16_t type, std::uint16_t flags, std::uint32_t interface_index,
			std::uint32_t address, Result<> &outcome)
{
	std::array<char, 256> room{};
	nlmsghdr *request = mnl_nlmsg_put_header(room.data());
	request->nlmsg_type = type;
	request->nlmsg_flags = static_cast<std::uint16_t>(NLM_F_REQUEST | NLM_F_ACK | flags);
	request->nlmsg_seq = sequence;
	auto *entry = static_cast<ifaddrmsg *>(mnl_nlmsg_put_extra_header(request, sizeof(ifaddrmsg)));
	entry->ifa_family = AF_INET;
	entry->ifa_prefixlen = 32;
	entry->ifa_scope = RT_SCOPE_UNIVERSE;
	entry->ifa_index = interface_index;
	mnl_attr_put_u32(request, IFA_LOCAL, htonl(address));
	mnl_attr_put_u32(request, IFA_ADDRESS, htonl(address));
	auto socket = ask(request);
	if (!socket) {
		outcome = tl::unexpected(socket.error());
		return 0;
	}
	return receive(socket->get(), nullptr, nullptr);
}

} // namespace

Result<Facts> read_facts(const std::vector<std::string> &interfaces)
{
	Facts facts;
	for (const std::string &name : interfaces)
		facts.push_back({.interface = name,
				 .index = 0,
				 .mtu = 0,
				 .up = false,
				 .has_xdp = false,
				 .addresses = {}});
	if (auto links = dump(RTM_GETLINK, AF_UNSPEC, on_link, facts); !links)
		return tl::unexpected(links.error());
	if (auto addresses = dump(RTM_GETADDR, AF_INET, on_address, facts); !addresses)
		return tl::unexpected(addresses.error());
	return facts;
}

Result<> add_host_address(std::uint32_t interface_index, std::uint32_t address)
{
	Result<> outcome;
	const int error = change_host_address(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, interface_index,
					      address, outcome);
	if (error != 0 && error != EEXIST)
		return tl::unexpected(system_error("add address", format_ipv4(address), error));
	return outcome;
}

Result<> remove_host_address(std::uint32_t interface_index, std::uint32_t address)
{
	Result<> outcome;
	const int error = change_host_address(RTM_DELADDR, 0, interface_index, address, outcome);
	if (error != 0 && error != EADDRNOTAVAIL && error != ENODEV)
		return tl::unexpected(system_error("remove address", format_ipv4(address), error));
	return outcome;
}

Result<AddressWatch> AddressWatch::open()
{
	Fd watch(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
	sockaddr_nl local{};
	local.nl_family = AF_NETLINK;
	local.nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR;
	if (!watch || bind(watch.get(), reinterpret_cast<const sockaddr *>(&local), sizeof(local)) != 0)
		return tl::unexpected(system_error("netlink", "watch addresses", errno));
	return AddressWatch(std::move(watch));
}

void AddressWatch::drain()
{
	Buffer buffer;
	// An overrun (ENOBUFS) loses reports, not changes: the facts are read anew either way.
	while (recv(socket_.get(), buffer.data(), buffer.size(), 0) > 0 || errno == ENOBUFS || errno == EINTR)
		;
}

} // namespace neuwerk::daemon
