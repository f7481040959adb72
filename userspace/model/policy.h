// A policy document as plain values: what a person wrote, normalised, with every default resolved.
//
// Lists are in document order; an empty list constrains nothing. spec/dataplane §1 says what the fields mean.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace neuwerk::model {

enum class Action { allow, deny };
enum class Mode { enforce, audit }; // audit softens a deny into an allow that is reported

// Host byte order; host bits are zero.
struct Prefix {
	std::uint32_t address;
	std::uint8_t length; // 0 to 32

	bool operator==(const Prefix &) const = default;
};

struct PortRange {
	std::uint16_t first;
	std::uint16_t last; // inclusive, not below first

	bool operator==(const PortRange &) const = default;
};

// Matches when every present part does: unlike HTTP hosts, `exact` and `regex` are both required.
struct NameMatch {
	std::vector<std::string> exact;   // lower case, without trailing dots
	std::optional<std::string> regex; // RE2, searched, case-insensitive

	bool operator==(const NameMatch &) const = default;
};

struct NamedValues {
	std::string name;
	std::vector<std::string> values; // any of them

	bool operator==(const NamedValues &) const = default;
};

struct NamedRegex {
	std::string name;
	std::string regex; // case-sensitive

	bool operator==(const NamedRegex &) const = default;
};

// exact or regex
struct HttpHost {
	std::vector<std::string> exact;   // lower case
	std::optional<std::string> regex; // case-insensitive

	bool operator==(const HttpHost &) const = default;
};

// exact, prefix or regex; all case-sensitive
struct HttpPath {
	std::vector<std::string> exact;
	std::vector<std::string> prefix;
	std::optional<std::string> regex;

	bool operator==(const HttpPath &) const = default;
};

// Every entry must hold.
struct HttpQuery {
	std::vector<std::string> keys_present;
	std::vector<NamedValues> key_values_exact;
	std::vector<NamedRegex> key_values_regex;

	bool operator==(const HttpQuery &) const = default;
};

// Every entry must hold; names are lower case.
struct HttpHeaders {
	std::vector<std::string> require_present;
	std::vector<std::string> deny_present;
	std::vector<NamedValues> exact;
	std::vector<NamedRegex> regex;

	bool operator==(const HttpHeaders &) const = default;
};

struct HttpRequest {
	std::optional<HttpHost> host;
	std::vector<std::string> methods; // upper case
	std::optional<HttpPath> path;
	std::optional<HttpQuery> query;
	std::optional<HttpHeaders> headers;

	bool operator==(const HttpRequest &) const = default;
};

struct HttpResponse {
	std::optional<HttpHeaders> headers;

	bool operator==(const HttpResponse &) const = default;
};

// At least one of the two is present.
struct Http {
	std::optional<HttpRequest> request;
	std::optional<HttpResponse> response;

	bool operator==(const Http &) const = default;
};

enum class TlsMode { metadata, intercept };

struct Tls {
	TlsMode mode = TlsMode::metadata;
	std::optional<NameMatch> sni;
	std::optional<std::string> server_dn; // without blanks around ',' and '+'
	std::optional<NameMatch> server_san;
	std::optional<NameMatch> server_cn;
	std::vector<std::string> fingerprint_sha256; // 64 lower-case hex digits
	std::vector<std::string> trust_anchors_pem;  // non-empty: instead of the system's roots
	Action tls13_uninspectable = Action::deny;
	std::optional<Http> http; // intercept only

	bool operator==(const Tls &) const = default;
};

// All present selectors must match.
struct Match {
	std::vector<Prefix> destinations;
	std::optional<std::string> dns_hostname;  // RE2, case-insensitive; selects names, not packets
	std::optional<std::uint8_t> protocol;     // absent: any
	std::vector<PortRange> source_ports;      // ICMP: the identifier
	std::vector<PortRange> destination_ports; // ICMP: always 0
	std::vector<std::uint8_t> icmp_types;
	std::vector<std::uint8_t> icmp_codes;
	std::optional<Tls> tls;

	bool operator==(const Match &) const = default;
};

struct Rule {
	std::string id;
	std::uint32_t priority; // lower is evaluated first; ties keep document order
	Action action;
	Mode mode;
	Match match;
	bool strict_dns_binding =
		false; // packets must go to addresses learned through this rule's dns_hostname

	bool operator==(const Rule &) const = default;
};

enum class KubernetesKind { pods, nodes };

struct KubernetesSource {
	std::string integration;
	KubernetesKind kind;
	std::string pod_namespace; // pods only
	std::vector<std::pair<std::string, std::string>> match_labels;

	bool operator==(const KubernetesSource &) const = default;
};

// The union of both lists; at least one is not empty.
struct Sources {
	std::vector<Prefix> prefixes;
	std::vector<KubernetesSource> kubernetes;

	bool operator==(const Sources &) const = default;
};

struct SourceGroup {
	std::string id; // unique, not blank
	std::uint32_t priority;
	Mode mode; // of default_action; rules have resolved it
	Sources sources;
	std::vector<Rule> rules;
	std::optional<Action> default_action; // absent: the next group that holds the source goes on

	bool operator==(const SourceGroup &) const = default;
};

// What the author expects of one packet; it travels with the policy. Ports and ICMP as in policy::Query.
struct PolicyTest {
	std::string name; // empty: the author gave none
	std::uint32_t source;
	std::uint32_t destination;
	std::uint8_t protocol;
	std::uint16_t source_port;
	std::uint16_t destination_port;
	std::uint8_t icmp_type;
	std::uint8_t icmp_code;
	Action expect;
	std::optional<std::string> rule; // that decides: its id, or "group/rule"

	bool operator==(const PolicyTest &) const = default;
};

struct Policy {
	Action default_policy;
	std::vector<SourceGroup> source_groups;
	std::vector<PolicyTest> tests;
	Mode default_mode = Mode::enforce; // of default_policy; no document says audit, policy::audited does

	bool operator==(const Policy &) const = default;
};

// A rule that only names a host grants no packets by itself (spec/dataplane §1.4).
[[nodiscard]] inline bool selects_packets(const Match &match)
{
	return !match.dns_hostname || !match.destinations.empty() || match.protocol || match.tls ||
	       !match.source_ports.empty() || !match.destination_ports.empty() || !match.icmp_types.empty() ||
	       !match.icmp_codes.empty();
}

} // namespace neuwerk::model
