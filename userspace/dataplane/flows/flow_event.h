// An event about a flow, from its outbound line.
#pragma once

#include "abi/event.h"
#include "abi/flow.h"
#include "abi/policy.h"
#include "abi/verdict.h"

#include <cstdint>

namespace neuwerk::dataplane {

// Who decided is not in the line: the caller fills group and rule where it knows.
[[nodiscard]] inline nw_event flow_event(nw_event_kind kind, const nw_flow_line &out, std::uint32_t outbound,
					 std::uint64_t now_ns)
{
	return {
		.time_ns = now_ns,
		.source = out.inside,
		.destination = out.remote,
		.source_port_be = out.inside_port_be,
		.destination_port_be = out.remote_port_be,
		.generation = out.judged_generation,
		.rule = NW_NO_RULE,
		.group = NW_NO_GROUP,
		.kind = static_cast<__u8>(kind),
		.verdict = NW_VERDICT_forwarded_by_poller,
		.protocol = out.protocol,
		.reason = NW_END_none,
		.external_port_be = out.external_port_be,
		.line = outbound,
	};
}

} // namespace neuwerk::dataplane
