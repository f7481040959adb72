// For tests of the routes of identity: handlers called directly, as any subject, without a router before
// them.
#pragma once

#include "api/fake_appliance.h"
#include "api/nouns.h"
#include "state/temporary_store.h"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace neuwerk::api {

class HandlerBench {
public:
	explicit HandlerBench(void (*add_routes)(Routes &, Services &))
	{
		auto opened = identity::Identity::open(
			*store, sealing, [this] { return now_ms; }, "");
		REQUIRE(opened);
		identity = std::move(*opened);
		services_ = std::unique_ptr<Services>(new Services{
			*store, *identity, appliance_, sealing, [this] { return now_ms; }, "", "", 1 << 20});
		add_routes(routes, *services_);
	}

	// `path` is the template, as the table has it.
	Response call(Method method, std::string_view path, std::string_view body = "",
		      std::vector<std::string> parameters = {})
	{
		for (const auto &route : routes)
			if (route.method == method && route.path == path) {
				const Request request{method, std::string(path), "",
						      {},     std::string(body), peer};
				return route.handle(Call{request, subject, std::move(parameters)});
			}
		FAIL("no such route: ", path);
		return {};
	}

	state::TemporaryStore store;
	const crypto::SealingKey sealing{"local-v1", std::string(32, 'k')};
	std::int64_t now_ms = 1'800'000'000'000;
	identity::Subject subject{.sub = "tester", .roles = {"admin"}};
	std::string peer = "192.0.2.1";
	std::unique_ptr<identity::Identity> identity;
	Routes routes;

private:
	FakeAppliance appliance_;
	std::unique_ptr<Services> services_;
};

[[nodiscard]] inline boost::json::object object_of(const Response &response)
{
	boost::system::error_code error;
	const auto parsed = boost::json::parse(response.body, error);
	REQUIRE_MESSAGE((!error && parsed.is_object()), response.body);
	return parsed.get_object();
}

[[nodiscard]] inline boost::json::array array_of(const Response &response)
{
	boost::system::error_code error;
	const auto parsed = boost::json::parse(response.body, error);
	REQUIRE_MESSAGE((!error && parsed.is_array()), response.body);
	return parsed.get_array();
}

// "404 token not found"; of a success the status alone.
[[nodiscard]] inline std::string outcome_of(const Response &response)
{
	const std::string status = std::to_string(response.status);
	if (response.status < 400)
		return status;
	return status + " " + std::string(object_of(response).at("error").as_string());
}

[[nodiscard]] inline std::string text_of(const boost::json::object &object, std::string_view key)
{
	return std::string(object.at(key).as_string());
}

} // namespace neuwerk::api
