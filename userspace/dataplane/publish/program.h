// One load of the XDP program: for a port, attached by a pinned link; or a dry run, for questions.
#pragma once

#include "abi/handoff.h"
#include "base/fd.h"
#include "base/result.h"
#include "dataplane/publish/interface_check.h"
#include "dataplane/publish/pinned_maps.h"

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace neuwerk::dataplane {

// The program of port `index`, on the shared maps and on the port's own XSKMAP, which is pinned as
// xsks_<interface> so that sockets survive. Returns the program's file descriptor.
[[nodiscard]] Result<Fd> load_port_program(const std::string &directory, const PinnedMaps &maps,
					   const std::string &interface, std::uint32_t index);

// The same program with its effects switched off. Own counters, own buckets, own event ring.
[[nodiscard]] Result<Fd> load_dry_program(const PinnedMaps &maps, std::uint32_t index);

// Fails when somebody else's program is attached; the message names the command that helps. Changes nothing.
[[nodiscard]] Result<> check_unoccupied(const std::string &directory, const PortSpec &port,
					const Interface &interface);

// Attaches, or exchanges the program of the link that an earlier start pinned as link_<interface>: packets
// see the old program or the new one, never none.
[[nodiscard]] Result<> attach(const std::string &directory, const PortSpec &port, const Interface &interface,
			      const Fd &program);

// Detaches the program of a pinned link at once: dropping the pin alone would do so after an RCU grace
// period.
[[nodiscard]] Result<> detach(const std::string &path);

// Runs the dry program over one frame and returns what it reports.
[[nodiscard]] Result<nw_handoff> ask(const Fd &dry_program, std::span<const std::byte> frame);

} // namespace neuwerk::dataplane
