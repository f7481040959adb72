// From text to a policy: picks the syntax, reads the tree, reports the first problem.
#include "policy/policy.h"

#include "base/text.h"
#include "policy/document.h"
#include "policy/materialise.h"
#include "policy/read.h"
#include "policy/review.h"

namespace neuwerk::policy {

namespace {

Result<Node> read_document(std::string_view document, Syntax syntax)
{
	if (document.size() > document_limit_bytes)
		return fail(ErrorKind::invalid_argument, text("E_JSON: the document has ", document.size(),
							      " bytes; the limit is ", document_limit_bytes));
	Result<Node> tree = syntax == Syntax::json ? read_json(document) : read_yaml(document);
	if (!tree)
		return fail(tree.error().kind, text("E_JSON: ", tree.error().what));
	return tree;
}

} // namespace

Result<model::Policy> parse(std::string_view document, Syntax syntax, model::Action default_if_absent)
{
	const auto tree = read_document(document, syntax);
	if (!tree)
		return tl::unexpected(tree.error());
	Reading reading;
	model::Policy policy = read_policy(reading, *tree, default_if_absent);
	if (reading.failed())
		return tl::unexpected(reading.error());
	return policy;
}

Result<Accepted> accept(std::string_view document, Syntax syntax, const Terms &terms)
{
	auto tree = read_document(document, syntax);
	if (!tree)
		return tl::unexpected(tree.error());
	if (!terms.group_mode.empty())
		insert_group_mode(*tree, terms.group_mode);
	Reading reading;
	Accepted accepted;
	accepted.policy = read_policy(reading, *tree, terms.default_if_absent);
	if (reading.failed())
		return tl::unexpected(reading.error());
	review_policy(accepted.policy, reading);
	accepted.warnings = reading.take_warnings();
	accepted.stored = write_json(materialised(std::move(*tree), accepted.policy), Layout::compact);
	return accepted;
}

Result<std::string> to_yaml(std::string_view json)
{
	const auto tree = read_json(json);
	if (!tree)
		return tl::unexpected(tree.error());
	return write_yaml(*tree);
}

Syntax syntax_of(std::string_view document)
{
	return trimmed(document).starts_with('{') ? Syntax::json : Syntax::yaml;
}

Result<std::vector<Warning>> review(std::string_view document, Syntax syntax)
{
	const auto tree = read_document(document, syntax);
	if (!tree)
		return tl::unexpected(tree.error());
	Reading reading;
	const model::Policy policy = read_policy(reading, *tree, model::Action::deny);
	if (reading.failed())
		return tl::unexpected(reading.error());
	review_policy(policy, reading);
	return reading.take_warnings();
}

} // namespace neuwerk::policy
