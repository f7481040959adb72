// A bounded ring of events from the packet thread to one reader. Neither side ever waits for the other.
#pragma once

#include "abi/event.h"
#include "dataplane/flows/tracker.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

namespace neuwerk::dataplane {

// An event on its way to subscribers.
struct QueuedEvent {
	nw_event event;
	FlowTraffic traffic;
};

class EventRing {
public:
	static constexpr std::uint64_t capacity = 8192;

	// Packet thread. False: the ring is full and the event is lost (counted).
	bool push(const QueuedEvent &event)
	{
		const std::uint64_t head = head_.load(std::memory_order_relaxed);
		if (head - tail_.load(std::memory_order_acquire) == capacity) {
			lost_.fetch_add(1, std::memory_order_relaxed);
			return false;
		}
		(*events_)[head % capacity] = event;
		head_.store(head + 1, std::memory_order_release);
		return true;
	}

	// Reader.
	std::optional<QueuedEvent> pop()
	{
		const std::uint64_t tail = tail_.load(std::memory_order_relaxed);
		if (tail == head_.load(std::memory_order_acquire))
			return {};
		const QueuedEvent event = (*events_)[tail % capacity];
		tail_.store(tail + 1, std::memory_order_release);
		return event;
	}

	// From any thread.
	[[nodiscard]] std::uint64_t lost() const
	{
		return lost_.load(std::memory_order_relaxed);
	}

private:
	std::unique_ptr<std::array<QueuedEvent, capacity>> events_ =
		std::make_unique<std::array<QueuedEvent, capacity>>();
	alignas(64) std::atomic<std::uint64_t> head_ = 0;
	alignas(64) std::atomic<std::uint64_t> tail_ = 0;
	alignas(64) std::atomic<std::uint64_t> lost_ = 0;
};

} // namespace neuwerk::dataplane
