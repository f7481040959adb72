// /etc/neuwerk/config.yaml, key by key; the dataplane section is in config_dataplane.cpp.
#include "daemon/config.h"

#include "base/text.h"
#include "daemon/config_sections.h"

#include <sys/un.h>

#include <algorithm>

namespace neuwerk::daemon {

namespace {

void read_bootstrap(ConfigReader &bootstrap, Config &out)
{
	bootstrap.scalar("management_interface", [&](const std::string &written) {
		return read_interface(written, out.management_interface);
	});
	bootstrap.scalar("data_interface", [&](const std::string &written) {
		out.dataplane.ports = {{.interface = {}, .side = NW_SIDE_BOTH}};
		return read_interface(written, out.dataplane.ports[0].interface);
	});
}

void read_policy(ConfigReader &policy, PolicyConfig &out)
{
	policy.scalar("default", [&](const std::string &written) -> Result<> {
		if (written != "allow" && written != "deny")
			return refuse(text('\'', written, "' is not allow or deny"));
		out.default_allow = written == "allow";
		return {};
	});
	policy.scalars("internal_cidr", 64, [&](const std::string &written) -> Result<> {
		const auto network = parse_ipv4_network(written);
		if (!network)
			return tl::unexpected(network.error());
		out.internal.push_back(*network);
		return {};
	});
	policy.string("file", out.file);
}

} // namespace

void read_path(ConfigReader &paths, std::string_view key, std::string &out)
{
	paths.scalar(key, [&](const std::string &written) -> Result<> {
		if (written.size() < 2 || written.front() != '/' || written.back() == '/')
			return refuse(text('\'', written, "' is not an absolute path"));
		out = written;
		return {};
	});
}

namespace {

void read_paths(ConfigReader &paths, PathsConfig &out)
{
	read_path(paths, "state", out.state);
	read_path(paths, "run", out.run);
	read_path(paths, "socket", out.socket);
	read_path(paths, "bpffs", out.bpffs);
}

void check_version(ConfigReader &top)
{
	const bool has_version = top.scalar("version", [](const std::string &written) -> Result<> {
		if (written != "1")
			return refuse(
				text('\'', written, "' is not 1, the only version that this program reads"));
		return {};
	});
	if (!has_version)
		top.refuse("", "version is missing: the first line is version: 1");
}

// What no single key shows.
void check_together(ConfigReader &top, Config &config)
{
	const auto has_side = [&](nw_side side) {
		return std::ranges::any_of(config.dataplane.ports, [&](const auto &port) {
			return port.side == side || port.side == NW_SIDE_BOTH;
		});
	};
	if (config.dataplane.ports.empty())
		top.refuse("dataplane.ports", "missing: name the data interfaces here, or one in "
					      "bootstrap.data_interface");
	else if (!has_side(NW_SIDE_INSIDE) || !has_side(NW_SIDE_OUTSIDE))
		top.refuse("dataplane.ports",
			   text("no port is ", has_side(NW_SIDE_INSIDE) ? "outside" : "inside",
				"; a single port has side both"));
	if (config.http.tls_directory.empty())
		config.http.tls_directory = config.paths.state + "/http-tls";
	if (config.paths.socket.empty())
		config.paths.socket = config.paths.run + "/neuwerkd.sock";
	if (config.paths.socket.size() >= sizeof(sockaddr_un::sun_path))
		top.refuse("paths.socket",
			   text(config.paths.socket, " is longer than the ",
				sizeof(sockaddr_un::sun_path) - 1, " bytes that a socket path has"));
}

} // namespace

Result<Config> parse_config(std::string_view yaml)
{
	auto top = ConfigReader::parse(yaml);
	if (!top)
		return tl::unexpected(top.error());
	Config config;
	check_version(*top);
	top->section("bootstrap", [&](ConfigReader &section) { read_bootstrap(section, config); });
	const bool one_interface = !config.dataplane.ports.empty();
	top->section("policy", [&](ConfigReader &section) { read_policy(section, config.policy); });
	top->section("dataplane", [&](ConfigReader &section) {
		if (one_interface && section.has("ports"))
			section.refuse("ports", "stands beside bootstrap.data_interface: use one of the two");
		read_dataplane(section, config.dataplane);
	});
	read_doors(*top, config);
	top->section("paths", [&](ConfigReader &section) { read_paths(section, config.paths); });
	top->section("log", [&](ConfigReader &section) {
		section.scalar("level", [&](const std::string &written) -> Result<> {
			const auto level = log::parse_level(written);
			if (!level)
				return tl::unexpected(level.error());
			config.log_level = *level;
			return {};
		});
	});
	// Faults of the file itself come before what is wrong with all of it together.
	if (const auto read = top->finish(); !read)
		return tl::unexpected(read.error());
	check_together(*top, config);
	if (const auto together = top->finish(); !together)
		return tl::unexpected(together.error());
	return config;
}

Result<Config> read_config(Files &files, const std::string &path)
{
	const auto yaml = files.read(path);
	if (!yaml)
		return tl::unexpected(yaml.error());
	auto config = parse_config(*yaml);
	if (!config)
		return fail(ErrorKind::invalid_argument, text(path, ": ", config.error().what));
	return config;
}

} // namespace neuwerk::daemon
