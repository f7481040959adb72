// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
// The whole path of a packet on one screen: what arrives becomes a verdict, and maybe a rewritten frame.
//
//	parse ─► find the flow ─┬─ hit ──► follow: judge again if policy is newer, rewrite, stamp
//	                        └─ miss ─► meet:   own address? which side? ask policy, rate limit, hand over
//
// XDP and the simulator compile this same file. What differs between them (where memory lies, clocks, rings)
// is the environment: functions nw_env_*, defined by bpf/maps.h or by userspace/dataplane/sim before this
// file.
#pragma once

#include "abi/event.h"
#include "abi/handoff.h"
#include "abi/policy.h"
#include "path/decide.h"
#include "path/denial.h"
#include "path/flow.h"
#include "path/limit.h"
#include "path/parse.h"
#include "path/rewrite.h"
#include "path/track.h"

enum { NW_WALK_TRIES = 16 }; // a publication takes milliseconds, a walk less than a microsecond

// What the steps need to know of one packet beside its bytes.
struct nw_passage {
	const struct nw_config *config;
	const struct nw_port *port; // where it came in
	struct nw_packet packet;
	__u32 flow_hash;
	bool is_dry_run; // asks what a first packet would meet: no flow, no limit, no event
	// The answer of policy, when it was asked.
	__u32 generation;
	__u32 decision;       // index, or NW_NO_DECISION
	__be16 asked_port_be; // the service that policy was asked about, as in nw_denial_key
	// Where it leaves, when it was forwarded.
	__u8 egress_port;
};

// The decision with this index in the half that holds `generation`; none for NW_NO_DECISION.
NW_STEP const struct nw_decision *nw_decision_of(const struct nw_config *config, __u32 generation,
						 __u32 decision)
{
	if (decision >= config->policy_decision_limit)
		return 0;
	return nw_env_decision(decision + (generation & 1 ? config->policy_decision_limit : 0));
}

// Walks the active policy with an outbound tuple. Fails closed: no generation, no node or no decision end as
// dropped_no_policy. The generation is read once, so that no packet meets two policies.
NW_ENV_CALL enum nw_verdict nw_walk_policy(struct nw_passage *passage, const struct nw_tuple *tuple,
					   __u8 type, __u8 code)
{
	const struct nw_policy_active *active = nw_env_policy_active();
	if (!active)
		return NW_VERDICT_dropped_no_policy;
	__u32 generation = nw_load(&active->generation);
	passage->generation = generation;
	if (!generation)
		return NW_VERDICT_dropped_no_policy;
	__u32 values[NW_FIELD_COUNT];
	nw_decide_fields(tuple, type, code, values);
	passage->asked_port_be = NW_BE16((__u16)values[NW_FIELD_SERVICE]);
	__u32 half = generation & 1;
	__u32 reference = half ? nw_load(&active->root[1]) : nw_load(&active->root[0]);
	__u32 first_node = half ? passage->config->policy_node_limit : 0;
	for (int step = 0; step < NW_DECIDE_STEPS_MAX; step++) {
		__u32 field = NW_REF_FIELD(reference);
		if (field == NW_FIELD_DECISION)
			break;
		const struct nw_policy_node *node = nw_env_policy_node(first_node + NW_REF_INDEX(reference));
		if (!node)
			return NW_VERDICT_dropped_no_policy;
		reference = nw_decide_step(node, field, values);
	}
	if (NW_REF_FIELD(reference) != NW_FIELD_DECISION)
		return NW_VERDICT_dropped_no_policy;
	passage->decision = NW_REF_INDEX(reference);
	const struct nw_decision *decision = nw_decision_of(passage->config, generation, passage->decision);
	return decision ? (enum nw_verdict)decision->verdict : NW_VERDICT_dropped_no_policy;
}

// Asks the active policy. In XDP the publisher waits for every run before it refills a half; a thread in user
// space may be overtaken by two publications, so it walks again when the generation moved on.
NW_STEP enum nw_verdict nw_ask_policy(struct nw_passage *passage, const struct nw_tuple *tuple, __u8 type,
				      __u8 code)
{
	if (!NW_ENV_POLICY_MAY_MOVE)
		return nw_walk_policy(passage, tuple, type, code);
	for (int i = 0; i < NW_WALK_TRIES; i++) {
		enum nw_verdict verdict = nw_walk_policy(passage, tuple, type, code);
		if (passage->generation == nw_load(&nw_env_policy_active()->generation))
			return verdict;
	}
	return NW_VERDICT_dropped_no_policy;
}

