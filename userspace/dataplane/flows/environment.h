// The environment of the corridor in the poller: the nw_env_* functions over the memory that XDP uses too.
//
// Only tracker.cpp includes this. The corridor's functions take no environment as a parameter (the kernel's
// has none), so it stands in a variable of the thread while one frame is handled.
#pragma once

#include "dataplane/flows/tracker.h"

#include "path/limit.h"

#define NW_ENV static inline
#define NW_ENV_CALL static
#define NW_ENV_POLICY_MAY_MOVE 1

namespace neuwerk::dataplane {

struct Environment {
	const DataplaneMemory *memory;
	EventSink *sink;
	__u64 *event_bucket;
	std::uint64_t now_ns;
};

inline thread_local const Environment *environment = nullptr;

// Sets the environment for one scope.
class EnvironmentScope {
public:
	explicit EnvironmentScope(const Environment &now)
	{
		environment = &now;
	}
	~EnvironmentScope()
	{
		environment = nullptr;
	}
	EnvironmentScope(const EnvironmentScope &) = delete;
	EnvironmentScope &operator=(const EnvironmentScope &) = delete;
};

template <typename T>
T *element(std::span<T> elements, std::uint32_t index)
{
	return index < elements.size() ? &elements[index] : nullptr;
}

} // namespace neuwerk::dataplane

NW_ENV const struct nw_config *nw_env_config()
{
	return neuwerk::dataplane::environment->memory->config;
}

NW_ENV const struct nw_policy_active *nw_env_policy_active()
{
	return neuwerk::dataplane::environment->memory->active;
}

NW_ENV const struct nw_policy_node *nw_env_policy_node(__u32 index)
{
	return neuwerk::dataplane::element(neuwerk::dataplane::environment->memory->nodes, index);
}

NW_ENV const struct nw_decision *nw_env_decision(__u32 index)
{
	return neuwerk::dataplane::element(neuwerk::dataplane::environment->memory->decisions, index);
}

NW_ENV struct nw_flow_line *nw_env_flow_line(__u32 index)
{
	return neuwerk::dataplane::element(neuwerk::dataplane::environment->memory->lines, index);
}

NW_ENV const struct nw_next_hop *nw_env_next_hop(__u32 index)
{
	return neuwerk::dataplane::element(neuwerk::dataplane::environment->memory->hops, index);
}

// First packets were charged to the limiter in XDP: here the bucket is always full.
NW_ENV __u64 *nw_env_bucket(enum nw_bucket_use use)
{
	static thread_local __u64 full;
	full = 0;
	return use == NW_BUCKET_EVENTS ? neuwerk::dataplane::environment->event_bucket : &full;
}

NW_ENV struct nw_denial_set *nw_env_denial_set(__u32 index)
{
	return neuwerk::dataplane::element(neuwerk::dataplane::environment->memory->denials, index);
}

NW_ENV __u64 nw_env_now_ns()
{
	return neuwerk::dataplane::environment->now_ns;
}

NW_ENV __u64 nw_env_now_coarse_ns()
{
	return neuwerk::dataplane::environment->now_ns;
}

NW_ENV void nw_env_emit(const struct nw_event *event)
{
	neuwerk::dataplane::environment->sink->event(*event, {});
}
