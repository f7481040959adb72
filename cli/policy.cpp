// neuwerkctl policy: check a document, put it in force, read it back.
#include "nouns.h"

#include "base/files.h"
#include "base/text.h"

#include <iostream>
#include <iterator>

namespace neuwerk::cli {

namespace {

std::string warning_lines(const v1::PolicyReply &reply)
{
	std::string out;
	for (const std::string &warning : reply.warnings())
		out += text("warning: ", warning, '\n');
	return out;
}

} // namespace

Result<v1::PolicyDocument> read_policy(const std::string &file)
{
	v1::PolicyDocument document;
	if (file == "-") {
		document.set_text(std::string(std::istreambuf_iterator<char>(std::cin), {}));
		return document;
	}
	SystemFiles files;
	auto content = files.read(file);
	if (!content)
		return tl::unexpected(content.error());
	document.set_text(std::move(*content));
	if (file.ends_with(".json"))
		document.set_syntax("json");
	if (file.ends_with(".yaml") || file.ends_with(".yml"))
		document.set_syntax("yaml");
	return document;
}

std::string render_validated(const v1::PolicyReply &reply, const std::string &file, const Style &style)
{
	if (style.format != Format::table)
		return structured(reply, style.format);
	std::string out = text(file, ": valid\n", warning_lines(reply));
	for (const std::string &refusal : reply.not_enforceable())
		out += text("apply would refuse it: ", refusal, '\n');
	return out;
}

std::string render_applied(const v1::PolicyReply &reply, const Style &style)
{
	if (style.format != Format::table)
		return structured(reply, style.format);
	return text("policy generation ", reply.generation(), " is in force\n", warning_lines(reply));
}

std::string render_policy(const v1::PolicyDocument &document, const Style &style)
{
	const Format format = style.format == Format::table ? Format::json : style.format;
	return reformatted(document.text(), format);
}

} // namespace neuwerk::cli
