// What belongs into the archive, and the summaries of the records.
#include "daemon/sysdump.h"

#include "base/text.h"
#include "daemon/redaction.h"
#include "daemon/sysdump_collector.h"
#include "identity/identity.h"

#include <boost/json.hpp>

#include <algorithm>
#include <filesystem>

namespace neuwerk::daemon {

namespace json = boost::json;

namespace {

constexpr const char *host_files[] = {
	"/etc/hostname",
	"/etc/hosts",
	"/etc/resolv.conf",
	"/etc/os-release",
	"/etc/machine-id",
	"/etc/default/neuwerk",
	"/etc/systemd/system/neuwerkd.service",
	"/lib/systemd/system/neuwerkd.service",
	"/lib/systemd/system/neuwerk.target",
	"/proc/cmdline",
	"/proc/cpuinfo",
	"/proc/meminfo",
	"/proc/mounts",
	"/proc/uptime",
	"/proc/version",
	"/proc/net/dev",
	"/proc/net/route",
	"/proc/pressure/cpu",
	"/proc/pressure/io",
	"/proc/pressure/memory",
	"/proc/sys/kernel/hostname",
	"/proc/sys/net/ipv4/ip_forward",
};

constexpr const char *interface_files[] = {"address", "carrier", "flags",     "ifindex",     "mtu",
					   "speed",   "type",    "operstate", "tx_queue_len"};

struct Command {
	const char *archive_path;
	std::vector<std::string> words;
};

std::vector<Command> commands()
{
	return {
		{"system/commands/systemctl-status-neuwerk.txt",
		 {"systemctl", "status", "--no-pager", "neuwerkd.service"}},
		{"system/commands/systemctl-show-neuwerk.txt", {"systemctl", "show", "neuwerkd.service"}},
		{"system/commands/ip-addr.txt", {"ip", "-details", "address"}},
		{"system/commands/ip-link.txt", {"ip", "-details", "-statistics", "link"}},
		{"system/commands/ip-route.txt", {"ip", "route", "show", "table", "all"}},
		{"system/commands/ip-rule.txt", {"ip", "rule"}},
		{"system/commands/ip-neighbour.txt", {"ip", "-statistics", "neighbour"}},
		{"system/journal/neuwerk-service.log",
		 {"journalctl", "--no-pager", "--lines", "2000", "--unit", "neuwerkd.service"}},
	};
}

void collect_interfaces(const SysdumpParts &parts, SysdumpCollector &collector)
{
	namespace fs = std::filesystem;
	std::error_code error;
	std::vector<std::string> names;
	for (fs::directory_iterator walk(parts.root + "/sys/class/net", error), end; !error && walk != end;
	     walk.increment(error))
		names.push_back(walk->path().filename());
	std::ranges::sort(names);
	names.resize(std::min(names.size(), dump_interface_limit_count));
	for (const std::string &name : names)
		for (const char *file : interface_files)
			collector.file(text("/sys/class/net/", name, '/', file));
}

// The records under one prefix, each as the object that it is; what is no object is left out.
std::vector<json::object> objects_of(const std::vector<state::Record> &records, std::string_view prefix)
{
	std::vector<json::object> objects;
	for (const state::Record &record : records) {
		if (!record.key.starts_with(prefix))
			continue;
		boost::system::error_code error;
		json::value value = json::parse(record.value, error);
		if (!error && value.is_object())
			objects.push_back(value.as_object());
	}
	return objects;
}

json::value member(const json::object &object, std::string_view name)
{
	const auto *value = object.if_contains(name);
	return value ? *value : json::value();
}

std::uint64_t count_of(const std::vector<state::Record> &records, std::string_view prefix)
{
	return static_cast<std::uint64_t>(std::ranges::count_if(
		records, [&](const state::Record &record) { return record.key.starts_with(prefix); }));
}

constexpr std::string_view accounts_prefix = "auth/service-accounts/item/";
constexpr std::string_view tokens_prefix = "auth/service-accounts/tokens/item/";
constexpr std::string_view integrations_prefix = "integrations/item/";

json::object accounts_summary(const std::vector<state::Record> &records)
{
	const auto tokens = objects_of(records, tokens_prefix);
	json::array accounts;
	for (const json::object &account : objects_of(records, accounts_prefix)) {
		std::uint64_t token_count = 0, active_count = 0;
		for (const json::object &token : tokens)
			if (member(token, "service_account_id") == member(account, "id")) {
				token_count++;
				active_count += member(token, "status") == "active";
			}
		accounts.push_back({{"id", member(account, "id")},
				    {"name", member(account, "name")},
				    {"status", member(account, "status")},
				    {"created_at", member(account, "created_at")},
				    {"token_count", token_count},
				    {"active_token_count", active_count}});
	}
	return {{"account_count", accounts.size()},
		{"token_count", tokens.size()},
		{"accounts", std::move(accounts)}};
}

json::object integrations_summary(const std::vector<state::Record> &records)
{
	json::array integrations;
	for (const json::object &each : objects_of(records, integrations_prefix))
		integrations.push_back({{"id", member(each, "id")},
					{"created_at", member(each, "created_at")},
					{"name", member(each, "name")},
					{"kind", member(each, "kind")},
					{"api_server_url", member(each, "api_server_url")},
					{"token_configured", true}}); // a record has one
	return {{"count", integrations.size()}, {"integrations", std::move(integrations)}};
}

json::value api_auth_summary(const std::vector<state::Record> &records)
{
	const auto sets = objects_of(records, "auth/api_keys");
	if (sets.empty())
		return nullptr;
	json::array keys;
	const json::value active = member(sets.front(), "active_kid"), list = member(sets.front(), "keys");
	if (const auto *array = list.if_array())
		for (const json::value &key : *array)
			if (const auto *object = key.if_object())
				keys.push_back({{"kid", member(*object, "kid")},
						{"created_at", member(*object, "created_at")},
						{"status", member(*object, "status")},
						{"signing", member(*object, "kid") == active}});
	return json::object{{"active_kid", active}, {"key_count", keys.size()}, {"keys", std::move(keys)}};
}

void add_summaries(const SysdumpParts &parts, const std::vector<state::Record> &records,
		   SysdumpCollector &collector)
{
	const auto add = [&](std::string_view name, const json::object &object) {
		collector.summary(name, json::serialize(object));
	};
	const auto status = parts.store.status();
	const auto size = parts.store.size();
	add("state.json", {{"generated_at", identity::format_time(parts.now_ms)},
			   {"mode_guess", "local"},
			   {"node_id", parts.node_id},
			   {"local_policy_count", count_of(records, "policy/state")},
			   {"local_service_account_count", count_of(records, accounts_prefix)},
			   {"local_token_count", count_of(records, tokens_prefix)},
			   {"local_integration_count", count_of(records, integrations_prefix)},
			   {"audit_finding_count", parts.finding_count},
			   {"cluster_present", false}});
	add("service-accounts.json", {{"local", accounts_summary(records)}});
	add("integrations.json", {{"local", integrations_summary(records)}});
	add("audit.json", {{"finding_count", parts.finding_count}});
	add("configuration.json",
	    {{"local_http_ca_present", count_of(records, "http/ca/cert") > 0},
	     {"local_intercept_ca_present", count_of(records, "settings/tls_intercept/ca_cert_pem") > 0},
	     {"local_api_auth", api_auth_summary(records)}});
	add("storage.json", {{"term", status.term},
			     {"last_log_index", status.last_index},
			     {"last_applied_index", status.applied_index},
			     {"accepts_writes", status.accepts_writes},
			     {"detail", status.detail},
			     {"log_bytes", size.log_bytes},
			     {"state_bytes", size.state_bytes},
			     {"record_count", size.record_count}});
	collector.summary("records.json", redacted_listing(records));
}

} // namespace

Result<std::string> sysdump(const SysdumpParts &parts)
{
	const auto records = parts.store.list("");
	if (!records)
		return tl::unexpected(records.error());
	SysdumpCollector collector(parts);
	for (const std::string &directory : parts.directories)
		collector.tree(directory);
	collector.file(parts.config_path);
	for (const char *path : host_files)
		collector.file(path);
	collect_interfaces(parts, collector);
	for (const Command &command : commands())
		collector.command(command.archive_path, command.words);
	for (const SysdumpParts::Answer &answer : parts.answers)
		collector.answer(answer);
	add_summaries(parts, *records, collector);
	return collector.finish();
}

} // namespace neuwerk::daemon
