// The applied policy document on disk, replaced as a whole or not at all.
#include "daemon/policy_store.h"

#include "base/text.h"

#include <utility>

namespace neuwerk::daemon {

PolicyStore::PolicyStore(Files &files, std::string directory)
    : files_(files), directory_(std::move(directory)), path_(directory_ + "/policy.json")
{
}

Result<std::optional<std::string>> PolicyStore::load()
{
	auto content = files_.read(path_);
	if (!content && content.error().kind != ErrorKind::not_found)
		return tl::unexpected(content.error());
	current_ = content ? std::optional(std::move(*content)) : std::nullopt;
	return current_;
}

Result<> PolicyStore::write(std::string_view document)
{
	const std::string staged = path_ + ".new";
	if (auto written = files_.write_synced(staged, document); !written) {
		// The staged file is in nobody's way: the next write truncates it.
		(void)files_.remove(staged);
		return written;
	}
	if (auto renamed = files_.rename(staged, path_); !renamed)
		return renamed;
	return files_.sync_directory(directory_);
}

Result<> PolicyStore::replace(std::string_view document)
{
	previous_ = std::exchange(current_, std::string(document));
	const auto written = write(document);
	if (written)
		return {};
	// A failed rename changed nothing, a failed directory sync may have: both end with the old document.
	if (const auto restored = restore(); !restored)
		return fail(ErrorKind::internal,
			    text(written.error().what,
				 "; and the previous policy could not be put back: ", restored.error().what));
	return written;
}

Result<> PolicyStore::restore()
{
	current_ = previous_;
	const auto stored = files_.read(path_);
	const bool unchanged =
		stored ? current_ == *stored : !current_ && stored.error().kind == ErrorKind::not_found;
	if (unchanged)
		return {};
	if (current_)
		return write(*current_);
	if (auto removed = files_.remove(path_); !removed)
		return removed;
	return files_.sync_directory(directory_);
}

} // namespace neuwerk::daemon
