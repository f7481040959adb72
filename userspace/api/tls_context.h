// The server's side of TLS: versions, ALPN and the certificate (spec/http-api §1.1).
#pragma once

#include "api/transport.h"
#include "base/result.h"

#include <string>

namespace neuwerk::api {

// TLS 1.2 and 1.3, http/1.1 by ALPN, no renegotiation. Fails with "http certificate: <path>: <reason>".
[[nodiscard]] Result<TlsContext> make_tls_context(const std::string &certificate_path,
						  const std::string &key_path);

} // namespace neuwerk::api
