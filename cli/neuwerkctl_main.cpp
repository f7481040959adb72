// The program neuwerkctl: its command line, one verb after the other.
#include "client.h"
#include "nouns.h"

#include "base/error_codes.h"

#include <CLI/CLI.hpp>

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>

namespace {

using namespace neuwerk;
using namespace neuwerk::cli;

// What the command line said, and what to do about it.
struct Order {
	std::string socket = "/run/neuwerk/neuwerkd.sock";
	Style style;
	std::string file;
	std::uint32_t limit = 0;
	bool all = false;
	ExplainWords words;
	std::function<Result<>(Client &)> task;
};

void print(const std::string &text)
{
	std::fwrite(text.data(), 1, text.size(), stdout);
	std::fflush(stdout);
}

template <typename Answer, typename Render>
Result<> show(const Result<Answer> &answer, Render render)
{
	if (!answer)
		return tl::unexpected(answer.error());
	print(render(*answer));
	return {};
}

Result<> list_flows(Client &client, const Order &order)
{
	std::vector<v1::Flow> flows;
	const auto listed = client.flows(order.limit, [&](const v1::Flow &flow) {
		flows.push_back(flow);
		return true;
	});
	if (!listed)
		return listed;
	print(render_flows(flows, order.style));
	return {};
}

Result<> follow_events(Client &client, const Order &order)
{
	std::uint32_t count = 0;
	return client.watch(
		[&] {
			if (order.style.format == Format::table && isatty(STDERR_FILENO))
				std::fputs("watching; Ctrl-C ends it\n", stderr);
		},
		[&](const v1::Event &event) {
			print(render_event(event, order.style));
			return order.limit == 0 || ++count < order.limit;
		});
}

Result<> send_policy(Client &client, const Order &order, bool apply)
{
	const auto document = read_policy(order.file);
	if (!document)
		return tl::unexpected(document.error());
	if (apply)
		return show(client.apply(*document),
			    [&](const v1::PolicyReply &reply) { return render_applied(reply, order.style); });
	return show(client.validate(*document), [&](const v1::PolicyReply &reply) {
		return render_validated(reply, order.file, order.style);
	});
}

Result<> explain(Client &client, const v1::ExplainRequest &request, const Style &style)
{
	return show(client.explain(request),
		    [&](const v1::ExplainReply &reply) { return render_explanation(request, reply, style); });
}

void add_policy(CLI::App &app, Order &order)
{
	CLI::App *policy =
		app.add_subcommand("policy", "check, apply or read the policy")->require_subcommand(1);
	const auto add = [&](const char *verb, const char *help, bool apply) {
		CLI::App *command = policy->add_subcommand(verb, help)->fallthrough();
		command->add_option("FILE", order.file, "JSON or YAML; - is standard input")->required();
		command->callback([&order, apply] {
			order.task = [&order, apply](Client &client) {
				return send_policy(client, order, apply);
			};
		});
	};
	add("validate", "is this document valid, and would apply take it?", false);
	add("apply", "put this document in force", true);
	policy->add_subcommand("get", "the document in force")->fallthrough()->callback([&order] {
		order.task = [&order](Client &client) {
			return show(client.policy(), [&](const v1::PolicyDocument &document) {
				return render_policy(document, order.style);
			});
		};
	});
	policy->fallthrough();
}

void add_explain(CLI::App &app, Order &order)
{
	CLI::App *command =
		app.add_subcommand("explain", "what would happen to this packet, and why?")->fallthrough();
	command->add_option("--from", order.words.from, "source address")->required();
	command->add_option("--to", order.words.to, "destination address")->required();
	command->add_option("--proto", order.words.protocol, "tcp, udp, icmp or a number")->required();
	command->add_option("--sport", order.words.source_port, "source port, or ICMP identifier")
		->check(CLI::Range(0, 65535));
	CLI::Option *port = command->add_option("--dport", order.words.destination_port, "destination port")
				    ->check(CLI::Range(0, 65535));
	command->add_option("--icmp-type", order.words.icmp_type, "default 8, echo request")
		->check(CLI::Range(0, 255));
	command->add_option("--icmp-code", order.words.icmp_code, "default 0")->check(CLI::Range(0, 255));
	command->callback([&order, port] {
		order.words.has_destination_port = port->count() > 0;
		const auto request = explain_request(order.words);
		if (!request)
			throw CLI::ValidationError(
				request.error().what); // a usage error, as the library's own
		order.task = [&order, request](Client &client) {
			return explain(client, *request, order.style);
		};
	});
}

void add_others(CLI::App &app, Order &order)
{
	app.add_subcommand("status", "is this node well, and what does it enforce?")
		->fallthrough()
		->callback([&order] {
			order.task = [&order](Client &client) {
				return show(client.status(), [&](const v1::NodeStatusReply &status) {
					return render_status(status, order.style);
				});
			};
		});
	CLI::App *flow =
		app.add_subcommand("flow", "the flows in the table")->require_subcommand(1)->fallthrough();
	CLI::App *list = flow->add_subcommand("list", "who talks to whom, and as whom")->fallthrough();
	list->add_option("-n,--limit", order.limit, "at most this many");
	list->callback(
		[&order] { order.task = [&order](Client &client) { return list_flows(client, order); }; });

	CLI::App *counters = app.add_subcommand("counters", "what became of every packet")->fallthrough();
	counters->add_flag("--all", order.all, "also what never happened");
	counters->callback([&order] {
		order.task = [&order](Client &client) {
			return show(client.counters(), [&](const v1::CountersReply &reply) {
				return render_counters(reply, order.all, order.style);
			});
		};
	});
	CLI::App *events = app.add_subcommand("events", "what happens, as it happens")->fallthrough();
	events->add_option("-n,--count", order.limit, "end after this many");
	events->callback(
		[&order] { order.task = [&order](Client &client) { return follow_events(client, order); }; });
}

int run(Order &order)
{
	const char *no_color = std::getenv("NO_COLOR");
	order.style.color = isatty(STDOUT_FILENO) && (!no_color || !*no_color);
	auto client = Client::connect(order.socket);
	const Result<> outcome = client ? order.task(*client) : tl::unexpected(client.error());
	if (outcome)
		return exit_ok;
	std::fprintf(stderr, "neuwerkctl: %s\n", outcome.error().what.c_str());
	return codes_of(outcome.error().kind).exit_code;
}

} // namespace

int main(int argc, char **argv)
{
	Order order;
	CLI::App app("Asks the neuwerkd of this host, and tells it what to enforce.");
	app.set_version_flag("--version", "neuwerkctl " NW_VERSION);
	app.require_subcommand(1);
	app.add_option("--socket", order.socket, "control socket of neuwerkd")
		->envname("NEUWERK_SOCKET")
		->capture_default_str();
	const std::map<std::string, Format> formats = {{"table", Format::table},
						       {"json", Format::json},
						       {"yaml", Format::yaml},
						       {"jsonl", Format::jsonl}};
	app.add_option("-o,--output", order.style.format, "table, json, yaml or jsonl")
		->transform(CLI::CheckedTransformer(formats))
		->option_text("FORMAT");
	add_others(app, order);
	add_policy(app, order);
	add_explain(app, order);
	try {
		app.parse(argc, argv);
	} catch (const CLI::Success &answer) {
		return app.exit(answer);
	} catch (const CLI::ParseError &error) {
		std::fprintf(stderr, "neuwerkctl: %s\n", error.what());
		return exit_usage;
	}
	return run(order);
}
