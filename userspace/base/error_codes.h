// The one table that turns an error kind into an HTTP status, a gRPC code and an exit code of neuwerkctl.
//
// The gRPC numbers are those of google.rpc.Code; the exit codes are stable and documented in
// docs/reference/cli.md.
#pragma once

#include "base/result.h"

namespace neuwerk {

// clang-format off
//        kind                http  gRPC                       exit
#define NW_ERROR_KINDS(X)                                            \
	X(invalid_argument,   400,  3 /* INVALID_ARGUMENT */,   3)   \
	X(not_found,          404,  5 /* NOT_FOUND */,          4)   \
	X(conflict,           409, 10 /* ABORTED */,            5)   \
	X(unauthenticated,    401, 16 /* UNAUTHENTICATED */,    6)   \
	X(forbidden,          403,  7 /* PERMISSION_DENIED */,  7)   \
	X(unavailable,        503, 14 /* UNAVAILABLE */,        8)   \
	X(resource_exhausted, 507,  8 /* RESOURCE_EXHAUSTED */, 9)   \
	X(corrupt,            500, 15 /* DATA_LOSS */,         10)   \
	X(internal,           500, 13 /* INTERNAL */,          11)
// clang-format on

struct ErrorCodes {
	int http_status;
	int grpc_code;
	int exit_code;
};

[[nodiscard]] constexpr ErrorCodes codes_of(ErrorKind kind)
{
	switch (kind) {
#define NW_ERROR_CODES(name, http, grpc, exit)                                                               \
	case ErrorKind::name:                                                                                \
		return {http, grpc, exit};
		NW_ERROR_KINDS(NW_ERROR_CODES)
#undef NW_ERROR_CODES
	}
	return {500, 13, 11};
}

// A code that no kind has (a peer's library made it) is a bug somewhere: internal.
[[nodiscard]] constexpr ErrorKind kind_of_grpc_code(int code)
{
#define NW_ERROR_KIND(name, http, grpc, exit)                                                                \
	if (code == (grpc))                                                                                  \
		return ErrorKind::name;
	NW_ERROR_KINDS(NW_ERROR_KIND)
#undef NW_ERROR_KIND
	return ErrorKind::internal;
}

// What a client makes of an answer. 500 is internal, since no answer tells it from corrupt; a status that no
// kind has goes to its neighbour: too large (413) is resource_exhausted, "later" (429) and gateways (502,
// 504) are unavailable, other 4xx are the caller's.
[[nodiscard]] constexpr ErrorKind kind_of_http_status(int status)
{
	if (status == 413)
		return ErrorKind::resource_exhausted;
	if (status == 429 || status == 502 || status == 504)
		return ErrorKind::unavailable;
#define NW_ERROR_KIND(name, http, grpc, exit)                                                                \
	if (status == (http) && status != 500)                                                               \
		return ErrorKind::name;
	NW_ERROR_KINDS(NW_ERROR_KIND)
#undef NW_ERROR_KIND
	return status >= 400 && status < 500 ? ErrorKind::invalid_argument : ErrorKind::internal;
}

// How the programs of the house end. 64 and up as in sysexits.h.
enum ExitCode : int {
	exit_ok = 0,
	exit_failed = 1,   // started, then failed
	exit_usage = 2,    // wrong command line
	exit_running = 75, // another instance holds the lock
	exit_privilege = 77,
	exit_config = 78,
};

} // namespace neuwerk
