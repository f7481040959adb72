// rtnetlink over libmnl.
#include "dataplane/poller/netlink.h"

#include "dataplane/poller/neighbour_helper.h"

#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace neuwerk::dataplane {

namespace {

struct CloseSocket {
	void operator()(mnl_socket *socket) const
	{
		mnl_socket_close(socket);
	}
};
using Socket = std::unique_ptr<mnl_socket, CloseSocket>;

constexpr std::size_t buffer_bytes = 32768; // what the kernel fills in one dump step at most
using Buffer = std::array<char, buffer_bytes>;

constexpr unsigned usable_states =
	NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT | NUD_NOARP;

// Attributes 0 to `max` of a message, by type; unknown ones are left out (the kernel may be newer).
template <std::size_t Max>
struct Attributes {
	std::array<const nlattr *, Max + 1> of{};

	static int take(const nlattr *attribute, void *data)
	{
		auto *self = static_cast<Attributes *>(data);
		if (mnl_attr_type_valid(attribute, Max) > 0)
			self->of[mnl_attr_get_type(attribute)] = attribute;
		return MNL_CB_OK;
	}
	Attributes(const nlmsghdr *header, unsigned offset)
	{
		mnl_attr_parse(header, offset, take, this);
	}
};

std::optional<Mac> mac_of(const nlattr *attribute)
{
	Mac mac{};
	if (!attribute || mnl_attr_get_payload_len(attribute) != mac.size())
		return {};
	std::memcpy(mac.data(), mnl_attr_get_payload(attribute), mac.size());
	return mac;
}

struct NeighbourReport {
	Neighbour neighbour;
	std::optional<Mac> mac; // empty: not usable now
};

// Empty: about something else than an IPv4 neighbour.
std::optional<NeighbourReport> read_neighbour(const nlmsghdr *header)
{
	const auto *message = static_cast<const ndmsg *>(mnl_nlmsg_get_payload(header));
	const Attributes<NDA_MAX> attributes(header, sizeof(*message));
	const nlattr *address = attributes.of[NDA_DST];
	if (message->ndm_family != AF_INET || !address || mnl_attr_get_payload_len(address) != 4)
		return {};
	const bool is_usable = header->nlmsg_type == RTM_NEWNEIGH && message->ndm_state & usable_states;
	return NeighbourReport{{static_cast<std::uint32_t>(message->ndm_ifindex), mnl_attr_get_u32(address)},
			       is_usable ? mac_of(attributes.of[NDA_LLADDR]) : std::nullopt};
}

int on_known_mac(const nlmsghdr *header, void *data)
{
	if (header->nlmsg_type == RTM_NEWNEIGH)
		if (const auto report = read_neighbour(header))
			*static_cast<std::optional<Mac> *>(data) = report->mac;
	return MNL_CB_OK;
}

void on_link(const nlmsghdr *header, NextHopTable &table)
{
	const auto *message = static_cast<const ifinfomsg *>(mnl_nlmsg_get_payload(header));
	const Attributes<IFLA_MAX> attributes(header, sizeof(*message));
	const auto mac = mac_of(attributes.of[IFLA_ADDRESS]);
	const nlattr *mtu = attributes.of[IFLA_MTU];
	if (!mac || !mtu)
		return;
	const std::uint32_t mtu_bytes = mnl_attr_get_u32(mtu);
	table.on_link(static_cast<std::uint32_t>(message->ifi_index),
		      static_cast<std::uint16_t>(mtu_bytes < 65535 ? mtu_bytes : 65535), *mac,
		      header->nlmsg_type == RTM_NEWLINK && message->ifi_flags & IFF_UP);
}

int on_message(const nlmsghdr *header, void *data)
{
	auto &table = *static_cast<NextHopTable *>(data);
	switch (header->nlmsg_type) {
	case RTM_NEWNEIGH:
	case RTM_DELNEIGH:
		if (const auto report = read_neighbour(header))
			table.on_neighbour(report->neighbour, report->mac);
		break;
	case RTM_NEWLINK:
	case RTM_DELLINK:
		on_link(header, table);
		break;
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		table.on_routes_changed();
		break;
	default:
		break;
	}
	return MNL_CB_OK;
}

struct RouteAnswer {
	__be32 destination_be;
	std::optional<Neighbour> neighbour;
};

int on_route(const nlmsghdr *header, void *data)
{
	auto *answer = static_cast<RouteAnswer *>(data);
	const auto *message = static_cast<const rtmsg *>(mnl_nlmsg_get_payload(header));
	const Attributes<RTA_MAX> attributes(header, sizeof(*message));
	const nlattr *interface = attributes.of[RTA_OIF];
	const nlattr *gateway = attributes.of[RTA_GATEWAY];
	if (header->nlmsg_type != RTM_NEWROUTE || message->rtm_type != RTN_UNICAST || !interface)
		return MNL_CB_OK; // our own address, broadcast, unreachable, prohibited
	answer->neighbour = {mnl_attr_get_u32(interface),
			     gateway ? mnl_attr_get_u32(gateway) : answer->destination_be};
	return MNL_CB_OK;
}

Result<Socket> open_socket(unsigned groups)
{
	Socket socket(mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC));
	if (!socket || mnl_socket_bind(socket.get(), groups, MNL_SOCKET_AUTOPID) != 0)
		return fail(ErrorKind::internal,
			    std::string("cannot open a netlink socket: ") + std::strerror(errno));
	return socket;
}

