// Finds packets that two compiled policies treat differently, by walking both diagrams at once.
//
// A pair of references is visited once per field and class of protocol: what lies below it does not depend on
// the way to it, because each step takes a whole field at a time. So a walk without an example is a proof.
#include "policy/policy.h"

#include "abi/verdict.h"
#include "path/packet.h"
#include "policy/entries.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <unordered_set>
#include <utility>
#include <vector>

namespace neuwerk::policy {

namespace {

// A field's search, flattened: from `key` on the search continues at `ref`.
struct Slice {
	std::uint32_t key;
	std::uint32_t ref;
};

// Whether a packet's source port is its own (TCP, UDP, ICMP identifier) or always 0.
enum class Ports { own, zero };

struct Range {
	std::uint32_t first, last;
};

// The whole range of `field` below `ref`, in ascending order.
class Flattening {
public:
	Flattening(const CompiledPolicy &policy, std::uint32_t field) : policy_(policy), field_(field) {}

	std::vector<Slice> run(std::uint32_t ref)
	{
		add(ref, 0, field_max[field_]);
		return std::move(out_);
	}

private:
	void add(std::uint32_t ref, std::uint32_t first, std::uint32_t last)
	{
		if (NW_REF_FIELD(ref) != field_) {
			if (out_.empty() || out_.back().ref != ref)
				out_.push_back({first, ref});
			return;
		}
		const nw_policy_node &node = policy_.nodes()[NW_REF_INDEX(ref)];
		for (std::size_t i = 0; i < NW_NODE_SLICES; i++) {
			const bool is_last = i + 1 == NW_NODE_SLICES || node.key[i + 1] <= node.key[i];
			const std::uint32_t begin = i == 0 ? first : std::max(first, node.key[i]);
			const std::uint32_t end = is_last ? last : std::min(last, node.key[i + 1] - 1);
			if (begin <= end)
				add(node.ref[i], begin, end);
			if (is_last) // unused slots repeat the last key
				break;
		}
	}

	const CompiledPolicy &policy_;
	std::uint32_t field_;
	std::vector<Slice> out_;
};

bool has_own_ports(std::uint32_t protocol)
{
	return protocol == NW_PROTOCOL_TCP || protocol == NW_PROTOCOL_UDP || protocol == NW_PROTOCOL_ICMP;
}

// The first service in the range that a packet of this class can have.
std::optional<std::uint32_t> service_in(Range range, Ports ports)
{
	if (ports == Ports::own) {
		for (const std::uint32_t protocol : {NW_PROTOCOL_TCP, NW_PROTOCOL_UDP, NW_PROTOCOL_ICMP}) {
			const Range all{protocol << 16, protocol << 16 | 0xffff};
			const std::uint32_t usual =
				protocol == NW_PROTOCOL_ICMP ? all.first | 8 << 8 : all.first | 443;
			if (range.first <= usual && usual <= range.last)
				return usual;
			if (range.first <= all.last && range.last >= all.first)
				return std::max(range.first, all.first);
		}
		return std::nullopt;
	}
	for (std::uint32_t protocol = (range.first + 0xffff) >> 16; protocol << 16 <= range.last; protocol++)
		if (!has_own_ports(protocol) && protocol << 16 >= range.first)
			return protocol << 16;
	return std::nullopt;
}

// A value that a reader takes for a real one, if the range holds it.
std::uint32_t usual_value(nw_field field, Range range)
{
	constexpr std::uint32_t usual_source = 0x0a000001;      // 10.0.0.1
	constexpr std::uint32_t usual_destination = 0xc6336401; // 198.51.100.1, RFC 5737
	constexpr std::uint32_t usual_port = 49152;             // the first of the dynamic ports, RFC 6335
	const std::uint32_t usual = field == NW_FIELD_SOURCE        ? usual_source
				    : field == NW_FIELD_DESTINATION ? usual_destination
								    : usual_port;
	return usual >= range.first && usual <= range.last ? usual : range.first;
}

class Walk {
public:
	Walk(const CompiledPolicy &from, const CompiledPolicy &to, std::size_t limit)
	    : from_(from), to_(to), limit_(limit)
	{
		for (std::size_t field = 0; field < NW_FIELD_COUNT; field++)
			path_[field] = {0, field_max[field]};
	}

	Disagreement run()
	{
		visit(from_.root(), to_.root(), Ports::own, false);
		const bool complete = !is_stopped();
		return {std::move(examples_), complete};
	}

private:
	[[nodiscard]] bool is_stopped() const
	{
		return work_ > disagreement_work_limit || examples_.size() >= limit_;
	}

