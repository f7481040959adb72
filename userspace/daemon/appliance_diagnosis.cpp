// What the API asks about the node: its state, its numbers, its flows and what was observed.
#include "daemon/appliance.h"

#include "base/text.h"
#include "daemon/event_streams.h"
#include "neuwerk/v1/control.pb.h"
#include "proto/message_json.h"

#include <boost/json.hpp>

#include <unistd.h>

#include <algorithm>
#include <utility>

namespace neuwerk::daemon {

namespace json = boost::json;

namespace {

void add_counters(const char *stage, const dataplane::VerdictCounts &counts, v1::CountersReply &reply)
{
	for (std::size_t i = 0; i < counts.size(); i++) {
		const auto verdict = static_cast<nw_verdict>(i);
		v1::Counter &counter = *reply.add_counters();
		counter.set_stage(stage);
		counter.set_verdict(std::string(verdict_name(verdict)));
		counter.set_fate(std::string(verdict_fate(verdict)));
		counter.set_why(std::string(verdict_why(verdict)));
		counter.set_packets(counts[i].packets);
		counter.set_bytes(counts[i].bytes);
	}
}

v1::NodeStatusReply reply_of(NodeStatus &status)
{
	v1::NodeStatusReply reply;
	reply.set_version(NW_VERSION);
	reply.set_pid(static_cast<std::uint64_t>(getpid()));
	reply.set_generation(status.generation);
	reply.set_revision(status.policy.revision);
	reply.set_enforced_revision(status.policy.enforced_revision);
	reply.set_policy_source(status.policy_source);
	reply.set_ready(is_ready(status.checks));
	reply.set_snat(status.snat);
	for (const Check &check : status.checks) {
		v1::Check &entry = *reply.add_checks();
		entry.set_name(check.name);
		entry.set_ok(check.ok);
		entry.set_detail(check.detail);
	}
	for (const PortStatus &port : status.ports) {
		v1::Port &entry = *reply.add_ports();
		entry.set_interface(port.interface);
		entry.set_side(port.side);
		entry.set_mtu(port.mtu);
	}
	if (status.poller)
		*reply.mutable_dataplane() = std::move(*status.poller);
	return reply;
}

// Packets and bytes by what became of them. A packet that XDP handed to the poller is counted there.
struct Fates {
	std::uint64_t allowed = 0, denied = 0;
	std::uint64_t allowed_bytes = 0, denied_bytes = 0;

