// Behaviour as text: what arrives, what must leave, what is reported. One file drives the pure core and real
// XDP.
//
//	case a sentence                      begins a case: a fresh appliance with the settings above it
//	snat auto|none|static ADDRESS        before `case`; the outside address is 203.0.113.1
//	host-service tcp 22                  before `case`
//	form two-arm                         before `case`: the cases below need two ports
//	policy                               an indented YAML document follows: applied, must be accepted
//	refused E_PORT                       an indented document follows: must be refused with this word,
// nothing changes 	> inside PACKET                      arrives (packet_text.h); `outside` likewise
// < outside
// PACKET                     must leave next, with a TTL of one less than it came with 	x VERDICT the
// packet above must end so and nothing leaves 	= event KIND GROUP RULE              the packet above is
// reported so; `default` and `-` stand for none 	= verdict VERDICT                    the packet above
// ended so (when it also left) 	= flows N                            flows that exist now 	= $a
// != $b, = $a 1024-65535 names that were bound
//	@ +N                                 N seconds pass (a case with this line runs on the pure core only)
#pragma once

#include "base/result.h"
#include "packet_text.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace neuwerk::packets {

enum class Side { inside, outside };

struct Apply {
	std::string document;
	std::string refusal; // a word of the error; empty: must be accepted
};
struct Arrives {
	Side side;
	PacketText packet;
};
struct Leaves {
	Side side;
	PacketText packet;
};
struct Ends {
	std::string verdict;
};
struct Reported {
	std::string kind, group, rule;
};
struct EndedAs {
	std::string verdict;
};
struct FlowCount {
	std::uint64_t count;
};
struct NamesDiffer {
	std::string left, right;
};
struct NameInRange {
	std::string name;
	std::uint16_t first, last;
};
struct TimePasses {
	std::uint64_t seconds;
};
using Step = std::variant<Apply, Arrives, Leaves, Ends, EndedAs, Reported, FlowCount, NamesDiffer,
			  NameInRange, TimePasses>;

struct Line {
	int number;
	Step step;
};

struct Setting {
	std::string snat =
		"auto"; // as in config.yaml: auto, none, an address; "auto-unknown": no address is known
	std::vector<std::string> host_services; // "tcp 22"
	bool needs_two_ports = false;

	bool operator==(const Setting &) const = default;
};

struct Case {
	std::string file;
	std::string sentence;
	Setting setting;
	std::vector<Line> lines;
	bool needs_time = false;
};

// Every case of a file. Fails with file and line.
[[nodiscard]] Result<std::vector<Case>> read_transcript(const std::string &path);

} // namespace neuwerk::packets
