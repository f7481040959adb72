// The life of a connection, up to its responses.
#include "api/session.h"

#include "base/text.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace neuwerk::api {

using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

constexpr std::size_t small_body_bytes = 64 << 10;  // goes out with its header
constexpr std::size_t write_part_bytes = 256 << 10; // of a larger one, per deadline

} // namespace

Session::Session(Host &host, Loop &loop, std::unique_ptr<Transport> transport, bool is_local,
		 std::string peer)
    : host_(host), loop_(loop), transport_(std::move(transport)), is_local_(is_local), peer_(std::move(peer)),
      timer_(loop.context)
{
	host_.connection_count++;
}

Session::~Session()
{
	host_.connection_count--;
	if (host_.on_connection_end)
		host_.on_connection_end();
}

void Session::start()
{
	loop_.sessions.insert(shared_from_this());
	if (loop_.is_draining)
		return close();
	arm(host_.limits.header);
	transport_->handshake([self = shared_from_this()](error_code error, std::size_t) {
		if (error)
			self->close();
		else if (!self->is_closed_)
			self->begin();
	});
}

void Session::drain()
{
	if (phase_ == Phase::handshake || phase_ == Phase::idle || phase_ == Phase::head ||
	    phase_ == Phase::lingering)
		close();
	else if (phase_ == Phase::streaming)
		pump();
}

void Session::close()
{
	if (is_closed_)
		return;
	is_closed_ = true;
	if (waker_) {
		waker_->detach();
		waker_ = nullptr;
		response_.stream = nullptr;
		host_.stream_count--;
	}
	timer_.cancel();
	transport_->close();
	loop_.sessions.erase(shared_from_this());
}

void Session::begin()
{
	if (loop_.is_draining)
		return finish();
	reader_.emplace(host_.limits.header_bytes);
	decision_.reset();
	phase_ = Phase::idle;
	arm(host_.limits.idle);
	if (input_.empty())
		read(&Session::read_head);
	else
		read_head();
}

void Session::read(Step next)
{
	transport_->read_some(chunk_.data(), chunk_.size(),
			      [self = shared_from_this(), next](error_code error, std::size_t bytes) {
				      if (self->is_closed_ || self->phase_ == Phase::lingering)
					      return;
				      if (error || self->is_late_)
					      return self->on_read_error();
				      self->input_.append(self->chunk_.data(), bytes);
				      (self.get()->*next)();
			      });
}

void Session::on_read_error()
{
	if (!is_late_)
		return close();
	is_late_ = false;
	refuse({408, text("request ", phase_ == Phase::body ? "body" : "header", " not complete within ",
			  (phase_ == Phase::body ? host_.limits.body : host_.limits.header).count(), " ms")});
}

void Session::read_head()
{
	const RequestReader::Step step = reader_->read_head(input_);
	if (step == RequestReader::Step::failed)
		return refuse(reader_->failure());
	if (step == RequestReader::Step::ready)
		return on_head();
	if (phase_ == Phase::idle) { // from its first byte on, a header has a deadline of its own
		phase_ = Phase::head;
		arm(host_.limits.header);
	}
	read(&Session::read_head);
}

void Session::on_head()
{
	started_ = steady_clock::now();
	phase_ = Phase::handling;
	disarm();
	Head &head = reader_->head();
	head.is_local = is_local_;
	head.request.peer = peer_;
	match_ = host_.router.match(head);
	if (Router::is_quick(match_)) {
		decision_ = host_.router.decide(match_, head);
		return on_decision();
	}
	host_.workers.post([self = shared_from_this()]() mutable {
		self->decide_on_worker();
		self = nullptr;
	});
}

// On a worker; the loop's thread leaves request and decision alone until it is called back.
void Session::decide_on_worker()
{
	decision_ = host_.router.decide(match_, reader_->head());
	if (!decision_->refusal && reader_->is_complete())
		handle_on_worker();
	else
		post_to_loop(&Session::on_decision);
}

