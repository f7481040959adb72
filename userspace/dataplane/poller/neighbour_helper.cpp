// The neighbour helper: requests from a socket pair, RTM_NEWNEIGH and RTM_DELNEIGH over libmnl to the kernel.
#include "dataplane/poller/neighbour_helper.h"

#include "dataplane/poller/privileges.h"

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

namespace neuwerk::dataplane {

namespace {

// The kernel's answer is not waited for: whether a neighbour resolves is seen in its notifications.
void ask_kernel(mnl_socket *kernel, const NeighbourRequest &request)
{
	alignas(nlmsghdr) std::array<char, 256> buffer{};
	nlmsghdr *header = mnl_nlmsg_put_header(buffer.data());
	header->nlmsg_type = request.is_wanted ? RTM_NEWNEIGH : RTM_DELNEIGH;
	header->nlmsg_flags = NLM_F_REQUEST;
	if (request.is_wanted)
		header->nlmsg_flags |= NLM_F_CREATE | NLM_F_REPLACE;
	auto *message = static_cast<ndmsg *>(mnl_nlmsg_put_extra_header(header, sizeof(ndmsg)));
	message->ndm_family = AF_INET;
	message->ndm_ifindex = static_cast<int>(request.ifindex);
	message->ndm_state = NUD_NONE;
	mnl_attr_put_u32(header, NDA_DST, request.address_be);
	if (request.is_wanted)
		mnl_attr_put_u32(header, NDA_FLAGS_EXT, NTF_EXT_MANAGED);
	mnl_socket_sendto(kernel, header, header->nlmsg_len);
}

// Runs until the poller is gone.
[[noreturn]] void serve(Fd requests, std::span<const std::uint32_t> ifindexes)
{
	prctl(PR_SET_NAME, "nw-neighbours");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	// Stopping is the poller's business: a terminal sends its signals to the whole group.
	std::signal(SIGINT, SIG_IGN);
	std::signal(SIGTERM, SIG_IGN);
	const int kept = dup2(requests.get(), STDERR_FILENO + 1);
	close_range(static_cast<unsigned>(kept) + 1, ~0u, 0);
	mnl_socket *kernel = mnl_socket_open(NETLINK_ROUTE);
	if (!kernel || mnl_socket_bind(kernel, 0, MNL_SOCKET_AUTOPID) != 0 ||
	    !keep_only_network_administration())
		_exit(1);
	NeighbourRequest request{};
	for (;;) {
		const ssize_t bytes = recv(kept, &request, sizeof(request), 0);
		if (bytes == 0 || (bytes < 0 && errno != EINTR))
			_exit(0);
		if (bytes == sizeof(request) &&
		    std::ranges::find(ifindexes, request.ifindex) != ifindexes.end())
			ask_kernel(kernel, request);
	}
}

} // namespace

Result<Fd> start_neighbour_helper(std::span<const std::uint32_t> ifindexes)
{
	int ends[2];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return fail(ErrorKind::internal,
			    std::string("cannot make a socket pair: ") + std::strerror(errno));
	Fd poller_end(ends[0]), helper_end(ends[1]);
	const pid_t child = fork();
	if (child < 0)
		return fail(ErrorKind::internal, std::string("cannot fork: ") + std::strerror(errno));
	if (child == 0) {
		poller_end.reset();
		serve(std::move(helper_end), ifindexes);
	}
	return poller_end;
}

} // namespace neuwerk::dataplane
