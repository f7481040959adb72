// Any bytes as a policy document: the first byte picks the syntax; what parses is reviewed, written and
// compiled.
#include "policy/policy.h"

#include <cstdint>
#include <cstdlib>

using namespace neuwerk;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t count)
{
	if (count == 0)
		return 0;
	const auto syntax = bytes[0] & 1 ? policy::Syntax::yaml : policy::Syntax::json;
	const std::string_view document(reinterpret_cast<const char *>(bytes) + 1, count - 1);
	const auto parsed = policy::parse(document, syntax);
	const auto reviewed = policy::review(document, syntax);
	if (parsed.has_value() != reviewed.has_value())
		std::abort(); // what is legal does not depend on who asks
	if (!parsed)
		return 0;
	const auto again = policy::parse(policy::to_json(*parsed), policy::Syntax::json);
	if (!again || *again != *parsed)
		std::abort(); // the normalised document says something else
	if (!policy::enforceable(*parsed))
		return 0;
	const auto compiled = policy::compile(*parsed, {{{0x0a000000, 8}}}, {1u << 10, 1u << 10});
	if (compiled)
		(void)policy::walk(*compiled, {0x0a000001, 0xc6336401, 6, 40000, 443, 0, 0});
	else if (compiled.error().kind != ErrorKind::resource_exhausted)
		std::abort(); // an enforceable policy compiles, or is too large
	return 0;
}
