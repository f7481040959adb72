// Server-sent events from the queues of the hub and of the wiretap.
#include "daemon/event_streams.h"

#include "base/text.h"
#include "proto/message_json.h"

#include <utility>

namespace neuwerk::daemon {

namespace {

// What one call hands over at most, so that a full queue does not become one large buffer.
constexpr std::size_t take_limit_bytes = std::size_t{256} << 10;

class EventStream final : public api::StreamSource {
public:
	explicit EventStream(EventHub &hub) : subscription_(hub) {}

	std::string take() override
	{
		std::string out = std::exchange(greeting_, {});
		while (out.size() < take_limit_bytes) {
			const auto event = subscription_.next();
			if (!event)
				break;
			out += text("data: ", v1::to_json(*event), "\n\n");
		}
		return out;
	}
	bool ended() const override
	{
		return greeting_.empty() && subscription_.ended();
	}
	void on_ready(std::function<void()> wake) override
	{
		subscription_.on_ready(std::move(wake));
	}

private:
	EventHub::Subscription subscription_;
	std::string greeting_ = ": subscribed\n\n";
};

class WiretapStream final : public api::StreamSource {
public:
	WiretapStream(EventHub &hub, std::shared_ptr<observe::Observer::WiretapFeed> feed,
		      api::WiretapFilter wanted)
	    : hub_(hub), feed_(std::move(feed)), wanted_(std::move(wanted))
	{
	}

	std::string take() override
	{
		std::string out = std::exchange(greeting_, {});
		while (out.size() < take_limit_bytes) {
			const auto report = feed_->next();
			if (!report)
				break;
			const api::WiretapFlow flow{.source = report->source,
						    .destination = report->destination,
						    .source_port = report->source_port,
						    .destination_port = report->destination_port,
						    .protocol = report->protocol,
						    .hostname = report->hostname};
			if (!wanted_ || wanted_(flow))
				out += text("event: ", report->ended ? "flow_end" : "flow",
					    "\ndata: ", report->json, "\n\n");
		}
		return out;
	}
	bool ended() const override
	{
		return hub_.closed();
	}
	void on_ready(std::function<void()> wake) override
	{
		feed_->on_ready(std::move(wake));
	}

private:
	EventHub &hub_;
	std::shared_ptr<observe::Observer::WiretapFeed> feed_;
	api::WiretapFilter wanted_;
	std::string greeting_ = ": subscribed\n\n";
};

} // namespace

std::shared_ptr<api::StreamSource> event_stream(EventHub &hub)
{
	return std::make_shared<EventStream>(hub);
}

std::shared_ptr<api::StreamSource>
wiretap_stream(EventHub &hub, std::shared_ptr<observe::Observer::WiretapFeed> feed, api::WiretapFilter wanted)
{
	return std::make_shared<WiretapStream>(hub, std::move(feed), std::move(wanted));
}

} // namespace neuwerk::daemon
