// The kernel's view of network interfaces: read, watched, and the SNAT address added. IPv4 only.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "daemon/surroundings.h"

#include <cstdint>
#include <string>
#include <vector>

namespace neuwerk::daemon {

// One entry per name, in that order; an interface that does not exist has index 0.
[[nodiscard]] Result<Facts> read_facts(const std::vector<std::string> &interfaces);

// `address` (host byte order) as /32 on the interface. Fails with forbidden without CAP_NET_ADMIN.
[[nodiscard]] Result<> add_host_address(std::uint32_t interface_index,
					std::uint32_t address); // there already: fine
[[nodiscard]] Result<> remove_host_address(std::uint32_t interface_index,
					   std::uint32_t address); // absent: fine

// Readable whenever a link or an address of this network namespace changed.
class AddressWatch {
public:
	[[nodiscard]] static Result<AddressWatch> open();
	[[nodiscard]] int fd() const
	{
		return socket_.get();
	}
	void drain(); // forgets what was reported: the caller reads the facts anew

private:
	explicit AddressWatch(Fd socket) : socket_(std::move(socket)) {}
	Fd socket_;
};

} // namespace neuwerk::daemon
