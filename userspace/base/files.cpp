// The few file operations that durable state needs, over POSIX.
#include "base/files.h"

#include "base/fd.h"
#include "base/text.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <system_error>

namespace neuwerk {

Error system_error(std::string_view what, std::string_view object, int error_number)
{
	ErrorKind kind = ErrorKind::internal;
	if (error_number == ENOENT)
		kind = ErrorKind::not_found;
	if (error_number == EACCES || error_number == EPERM)
		kind = ErrorKind::forbidden;
	if (error_number == ENOSPC || error_number == EDQUOT)
		kind = ErrorKind::resource_exhausted;
	return {kind, text(what, ": ", object, ": ", std::generic_category().message(error_number))};
}

Result<std::string> SystemFiles::read(const std::string &path)
{
	const Fd file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
	if (!file)
		return tl::unexpected(system_error("open", path, errno));
	std::string content;
	std::array<char, 65536> chunk;
	for (;;) {
		const ssize_t count = ::read(file.get(), chunk.data(), chunk.size());
		if (count == 0)
			return content;
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return tl::unexpected(system_error("read", path, errno));
		content.append(chunk.data(), static_cast<std::size_t>(count));
	}
}

Result<> SystemFiles::write_synced(const std::string &path, std::string_view content)
{
	const Fd file(open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
	if (!file)
		return tl::unexpected(system_error("create", path, errno));
	while (!content.empty()) {
		const ssize_t count = write(file.get(), content.data(), content.size());
		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return tl::unexpected(system_error("write", path, errno));
		content.remove_prefix(static_cast<std::size_t>(count));
	}
	if (fsync(file.get()) != 0)
		return tl::unexpected(system_error("fsync", path, errno));
	return {};
}

Result<> SystemFiles::rename(const std::string &from, const std::string &to)
{
	if (::rename(from.c_str(), to.c_str()) != 0)
		return tl::unexpected(system_error("rename", text(from, " to ", to), errno));
	return {};
}

Result<> SystemFiles::remove(const std::string &path)
{
	if (unlink(path.c_str()) != 0 && errno != ENOENT)
		return tl::unexpected(system_error("remove", path, errno));
	return {};
}

Result<> SystemFiles::sync_directory(const std::string &path)
{
	const Fd directory(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	if (!directory)
		return tl::unexpected(system_error("open", path, errno));
	if (fsync(directory.get()) != 0)
		return tl::unexpected(system_error("fsync", path, errno));
	return {};
}

Result<> make_directories(const std::string &path)
{
	for (std::size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
		const std::string part = path.substr(0, end);
		if (mkdir(part.c_str(), 0755) != 0 && errno != EEXIST)
			return tl::unexpected(system_error("create directory", part, errno));
		if (end == std::string::npos)
			return {};
	}
}

} // namespace neuwerk
