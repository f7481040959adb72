// The observer: what arrives is summed up in memory under one lock, and written in one transaction under
// another.
#include "observe/observe.h"

#include "base/address.h"
#include "base/text.h"
#include "observe/audit_store.h"
#include "observe/finding.h"
#include "observe/wiretap.h"

#include <atomic>
#include <map>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace neuwerk::observe {

namespace {

constexpr std::int64_t hour_ms = 3'600'000;

using Pending = std::unordered_map<std::string, Finding>; // by dedup key
using Hits = std::map<std::pair<std::string, std::int64_t>, std::uint64_t>;

bool is_denial(const std::string &kind)
{
	return kind == "denied" || kind == "audited" || kind == "flow_denied" || kind == "no_port";
}

std::string type_of(const v1::Event &event)
{
	if (event.kind() == "no_port")
		return "nat_exhausted";
	return event.protocol() == "icmp" ? "icmp_deny" : "l4_deny";
}

} // namespace

struct Observer::State {
	State(const Options &given, AuditStore opened)
	    : options(given), wiretap(given.node_id), store(std::move(opened))
	{
	}

	Options options;
	Wiretap wiretap;
	std::mutex pending_mutex;
	Pending pending;
	Hits hits;
	std::mutex store_mutex; // taken before pending_mutex where both are
	AuditStore store;
	std::atomic<std::uint64_t> lost = 0;
	std::atomic<std::uint64_t> transactions = 0;

	[[nodiscard]] Finding finding_of(const v1::Event &event, std::uint64_t count,
					 std::int64_t now_s) const;
	void add(const Finding &finding);
	void hit(const std::string &group, std::uint64_t count, std::int64_t now_ms);
};

Finding Observer::State::finding_of(const v1::Event &event, std::uint64_t count, std::int64_t now_s) const
{
	Finding finding{};
	finding.type = type_of(event);
	if (options.policy_of)
		std::tie(finding.revision, finding.policy_id) = options.policy_of(event.generation());
	finding.source_group = event.group_name();
	finding.dst_ip = event.destination_address();
	if (finding.type == "icmp_deny") {
		finding.icmp_type = event.icmp_type();
		finding.icmp_code = event.icmp_code();
	} else {
		finding.dst_port = event.destination_port();
	}
	finding.proto = parse_protocol(event.protocol()).value_or(0);
	finding.first_seen_s = finding.last_seen_s = now_s;
	finding.count = count;
	finding.node_ids = {options.node_id};
	finding.rule = event.rule_name();
	finding.sample_src_ips = {event.source_address()};
	finding.audited = event.kind() == "audited";
	return finding;
}

// A key that does not fit any more is lost; a known one never is.
void Observer::State::add(const Finding &finding)
{
	const std::string key = dedup_key(finding);
	const std::scoped_lock lock(pending_mutex);
	if (const auto known = pending.find(key); known != pending.end())
		merge(known->second, finding);
	else if (pending.size() < pending_limit_count)
		pending.emplace(key, finding);
	else
		lost += finding.count;
}

void Observer::State::hit(const std::string &group, std::uint64_t count, std::int64_t now_ms)
{
	const std::pair key{group, now_ms / hour_ms};
	const std::scoped_lock lock(pending_mutex);
	if (const auto known = hits.find(key); known != hits.end())
		known->second += count;
	else if (hits.size() < group_limit_count)
		hits.emplace(key, count);
	else
		lost += count;
}

Observer::Observer(std::unique_ptr<State> state) : state_(std::move(state)) {}

Result<std::unique_ptr<Observer>> Observer::open(const Options &options)
{
	auto store = AuditStore::open(options.directory + "/audit.db", options.audit_limit_bytes);
	if (!store)
		return tl::unexpected(store.error());
	return std::unique_ptr<Observer>(new Observer(std::make_unique<State>(options, std::move(*store))));
}

Observer::~Observer()
{
	(void)flush(); // nobody is left to hear that it failed
}

void Observer::on_event(const v1::Event &event)
{
	const std::int64_t now_ms = state_->options.now_ms();
	if (event.kind() == "flow_started") {
		state_->hit(event.group_name(), 1, now_ms);
		state_->wiretap.flow_started(event, now_ms);
	} else if (event.kind() == "flow_ended") {
		state_->wiretap.flow_ended(event, now_ms);
	} else if (is_denial(event.kind())) {
		// Only adds a source to a finding that on_denied counts, within the same second or so.
		state_->add(state_->finding_of(event, 0, now_ms / 1000));
	}
}

void Observer::on_denied(const v1::Event &last, std::uint64_t packet_count)
{
	const std::int64_t now_ms = state_->options.now_ms();
	state_->add(state_->finding_of(last, packet_count, now_ms / 1000));
	if (last.kind() == "denied" ||
	    last.kind() == "flow_denied") // an audited packet began a flow: its hit
		state_->hit(last.group_name(), packet_count, now_ms);
}

void Observer::on_flow(const v1::Flow &flow)
{
	state_->wiretap.flow_stands(flow, state_->options.now_ms());
}

bool Observer::is_tapped() const
{
	return state_->wiretap.is_tapped();
}

std::shared_ptr<Observer::WiretapFeed> Observer::tap()
{
	return state_->wiretap.tap();
}

Result<> Observer::flush()
{
	const std::scoped_lock store_lock(state_->store_mutex);
	Pending pending;
	Hits hits;
	{
		const std::scoped_lock lock(state_->pending_mutex);
		pending.swap(state_->pending);
		hits.swap(state_->hits);
	}
	if (pending.empty() && hits.empty())
		return {};
	std::vector<Finding> findings;
	findings.reserve(pending.size());
	for (auto &[key, finding] : pending)
		findings.push_back(std::move(finding));
	std::vector<HourlyHits> hourly;
	for (const auto &[key, count] : hits)
		hourly.push_back({.group = key.first, .hour = key.second, .count = count});
	const std::int64_t hour = state_->options.now_ms() / hour_ms;
	auto written = state_->store.write(findings, hourly, hour - telemetry_hours + 1);
	if (written) {
		state_->transactions++;
		return {};
	}
	for (const Finding &finding : findings)
		state_->add(finding);
	const std::scoped_lock lock(state_->pending_mutex);
	for (const auto &[key, count] : hits)
		state_->hits[key] += count;
	return written;
}

Result<std::vector<Finding>> Observer::findings(const FindingQuery &query) const
{
	const std::scoped_lock lock(state_->store_mutex);
	return state_->store.findings(query);
}

Result<std::vector<GroupHits>> Observer::telemetry() const
{
	const std::scoped_lock lock(state_->store_mutex);
	return state_->store.hits(state_->options.now_ms() / hour_ms);
}

Result<std::uint64_t> Observer::finding_count() const
{
	const std::scoped_lock lock(state_->store_mutex);
	return state_->store.finding_count();
}

std::uint64_t Observer::lost_count() const
{
	return state_->lost;
}

std::uint64_t Observer::transaction_count() const
{
	return state_->transactions;
}

} // namespace neuwerk::observe
