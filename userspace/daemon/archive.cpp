// tar.gz over libarchive, whose header is seen here only.
#include "daemon/archive.h"

#include "base/text.h"

#include <archive.h>
#include <archive_entry.h>

#include <memory>

namespace neuwerk::daemon {

namespace {

constexpr std::size_t block_bytes = 64 << 10;

struct FreeWriter {
	void operator()(archive *writer) const
	{
		archive_write_free(writer);
	}
};
struct FreeReader {
	void operator()(archive *reader) const
	{
		archive_read_free(reader);
	}
};
struct FreeEntry {
	void operator()(archive_entry *entry) const
	{
		archive_entry_free(entry);
	}
};

la_ssize_t append(archive *, void *out, const void *bytes, size_t count)
{
	static_cast<std::string *>(out)->append(static_cast<const char *>(bytes), count);
	return static_cast<la_ssize_t>(count);
}

Error failure(archive *handle, std::string_view what)
{
	const char *words = archive_error_string(handle);
	return {ErrorKind::internal, text("archive: ", what, ": ", words ? words : "no reason given")};
}

} // namespace

Result<std::string> tar_gz(const std::vector<ArchiveEntry> &entries, std::int64_t time_s)
{
	std::string out;
	const std::unique_ptr<archive, FreeWriter> writer(archive_write_new());
	archive *raw = writer.get();
	if (archive_write_set_format_pax_restricted(raw) != ARCHIVE_OK ||
	    archive_write_add_filter_gzip(raw) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(raw, 1) != ARCHIVE_OK ||
	    archive_write_open(raw, &out, nullptr, append, nullptr) != ARCHIVE_OK)
		return tl::unexpected(failure(raw, "begin"));
	for (const ArchiveEntry &entry : entries) {
		const std::unique_ptr<archive_entry, FreeEntry> head(archive_entry_new());
		archive_entry_set_pathname(head.get(), entry.path.c_str());
		archive_entry_set_size(head.get(), static_cast<la_int64_t>(entry.content.size()));
		archive_entry_set_filetype(head.get(), AE_IFREG);
		archive_entry_set_perm(head.get(), 0600);
		archive_entry_set_mtime(head.get(), time_s, 0);
		if (archive_write_header(raw, head.get()) != ARCHIVE_OK ||
		    archive_write_data(raw, entry.content.data(), entry.content.size()) !=
			    static_cast<la_ssize_t>(entry.content.size()))
			return tl::unexpected(failure(raw, entry.path));
	}
	if (archive_write_close(raw) != ARCHIVE_OK)
		return tl::unexpected(failure(raw, "end"));
	return out;
}

Result<std::vector<ArchiveEntry>> read_tar_gz(std::string_view bytes)
{
	const std::unique_ptr<archive, FreeReader> reader(archive_read_new());
	archive *raw = reader.get();
	archive_read_support_format_tar(raw);
	archive_read_support_filter_gzip(raw);
	if (archive_read_open_memory(raw, bytes.data(), bytes.size()) != ARCHIVE_OK)
		return fail(ErrorKind::corrupt, failure(raw, "not a tar.gz").what);
	std::vector<ArchiveEntry> entries;
	for (;;) {
		archive_entry *head = nullptr;
		const int step = archive_read_next_header(raw, &head);
		if (step == ARCHIVE_EOF)
			return entries;
		if (step != ARCHIVE_OK)
			return fail(ErrorKind::corrupt, failure(raw, "next entry").what);
		ArchiveEntry entry{archive_entry_pathname(head), {}};
		std::string block(block_bytes, '\0');
		la_ssize_t count = 0;
		while ((count = archive_read_data(raw, block.data(), block.size())) > 0)
			entry.content.append(block, 0, static_cast<std::size_t>(count));
		if (count < 0)
			return fail(ErrorKind::corrupt, failure(raw, entry.path).what);
		entries.push_back(std::move(entry));
	}
}

} // namespace neuwerk::daemon
