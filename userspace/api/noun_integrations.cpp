// Routes: Kubernetes integrations.
#include "api/nouns.h"

namespace neuwerk::api {

void add_integrations_routes(Routes &routes, Services &services)
{
	(void)routes;
	(void)services;
}

} // namespace neuwerk::api
