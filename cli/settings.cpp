// neuwerkctl settings: the switches of an appliance.
#include "nouns.h"

#include "base/text.h"

namespace neuwerk::cli {

namespace {

std::string path_of(const std::string &setting)
{
	return "/api/v1/settings/" + setting;
}

Result<> set_performance_mode(const Session &session)
{
	const Json body = Json::object({{"enabled", session.words.get("STATE") == "on"}});
	return session.send("PUT", path_of("performance-mode"), body, as_object(session.style));
}

Result<> set_threat_intel(const Session &session)
{
	Json body = Json::object();
	if (session.words.has("--enabled"))
		body.set("enabled", session.words.get("--enabled") == "on");
	if (session.words.has("--alert-threshold"))
		body.set("alert_threshold", session.words.get("--alert-threshold"));
	return session.send("PUT", path_of("threat-intel"), body, as_object(session.style));
}

} // namespace

std::vector<Command> settings_commands()
{
	return {
		{.words = "settings get",
		 .help = "read one setting",
		 .options = {{.name = "SETTING",
			      .help = "which one",
			      .required = true,
			      .choices = {"performance-mode", "threat-intel", "tls-intercept-ca"}}},
		 .run =
			 [](Session &session) {
				 return session.show(path_of(session.words.get("SETTING")),
						     as_object(session.style));
			 }},
		{.words = "settings set performance-mode",
		 .help = "off: no wiretap and no audit findings",
		 .options =
			 {{.name = "STATE", .help = "on or off", .required = true, .choices = {"on", "off"}}},
		 .run = [](Session &session) { return set_performance_mode(session); }},
		{.words = "settings set threat-intel",
		 .help = "what is not given stays",
		 .options =
			 {{.name = "--enabled", .value = "STATE", .help = "use it", .choices = {"on", "off"}},
			  {.name = "--alert-threshold",
			   .value = "SEVERITY",
			   .help = "findings from here up alert",
			   .choices = {"low", "medium", "high", "critical"}}},
		 .run = [](Session &session) { return set_threat_intel(session); },
		 .check = [](const Words &words) -> Result<> {
			 if (!words.has("--enabled") && !words.has("--alert-threshold"))
				 return fail(ErrorKind::invalid_argument,
					     "missing --enabled or --alert-threshold");
			 return {};
		 }},
	};
}

} // namespace neuwerk::cli
