// The router: a table of path templates, and the order in which a request is refused.
#include "api/router.h"

#include "api/uri.h"
#include "base/log.h"
#include "base/text.h"

#include <algorithm>
#include <exception>

namespace neuwerk::api {

namespace {

constexpr std::size_t method_count = 5;
constexpr std::array<std::string_view, method_count> method_names{"GET", "PUT", "POST", "PATCH", "DELETE"};

struct Segment {
	std::string_view text; // the literal, or the name of the parameter
	bool is_parameter;
};

std::vector<std::string_view> split(std::string_view path)
{
	std::vector<std::string_view> parts;
	while (path.starts_with('/')) {
		path.remove_prefix(1);
		parts.push_back(path.substr(0, path.find('/')));
		path.remove_prefix(parts.back().size());
	}
	return parts;
}

bool writes(std::string_view method)
{
	return method == "POST" || method == "PUT" || method == "PATCH" || method == "DELETE";
}

} // namespace

struct Router::Path {
	std::string_view name; // the template
	std::vector<Segment> segments;
	std::array<const Route *, method_count> routes{}; // by method

	[[nodiscard]] const Route *route(std::size_t method, bool is_local) const
	{
		const Route *route = routes[method];
		return route && (is_local || route->access != Access::local) ? route : nullptr;
	}
	[[nodiscard]] bool is_visible(bool is_local) const
	{
		for (std::size_t method = 0; method < method_count; method++)
			if (route(method, is_local))
				return true;
		return false;
	}
	[[nodiscard]] bool is_open(bool is_local) const
	{
		for (std::size_t method = 0; method < method_count; method++)
			if (const Route *found = route(method, is_local);
			    found && found->access != Access::open)
				return false;
		return true;
	}
	[[nodiscard]] bool matches(const std::vector<std::string_view> &parts) const
	{
		for (std::size_t i = 0; i < parts.size(); i++)
			if (segments[i].is_parameter ? parts[i].empty() : parts[i] != segments[i].text)
				return false;
		return true;
	}
	[[nodiscard]] std::string allow(bool is_local) const
	{
		std::string names;
		for (std::size_t method = 0; method < method_count; method++)
			if (route(method, is_local))
				names += text(names.empty() ? "" : ", ", method_names[method],
					      method == 0 ? ", HEAD" : "");
		return names;
	}
};

Router::Router(Routes routes, RouterOptions options)
    : routes_(std::move(routes)), options_(std::move(options))
{
	for (const Route &route : routes_) {
		Path path;
		path.name = route.path;
		for (const std::string_view part : split(route.path)) {
			const bool is_parameter = part.starts_with('{') && part.ends_with('}');
			path.segments.push_back(
				{is_parameter ? part.substr(1, part.size() - 2) : part, is_parameter});
		}
		const std::size_t depth = path.segments.size();
		if (paths_.size() <= depth)
			paths_.resize(depth + 1);
		auto &level = paths_[depth];
		auto found = std::find_if(level.begin(), level.end(),
					  [&](const Path &other) { return other.name == path.name; });
		if (found == level.end())
			found = level.insert(level.end(), std::move(path));
		found->routes[static_cast<std::size_t>(route.method)] = &route;
	}
	for (auto &level : paths_)
		std::stable_sort(level.begin(), level.end(), [](const Path &a, const Path &b) {
			for (std::size_t i = 0; i < a.segments.size(); i++)
				if (a.segments[i].is_parameter != b.segments[i].is_parameter)
					return b.segments[i].is_parameter;
			return false;
		});
}

Router::~Router() = default;

Router::Match Router::match(const Head &head) const
{
	const std::vector<std::string_view> parts = split(head.request.path);
	if (parts.size() >= paths_.size())
		return {};
	for (const Path &path : paths_[parts.size()]) {
		if (!path.matches(parts) || !path.is_visible(head.is_local))
			continue;
		Match match;
		match.path = &path;
		if (head.method)
			match.route = path.route(static_cast<std::size_t>(*head.method), head.is_local);
		for (std::size_t i = 0; i < parts.size(); i++)
			if (path.segments[i].is_parameter)
				match.parameters.push_back(parts[i]);
		return match;
	}
	return {};
}

Router::Decision Router::decide(const Match &match, const Head &head) const
{
	Decision decision;
	decision.route = match.route;
	decision.body_limit_bytes = match.route && match.route->reads == Reads::policy_body
					    ? options_.policy_body_limit_bytes
					    : options_.body_limit_bytes;
	if (match.path) {
		decision.name = match.path->name;
		decision.refusal = refuse(match, head, decision);
	} else if (head.request.path.starts_with("/api/")) {
		decision.name = "unmatched";
		decision.refusal = error_response(404, "not found");
	} else {
		decision.name = "/ui";
		decision.refusal = ui_response(head);
	}
	return decision;
}

std::optional<Response> Router::refuse(const Match &match, const Head &head, Decision &decision) const
{
	const bool is_open =
		match.route ? match.route->access == Access::open : match.path->is_open(head.is_local);
	if (!is_open)
		if (auto refusal = authorise(match, head, decision.subject))
			return refusal;
	if (!match.route) {
		Response response;
		response.status = 405;
		response.headers.emplace_back("allow", match.path->allow(head.is_local));
		return response;
	}
	auto parameter = match.parameters.begin();
	for (const Segment &segment : match.path->segments) {
		if (!segment.is_parameter)
			continue;
		decision.parameters.push_back(decode_percent(*parameter++));
		if (!is_utf8(decision.parameters.back())) {
			Response response;
			response.status = 400;
			response.content_type = "text/plain; charset=utf-8";
			response.body = text("Invalid URL: Invalid UTF-8 in `", segment.text, "`");
			return response;
		}
	}
	if (!is_utf8(decode_form(head.request.query)))
		return error_response(400, "Failed to deserialize query string: invalid UTF-8");
	return std::nullopt;
}

std::optional<Response> Router::authorise(const Match &match, const Head &head,
					  identity::Subject &subject) const
{
	if (head.is_local) {
		subject.sub = "local:root"; // the file's mode has asked already
		subject.roles = {"admin"};
		return std::nullopt;
	}
	auto found =
		options_.authenticate({head.request.header("authorization"), head.request.header("cookie")});
	if (!found) {
		report("deny", identity::denial_reason(found.error()));
		return error_response(found.error());
	}
	subject = std::move(*found);
	const bool needs_admin =
		writes(head.method_name) || (match.route && match.route->access == Access::admin);
	if (needs_admin && !subject.is_admin()) {
		report("deny", "insufficient_role");
		return error_response(403, "admin role required");
	}
	report("allow", "valid_token");
	return std::nullopt;
}

void Router::report(std::string_view outcome, std::string_view reason) const
{
	if (options_.on_auth)
		options_.on_auth({outcome, reason});
}

Response Router::handle(const Decision &decision, const Request &request)
{
	try {
		return decision.route->handle(Call{request, decision.subject, decision.parameters});
	} catch (const std::exception &error) {
		log::error(text("api: ", decision.name, ": a handler threw: ", error.what()));
		return error_response(500, text("internal error: ", decision.name, ": see the log"));
	}
}

bool Router::is_quick(const Match &match)
{
	return !match.path || (match.route && match.route->quick);
}

} // namespace neuwerk::api
