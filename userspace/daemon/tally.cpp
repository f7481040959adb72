// Counting under one lock: requests and flows begin far less often than packets come.
#include "daemon/tally.h"

#include <algorithm>
#include <string_view>

namespace neuwerk::daemon {

namespace {

constexpr const char *other = "other";

// A client may invent methods.
constexpr std::string_view known_methods[] = {"GET", "HEAD", "PUT", "POST", "PATCH", "DELETE", "OPTIONS"};

constexpr std::string_view known_protocols[] = {"tcp", "udp", "icmp"};

template <std::size_t N>
std::string known_or_other(const std::string_view (&known)[N], std::string_view word)
{
	return std::ranges::find(known, word) == std::end(known) ? other : std::string(word);
}

} // namespace

void Tally::on_exchange(const api::Exchange &exchange)
{
	RequestLabels labels{std::string(exchange.route), known_or_other(known_methods, exchange.method),
			     exchange.status};
	const std::scoped_lock lock(mutex_);
	if (now_.requests.size() >= request_series_limit_count && !now_.requests.contains(labels))
		labels = {other, other, exchange.status / 100 * 100};
	Durations &durations = now_.requests[labels];
	durations.count++;
	durations.sum_s += exchange.seconds;
	for (std::size_t i = 0; i < duration_bounds_s.size(); i++)
		durations.at_most[i] += exchange.seconds <= duration_bounds_s[i];
}

void Tally::on_auth(const api::AuthOutcome &outcome)
{
	const std::scoped_lock lock(mutex_);
	now_.auths[{std::string(outcome.outcome), std::string(outcome.reason)}]++;
}

void Tally::on_event(const v1::Event &event)
{
	if (event.kind() == "flow_started") {
		Pair labels{known_or_other(known_protocols, event.protocol()), event.group_name()};
		const std::scoped_lock lock(mutex_);
		if (now_.flow_opens.size() >= flow_series_limit_count && !now_.flow_opens.contains(labels))
			labels.second = other;
		now_.flow_opens[labels]++;
	} else if (event.kind() == "flow_ended") {
		const std::scoped_lock lock(mutex_);
		now_.flow_closes[event.reason()]++;
	}
}

Tally::Snapshot Tally::snapshot() const
{
	const std::scoped_lock lock(mutex_);
	return now_;
}

} // namespace neuwerk::daemon
