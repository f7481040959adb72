// One run of neuwerkctl: the world around it, the appliance it asks, and how it answers.
#pragma once

#include "client.h"
#include "command_line.h"
#include "contexts.h"
#include "output.h"

#include "base/files.h"

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace neuwerk::cli {

// What a program has around it; tests give their own.
struct World {
	Variable variable;
	std::function<void(std::string_view)> out, error;
	bool is_out_terminal = false, is_error_terminal = false;
	std::function<std::string()> standard_input;
	std::function<std::int64_t()> now_s;             // Unix time
	std::function<bool(std::chrono::seconds)> pause; // false: end
	std::function<std::unique_ptr<Transport>(TransportOptions)> connect;
	Files *files;
};

// Runs one command line (without the name of the program); the exit code.
[[nodiscard]] int run(const std::vector<std::string> &arguments, World &world);

// "-" is standard input.
[[nodiscard]] Result<std::string> read_file(World &world, const std::string &path);

class Session {
public:
	static constexpr std::chrono::seconds watch_pause{2};

	// `transport` may be null for a command that asks nobody.
	Session(World &around, Words said, Style how, Transport *transport)
	    : world(around), words(std::move(said)), style(how), transport_(transport)
	{
	}

	World &world;
	const Words words;
	const Style style;

	[[nodiscard]] Client client() const
	{
		return Client(*transport_);
	}
	[[nodiscard]] bool is_table() const
	{
		return style.format == Format::table;
	}
	void print(std::string_view text) const
	{
		world.out(text);
	}
	// One line on standard error: for a person at a terminal, never for a program …
	void note(std::string_view line) const;
	// … and for both.
	void warn(std::string_view line) const;

	// Asks for `path` and prints the answer as `render` makes it.
	using Render = std::function<std::string(const Json &)>;
	[[nodiscard]] Result<> show(const std::string &path, const Render &render) const;
	// With --watch again and again: redrawn on a terminal, one after the other elsewhere.
	[[nodiscard]] Result<> show_watched(const std::string &path, const Render &render) const;
	// Sends `body` and prints the answer.
	[[nodiscard]] Result<> send(const char *method, const std::string &path, const Json &body,
				    const Render &render) const;
	// For a verb whose answer has nothing to show: one line for people, `result` for programs.
	void done(const std::string &line, const Json &result) const;

	// Prints each event of a stream until --count of them came, or for ever.
	using RenderEvent = std::function<std::string(const StreamEvent &)>; // empty: not this one
	[[nodiscard]] Result<> follow(const std::string &path, const RenderEvent &render) const;

private:
	Transport *transport_;
};

[[nodiscard]] Option watch_option();
[[nodiscard]] Option count_option();

// `render` of a list of objects, see listed(). `key`: the member that holds the list; empty: the answer
// itself.
[[nodiscard]] Session::Render as_list(const Style &style, std::vector<Column> columns, std::string none,
				      std::string key = {});
[[nodiscard]] Session::Render as_object(const Style &style);

} // namespace neuwerk::cli
