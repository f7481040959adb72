// Everything that lives as long as neuwerkd serves.
#include "daemon/house.h"

#include "base/log.h"
#include "base/text.h"
#include "daemon/host.h"

#include <csignal>

namespace neuwerk::daemon {

namespace {

// How often the poller is looked at; its end is also reported by SIGCHLD.
constexpr auto supervise_period = std::chrono::milliseconds(100);

} // namespace

House::House(const std::string &config_path, const Config &config, dataplane::Corridor corridor)
    : config_path_(config_path), config_(config), enforcer_(std::move(corridor)),
      store_(files_, config.paths.state), control_(enforcer_, store_, files_, generations_),
      process_(poller_of(config)), supervisor_(process_, clock_),
      poller_(config.paths.run + "/dataplane.sock"),
      node_({.loop = loop_,
	     .control = control_,
	     .enforcer = enforcer_,
	     .generations = generations_,
	     .poller = poller_,
	     .events = events_,
	     .read_facts = [this] { return facts_of(config_.dataplane); },
	     .poller_restarts = [this] { return supervisor_.restart_count(); }})
{
}

House::~House()
{
	events_.close();
	loop_.close(); // whoever waits for an answer gets one
}

Result<> House::start(Facts facts)
{
	connect_signals();
	if (auto started = control_.start(config_, std::move(facts)); !started)
		return started;
	auto watch = AddressWatch::open();
	if (!watch)
		return tl::unexpected(watch.error());
	watch_.emplace(std::move(*watch));
	auto http = HttpServer::start(config_.metrics,
				      [this](const std::string &path) { return node_.answer_http(path); });
	if (!http)
		return tl::unexpected(http.error());
	http_.emplace(std::move(*http));
	auto socket = ControlService::start(config_.paths.socket, node_);
	if (!socket)
		return tl::unexpected(socket.error());
	socket_.emplace(std::move(*socket));
	connect_rest();
	return {};
}

void House::serve()
{
	log::info(text("serving ", config_.paths.socket, " and http://", format_endpoint(config_.metrics)));
	loop_.run();
	log::info("stopped; packets flow on under the last published policy");
}

// First of all: a signal during the start waits for the loop instead of killing the process.
void House::connect_signals()
{
	loop_.on_signal(SIGHUP, [this] { on_reload(); });
	loop_.on_signal(SIGTERM, [this] { on_stop(); });
	loop_.on_signal(SIGINT, [this] { on_stop(); });
}

void House::connect_rest()
{
	loop_.on_readable(watch_->fd(), [this] { on_address_change(); });
	if (config_.dataplane.run_poller) {
		supervisor_.tick();
		loop_.on_signal(SIGCHLD, [this] { supervise(); });
		loop_.every(supervise_period, [this] { supervise(); });
	}
	poller_.watch([this](v1::Event event) {
		name_event(event, generations_);
		events_.publish(event);
	});
}

void House::supervise()
{
	supervisor_.tick();
	if (supervisor_.stopped())
		loop_.stop();
}

void House::on_address_change()
{
	watch_->drain();
	auto facts = facts_of(config_.dataplane);
	if (!facts)
		return log::error(facts.error().what);
	if (const auto ensured = ensure_snat_address(config_.dataplane, *facts); !ensured)
		log::error(ensured.error().what);
	if (const auto changed = control_.surroundings_changed(std::move(*facts)); !changed)
		log::error(text("an address change is not in force: ", changed.error().what));
}

void House::on_reload()
{
	const auto fresh = read_config(files_, config_path_);
	if (!fresh)
		return log::error(text("reload refused, nothing changed: ", fresh.error().what));
	const auto applied = control_.reload(*fresh);
	if (!applied)
		return log::error(text("reload refused, nothing changed: ", applied.error().what));
	for (const std::string &warning : applied->warnings)
		log::warning(warning);
	log::info("reloaded the policy section; other sections take effect with a restart");
}

void House::on_stop()
{
	node_.drain();
	events_.close();
	if (!config_.dataplane.run_poller)
		return loop_.stop();
	supervisor_.stop();
	supervise();
}

} // namespace neuwerk::daemon
