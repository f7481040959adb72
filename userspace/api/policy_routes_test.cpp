// The routes of the policy, over an appliance that remembers what it was asked.
#include "api/route_bench.h"

using namespace neuwerk;
using namespace neuwerk::api;

namespace {

constexpr const char *document = R"({"default_policy":"Allow","source_groups":[]})";
constexpr const char *some_id = "11111111-2222-4333-8444-555555555555";

class RememberingAppliance final : public FakeAppliance {
public:
	PolicyRecord record{
		.revision = 7, .id = some_id, .created_at = "2027-01-15T08:00:00Z", .document = document};
	PolicyWritten outcome;
	std::optional<Error> refusal;
	std::optional<PolicyWrite> written;
	std::pair<std::string, std::string> compared;
	std::string asked, tested, confirmed_by, reset_id;
	std::pair<std::uint64_t, std::string> rolled_back;

	Result<PolicyRecord> policy() override
	{
		return record;
	}
	Result<PolicyWritten> write_policy(const PolicyWrite &write) override
	{
		written = write;
		if (refusal)
			return tl::unexpected(*refusal);
		outcome.record = record;
		outcome.record.name = write.name;
		outcome.record.mode = write.mode;
		return outcome;
	}
	Result<PolicyReview> validate_policy(const std::string &sent, bool is_yaml) override
	{
		asked = (is_yaml ? "yaml:" : "json:") + sent;
		return PolicyReview{{"a: \"quoted\""}, {"tls is not enforced yet"}};
	}
	Result<std::vector<PolicyRecord>> policy_history() override
	{
		PolicyRecord entry = record;
		entry.document.clear();
		entry.author = "alice";
		entry.source = "admin-api";
		return std::vector{entry};
	}
	Result<PolicyRecord> policy_at(std::uint64_t revision) override
	{
		if (revision != 3)
			return fail(ErrorKind::not_found, "policy revision 9: not in the history");
		PolicyRecord old = record;
		old.revision = 3;
		old.document = R"({"old":true})";
		return old;
	}
	Result<PolicyWritten> roll_back_policy(std::uint64_t revision, const std::string &,
					       const std::string &message) override
	{
		rolled_back = {revision, message};
		return PolicyWritten{.record = record, .warnings = {}};
	}
	Result<> confirm_policy(const std::string &author) override
	{
		confirmed_by = author;
		return refusal ? tl::unexpected(*refusal) : Result<>{};
	}
	Result<> reset_policy(const std::string &id, const std::string &) override
	{
		reset_id = id;
		return refusal ? tl::unexpected(*refusal) : Result<>{};
	}
	std::string policy_status() override
	{
		return R"({"revision":7})";
	}
	Result<std::string> explain(const std::string &question) override
	{
		asked = question;
		return R"({"allowed":true})";
	}
	Result<std::string> diff_policies(const std::string &from, const std::string &to) override
	{
		compared = {from, to};
		return R"({"equivalent":true})";
	}
	Result<std::string> test_policy(const std::string &sent) override
	{
		tested = sent;
		return R"({"passed":true,"tests":[]})";
	}
};

struct Policies {
	std::shared_ptr<RememberingAppliance> appliance = std::make_shared<RememberingAppliance>();
	RouteBench bench{add_policy_routes, appliance};
};
struct LegacyPolicies {
	std::shared_ptr<RememberingAppliance> appliance = std::make_shared<RememberingAppliance>();
	RouteBench bench{add_legacy_policy_routes, appliance};
};

} // namespace

TEST_CASE_FIXTURE(Policies, "the policy is shown as it was written, as JSON or as YAML")
{
	const auto as_json = bench.get("/api/v1/policy?format=xml");
	CHECK(as_json.status == 200);
	CHECK(as_json.body == document);
	CHECK(as_json.header("X-Neuwerk-Revision") == "7");
	CHECK(as_json.header("ETag") == "\"7\"");
	const auto as_yaml = bench.get("/api/v1/policy?format=YAML");
	CHECK(as_yaml.content_type == "application/yaml");
	CHECK(as_yaml.body == "default_policy: Allow\nsource_groups: []\n");
}

TEST_CASE_FIXTURE(Policies, "a write carries who, why and what it expects, and answers with what stands")
{
	appliance->outcome.generation = 12;
	const auto answer = bench.send(
		Method::put, "/api/v1/policy?confirm=300&message=open+web&wait=required", "{\"a\":1}");
	CHECK(answer.status == 200);
	CHECK(answer.body == document);
	CHECK(answer.header("X-Neuwerk-Revision") == "7");
	CHECK(answer.header("X-Neuwerk-Generation") == "12");
	CHECK(answer.header("X-Neuwerk-Activation").empty());
	REQUIRE(appliance->written);
	CHECK(appliance->written->document == "{\"a\":1}");
	CHECK_FALSE(appliance->written->is_yaml);
	CHECK(appliance->written->author == "tester");
	CHECK(appliance->written->message == "open web");
	CHECK(appliance->written->confirm_s == 300);
	CHECK(appliance->written->wait_required);
	CHECK(appliance->written->source == "admin-api");
	CHECK_FALSE(appliance->written->name);
}

