// One SSL_CTX from two PEM files.
#include "api/tls_context.h"

#include "base/text.h"

#include <openssl/ssl.h>

#include <string_view>

namespace neuwerk::api {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// ALPN: http/1.1 where it is offered. A client that offers only others could not talk to us: RFC 7301 §3.2.
int choose_protocol(SSL *, const unsigned char **out, unsigned char *out_bytes, const unsigned char *in,
		    unsigned int in_bytes, void *)
{
	static constexpr std::string_view ours = "\x08http/1.1";
	unsigned char *chosen = nullptr;
	const int found = SSL_select_next_proto(&chosen, out_bytes,
						reinterpret_cast<const unsigned char *>(ours.data()),
						static_cast<unsigned int>(ours.size()), in, in_bytes);
	*out = chosen;
	return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL;
}

tl::unexpected<Error> refused(const std::string &path, const error_code &error)
{
	return fail(ErrorKind::invalid_argument, text("http certificate: ", path, ": ", error.message()));
}

} // namespace

Result<TlsContext> make_tls_context(const std::string &certificate_path, const std::string &key_path)
{
	auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
	SSL_CTX *raw = context->native_handle();
	SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
	SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	// Idle connections give their buffers back; sessions resume by ticket, not from a cache of ours.
	SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
	error_code error;
	(void)context->use_certificate_chain_file(certificate_path, error);
	if (error)
		return refused(certificate_path, error);
	(void)context->use_private_key_file(key_path, asio::ssl::context::pem, error);
	if (error)
		return refused(key_path, error);
	if (SSL_CTX_check_private_key(raw) != 1)
		return fail(ErrorKind::invalid_argument,
			    text("http certificate: ", key_path, ": not the key of ", certificate_path));
	return context;
}

} // namespace neuwerk::api
