// Any bytes as config.yaml: what is refused names a key or a line, what is accepted keeps its own rules.
#include "daemon/config.h"

#include <cstdint>
#include <cstdlib>

using namespace neuwerk;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t count)
{
	const auto config = daemon::parse_config({reinterpret_cast<const char *>(bytes), count});
	if (!config) {
		if (config.error().what.empty())
			std::abort(); // an operator must learn why
		return 0;
	}
	if (config->dataplane.ports.empty() || config->dataplane.ports.size() > NW_PORT_LIMIT)
		std::abort();
	(void)daemon::outside_port(config->dataplane); // every parsed configuration has one
	if (config->dataplane.sizes.flow_lines & (config->dataplane.sizes.flow_lines - 1))
		std::abort(); // the table is indexed by a mask
	return 0;
}