TEST_CASE_FIXTURE(Policies, "what a write did not do at once, or not at all, is said in headers")
{
	appliance->outcome.activation_pending = true;
	appliance->outcome.unchanged = true;
	appliance->outcome.warnings = {"a: first", "b: caf\xc3\xa9\r\nX-Evil: 1"};
	const auto answer = bench.send(Method::put, "/api/v1/policy", "{}");
	CHECK(answer.header("X-Neuwerk-Activation") == "pending");
	CHECK(answer.header("X-Neuwerk-Unchanged") == "true");
	std::vector<std::string> warnings;
	for (const auto &[name, value] : answer.headers)
		if (name == "X-Neuwerk-Warning")
			warnings.push_back(value);
	CHECK(warnings == std::vector<std::string>{"a: first", "b: caf????X-Evil: 1"});

	appliance->outcome.warnings.assign(100, "w");
	const auto many = bench.send(Method::put, "/api/v1/policy", "{}");
	CHECK(std::ranges::count_if(many.headers, [](const auto &header) {
		      return header.first == "X-Neuwerk-Warning";
	      }) == 33);
	CHECK(many.headers.back().second == "and 68 more: POST /api/v1/policy/validate shows all");
}

TEST_CASE_FIXTURE(Policies, "a write that is refused has the status of its reason")
{
	const struct {
		ErrorKind kind;
		int status;
	} rows[] = {{ErrorKind::invalid_argument, 400},
		    {ErrorKind::conflict, 409},
		    {ErrorKind::unavailable, 503},
		    {ErrorKind::resource_exhausted, 507}};
	for (const auto &row : rows) {
		appliance->refusal = Error{row.kind, "why"};
		const auto answer = bench.send(Method::put, "/api/v1/policy", "{}");
		CHECK(answer.status == row.status);
		CHECK(answer.error() == "why");
	}
	for (const char *query : {"confirm=soon", "confirm=-1", "wait=please"}) {
		appliance->written.reset();
		CHECK(bench.send(Method::put, std::string("/api/v1/policy?") + query, "{}").status == 400);
		CHECK_FALSE(appliance->written);
	}
}

TEST_CASE_FIXTURE(Policies, "a policy that names an unknown integration is refused with its name")
{
	const auto answer = bench.send(
		Method::put, "/api/v1/policy",
		R"({"source_groups":[{"id":"a","mode":"enforce","sources":{"kubernetes":[{"integration":" prod ",
		   "node_selector":{}}]}}]})");
	CHECK(answer.status == 400);
	CHECK(answer.error() == "unknown kubernetes integration: prod");
	CHECK_FALSE(appliance->written);
}

TEST_CASE_FIXTURE(Policies, "validate lists warnings and what would be refused")
{
	const auto answer = bench.send(Method::post, "/api/v1/policy/validate", "{}");
	CHECK(answer.body ==
	      R"({"warnings":["a: \"quoted\""],"not_enforceable":["tls is not enforced yet"]})");
	CHECK(appliance->asked == "json:{}");
}

TEST_CASE_FIXTURE(Policies, "a comparison takes documents, texts, revisions, or what stands")
{
	const auto ask = [&](std::string_view target, std::string_view body) {
		return bench.send(Method::post, target, body).status;
	};
	CHECK(ask("/api/v1/policy/diff", R"({"from":3,"to":{"x":[1]}})") == 200);
	CHECK(appliance->compared == std::pair<std::string, std::string>(R"({"old":true})", R"({"x":[1]})"));
	CHECK(ask("/api/v1/policy/diff", R"({"to":"default_policy: deny\n"})") == 200);
	CHECK(appliance->compared == std::pair<std::string, std::string>(document, "default_policy: deny\n"));
	CHECK(ask("/api/v1/policy/diff?revision=3", R"({"default_policy":"deny"})") == 200);
	CHECK(appliance->compared ==
	      std::pair<std::string, std::string>(R"({"old":true})", R"({"default_policy":"deny"})"));
	CHECK(ask("/api/v1/policy/diff", "default_policy: deny\n") == 200);
	CHECK(appliance->compared == std::pair<std::string, std::string>(document, "default_policy: deny\n"));
	CHECK(ask("/api/v1/policy/diff", R"({"from":9})") == 404);
	CHECK(ask("/api/v1/policy/diff?revision=9", "{}") == 404);
	CHECK(ask("/api/v1/policy/diff?revision=x", "{}") == 400);
}

TEST_CASE_FIXTURE(Policies, "the history lists revisions and shows one with its document")
{
	CHECK(bench.get("/api/v1/policy/history").body ==
	      R"([{"revision":7,"time":"","author":"alice","message":"","source":"admin-api","name":null,)"
	      R"("mode":"enforce"}])");
	const auto entry = bench.get("/api/v1/policy/history/3");
	CHECK(entry.status == 200);
	CHECK(entry.tree().at("document").at("old").as_bool());
	CHECK(entry.tree().at("revision") == 3);
	CHECK(bench.get("/api/v1/policy/history/9").status == 404);
	CHECK(bench.get("/api/v1/policy/history/x").error() == "invalid revision");
}

