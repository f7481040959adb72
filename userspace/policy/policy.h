// The front door of policy/: a document in, a judgement out. Pure: no clock, no I/O, no globals.
//
//   accept ──► enforceable ──► compile ──► unreached, run_tests ──► CompiledPolicy ──► walk, diff
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

// What a document is read with.
struct Terms {
	model::Action default_if_absent = model::Action::deny;
	std::string group_mode; // of a group without one (the legacy routes); empty: mode is required
};

// A document from one reading: what it means, what to keep of it, what to say about it.
struct Accepted {
	model::Policy policy;
	// Compact JSON: the author's spelling, every optional key there (lists [], values null), unknown keys
	// gone, default_policy resolved.
	std::string stored;
	std::vector<Warning> warnings;
};
[[nodiscard]] Result<Accepted> accept(std::string_view document, Syntax syntax, const Terms &terms);

// A stored document as YAML. Fails when the text is not JSON.
[[nodiscard]] Result<std::string> to_yaml(std::string_view json);

// The normalised document: JSON with every default resolved.
[[nodiscard]] std::string to_json(const model::Policy &policy);

// The same policy with every deny softened into an allow that is reported, default_policy included.
[[nodiscard]] model::Policy audited(model::Policy policy);

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

// Rules that no packet reaches, because what stands before them decides all of theirs. Exact: the diagram
// holds a decision of each rule that decides anything.
[[nodiscard]] std::vector<Warning> unreached(const model::Policy &policy, const CompiledPolicy &compiled);

// The tests of the document, in order.
struct TestResult {
	std::string name; // "tests[3]" when the author gave none
	bool passed;
	std::string what; // "expected allow, but denied_by_default: default", or who decided
	nw_decision decision;
};
[[nodiscard]] std::vector<TestResult> run_tests(const model::Policy &policy, const CompiledPolicy &compiled);

// What changed between two policies, by name: "group", or "group/rule".
struct Changes {
	std::vector<std::string> added, removed, changed;
	std::vector<std::string> moved; // the same, evaluated at another place among those that stayed
};
struct Difference {
	Changes groups, rules;
	bool default_changed;
};
[[nodiscard]] Difference compare(const model::Policy &from, const model::Policy &to);

// Packets whose fate differs, one for each pair of decisions, at most `example_limit`. Exact: `complete` and
// no example means that no packet is treated differently. Not complete: gave up at disagreement_work_limit or
// at `example_limit`.
struct Disagreement {
	struct Example {
		Query query;
		nw_decision from, to;
	};
	std::vector<Example> examples;
	bool complete;
};
inline constexpr std::uint32_t disagreement_work_limit = 1u << 24; // slices looked at, about 20 ns each
[[nodiscard]] Disagreement disagree(const CompiledPolicy &from, const CompiledPolicy &to,
				    std::size_t example_limit);

} // namespace neuwerk::policy
