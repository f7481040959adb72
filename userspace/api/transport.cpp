// The two transports over Asio.
#include "api/transport.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <utility>

namespace neuwerk::api {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

class TlsTransport final : public Transport {
public:
	TlsTransport(TcpSocket socket, TlsContext context)
	    : context_(std::move(context)), stream_(std::move(socket), *context_)
	{
	}
	void handshake(Done done) override
	{
		stream_.async_handshake(asio::ssl::stream_base::server,
					[done = std::move(done)](error_code error) { done(error, 0); });
	}
	void read_some(char *to, std::size_t limit_bytes, Done done) override
	{
		stream_.async_read_some(asio::buffer(to, limit_bytes), std::move(done));
	}
	void write(std::string_view bytes, Done done) override
	{
		asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()), std::move(done));
	}
	void finish(Done done) override
	{
		// Completes with the peer's close_notify, or with an error because data came instead.
		stream_.async_shutdown([this, done = std::move(done)](error_code) {
			error_code error;
			(void)stream_.lowest_layer().shutdown(TcpSocket::shutdown_send, error);
			done(error, 0);
		});
	}
	void discard_some(char *to, std::size_t limit_bytes, Done done) override
	{
		stream_.next_layer().async_read_some(asio::buffer(to, limit_bytes), std::move(done));
	}
	void cancel() override
	{
		error_code ignored;
		(void)stream_.lowest_layer().cancel(ignored);
	}
	void close() override
	{
		error_code ignored;
		(void)stream_.lowest_layer().close(ignored);
	}

private:
	TlsContext context_;
	asio::ssl::stream<TcpSocket> stream_;
};

class LocalTransport final : public Transport {
public:
	explicit LocalTransport(LocalSocket socket) : socket_(std::move(socket)) {}
	void handshake(Done done) override
	{
		asio::post(socket_.get_executor(), [done = std::move(done)] { done({}, 0); });
	}
	void read_some(char *to, std::size_t limit_bytes, Done done) override
	{
		socket_.async_read_some(asio::buffer(to, limit_bytes), std::move(done));
	}
	void write(std::string_view bytes, Done done) override
	{
		asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()), std::move(done));
	}
	void finish(Done done) override
	{
		error_code error;
		(void)socket_.shutdown(LocalSocket::shutdown_send, error);
		asio::post(socket_.get_executor(), [done = std::move(done), error] { done(error, 0); });
	}
	void discard_some(char *to, std::size_t limit_bytes, Done done) override
	{
		read_some(to, limit_bytes, std::move(done));
	}
	void cancel() override
	{
		error_code ignored;
		(void)socket_.cancel(ignored);
	}
	void close() override
	{
		error_code ignored;
		(void)socket_.close(ignored);
	}

private:
	LocalSocket socket_;
};

} // namespace

std::unique_ptr<Transport> tls_transport(TcpSocket socket, TlsContext context)
{
	return std::make_unique<TlsTransport>(std::move(socket), std::move(context));
}

std::unique_ptr<Transport> local_transport(LocalSocket socket)
{
	return std::make_unique<LocalTransport>(std::move(socket));
}

} // namespace neuwerk::api
