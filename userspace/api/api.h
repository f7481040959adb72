// Front door of api/: the HTTPS listener and the local Unix socket, both serving one table of routes.
//
//   accept ─► TLS ─► read (limits) ─► route ─► authenticate ─► authorise ─► handle on a worker ─► write
#pragma once

#include "api/appliance.h"
#include "api/routes.h"
#include "base/address.h"
#include "crypto/crypto.h"
#include "identity/identity.h"
#include "state/state.h"

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace neuwerk::api {

// Everything that handlers work on. All of it outlives the server.
struct Services {
	state::Store &store;
	identity::Identity &identity;
	Appliance &appliance;
	crypto::SealingKey sealing;
	identity::WallClock now_ms;
	std::string tls_directory;
	std::string external_url;
	std::size_t policy_body_bytes;
};

// The whole table: each noun adds its routes in a file of its own (noun_*.cpp).
[[nodiscard]] Routes all_routes(Services &services);
[[nodiscard]] std::vector<Schema> all_schemas();

struct ServerOptions {
	Endpoint bind;
	std::string certificate_path, key_path; // PEM; read again when `reload_certificate` is called
	std::string unix_socket;                // mode 0600; its peer is subject "local:root" with role admin
	std::size_t policy_body_bytes = std::size_t{32} << 20;
	std::function<void(const Exchange &)> on_exchange;
	std::function<void(const AuthOutcome &)> on_auth;
};

class Server {
public:
	static constexpr std::size_t body_limit_bytes = 2'097'152;
	static constexpr std::size_t header_limit_bytes = 16 << 10;
	static constexpr std::size_t connection_limit_count = 4096;
	static constexpr std::size_t stream_limit_count = 64;
	static constexpr int header_timeout_s = 10; // a slow-loris client
	static constexpr int body_timeout_s = 60;
	static constexpr int idle_timeout_s = 75; // between requests of one connection
	static constexpr int worker_count = 64;   // writes wait for their fsync here, together

	// Fails with "http bind 10.0.0.1:8443: Address already in use". Port 0 takes any free port.
	[[nodiscard]] static Result<std::unique_ptr<Server>>
	start(const ServerOptions &options, Routes routes, identity::Identity &identity);
	[[nodiscard]] std::uint16_t port() const;
	[[nodiscard]] Result<> reload_certificate();
	// Closes the listeners, lets exchanges finish for at most 1 s, joins the threads.
	void stop();
	~Server();

private:
	struct State;
	explicit Server(std::unique_ptr<State> state);
	std::unique_ptr<State> state_;
};

// http-tls/ as spec §1.2: what is missing is created. `names`: SANs in their order.
struct TlsMaterial {
	std::string certificate_path, key_path, ca_path;
};
struct TlsOptions {
	std::string directory;
	std::string certificate_path, key_path, ca_path; // empty: <directory>/node.crt, node.key, ca.crt
	std::vector<std::string> names;
	std::int64_t now_s;
};
[[nodiscard]] Result<TlsMaterial> prepare_tls(const TlsOptions &options, state::Store &store,
					      const crypto::SealingKey &sealing);

} // namespace neuwerk::api
