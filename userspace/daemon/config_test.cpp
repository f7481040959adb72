// What config.yaml may say: every key, every way to get it wrong, and the words of each refusal.
#include "daemon/config.h"

#include "base/files.h"
#include "base/text.h"

#include <doctest/doctest.h>

#include <arpa/inet.h>

#include <string>

using namespace neuwerk;
using namespace neuwerk::daemon;

namespace {

const std::string head = "version: 1\n";
const std::string one_arm = head + "bootstrap: {data_interface: eth1}\n";

Config parsed(const std::string &yaml)
{
	const auto config = parse_config(yaml);
	INFO(yaml);
	if (!config)
		FAIL(config.error().what);
	return *config;
}

Config with_dataplane(const std::string &keys)
{
	return parsed(one_arm + "dataplane: {" + keys + "}\n");
}

const std::string ports = head + "dataplane:\n ports:\n";

struct Wrong {
	std::string yaml;
	const char *message;
};
const Wrong wrong[] = {
	{"", "the file: version is missing: the first line is version: 1"},
	{"version: 2\n", "version: '2' is not 1, the only version that this program reads (line 1)"},
	{"[1]", "the file must be a YAML mapping that starts with version: 1"},
	{"version: 1\n---\nversion: 1\n", "the file holds more than one YAML document"},
	{"version: 1\nx: [\n", "not YAML: end of sequence flow not found (line 3)"},
	{one_arm + "speed: 9", "speed: unknown key; known here: version, bootstrap, policy, dataplane, http, "
			       "metrics, api, storage, paths, log (line 3)"},
	{one_arm + "log: {level: info}\nlog: {level: info}", "log: stands here twice (line 4)"},
	{one_arm + "log: {levle: info}", "log.levle: unknown key; known here: level (line 3)"},
	{one_arm + "log: info", "log: must be a mapping of keys (line 3)"},
	{one_arm + "log: {level: loud}",
	 "log.level: 'loud' is not a log level: debug, info, warning or error (line 3)"},
	{head, "dataplane.ports: missing: name the data interfaces here, or one in "
	       "bootstrap.data_interface"},
	{head + "bootstrap: {data_interface: a-name-of-16-byte}",
	 "bootstrap.data_interface: 'a-name-of-16-byte' is not the name of a network interface (line "
	 "2)"},
	{head + "bootstrap: {data_interface: [eth1]}",
	 "bootstrap.data_interface: must be a single value (line 2)"},
	{one_arm + "dataplane: {ports: []}",
	 "dataplane.ports: stands beside bootstrap.data_interface: use one of the two (line 3)"},
	{ports + "  eth1", "dataplane.ports: must be a list (line 4)"},
	{ports + " - eth1", "dataplane.ports[0]: must be a mapping of keys (line 4)"},
	{ports + " - {side: both}", "dataplane.ports[0]: interface is missing (line 4)"},
	{ports + " - {interface: a}",
	 "dataplane.ports[0]: side is missing: inside, outside or both (line 4)"},
	{ports + " - {interface: a, side: left}",
	 "dataplane.ports[0].side: 'left' is not inside, outside or both (line 4)"},
	{ports + " - {interface: a, side: both, mode: fast}",
	 "dataplane.ports[0].mode: 'fast' is not native or generic (line 4)"},
	{ports + " - {interface: a, side: both, mtu: 9}",
	 "dataplane.ports[0].mtu: unknown key; known here: interface, side, mode (line 4)"},
	{ports + " - {interface: a, side: inside}\n - {interface: a, side: outside}",
	 "dataplane.ports[1].interface: 'a' is a port already (line 5)"},
	{ports + " - {interface: a, side: inside}",
	 "dataplane.ports: no port is outside; a single port has side both"},
	{ports + " - {interface: a, side: outside}",
	 "dataplane.ports: no port is inside; a single port has side both"},
	{one_arm + "policy: {default: maybe}", "policy.default: 'maybe' is not allow or deny (line 3)"},
	{one_arm + "policy: {file: ''}", "policy.file: must not be empty (line 3)"},
	{one_arm + "policy:\n internal_cidr:\n - 10.0.0.0/8\n - 10.1.0.0/8",
	 "policy.internal_cidr[1]: '10.1.0.0/8' has host bits set; the network is 10.0.0.0/8 (line "
	 "6)"},
	{one_arm + "policy: {internal_cidr: {a: b}}",
	 "policy.internal_cidr: must be a single value (line 3)"},
	{one_arm + "dataplane: {snat: maybe}",
	 "dataplane.snat: 'maybe' is not auto, none or an IPv4 address (line 3)"},
	{one_arm + "dataplane: {snat: 224.0.0.1}",
	 "dataplane.snat: '224.0.0.1' is not auto, none or an IPv4 address (line 3)"},
	{one_arm + "dataplane: {snat: static}",
	 "dataplane.snat: static needs an address: snat: {mode: static, ip: 203.0.113.9} (line 3)"},
	{one_arm + "dataplane: {snat: {mode: static}}", "dataplane.snat: mode static needs ip (line 3)"},
	{one_arm + "dataplane: {snat: {ip: 1.2.3.4}}",
	 "dataplane.snat: mode is missing: auto, none or static (line 3)"},
	{one_arm + "dataplane: {snat: {mode: auto, ip: 1.2.3.4}}",
	 "dataplane.snat: ip is for mode static only (line 3)"},
	{one_arm + "dataplane: {snat: {mode: pool}}",
	 "dataplane.snat.mode: 'pool' is not auto, none or static (line 3)"},
	{one_arm + "dataplane: {snat: {mode: static, ip: 127.0.0.1}}",
	 "dataplane.snat.ip: '127.0.0.1' is not an address that a host can have (line 3)"},
	{one_arm + "dataplane: {idle_timeout_secs: 0}",
	 "dataplane.idle_timeout_secs: '0' is not a number from 1 to 28800 (line 3)"},
	{one_arm + "dataplane: {timeouts: {udp_secs: 28801}}",
	 "dataplane.timeouts.udp_secs: '28801' is not a number from 1 to 28800 (line 3)"},
	{one_arm + "dataplane: {timeouts: {udp_secs: 5m}}",
	 "dataplane.timeouts.udp_secs: '5m' is not a number from 1 to 28800 (line 3)"},
	{one_arm + "dataplane: {host_services: [{proto: gre}]}",
	 "dataplane.host_services[0].proto: 'gre' is not tcp, udp or icmp (line 3)"},
	{one_arm + "dataplane: {host_services: [{proto: tcp}]}",
	 "dataplane.host_services[0]: port is missing (line 3)"},
	{one_arm + "dataplane: {host_services: [{port: 22}]}",
	 "dataplane.host_services[0]: proto is missing: tcp, udp or icmp (line 3)"},
	{one_arm + "dataplane: {host_services: [{proto: icmp, port: 1}]}",
	 "dataplane.host_services[0]: icmp has no port (line 3)"},
	{one_arm + "dataplane: {host_services: [{proto: udp, port: 0}]}",
	 "dataplane.host_services[0].port: '0' is not a number from 1 to 65535 (line 3)"},
	{one_arm + "dataplane: {flow_lines: 3000}",
	 "dataplane.flow_lines: 3000 is not a power of two (line 3)"},
	{one_arm + "dataplane: {flow_lines: 512}",
	 "dataplane.flow_lines: '512' is not a number from 1024 to 33554432 (line 3)"},
	{one_arm + "dataplane: {policy_nodes: 1}",
	 "dataplane.policy_nodes: '1' is not a number from 1024 to 4194304 (line 3)"},
	{one_arm + "dataplane: {policy_decisions: -1}",
	 "dataplane.policy_decisions: '-1' is not a number from 1024 to 4194304 (line 3)"},
	{one_arm + "dataplane: {miss_rate: 9}", "dataplane.miss_rate: must be a mapping of keys (line 3)"},
	{one_arm + "dataplane: {miss_rate: {per_second: 0}}",
	 "dataplane.miss_rate.per_second: '0' is not a number from 1 to 10000000 (line 3)"},
	{one_arm + "dataplane: {miss_rate: {burst: x}}",
	 "dataplane.miss_rate.burst: 'x' is not a number from 1 to 1000000 (line 3)"},
	{one_arm + "dataplane: {events_per_second: 1000001}",
	 "dataplane.events_per_second: '1000001' is not a number from 1 to 1000000 (line 3)"},
	{one_arm + "dataplane: {run_poller: yes}",
	 "dataplane.run_poller: 'yes' is not true or false (line 3)"},
	{one_arm + "metrics: {bind: 0.0.0.0:8080}",
	 "metrics.bind: metrics bind 0.0.0.0:8080 appears public; set metrics.allow_public_bind=true to "
	 "override (line 3)"},
	{one_arm + "metrics: {bind: 172.32.0.1:1}",
	 "metrics.bind: metrics bind 172.32.0.1:1 appears public; set metrics.allow_public_bind=true to "
	 "override (line 3)"},
	{one_arm + "http: {bind: 8443}",
	 "http.bind: '8443' is not an address and port such as 127.0.0.1:8080 (line 3)"},
	{one_arm + "http: {external_url: http://gate}",
	 "http.external_url: external url must use https (line 3)"},
	{one_arm + "http: {external_url: gate}",
	 "http.external_url: 'gate' is not a URL: external url must start with https:// (line 3)"},
	{one_arm + "http: {external_url: 'https://:8443'}",
	 "http.external_url: 'https://:8443' names no host: external url must have a host (line 3)"},
	{one_arm + "http: {tls_dir: tls}", "http.tls_dir: 'tls' is not an absolute path (line 3)"},
	{one_arm + "api: {policy_body_max_mib: 33}",
	 "api.policy_body_max_mib: '33' is not a number from 1 to 32 (line 3)"},
	{one_arm + "storage: {free_space_min_mib: 1}",
	 "storage.free_space_min_mib: '1' is not a number from 16 to 1048576 (line 3)"},
	{one_arm + "metrics: {bind: localhost}",
	 "metrics.bind: 'localhost' is not an address and port such as 127.0.0.1:8080 (line 3)"},
	{one_arm + "paths: {state: var}", "paths.state: 'var' is not an absolute path (line 3)"},
	{one_arm + "paths: {run: /run/}", "paths.run: '/run/' is not an absolute path (line 3)"},
};

} // namespace

