// The next-hop array over a span of entries: pure bookkeeping; the kernel is behind an interface.
#include "dataplane/poller/next_hops.h"

#include "path/line.h"

#include <algorithm>
#include <cstring>

namespace neuwerk::dataplane {

namespace {

constexpr std::uint64_t idle_limit_ns = 300'000'000'000;
constexpr int tidy_entries = 256; // per call

Neighbour neighbour_of(const nw_next_hop &hop)
{
	return {hop.ifindex, hop.address_be};
}

std::uint32_t hash_of(Neighbour neighbour)
{
	const std::uint64_t key = std::uint64_t{neighbour.ifindex} << 32 | neighbour.address_be;
	return static_cast<std::uint32_t>(key * 0x9e3779b97f4a7c15ull >> 40); // multiplicative, Knuth 6.4
}

} // namespace

NextHopTable::NextHopTable(std::span<nw_next_hop> hops, const nw_config &config, Kernel &kernel)
    : hops_(hops), config_(config), kernel_(kernel), uses_(hops.size()), slots_(slot_count)
{
	free_.reserve(hops.size());
	for (std::uint8_t port = 0; port < config.port_count; port++) {
		std::memcpy(ports_[port].mac.data(), config.port[port].mac, sizeof(Mac));
		ports_[port].mtu_bytes = config.port[port].mtu_bytes;
	}
	adopt();
}

// A half-written entry keeps its name: it is written with the entry's first use, before a line can name it.
void NextHopTable::adopt()
{
	for (std::size_t i = hops_.size() - 1; i > 0; i--) {
		const auto index = static_cast<std::uint16_t>(i);
		nw_next_hop hop = hops_[index];
		const auto port = port_of(hop.ifindex);
		const bool is_known = hop.sequence != 0 && hop.address_be != 0 && port == hop.port &&
				      slots_[slot_of(neighbour_of(hop))] == 0;
		if (!is_known) {
			free_.push_back(index);
			continue;
		}
		if (hop.sequence & 1)
			hop.mtu_bytes = 0;
		set(index, hop);
		name(index);
	}
}

std::optional<std::uint8_t> NextHopTable::port_of(std::uint32_t ifindex) const
{
	for (std::uint8_t port = 0; port < config_.port_count; port++)
		if (config_.port[port].ifindex == ifindex && ifindex != 0)
			return port;
	return {};
}

std::uint16_t NextHopTable::resolve(__be32 address_be)
{
	Cached &cached = cache_[hash_of({0, address_be}) % cache_lines];
	if (cached.address_be == address_be && address_be != 0)
		return cached.index;
	const auto neighbour = kernel_.route(address_be);
	const std::uint16_t index = neighbour ? index_of(*neighbour) : 0;
	if (index != 0)
		cached = {address_be, index};
	return index;
}

std::uint16_t NextHopTable::index_of(Neighbour neighbour)
{
	const auto port = port_of(neighbour.ifindex);
	if (!port || neighbour.address_be == 0)
		return 0;
	if (const std::uint16_t known = slots_[slot_of(neighbour)])
		return known;
	if (free_.empty())
		return 0;
	const std::uint16_t index = free_.back();
	free_.pop_back();
	nw_next_hop hop{};
	hop.port = *port;
	hop.address_be = neighbour.address_be;
	hop.ifindex = neighbour.ifindex;
	std::memcpy(hop.source_mac, ports_[*port].mac.data(), sizeof(hop.source_mac));
	set(index, hop);
	name(index);
	kernel_.manage(neighbour);
	if (const auto mac = kernel_.known_mac(neighbour))
		on_neighbour(neighbour, mac);
	return index;
}

std::uint32_t NextHopTable::slot_of(Neighbour neighbour) const
{
	std::uint32_t slot = hash_of(neighbour) % slot_count;
	while (slots_[slot] != 0 && neighbour_of(hops_[slots_[slot]]) != neighbour)
		slot = (slot + 1) % slot_count;
	return slot;
}

void NextHopTable::name(std::uint16_t index)
{
	slots_[slot_of(neighbour_of(hops_[index]))] = index;
	uses_[index] = {.is_named = true};
	unresolved_ += hops_[index].mtu_bytes == 0;
}

// Knuth 6.4, algorithm R: entries behind the hole move up when the hole lies between their home and them.
void NextHopTable::unname(std::uint16_t index)
{
	std::uint32_t hole = slot_of(neighbour_of(hops_[index]));
	for (std::uint32_t slot = (hole + 1) % slot_count; slots_[slot] != 0;
	     slot = (slot + 1) % slot_count) {
		const std::uint32_t home = hash_of(neighbour_of(hops_[slots_[slot]])) % slot_count;
		if ((slot + slot_count - home) % slot_count >= (slot + slot_count - hole) % slot_count) {
			slots_[hole] = slots_[slot];
			hole = slot;
		}
	}
	slots_[hole] = 0;
	uses_[index] = {};
	unresolved_ -= hops_[index].mtu_bytes == 0;
}

bool NextHopTable::hold(std::uint16_t index)
{
	if (index == 0 || index >= uses_.size() || !uses_[index].is_named)
		return false;
	uses_[index].holders++;
	uses_[index].idle_since_ns = 0;
	return true;
}

void NextHopTable::release(std::uint16_t index)
{
	if (index < uses_.size() && uses_[index].holders > 0)
		uses_[index].holders--;
}

// Stores as in a flow line: odd, every word with release, even (path/line.h).
void NextHopTable::set(std::uint16_t index, const nw_next_hop &hop)
{
	nw_next_hop &place = hops_[index];
	if (uses_[index].is_named) {
		const bool was_usable = place.mtu_bytes != 0, is_usable = hop.mtu_bytes != 0;
		unresolved_ += was_usable && !is_usable;
		unresolved_ -= !was_usable && is_usable;
		resolved_count_ += !was_usable && is_usable;
	}

	const std::uint32_t odd = place.sequence | 1;
	__atomic_store_n(&place.sequence, odd, __ATOMIC_RELAXED);
	nw_next_hop next = hop;
	next.sequence = odd;
	const auto *from = reinterpret_cast<const nw_word *>(&next);
	auto *to = reinterpret_cast<nw_word *>(&place);
	for (int word = 0; word < NW_NEXT_HOP_WORDS; word++)
		__atomic_store_n(&to[word], from[word], __ATOMIC_RELEASE);
	__atomic_store_n(&place.sequence, odd + 1 == 0 ? 2 : odd + 1, __ATOMIC_RELEASE);
}

void NextHopTable::on_neighbour(Neighbour neighbour, std::optional<Mac> mac)
{
	const std::uint16_t index = slots_[slot_of(neighbour)];
	if (index == 0)
		return;
	uses_[index].was_reported = true;
	nw_next_hop hop = hops_[index];
	hop.mtu_bytes = mac && ports_[hop.port].is_up ? ports_[hop.port].mtu_bytes : 0;
	if (mac)
		std::memcpy(hop.destination_mac, mac->data(), mac->size());
	if (std::memcmp(&hop, &hops_[index], sizeof(hop)) != 0)
		set(index, hop);
}

void NextHopTable::on_link(std::uint32_t ifindex, std::uint16_t mtu_bytes, const Mac &mac, bool is_up)
{
	const auto port = port_of(ifindex);
	if (!port)
		return;
	const bool came_up = !ports_[*port].is_up && is_up;
	ports_[*port] = {.mac = mac,
			 .mtu_bytes = std::min<std::uint16_t>(mtu_bytes, NW_MTU_MAX_BYTES),
			 .is_up = is_up};
	for (std::size_t i = 1; i < uses_.size(); i++) {
		if (!uses_[i].is_named || hops_[i].port != *port)
			continue;
		nw_next_hop hop = hops_[i];
		std::memcpy(hop.source_mac, mac.data(), mac.size());
		if (!is_up)
			hop.mtu_bytes = 0;
		else if (hop.mtu_bytes != 0)
			hop.mtu_bytes = ports_[*port].mtu_bytes;
		if (std::memcmp(&hop, &hops_[i], sizeof(hop)) != 0)
			set(static_cast<std::uint16_t>(i), hop);
		if (came_up)
			kernel_.manage(neighbour_of(hop));
	}
	on_routes_changed();
}

void NextHopTable::on_routes_changed()
{
	route_epoch_++;
	cache_.fill({});
}

void NextHopTable::begin_sync()
{
	for (Use &use : uses_)
		use.was_reported = false;
}

void NextHopTable::end_sync()
{
	for (std::size_t i = 1; i < uses_.size(); i++) {
		if (!uses_[i].is_named)
			continue;
		nw_next_hop hop = hops_[i];
		if (!uses_[i].was_reported && hop.mtu_bytes != 0) {
			hop.mtu_bytes = 0;
			set(static_cast<std::uint16_t>(i), hop);
		}
		if (hop.mtu_bytes == 0)
			kernel_.manage(neighbour_of(hop));
	}
}

void NextHopTable::tidy(std::uint64_t now_ns)
{
	for (int i = 0; i < tidy_entries; i++) {
		hand_ = hand_ + 1 < uses_.size() ? hand_ + 1 : 1;
		Use &use = uses_[hand_];
		if (!use.is_named || use.holders != 0)
			continue;
		if (use.idle_since_ns == 0) {
			use.idle_since_ns = now_ns;
			continue;
		}
		if (now_ns - use.idle_since_ns < idle_limit_ns)
			continue;
		const auto index = static_cast<std::uint16_t>(hand_);
		kernel_.forget(neighbour_of(hops_[index]));
		unname(index);
		set(index, {});
		free_.insert(free_.begin(), index); // the longest unused index is used last
		on_routes_changed();                // the cache may name it
	}
}

} // namespace neuwerk::dataplane
