// What each noun of neuwerkctl prints: answers in, text out. One .cpp per noun.
#pragma once

#include "output.h"

#include "base/result.h"
#include "neuwerk/v1/control.pb.h"

#include <string>
#include <vector>

namespace neuwerk::cli {

[[nodiscard]] std::string render_status(const v1::NodeStatusReply &status, const Style &style);

[[nodiscard]] std::string render_flows(const std::vector<v1::Flow> &flows, const Style &style);

// Without `all`, only what counted something.
[[nodiscard]] std::string render_counters(const v1::CountersReply &counters, bool all, const Style &style);

[[nodiscard]] std::string render_event(const v1::Event &event, const Style &style);

[[nodiscard]] std::string render_explanation(const v1::ExplainRequest &question,
					     const v1::ExplainReply &answer, const Style &style);
// The question of `explain`: ports only where the protocol has them.
struct ExplainWords {
	std::string from;
	std::string to;
	std::string protocol;
	std::uint32_t source_port = 0;
	std::uint32_t destination_port = 0;
	bool has_destination_port = false;
	std::uint32_t icmp_type = 8; // echo request
	std::uint32_t icmp_code = 0;
};
[[nodiscard]] Result<v1::ExplainRequest> explain_request(const ExplainWords &words);

[[nodiscard]] std::string render_validated(const v1::PolicyReply &reply, const std::string &file,
					   const Style &style);
[[nodiscard]] std::string render_applied(const v1::PolicyReply &reply, const Style &style);
[[nodiscard]] std::string render_policy(const v1::PolicyDocument &document, const Style &style);
// "-" is standard input. `.json`, `.yaml` and `.yml` name the syntax, anything else lets neuwerkd guess.
[[nodiscard]] Result<v1::PolicyDocument> read_policy(const std::string &file);

} // namespace neuwerk::cli
