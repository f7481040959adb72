// neuwerkctl policy: check a document, put it in force, go back.
#include "nouns.h"
#include "policy_document.h"

#include "base/address.h"
#include "base/text.h"

namespace neuwerk::cli {

namespace {

constexpr std::uint64_t confirm_limit_s = 86400;

// "300", "90s", "5m", "1h" in seconds.
Result<std::uint64_t> parse_confirm(const std::string &words)
{
	std::uint64_t unit_s = 1;
	std::string digits = words;
	if (!digits.empty() && !std::isdigit(static_cast<unsigned char>(digits.back()))) {
		unit_s = digits.back() == 's'   ? 1
			 : digits.back() == 'm' ? 60
			 : digits.back() == 'h' ? 3600
						: 0;
		digits.pop_back();
	}
	const auto count = parse_number(digits, confirm_limit_s);
	if (!count || unit_s == 0 || *count * unit_s < 1 || *count * unit_s > confirm_limit_s)
		return fail(
			ErrorKind::invalid_argument,
			text("--confirm: '", words, "' is no duration from 1s to 24h such as 90s, 5m or 1h"));
	return *count * unit_s;
}

// What a write answers: the document for Terraform, the rest in headers.
Json outcome_of(const Response &response)
{
	const auto number = [&](const char *name) {
		const auto value = parse_number(response.header(name), ~std::uint64_t{0});
		return Json(value ? *value : std::uint64_t{0});
	};
	Json::Array warnings;
	for (std::string &warning : response.all("x-neuwerk-warning"))
		warnings.emplace_back(std::move(warning));
	const bool is_unchanged = response.header("x-neuwerk-unchanged") == "true";
	const std::string activation = response.header("x-neuwerk-activation");
	return Json::object({{"revision", number("x-neuwerk-revision")},
			     {"generation", number("x-neuwerk-generation")},
			     {"activation", activation.empty() ? "enforced" : activation},
			     {"unchanged", is_unchanged},
			     {"warnings", warnings}});
}

void print_warnings(const Session &session, const Json &outcome)
{
	for (const Json &warning : outcome["warnings"].items())
		session.print(text("warning: ", warning.text(), '\n'));
}

void print_outcome(const Session &session, const Json &outcome)
{
	if (!session.is_table()) {
		session.print(structured(outcome, session.style.format));
		return;
	}
	const std::uint64_t revision = outcome["revision"].number();
	if (outcome["activation"].text() == "pending")
		session.print(text("policy revision ", revision,
				   " is committed, but not enforced yet: `neuwerkctl policy status`\n"));
	else
		session.print(text("policy revision ", revision,
				   outcome["unchanged"].truth() ? " was in force already, generation "
								: " is in force, generation ",
				   outcome["generation"].number(), '\n'));
	print_warnings(session, outcome);
	if (session.words.has("--confirm"))
		session.print(text("without `neuwerkctl policy confirm` within ",
				   session.words.get("--confirm"), " the previous policy returns\n"));
}

Result<> apply(const Session &session)
{
	const Words &words = session.words;
	Query query(policy_path);
	if (words.has("--confirm"))
		query.add("confirm", text(*parse_confirm(words.get("--confirm"))));
	query.add("message", words.get("--message"));
	if (words.has("--wait"))
		query.add("wait", "required");
	Headers headers;
	if (words.has("--if-revision"))
		headers.emplace_back("If-Match", text('"', words.get("--if-revision"), '"'));
	const auto answer = send_document(session, "PUT", query.path(), std::move(headers));
	if (!answer)
		return tl::unexpected(answer.error());
	print_outcome(session, outcome_of(answer->response));
	return {};
}

Result<> validate(const Session &session)
{
	const auto answer = send_document(session, "POST", policy_path + "/validate");
	if (!answer)
		return tl::unexpected(answer.error());
	if (!session.is_table()) {
		session.print(structured(answer->json, session.style.format));
		return {};
	}
	session.print(text(session.words.get("FILE"), ": valid\n"));
	print_warnings(session, answer->json);
	for (const Json &refusal : answer->json["not_enforceable"].items())
		session.print(text("apply would refuse it: ", refusal.text(), '\n'));
	return {};
}

Result<> roll_back(const Session &session)
{
	Json body = Json::object({{"revision", std::uint64_t{std::stoull(session.words.get("REVISION"))}}});
	if (session.words.has("--message"))
		body.set("message", session.words.get("--message"));
	const auto answer = session.client().send({.method = "POST",
						   .path = policy_path + "/rollback",
						   .body = body.compact(),
						   .content_type = "application/json",
						   .patience = policy_patience});
	if (!answer)
		return tl::unexpected(answer.error());
	print_outcome(session, outcome_of(answer->response));
	return {};
}

Result<> confirm(const Session &session)
{
	const auto answer = session.client().send_json("POST", policy_path + "/confirm", {});
	if (!answer)
		return tl::unexpected(answer.error());
	session.done("confirmed: the policy stays", Json::object({{"confirmed", true}}));
	return {};
}

const Option message_option{.name = "--message", .value = "TEXT", .help = "why, for the history"};

} // namespace

std::vector<Command> policy_commands()
{
	constexpr std::uint64_t any_revision = ~std::uint64_t{0};
	return {
		{.words = "policy apply",
		 .help = "put this document in force",
		 .options = {{.name = "--confirm",
			      .value = "DURATION",
			      .help = "return to the previous policy unless `policy confirm` comes in time: "
				      "90s, 5m, 1h"},
			     message_option,
			     {.name = "--if-revision",
			      .value = "REVISION",
			      .help = "fail when another revision stands by now",
			      .max = any_revision},
			     {.name = "--wait",
			      .help = "fail when this node does not enforce it within 2 seconds"},
			     policy_file_argument()},
		 .run = [](Session &session) { return apply(session); },
		 .check = [](const Words &words) -> Result<> {
			 if (!words.has("--confirm"))
				 return {};
			 const auto parsed = parse_confirm(words.get("--confirm"));
			 return parsed ? Result<>{} : tl::unexpected(parsed.error());
		 }},
		{.words = "policy validate",
		 .help = "is this document valid, and would apply take it?",
		 .options = {policy_file_argument()},
		 .run = [](Session &session) { return validate(session); }},
		{.words = "policy rollback",
		 .help = "put a document of the history in force again",
		 .options = {message_option,
			     {.name = "REVISION",
			      .help = "as `policy history` shows it",
			      .required = true,
			      .max = any_revision,
			      .min = 1}},
		 .run = [](Session &session) { return roll_back(session); }},
		{.words = "policy confirm",
		 .help = "keep the policy that was applied with --confirm",
		 .run = [](Session &session) { return confirm(session); }},
	};
}

} // namespace neuwerk::cli
