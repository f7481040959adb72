// zstd for large values.
#include "state/compress.h"

#include "base/text.h"

#include <zstd.h>

namespace neuwerk::state {

namespace {

constexpr int level = 3; // zstd's own default: policies shrink to a tenth at 300 MB/s

} // namespace

std::optional<std::string> compress(std::string_view value)
{
	std::string packed(ZSTD_compressBound(value.size()), '\0');
	const std::size_t bytes =
		ZSTD_compress(packed.data(), packed.size(), value.data(), value.size(), level);
	if (ZSTD_isError(bytes) || bytes >= value.size())
		return std::nullopt;
	packed.resize(bytes);
	return packed;
}

Result<std::string> uncompress(std::string_view packed, std::size_t unpacked_bytes)
{
	std::string value(unpacked_bytes, '\0');
	const std::size_t bytes = ZSTD_decompress(value.data(), value.size(), packed.data(), packed.size());
	if (ZSTD_isError(bytes))
		return fail(ErrorKind::corrupt, text("zstd: ", ZSTD_getErrorName(bytes)));
	if (bytes != unpacked_bytes)
		return fail(ErrorKind::corrupt, text("zstd: ", bytes, " bytes instead of ", unpacked_bytes));
	return value;
}

} // namespace neuwerk::state
