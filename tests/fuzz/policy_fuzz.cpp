// Any bytes as a policy document: the first byte picks the syntax; what parses is reviewed, completed,
// written, compiled and tested.
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
	const auto accepted = policy::accept(document, syntax, {});
	if (!accepted || accepted->policy != *parsed)
		std::abort(); // one reading says the same as another
	const auto kept = policy::accept(accepted->stored, policy::Syntax::json, {});
	if (!kept || kept->policy != *parsed || kept->stored != accepted->stored)
		std::abort(); // what is kept means what was sent
	const auto yaml = policy::to_yaml(accepted->stored);
	const auto from_yaml = policy::accept(*yaml, policy::Syntax::yaml, {});
	if (from_yaml && from_yaml->stored != accepted->stored)
		std::abort(); // the same document in another syntax; control characters have no YAML form
	if (!policy::enforceable(*parsed))
		return 0;
	const auto compiled = policy::compile(*parsed, {{{0x0a000000, 8}}}, {1u << 10, 1u << 10});
	if (compiled) {
		(void)policy::walk(*compiled, {0x0a000001, 0xc6336401, 6, 40000, 443, 0, 0});
		(void)policy::unreached(*parsed, *compiled);
		(void)policy::run_tests(*parsed, *compiled);
		if (!policy::disagree(*compiled, *compiled, 1).examples.empty())
			std::abort(); // nothing differs from itself
	} else if (compiled.error().kind != ErrorKind::resource_exhausted)
		std::abort(); // an enforceable policy compiles, or is too large
	return 0;
}
