// The parts of config.yaml that more than one source file reads. Inside this room only.
#pragma once

#include "daemon/config.h"
#include "daemon/config_reader.h"

#include <string>

namespace neuwerk::daemon {

void read_dataplane(ConfigReader &dataplane, DataplaneConfig &out);

// http, metrics, api, storage: everything about who may talk to us and how much.
void read_doors(ConfigReader &top, Config &out);

// An absolute path without a trailing slash.
void read_path(ConfigReader &section, std::string_view key, std::string &out);

// Fails when `written` cannot be the name of a network interface.
[[nodiscard]] Result<> read_interface(const std::string &written, std::string &out);

[[nodiscard]] inline tl::unexpected<Error> refuse(std::string what)
{
	return fail(ErrorKind::invalid_argument, std::move(what));
}

} // namespace neuwerk::daemon
