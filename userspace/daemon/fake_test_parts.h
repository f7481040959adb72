// For tests of this room: a corridor, a poller, records and a file system that exist in memory only.
#pragma once

#include "base/files.h"
#include "base/log.h"
#include "daemon/enforcer.h"
#include "daemon/policy_book.h"
#include "daemon/poller_client.h"
#include "daemon/surroundings.h"
#include "policy/policy.h"

#include <atomic>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace neuwerk::daemon {

class FakeEnforcer final : public Enforcer {
public:
	std::vector<dataplane::Settings> configured;
	std::vector<policy::CompiledPolicy> published; // index + 1 is the generation, unless `first` was set
	std::uint32_t current = 0;
	bool prepare_fails = false;
	bool flip_fails = false;
	bool configure_fails = false;
	std::optional<policy::CompiledPolicy> prepared;
	dataplane::Explanation answer{};
	dataplane::VerdictCounts xdp{};
	dataplane::VerdictCounts poller{};
	std::uint64_t lines = 0;

	Result<> configure(const dataplane::Settings &settings) override
	{
		if (configure_fails)
			return fail(ErrorKind::internal, "configure: broken");
		configured.push_back(settings);
		return {};
	}
	Result<> prepare(const policy::CompiledPolicy &policy, std::uint32_t generation) override
	{
		if (prepare_fails || generation != current + 1)
			return fail(ErrorKind::internal, "prepare: broken");
		prepared = policy;
		return {};
	}
	Result<> flip(std::uint32_t generation) override
	{
		if (flip_fails || !prepared || generation != current + 1)
			return fail(ErrorKind::internal, "flip: broken");
		published.push_back(*std::exchange(prepared, std::nullopt));
		current = generation;
		return {};
	}
	std::uint32_t generation() const override
	{
		return current;
	}
	// With a policy in force, by walking it as XDP would; `answer` otherwise.
	Result<dataplane::Explanation> explain(const dataplane::Question &question) override
	{
		if (published.empty())
			return answer;
		const nw_decision decision =
			policy::walk(published.back(), {.source = question.source,
							.destination = question.destination,
							.protocol = question.protocol,
							.source_port = question.source_port,
							.destination_port = question.destination_port,
							.icmp_type = question.icmp_type,
							.icmp_code = question.icmp_code});
		const auto verdict = static_cast<nw_verdict>(decision.verdict);
		return dataplane::Explanation{.verdict = verdict == NW_VERDICT_forwarded_in_xdp
								 ? NW_VERDICT_handed_to_poller
								 : verdict,
					      .generation = current,
					      .decision = decision,
					      .decided = true};
	}
	dataplane::VerdictCounts xdp_verdicts() const override
	{
		return xdp;
	}
	dataplane::VerdictCounts poller_verdicts() const override
	{
		return poller;
	}
	std::uint64_t live_flow_lines() const override
	{
		return lines;
	}
	std::uint64_t drain_denials(const dataplane::Corridor::TakeDenial &take) const override
	{
		for (const auto &[line, count] : denials)
			take(line, count);
		return 0;
	}
	std::vector<std::pair<nw_denial, std::uint32_t>> denials;
};

// Records in memory, with the conflicts of the real ones.
class FakeBook final : public PolicyBook {
public:
	PolicyState state;
	std::map<std::uint64_t, PolicyRecord> records;
	bool commit_fails = false;   // nothing is written
	bool answer_is_lost = false; // written, but the caller is told that it failed

	FakeBook()
	{
		state.record.id = nil_uuid;
		state.record.document = first_document;
	}
	Result<PolicyState> read() const override
	{
		return state;
	}
	Result<std::vector<PolicyRecord>> history() const override
	{
		std::vector<PolicyRecord> all;
		for (auto entry = records.rbegin(); entry != records.rend(); ++entry)
			all.push_back(entry->second);
		return all;
	}
	Result<PolicyRecord> at(std::uint64_t revision) const override
	{
		const auto entry = records.find(revision);
		if (entry == records.end())
			return fail(ErrorKind::not_found, "no such revision");
		return entry->second;
	}
	Result<> commit(const PolicyState &before, const PolicyRecord &next,
			const std::optional<Confirmation> &confirmation) override
	{
		if (commit_fails)
			return fail(ErrorKind::resource_exhausted, "write: the disk is nearly full");
		if (before.version_key != state.version_key ||
		    before.confirmation_key != state.confirmation_key)
			return fail(ErrorKind::conflict, "policy/version: somebody else wrote it");
		state.record = records[next.revision] = next;
		state.version_key++;
		state.confirmation = confirmation;
		state.confirmation_key = confirmation ? state.confirmation_key + 1 : 0;
		if (std::exchange(answer_is_lost, false))
			return fail(ErrorKind::unavailable, "stopping");
		return {};
	}
	Result<> confirm(const PolicyState &before, const std::string &) override
	{
		if (before.confirmation_key != state.confirmation_key)
			return fail(ErrorKind::conflict, "policy/confirm: somebody else wrote it");
		state.confirmation.reset();
		state.confirmation_key = 0;
		return {};
	}
};

class FakeFiles final : public Files {
public:
	std::map<std::string, std::string> content;
	bool disk_is_full = false;

	Result<std::string> read(const std::string &path) override
	{
		const auto entry = content.find(path);
		if (entry == content.end())
			return fail(ErrorKind::not_found, "open: " + path + ": No such file or directory");
		return entry->second;
	}
	Result<> write_synced(const std::string &path, std::string_view text) override
	{
		if (disk_is_full)
			return fail(ErrorKind::resource_exhausted,
				    "write: " + path + ": No space left on device");
		content[path] = text;
		return {};
	}
	Result<> rename(const std::string &from, const std::string &to) override
	{
		content[to] = content.at(from);
		content.erase(from);
		return {};
	}
	Result<> remove(const std::string &path) override
	{
		content.erase(path);
		return {};
	}
	Result<> sync_directory(const std::string &) override
	{
		return {};
	}
};

class FakePoller final : public PollerLink {
public:
	std::atomic<bool> answers = true; // a test flips it while the service asks
	std::vector<v1::Flow> flows;

	Result<v1::StatusReply> status() override
	{
		if (!answers)
			return fail(ErrorKind::unavailable, "the poller does not answer: no such socket");
		v1::StatusReply reply;
		reply.set_pid(99);
		reply.set_active_flows(flows.size());
		return reply;
	}
	Result<> list_flows(std::uint32_t limit, const std::function<bool(const v1::Flow &)> &take) override
	{
		if (!answers)
			return fail(ErrorKind::unavailable, "the poller does not answer: no such socket");
		std::uint32_t count = 0;
		for (const v1::Flow &flow : flows)
			if ((limit != 0 && count++ >= limit) || !take(flow))
				break;
		return {};
	}
};

// Tests read results, not log lines.
inline const bool is_quiet = (log::open("test", log::Level::error), true);

// Two ports, up, with addresses: what most tests stand on.
inline Facts two_ports()
{
	return {{.interface = "in0",
		 .index = 2,
		 .mtu = 1500,
		 .up = true,
		 .has_xdp = true,
		 .addresses = {{0x0a000001, 24, true}}},
		{.interface = "out0",
		 .index = 3,
		 .mtu = 1500,
		 .up = true,
		 .has_xdp = true,
		 .addresses = {{0xcb007101, 24, true}}}};
}

inline Config two_arm()
{
	Config config;
	config.dataplane.ports = {{.interface = "in0", .side = NW_SIDE_INSIDE},
				  {.interface = "out0", .side = NW_SIDE_OUTSIDE}};
	return config;
}

} // namespace neuwerk::daemon
