// /etc/neuwerk/config.yaml as plain values; every default stands here, once.
//
// docs/reference/config.md explains each key; userspace/packaging/config.yaml is a sample.
#pragma once

#include "abi/config.h"
#include "base/address.h"
#include "base/files.h"
#include "base/log.h"
#include "base/result.h"
#include "dataplane/corridor.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace neuwerk::daemon {

inline constexpr const char *default_config_path = "/etc/neuwerk/config.yaml";

struct PolicyConfig {
	bool default_allow = false;        // what a document without default_policy means
	std::vector<Ipv4Network> internal; // empty: the connected networks of the inside ports
	std::string file;                  // empty: none

	bool operator==(const PolicyConfig &) const = default;
};

struct DataplaneConfig {
	std::vector<dataplane::PortSpec> ports; // at least one that is inside and one that is outside
	nw_snat_mode snat_mode = NW_SNAT_AUTO;
	std::uint32_t snat_address = 0; // host byte order; with NW_SNAT_STATIC only
	nw_timeouts timeouts = {
		.tcp_established_s = 7440,
		.tcp_half_open_s = 30,
		.tcp_transitory_s = 240,
		.tcp_closing_s = 60,
		.udp_s = 300,
		.udp_dns_s = 10,
		.icmp_s = 60,
		.zero = 0,
	};
	std::vector<nw_host_service> host_services;
	dataplane::Sizes sizes;
	std::uint32_t misses_per_second = 100'000; // per CPU
	std::uint32_t miss_burst = 1'024;
	std::uint32_t events_per_second = 1'000; // per CPU
	bool run_poller = true;
	std::string poller_binary; // empty: neuwerk-dataplane next to neuwerkd
};

struct HttpConfig {
	std::optional<Endpoint> bind;      // nullopt: default_port on the management address
	std::optional<Endpoint> advertise; // nullopt: bind
	std::string external_url;          // without a trailing slash; empty: https://<advertise>
	std::string tls_directory;         // filled: <state>/http-tls when the key is absent
	std::string certificate_path, key_path, ca_path; // empty: in tls_directory
	std::vector<std::string> tls_names;              // more SANs

	static constexpr std::uint16_t default_port = 8443;
};

struct MetricsConfig {
	std::optional<Endpoint> bind; // nullopt: default_port on the management address
	bool allow_public_bind = false;

	static constexpr std::uint16_t default_port = 8080;
};

struct PathsConfig {
	std::string state = "/var/lib/neuwerk";
	std::string run = "/run/neuwerk";
	std::string socket; // filled: <run>/neuwerkd.sock when the key is absent
	std::string bpffs = "/sys/fs/bpf/neuwerk";
};

struct Config {
	std::string management_interface; // empty: the doors are on loopback
	PolicyConfig policy;
	DataplaneConfig dataplane;
	HttpConfig http;
	MetricsConfig metrics;
	std::uint32_t policy_body_max_mib = 32;
	std::uint32_t free_space_min_mib = 256; // below: client writes are refused
	PathsConfig paths;
	log::Level log_level = log::Level::info;
};

// Fails with invalid_argument; `what` is "<key path>: <what is wrong> (line N)", for example
// "dataplane.ports[1].side: 'left' is not inside, outside or both (line 12)".
[[nodiscard]] Result<Config> parse_config(std::string_view yaml);

// The file as a configuration; an error names the file.
[[nodiscard]] Result<Config> read_config(Files &files, const std::string &path);

// Where the doors are, once the management interface is known.
struct Doors {
	Endpoint http;
	Endpoint metrics;
	Endpoint advertise;
	std::string external_url;
	std::vector<std::string> tls_names; // SANs in their order: management, advertise, http.tls_san
};
// `management`: the address of the management interface, host byte order; nullopt: none is configured. Fails
// with invalid_argument when metrics would be public without leave.
[[nodiscard]] Result<Doors> doors_of(const Config &config, std::optional<std::uint32_t> management);

// The port that flows leave on: the first one with an outside. Every parsed configuration has one.
[[nodiscard]] const dataplane::PortSpec &outside_port(const DataplaneConfig &config);
[[nodiscard]] std::string_view side_name(nw_side side);

} // namespace neuwerk::daemon
