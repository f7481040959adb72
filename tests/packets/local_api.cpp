// HTTP on neuwerkd's Unix socket over Boost.Beast.
#include "local_api.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <array>
#include <future>
#include <thread>
#include <utility>

namespace neuwerk::packets {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using Socket = asio::local::stream_protocol::socket;

namespace {

tl::unexpected<Error> unreachable(const std::string &socket, const beast::error_code &error)
{
	return fail(ErrorKind::unavailable, socket + ": " + error.message());
}

beast::error_code send(Socket &connection, const std::string &socket, const std::string &method,
		       const std::string &path, const std::string &body)
{
	beast::error_code error;
	(void)connection.connect(asio::local::stream_protocol::endpoint(socket), error);
	if (error)
		return error;
	http::request<http::string_body> request(http::string_to_verb(method), path, 11);
	request.set(http::field::host, "localhost");
	request.set(http::field::content_type, "application/yaml"); // JSON is YAML
	request.body() = body;
	request.prepare_payload();
	http::write(connection, request, error);
	return error;
}

} // namespace

Result<std::string> ask_neuwerkd(const std::string &socket, const std::string &method,
				 const std::string &path, const std::string &body)
{
	asio::io_context context;
	Socket connection(context);
	auto error = send(connection, socket, method, path, body);
	if (error)
		return unreachable(socket, error);
	beast::flat_buffer buffer;
	http::response_parser<http::string_body> parser;
	parser.body_limit(boost::none);
	http::read(connection, buffer, parser, error);
	if (error)
		return unreachable(socket, error);
	auto &response = parser.get();
	if (http::to_status_class(response.result()) != http::status_class::successful)
		return fail(ErrorKind::invalid_argument, response.body());
	return std::move(response.body());
}

struct EventFollower::State {
	asio::io_context context;
	Socket connection{context};
	std::function<void(const std::string &)> take;
	std::thread thread;
	std::string line; // that is not complete yet

	void on_bytes(const char *bytes, std::size_t count)
	{
		for (std::size_t i = 0; i < count; i++) {
			if (bytes[i] != '\n') {
				line += bytes[i];
				continue;
			}
			if (line.starts_with("data: "))
				take(line.substr(6));
			line.clear();
		}
	}

	// `first` is told when the first bytes came.
	void follow(std::promise<void> &first)
	{
		beast::flat_buffer buffer;
		http::response_parser<http::buffer_body> parser;
		parser.body_limit(boost::none);
		beast::error_code error;
		http::read_header(connection, buffer, parser, error);
		bool is_first = true;
		std::array<char, 4096> bytes;
		while (!error && !parser.is_done()) {
			parser.get().body() = {bytes.data(), bytes.size(), true};
			http::read_some(connection, buffer, parser, error);
			if (error == http::error::need_buffer)
				error = {};
			const std::size_t count = bytes.size() - parser.get().body().size;
			on_bytes(bytes.data(), count);
			if (is_first && count > 0)
				first.set_value();
			is_first &= count == 0;
		}
		if (is_first)
			first.set_value();
	}
};

EventFollower::EventFollower(std::unique_ptr<State> state) : state_(std::move(state)) {}
EventFollower::EventFollower(EventFollower &&) noexcept = default;
EventFollower &EventFollower::operator=(EventFollower &&) noexcept = default;

EventFollower::~EventFollower()
{
	if (!state_)
		return;
	beast::error_code ignored;
	(void)state_->connection.shutdown(Socket::shutdown_both, ignored); // ends the read
	state_->thread.join();
}

Result<EventFollower> EventFollower::start(const std::string &socket,
					   std::function<void(const std::string &json)> take)
{
	auto state = std::make_unique<State>();
	state->take = std::move(take);
	const auto error = send(state->connection, socket, "GET", "/api/v1/events", {});
	if (error)
		return unreachable(socket, error);
	auto first = std::make_shared<std::promise<void>>();
	auto subscribed = first->get_future();
	state->thread = std::thread([raw = state.get(), first] { raw->follow(*first); });
	subscribed.wait();
	return EventFollower(std::move(state));
}

} // namespace neuwerk::packets
