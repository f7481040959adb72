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

struct PathsConfig {
	std::string state = "/var/lib/neuwerk";
	std::string run = "/run/neuwerk";
	std::string socket; // filled: <run>/neuwerkd.sock when the key is absent
	std::string bpffs = "/sys/fs/bpf/neuwerk";
};

struct Config {
	std::string management_interface; // may be empty; not used yet
	PolicyConfig policy;
	DataplaneConfig dataplane;
	Endpoint metrics{0x7f000001, 8080};
	PathsConfig paths;
	log::Level log_level = log::Level::info;
};

// Fails with invalid_argument; `what` is "<key path>: <what is wrong> (line N)", for example
// "dataplane.ports[1].side: 'left' is not inside, outside or both (line 12)".
[[nodiscard]] Result<Config> parse_config(std::string_view yaml);

// The file as a configuration; an error names the file.
[[nodiscard]] Result<Config> read_config(Files &files, const std::string &path);

// The port that flows leave on: the first one with an outside. Every parsed configuration has one.
[[nodiscard]] const dataplane::PortSpec &outside_port(const DataplaneConfig &config);
[[nodiscard]] std::string_view side_name(nw_side side);

} // namespace neuwerk::daemon
