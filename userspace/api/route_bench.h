// For tests of routes: a temporary Store, the routes of one noun, and requests that go through the router.
#pragma once

#include "api/fake_appliance.h"
#include "api/nouns.h"
#include "api/router.h"
#include "state/temporary_store.h"

#include <boost/json.hpp>
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace neuwerk::api {

namespace json = boost::json;

struct Answer {
	int status;
	std::string body;
	Headers headers;
	std::string content_type;

	[[nodiscard]] json::value tree() const
	{
		boost::system::error_code error;
		json::value value = json::parse(body, error);
		CHECK_MESSAGE(!error, "not JSON: ", body);
		return value;
	}
	// The message of an error, "" of a success.
	[[nodiscard]] std::string error() const
	{
		return status < 400 ? std::string() : std::string(tree().at("error").as_string());
	}
	[[nodiscard]] std::string header(std::string_view name) const
	{
		for (const auto &[key, value] : headers)
			if (key == name)
				return value;
		return {};
	}
};

// One appliance with the routes of one noun; every caller is admin "tester".
class RouteBench {
public:
	explicit RouteBench(void (*add_routes)(Routes &, Services &))
	    : RouteBench(add_routes, std::make_shared<FakeAppliance>())
	{
	}
	RouteBench(void (*add_routes)(Routes &, Services &), std::shared_ptr<Appliance> appliance)
	    : appliance_(std::move(appliance))
	{
		auto opened = identity::Identity::open(store(), sealing, now(), "");
		REQUIRE(opened);
		identity_ = std::move(*opened);
		services_ = std::unique_ptr<Services>(
			new Services{store(), *identity_, *appliance_, sealing, now(), "", "", 1 << 20});
		Routes routes;
		add_routes(routes, *services_);
		const auto admin = [](const identity::Credentials &) -> Result<identity::Subject> {
			return identity::Subject{.sub = "tester", .roles = {"admin"}};
		};
		router_ = std::make_unique<Router>(std::move(routes), RouterOptions{.authenticate = admin});
	}

	// `target`: path and query as sent. Safe from every thread.
	Answer send(Method method, std::string_view target, std::string_view body = "", Headers headers = {})
	{
		const auto question = target.find('?');
		Head head{.request = {.method = method, .path = std::string(target.substr(0, question))},
			  .method = method,
			  .method_name = "GET"};
		if (question != std::string_view::npos)
			head.request.query = target.substr(question + 1);
		head.request.body = body;
		head.request.headers = std::move(headers);
		const Router::Match match = router_->match(head);
		const Router::Decision decision = router_->decide(match, head);
		Response response =
			decision.refusal ? *decision.refusal : Router::handle(decision, head.request);
		return {response.status, std::move(response.body), std::move(response.headers),
			std::move(response.content_type)};
	}
	Answer get(std::string_view target)
	{
		return send(Method::get, target);
	}

	[[nodiscard]] state::Store &store()
	{
		return *store_;
	}
	// Every record of the Store as one text: what a thief of the disk would read.
	[[nodiscard]] std::string everything_stored()
	{
		std::string all;
		const auto records = store().list("");
		REQUIRE(records);
		for (const state::Record &record : *records)
			all += record.key + "=" + record.value + "\n";
		return all;
	}
	void put_record(std::string_view key, std::string_view value)
	{
		REQUIRE(store().write(
			{.operations = {state::put(std::string(key), std::string(value))}, .actor = "test"}));
	}

	std::int64_t now_ms = 1'800'000'000'123;
	const crypto::SealingKey sealing{"test", std::string(32, 'k')};

private:
	identity::WallClock now()
	{
		return [this] { return now_ms; };
	}

	state::TemporaryStore store_;
	std::shared_ptr<Appliance> appliance_;
	std::unique_ptr<identity::Identity> identity_;
	std::unique_ptr<Services> services_;
	std::unique_ptr<Router> router_;
};

// Requests that must be refused, with the documented words.
struct Refusal {
	std::string_view body;
	int status;
	std::string_view message; // ends with '*': only the beginning is documented
};
inline void check_refusals(RouteBench &bench, Method method, std::string_view target,
			   const std::vector<Refusal> &refusals)
{
	for (const Refusal &refusal : refusals) {
		CAPTURE(refusal.body);
		const Answer answer = bench.send(method, target, refusal.body);
		CHECK(answer.status == refusal.status);
		if (refusal.message.ends_with('*'))
			CHECK_MESSAGE(answer.error().starts_with(
					      refusal.message.substr(0, refusal.message.size() - 1)),
				      answer.error());
		else
			CHECK(answer.error() == refusal.message);
	}
}

} // namespace neuwerk::api
