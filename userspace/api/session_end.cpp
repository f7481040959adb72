// The part of a session that ends things: deadlines, and a connection's last moments.
#include "api/session.h"

#include <utility>

namespace neuwerk::api {

using boost::system::error_code;
using std::chrono::steady_clock;

// Without this, a client that still sends its body would lose the response to a reset (spec §2.2).
void Session::finish()
{
	phase_ = Phase::lingering;
	lingered_bytes_ = 0;
	if (loop_.is_draining && !is_unread_)
		return close();
	arm(host_.limits.linger);
	transport_->finish([self = shared_from_this()](error_code error, std::size_t) {
		if (error)
			self->close();
		else if (!self->is_closed_)
			self->linger();
	});
}

void Session::linger()
{
	transport_->discard_some(chunk_.data(), chunk_.size(),
				 [self = shared_from_this()](error_code error, std::size_t bytes) {
					 self->lingered_bytes_ += bytes;
					 if (error || self->lingered_bytes_ > self->host_.limits.linger_bytes)
						 self->close();
					 else if (!self->is_closed_)
						 self->linger();
				 });
}

// A deadline that moves later costs nothing: the timer looks again when it fires.
void Session::arm(std::chrono::milliseconds after)
{
	deadline_ = steady_clock::now() + after;
	if (deadline_ < waiting_until_)
		wait();
}

void Session::disarm()
{
	deadline_ = steady_clock::time_point::max();
}

void Session::wait()
{
	waiting_until_ = deadline_;
	timer_.expires_at(deadline_); // cancels the wait before it
	timer_.async_wait([self = shared_from_this()](error_code error) {
		if (error || self->is_closed_)
			return;
		self->waiting_until_ = steady_clock::time_point::max();
		if (self->deadline_ == steady_clock::time_point::max())
			return;
		if (steady_clock::now() < self->deadline_)
			self->wait();
		else
			self->on_deadline();
	});
}

void Session::on_deadline()
{
	switch (phase_) {
	case Phase::head:
	case Phase::body:
		is_late_ = true;
		transport_->cancel(); // the read ends, and the answer is 408
		return;
	case Phase::idle:
		finish();
		return;
	case Phase::streaming:
		if (is_writing_)
			return close();
		return write_stream(": keep-alive\n\n", &Session::pump);
	case Phase::handshake:
	case Phase::handling:
	case Phase::writing:
	case Phase::lingering:
		close();
	}
}

} // namespace neuwerk::api
