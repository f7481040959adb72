// One file of a PowerDisk.
#include "powerloss/file_content.h"

#include <algorithm>
#include <utility>

namespace neuwerk::powerloss {

namespace {

constexpr std::size_t sector_bytes = 512;

} // namespace

void FileContent::perform(std::string &content, const Pending &change)
{
	if (change.is_truncate) {
		content.resize(std::min<std::size_t>(content.size(), change.offset));
		return;
	}
	content.resize(std::max<std::size_t>(content.size(), change.offset + change.bytes.size()), '\0');
	std::copy(change.bytes.begin(), change.bytes.end(),
		  content.begin() + static_cast<std::ptrdiff_t>(change.offset));
}

void FileContent::write(std::uint64_t offset, std::string_view bytes)
{
	pending_.push_back({offset, std::string(bytes), false});
	perform(seen_, pending_.back());
}

void FileContent::truncate(std::uint64_t bytes)
{
	pending_.push_back({bytes, {}, true});
	perform(seen_, pending_.back());
}

void FileContent::sync()
{
	for (const Pending &change : pending_)
		perform(durable_, change);
	pending_.clear();
}

void FileContent::call_clean()
{
	pending_.clear();
}

void FileContent::replace(std::string content)
{
	pending_.clear();
	seen_ = content;
	durable_ = std::move(content);
}

// Some sectors of the write, in the middle of one perhaps, or only its effect on the length.
void FileContent::perform_torn(const Pending &change, properties::Random &random)
{
	if (change.is_truncate)
		return perform(durable_, change);
	const std::size_t size = change.bytes.size();
	std::size_t kept = random.below(size + 1);
	if (random.chance(50))
		kept -= kept % sector_bytes;
	if (random.chance(30)) { // sectors in any order
		for (std::size_t at = 0; at < size; at += sector_bytes)
			if (random.chance(50))
				perform(durable_,
					{change.offset + at, change.bytes.substr(at, sector_bytes), false});
		return;
	}
	if (random.chance(25)) // the length was in the journal of the file system, the bytes were not
		durable_.resize(std::max<std::size_t>(durable_.size(), change.offset + size), '\0');
	if (kept != 0)
		perform(durable_, {change.offset, change.bytes.substr(0, kept), false});
}

void FileContent::lose_unsynced(properties::Random &random)
{
	enum Survivors { none, first_ones, any, all };
	const auto survivors = random.pick({none, first_ones, first_ones, any, any, all});
	const std::size_t count = pending_.empty() ? 0 : random.below(pending_.size() + 1);
	std::size_t position = 0;
	for (const Pending &change : pending_) {
		const bool is_first = position < count;
		const bool is_border = position++ == count;
		if (survivors == all || (survivors == first_ones && is_first))
			perform(durable_, change);
		else if ((survivors == first_ones && is_border) || (survivors == any && random.chance(30)))
			perform_torn(change, random);
		else if (survivors == any && random.chance(50))
			perform(durable_, change);
	}
	pending_.clear();
	seen_ = durable_;
}

} // namespace neuwerk::powerloss
