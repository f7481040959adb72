// Everything that lives as long as neuwerkd serves.
#include "daemon/house.h"

#include "base/log.h"
#include "base/text.h"
#include "daemon/host.h"
#include "daemon/metrics.h"

#include <chrono>
#include <csignal>

namespace neuwerk::daemon {

namespace {

using namespace std::chrono_literals;

// How often the poller is looked at; its end is also reported by SIGCHLD.
constexpr auto supervise_period = 100ms;
// How often deadlines, retries and the copy on disk are looked at.
constexpr auto control_period = 200ms;
// Load balancers see /ready say no before the doors close (spec/http-api §1.1).
constexpr auto drain_pause = 250ms;

std::int64_t unix_ms()
{
	return std::chrono::duration_cast<std::chrono::milliseconds>(
		       std::chrono::system_clock::now().time_since_epoch())
		.count();
}

// The UUID of this node: <state>/node_id, drawn at the first start.
Result<std::string> node_id_of(Files &files, const std::string &path)
{
	auto stored = files.read(path);
	if (stored) {
		stored->erase(stored->find_last_not_of(" \r\n") + 1);
		if (stored->size() == 36)
			return stored;
		return fail(ErrorKind::corrupt, text(path, ": not a UUID: remove it for a new one"));
	}
	if (stored.error().kind != ErrorKind::not_found)
		return stored;
	std::string drawn = crypto::random_uuid();
	if (auto written = files.write_synced(path, drawn + "\n"); !written)
		return tl::unexpected(written.error());
	return drawn;
}

Result<std::optional<std::uint32_t>> management_address(const std::string &interface)
{
	if (interface.empty())
		return std::nullopt;
	const auto facts = read_facts({interface});
	if (!facts)
		return tl::unexpected(facts.error());
	if (facts->front().addresses.empty())
		return fail(ErrorKind::unavailable,
			    text("bootstrap.management_interface: ", interface,
				 facts->front().index == 0 ? " does not exist" : " has no IPv4 address yet"));
	return facts->front().addresses.front().address;
}

} // namespace

House::House(const std::string &config_path, const Config &config, dataplane::Corridor corridor)
    : config_path_(config_path), config_(config), enforcer_(std::move(corridor)),
      copy_(files_, config.paths.state), control_({.enforcer = enforcer_,
						   .copy = copy_,
						   .files = files_,
						   .generations = generations_,
						   .clock = clock_,
						   .now_ms = unix_ms}),
      process_(poller_of(config)), supervisor_(process_, clock_),
      poller_(config.paths.run + "/dataplane.sock"),
      node_({.loop = loop_,
	     .control = control_,
	     .enforcer = enforcer_,
	     .generations = generations_,
	     .poller = poller_,
	     .events = events_,
	     .read_facts = [this] { return facts_of(config_.dataplane); },
	     .poller_restarts = [this] { return supervisor_.restart_count(); },
	     .add_numbers = [this](Numbers &numbers) { add_numbers(numbers); }})
{
}

House::~House()
{
	events_.close();
	loop_.close(); // whoever waits for an answer gets one
	if (closing_.joinable())
		closing_.join();
}

Result<> House::start(Facts facts)
{
	connect_signals();
	if (auto started = control_.start(config_, std::move(facts)); !started)
		return started;
	if (auto opened = open_records(); !opened)
		return opened;
	if (auto opened = open_observer(); !opened)
		return opened;
	auto watch = AddressWatch::open();
	if (!watch)
		return tl::unexpected(watch.error());
	watch_.emplace(std::move(*watch));
	if (auto opened = open_doors(); !opened)
		return opened;
	connect_rest();
	return {};
}

Result<> House::open_records()
{
	const std::string &state = config_.paths.state;
	auto sealing = crypto::load_or_create_sealing_key(state + "/secret.key");
	if (!sealing)
		return tl::unexpected(sealing.error());
	sealing_ = std::move(*sealing);
	consensus::Limits limits;
	limits.free_bytes_min = std::uint64_t{config_.free_space_min_mib} << 20;
	auto store = state::Store::open({.directory = state + "/store", .limits = limits});
	if (!store)
		return tl::unexpected(store.error());
	store_ = std::move(*store);
	auto identity = identity::Identity::open(*store_, sealing_, unix_ms,
						 config_.http.tls_directory + "/api-auth.json");
	if (!identity)
		return tl::unexpected(identity.error());
	identity_ = std::move(*identity);
	records_.emplace(*store_);
	return control_.open_book(*records_);
}

Result<> House::open_observer()
{
	auto node_id = node_id_of(files_, config_.paths.state + "/node_id");
	if (!node_id)
		return tl::unexpected(node_id.error());
	auto observer = observe::Observer::open(
		{.directory = config_.paths.state,
		 .node_id = std::move(*node_id),
		 .now_ms = unix_ms,
		 .policy_of = [this](std::uint32_t generation) {
			 PolicyOrigin origin = generations_.origin(generation);
			 return std::pair(origin.revision, std::move(origin.policy_id));
		 }});
	if (!observer)
		return tl::unexpected(observer.error());
	observer_ = std::move(*observer);
	observation_.emplace(Observation::Parts{.observer = *observer_,
						.enforcer = enforcer_,
						.generations = generations_,
						.poller = poller_});
	appliance_.emplace(NodeAppliance::Parts{
		.node = node_, .book = *records_, .observer = *observer_, .clock = clock_, .sysdump = [this] {
			return sysdump();
		}});
	return {};
}

// Metrics first: a bind conflict there fails the start before anybody was answered.
Result<> House::open_doors()
{
	const auto management = management_address(config_.management_interface);
	if (!management)
		return tl::unexpected(management.error());
	const auto doors = doors_of(config_, *management);
	if (!doors)
		return tl::unexpected(doors.error());
	auto metrics = HttpServer::start(doors->metrics,
					 [this](const std::string &path) { return node_.answer_http(path); });
	if (!metrics)
		return tl::unexpected(metrics.error());
	metrics_.emplace(std::move(*metrics));
	return open_api(*doors);
}

Result<> House::open_api(const Doors &doors)
{
	const HttpConfig &http = config_.http;
	const auto material = api::prepare_tls({.directory = http.tls_directory,
						.certificate_path = http.certificate_path,
						.key_path = http.key_path,
						.ca_path = http.ca_path,
						.names = doors.tls_names,
						.now_s = unix_ms() / 1000},
					       *store_, sealing_);
	if (!material)
		return tl::unexpected(material.error());
	const std::size_t policy_body_bytes = std::size_t{config_.policy_body_max_mib} << 20;
	services_.emplace(api::Services{.store = *store_,
					.identity = *identity_,
					.appliance = *appliance_,
					.sealing = sealing_,
					.now_ms = unix_ms,
					.tls_directory = http.tls_directory,
					.external_url = doors.external_url,
					.policy_body_bytes = policy_body_bytes});
	api::ServerOptions options{
		.bind = doors.http,
		.certificate_path = material->certificate_path,
		.key_path = material->key_path,
		.unix_socket = config_.paths.socket,
		.on_exchange = [this](const api::Exchange &exchange) { tally_.on_exchange(exchange); },
		.on_auth = [this](const api::AuthOutcome &outcome) { tally_.on_auth(outcome); }};
	options.limits.policy_body_bytes = policy_body_bytes;
	auto server = api::Server::start(options, api::all_routes(*services_), *identity_);
	if (!server)
		return tl::unexpected(server.error());
	api_ = std::move(*server);
	log::info(text("serving ", doors.external_url, ", ", config_.paths.socket, " and http://",
		       format_endpoint(doors.metrics), "/metrics"));
	return {};
}

void House::serve()
{
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
	loop_.every(control_period, [this] { control_.tick(); });
	if (config_.dataplane.run_poller) {
		supervisor_.tick();
		loop_.on_signal(SIGCHLD, [this] { supervise(); });
		loop_.every(supervise_period, [this] { supervise(); });
	}
	poller_.watch([this](v1::Event event) { on_event(std::move(event)); });
	observation_->start();
}

void House::on_event(v1::Event event)
{
	name_event(event, generations_);
	node_.on_event(event);
	tally_.on_event(event);
	observer_->on_event(event);
	events_.publish(event);
}

// Called for /metrics, which is served only while all of these are open.
void House::add_numbers(Numbers &numbers) const
{
	const consensus::Status status = store_->status();
	const state::Store::Size size = store_->size();
	numbers.store = {.is_leader = status.role == consensus::Role::leader,
			 .accepts_writes = status.accepts_writes,
			 .term = status.term,
			 .last_log_index = status.last_index,
			 .applied_index = status.applied_index,
			 .log_bytes = size.log_bytes,
			 .state_bytes = size.state_bytes,
			 .record_count = size.record_count};
	numbers.audit = {.findings = observer_->finding_count().value_or(0),
			 .lost = observer_->lost_count(),
			 .uncounted = observation_->uncounted_packets(),
			 .transactions = observer_->transaction_count()};
	numbers.tally = tally_.snapshot();
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
	if (const auto reloaded = api_->reload_certificate(); !reloaded)
		log::error(reloaded.error().what);
	log::info(
		"reloaded the policy section and the certificate; other sections take effect with a restart");
}

// /ready says no; a moment later the doors close; then the poller goes.
void House::on_stop()
{
	if (std::exchange(is_stopping_, true))
		return;
	node_.drain();
	loop_.after(drain_pause, [this] {
		events_.close();
		// Requests under way still ask the loop: it must not wait for them.
		closing_ = std::thread([this] { close_doors(); });
	});
}

void House::close_doors()
{
	metrics_.reset();
	api_->stop();
	observation_->stop();
	(void)loop_.post([this] {
		if (!config_.dataplane.run_poller)
			return loop_.stop();
		supervisor_.stop();
		supervise();
	});
}

} // namespace neuwerk::daemon
