// The front door of policy/: a document in, a judgement out. Pure: no clock, no I/O, no globals.
//
//   parse ──► review ──► enforceable ──► compile ──► CompiledPolicy ──► walk
//
// `walk` and the XDP program step through the same nodes with the same bpf/path/decide.h;
// there is no second evaluator outside the tests.
#pragma once

#include "abi/policy.h"
#include "base/result.h"
#include "model/policy.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::policy {

// A document is text of at most this size; a larger one is refused before it is read.
inline constexpr std::size_t document_limit_bytes = 32u << 20;

enum class Syntax { json, yaml };

// Fails with invalid_argument; `what` starts with the code of spec/dataplane §1.3 and the path of the field:
// "E_PORT: source_groups[2].rules[0].match.dst_ports[1]: '81-80': the range ends before it starts".
// A document without default_policy gets `default_if_absent`; the policy says it explicitly from then on.
[[nodiscard]] Result<model::Policy> parse(std::string_view document, Syntax syntax,
					  model::Action default_if_absent = model::Action::deny);

// Guesses from the first non-blank character: '{' is JSON, anything else YAML.
[[nodiscard]] Syntax syntax_of(std::string_view document);

// Everything that is legal but probably not meant: unknown keys, reserved names, unanchored patterns.
struct Warning {
	std::string path;
	std::string what;
};
[[nodiscard]] Result<std::vector<Warning>> review(std::string_view document, Syntax syntax);

// The normalised document, for `policy get`: JSON with every default resolved.
[[nodiscard]] std::string to_json(const model::Policy &policy);

// Fails when the policy holds a selector that the dataplane does not enforce yet (tls, dns_hostname,
// kubernetes); `what` names group, rule and selector. A valid document that fails here is refused by apply.
[[nodiscard]] Result<> enforceable(const model::Policy &policy);

struct Budget {
	std::uint32_t nodes = 1u << 17;
	std::uint32_t decisions = 1u << 17;
};

struct Surroundings {
	std::vector<model::Prefix>
		internal; // destinations that are not egress, and sources that are eligible
};

// What a walk asks about. Host byte order.
struct Query {
	std::uint32_t source;
	std::uint32_t destination;
	std::uint8_t protocol;
	std::uint16_t source_port;      // ICMP: identifier
	std::uint16_t destination_port; // ICMP: ignored
	std::uint8_t icmp_type;
	std::uint8_t icmp_code;
};

// The lookup tables that the maps hold, byte for byte, and the names behind their numbers.
// Immutable and cheap to share.
class CompiledPolicy {
public:
	[[nodiscard]] std::span<const nw_policy_node> nodes() const;
	[[nodiscard]] std::span<const nw_decision> decisions() const;
	[[nodiscard]] std::uint32_t root() const; // an NW_REF
	// "default" for NW_NO_GROUP; "" for NW_NO_RULE; views live as long as a copy of this object
	[[nodiscard]] std::string_view group_name(std::uint16_t group) const;
	[[nodiscard]] std::string_view rule_name(std::uint16_t group, std::uint32_t rule) const;

	struct Tables;
	explicit CompiledPolicy(std::shared_ptr<const Tables> tables);

private:
	std::shared_ptr<const Tables> tables_;
};

// Fails with resource_exhausted when the tables would not fit; `what` names the rule group that explodes.
[[nodiscard]] Result<CompiledPolicy> compile(const model::Policy &policy, const Surroundings &surroundings,
					     Budget budget);

[[nodiscard]] nw_decision walk(const CompiledPolicy &policy, const Query &query);

} // namespace neuwerk::policy
