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

#include <chrono>
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

// What one server accepts. Tests shorten the times.
struct ServerLimits {
	std::size_t body_bytes = 2'097'152;
	std::size_t policy_body_bytes = std::size_t{32} << 20; // routes that read a policy
	std::size_t header_bytes = 16 << 10;
	std::size_t connection_count = 4096; // the Unix socket may have 64 more
	std::size_t stream_count = 64;
	std::size_t worker_count = 64;            // writes wait for their fsync here, together
	std::size_t linger_bytes = 64 << 20;      // thrown away of a body that nobody wants
	std::chrono::milliseconds header{10'000}; // TLS handshake; header from its first byte: slow loris
	std::chrono::milliseconds body{60'000};
	std::chrono::milliseconds idle{75'000};  // between requests of one connection
	std::chrono::milliseconds write{60'000}; // for each 256 KiB of a response
	std::chrono::milliseconds linger{5'000};
	std::chrono::milliseconds stream_comment{15'000}; // ": keep-alive" on a silent stream
	std::chrono::milliseconds stop{1'000};
};

// Who is asking; Identity::authenticate.
using Authenticate = std::function<Result<identity::Subject>(const identity::Credentials &)>;

struct ServerOptions {
	Endpoint bind;
	std::string certificate_path, key_path; // PEM; read again when `reload_certificate` is called
	std::string unix_socket; // mode 0600; its peer is subject "local:root" with role admin; empty: none
	ServerLimits limits;
	std::function<void(const Exchange &)> on_exchange;
	std::function<void(const AuthOutcome &)> on_auth;
};

// Safe from every thread.
class Server {
public:
	// Fails with "http bind 10.0.0.1:8443: Address already in use". Port 0 takes any free port.
	[[nodiscard]] static Result<std::unique_ptr<Server>>
	start(const ServerOptions &options, Routes routes, identity::Identity &identity);
	[[nodiscard]] static Result<std::unique_ptr<Server>> start(const ServerOptions &options,
								   Routes routes, Authenticate authenticate);
	[[nodiscard]] std::uint16_t port() const;
	// New connections get the new certificate. After an error the old one stays.
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
