// The reader of requests over Beast's incremental parser; no socket, so that tests and fuzzing feed it bytes.
#include "api/request_reader.h"

#include "api/uri.h"
#include "base/text.h"

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>

namespace neuwerk::api {

namespace beast = boost::beast;
namespace http = beast::http;

namespace {

// A chunk's line with its extensions, or the trailer: what Beast holds back until it is whole.
constexpr std::size_t chunk_line_limit_bytes = 16 << 10;

RequestReader::Failure too_large(std::size_t limit_bytes)
{
	return {413, text("request body too large: the limit is ", limit_bytes, " bytes")};
}

std::optional<Method> method_of(http::verb verb)
{
	switch (verb) {
	case http::verb::get:
	case http::verb::head:
		return Method::get;
	case http::verb::put:
		return Method::put;
	case http::verb::post:
		return Method::post;
	case http::verb::patch:
		return Method::patch;
	case http::verb::delete_:
		return Method::erase;
	default:
		return std::nullopt;
	}
}

} // namespace

class RequestReader::Parser final : public http::basic_parser<true> {
public:
	explicit Parser(std::size_t header_limit_bytes)
	{
		header_limit(static_cast<std::uint32_t>(header_limit_bytes));
		body_limit(boost::none); // known after routing
	}

	Head head;
	bool keeps_body = false;
	bool expects_continue = false;
	bool is_http10 = false;
	// Set by a callback that refuses; the parser itself only knows codes.
	std::optional<Failure> failure;

private:
	static beast::error_code refused()
	{
		return http::make_error_code(http::error::bad_value);
	}
	void on_request_impl(http::verb verb, beast::string_view method, beast::string_view target,
			     int version, beast::error_code &error) override
	{
		const auto parts = split_target({target.data(), target.size()});
		head.method = method_of(verb);
		head.method_name = method;
		is_http10 = version == 10;
		if (!parts && verb != http::verb::connect) {
			failure = {400, "bad request: the target is neither a path nor a URL"};
			error = refused();
			return;
		}
		head.request.method = head.method.value_or(Method::get);
		head.request.path = parts ? parts->path : "*";
		head.request.query = parts ? parts->query : "";
	}
	void on_field_impl(http::field, beast::string_view name, beast::string_view value,
			   beast::error_code &) override
	{
		if (!is_header_complete_) // a trailer is not worth believing (RFC 9110 §6.5.1)
			head.request.headers.emplace_back(name, value);
	}
	void on_header_impl(beast::error_code &error) override
	{
		is_header_complete_ = true;
		std::size_t hosts = 0;
		for (const auto &[name, value] : head.request.headers) {
			if (equal_names(name, "host"))
				hosts++;
			if (equal_names(name, "transfer-encoding") &&
			    (!equal_names(value, "chunked") || is_http10))
				failure = {501, "transfer encoding not supported: only chunked of HTTP/1.1"};
			if (equal_names(name, "expect") && !is_http10) {
				expects_continue = equal_names(value, "100-continue");
				if (!expects_continue)
					failure = {417, "expectation not supported: only 100-continue"};
			}
		}
		if (hosts > 1 || (hosts == 0 && !is_http10)) // RFC 9112 §3.2
			failure = {400, "bad request: exactly one Host header is needed"};
		if (failure)
			error = refused();
	}
	void on_body_init_impl(boost::optional<std::uint64_t> const &, beast::error_code &) override {}
	std::size_t on_body_impl(beast::string_view bytes, beast::error_code &) override
	{
		return take(bytes);
	}
	void on_chunk_header_impl(std::uint64_t, beast::string_view, beast::error_code &) override {}
	std::size_t on_chunk_body_impl(std::uint64_t, beast::string_view bytes, beast::error_code &) override
	{
		return take(bytes);
	}
	void on_finish_impl(beast::error_code &) override {}
	void on_response_impl(int, beast::string_view, int, beast::error_code &) override {}

	std::size_t take(beast::string_view bytes)
	{
		if (keeps_body)
			head.request.body.append(bytes.data(), bytes.size());
		return bytes.size();
	}

	bool is_header_complete_ = false;
};

RequestReader::RequestReader(std::size_t header_limit_bytes)
    : parser_(std::make_unique<Parser>(header_limit_bytes)), header_limit_bytes_(header_limit_bytes)
{
}

RequestReader::~RequestReader() = default;

// One call of the parser after the other until it wants more or is where it shall be.
RequestReader::Step RequestReader::read(std::string &input)
{
	beast::error_code error;
	std::size_t used = 0;
	const bool is_head = !parser_->is_header_done();
	while (!error && used < input.size() && !parser_->is_done()) {
		used += parser_->put(boost::asio::const_buffer(input.data() + used, input.size() - used),
				     error);
		if (is_head && parser_->is_header_done())
			break;
	}
	input.erase(0, used);
	if (is_head)
		header_bytes_ += used;
	// Beast limits what it holds back, not the sum of many fields that come one by one.
	const bool is_header_too_large =
		error == http::error::header_limit || header_bytes_ > header_limit_bytes_ ||
		(is_head && header_bytes_ + input.size() > header_limit_bytes_ && !parser_->is_header_done());
	if (is_header_too_large) {
		failure_ = {431, text("request header too large: more than ", header_limit_bytes_, " bytes")};
		return Step::failed;
	}
	if (error == http::error::body_limit) {
		failure_ = too_large(body_limit_bytes_);
		return Step::failed;
	}
	if (error && error != http::error::need_more) {
		failure_ = parser_->failure.value_or(Failure{400, text("bad request: ", error.message())});
		return Step::failed;
	}
	if (!is_head && !parser_->is_done() && input.size() > chunk_line_limit_bytes) {
		failure_ = {400, text("bad request: more than ", chunk_line_limit_bytes,
				      " bytes before the end of a chunk's line or of the trailer")};
		return Step::failed;
	}
	const bool is_ready = is_head ? parser_->is_header_done() : parser_->is_done();
	return is_ready ? Step::ready : Step::more;
}

RequestReader::Step RequestReader::read_head(std::string &input)
{
	// A line break before a request is not part of it (RFC 9112 §2.2): old clients end a body with one.
	if (header_bytes_ == 0 && input == "\r")
		return Step::more;
	if (header_bytes_ == 0 && input.starts_with("\r\n"))
		input.erase(0, 2);
	return read(input);
}

Head &RequestReader::head()
{
	return parser_->head;
}

bool RequestReader::is_complete() const
{
	return parser_->is_done();
}

bool RequestReader::keep_alive() const
{
	return parser_->is_header_done() && parser_->keep_alive();
}

bool RequestReader::is_http10() const
{
	return parser_->is_http10;
}

bool RequestReader::expects_continue() const
{
	return parser_->expects_continue;
}

std::optional<std::uint64_t> RequestReader::content_length() const
{
	const auto length = parser_->content_length();
	return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

void RequestReader::expect_body(std::size_t limit_bytes, bool keep)
{
	parser_->body_limit(limit_bytes);
	parser_->keeps_body = keep;
	body_limit_bytes_ = limit_bytes;
	if (content_length().value_or(0) > limit_bytes)
		failure_ = too_large(limit_bytes);
}

RequestReader::Step RequestReader::read_body(std::string &input)
{
	if (failure_.status != 0)
		return Step::failed;
	return parser_->is_done() ? Step::ready : read(input);
}

const RequestReader::Failure &RequestReader::failure() const
{
	return failure_;
}

} // namespace neuwerk::api
