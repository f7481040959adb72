// The timing wheel as doubly linked rings inside one array.
#include "dataplane/flows/wheel.h"

#include <algorithm>
#include <new>

namespace neuwerk::dataplane {

// calloc, not a vector: the kernel hands out zeroed pages when they are first used, and zero means "not
// linked".
Wheel::Wheel(std::uint32_t entry_count, std::uint64_t now_ns)
    : links_(static_cast<Link *>(std::calloc(std::size_t{entry_count} + slot_count + 1, sizeof(Link)))),
      slot_(now_ns >> slot_shift)
{
	if (!links_)
		throw std::bad_alloc(); // at start only
	for (std::uint32_t head = 1; head <= slot_count; head++)
		links_[head] = {head, head};
}

void Wheel::unlink(std::uint32_t node)
{
	Link &link = links_[node];
	links_[link.previous].next = link.next;
	links_[link.next].previous = link.previous;
	link = {0, 0};
}

void Wheel::cancel(std::uint32_t entry)
{
	const std::uint32_t node = slot_count + 1 + entry;
	if (links_[node].next != 0)
		unlink(node);
}

void Wheel::schedule(std::uint32_t entry, std::uint64_t due_ns)
{
	cancel(entry);
	const std::uint64_t wanted = (due_ns + (std::uint64_t{1} << slot_shift) - 1) >> slot_shift;
	const std::uint32_t head = head_of(std::clamp(wanted, slot_, slot_ + slot_count - 1));
	const std::uint32_t node = slot_count + 1 + entry;
	const std::uint32_t last = links_[head].previous;
	links_[node] = {head, last};
	links_[last].next = node;
	links_[head].previous = node;
}

std::optional<std::uint32_t> Wheel::take(std::uint64_t now_ns)
{
	const std::uint64_t now_slot = now_ns >> slot_shift;
	if (now_slot > slot_ + slot_count)
		slot_ = now_slot - slot_count + 1; // one turn visits every list
	for (;; slot_++) {
		const std::uint32_t node = links_[head_of(slot_)].next;
		if (node > slot_count && slot_ <= now_slot) {
			unlink(node);
			return node - slot_count - 1;
		}
		if (slot_ >= now_slot)
			return {};
	}
}

std::optional<std::uint64_t> Wheel::next_due_ns() const
{
	for (std::uint64_t slot = slot_; slot < slot_ + slot_count; slot++)
		if (links_[head_of(slot)].next > slot_count)
			return slot << slot_shift;
	return {};
}

} // namespace neuwerk::dataplane
