// CRC-32C (Castagnoli, RFC 3720 appendix B.4): finds damage in stored bytes, is no protection against intent.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>

namespace neuwerk {

// Of all parts, one after the other, each preceded by its length: ("ab", "c") differs from ("a", "bc").
[[nodiscard]] std::uint32_t crc32c_of_parts(std::initializer_list<std::string_view> parts,
					    std::initializer_list<std::uint64_t> numbers);

// Of the bytes alone.
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

} // namespace neuwerk
