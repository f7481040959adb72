// Routes: membership: needs cluster mode.
#include "api/nouns.h"

namespace neuwerk::api {

void add_cluster_routes(Routes &routes, Services &services)
{
	(void)routes;
	(void)services;
}

} // namespace neuwerk::api