// Adds a packet to the count of its key; a row without room adds it to the row's rest. No row: no count.
NW_ENV_CALL void nw_count(const struct nw_passage *passage, const struct nw_denial_key *key,
			  const struct nw_address *source, __u32 now_ticks)
{
	struct nw_denial_set *set = nw_env_denial_set(nw_denial_set_of(key, passage->config->hash_seed));
	if (!set)
		return;
	if (nw_count_denial(set, key, source, now_ticks))
		return;
	struct nw_denial_set *rest = nw_env_denial_set(0);
	if (rest)
		nw_store(&rest->way[0].count, rest->way[0].count + 1);
}

// A denied or audited packet: counted always, told to the event stream if the limit leaves room for it.
NW_STEP void nw_report(struct nw_passage *passage, const struct nw_tuple *tuple, enum nw_event_kind kind,
		       enum nw_verdict verdict, __u32 line)
{
	if (passage->is_dry_run)
		return;
	const struct nw_decision *decided =
		nw_decision_of(passage->config, passage->generation, passage->decision);
	bool by_audit = decided && kind == NW_EVENT_audited && !(decided->flags & NW_DECISION_RAW_DENY);
	struct nw_denial_key key = {
		.destination = tuple->destination,
		.rule = !decided   ? NW_NO_RULE
			: by_audit ? decided->audit_rule
				   : decided->rule,
		.group = !decided   ? NW_NO_GROUP
			 : by_audit ? decided->audit_group
				    : decided->group,
		.service_port_be = tuple->protocol == NW_PROTOCOL_ICMP ? passage->asked_port_be
								       : tuple->destination_port_be,
		.generation = passage->generation,
		.kind = (__u8)kind,
		.verdict = (__u8)verdict,
		.protocol = tuple->protocol,
		.zero = 0,
	};
	__u64 now_ns = nw_env_now_coarse_ns(); // the cheap clock, once: under a flood it shows
	nw_count(passage, &key, &tuple->source, (__u32)(now_ns >> NW_TICK_SHIFT));
	__u64 *bucket = nw_env_bucket(NW_BUCKET_EVENTS);
	if (!bucket || !nw_take_token(bucket, now_ns, passage->config->event_interval_ns,
				      passage->config->event_burst_ns))
		return; // under a flood, nearly every packet
	struct nw_event event = {
		.time_ns = nw_env_now_ns(),
		.source = tuple->source,
		.destination = tuple->destination,
		.source_port_be = tuple->source_port_be,
		.destination_port_be = key.service_port_be,
		.generation = passage->generation,
		.rule = key.rule,
		.group = key.group,
		.kind = (__u8)kind,
		.verdict = (__u8)verdict,
		.protocol = tuple->protocol,
		.reason = NW_END_none,
		.external_port_be = 0,
		.line = line,
	};
	nw_env_emit(&event);
}

// An allowed packet that a rule in audit mode would have denied.
NW_STEP void nw_report_audit(struct nw_passage *passage, const struct nw_tuple *tuple,
			     enum nw_verdict verdict)
{
	const struct nw_decision *decision =
		nw_decision_of(passage->config, passage->generation, passage->decision);
	if (decision && decision->flags & (NW_DECISION_RAW_DENY | NW_DECISION_AUDIT_DENY))
		nw_report(passage, tuple, NW_EVENT_audited, verdict, 0);
}

// An ICMP flow is echo requests going out and echo replies coming in; its tuple says nothing of the type.
NW_STEP bool nw_echo_fits(const struct nw_packet *packet, const struct nw_flow_line *line)
{
	if (packet->tuple.protocol != NW_PROTOCOL_ICMP)
		return true;
	__u8 type = nw_is_inbound(line) ? NW_ICMP_ECHO_REPLY : NW_ICMP_ECHO_REQUEST;
	return packet->icmp_type == type && packet->icmp_code == 0;
}

// The line of this packet's direction, copied to `line`. NW_READ_busy: a line that may be its own is being
// written at this moment.
NW_STEP enum nw_read nw_find_line(struct nw_passage *passage, struct nw_flow_line *line, __u32 *index)
{
	enum nw_read outcome = NW_READ_unused;
	for (__u32 i = 0; i < NW_FLOW_PROBE_LINES; i++) {
		__u32 slot = (passage->flow_hash + i) & passage->config->flow_line_mask;
		const struct nw_flow_line *shared = nw_env_flow_line(slot);
		if (!shared)
			return NW_READ_busy;
		enum nw_read read = nw_read_sequenced(shared, line, NW_LINE_WORDS);
		if (read == NW_READ_unused)
			return outcome;
		if (read == NW_READ_busy) {
			outcome = NW_READ_busy;
			continue;
		}
		if (nw_line_matches(line, &passage->packet.tuple, passage->config) &&
		    nw_echo_fits(&passage->packet, line)) {
			*index = slot;
			return NW_READ_stable;
		}
	}
	return outcome;
}

