// What the poller may do: the capabilities it needs to start, and how it gives them up.
#pragma once

#include "base/result.h"

namespace neuwerk::dataplane {

// Fails with forbidden; names what is missing of CAP_SYS_ADMIN (libxdp looks our program up by its id),
// CAP_NET_ADMIN and CAP_NET_RAW (AF_XDP sockets).
[[nodiscard]] Result<> check_privileges();

// Lets AF_XDP lock its packet buffers in memory. Needs CAP_SYS_RESOURCE unless the limit is high already.
void raise_memory_lock_limit();

// Drops every capability in every thread, for good (no_new_privs). Fails when a thread kept one.
[[nodiscard]] Result<> drop_privileges();

// For the neighbour helper: CAP_NET_ADMIN and nothing else, for good.
[[nodiscard]] bool keep_only_network_administration();

} // namespace neuwerk::dataplane