	void add(const dataplane::VerdictCounts &counts)
	{
		for (std::size_t i = 0; i < counts.size(); i++) {
			const std::string_view fate = verdict_fate(static_cast<nw_verdict>(i));
			if (fate == "forward") {
				allowed += counts[i].packets;
				allowed_bytes += counts[i].bytes;
			} else if (fate == "drop") {
				denied += counts[i].packets;
				denied_bytes += counts[i].bytes;
			}
		}
	}
};

std::uint64_t both(const Counts &counts, nw_verdict verdict)
{
	return counts.xdp[verdict].packets + counts.poller[verdict].packets;
}

} // namespace

std::string NodeAppliance::readiness(bool dataplane_only, bool &is_ready)
{
	const auto status = parts_.node.status();
	is_ready = false;
	if (!status)
		return json::serialize(
			json::object{{"ready", false},
				     {"checks", json::array{json::object{{"name", "dataplane_running"},
									 {"ok", false},
									 {"detail", status.error().what}}}}});
	const auto checks = dataplane_only ? dataplane_checks(status->checks) : status->checks;
	is_ready = daemon::is_ready(checks);
	return to_json(checks);
}

Result<std::string> NodeAppliance::node_status()
{
	auto status = parts_.node.status();
	if (!status)
		return tl::unexpected(status.error());
	return v1::to_json(reply_of(*status));
}

Result<std::string> NodeAppliance::counters()
{
	const auto counts = parts_.node.counts();
	if (!counts)
		return tl::unexpected(counts.error());
	v1::CountersReply reply;
	add_counters("xdp", counts->xdp, reply);
	add_counters("poller", counts->poller, reply);
	return v1::to_json(reply);
}

Result<std::string> NodeAppliance::flows(std::uint32_t limit)
{
	std::string out = "[";
	const auto listed = parts_.node.poller().list_flows(limit, [&](const v1::Flow &flow) {
		out += text(out.size() > 1 ? "," : "", v1::to_json(flow));
		return true;
	});
	if (!listed)
		return tl::unexpected(listed.error());
	return out + "]";
}

Result<std::string> NodeAppliance::nat()
{
	auto status = parts_.node.status();
	if (!status)
		return tl::unexpected(status.error());
	json::array pools;
	if (!status->poller)
		return tl::unexpected(status->poller.error());
	for (const v1::SnatPool &pool : status->poller->snat_pools())
		pools.push_back(json::object{{"external_address", pool.external_address()},
					     {"flows", pool.flows()},
					     {"ports_per_remote", pool.ports_per_remote()}});
	return json::serialize(json::object{{"mode", status->snat}, {"pools", std::move(pools)}});
}

Result<std::string> NodeAppliance::stats()
{
	const std::scoped_lock lock(stats_mutex_);
	const Instant now = parts_.clock.now();
	if (!stats_.empty() && now - stats_time_ < stats_age_max)
		return stats_;
	const auto counts = parts_.node.counts();
	if (!counts)
		return tl::unexpected(counts.error());
	const auto poller = parts_.node.poller().status(); // its numbers are 0 while it does not answer
	Fates fates;
	fates.add(counts->xdp);
	fates.add(counts->poller);
	const SnatUse snat = poller ? snat_use(*poller) : SnatUse{};
	const std::uint64_t active = poller ? poller->active_flows() : 0;
	const std::uint64_t opened = parts_.node.flows_opened(), closed = parts_.node.flows_closed();
	const json::object none{
		{"queries_allow", 0}, {"queries_deny", 0}, {"nxdomain_policy", 0}, {"nxdomain_upstream", 0}};
	stats_ = json::serialize(json::object{
		{"dataplane",
		 {{"active_flows", active},
		  {"active_nat_entries", snat.translated_flows},
		  {"nat_port_utilization", snat.utilization},
		  {"packets", {{"allow", fates.allowed}, {"deny", fates.denied}, {"pending_tls", 0}}},
		  {"bytes",
		   {{"allow", fates.allowed_bytes}, {"deny", fates.denied_bytes}, {"pending_tls", 0}}},
		  {"flows_opened", opened},
		  {"flows_closed", closed},
		  {"ipv4_fragments_dropped", both(*counts, NW_VERDICT_dropped_fragment)},
		  {"ipv4_ttl_exceeded", both(*counts, NW_VERDICT_dropped_ttl)}}},
		{"dns", none},
		{"tls", {{"allow", 0}, {"deny", 0}}},
		{"dhcp", {{"lease_active", false}, {"lease_expiry_epoch", 0}}},
		{"cluster",
		 {{"is_leader", false},
		  {"current_term", 0},
		  {"last_log_index", 0},
		  {"last_applied", 0},
		  {"node_count", 1},
		  {"follower_count", 0},
		  {"followers_caught_up", 0},
		  {"nodes", json::array{}}}},
	});
	stats_time_ = now;
	return stats_;
}

// Names are not enforced yet, so nobody has resolved any.
Result<std::string> NodeAppliance::dns_cache()
{
	return R"({"entries":[]})";
}

Result<std::shared_ptr<api::StreamSource>> NodeAppliance::events()
{
	return event_stream(parts_.node.events());
}

Result<std::shared_ptr<api::StreamSource>> NodeAppliance::wiretap(const api::WiretapFilter &wanted)
{
	return wiretap_stream(parts_.node.events(), parts_.observer.tap(), wanted);
}

Result<std::string> NodeAppliance::audit_findings(const api::FindingFilter &filter)
{
	const auto findings = parts_.observer.findings({.policy_ids = filter.policy_ids,
							.types = filter.types,
							.source_groups = filter.source_groups,
							.since_s = filter.since_s,
							.until_s = filter.until_s,
							.limit = filter.limit});
	if (!findings)
		return tl::unexpected(findings.error());
	return observe::to_json(*findings);
}

Result<std::string> NodeAppliance::policy_telemetry()
{
	const auto hits = parts_.observer.telemetry();
	if (!hits)
		return tl::unexpected(hits.error());
	return observe::to_json(*hits);
}

Result<std::string> NodeAppliance::sysdump()
{
	return parts_.sysdump();
}

} // namespace neuwerk::daemon
