// Routes, neighbours and links as the kernel has them: questions, and notifications of every change.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "dataplane/poller/next_hops.h"

#include <cstdint>
#include <memory>
#include <optional>

namespace neuwerk::dataplane {

class Netlink final : public Kernel {
public:
	// `helper` is the socket of start_neighbour_helper.
	[[nodiscard]] static Result<std::unique_ptr<Netlink>> open(Fd helper);
	~Netlink() override;

	std::optional<Neighbour> route(__be32 destination_be) override;
	std::optional<Mac> known_mac(Neighbour neighbour) override;
	void manage(Neighbour neighbour) override;
	void forget(Neighbour neighbour) override;

	// Tells `table` about every neighbour that the kernel has.
	void synchronise(NextHopTable &table);

	// Tells `table` what has changed since the last call; does not wait. Lost notifications are made up
	// for.
	void pump(NextHopTable &table);
	[[nodiscard]] int notification_fd() const;

private:
	struct Sockets;
	explicit Netlink(std::unique_ptr<Sockets> sockets);
	std::unique_ptr<Sockets> sockets_;
};

} // namespace neuwerk::dataplane
