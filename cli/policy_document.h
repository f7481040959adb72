// A policy document on its way to the API.
#pragma once

#include "nouns.h"

#include <chrono>
#include <string>

namespace neuwerk::cli {

inline constexpr auto policy_patience = std::chrono::minutes(5); // 32 MiB compile that long at worst
inline const std::string policy_path = "/api/v1/policy";

[[nodiscard]] Option policy_file_argument();

// Sends the document of FILE as it stands, JSON or YAML; without FILE, nothing.
[[nodiscard]] Result<Answer> send_document(const Session &session, const char *method,
					   const std::string &path, Headers headers = {});

} // namespace neuwerk::cli
