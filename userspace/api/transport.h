// A connection's bytes: TLS over TCP, or the local socket as it is. Asio and OpenSSL stay behind it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/ssl/context.hpp>

#include <functional>
#include <memory>
#include <string_view>

namespace neuwerk::api {

using TcpSocket = boost::asio::ip::tcp::socket;
using LocalSocket = boost::asio::local::stream_protocol::socket;
using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

// Used on the thread of the socket's io_context only. One read and one write may be under way at a time.
// `Done` is called later, never from within; bytes handed in live until then. A peer that is gone is an
// error, never a signal.
class Transport {
public:
	using Done = std::function<void(boost::system::error_code, std::size_t bytes)>;

	virtual ~Transport() = default;
	virtual void handshake(Done done) = 0;
	virtual void read_some(char *to, std::size_t limit_bytes, Done done) = 0;
	virtual void write(std::string_view bytes, Done done) = 0; // all of them
	// Says that nothing more comes: close_notify, then FIN.
	virtual void finish(Done done) = 0;
	// Reads below TLS, after finish(): bytes that nobody wants.
	virtual void discard_some(char *to, std::size_t limit_bytes, Done done) = 0;
	virtual void cancel() = 0; // what is under way ends with operation_aborted
	virtual void close() = 0;
};

[[nodiscard]] std::unique_ptr<Transport> tls_transport(TcpSocket socket, TlsContext context);
[[nodiscard]] std::unique_ptr<Transport> local_transport(LocalSocket socket);

} // namespace neuwerk::api
