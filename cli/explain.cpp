// neuwerkctl explain: what would happen to this packet, and which line of the policy says so?
#include "nouns.h"

#include "base/address.h"
#include "base/text.h"

#include <netinet/in.h>

namespace neuwerk::cli {

namespace {

std::string packet_words(const v1::ExplainRequest &question)
{
	const auto protocol = parse_protocol(question.protocol());
	const bool has_ports = protocol && (*protocol == IPPROTO_TCP || *protocol == IPPROTO_UDP);
	if (!has_ports)
		return text(question.protocol(), ' ', question.source(), " -> ", question.destination());
	return text(question.protocol(), ' ', question.source(),
		    question.source_port() == 0 ? std::string() : text(':', question.source_port()), " -> ",
		    question.destination(), ':', question.destination_port());
}

std::string decided_by(const v1::ExplainReply &answer)
{
	if (answer.group().empty())
		return "before policy was asked";
	const bool is_default_policy = answer.group() == "default";
	if (is_default_policy && answer.verdict().starts_with("dropped_"))
		return "by its direction, before any rule";
	if (!answer.rule().empty())
		return text("by rule '", answer.rule(), "' of group '", answer.group(), '\'');
	return is_default_policy ? "by default_policy"
				 : text("by the default_action of group '", answer.group(), '\'');
}

} // namespace

Result<v1::ExplainRequest> explain_request(const ExplainWords &words)
{
	for (const auto &[name, value] : {std::pair{"--from", &words.from}, std::pair{"--to", &words.to}})
		if (const auto address = parse_ipv4(*value); !address)
			return fail(ErrorKind::invalid_argument, text(name, ": ", address.error().what));
	const auto protocol = parse_protocol(words.protocol);
	if (!protocol)
		return fail(ErrorKind::invalid_argument, text("--proto: ", protocol.error().what));
	const bool has_ports = *protocol == IPPROTO_TCP || *protocol == IPPROTO_UDP;
	if (has_ports && !words.has_destination_port)
		return fail(ErrorKind::invalid_argument,
			    text("--dport: ", words.protocol, " needs a destination port"));
	v1::ExplainRequest request;
	request.set_source(words.from);
	request.set_destination(words.to);
	request.set_protocol(format_protocol(*protocol));
	request.set_source_port(words.source_port);
	request.set_destination_port(has_ports ? words.destination_port : 0);
	request.set_icmp_type(words.icmp_type);
	request.set_icmp_code(words.icmp_code);
	return request;
}

std::string render_explanation(const v1::ExplainRequest &question, const v1::ExplainReply &answer,
			       const Style &style)
{
	if (style.format != Format::table)
		return structured(answer, style.format);
	std::string out = packet_words(question) + '\n';
	out += answer.allowed() ? green("ALLOWED", style) : red("DENIED", style);
	out += text(' ', decided_by(answer), '\n');
	if (answer.mode() == "audited")
		out += "  audit mode: the policy says deny, but this part of it only reports\n";
	if (!answer.audit().empty())
		out += text("  an audit-mode rule would deny it: ", answer.audit(), '\n');
	out += text("  verdict     ", answer.verdict(), " (", answer.why(), ")\n");
	out += answer.generation() == 0 ? "  generation  none\n"
					: text("  generation  ", answer.generation(), '\n');
	return out;
}

} // namespace neuwerk::cli