	void visit(std::uint32_t from, std::uint32_t to, Ports ports, bool service_is_known)
	{
		const std::uint32_t field = std::min(NW_REF_FIELD(from), NW_REF_FIELD(to));
		if (is_stopped())
			return;
		if (field == NW_FIELD_DECISION)
			return compare(from, to);
		const std::uint64_t pair = std::uint64_t{from} << 32 | to;
		if (!seen_[static_cast<std::size_t>(ports) + (service_is_known ? 2 : 0)].insert(pair).second)
			return;
		descend(static_cast<nw_field>(field), from, to, ports);
	}

	void descend(nw_field field, std::uint32_t from, std::uint32_t to, Ports ports)
	{
		const std::vector<Slice> a = slices_of(from_, from, field);
		const std::vector<Slice> b = slices_of(to_, to, field);
		const Range before = path_[field];
		std::uint32_t first = 0;
		for (std::size_t i = 0, k = 0; i < a.size() && !is_stopped();) {
			work_++;
			const std::uint64_t end_a =
				i + 1 < a.size() ? a[i + 1].key : std::uint64_t{field_max[field]} + 1;
			const std::uint64_t end_b =
				k + 1 < b.size() ? b[k + 1].key : std::uint64_t{field_max[field]} + 1;
			const std::uint64_t end = std::min(end_a, end_b);
			const Range range{first, static_cast<std::uint32_t>(end - 1)};
			step(field, range, a[i].ref, b[k].ref, ports);
			first = static_cast<std::uint32_t>(end);
			i += end == end_a;
			k += end == end_b;
		}
		path_[field] = before;
	}

	// Goes on below one slice, with a packet of each class that the slice holds.
	void step(nw_field field, Range range, std::uint32_t from, std::uint32_t to, Ports ports)
	{
		if (field == NW_FIELD_SERVICE) {
			for (const Ports with : {Ports::own, Ports::zero})
				if (const auto service = service_in(range, with)) {
					path_[field] = {*service, *service};
					visit(from, to, with, true);
				}
			return;
		}
		if (field == NW_FIELD_SOURCE_PORT && ports == Ports::zero && range.first > 0)
			return;
		path_[field] = range;
		visit(from, to, ports, field > NW_FIELD_SERVICE);
	}

	std::vector<Slice> slices_of(const CompiledPolicy &policy, std::uint32_t ref, nw_field field)
	{
		std::vector<Slice> slices = Flattening(policy, field).run(ref);
		work_ += slices.size();
		return slices;
	}

	void compare(std::uint32_t from, std::uint32_t to)
	{
		const nw_decision &then = from_.decisions()[NW_REF_INDEX(from)];
		const nw_decision &now = to_.decisions()[NW_REF_INDEX(to)];
		const bool was_allowed = then.verdict == NW_VERDICT_forwarded_in_xdp;
		const bool is_allowed = now.verdict == NW_VERDICT_forwarded_in_xdp;
		if (was_allowed == is_allowed || !reported_.emplace(from, to).second)
			return;
		examples_.push_back({example(), then, now});
	}

	[[nodiscard]] Query example() const
	{
		const Range service = path_[NW_FIELD_SERVICE];
		const std::uint32_t chosen = service_in(service, Ports::own).value_or(service.first);
		const auto protocol = static_cast<std::uint8_t>(chosen >> 16);
		const bool is_icmp = protocol == NW_PROTOCOL_ICMP;
		const std::uint32_t source_port =
			has_own_ports(protocol)
				? usual_value(NW_FIELD_SOURCE_PORT, path_[NW_FIELD_SOURCE_PORT])
				: 0;
		return {.source = usual_value(NW_FIELD_SOURCE, path_[NW_FIELD_SOURCE]),
			.destination = usual_value(NW_FIELD_DESTINATION, path_[NW_FIELD_DESTINATION]),
			.protocol = protocol,
			.source_port = static_cast<std::uint16_t>(source_port),
			.destination_port = static_cast<std::uint16_t>(is_icmp ? 0 : chosen),
			.icmp_type = static_cast<std::uint8_t>(is_icmp ? chosen >> 8 : 0),
			.icmp_code = static_cast<std::uint8_t>(is_icmp ? chosen : 0)};
	}

	const CompiledPolicy &from_, &to_;
	std::size_t limit_;
	std::uint64_t work_ = 0;
	std::array<Range, NW_FIELD_COUNT> path_; // what the packet has in each field so far
	std::array<std::unordered_set<std::uint64_t>, 4> seen_;
	std::set<std::pair<std::uint32_t, std::uint32_t>> reported_;
	std::vector<Disagreement::Example> examples_;
};

} // namespace

Disagreement disagree(const CompiledPolicy &from, const CompiledPolicy &to, std::size_t example_limit)
{
	return Walk(from, to, example_limit).run();
}

} // namespace neuwerk::policy
