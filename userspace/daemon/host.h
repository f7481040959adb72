// What neuwerkd does to its host beside the corridor: lock, directories, ip_forward, the SNAT address.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "daemon/config.h"
#include "daemon/surroundings.h"

#include <string>

namespace neuwerk::daemon {

// Held until the Fd closes. Fails with conflict, naming the holder's pid, when another neuwerkd has it.
[[nodiscard]] Result<Fd> lock_instance(const std::string &path);

// 0 in this network namespace: a detached program must not leave a router behind that translates nothing.
[[nodiscard]] Result<> disable_ip_forward();

[[nodiscard]] Result<Facts> facts_of(const DataplaneConfig &config);

// Puts a static SNAT address on the outside port as /32, so that the kernel answers ARP for it; there already
// (on any data port): fine. It stays when neuwerkd ends, because the program that translates to it does.
[[nodiscard]] Result<> ensure_snat_address(const DataplaneConfig &config, const Facts &facts);
[[nodiscard]] Result<> remove_snat_address(const DataplaneConfig &config, const Facts &facts);

} // namespace neuwerk::daemon
