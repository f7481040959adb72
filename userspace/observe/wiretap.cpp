// Flow reports as JSON of spec/http-api §7, and the feeds that they wait in.
#include "observe/wiretap.h"

#include "base/address.h"
#include "base/text.h"

#include <boost/json.hpp>

#include <algorithm>

namespace neuwerk::observe {

namespace {

struct Facts {
	std::string source, destination, protocol;
	std::uint32_t source_port, destination_port;
	std::uint64_t packets_out, packets_in;
	std::int64_t last_seen_s;
	std::string reason; // empty: the flow goes on
};

std::string flow_id(const Facts &facts, std::uint8_t protocol)
{
	return text(facts.source, ':', facts.source_port, '-', facts.destination, ':', facts.destination_port,
		    '-', protocol);
}

Facts facts_of(const v1::Event &event, std::int64_t now_ms)
{
	return {.source = event.source_address(),
		.destination = event.destination_address(),
		.protocol = event.protocol(),
		.source_port = event.source_port(),
		.destination_port = event.destination_port(),
		.packets_out = event.packets_out(),
		.packets_in = event.packets_in(),
		.last_seen_s = now_ms / 1000,
		.reason = event.reason()};
}

Facts facts_of(const v1::Flow &flow, std::int64_t now_ms)
{
	return {.source = flow.inside_address(),
		.destination = flow.remote_address(),
		.protocol = flow.protocol(),
		.source_port = flow.inside_port(),
		.destination_port = flow.protocol() == "icmp" ? 0 : flow.remote_port(),
		.packets_out = flow.packets_out(),
		.packets_in = flow.packets_in(),
		.last_seen_s = now_ms / 1000 - flow.idle_seconds(),
		.reason = ""};
}

std::uint8_t protocol_of(const Facts &facts)
{
	return parse_protocol(facts.protocol).value_or(0);
}

FlowReport report_of(const Facts &facts, const std::string &node_id)
{
	const std::uint8_t protocol = protocol_of(facts);
	boost::json::object payload{{"flow_id", flow_id(facts, protocol)},
				    {"src_ip", facts.source},
				    {"dst_ip", facts.destination},
				    {"src_port", facts.source_port},
				    {"dst_port", facts.destination_port},
				    {"proto", protocol},
				    {"packets_in", facts.packets_in},
				    {"packets_out", facts.packets_out},
				    {"last_seen", facts.last_seen_s},
				    {"hostname", nullptr}, // until names land
				    {"node_id", node_id}};
	if (!facts.reason.empty())
		payload["reason"] = facts.reason;
	return {.ended = !facts.reason.empty(),
		.json = boost::json::serialize(payload),
		.source = parse_ipv4(facts.source).value_or(0),
		.destination = parse_ipv4(facts.destination).value_or(0),
		.source_port = static_cast<std::uint16_t>(facts.source_port),
		.destination_port = static_cast<std::uint16_t>(facts.destination_port),
		.protocol = protocol,
		.hostname = {}};
}

} // namespace

class Wiretap::Feed final : public Observer::WiretapFeed {
public:
	std::optional<FlowReport> next() override
	{
		const std::scoped_lock lock(mutex_);
		if (queue_.empty())
			return std::nullopt;
		FlowReport report = std::move(queue_.front());
		queue_.pop_front();
		return report;
	}
	void on_ready(std::function<void()> wake) override
	{
		const std::scoped_lock lock(mutex_);
		wake_ = std::move(wake);
		if (wake_ && !queue_.empty())
			wake_();
	}
	void push(const FlowReport &report)
	{
		const std::scoped_lock lock(mutex_);
		if (queue_.size() == Observer::feed_limit_count)
			queue_.pop_front();
		queue_.push_back(report);
		if (wake_)
			wake_();
	}

private:
	std::mutex mutex_;
	std::deque<FlowReport> queue_;
	std::function<void()> wake_;
};

std::shared_ptr<Observer::WiretapFeed> Wiretap::tap()
{
	const std::scoped_lock lock(mutex_);
	auto feed = std::make_shared<Feed>();
	std::erase_if(feeds_, [](const auto &each) { return each.expired(); });
	if (feeds_.empty())
		known_.clear();
	feeds_.push_back(feed);
	return feed;
}

bool Wiretap::is_tapped() const
{
	const std::scoped_lock lock(mutex_);
	return std::ranges::any_of(feeds_, [](const auto &feed) { return !feed.expired(); });
}

void Wiretap::flow_started(const v1::Event &event, std::int64_t now_ms)
{
	if (!is_tapped())
		return;
	Facts facts = facts_of(event, now_ms);
	facts.packets_out = 1; // the one that began it
	const std::scoped_lock lock(mutex_);
	const std::string id = flow_id(facts, protocol_of(facts));
	if (known_.size() < Observer::tapped_limit_count)
		known_.insert_or_assign(id, Known{.packets = 1, .reported_ms = now_ms});
	publish(report_of(facts, node_id_));
}

void Wiretap::flow_ended(const v1::Event &event, std::int64_t now_ms)
{
	if (!is_tapped())
		return;
	Facts facts = facts_of(event, now_ms);
	if (facts.reason.empty())
		facts.reason = "none";
	const std::scoped_lock lock(mutex_);
	known_.erase(flow_id(facts, protocol_of(facts)));
	publish(report_of(facts, node_id_));
}

void Wiretap::flow_stands(const v1::Flow &flow, std::int64_t now_ms)
{
	const Facts facts = facts_of(flow, now_ms);
	const std::uint64_t packets = facts.packets_out + facts.packets_in;
	const std::scoped_lock lock(mutex_);
	const std::string id = flow_id(facts, protocol_of(facts));
	const auto known = known_.find(id);
	if (known == known_.end()) {
		if (known_.size() == Observer::tapped_limit_count)
			return; // without memory of it, there would be a report every time
		known_.emplace(id, Known{.packets = packets, .reported_ms = now_ms});
	} else if (known->second.packets == packets ||
		   now_ms - known->second.reported_ms < Observer::report_interval_ms) {
		return;
	} else {
		known->second = {.packets = packets, .reported_ms = now_ms};
	}
	publish(report_of(facts, node_id_));
}

void Wiretap::publish(const FlowReport &report)
{
	for (const auto &each : feeds_)
		if (const auto feed = each.lock())
			feed->push(report);
}

} // namespace neuwerk::observe
