// The OpenAPI 3.1 document, printed from the table that serves.
#include "api/nouns.h"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <array>
#include <memory>

namespace neuwerk::api {

namespace json = boost::json;

namespace {

constexpr std::array<std::string_view, 7> tags{"Auth",     "Policies", "Integrations", "Service Accounts",
					       "Settings", "Threats",  "Diagnostics"};

std::string_view method_key(Method method)
{
	switch (method) {
	case Method::get:
		return "get";
	case Method::put:
		return "put";
	case Method::post:
		return "post";
	case Method::patch:
		return "patch";
	case Method::erase:
		return "delete";
	}
	return "get";
}

// "#Name", or a schema as text. What does not parse becomes null, which a test finds.
json::value schema_of(std::string_view text)
{
	if (text.starts_with('#'))
		return {{"$ref", "#/components/schemas/" + std::string(text.substr(1))}};
	json::error_code error;
	json::value schema = json::parse(text, error);
	return error ? json::value() : schema;
}

json::value content(std::string_view type, json::value schema)
{
	return json::object{{type, json::object{{"schema", std::move(schema)}}}};
}

json::array parameters_of(const Route &route)
{
	json::array parameters;
	std::string_view rest = route.path;
	while (rest.find('{') != std::string_view::npos) {
		rest.remove_prefix(rest.find('{') + 1);
		parameters.push_back({{"name", rest.substr(0, rest.find('}'))},
				      {"in", "path"},
				      {"required", true},
				      {"schema", {{"type", "string"}, {"minLength", 1}}}});
	}
	for (const std::string_view name : route.documentation.query)
		parameters.push_back({{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}});
	return parameters;
}

void add_error(json::object &responses, std::string_view status, std::string_view description)
{
	responses[status] = json::object{{"description", description},
					 {"content", content("application/json", schema_of("#Error"))}};
}

json::object responses_of(const Route &route)
{
	const Documentation &about = route.documentation;
	json::object success{{"description", about.summary}};
	if (!about.response.empty())
		success["content"] = content(about.response_type, schema_of(about.response));
	else if (about.response_type != "application/json")
		success["content"] = content(about.response_type, json::object{{"type", "string"}});
	json::object responses;
	responses[std::to_string(about.success)] = std::move(success);
	add_error(responses, "400", "The request is malformed, or a value is not acceptable");
	if (route.path.find('{') != std::string_view::npos) {
		responses["400"].as_object()["content"].as_object()["text/plain; charset=utf-8"] =
			json::object{{"schema", {{"type", "string"}}}};
		add_error(responses, "404", "Nothing has this name or id");
	}
	if (route.access != Access::open)
		add_error(responses, "401", "No credential, or one that is not valid");
	if (route.access == Access::admin || (route.access == Access::user && route.method != Method::get))
		add_error(responses, "403", "The role admin is required");
	if (route.reads != Reads::no_body)
		add_error(responses, "413", "The body is larger than the limit");
	add_error(responses, "default", "Any other error");
	return responses;
}

json::object operation_of(const Route &route)
{
	const Documentation &about = route.documentation;
	json::object operation{
		{"tags", {about.tag}}, {"summary", about.summary}, {"responses", responses_of(route)}};
	if (json::array parameters = parameters_of(route); !parameters.empty())
		operation["parameters"] = std::move(parameters);
	if (!about.request.empty())
		operation["requestBody"] = {
			{"required", true},
			{"content", content("application/json", schema_of(about.request))}};
	if (route.access != Access::open)
		operation["security"] = {{{"bearerAuth", json::array{}}}, {{"sessionCookie", json::array{}}}};
	return operation;
}

} // namespace

std::string openapi(const Routes &routes, const std::vector<Schema> &schemas)
{
	json::object paths;
	for (const Route &route : routes) {
		if (route.access == Access::local) // not reachable where the document is served
			continue;
		json::value &path = paths[route.path];
		if (!path.is_object())
			path = json::object();
		path.as_object()[method_key(route.method)] = operation_of(route);
	}
	json::object components;
	for (const Schema &schema : schemas)
		components[schema.name] = schema_of(schema.json);
	json::array tag_list;
	for (const std::string_view tag : tags)
		tag_list.push_back(json::object{{"name", tag}});
	const json::object document{
		{"openapi", "3.1.0"},
		{"info", {{"title", "Neuwerk HTTP API"}, {"version", "0.1.0"}}},
		{"tags", std::move(tag_list)},
		{"paths", std::move(paths)},
		{"components",
		 {{"schemas", std::move(components)},
		  {"securitySchemes",
		   {{"bearerAuth", {{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}},
		    {"sessionCookie", {{"type", "apiKey"}, {"in", "cookie"}, {"name", "neuwerk_auth"}}}}}}}};
	return json::serialize(document);
}

void add_openapi_route(Routes &routes)
{
	const auto document = std::make_shared<std::string>();
	routes.push_back({.method = Method::get,
			  .path = "/api/v1/openapi.json",
			  .access = Access::open,
			  .reads = Reads::no_body,
			  .documentation = {.tag = "Diagnostics",
					    .summary = "This document",
					    .response = R"({"type":"object"})"},
			  .handle = [document](const Call &) { return Response{.body = *document}; },
			  .quick = true});
	*document = openapi(routes, all_schemas()); // itself included
}

} // namespace neuwerk::api
