// Routes: the signing keys (local socket).
#include "api/nouns.h"

namespace neuwerk::api {

void add_keys_routes(Routes &routes, Services &services)
{
	(void)routes;
	(void)services;
}

} // namespace neuwerk::api
