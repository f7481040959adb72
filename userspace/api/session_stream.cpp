// The part of a session that writes a stream: as much as the peer takes, a comment when there is nothing.
#include "api/session.h"

#include "base/text.h"

#include <boost/asio/post.hpp>

#include <utility>

namespace neuwerk::api {

using boost::system::error_code;

void StreamWaker::wake()
{
	const std::lock_guard lock(mutex_);
	if (!loop_ || is_posted_)
		return;
	is_posted_ = true;
	boost::asio::post(loop_->context, [session = session_] {
		if (const auto self = session.lock())
			self->pump();
	});
}

void StreamWaker::detach()
{
	const std::lock_guard lock(mutex_);
	loop_ = nullptr;
}

void StreamWaker::rearm()
{
	const std::lock_guard lock(mutex_);
	is_posted_ = false;
}

void Session::start_stream()
{
	if (host_.stream_count++ >= host_.limits.stream_count) {
		host_.stream_count--;
		return respond(error_response(503, text("too many streams: at most ",
							host_.limits.stream_count, " at a time")),
			       false);
	}
	framing_.keep_alive = false;
	phase_ = Phase::streaming;
	waker_ = std::make_shared<StreamWaker>(loop_, weak_from_this());
	response_.stream->on_ready([waker = waker_] { waker->wake(); });
	report(response_.status);
	watch_peer();
	is_writing_ = true;
	output_ = write_head(response_, framing_);
	write_stream({}, &Session::pump);
}

// Nothing more is expected of the peer; its end is the stream's end.
void Session::watch_peer()
{
	transport_->read_some(chunk_.data(), chunk_.size(),
			      [self = shared_from_this()](error_code error, std::size_t) {
				      if (self->is_closed_ || self->phase_ != Phase::streaming)
					      return;
				      if (error)
					      self->close();
				      else
					      self->watch_peer();
			      });
}

void Session::pump()
{
	if (is_closed_ || is_writing_ || phase_ != Phase::streaming)
		return;
	waker_->rearm(); // before take(): what comes after it wakes again
	const bool is_last = response_.stream->ended() || loop_.is_draining;
	std::string bytes = response_.stream->take();
	if (!bytes.empty())
		return write_stream(std::move(bytes), &Session::pump);
	if (is_last)
		return end_stream();
	arm(host_.limits.stream_comment);
}

// What is in output_ already goes first. One write at a time: a peer that does not read makes the source
// drop.
void Session::write_stream(std::string bytes, Step next)
{
	if (!bytes.empty())
		output_ += write_chunk(bytes, framing_);
	is_writing_ = true;
	arm(host_.limits.write);
	transport_->write(output_, [self = shared_from_this(), next](error_code error, std::size_t) {
		self->is_writing_ = false;
		self->output_.clear();
		if (error)
			return self->close();
		if (!self->is_closed_)
			(self.get()->*next)();
	});
}

void Session::end_stream()
{
	output_ = last_chunk(framing_);
	waker_->detach();
	waker_ = nullptr;
	response_.stream = nullptr;
	host_.stream_count--;
	is_unread_ = false;
	phase_ = Phase::writing;
	transport_->cancel(); // watch_peer ends; what lingering reads is its own
	write_stream({}, &Session::finish);
}

} // namespace neuwerk::api