TEST_CASE("two lines are a whole configuration, and the rest has the documented defaults")
{
	const Config config = parsed(one_arm);

	REQUIRE(config.dataplane.ports.size() == 1);
	CHECK(config.dataplane.ports[0].interface == "eth1");
	CHECK(config.dataplane.ports[0].side == NW_SIDE_BOTH);
	CHECK_FALSE(config.dataplane.ports[0].generic);
	CHECK(config.dataplane.snat_mode == NW_SNAT_AUTO);
	CHECK(config.dataplane.timeouts.tcp_established_s == 7440);
	CHECK(config.dataplane.timeouts.tcp_half_open_s == 30);
	CHECK(config.dataplane.timeouts.tcp_transitory_s == 240);
	CHECK(config.dataplane.timeouts.tcp_closing_s == 60);
	CHECK(config.dataplane.timeouts.udp_s == 300);
	CHECK(config.dataplane.timeouts.udp_dns_s == 10);
	CHECK(config.dataplane.timeouts.icmp_s == 60);
	CHECK(config.dataplane.run_poller);
	CHECK_FALSE(config.metrics.bind);
	CHECK_FALSE(config.http.bind);
	CHECK(config.http.tls_directory == "/var/lib/neuwerk/http-tls");
	CHECK(config.policy_body_max_mib == 32);
	CHECK(config.free_space_min_mib == 256);
	CHECK(config.paths.state == "/var/lib/neuwerk");
	CHECK(config.paths.run == "/run/neuwerk");
	CHECK(config.paths.socket == "/run/neuwerk/neuwerkd.sock");
	CHECK(config.paths.bpffs == "/sys/fs/bpf/neuwerk");
	CHECK_FALSE(config.policy.default_allow);
	CHECK(config.policy.internal.empty());
}

