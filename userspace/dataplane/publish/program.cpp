// Loading, attaching and test-running the XDP program over libbpf.
#include "dataplane/publish/program.h"

#include "dataplane/publish/bpf_error.h"

#include "neuwerk.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

namespace neuwerk::dataplane {

namespace {

using Object = std::unique_ptr<neuwerk_bpf, void (*)(neuwerk_bpf *)>;

Result<Object> open_object(const PinnedMaps &maps, std::uint32_t port_index, bool is_dry_run)
{
	Object object(neuwerk_bpf__open(), neuwerk_bpf__destroy);
	if (!object)
		return fail(ErrorKind::internal, "cannot open the XDP object: " + bpf_error(errno));
	object->rodata->nw_port_index = port_index;
	object->rodata->nw_is_dry_run = is_dry_run;
	auto &defined = object->maps;
	bool ok = bpf_map__reuse_fd(defined.config, maps.config.fd()) == 0 &&
		  bpf_map__reuse_fd(defined.policy_active, maps.policy_active.fd()) == 0 &&
		  bpf_map__reuse_fd(defined.policy_nodes, maps.policy_nodes.fd()) == 0 &&
		  bpf_map__reuse_fd(defined.policy_decisions, maps.policy_decisions.fd()) == 0;
	// What a packet leaves behind is not shared with a dry run.
	if (!is_dry_run)
		ok = ok && bpf_map__reuse_fd(defined.flow_table, maps.flow_table.fd()) == 0 &&
		     bpf_map__reuse_fd(defined.next_hops, maps.next_hops.fd()) == 0 &&
		     bpf_map__reuse_fd(defined.tx_ports, maps.tx_ports.fd()) == 0 &&
		     bpf_map__reuse_fd(defined.verdicts, maps.verdicts.fd()) == 0 &&
		     bpf_map__reuse_fd(defined.poller_verdicts, maps.poller_verdicts.fd()) == 0 &&
		     bpf_map__reuse_fd(defined.buckets, maps.buckets.fd()) == 0 &&
		     bpf_map__reuse_fd(defined.events, maps.events.fd()) == 0 &&
		     bpf_map__reuse_fd(defined.denials, maps.denials.fd()) == 0;
	if (!ok)
		return fail(ErrorKind::internal,
			    "cannot hand the pinned maps to the XDP program: " + bpf_error(errno));
	return object;
}

Result<Fd> load(const Object &object)
{
	if (neuwerk_bpf__load(object.get()) == 0)
		return Fd(dup(bpf_program__fd(object->progs.xsk_def_prog)));
	if (errno == EACCES) // the verifier's word; a missing privilege is EPERM
		return fail(ErrorKind::unavailable, "the kernel's verifier refuses the XDP program: it is "
						    "older or newer than any tested one");
	return fail(bpf_error_kind(errno), "the kernel refuses the XDP program: " + bpf_error(errno));
}

// The interface that a pinned link is attached to; 0 when the interface is gone.
std::uint32_t interface_of_link(const Fd &link)
{
	bpf_link_info info{};
	__u32 bytes = sizeof(info);
	return bpf_obj_get_info_by_fd(link.get(), &info, &bytes) == 0 ? info.xdp.ifindex : 0;
}

std::string link_path(const std::string &directory, const PortSpec &port)
{
	return directory + "/link_" + port.interface;
}

Result<> attach_anew(const std::string &path, const PortSpec &port, const Interface &interface,
		     const Fd &program)
{
	const std::string &name = port.interface;
	LIBBPF_OPTS(bpf_link_create_opts, options,
		    .flags = port.generic ? XDP_FLAGS_SKB_MODE : XDP_FLAGS_DRV_MODE);
	const Fd link(bpf_link_create(program.get(), static_cast<int>(interface.index), BPF_XDP, &options));
	if (!link)
		return fail(
			bpf_error_kind(errno),
			"interface " + name + ": cannot attach XDP: " + bpf_error(errno) +
				(port.generic ? "" : ": a driver without native XDP needs `mode: generic`"));
	if (bpf_obj_pin(link.get(), path.c_str()) != 0)
		return fail(ErrorKind::unavailable, "cannot pin " + path + ": " + bpf_error(errno));
	return {};
}

} // namespace

Result<Fd> load_port_program(const std::string &directory, const PinnedMaps &maps,
			     const std::string &interface, std::uint32_t index)
{
	auto object = open_object(maps, index, false);
	if (!object)
		return tl::unexpected(object.error());
	bpf_map *sockets = (*object)->maps.xsks_map;
	const std::string path = directory + "/xsks_" + interface;
	const Fd pinned(bpf_obj_get(path.c_str()));
	if (pinned && bpf_map__reuse_fd(sockets, pinned.get()) != 0)
		return fail(ErrorKind::internal, "cannot reuse " + path + ": " + bpf_error(errno));
	auto program = load(*object);
	if (program && !pinned && bpf_obj_pin(bpf_map__fd(sockets), path.c_str()) != 0)
		return fail(ErrorKind::unavailable, "cannot pin " + path + ": " + bpf_error(errno));
	return program;
}

Result<Fd> load_dry_program(const PinnedMaps &maps, std::uint32_t index)
{
	auto object = open_object(maps, index, true);
	if (!object)
		return tl::unexpected(object.error());
	return load(*object);
}

Result<> check_unoccupied(const std::string &directory, const PortSpec &port, const Interface &interface)
{
	const Fd link(bpf_obj_get(link_path(directory, port).c_str()));
	if (link && interface_of_link(link) == interface.index)
		return {};
	const std::string &name = port.interface;
	bpf_xdp_query_opts attached{};
	attached.sz = sizeof(attached);
	if (bpf_xdp_query(static_cast<int>(interface.index), 0, &attached) == 0 &&
	    attached.attach_mode != XDP_ATTACHED_NONE)
		return fail(
			ErrorKind::conflict,
			"interface " + name + ": another XDP program is attached (id " +
				std::to_string(attached.prog_id ? attached.prog_id : attached.skb_prog_id) +
				"): `ip link set dev " + name + " xdp off; ip link set dev " + name +
				" xdpgeneric off`");
	return {};
}

Result<> attach(const std::string &directory, const PortSpec &port, const Interface &interface,
		const Fd &program)
{
	const std::string path = link_path(directory, port);
	const Fd link(bpf_obj_get(path.c_str()));
	if (link && interface_of_link(link) == interface.index) {
		if (bpf_link_update(link.get(), program.get(), nullptr) != 0)
			return fail(ErrorKind::unavailable,
				    "interface " + port.interface +
					    ": cannot exchange the XDP program: " + bpf_error(errno));
		return {};
	}
	if (link) // of an interface that is gone: another one has its name now
		unlink(path.c_str());
	return attach_anew(path, port, interface, program);
}

Result<> detach(const std::string &path)
{
	const Fd link(bpf_obj_get(path.c_str()));
	const bool is_interface_gone = link && interface_of_link(link) == 0;
	if (!link || (!is_interface_gone && bpf_link_detach(link.get()) != 0))
		return fail(bpf_error_kind(errno), "cannot detach " + path + ": " + bpf_error(errno));
	return {};
}

Result<nw_handoff> ask(const Fd &dry_program, std::span<const std::byte> frame)
{
	std::array<std::byte, 4096> out{};
	LIBBPF_OPTS(bpf_test_run_opts, run, .data_in = frame.data(), .data_out = out.data(),
		    .data_size_in = static_cast<__u32>(frame.size()), .data_size_out = out.size(),
		    .repeat = 1);
	if (bpf_prog_test_run_opts(dry_program.get(), &run) != 0)
		return fail(ErrorKind::internal, "cannot run the dry XDP program: " + bpf_error(errno));
	nw_handoff report{};
	if (run.data_size_out >= sizeof(report))
		std::memcpy(&report, out.data(), sizeof(report));
	if (report.magic != NW_HANDOFF_REPORT)
		return fail(ErrorKind::internal, "the dry XDP program left no report");
	return report;
}

} // namespace neuwerk::dataplane