TEST_CASE_FIXTURE(Policies, "a rollback names its revision")
{
	CHECK(bench.send(Method::post, "/api/v1/policy/rollback", R"({"revision":3,"message":"mail"})")
		      .status == 200);
	CHECK(appliance->rolled_back == std::pair<std::uint64_t, std::string>(3, "mail"));
	for (const char *body : {"{}", "", "[3]", R"({"revision":"3"})", R"({"revision":-3})"})
		CHECK(bench.send(Method::post, "/api/v1/policy/rollback", body).status == 400);
}

TEST_CASE_FIXTURE(Policies, "confirm, status, explain and test pass on what they are asked")
{
	const auto confirmed = bench.send(Method::post, "/api/v1/policy/confirm");
	CHECK(confirmed.status == 200);
	CHECK(confirmed.body == R"({"revision":7})");
	CHECK(appliance->confirmed_by == "tester");
	appliance->refusal = Error{ErrorKind::conflict, "nothing waits"};
	CHECK(bench.send(Method::post, "/api/v1/policy/confirm").status == 409);
	CHECK(bench.get("/api/v1/policy/status").body == R"({"revision":7})");
	CHECK(bench.send(Method::post, "/api/v1/policy/explain", "{\"q\":1}").body == R"({"allowed":true})");
	CHECK(appliance->asked == "{\"q\":1}");
	CHECK(bench.send(Method::post, "/api/v1/policy/test", "{}").status == 200);
	CHECK(appliance->tested == "{}");
	CHECK(bench.send(Method::post, "/api/v1/policy/test").status == 200);
	CHECK(appliance->tested == document);
}

TEST_CASE_FIXTURE(LegacyPolicies, "a name finds the policy that carries it, without case and blanks")
{
	CHECK(bench.get("/api/v1/policies/by-name/edge").error() == "policy not found");
	appliance->record.name = "Edge";
	const auto found = bench.get("/api/v1/policies/by-name/%20edge");
	CHECK(found.status == 200);
	CHECK(found.body ==
	      R"({"id":"11111111-2222-4333-8444-555555555555","created_at":"2027-01-15T08:00:00Z","name":"Edge",)"
	      R"("mode":"enforce","policy":{"default_policy":"Allow","source_groups":[]}})");
	CHECK(bench.get("/api/v1/policies/by-name/edge?format=yaml").content_type == "application/yaml");
	CHECK(bench.get("/api/v1/policies/by-name/%20").error() == "policy name must not be empty");
	CHECK(bench.get("/api/v1/policies/by-name/other").status == 404);
}

TEST_CASE_FIXTURE(LegacyPolicies, "the provider's write names the policy and gives groups their mode")
{
	const auto answer =
		bench.send(Method::put, "/api/v1/policies/by-name/edge",
			   R"({"mode":"audit","name":"ignored","policy":{"source_groups":[{"p":443}]}})");
	CHECK(answer.status == 200);
	CHECK(answer.tree().at("mode") == "audit");
	CHECK(answer.tree().at("name") == "edge");
	REQUIRE(appliance->written);
	CHECK(appliance->written->document == R"({"source_groups":[{"p":443}]})");
	CHECK(appliance->written->name == "edge");
	CHECK(appliance->written->mode == "audit");
	CHECK(appliance->written->default_group_mode == "enforce");
	check_refusals(bench, Method::put, "/api/v1/policies/by-name/edge",
		       {{"", 400, "invalid json: *"},
			{"{}", 400, "invalid json: missing field `policy`"},
			{R"({"policy":{},"mode":1})", 400, "invalid json: *"}});
	appliance->refusal = Error{ErrorKind::conflict, "policy name already exists: x"};
	CHECK(bench.send(Method::put, "/api/v1/policies/by-name/edge", R"({"policy":{}})").status == 409);
}

TEST_CASE_FIXTURE(LegacyPolicies, "a delete takes a UUID in any form, and everything else is gone")
{
	const auto erase = [&](const std::string &id) {
		return bench.send(Method::erase, "/api/v1/policies/" + id);
	};
	CHECK(erase("11111111222243338444555555555555").status == 204);
	CHECK(appliance->reset_id == some_id);
	CHECK(erase("x").error() == "invalid policy id");
	appliance->refusal = Error{ErrorKind::not_found, "policy not found"};
	CHECK(erase(some_id).status == 404);
	for (const char *path : {"/api/v1/policies", "/api/v1/policies/x"})
		for (const Method method : {Method::get, Method::post, Method::put}) {
			const auto answer = bench.send(method, path, "{}");
			CHECK(answer.status == 404);
			CHECK(answer.body.empty());
		}
}