// A flow that an older policy allowed meets a newer one. Allowed: stamped. Denied: marked, and the poller
// told.
NW_STEP enum nw_verdict nw_judge_again(struct nw_passage *passage, const struct nw_flow_line *line,
				       struct nw_flow_line *shared, __u32 index)
{
	struct nw_tuple tuple = nw_outbound_tuple(line);
	enum nw_verdict verdict = nw_ask_policy(passage, &tuple, NW_ICMP_ECHO_REQUEST, 0);
	if (verdict == NW_VERDICT_forwarded_in_xdp) {
		nw_report_audit(passage, &tuple, verdict);
		nw_store(&shared->judged_generation, passage->generation);
	} else if (verdict != NW_VERDICT_dropped_no_policy) {
		nw_store(&shared->seen, (__u8)(line->seen | NW_SEEN_DENIED));
		nw_report(passage, &tuple, NW_EVENT_flow_denied, verdict, index);
	}
	return verdict;
}

// Whether the port's side fits the direction of the flow: nobody outside speaks for an inside address.
NW_STEP bool nw_side_fits(const struct nw_port *port, const struct nw_flow_line *line)
{
	return port->side == NW_SIDE_BOTH ||
	       port->side == (nw_is_inbound(line) ? NW_SIDE_OUTSIDE : NW_SIDE_INSIDE);
}

// XDP's own words of the line.
NW_STEP void nw_stamp(const struct nw_packet *packet, const struct nw_flow_line *line,
		      struct nw_flow_line *shared)
{
	__u8 seen = nw_seen_after(line->seen, packet->tcp_flags);
	if (seen != line->seen)
		nw_store(&shared->seen, seen);
	__u16 tick = nw_tick_of(nw_env_now_coarse_ns());
	if (tick != line->last_seen_ticks)
		nw_store(&shared->last_seen_ticks, tick);
	__u64 traffic = nw_load(&shared->traffic);
	nw_store(&shared->traffic, traffic + (1ull << NW_TRAFFIC_BYTES_BITS) + packet->frame_bytes);
}

// The packet belongs to a flow: judge again if need be, rewrite, and name the port it leaves on.
NW_STEP enum nw_verdict nw_follow(struct nw_passage *passage, const struct nw_flow_line *line, __u32 index)
{
	struct nw_flow_line *shared = nw_env_flow_line(index);
	const struct nw_policy_active *active = nw_env_policy_active();
	if (!shared || !active)
		return NW_VERDICT_dropped_no_policy;
	if (!nw_side_fits(passage->port, line))
		return NW_VERDICT_dropped_wrong_side;
	if (line->seen & NW_SEEN_DENIED)
		return NW_VERDICT_dropped_flow_denied;
	passage->generation = line->judged_generation;
	if (line->judged_generation != nw_load(&active->generation)) {
		enum nw_verdict verdict = nw_judge_again(passage, line, shared, index);
		if (verdict != NW_VERDICT_forwarded_in_xdp)
			return verdict;
	}
	if (passage->packet.ip->ttl <= 1)
		return NW_VERDICT_dropped_ttl;

	const struct nw_next_hop *shared_hop = nw_env_next_hop(line->next_hop);
	struct nw_next_hop hop;
	if (!shared_hop || nw_read_sequenced(shared_hop, &hop, NW_NEXT_HOP_WORDS) != NW_READ_stable ||
	    !hop.mtu_bytes)
		return NW_VERDICT_dropped_no_next_hop;
	if (passage->packet.ip_bytes > hop.mtu_bytes)
		return NW_VERDICT_dropped_too_big;
	nw_rewrite(&passage->packet, line, passage->config, &hop);
	nw_stamp(&passage->packet, line, shared);
	passage->egress_port = hop.port;
	return NW_VERDICT_forwarded_in_xdp;
}