TEST_CASE("every key reaches its value")
{
	const Config config = parsed(head + R"(
bootstrap: {management_interface: eth0}
policy: {default: allow, internal_cidr: [10.0.0.0/8, 192.168.0.0/16], file: /etc/p.yaml}
dataplane:
  ports:
    - {interface: in0, side: inside, mode: generic}
    - {interface: out0, side: outside, mode: native}
  snat: {mode: static, ip: 203.0.113.9}
  timeouts: {tcp_established_secs: 8000, tcp_half_open_secs: 5, tcp_transitory_secs: 6, tcp_closing_secs: 7,
             udp_secs: 8, udp_dns_secs: 9, icmp_secs: 11}
  host_services: [{proto: tcp, port: 22}, {proto: icmp}]
  flow_lines: 4096
  policy_nodes: 2048
  policy_decisions: 1024
  miss_rate: {per_second: 5000, burst: 64}
  events_per_second: 3
  run_poller: false
  poller_binary: /opt/nd
paths: {state: /s, run: /r, socket: /x/y.sock, bpffs: /b}
log: {level: debug}
)");
	CHECK(config.management_interface == "eth0");
	CHECK(config.policy.default_allow);
	REQUIRE(config.policy.internal.size() == 2);
	CHECK(config.policy.internal[1] == Ipv4Network{0xc0a80000, 16});
	CHECK(config.policy.file == "/etc/p.yaml");
	REQUIRE(config.dataplane.ports.size() == 2);
	CHECK(config.dataplane.ports[0].side == NW_SIDE_INSIDE);
	CHECK(config.dataplane.ports[0].generic);
	CHECK(outside_port(config.dataplane).interface == "out0");
	CHECK(config.dataplane.snat_mode == NW_SNAT_STATIC);
	CHECK(config.dataplane.snat_address == 0xcb007109);
	const nw_timeouts &timeouts = config.dataplane.timeouts;
	CHECK(timeouts.tcp_established_s == 8000);
	CHECK(timeouts.tcp_half_open_s == 5);
	CHECK(timeouts.tcp_transitory_s == 6);
	CHECK(timeouts.tcp_closing_s == 7);
	CHECK(timeouts.udp_s == 8);
	CHECK(timeouts.udp_dns_s == 9);
	CHECK(timeouts.icmp_s == 11);
	REQUIRE(config.dataplane.host_services.size() == 2);
	CHECK(config.dataplane.host_services[0].protocol == 6);
	CHECK(ntohs(config.dataplane.host_services[0].port_be) == 22);
	CHECK(config.dataplane.host_services[1].protocol == 1);
	CHECK(config.dataplane.sizes.flow_lines == 4096);
	CHECK(config.dataplane.sizes.policy_nodes == 2048);
	CHECK(config.dataplane.sizes.policy_decisions == 1024);
	CHECK(config.dataplane.misses_per_second == 5000);
	CHECK(config.dataplane.miss_burst == 64);
	CHECK(config.dataplane.events_per_second == 3);
	CHECK_FALSE(config.dataplane.run_poller);
	CHECK(config.dataplane.poller_binary == "/opt/nd");
	CHECK(config.paths.socket == "/x/y.sock");
	CHECK(config.paths.bpffs == "/b");
	CHECK(config.log_level == log::Level::debug);
}

