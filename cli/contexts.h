// The appliances that this person knows: ~/.config/neuwerk/config.yaml, one named target each.
#pragma once

#include "transport.h"

#include "base/files.h"

#include <functional>
#include <map>
#include <optional>
#include <string>

namespace neuwerk::cli {

inline constexpr const char *default_socket = "/run/neuwerk/neuwerkd.sock";

struct Contexts {
	static constexpr std::size_t count_limit = 256;
	std::string current; // empty: none
	std::map<std::string, Target> targets;
};

using Variable = std::function<std::optional<std::string>(const char *name)>; // of the environment

// $XDG_CONFIG_HOME/neuwerk/config.yaml, else ~/.config/neuwerk/config.yaml.
[[nodiscard]] Result<std::string> contexts_path(const Variable &variable);

// A file that does not exist holds no contexts. Errors name the file and the key.
[[nodiscard]] Result<Contexts> read_contexts(Files &files, const std::string &path);
// Mode 0600, since tokens stand in it; whole or not at all.
[[nodiscard]] Result<> write_contexts(Files &files, const std::string &path, const Contexts &contexts);

// What the command line said about the target; empty: nothing.
struct Wanted {
	std::string socket, server, token, ca, context;
};

// Who is asked, the first of: --socket or --server; --context; $NEUWERK_SOCKET or $NEUWERK_SERVER;
// $NEUWERK_CONTEXT; the current context; the socket of this host. --token, else the context's own, else
// $NEUWERK_TOKEN; --ca and $NEUWERK_CA likewise.
[[nodiscard]] Result<Target> choose_target(const Wanted &wanted, const Contexts &contexts,
					   const Variable &variable);

// "10.0.0.1:8443" and "https://10.0.0.1:8443/" are the same server. Plain http would show the token: refused.
[[nodiscard]] Result<std::string> parse_server(std::string_view words);

} // namespace neuwerk::cli