constexpr unsigned group_bit(unsigned group)
{
	return 1u << (group - 1);
}

} // namespace

struct Netlink::Sockets {
	Socket questions;
	Socket notifications;
	Fd helper;
	std::uint32_t sequence = 0;
	alignas(nlmsghdr) Buffer buffer;
};

Netlink::Netlink(std::unique_ptr<Sockets> sockets) : sockets_(std::move(sockets)) {}

Netlink::~Netlink() = default;

Result<std::unique_ptr<Netlink>> Netlink::open(Fd helper)
{
	auto questions = open_socket(0);
	if (!questions)
		return tl::unexpected(questions.error());
	auto notifications = open_socket(group_bit(RTNLGRP_NEIGH) | group_bit(RTNLGRP_LINK) |
					 group_bit(RTNLGRP_IPV4_ROUTE));
	if (!notifications)
		return tl::unexpected(notifications.error());
	auto sockets = std::make_unique<Sockets>();
	sockets->questions = std::move(*questions);
	sockets->notifications = std::move(*notifications);
	sockets->helper = std::move(helper);
	return std::unique_ptr<Netlink>(new Netlink(std::move(sockets)));
}

// The kernel answers while sendto runs, so this does not wait for anybody.
std::optional<Neighbour> Netlink::route(__be32 destination_be)
{
	Sockets &sockets = *sockets_;
	nlmsghdr *header = mnl_nlmsg_put_header(sockets.buffer.data());
	header->nlmsg_type = RTM_GETROUTE;
	header->nlmsg_flags = NLM_F_REQUEST;
	header->nlmsg_seq = ++sockets.sequence;
	auto *message = static_cast<rtmsg *>(mnl_nlmsg_put_extra_header(header, sizeof(rtmsg)));
	message->rtm_family = AF_INET;
	message->rtm_dst_len = 32;
	mnl_attr_put_u32(header, RTA_DST, destination_be);
	if (mnl_socket_sendto(sockets.questions.get(), header, header->nlmsg_len) < 0)
		return {};
	const ssize_t bytes =
		mnl_socket_recvfrom(sockets.questions.get(), sockets.buffer.data(), buffer_bytes);
	RouteAnswer answer{destination_be, {}};
	if (bytes < 0 || mnl_cb_run(sockets.buffer.data(), static_cast<std::size_t>(bytes), sockets.sequence,
				    mnl_socket_get_portid(sockets.questions.get()), on_route, &answer) < 0)
		return {}; // no route: the kernel says ENETUNREACH
	return answer.neighbour;
}

