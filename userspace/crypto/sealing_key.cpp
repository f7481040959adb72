// secret.key: the file that opens every sealed record of this node.
#include "crypto/crypto.h"

#include "base/files.h"
#include "base/log.h"
#include "base/text.h"

#include <sys/stat.h>

#include <cerrno>

namespace neuwerk::crypto {

namespace {

constexpr std::size_t secret_bytes = 32;
constexpr const char *local_kid = "local-v1";

Result<> refuse_readable_by_others(const std::string &path)
{
	struct stat found;
	if (stat(path.c_str(), &found) != 0)
		return tl::unexpected(system_error("stat", path, errno));
	if ((found.st_mode & 077) != 0)
		return fail(ErrorKind::forbidden,
			    text("secret key: ", path, ": others than its owner may read it: chmod 600"));
	return {};
}

Result<SealingKey> create_sealing_key(const std::string &path)
{
	SystemFiles files;
	const SealingKey made{local_kid, random_bytes(secret_bytes)};
	const std::string unfinished = path + ".new";
	const std::size_t slash = path.rfind('/');
	if (auto written = files.write_synced(unfinished, made.secret); !written)
		return tl::unexpected(std::move(written.error()));
	if (auto renamed = files.rename(unfinished, path); !renamed)
		return tl::unexpected(std::move(renamed.error()));
	auto synced = files.sync_directory(slash == std::string::npos ? "." : path.substr(0, slash + 1));
	if (!synced)
		return tl::unexpected(std::move(synced.error()));
	log::info(text("secret key: ", path, ": created; a backup of the records needs it too"));
	return made;
}

} // namespace

Result<SealingKey> load_or_create_sealing_key(const std::string &path)
{
	SystemFiles files;
	auto secret = files.read(path);
	if (!secret && secret.error().kind == ErrorKind::not_found)
		return create_sealing_key(path);
	if (!secret)
		return tl::unexpected(std::move(secret.error()));
	if (auto closed = refuse_readable_by_others(path); !closed)
		return tl::unexpected(std::move(closed.error()));
	if (secret->size() != secret_bytes)
		return fail(ErrorKind::corrupt,
			    text("secret key: ", path, ": ", secret->size(), " bytes, not ", secret_bytes,
				 ": restore it from a backup"));
	return SealingKey{local_kid, std::move(*secret)};
}

} // namespace neuwerk::crypto