// A packet for this host itself: a configured service, or nothing. NW_UNDECIDED: not for this host.
NW_STEP enum nw_verdict nw_own_address(const struct nw_passage *passage)
{
	const struct nw_config *config = passage->config;
	const struct nw_packet *packet = &passage->packet;
	__be32 destination_be = packet->tuple.destination.word_be[3];
	bool own = false;
	for (int i = 0; i < NW_OWN_ADDRESS_LIMIT && i < config->own_address_count; i++)
		own |= config->own_address_be[i] == destination_be;
	if (!own)
		return NW_UNDECIDED;
	bool is_icmp = packet->tuple.protocol == NW_PROTOCOL_ICMP;
	if (is_icmp && packet->icmp_type != NW_ICMP_ECHO_REQUEST)
		return NW_VERDICT_dropped_own_address;
	__be16 port_be = is_icmp ? 0 : packet->tuple.destination_port_be;
	for (int i = 0; i < NW_HOST_SERVICE_LIMIT; i++)
		if (config->host_service[i].protocol == packet->tuple.protocol &&
		    config->host_service[i].port_be == port_be)
			return NW_VERDICT_passed_to_kernel;
	return NW_VERDICT_dropped_own_address;
}

// Whether an allowed packet may begin a flow: a TCP SYN alone (RFC 9293 §3.5), any UDP, an ICMP echo request.
NW_STEP enum nw_verdict nw_may_begin(const struct nw_packet *packet)
{
	if (packet->tuple.protocol == NW_PROTOCOL_TCP) {
		__u8 flags = packet->tcp_flags & (NW_SEEN_SYN | NW_SEEN_ACK | NW_SEEN_FIN | NW_SEEN_RST);
		if (flags != NW_SEEN_SYN)
			return NW_VERDICT_dropped_no_flow;
	}
	if (packet->tuple.protocol == NW_PROTOCOL_ICMP) {
		if (packet->icmp_type == NW_ICMP_ECHO_REPLY)
			return NW_VERDICT_dropped_no_flow;
		if (packet->icmp_type != NW_ICMP_ECHO_REQUEST || packet->icmp_code)
			return NW_VERDICT_dropped_icmp_type;
	}
	return packet->ip->ttl <= 1 ? NW_VERDICT_dropped_ttl : NW_VERDICT_handed_to_poller;
}

// The packet belongs to no flow.
NW_STEP enum nw_verdict nw_meet(struct nw_passage *passage)
{
	const struct nw_packet *packet = &passage->packet;
	enum nw_verdict verdict = nw_own_address(passage);
	if (verdict != NW_UNDECIDED)
		return verdict;
	if (passage->port->side == NW_SIDE_OUTSIDE)
		return NW_VERDICT_dropped_no_flow;
	verdict = nw_ask_policy(passage, &packet->tuple, packet->icmp_type, packet->icmp_code);
	if (verdict != NW_VERDICT_forwarded_in_xdp) {
		if (verdict != NW_VERDICT_dropped_no_policy)
			nw_report(passage, &packet->tuple, NW_EVENT_denied, verdict, 0);
		return verdict;
	}
	verdict = nw_may_begin(packet);
	if (verdict != NW_VERDICT_handed_to_poller)
		return verdict;
	if (passage->is_dry_run)
		return verdict;
	nw_report_audit(passage, &packet->tuple, verdict);
	__u64 *bucket = nw_env_bucket(NW_BUCKET_MISSES);
	if (!bucket || !nw_take_token(bucket, nw_env_now_ns(), passage->config->miss_interval_ns,
				      passage->config->miss_burst_ns))
		return NW_VERDICT_dropped_poller_busy;
	return NW_VERDICT_handed_to_poller;
}

// One frame that came in on port `ingress`. `passage` tells the caller where and why.
NW_STEP enum nw_verdict nw_corridor(struct nw_cursor frame, __u32 ingress, bool is_dry_run,
				    struct nw_passage *passage)
{
	const struct nw_config *config = nw_env_config();
	passage->is_dry_run = is_dry_run;
	passage->generation = 0;
	passage->decision = NW_NO_DECISION;
	passage->asked_port_be = 0;
	passage->flow_hash = 0;
	passage->egress_port = 0;
	if (!config || ingress >= NW_PORT_LIMIT)
		return NW_VERDICT_dropped_no_policy;
	passage->config = config;
	passage->port = &config->port[ingress];
	enum nw_verdict verdict = nw_parse(frame, passage->port->mac, passage->port->zone, &passage->packet);
	if (verdict != NW_UNDECIDED)
		return verdict;
	passage->flow_hash = nw_flow_hash(&passage->packet.tuple, config->hash_seed);
	if (is_dry_run)
		return nw_meet(passage);
	struct nw_flow_line line;
	__u32 index = 0;
	switch (nw_find_line(passage, &line, &index)) {
	case NW_READ_stable:
		return nw_follow(passage, &line, index);
	case NW_READ_busy: // perhaps this packet's own line: the poller knows; not charged to the limiter
		return NW_VERDICT_handed_to_poller;
	default:
		return nw_meet(passage);
	}
}