void Session::on_decision()
{
	const bool is_refused = decision_->refusal.has_value();
	if (reader_->is_complete())
		return is_refused ? respond(std::move(*decision_->refusal), false) : handle();
	// The client waits for leave to send: it gets the refusal instead, and the body never comes.
	if (is_refused && reader_->expects_continue())
		return respond(std::move(*decision_->refusal), true);
	const bool is_wanted = !is_refused && decision_->route->reads != Reads::no_body;
	reader_->expect_body(decision_->body_limit_bytes, is_wanted);
	phase_ = Phase::body;
	arm(host_.limits.body);
	const bool is_too_large =
		reader_->content_length().value_or(0) > decision_->body_limit_bytes; // read_body says so
	if (!reader_->expects_continue() || !input_.empty() || is_too_large)
		return read_body();
	output_ = "HTTP/1.1 100 Continue\r\n\r\n";
	transport_->write(output_, [self = shared_from_this()](error_code error, std::size_t) {
		if (error)
			self->close();
		else if (!self->is_closed_)
			self->read_body();
	});
}

void Session::read_body()
{
	const RequestReader::Step step = reader_->read_body(input_);
	if (step == RequestReader::Step::more)
		return read(&Session::read_body);
	if (step == RequestReader::Step::ready) {
		phase_ = Phase::handling;
		disarm();
		return decision_->refusal ? respond(std::move(*decision_->refusal), false) : handle();
	}
	if (decision_->refusal)
		return respond(std::move(*decision_->refusal), true);
	refuse(reader_->failure());
}

void Session::handle()
{
	if (Router::is_quick(match_)) {
		response_ = Router::handle(*decision_, reader_->head().request);
		return on_handled();
	}
	host_.workers.post([self = shared_from_this()]() mutable {
		self->handle_on_worker();
		self = nullptr;
	});
}

void Session::handle_on_worker()
{
	response_ = Router::handle(*decision_, reader_->head().request);
	post_to_loop(&Session::on_handled);
}

void Session::on_handled()
{
	respond(std::move(response_), false);
}

void Session::refuse(const RequestReader::Failure &failure)
{
	respond(error_response(failure.status, failure.what), true);
}

void Session::respond(Response response, bool unread)
{
	if (is_closed_)
		return;
	response_ = std::move(response);
	const bool has_head = !reader_->head().request.path.empty();
	framing_.is_head = reader_->head().method_name == "HEAD";
	framing_.is_http10 = has_head && reader_->is_http10();
	framing_.path = reader_->head().request.path;
	is_unread_ = unread;
	if (response_.stream && !framing_.is_head)
		return start_stream();
	framing_.keep_alive = !unread && !loop_.is_draining && reader_->keep_alive();
	output_ = write_head(response_, framing_);
	response_.stream = nullptr;
	body_at_ = 0;
	if (!has_body(response_, framing_))
		response_.body.clear();
	if (response_.body.size() <= small_body_bytes) {
		output_ += response_.body;
		body_at_ = response_.body.size();
	}
	phase_ = Phase::writing;
	write_rest();
}

void Session::write_rest()
{
	arm(host_.limits.write);
	transport_->write(output_, [self = shared_from_this()](error_code error, std::size_t) {
		if (error)
			return self->close();
		if (self->is_closed_)
			return;
		if (self->body_at_ == self->response_.body.size())
			return self->on_written();
		self->output_ = self->response_.body.substr(self->body_at_, write_part_bytes);
		self->body_at_ += self->output_.size();
		self->write_rest();
	});
}

void Session::on_written()
{
	report(response_.status);
	response_ = {};
	output_.clear();
	if (framing_.keep_alive)
		begin();
	else
		finish();
}

void Session::report(int status)
{
	if (!host_.on_exchange)
		return;
	const bool is_request = decision_.has_value();
	const std::chrono::duration<double> took = steady_clock::now() - started_;
	const Head &head = reader_->head();
	// Anybody may invent methods; a metric must not grow with them.
	const std::string_view method = head.method ? std::string_view(head.method_name) : "OTHER";
	host_.on_exchange({method, is_request ? decision_->name : "malformed", status,
			   is_request ? took.count() : 0.0});
}

void Session::post_to_loop(Step step)
{
	boost::asio::post(loop_.context, [self = shared_from_this(), step] {
		if (!self->is_closed_)
			(self.get()->*step)();
	});
}

} // namespace neuwerk::api
