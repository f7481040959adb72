// Notes in one zeroed array, so that memory is used only where lines are.
#include "dataplane/flows/notes.h"

#include "path/line.h"

#include <new>

namespace neuwerk::dataplane {

namespace {

constexpr std::uint32_t no_partner = 0xffffffff;
constexpr std::uint64_t bytes_mask = (std::uint64_t{1} << NW_TRAFFIC_BYTES_BITS) - 1;

template <typename Word>
void release(Word &word, Word value)
{
	__atomic_store_n(&word, value, __ATOMIC_RELEASE);
}

} // namespace

FlowNotes::FlowNotes(std::uint32_t line_count)
    : notes_(static_cast<Note *>(std::calloc(line_count, sizeof(Note))))
{
	if (!notes_)
		throw std::bad_alloc(); // at start only
}

void FlowNotes::write(std::uint32_t index, const Note &note)
{
	Note &place = notes_[index];
	const std::uint32_t odd = place.sequence | 1;
	__atomic_store_n(&place.sequence, odd, __ATOMIC_RELAXED);
	release(place.partner, note.partner);
	release(place.packets, note.packets);
	release(place.bytes, note.bytes);
	release(place.harvested, note.harvested);
	release(place.sequence, odd + 1 == 0 ? 2 : odd + 1);
}

void FlowNotes::begin(std::uint32_t index, std::uint32_t partner)
{
	write(index, {.sequence = 0, .partner = partner, .packets = 0, .bytes = 0, .harvested = 0});
}

void FlowNotes::end(std::uint32_t index)
{
	begin(index, no_partner);
}

bool FlowNotes::has_begun(std::uint32_t index) const
{
	return nw_load(&notes_[index].sequence) != 0 && partner(index) != no_partner;
}

std::uint32_t FlowNotes::partner(std::uint32_t index) const
{
	return nw_load(&notes_[index].partner);
}

void FlowNotes::harvest(std::uint32_t index, std::uint64_t traffic)
{
	Note note = notes_[index];
	if (note.harvested == traffic)
		return;
	const std::uint64_t gained = traffic - note.harvested;
	note.packets += gained >> NW_TRAFFIC_BYTES_BITS;
	note.bytes += gained & bytes_mask;
	note.harvested = traffic;
	write(index, note);
}

FlowTotals FlowNotes::totals(std::uint32_t index, std::uint64_t traffic) const
{
	Note note{};
	if (nw_read_sequenced(&notes_[index], &note, sizeof(Note) / sizeof(nw_word)) != NW_READ_stable)
		note = {};
	const std::uint64_t gained = traffic - note.harvested;
	return {note.packets + (gained >> NW_TRAFFIC_BYTES_BITS), note.bytes + (gained & bytes_mask)};
}

} // namespace neuwerk::dataplane
