// Threat silences: what an operator does not want to hear of again, spec/http-api §5.10.
#pragma once

#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace neuwerk::api {

// The whole list is one record, written anew with each change.
inline constexpr std::size_t silences_limit_bytes = std::size_t{1} << 20;

struct Silence {
	std::string id;                            // UUID
	std::string kind;                          // exact, hostname_regex
	std::optional<std::string> indicator_type; // hostname, ip; none for hostname_regex
	std::string value;                         // normalised
	std::optional<std::string> reason;
	std::int64_t created_at_s; // Unix time
	std::string created_by;
};

// Reads and normalises the body of POST /threats/silences; id, time and author are left empty.
[[nodiscard]] Result<Silence> read_silence(std::string_view body);

// An entry of the list, as it is answered and stored.
[[nodiscard]] std::string json_of(const Silence &silence);

// `list`: {"items":[…]}, the record and the answer of GET alike; nullopt: none yet. `entry`: json_of().
// append fails with resource_exhausted when the list would exceed its limit, erase with not_found, both with
// corrupt when the record is not such a list.
[[nodiscard]] Result<std::string> append_silence(const std::optional<std::string> &list,
						 std::string_view entry);
[[nodiscard]] Result<std::string> erase_silence(const std::optional<std::string> &list, std::string_view id);

inline constexpr std::string_view no_silences = R"({"items":[]})";

} // namespace neuwerk::api
