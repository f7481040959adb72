// The flow table over a span of lines: the only place in user space that stores into a line.
#include "dataplane/flows/flow_table.h"

#include "path/flow.h"
#include "path/line.h"
#include "path/track.h"

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstring>

namespace neuwerk::dataplane {

namespace {

using Words = std::array<std::uint64_t, sizeof(nw_flow_line) / sizeof(std::uint64_t)>;

constexpr std::uint8_t identity_offset_bytes = offsetof(nw_flow_line, zone); // zone, protocol, kind
constexpr std::uint8_t judged_word = offsetof(nw_flow_line, external) / sizeof(std::uint64_t);

// Rule 3 resets at most this many lines per call.
constexpr int reclaim_limit_lines = 256;

std::uint32_t identity_word(const nw_flow_line &line)
{
	return static_cast<std::uint32_t>(std::bit_cast<Words>(line)[0] >> 32);
}
static_assert(std::endian::native == std::endian::little, "identity_word takes the upper half of word 0");

std::uint32_t even_after(std::uint32_t odd_sequence)
{
	const std::uint32_t even = odd_sequence + 1;
	return even == 0 ? 2 : even; // 0 means never used
}

template <typename Word>
std::atomic_ref<Word> word_at(nw_flow_line &line, std::size_t offset_bytes)
{
	typedef Word __attribute__((may_alias)) Aliasing;
	auto *bytes = reinterpret_cast<std::byte *>(&line) + offset_bytes;
	return std::atomic_ref<Word>(*reinterpret_cast<Aliasing *>(bytes));
}

} // namespace

LineStores stores_to_publish(const nw_flow_line &line, std::uint32_t odd_sequence)
{
	const auto words = std::bit_cast<Words>(line);
	LineStores list;
	const auto add = [&](std::size_t offset_bytes, std::uint8_t bytes, std::uint64_t value) {
		list.store[list.count++] = {static_cast<std::uint8_t>(offset_bytes), bytes, value};
	};
	add(0, 4, odd_sequence);
	add(identity_offset_bytes, 4, identity_word(line));
	for (std::size_t i = 1; i < words.size(); i++)
		add(i * sizeof(std::uint64_t), 8, words[i]);
	add(0, 4, even_after(odd_sequence));
	return list;
}

LineStores stores_to_bury(const nw_flow_line &line, std::uint32_t odd_sequence, std::uint64_t now_ns)
{
	nw_flow_line dead = line;
	dead.protocol = NW_LINE_PROTOCOL_DEAD;
	dead.seen = 0;
	dead.last_seen_ticks = nw_tick_of(now_ns);
	LineStores list;
	list.store[0] = {0, 4, odd_sequence};
	list.store[1] = {identity_offset_bytes, 4, identity_word(dead)};
	list.store[2] = {judged_word * sizeof(std::uint64_t), 8, std::bit_cast<Words>(dead)[judged_word]};
	list.store[3] = {0, 4, even_after(odd_sequence)};
	list.count = 4;
	return list;
}

// Release for every store: a reader that sees one of the new words also sees the odd sequence before it, and
// one that sees the even sequence sees them all.
void apply(nw_flow_line &line, const LineStore &store)
{
	if (store.bytes == 4)
		word_at<std::uint32_t>(line, store.offset_bytes)
			.store(static_cast<std::uint32_t>(store.value), std::memory_order_release);
	else
		word_at<std::uint64_t>(line, store.offset_bytes)
			.store(store.value, std::memory_order_release);
}

FlowTable::FlowTable(std::span<nw_flow_line> lines, const nw_config &config, std::uint32_t random)
    : lines_(lines), config_(config), mask_(static_cast<std::uint32_t>(lines.size()) - 1),
      fresh_sequence_(random | 1)
{
}

std::optional<FlowTable::Found> FlowTable::find(const nw_tuple &tuple) const
{
	const std::uint32_t hash = nw_flow_hash(&tuple, config_.hash_seed);
	for (std::uint32_t i = 0; i < NW_FLOW_PROBE_LINES; i++) {
		const std::uint32_t index = (hash + i) & mask_;
		Found found{.index = index, .line = {}};
		const nw_read outcome = nw_read_sequenced(&lines_[index], &found.line, NW_LINE_WORDS);
		if (outcome == NW_READ_unused)
			return {};
		if (outcome == NW_READ_stable && nw_line_matches(&found.line, &tuple, &config_))
			return found;
	}
	return {};
}

std::optional<nw_flow_line> FlowTable::read(std::uint32_t index) const
{
	nw_flow_line line{};
	if (nw_read_sequenced(&lines_[index], &line, NW_LINE_WORDS + 1) != NW_READ_stable ||
	    line.protocol == NW_LINE_PROTOCOL_DEAD)
		return {};
	return line;
}

nw_tuple FlowTable::tuple_of(const nw_flow_line &line) const
{
	return nw_is_inbound(&line) ? nw_inbound_tuple(&line, &config_) : nw_outbound_tuple(&line);
}

std::optional<std::uint32_t> FlowTable::publish(const nw_flow_line &line, std::uint64_t now_ns)
{
	const nw_tuple tuple = tuple_of(line);
	const std::uint32_t hash = nw_flow_hash(&tuple, config_.hash_seed);
	for (std::uint32_t i = 0; i < NW_FLOW_PROBE_LINES; i++) {
		const std::uint32_t index = (hash + i) & mask_;
		auto sequence = word_at<std::uint32_t>(lines_[index], 0);
		std::uint32_t before = sequence.load(std::memory_order_acquire);
		if (!is_reusable(index, before, now_ns))
			continue;
		const std::uint32_t odd = before == 0 ? fresh_sequence_ : before + 1;
		if (!sequence.compare_exchange_strong(before, odd, std::memory_order_acq_rel))
			continue; // another worker claimed it
		if (before == 0)
			fresh_sequence_ += 2;
		write(index, stores_to_publish(line, odd));
		return index;
	}
	return {};
}

bool FlowTable::is_reusable(std::uint32_t index, std::uint32_t sequence, std::uint64_t now_ns) const
{
	if (sequence == 0)
		return true;
	nw_flow_line line{};
	return nw_read_sequenced(&lines_[index], &line, NW_LINE_WORDS) == NW_READ_stable &&
	       line.protocol == NW_LINE_PROTOCOL_DEAD &&
	       ticks_between(line.last_seen_ticks, nw_tick_of(now_ns)) > dead_rest_ticks;
}

void FlowTable::write(std::uint32_t index, const LineStores &stores)
{
	for (std::uint8_t i = 1; i < stores.count; i++) // the first store is the claim
		apply(lines_[index], stores.store[i]);
}

void FlowTable::bury(std::uint32_t index, std::uint64_t now_ns)
{
	nw_flow_line &line = lines_[index];
	auto sequence = word_at<std::uint32_t>(line, 0);
	const std::uint32_t odd = sequence.load(std::memory_order_relaxed) | 1;
	sequence.store(odd, std::memory_order_relaxed);
	Words words{};
	for (std::size_t i = 0; i < words.size(); i++)
		words[i] = word_at<std::uint64_t>(line, i * sizeof(std::uint64_t))
				   .load(std::memory_order_relaxed);
	write(index, stores_to_bury(std::bit_cast<nw_flow_line>(words), odd, now_ns));
}

// One 32-bit store, so no reader sees half of it, and either next hop is a right one: no sequence is needed.
void FlowTable::set_next_hop(std::uint32_t index, std::uint16_t next_hop)
{
	constexpr std::size_t offset_bytes = offsetof(nw_flow_line, external_port_be);
	auto word = word_at<std::uint32_t>(lines_[index], offset_bytes);
	word.store((word.load(std::memory_order_relaxed) & 0xffff) | std::uint32_t{next_hop} << 16,
		   std::memory_order_release);
}
static_assert(offsetof(nw_flow_line, next_hop) == offsetof(nw_flow_line, external_port_be) + 2);

bool FlowTable::is_dead(std::uint32_t index) const
{
	nw_flow_line line{};
	return nw_read_sequenced(&lines_[index], &line, NW_LINE_WORDS) == NW_READ_stable &&
	       line.protocol == NW_LINE_PROTOCOL_DEAD;
}

bool FlowTable::is_half_written(std::uint32_t index) const
{
	return word_at<std::uint32_t>(lines_[index], 0).load(std::memory_order_acquire) & 1;
}

std::optional<std::uint32_t> FlowTable::reclaim(std::uint32_t index, std::uint64_t now_ns)
{
	if (word_at<std::uint32_t>(lines_[(index + 1) & mask_], 0).load(std::memory_order_acquire) != 0)
		return {}; // the line behind it will take this one along
	for (int i = 0; i < reclaim_limit_lines; i++) {
		auto sequence = word_at<std::uint32_t>(lines_[index], 0);
		const std::uint32_t before = sequence.load(std::memory_order_acquire);
		if (before == 0 || !is_reusable(index, before, now_ns))
			return {};
		sequence.store(0, std::memory_order_release);
		index = (index - 1) & mask_;
	}
	return index;
}

} // namespace neuwerk::dataplane
