// Flow reports to everybody who listens, at most one per flow and interval; nothing is kept while nobody
// does.
#pragma once

#include "observe/observe.h"

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

namespace neuwerk::observe {

// Safe from every thread.
class Wiretap {
public:
	explicit Wiretap(std::string node_id) : node_id_(std::move(node_id)) {}

	[[nodiscard]] std::shared_ptr<Observer::WiretapFeed> tap();
	[[nodiscard]] bool is_tapped() const;

	void flow_started(const v1::Event &event, std::int64_t now_ms);
	void flow_ended(const v1::Event &event, std::int64_t now_ms);
	void flow_stands(const v1::Flow &flow, std::int64_t now_ms);

private:
	class Feed;
	struct Known {
		std::uint64_t packets; // both directions, as last reported
		std::int64_t reported_ms;
	};
	void publish(const FlowReport &report);

	const std::string node_id_;
	mutable std::mutex mutex_;
	std::vector<std::weak_ptr<Feed>> feeds_;       // under mutex_
	std::unordered_map<std::string, Known> known_; // by flow id; under mutex_
};

} // namespace neuwerk::observe
