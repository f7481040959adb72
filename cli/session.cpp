// One run of neuwerkctl, from its words to its exit code.
#include "session.h"

#include "base/error_codes.h"
#include "base/text.h"

namespace neuwerk::cli {

namespace {

Style style_of(const Words &words, const World &world)
{
	Style style;
	const std::string format = words.get("format");
	if (format == "json")
		style.format = Format::json;
	if (format == "yaml")
		style.format = Format::yaml;
	if (format == "jsonl")
		style.format = Format::jsonl;
	style.color = world.is_out_terminal && world.variable("NO_COLOR").value_or("").empty();
	return style;
}

Result<Target> target_of(const Command &command, const Words &words, World &world)
{
	Wanted wanted{.socket = words.get("--socket"),
		      .server = words.get("--server"),
		      .token = words.get("--token"),
		      .ca = words.get("--ca"),
		      .context = words.get("--context")};
	if (words.has("--http-addr"))
		wanted.server = words.get("--http-addr");
	Contexts contexts;
	if (const auto path =
		    contexts_path(world.variable)) { // a service without a home has no contexts either
		auto read = read_contexts(*world.files, *path);
		if (!read)
			return tl::unexpected(read.error());
		contexts = std::move(*read);
	}
	auto target = choose_target(wanted, contexts, world.variable);
	const bool is_asked_for = !wanted.server.empty() || !wanted.context.empty();
	if (target && command.local && !target->server.empty() && !is_asked_for)
		return Target{.socket = default_socket};
	return target;
}

TransportOptions options_of(Target target, const Words &words, const World &world, const Style &style)
{
	TransportOptions options{.target = std::move(target)};
	if (words.has("--debug"))
		options.debug = [&world](std::string_view line) { world.error(text(line, '\n')); };
	const bool is_watched = world.is_error_terminal && style.format == Format::table && !options.debug;
	if (is_watched)
		options.progress = [&world](std::chrono::seconds waited) {
			world.error(waited.count() == 0
					    ? std::string("\r\x1b[K")
					    : text("\r\x1b[Kwaiting for the answer: ", waited.count(), " s"));
		};
	return options;
}

Result<> run_order(const Order &order, World &world)
{
	const Style style = style_of(order.words, world);
	std::unique_ptr<Transport> transport;
	if (!order.command->offline) {
		auto target = target_of(*order.command, order.words, world);
		if (!target)
			return tl::unexpected(target.error());
		transport = world.connect(options_of(std::move(*target), order.words, world, style));
	}
	Session session(world, order.words, style, transport.get());
	return order.command->run(session);
}

} // namespace

int run(const std::vector<std::string> &arguments, World &world)
{
	const Parsed parsed = parse_command_line(arguments);
	if (!parsed.usage_error.empty()) {
		world.error(text("neuwerkctl: ", parsed.usage_error, '\n'));
		return exit_usage;
	}
	if (!parsed.order) {
		world.out(parsed.answer);
		return exit_ok;
	}
	const auto outcome = run_order(*parsed.order, world);
	if (outcome)
		return exit_ok;
	world.error(text("neuwerkctl: ", outcome.error().what, '\n'));
	return codes_of(outcome.error().kind).exit_code;
}

Result<std::string> read_file(World &world, const std::string &path)
{
	return path == "-" ? world.standard_input() : world.files->read(path);
}

void Session::note(std::string_view line) const
{
	if (is_table() && world.is_error_terminal)
		world.error(text(line, '\n'));
}

void Session::warn(std::string_view line) const
{
	world.error(text("neuwerkctl: warning: ", line, '\n'));
}

Result<> Session::show(const std::string &path, const Render &render) const
{
	const auto answer = client().get(path);
	if (!answer)
		return tl::unexpected(answer.error());
	print(render(answer->json));
	return {};
}

Result<> Session::show_watched(const std::string &path, const Render &render) const
{
	if (!words.has("--watch"))
		return show(path, render);
	constexpr std::string_view home_and_clear = "\x1b[H\x1b[2J";
	const bool is_redrawn = is_table() && world.is_out_terminal;
	do {
		const auto answer = client().get(path);
		if (!answer)
			return tl::unexpected(answer.error());
		print((is_redrawn ? std::string(home_and_clear) : std::string()) + render(answer->json));
	} while (world.pause(watch_pause));
	return {};
}

Result<> Session::send(const char *method, const std::string &path, const Json &body,
		       const Render &render) const
{
	const auto answer = client().send_json(method, path, body);
	if (!answer)
		return tl::unexpected(answer.error());
	print(render(answer->json));
	return {};
}

void Session::done(const std::string &line, const Json &result) const
{
	print(is_table() ? line + '\n' : structured(result, style.format));
}

Result<> Session::follow(const std::string &path, const RenderEvent &render) const
{
	const std::string wanted = words.get("--count");
	const std::uint64_t limit = wanted.empty() ? 0 : std::stoull(wanted);
	std::uint64_t count = 0;
	return client().stream(
		path, [&] { note("watching; Ctrl-C ends it"); },
		[&](const StreamEvent &event) {
			const std::string line = render(event);
			if (line.empty())
				return true;
			print(line);
			return ++count != limit;
		});
}

Option watch_option()
{
	return {.name = "--watch", .help = "again every 2 seconds, until Ctrl-C"};
}

Option count_option()
{
	return {.name = "-n,--count",
		.value = "COUNT",
		.help = "end after so many",
		.max = 1'000'000'000,
		.min = 1};
}

Session::Render as_list(const Style &style, std::vector<Column> columns, std::string none, std::string key)
{
	return [=](const Json &answer) {
		return listed(key.empty() ? answer : answer[key], columns, none, style);
	};
}

Session::Render as_object(const Style &style)
{
	return [=](const Json &answer) { return described(answer, style); };
}

} // namespace neuwerk::cli
