// The pinned maps as the poller uses them: memory that it shares with neuwerkd and XDP.
#pragma once

#include "abi/config.h"
#include "abi/event.h"
#include "abi/verdict.h"
#include "base/result.h"
#include "dataplane/flows/tracker.h"

#include <functional>
#include <memory>
#include <span>
#include <string>

namespace neuwerk::dataplane {

class Maps {
public:
	// `directory` is on a bpf file system. Fails with unavailable when neuwerkd has not made the maps
	// yet, with conflict when they are another version's.
	[[nodiscard]] static Result<Maps> open(const std::string &directory);

	[[nodiscard]] const DataplaneMemory &memory() const;
	[[nodiscard]] std::span<nw_next_hop> hops() const; // memory().hops, to write
	[[nodiscard]] std::span<nw_verdict_count> verdicts() const;

	// Events that XDP emitted, oldest first. The ring has this one reader.
	[[nodiscard]] Result<> watch_events(std::function<void(const nw_event &)> on_event);
	void read_events(); // what is there now; does not wait
	[[nodiscard]] int events_fd() const;

	Maps(Maps &&) noexcept;
	~Maps();

private:
	struct State;
	explicit Maps(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

} // namespace neuwerk::dataplane
