// The appliances that this person knows; the only file of neuwerkctl that knows yaml-cpp.
#include "contexts.h"

#include "base/text.h"

#include <yaml-cpp/yaml.h>

namespace neuwerk::cli {

namespace {

struct Field {
	const char *key;
	std::string Target::*value;
};
constexpr Field fields[] = {
	{"socket", &Target::socket},
	{"server", &Target::server},
	{"ca", &Target::ca},
	{"token", &Target::token},
};

Result<Target> read_target(const std::string &path, const std::string &name, const YAML::Node &node)
{
	Target target;
	if (!node.IsMap())
		return fail(ErrorKind::invalid_argument, text(path, ": contexts.", name, ": not a map"));
	for (const auto &entry : node) {
		const auto key = entry.first.as<std::string>();
		const Field *found = nullptr;
		for (const Field &field : fields)
			if (key == field.key)
				found = &field;
		if (!found || !entry.second.IsScalar())
			return fail(ErrorKind::invalid_argument,
				    text(path, ": contexts.", name, '.', key,
					 ": not one of socket, server, ca, token with a string"));
		target.*found->value = entry.second.as<std::string>();
	}
	if (target.socket.empty() == target.server.empty())
		return fail(ErrorKind::invalid_argument,
			    text(path, ": contexts.", name, ": give it either a socket or a server"));
	return target;
}

Result<Contexts> read_document(const std::string &path, const YAML::Node &document)
{
	Contexts contexts;
	if (document.IsNull())
		return contexts;
	if (!document.IsMap())
		return fail(ErrorKind::invalid_argument, text(path, ": not a map"));
	for (const auto &entry : document) {
		const auto key = entry.first.as<std::string>();
		if (key == "current" && entry.second.IsScalar()) {
			contexts.current = entry.second.as<std::string>();
		} else if (key == "contexts" && (entry.second.IsMap() || entry.second.IsNull())) {
			for (const auto &each : entry.second) {
				const auto name = each.first.as<std::string>();
				auto target = read_target(path, name, each.second);
				if (!target)
					return tl::unexpected(target.error());
				contexts.targets[name] = std::move(*target);
			}
		} else {
			return fail(ErrorKind::invalid_argument,
				    text(path, ": ", key, ": unknown key, or not what belongs there"));
		}
	}
	return contexts;
}

} // namespace

Result<std::string> contexts_path(const Variable &variable)
{
	if (const auto directory = variable("XDG_CONFIG_HOME"); directory && !directory->empty())
		return *directory + "/neuwerk/config.yaml";
	if (const auto home = variable("HOME"); home && !home->empty())
		return *home + "/.config/neuwerk/config.yaml";
	return fail(ErrorKind::invalid_argument, "contexts: neither XDG_CONFIG_HOME nor HOME is set");
}

Result<Contexts> read_contexts(Files &files, const std::string &path)
{
	const auto content = files.read(path);
	if (!content && content.error().kind == ErrorKind::not_found)
		return Contexts{};
	if (!content)
		return tl::unexpected(content.error());
	try {
		return read_document(path, YAML::Load(*content));
	} catch (const YAML::Exception &exception) {
		return fail(ErrorKind::invalid_argument,
			    text(path, ":", exception.mark.line + 1, ": ", exception.msg));
	}
}

Result<> write_contexts(Files &files, const std::string &path, const Contexts &contexts)
{
	if (contexts.targets.size() > Contexts::count_limit)
		return fail(ErrorKind::resource_exhausted,
			    text(path, ": more than ", Contexts::count_limit, " contexts"));
	YAML::Emitter out;
	out << YAML::BeginMap;
	if (!contexts.current.empty())
		out << YAML::Key << "current" << YAML::Value << contexts.current;
	out << YAML::Key << "contexts" << YAML::Value << YAML::BeginMap;
	for (const auto &[name, target] : contexts.targets) {
		out << YAML::Key << name << YAML::Value << YAML::BeginMap;
		for (const Field &field : fields)
			if (!(target.*field.value).empty())
				out << YAML::Key << field.key << YAML::Value << target.*field.value;
		out << YAML::EndMap;
	}
	out << YAML::EndMap << YAML::EndMap;
	const std::string directory = path.substr(0, path.rfind('/'));
	if (const auto made = make_directories(directory); !made)
		return made;
	const std::string next = path + ".new";
	if (const auto written = files.write_synced(next, text(out.c_str(), '\n')); !written)
		return written;
	if (const auto renamed = files.rename(next, path); !renamed)
		return renamed;
	return files.sync_directory(directory);
}

Result<std::string> parse_server(std::string_view words)
{
	std::string server(words);
	if (server.find("://") == std::string::npos)
		server = "https://" + server;
	while (server.ends_with('/'))
		server.pop_back();
	const std::string_view rest = std::string_view(server).substr(server.find("://") + 3);
	if (!server.starts_with("https://") || rest.empty() ||
	    rest.find_first_of("/?#@ ") != std::string_view::npos)
		return fail(ErrorKind::invalid_argument,
			    text("server: '", words, "' is not like https://10.0.0.1:8443"));
	return server;
}

Result<Target> choose_target(const Wanted &wanted, const Contexts &contexts, const Variable &variable)
{
	const auto environment = [&](const char *name) { return variable(name).value_or(""); };
	Target target;
	const auto from_context = [&](const std::string &name) -> Result<> {
		const auto found = contexts.targets.find(name);
		if (found == contexts.targets.end())
			return fail(ErrorKind::not_found,
				    text("context '", name, "': there is none; `neuwerkctl context list`"));
		target = found->second;
		return {};
	};
	Result<> taken;
	if (!wanted.socket.empty() || !wanted.server.empty())
		target = {.socket = wanted.socket, .server = wanted.server};
	else if (!wanted.context.empty())
		taken = from_context(wanted.context);
	else if (!environment("NEUWERK_SOCKET").empty())
		target.socket = environment("NEUWERK_SOCKET");
	else if (!environment("NEUWERK_SERVER").empty())
		target.server = environment("NEUWERK_SERVER");
	else if (!environment("NEUWERK_CONTEXT").empty())
		taken = from_context(environment("NEUWERK_CONTEXT"));
	else if (!contexts.current.empty())
		taken = from_context(contexts.current);
	else
		target.socket = default_socket;
	if (!taken)
		return tl::unexpected(taken.error());
	if (!target.socket.empty())
		return Target{.socket = target.socket}; // whoever may open it is known by that
	auto server = parse_server(target.server);
	if (!server)
		return tl::unexpected(server.error());
	target.server = std::move(*server);
	const auto settle = [&](std::string &field, const std::string &flag, const char *name) {
		if (!flag.empty())
			field = flag;
		else if (field.empty())
			field = environment(name);
	};
	settle(target.token, wanted.token, "NEUWERK_TOKEN");
	settle(target.ca, wanted.ca, "NEUWERK_CA");
	return target;
}

} // namespace neuwerk::cli
