// What each noun adds to the table of commands; one .cpp per line.
#pragma once

#include "command.h"
#include "session.h"

#include <string>
#include <vector>

namespace neuwerk::cli {

// clang-format off
[[nodiscard]] std::vector<Command> status_commands();          // status, ready
[[nodiscard]] std::vector<Command> policy_commands();          // policy …: what changes it
[[nodiscard]] std::vector<Command> policy_review_commands();   // policy …: what does not
[[nodiscard]] std::vector<Command> explain_commands();         // explain, policy explain
[[nodiscard]] std::vector<Command> flow_commands();            // flow …, nat show
[[nodiscard]] std::vector<Command> counters_commands();        // counters
[[nodiscard]] std::vector<Command> events_commands();          // events
[[nodiscard]] std::vector<Command> audit_commands();           // audit list, wiretap
[[nodiscard]] std::vector<Command> auth_commands();            // auth …: keys and tokens of people
[[nodiscard]] std::vector<Command> service_account_commands(); // service-account …, token …
[[nodiscard]] std::vector<Command> settings_commands();        // settings …
[[nodiscard]] std::vector<Command> integration_commands();     // integration …
[[nodiscard]] std::vector<Command> sso_commands();             // sso provider …
[[nodiscard]] std::vector<Command> cluster_commands();         // cluster …
[[nodiscard]] std::vector<Command> sysdump_commands();         // sysdump, debug limits
[[nodiscard]] std::vector<Command> context_commands();         // context …
[[nodiscard]] std::vector<Command> completion_commands();      // completion …
// clang-format on

// What the tests look at: answers in, text out. The shapes are those of proto/neuwerk/v1/.
[[nodiscard]] std::string render_status(const Json &status, const Style &style);
[[nodiscard]] std::string render_flows(const Json &flows, const Style &style);
// Without `all`, only what counted something.
[[nodiscard]] std::string render_counters(const Json &counters, bool all, const Style &style);
[[nodiscard]] std::string render_event(const Json &event, const Style &style);
[[nodiscard]] std::string render_explanation(const Json &question, const Json &answer, const Style &style);

// The completion script of a shell (bash, zsh, fish), made from the table of commands.
[[nodiscard]] std::string completion_of(const std::string &shell);

} // namespace neuwerk::cli
