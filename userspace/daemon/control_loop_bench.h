// For tests of the control loop: everything around it in memory, clocks that stand still.
#pragma once

#include "daemon/control_loop.h"
#include "daemon/fake_test_parts.h"

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <string_view>

namespace neuwerk::daemon {

struct ControlBench {
	static constexpr const char *allow_all = R"({"default_policy":"allow","source_groups":[]})";
	static constexpr const char *deny_all = first_document;
	static constexpr const char *copy_path = "/s/policy.json";
	static constexpr std::uint32_t inside = 0x0a000005;  // 10.0.0.5
	static constexpr std::uint32_t outside = 0xc6336407; // 198.51.100.7

	FakeEnforcer enforcer;
	FakeFiles files;
	FakeBook book;
	Generations generations;
	ManualClock clock;
	std::int64_t now_ms = 1'800'000'000'000; // 2027-01-15T08:00:00Z
	std::optional<PolicyStore> copy;
	std::optional<ControlLoop> control;

	// As a new process: what is pinned, on disk and in the book is all that is left.
	void make_control()
	{
		copy.emplace(files, "/s");
		control.emplace(ControlLoop::Parts{.enforcer = enforcer,
						   .copy = *copy,
						   .files = files,
						   .generations = generations,
						   .clock = clock,
						   .now_ms = [this] { return now_ms; }});
	}
	void start(const Config &config = two_arm())
	{
		make_control();
		REQUIRE(control->start(config, two_ports()));
		REQUIRE(control->open_book(book));
	}
	void restart(const Config &config = two_arm())
	{
		start(config);
	}
	Result<PolicyWritten> write(std::string_view document,
				    std::optional<std::int64_t> confirm_s = std::nullopt)
	{
		PolicyWrite write{.document = std::string(document), .author = "alice", .message = "why"};
		write.confirm_s = confirm_s;
		return control->write(write);
	}
	// Moves both clocks.
	void pass(std::int64_t seconds)
	{
		now_ms += seconds * 1000;
		clock.advance(std::chrono::seconds(seconds));
		control->tick();
	}
	nw_verdict verdict_of(std::uint32_t source, std::uint32_t destination)
	{
		return enforcer
			.explain({.source = source,
				  .destination = destination,
				  .protocol = 17,
				  .source_port = 1,
				  .destination_port = 53})
			->verdict;
	}
	bool is_open()
	{
		return verdict_of(inside, outside) == NW_VERDICT_handed_to_poller;
	}
};

} // namespace neuwerk::daemon
