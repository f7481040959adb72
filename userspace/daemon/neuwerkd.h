// What the program neuwerkd does, as two functions for its main.
#pragma once

#include <string>

namespace neuwerk::daemon {

// Serves until SIGTERM or SIGINT. Returns an exit code (base/error_codes.h); a failed start writes one line.
[[nodiscard]] int run(const std::string &config_path);

// Detaches the programs, removes every pin and the SNAT address: packets flow as if we had never been here.
[[nodiscard]] int uninstall(const std::string &config_path);

} // namespace neuwerk::daemon
