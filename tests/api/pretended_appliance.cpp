// The pretended appliance: policy by the real compiler, the rest by heart.
#include "pretended_appliance.h"

#include "base/text.h"
#include "crypto/crypto.h"
#include "identity/identity.h"
#include "policy/policy.h"

namespace neuwerk::api {

namespace {

constexpr std::string_view default_document = R"({"default_policy":"deny","source_groups":[]})";
constexpr std::string_view nil_id = "00000000-0000-0000-0000-000000000000";
constexpr std::string_view stats_document =
	R"({"dataplane":{"active_flows":0,"active_nat_entries":0,"nat_port_utilization":0.0,)"
	R"("packets":{"allow":0,"deny":0,"pending_tls":0},"bytes":{"allow":0,"deny":0,"pending_tls":0},)"
	R"("flows_opened":0,"flows_closed":0,"ipv4_fragments_dropped":0,"ipv4_ttl_exceeded":0},)"
	R"("dns":{"queries_allow":0,"queries_deny":0,"nxdomain_policy":0,"nxdomain_upstream":0},)"
	R"("tls":{"allow":0,"deny":0},"dhcp":{"lease_active":false,"lease_expiry_epoch":0},)"
	R"("cluster":{"is_leader":true,"current_term":0,"last_log_index":0,"last_applied":0,"node_count":1,)"
	R"("follower_count":0,"followers_caught_up":0,"nodes":[]}})";

tl::unexpected<Error> without_dataplane(std::string_view what)
{
	return fail(ErrorKind::unavailable, text(what, ": this host has no dataplane"));
}

// What the real appliance asks of a document before it commits.
Result<policy::Accepted> accepted(const PolicyWrite &write)
{
	auto accepted =
		policy::accept(write.document, write.is_yaml ? policy::Syntax::yaml : policy::Syntax::json,
			       {.group_mode = write.default_group_mode.value_or("")});
	if (!accepted)
		return accepted;
	if (auto enforceable = policy::enforceable(accepted->policy); !enforceable)
		return tl::unexpected(enforceable.error());
	if (auto compiled = policy::compile(accepted->policy, {}, {}); !compiled)
		return tl::unexpected(compiled.error());
	return accepted;
}

// One event at once, then silence.
class OneEvent final : public StreamSource {
public:
	std::string take() override
	{
		return std::exchange(event_, "");
	}
	[[nodiscard]] bool ended() const override
	{
		return false;
	}
	void on_ready(std::function<void()>) override {}

private:
	std::string event_ =
		"event: flow\ndata: {\"flow_id\":\"10.0.0.2:1-198.51.100.10:443-6\",\"src_ip\":\"10.0.0.2\","
		"\"dst_ip\":\"198.51.100.10\",\"src_port\":1,\"dst_port\":443,\"proto\":6,\"packets_in\":1,"
		"\"packets_out\":1,\"last_seen\":1,\"hostname\":null,"
		"\"node_id\":\"00000000-0000-4000-8000-000000000001\"}\n\n";
};

} // namespace

Result<PolicyRecord> PretendedAppliance::policy()
{
	const std::lock_guard lock(mutex_);
	if (!records_.empty())
		return records_.back();
	PolicyRecord record;
	record.id = nil_id;
	record.document = default_document;
	return record;
}

Result<PolicyWritten> PretendedAppliance::append(PolicyRecord record, const std::string &author)
{
	record.author = author;
	record.time = identity::format_time(now_ms_());
	record.revision = records_.size() + 1;
	if (record.created_at.empty())
		record.created_at = record.time;
	auto committed = store_.write({.operations = {state::put("policy/pretended", record.document)},
				       .actor = author,
				       .request_id = {}});
	if (!committed)
		return tl::unexpected(committed.error());
	records_.push_back(record);
	PolicyWritten written;
	written.record = std::move(record);
	written.generation = static_cast<std::uint32_t>(records_.size());
	return written;
}

Result<PolicyWritten> PretendedAppliance::write_policy(const PolicyWrite &write)
{
	const auto document = accepted(write);
	if (!document)
		return tl::unexpected(document.error());
	const std::lock_guard lock(mutex_);
	if (write.expected_revision && *write.expected_revision != records_.size())
		return fail(ErrorKind::conflict, text("policy: revision ", records_.size(), " stands, not ",
						      *write.expected_revision));
	if (write.name && !records_.empty() && records_.back().name &&
	    !equal_names(*write.name, *records_.back().name))
		return fail(ErrorKind::conflict, text("policy name already exists: ", *records_.back().name));
	PolicyRecord record;
	record.id = nil_id;
	if (write.name) {
		const bool is_update = !records_.empty() && records_.back().name;
		record.id = is_update ? records_.back().id : crypto::random_uuid();
		record.created_at = is_update ? records_.back().created_at : "";
		record.name = is_update ? records_.back().name : write.name;
	}
	record.mode = write.mode;
	record.source = write.source;
	record.message = write.message;
	record.document = document->stored;
	auto written = append(std::move(record), write.author);
	if (written)
		for (const policy::Warning &warning : document->warnings)
			written->warnings.push_back(text(warning.path, ": ", warning.what));
	return written;
}

Result<PolicyReview> PretendedAppliance::validate_policy(const std::string &document, bool is_yaml)
{
	const auto found = accepted({.document = document, .is_yaml = is_yaml});
	if (!found)
		return tl::unexpected(found.error());
	PolicyReview review;
	for (const policy::Warning &warning : found->warnings)
		review.warnings.push_back(text(warning.path, ": ", warning.what));
	return review;
}

Result<std::vector<PolicyRecord>> PretendedAppliance::policy_history()
{
	const std::lock_guard lock(mutex_);
	std::vector<PolicyRecord> newest_first(records_.rbegin(), records_.rend());
	for (PolicyRecord &record : newest_first)
		record.document.clear();
	return newest_first;
}

Result<PolicyRecord> PretendedAppliance::policy_at(std::uint64_t revision)
{
	const std::lock_guard lock(mutex_);
	if (revision == 0 || revision > records_.size())
		return fail(ErrorKind::not_found,
			    text("policy revision ", revision, " is not in the history"));
	return records_[revision - 1];
}

Result<PolicyWritten> PretendedAppliance::roll_back_policy(std::uint64_t revision, const std::string &author,
							   const std::string &message)
{
	auto old = policy_at(revision);
	if (!old)
		return tl::unexpected(old.error());
	const std::lock_guard lock(mutex_);
	old->message = message;
	old->source = "rollback";
	return append(std::move(*old), author);
}

Result<> PretendedAppliance::confirm_policy(const std::string &)
{
	return fail(ErrorKind::conflict, "policy confirm: nothing waits for a confirmation");
}

Result<> PretendedAppliance::reset_policy(const std::string &id, const std::string &author)
{
	const std::lock_guard lock(mutex_);
	if (records_.empty() || !records_.back().name || records_.back().id != id)
		return fail(ErrorKind::not_found, "policy not found");
	PolicyRecord record;
	record.id = nil_id;
	record.document = default_document;
	const auto written = append(std::move(record), author);
	return written ? Result<>() : tl::unexpected(written.error());
}

std::string PretendedAppliance::policy_status()
{
	const std::lock_guard lock(mutex_);
	return text(R"({"revision":)", records_.size(), "}");
}

Result<std::string> PretendedAppliance::explain(const std::string &)
{
	return without_dataplane("explain");
}

Result<std::string> PretendedAppliance::diff_policies(const std::string &, const std::string &)
{
	return without_dataplane("diff");
}

Result<std::string> PretendedAppliance::test_policy(const std::string &)
{
	return without_dataplane("test");
}

std::string PretendedAppliance::readiness(bool, bool &is_ready)
{
	is_ready = true;
	return R"({"ready":true,"checks":[{"name":"dataplane_running","ok":true,"detail":null}]})";
}

Result<std::string> PretendedAppliance::node_status()
{
	return without_dataplane("status");
}

Result<std::string> PretendedAppliance::counters()
{
	return without_dataplane("counters");
}

Result<std::string> PretendedAppliance::flows(std::uint32_t)
{
	return without_dataplane("flows");
}

Result<std::string> PretendedAppliance::nat()
{
	return without_dataplane("nat");
}

Result<std::string> PretendedAppliance::stats()
{
	return std::string(stats_document);
}

Result<std::string> PretendedAppliance::dns_cache()
{
	return R"({"entries":[]})";
}

Result<std::shared_ptr<StreamSource>> PretendedAppliance::events()
{
	return std::make_shared<OneEvent>();
}

Result<std::shared_ptr<StreamSource>> PretendedAppliance::wiretap(const WiretapFilter &)
{
	return std::make_shared<OneEvent>();
}

Result<std::string> PretendedAppliance::audit_findings(const FindingFilter &)
{
	return "[]";
}

Result<std::string> PretendedAppliance::policy_telemetry()
{
	return "[]";
}

Result<std::string> PretendedAppliance::sysdump()
{
	return without_dataplane("sysdump");
}

} // namespace neuwerk::api
