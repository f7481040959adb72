// A policy document on its way to the API.
#include "policy_document.h"

#include "base/text.h"

namespace neuwerk::cli {

namespace {

// By its ending, else by its first character: the API needs to know.
const char *content_type_of(const std::string &file, const std::string &document)
{
	if (file.ends_with(".json"))
		return "application/json";
	if (file.ends_with(".yaml") || file.ends_with(".yml"))
		return "application/yaml";
	const auto start = document.find_first_not_of(" \t\r\n");
	return start != std::string::npos && document[start] == '{' ? "application/json" : "application/yaml";
}

} // namespace

Result<Answer> send_document(const Session &session, const char *method, const std::string &path,
			     Headers headers)
{
	Request request{
		.method = method, .path = path, .headers = std::move(headers), .patience = policy_patience};
	const std::string file = session.words.get("FILE");
	if (!file.empty()) {
		auto document = read_file(session.world, file);
		if (!document)
			return tl::unexpected(document.error());
		if (document->empty())
			return fail(ErrorKind::invalid_argument, text(file, ": empty"));
		request.content_type = content_type_of(file, *document);
		request.body = std::move(*document);
	}
	return session.client().send(request);
}

Option policy_file_argument()
{
	return {.name = "FILE",
		.help = "JSON or YAML; - is standard input",
		.required = true,
		.is_file = true};
}

} // namespace neuwerk::cli