TEST_CASE("every key of the doors and of their limits reaches its value")
{
	const Config config = parsed(
		one_arm +
		R"(http: {bind: "0.0.0.0:9443", advertise: "192.0.2.1:443", external_url: "https://gate.example.com/", tls_dir: /t,
       cert_path: /c.crt, key_path: /c.key, ca_path: /ca.crt, tls_san: [gate.example.com, " ", 192.0.2.7]}
metrics: {bind: "192.0.2.2:9090", allow_public_bind: true}
api: {policy_body_max_mib: 8}
storage: {free_space_min_mib: 64}
)");
	CHECK(format_endpoint(*config.http.bind) == "0.0.0.0:9443");
	CHECK(format_endpoint(*config.http.advertise) == "192.0.2.1:443");
	CHECK(config.http.external_url == "https://gate.example.com");
	CHECK(config.http.tls_directory == "/t");
	CHECK(config.http.certificate_path == "/c.crt");
	CHECK(config.http.key_path == "/c.key");
	CHECK(config.http.ca_path == "/ca.crt");
	CHECK(config.http.tls_names == std::vector<std::string>{"gate.example.com", "192.0.2.7"});
	CHECK(format_endpoint(*config.metrics.bind) == "192.0.2.2:9090");
	CHECK(config.metrics.allow_public_bind);
	CHECK(config.policy_body_max_mib == 8);
	CHECK(config.free_space_min_mib == 64);
}

