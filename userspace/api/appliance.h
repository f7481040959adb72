// What the API asks of the appliance itself; daemon/ implements it. Every call is safe from every thread and
// may block.
#pragma once

#include "api/http.h"
#include "base/result.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::api {

struct PolicyRecord {
	std::uint64_t revision = 0; // 0: nothing was ever written
	std::string id;             // UUID; nil by default
	std::string created_at;     // RFC 3339
	std::optional<std::string> name;
	std::string mode = "enforce";        // disabled, audit, enforce: of the legacy shim (§5.4)
	std::string document;                // JSON, every optional key materialised, spelling kept
	std::string author, message, source; // source: admin-api, file, init, rollback, confirm-timeout
	std::string time;                    // RFC 3339, of this revision
};

struct PolicyWrite {
	std::string document;
	bool is_yaml = false;
	std::string author;
	std::string message;
	std::string source = "admin-api";
	std::optional<std::int64_t> confirm_s;          // 1 to 86400
	std::optional<std::uint64_t> expected_revision; // conflict when another one stands
	bool wait_required = false;
	// The legacy shim only.
	std::optional<std::string> name;
	std::string mode = "enforce";
	std::optional<std::string> default_group_mode; // a group without mode gets it
};

struct PolicyWritten {
	PolicyRecord record;
	bool activation_pending = false; // committed, but not enforced within 2 s
	bool unchanged = false;          // the document stood already: no new revision
	std::uint32_t generation = 0;    // enforced, unless pending
	std::vector<std::string> warnings;
};

struct PolicyReview {
	std::vector<std::string> warnings;
	std::vector<std::string> not_enforceable; // what a write would refuse
};

// A query of §5.8: OR within a list, AND across; an empty list: all. Texts are compared without case.
struct FindingFilter {
	std::vector<std::string> policy_ids, types, source_groups;
	std::optional<std::int64_t> since_s, until_s; // Unix time
	std::uint32_t limit = 500;                    // 1 to 10000
};

// A flow report as the filters of the wiretap (§7) see it. Host byte order.
struct WiretapFlow {
	std::uint32_t source, destination;
	std::uint16_t source_port, destination_port;
	std::uint8_t protocol;
	std::string_view hostname; // empty: unknown
};
using WiretapFilter = std::function<bool(const WiretapFlow &)>; // safe from every thread

// All answers are JSON; the shapes are documented with the routes.
class Appliance {
public:
	virtual ~Appliance() = default;

	// Policy.
	[[nodiscard]] virtual Result<PolicyRecord> policy() = 0;
	[[nodiscard]] virtual Result<PolicyWritten> write_policy(const PolicyWrite &write) = 0;
	[[nodiscard]] virtual Result<PolicyReview> validate_policy(const std::string &document,
								   bool is_yaml) = 0;
	[[nodiscard]] virtual Result<std::vector<PolicyRecord>>
	policy_history() = 0; // newest first, no documents
	[[nodiscard]] virtual Result<PolicyRecord> policy_at(std::uint64_t revision) = 0;
	[[nodiscard]] virtual Result<PolicyWritten>
	roll_back_policy(std::uint64_t revision, const std::string &author, const std::string &message) = 0;
	[[nodiscard]] virtual Result<> confirm_policy(const std::string &author) = 0;
	// Named singleton → default document, name cleared. not_found: the id is another one.
	[[nodiscard]] virtual Result<> reset_policy(const std::string &id, const std::string &author) = 0;
	[[nodiscard]] virtual std::string policy_status() = 0;
	[[nodiscard]] virtual Result<std::string> explain(const std::string &question) = 0;
	// `from`/`to`: documents; what was added, removed, changed and which verdicts differ.
	[[nodiscard]] virtual Result<std::string> diff_policies(const std::string &from,
								const std::string &to) = 0;
	[[nodiscard]] virtual Result<std::string> test_policy(const std::string &document) = 0;

	// Diagnosis.
	[[nodiscard]] virtual std::string readiness(bool dataplane_only, bool &is_ready) = 0;
	[[nodiscard]] virtual Result<std::string> node_status() = 0;
	[[nodiscard]] virtual Result<std::string> counters() = 0;
	[[nodiscard]] virtual Result<std::string> flows(std::uint32_t limit) = 0; // 0: all
	[[nodiscard]] virtual Result<std::string> nat() = 0;
	[[nodiscard]] virtual Result<std::string> stats() = 0; // §5.7; from a snapshot at most 1 s old
	[[nodiscard]] virtual Result<std::string> dns_cache() = 0;
	[[nodiscard]] virtual Result<std::shared_ptr<StreamSource>> events() = 0; // every event, as SSE
	[[nodiscard]] virtual Result<std::shared_ptr<StreamSource>> wiretap(const WiretapFilter &wanted) = 0;
	// Both answer the items of this node, a JSON array; the envelope of §4.2 is the route's.
	[[nodiscard]] virtual Result<std::string> audit_findings(const FindingFilter &filter) = 0;
	[[nodiscard]] virtual Result<std::string> policy_telemetry() = 0;
	[[nodiscard]] virtual Result<std::string> sysdump() = 0; // bytes of a tar.gz
};

} // namespace neuwerk::api
