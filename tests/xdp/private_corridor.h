// A real corridor for one test: its own network namespace, veth pair and BPF file system, gone with the
// object.
#pragma once

#include "base/fd.h"
#include "base/result.h"
#include "dataplane/corridor.h"

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace neuwerk::xdp_test {

inline constexpr std::array<std::uint8_t, 6> inside_mac = {0x02, 0, 0, 0, 0x01, 0x01};
inline constexpr std::array<std::uint8_t, 6> outside_mac = {0x02, 0, 0, 0, 0x02, 0x01};

inline constexpr std::uint32_t own_address = 0x6440fffe; // 100.64.255.254: no random packet goes there

class PrivateCorridor {
public:
	// Moves the calling thread into a new network namespace. Fails without the privileges that XDP needs.
	[[nodiscard]] static Result<PrivateCorridor> make(const dataplane::Sizes &sizes);
	PrivateCorridor(PrivateCorridor &&) noexcept = default;
	PrivateCorridor &operator=(PrivateCorridor &&) = delete;
	~PrivateCorridor();

	[[nodiscard]] dataplane::Corridor &corridor();
	[[nodiscard]] std::string pin(const std::string &name) const;

	// The program that is attached to a port, and one run of it over a frame: its XDP action.
	[[nodiscard]] Result<Fd> enforcing_program(const std::string &interface) const;
	[[nodiscard]] static int run(const Fd &program, std::span<const std::byte> frame);

private:
	PrivateCorridor() = default;
	std::string directory_;
	std::vector<dataplane::Corridor> corridor_; // one, or none while it is being made
};

} // namespace neuwerk::xdp_test
