// An errno of bpf(2) in an operator's words.
#pragma once

#include <cerrno>
#include <cstring>
#include <string>

namespace neuwerk::dataplane {

[[nodiscard]] inline std::string bpf_error(int error)
{
	if (error == EPERM || error == EACCES)
		return "not permitted: run as root, or with CAP_BPF, CAP_NET_ADMIN and CAP_SYS_ADMIN";
	return std::strerror(error);
}

} // namespace neuwerk::dataplane
