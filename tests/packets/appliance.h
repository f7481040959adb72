// What a transcript is played on: an appliance between an inside and an outside host, pure or real.
#pragma once

#include "base/result.h"
#include "transcript.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace neuwerk::packets {

enum class Form { two_arm, one_arm };

inline constexpr Mac client_mac = {0x02, 0, 0, 0, 0x01, 0x02};
inline constexpr Mac server_mac = {0x02, 0, 0, 0, 0x02, 0x10};
inline constexpr Mac inside_mac = {0x02, 0, 0, 0, 0x01, 0x01}; // one-arm: of the only port
inline constexpr Mac outside_mac = {0x02, 0, 0, 0, 0x02, 0x01};

struct Left {
	Side side; // by the MAC that it is addressed to
	std::vector<std::uint8_t> frame;
};

struct Observed {
	std::string verdict; // the last one: of the poller, when XDP handed over
	std::vector<Left> left;
};

struct SeenEvent {
	std::string kind, group, rule; // "default" without a group, "-" without a rule
	bool operator==(const SeenEvent &) const = default;
};

class Appliance {
public:
	virtual ~Appliance() = default;
	[[nodiscard]] virtual Result<> apply(const std::string &document) = 0;
	[[nodiscard]] virtual Observed send(Side side, const std::vector<std::uint8_t> &frame) = 0;
	// What was reported since the last send. A real appliance reports a little later: it is given the
	// chance until `wanted` is among them.
	[[nodiscard]] virtual std::vector<SeenEvent> events(const SeenEvent &wanted) = 0;
	// Likewise, until it is `wanted`.
	[[nodiscard]] virtual std::uint64_t flows(std::uint64_t wanted) = 0;
	virtual void pass(std::uint64_t seconds) = 0; // only the pure core can
	// Ends every flow that the packets sent so far began, so that the next case meets none.
	[[nodiscard]] virtual Result<> sweep() = 0;
};

// Fails with what is missing on this machine.
[[nodiscard]] Result<std::unique_ptr<Appliance>> pure_appliance(Form form, const Setting &setting);
[[nodiscard]] Result<std::unique_ptr<Appliance>> live_appliance(Form form, const Setting &setting);

// The cases of every transcript, by file and line.
[[nodiscard]] Result<std::vector<Case>> every_case(const std::string &directory);

// Plays one case; every disagreement is one line: "file:line: expected …, saw …". Empty: it holds.
[[nodiscard]] std::vector<std::string> play(const Case &example, Form form, Appliance &appliance);

} // namespace neuwerk::packets
