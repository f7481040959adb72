// Checks patterns: the only file that sees RE2.
#include "policy/regex.h"

#include <re2/re2.h>

namespace neuwerk::policy {

std::string problem_of_regex(std::string_view pattern, Case letters)
{
	RE2::Options options;
	options.set_max_mem(regex_limit_bytes);
	options.set_case_sensitive(letters == Case::sensitive);
	options.set_log_errors(false);
	const RE2 compiled(re2::StringPiece(pattern.data(), pattern.size()), options);
	return compiled.ok() ? std::string{} : compiled.error();
}

} // namespace neuwerk::policy
