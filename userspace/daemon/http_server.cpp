// A small HTTP/1.1 server over Boost.Beast; the only file of this room that knows it.
#include "daemon/http_server.h"

#include "base/text.h"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

namespace neuwerk::daemon {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;

namespace {

constexpr std::uint32_t header_limit_bytes = 16u << 10;
constexpr std::uint64_t body_limit_bytes = 64u << 10; // nothing here reads a body

using Reply = http::response<http::string_body>;

Reply answer(const http::request<http::string_body> &request, const HttpServer::Handler &handler)
{
	HttpReply found;
	if (request.method() != http::verb::get && request.method() != http::verb::head)
		found = {405, "application/json", R"({"error":"only GET and HEAD"})"};
	else
		found = handler(std::string(request.target().substr(0, request.target().find('?'))));
	Reply reply(static_cast<http::status>(found.status), request.version());
	reply.set(http::field::content_type, found.content_type);
	reply.set(http::field::cache_control, "no-store");
	if (found.status == 405)
		reply.set(http::field::allow, "GET, HEAD");
	reply.keep_alive(request.keep_alive());
	reply.content_length(found.body.size());
	if (request.method() != http::verb::head)
		reply.body() = std::move(found.body);
	return reply;
}

// One connection: read, answer, and again. Lives as long as an operation holds it.
class Session : public std::enable_shared_from_this<Session> {
public:
	Session(tcp::socket socket, const HttpServer::Handler &handler, std::size_t &count)
	    : stream_(std::move(socket)), handler_(handler), count_(count)
	{
		count_++;
	}
	~Session()
	{
		count_--;
	}
	void read()
	{
		parser_.emplace();
		parser_->header_limit(header_limit_bytes);
		parser_->body_limit(body_limit_bytes);
		stream_.expires_after(std::chrono::seconds(HttpServer::idle_timeout_s));
		http::async_read(stream_, buffer_, *parser_,
				 [self = shared_from_this()](beast::error_code error, std::size_t) {
					 if (!error)
						 self->write();
				 });
	}

private:
	void write()
	{
		reply_ = answer(parser_->get(), handler_);
		http::async_write(stream_, reply_,
				  [self = shared_from_this()](beast::error_code error, std::size_t) {
					  if (!error && self->reply_.keep_alive())
						  self->read();
				  });
	}

	beast::tcp_stream stream_;
	beast::flat_buffer buffer_;
	std::optional<http::request_parser<http::string_body>> parser_;
	Reply reply_;
	const HttpServer::Handler &handler_;
	std::size_t &count_;
};

} // namespace

struct HttpServer::State {
	Handler handler;
	std::size_t connections = 0; // outlives the context, whose sessions count themselves down
	asio::io_context context{1};
	tcp::acceptor acceptor{context};
	std::thread thread;

	void accept()
	{
		acceptor.async_accept([this](beast::error_code error, tcp::socket socket) {
			if (error == asio::error::operation_aborted)
				return;
			if (!error && connections < connection_limit_count)
				std::make_shared<Session>(std::move(socket), handler, connections)->read();
			accept();
		});
	}
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::HttpServer(HttpServer &&) noexcept = default;

Result<HttpServer> HttpServer::start(Endpoint endpoint, Handler handler)
{
	auto state = std::make_unique<State>();
	state->handler = std::move(handler);
	const tcp::endpoint local(asio::ip::address_v4(endpoint.address), endpoint.port);
	beast::error_code error;
	(void)state->acceptor.open(local.protocol(), error);
	if (!error)
		(void)state->acceptor.set_option(asio::socket_base::reuse_address(true), error);
	if (!error)
		(void)state->acceptor.bind(local, error);
	if (!error)
		(void)state->acceptor.listen(asio::socket_base::max_listen_connections, error);
	if (error)
		return fail(ErrorKind::unavailable,
			    text("metrics bind ", format_endpoint(endpoint), ": ", error.message()));
	state->accept();
	state->thread = std::thread([raw = state.get()] { raw->context.run(); });
	return HttpServer(std::move(state));
}

std::uint16_t HttpServer::port() const
{
	return state_->acceptor.local_endpoint().port();
}

HttpServer::~HttpServer()
{
	if (!state_)
		return;
	state_->context.stop();
	state_->thread.join();
}

} // namespace neuwerk::daemon