TEST_CASE("without other words the doors are on the management address, or on loopback")
{
	const auto loopback = doors_of(parsed(one_arm), std::nullopt);
	REQUIRE(loopback);
	CHECK(format_endpoint(loopback->http) == "127.0.0.1:8443");
	CHECK(format_endpoint(loopback->metrics) == "127.0.0.1:8080");
	CHECK(loopback->external_url == "https://127.0.0.1:8443");

	const auto managed = doors_of(parsed(one_arm + "http: {tls_san: [gate]}"), 0x0a090001);
	REQUIRE(managed);
	CHECK(format_endpoint(managed->http) == "10.9.0.1:8443");
	CHECK(format_endpoint(managed->metrics) == "10.9.0.1:8080");
	CHECK(managed->tls_names.front() == "10.9.0.1");
	CHECK(managed->tls_names.back() == "gate");

	// The management address may be public; metrics must not follow it there in silence.
	const auto open = doors_of(parsed(one_arm), 0xc0000201);
	REQUIRE_FALSE(open);
	CHECK(open.error().what == "metrics bind 192.0.2.1:8080 appears public; set "
				   "metrics.allow_public_bind=true to override");
	CHECK(doors_of(parsed(one_arm + "metrics: {bind: '10.0.0.1:1'}"), 0xc0000201));
	CHECK(doors_of(parsed(one_arm + "http: {advertise: '192.0.2.9:443'}"), std::nullopt)->external_url ==
	      "https://192.0.2.9:443");
}

TEST_CASE("the reference's spellings are understood")
{
	CHECK(with_dataplane("snat: NONE").dataplane.snat_mode == NW_SNAT_NONE);
	CHECK(with_dataplane("snat: 198.51.100.4").dataplane.snat_address == 0xc6336404);
	CHECK(with_dataplane("snat: {mode: none}").dataplane.snat_mode == NW_SNAT_NONE);
	CHECK(parsed(one_arm + "policy: {internal_cidr: 10.0.0.0/8}").policy.internal.size() == 1);
	CHECK(parsed(one_arm + "policy: null\nmetrics: {bind: ~}").policy.internal.empty());

	const Config idle = with_dataplane("idle_timeout_secs: 120, timeouts: {icmp_secs: 9}");
	CHECK(idle.dataplane.timeouts.udp_s == 120);
	CHECK(idle.dataplane.timeouts.icmp_s == 9);
	CHECK(idle.dataplane.timeouts.tcp_established_s == 7440);
}

TEST_CASE("the packaged sample is valid")
{
	SystemFiles files;
	const auto sample = files.read(NW_PACKAGED_CONFIG);
	REQUIRE(sample);
	CHECK(parsed(*sample).dataplane.ports[0].interface == "eth1");
}

TEST_CASE("a wrong configuration is refused with the key path, the fault and the line")
{
	for (const Wrong &row : wrong) {
		CAPTURE(row.yaml);
		const auto config = parse_config(row.yaml);
		REQUIRE_FALSE(config);
		CHECK(config.error().kind == ErrorKind::invalid_argument);
		CHECK(config.error().what == row.message);
	}
}

TEST_CASE("a list beyond its limit and a path beyond the socket's are refused")
{
	std::string ports;
	for (int i = 0; i <= NW_PORT_LIMIT; i++)
		ports += text("{interface: p", i, ", side: both},");
	const auto many = parse_config(head + "dataplane: {ports: [" + ports + "]}");
	REQUIRE_FALSE(many);
	CHECK(many.error().what == "dataplane.ports: holds 9 entries; the limit is 8 (line 2)");

	const auto deep = parse_config(one_arm + "paths: {run: /" + std::string(100, 'r') + "}");
	REQUIRE_FALSE(deep);
	CHECK(deep.error().what.starts_with("paths.socket: /rrr"));
}
