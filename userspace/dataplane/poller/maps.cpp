// Pinned maps and the event ring over libbpf. Memory stays mapped until the process ends.
#include "dataplane/poller/maps.h"

#include "abi/version.h"
#include "base/fd.h"
#include "base/text.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstring>
#include <type_traits>

namespace neuwerk::dataplane {

namespace {

Result<Fd> open_map(const std::string &directory, const char *name)
{
	const std::string path = directory + "/" + name;
	Fd fd(bpf_obj_get(path.c_str()));
	if (fd)
		return fd;
	if (errno == ENOENT)
		return fail(ErrorKind::unavailable,
			    text("cannot open ", path, ": there is no such map: start neuwerkd first"));
	return fail(errno == EPERM || errno == EACCES ? ErrorKind::forbidden : ErrorKind::unavailable,
		    text("cannot open ", path, ": ", std::strerror(errno)));
}

template <typename Element>
Result<std::span<Element>> map_memory(const std::string &directory, const char *name)
{
	const auto fd = open_map(directory, name);
	if (!fd)
		return tl::unexpected(fd.error());
	bpf_map_info info{};
	__u32 info_bytes = sizeof(info);
	if (bpf_obj_get_info_by_fd(fd->get(), &info, &info_bytes) != 0 || info.value_size != sizeof(Element))
		return fail(ErrorKind::corrupt,
			    text(directory, "/", name, ": elements of ", info.value_size, " bytes, expected ",
				 sizeof(Element), ": neuwerkd is another version"));
	const auto page_bytes = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
	const std::size_t bytes = (sizeof(Element) * info.max_entries + page_bytes - 1) & ~(page_bytes - 1);
	const int access = std::is_const_v<Element> ? PROT_READ : PROT_READ | PROT_WRITE;
	void *memory = mmap(nullptr, bytes, access, MAP_SHARED, fd->get(), 0);
	if (memory == MAP_FAILED)
		return fail(ErrorKind::resource_exhausted, text("cannot map ", directory, "/", name,
								" into memory: ", std::strerror(errno)));
	return std::span<Element>(static_cast<Element *>(memory), info.max_entries);
}

// Opens one map after the other into its place; after the first failure it does nothing more.
class Opening {
public:
	explicit Opening(const std::string &directory) : directory_(directory) {}
	template <typename Element>
	std::span<Element> take(const char *name)
	{
		if (!result_)
			return {};
		auto memory = map_memory<Element>(directory_, name);
		if (!memory) {
			result_ = tl::unexpected(memory.error());
			return {};
		}
		return *memory;
	}
	[[nodiscard]] const Result<> &result() const
	{
		return result_;
	}

private:
	const std::string &directory_;
	Result<> result_;
};

Result<> check_version(const nw_config &config, const DataplaneMemory &memory)
{
	if (config.abi_version == 0)
		return fail(ErrorKind::unavailable,
			    "the config map is empty: neuwerkd has not configured it yet");
	if (config.abi_version != NW_ABI_VERSION)
		return fail(ErrorKind::corrupt,
			    text("the pinned maps are version ", config.abi_version, ", this poller speaks ",
				 NW_ABI_VERSION, ": upgrade both programs"));
	if (config.flow_line_mask + std::uint64_t{1} != memory.lines.size() || config.port_count == 0 ||
	    config.port_count > NW_PORT_LIMIT)
		return fail(ErrorKind::corrupt, "the config map contradicts the flow table or names no port");
	return {};
}

// Every failure is reported by its caller, in our words.
int silence(libbpf_print_level, const char *, va_list)
{
	return 0;
}

int on_ring_element(void *context, void *data, size_t bytes)
{
	if (bytes == sizeof(nw_event))
		(*static_cast<std::function<void(const nw_event &)> *>(context))(
			*static_cast<nw_event *>(data));
	return 0;
}

struct FreeRing {
	void operator()(ring_buffer *ring) const
	{
		ring_buffer__free(ring);
	}
};

} // namespace

struct Maps::State {
	DataplaneMemory memory;
	std::span<nw_next_hop> hops;
	std::span<nw_verdict_count> verdicts;
	Fd events;
	std::function<void(const nw_event &)> on_event;
	std::unique_ptr<ring_buffer, FreeRing> ring;
};

Maps::Maps(std::unique_ptr<State> state) : state_(std::move(state)) {}
Maps::Maps(Maps &&) noexcept = default;
Maps::~Maps() = default;

Result<Maps> Maps::open(const std::string &directory)
{
	libbpf_set_print(silence);
	Opening opening(directory);
	const auto config = opening.take<const nw_config>("config");
	const auto active = opening.take<const nw_policy_active>("policy_active");
	const auto nodes = opening.take<const nw_policy_node>("policy_nodes");
	const auto decisions = opening.take<const nw_decision>("policy_decisions");
	const auto lines = opening.take<nw_flow_line>("flow_table");
	auto state = std::make_unique<State>();
	state->hops = opening.take<nw_next_hop>("next_hops");
	state->verdicts = opening.take<nw_verdict_count>("poller_verdicts");
	const auto denials = opening.take<nw_denial_set>("denials");
	if (!opening.result())
		return tl::unexpected(opening.result().error());
	if (denials.size() < NW_DENIAL_SETS)
		return fail(ErrorKind::corrupt, text(directory, "/denials: no row for the poller"));
	state->memory = {config.data(),
			 active.data(),
			 nodes,
			 decisions,
			 lines,
			 state->hops,
			 denials.last(NW_DENIAL_SETS)};
	if (auto sound = check_version(config[0], state->memory); !sound)
		return tl::unexpected(sound.error());
	auto events = open_map(directory, "events");
	if (!events)
		return tl::unexpected(events.error());
	state->events = std::move(*events);
	return Maps(std::move(state));
}

const DataplaneMemory &Maps::memory() const
{
	return state_->memory;
}

std::span<nw_next_hop> Maps::hops() const
{
	return state_->hops;
}

std::span<nw_verdict_count> Maps::verdicts() const
{
	return state_->verdicts;
}

Result<> Maps::watch_events(std::function<void(const nw_event &)> on_event)
{
	state_->on_event = std::move(on_event);
	state_->ring.reset(
		ring_buffer__new(state_->events.get(), on_ring_element, &state_->on_event, nullptr));
	if (!state_->ring)
		return fail(ErrorKind::internal,
			    text("cannot read the ring buffer events: ", std::strerror(errno)));
	return {};
}

void Maps::read_events()
{
	ring_buffer__consume(state_->ring.get());
}

int Maps::events_fd() const
{
	return state_->events.get();
}

} // namespace neuwerk::dataplane
