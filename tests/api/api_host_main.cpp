// Serves the whole API from one directory, without a dataplane, until standard input ends: for conformance
// tests and benchmarks. Prints one line of JSON when it serves: where, and with which CA and tokens.
#include "base/log.h"
#include "base/text.h"
#include "pretended_appliance.h"

#include "api/api.h"

#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>

using namespace neuwerk;

namespace {

std::int64_t now_ms()
{
	const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
	return std::chrono::duration_cast<std::chrono::milliseconds>(since_epoch).count();
}

template <typename T>
T must(Result<T> result)
{
	if (!result) {
		std::cerr << "nw_api_host: " << result.error().what << "\n";
		std::exit(1);
	}
	return std::move(*result);
}

std::string token(identity::Identity &identity, std::string sub, std::vector<std::string> roles)
{
	return must(identity.mint({std::move(sub), std::nullopt, std::nullopt, std::move(roles)}));
}

} // namespace

int main(int count, char **words)
{
	if (count != 2) {
		std::cerr << "usage: nw_api_host DIRECTORY\n";
		return 2;
	}
	log::open("nw_api_host", log::Level::info);
	const std::filesystem::path directory = words[1];
	std::filesystem::create_directories(directory / "http-tls");
	state::Options options;
	options.directory = directory;
	const auto store = must(state::Store::open(options));
	const auto sealing = must(crypto::load_or_create_sealing_key(directory / "secret.key"));
	const auto identity = must(identity::Identity::open(*store, sealing, now_ms, ""));
	const auto tls = must(api::prepare_tls({.directory = directory / "http-tls",
						.certificate_path = {},
						.key_path = {},
						.ca_path = {},
						.names = {"127.0.0.1"},
						.now_s = now_ms() / 1000},
					       *store, sealing));
	api::PretendedAppliance appliance(*store, now_ms);
	api::Services services{*store,
			       *identity,
			       appliance,
			       sealing,
			       now_ms,
			       directory / "http-tls",
			       "https://127.0.0.1",
			       std::size_t{32} << 20};
	api::ServerOptions server_options;
	server_options.bind = {0x7f000001, 0};
	server_options.certificate_path = tls.certificate_path;
	server_options.key_path = tls.key_path;
	server_options.unix_socket = directory / "api.sock";
	const auto server = must(api::Server::start(server_options, api::all_routes(services), *identity));
	std::cout << boost::json::serialize(
			     boost::json::value{{"port", server->port()},
						{"socket", server_options.unix_socket},
						{"ca", tls.ca_path},
						{"certificate", tls.certificate_path},
						{"key", tls.key_path},
						{"admin", token(*identity, "anna", {"admin"})},
						{"reader", token(*identity, "ray", {"readonly"})}})
		  << std::endl;
	char byte;
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	server->stop();
	return 0;
}
