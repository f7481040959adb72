// The sections http, metrics, api and storage of config.yaml, and where the doors are in the end.
#include "daemon/config_sections.h"

#include "base/text.h"

#include <cctype>

namespace neuwerk::daemon {

namespace {

constexpr std::size_t tls_name_limit_count = 64;
constexpr std::uint32_t loopback = 0x7f000001;

void read_endpoint(ConfigReader &section, std::string_view key, std::optional<Endpoint> &out)
{
	section.scalar(key, [&](const std::string &written) -> Result<> {
		const auto endpoint = parse_endpoint(written);
		if (!endpoint)
			return tl::unexpected(endpoint.error());
		out = *endpoint;
		return {};
	});
}

// "https://gate.example.com:8443/" → without the slash.
Result<> read_url(const std::string &written, std::string &out)
{
	constexpr std::string_view scheme = "https://";
	std::string url = written;
	while (!url.empty() && (url.back() == '/' || std::isspace(static_cast<unsigned char>(url.back()))))
		url.pop_back();
	url.erase(0, url.find_first_not_of(" \t"));
	if (url.find("://") == std::string::npos)
		return refuse(text('\'', written, "' is not a URL: external url must start with https://"));
	if (!url.starts_with(scheme))
		return refuse("external url must use https");
	const std::string host =
		url.substr(scheme.size(), url.find_first_of("/:?#", scheme.size()) - scheme.size());
	if (host.empty() || url.find_first_of(" \t\r\n") != std::string::npos)
		return refuse(text('\'', written, "' names no host: external url must have a host"));
	out = std::move(url);
	return {};
}

void read_http(ConfigReader &http, HttpConfig &out)
{
	read_endpoint(http, "bind", out.bind);
	read_endpoint(http, "advertise", out.advertise);
	http.scalar("external_url",
		    [&](const std::string &written) { return read_url(written, out.external_url); });
	read_path(http, "tls_dir", out.tls_directory);
	read_path(http, "cert_path", out.certificate_path);
	read_path(http, "key_path", out.key_path);
	read_path(http, "ca_path", out.ca_path);
	http.scalars("tls_san", tls_name_limit_count, [&](const std::string &written) -> Result<> {
		if (written.find_first_not_of(" \t") != std::string::npos)
			out.tls_names.push_back(written);
		return {};
	});
}

// Loopback, link-local and the private networks of RFC 1918; 0.0.0.0 is public: it is every address.
bool is_private(std::uint32_t address)
{
	return address >> 24 == 127 || address >> 24 == 10 || address >> 20 == 0xac1 ||
	       address >> 16 == 0xc0a8 || address >> 16 == 0xa9fe;
}

// Everybody who reaches /metrics may read it: it is not for the world, unless somebody says so.
Result<> guard(Endpoint metrics, bool may_be_public)
{
	if (is_private(metrics.address) || may_be_public)
		return {};
	return refuse(text("metrics bind ", format_endpoint(metrics),
			   " appears public; set metrics.allow_public_bind=true to override"));
}

} // namespace

void read_doors(ConfigReader &top, Config &out)
{
	top.section("http", [&](ConfigReader &http) { read_http(http, out.http); });
	top.section("metrics", [&](ConfigReader &metrics) {
		read_endpoint(metrics, "bind", out.metrics.bind);
		metrics.boolean("allow_public_bind", out.metrics.allow_public_bind);
		if (out.metrics.bind)
			if (const auto guarded = guard(*out.metrics.bind, out.metrics.allow_public_bind);
			    !guarded)
				metrics.refuse("bind", guarded.error().what);
	});
	top.section("api", [&](ConfigReader &api) {
		api.number("policy_body_max_mib", out.policy_body_max_mib, 1, 32);
	});
	top.section("storage", [&](ConfigReader &storage) {
		storage.number("free_space_min_mib", out.free_space_min_mib, 16, 1u << 20);
	});
}

Result<Doors> doors_of(const Config &config, std::optional<std::uint32_t> management)
{
	const std::uint32_t address = management.value_or(loopback);
	Doors doors;
	doors.http = config.http.bind.value_or(Endpoint{address, HttpConfig::default_port});
	doors.metrics = config.metrics.bind.value_or(Endpoint{address, MetricsConfig::default_port});
	doors.advertise = config.http.advertise.value_or(doors.http);
	doors.external_url = config.http.external_url.empty()
				     ? text("https://", format_endpoint(doors.advertise))
				     : config.http.external_url;
	if (const auto guarded = guard(doors.metrics, config.metrics.allow_public_bind); !guarded)
		return tl::unexpected(guarded.error());
	// Every address that the server answers on by name, then what the operator adds.
	doors.tls_names = {format_ipv4(address), format_ipv4(doors.advertise.address)};
	if (doors.http.address != 0)
		doors.tls_names.push_back(format_ipv4(doors.http.address));
	doors.tls_names.insert(doors.tls_names.end(), config.http.tls_names.begin(),
			       config.http.tls_names.end());
	return doors;
}

} // namespace neuwerk::daemon