// As route(): answered while sendto runs.
std::optional<Mac> Netlink::known_mac(Neighbour neighbour)
{
	Sockets &sockets = *sockets_;
	nlmsghdr *header = mnl_nlmsg_put_header(sockets.buffer.data());
	header->nlmsg_type = RTM_GETNEIGH;
	header->nlmsg_flags = NLM_F_REQUEST;
	header->nlmsg_seq = ++sockets.sequence;
	auto *message = static_cast<ndmsg *>(mnl_nlmsg_put_extra_header(header, sizeof(ndmsg)));
	message->ndm_family = AF_INET;
	message->ndm_ifindex = static_cast<int>(neighbour.ifindex);
	mnl_attr_put_u32(header, NDA_DST, neighbour.address_be);
	if (mnl_socket_sendto(sockets.questions.get(), header, header->nlmsg_len) < 0)
		return {};
	const ssize_t bytes =
		mnl_socket_recvfrom(sockets.questions.get(), sockets.buffer.data(), buffer_bytes);
	std::optional<Mac> mac;
	if (bytes < 0 || mnl_cb_run(sockets.buffer.data(), static_cast<std::size_t>(bytes), sockets.sequence,
				    mnl_socket_get_portid(sockets.questions.get()), on_known_mac, &mac) < 0)
		return {}; // the kernel has never heard of it: ENOENT
	return mac;
}

// A full socket loses the request; end_sync and the next packet ask again.
void Netlink::manage(Neighbour neighbour)
{
	const NeighbourRequest request{neighbour.ifindex, neighbour.address_be, 1, {}};
	send(sockets_->helper.get(), &request, sizeof(request), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Netlink::forget(Neighbour neighbour)
{
	const NeighbourRequest request{neighbour.ifindex, neighbour.address_be, 0, {}};
	send(sockets_->helper.get(), &request, sizeof(request), MSG_DONTWAIT | MSG_NOSIGNAL);
}

void Netlink::synchronise(NextHopTable &table)
{
	Sockets &sockets = *sockets_;
	nlmsghdr *header = mnl_nlmsg_put_header(sockets.buffer.data());
	header->nlmsg_type = RTM_GETNEIGH;
	header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	header->nlmsg_seq = ++sockets.sequence;
	auto *message = static_cast<ndmsg *>(mnl_nlmsg_put_extra_header(header, sizeof(ndmsg)));
	message->ndm_family = AF_INET;
	if (mnl_socket_sendto(sockets.questions.get(), header, header->nlmsg_len) < 0)
		return;
	table.begin_sync();
	for (int step = MNL_CB_OK; step > MNL_CB_STOP;) {
		const ssize_t bytes =
			mnl_socket_recvfrom(sockets.questions.get(), sockets.buffer.data(), buffer_bytes);
		if (bytes <= 0)
			return; // an incomplete picture condemns nobody
		step = mnl_cb_run(sockets.buffer.data(), static_cast<std::size_t>(bytes), sockets.sequence,
				  mnl_socket_get_portid(sockets.questions.get()), on_message, &table);
		if (step < 0)
			return;
	}
	table.end_sync();
}

void Netlink::pump(NextHopTable &table)
{
	Sockets &sockets = *sockets_;
	for (;;) {
		const ssize_t bytes =
			recv(notification_fd(), sockets.buffer.data(), buffer_bytes, MSG_DONTWAIT);
		if (bytes > 0) {
			mnl_cb_run(sockets.buffer.data(), static_cast<std::size_t>(bytes), 0, 0, on_message,
				   &table);
			continue;
		}
		if (bytes < 0 && errno == ENOBUFS) { // notifications were lost
			table.on_routes_changed();
			synchronise(table);
			continue;
		}
		if (bytes < 0 && errno == EINTR)
			continue;
		return;
	}
}

int Netlink::notification_fd() const
{
	return mnl_socket_get_fd(sockets_->notifications.get());
}

} // namespace neuwerk::dataplane
