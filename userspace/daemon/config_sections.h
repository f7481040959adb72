// The parts of config.yaml that more than one source file reads. Inside this room only.
#pragma once

#include "daemon/config.h"
#include "daemon/config_reader.h"

#include <string>

namespace neuwerk::daemon {

void read_dataplane(ConfigReader &dataplane, DataplaneConfig &out);

// Fails when `written` cannot be the name of a network interface.
[[nodiscard]] Result<> read_interface(const std::string &written, std::string &out);

[[nodiscard]] inline tl::unexpected<Error> refuse(std::string what)
{
	return fail(ErrorKind::invalid_argument, std::move(what));
}

} // namespace neuwerk::daemon
