// zstd for large values: the only user of its header.
#pragma once

#include "base/result.h"

#include <optional>
#include <string>
#include <string_view>

namespace neuwerk::state {

// nullopt: it would not become smaller.
[[nodiscard]] std::optional<std::string> compress(std::string_view value);

// Fails with corrupt when the bytes are damaged or do not give exactly `unpacked_bytes`.
[[nodiscard]] Result<std::string> uncompress(std::string_view packed, std::size_t unpacked_bytes);

} // namespace neuwerk::state
