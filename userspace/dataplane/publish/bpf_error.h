// An errno of bpf(2) in an operator's words.
#pragma once

#include "base/result.h"

#include <cerrno>
#include <cstring>
#include <string>

namespace neuwerk::dataplane {

[[nodiscard]] inline bool is_privilege_missing(int error)
{
	return error == EPERM || error == EACCES;
}

[[nodiscard]] inline ErrorKind bpf_error_kind(int error)
{
	return is_privilege_missing(error) ? ErrorKind::forbidden : ErrorKind::unavailable;
}

[[nodiscard]] inline std::string bpf_error(int error)
{
	if (is_privilege_missing(error))
		return "not permitted: run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_SYS_ADMIN";
	return std::strerror(error);
}

} // namespace neuwerk::dataplane
