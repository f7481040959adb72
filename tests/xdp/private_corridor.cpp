// Namespace, veth pair, bpffs and corridor of one test.
#include "private_corridor.h"

#include <bpf/bpf.h>
#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>

namespace neuwerk::xdp_test {

namespace {

Error broken(const std::string &what)
{
	return {ErrorKind::unavailable, what + ": " + std::strerror(errno)};
}

} // namespace

Result<PrivateCorridor> PrivateCorridor::make(const dataplane::Sizes &sizes)
{
	if (unshare(CLONE_NEWNET) != 0)
		return tl::unexpected(broken("a network namespace"));
	const char *const links =
		"sysctl -qw net.ipv6.conf.default.disable_ipv6=1 && ip link set lo up && ip link add inside "
		"address 02:00:00:00:01:01 type veth peer name "
		"client && ip link add outside address 02:00:00:00:02:01 type veth peer name server && "
		"for i in inside client outside server; do ip link set $i up && ethtool -K $i rxvlan off "
		">/dev/null 2>&1; done; true";
	if (std::system(links) != 0)
		return tl::unexpected(broken("veth pairs"));
	PrivateCorridor made;
	const char *scratch =
		std::getenv("NW_TEST_DIRECTORY"); // scripts/test cleans it after an interrupted run
	std::string name = std::string(scratch ? scratch : "/tmp") + "/nw-xdp-test-XXXXXX";
	std::error_code ignored;
	std::filesystem::create_directories(std::filesystem::path(name).parent_path(), ignored);
	if (!mkdtemp(name.data()))
		return tl::unexpected(broken("a directory"));
	made.directory_ = name;
	if (mount("bpf", name.c_str(), "bpf", 0, nullptr) != 0)
		return tl::unexpected(broken("a bpf file system"));
	auto corridor =
		dataplane::Corridor::open({.bpffs = made.directory_ + "/nw",
					   .ports = {{.interface = "inside", .side = NW_SIDE_INSIDE},
						     {.interface = "outside", .side = NW_SIDE_OUTSIDE}},
					   .sizes = sizes});
	if (!corridor)
		return tl::unexpected(corridor.error());
	made.corridor_.push_back(std::move(*corridor));
	dataplane::Settings settings;
	settings.own_addresses = {own_address};
	settings.external = {own_address};
	settings.timeouts = {7440, 30, 240, 60, 300, 10, 60, 0};
	if (auto configured = made.corridor().configure(settings); !configured)
		return tl::unexpected(configured.error());
	return made;
}

PrivateCorridor::~PrivateCorridor()
{
	if (directory_.empty())
		return;
	corridor_.clear();
	umount2(directory_.c_str(), MNT_DETACH); // the pins go with it, and with them the programs
	std::error_code ignored;
	std::filesystem::remove(directory_, ignored);
}

dataplane::Corridor &PrivateCorridor::corridor()
{
	return corridor_.front();
}

std::string PrivateCorridor::pin(const std::string &name) const
{
	return directory_ + "/nw/" + name;
}

Result<Fd> PrivateCorridor::enforcing_program(const std::string &interface) const
{
	const Fd link(bpf_obj_get(pin("link_" + interface).c_str()));
	bpf_link_info info{};
	__u32 bytes = sizeof(info);
	if (!link || bpf_obj_get_info_by_fd(link.get(), &info, &bytes) != 0)
		return tl::unexpected(broken("the link of " + interface));
	return Fd(bpf_prog_get_fd_by_id(info.prog_id));
}

int PrivateCorridor::run(const Fd &program, std::span<const std::byte> frame)
{
	bpf_test_run_opts options{};
	options.sz = sizeof(options);
	options.data_in = frame.data();
	options.data_size_in = static_cast<__u32>(frame.size());
	options.repeat = 1;
	return bpf_prog_test_run_opts(program.get(), &options) == 0 ? static_cast<int>(options.retval) : -1;
}

} // namespace neuwerk::xdp_test
