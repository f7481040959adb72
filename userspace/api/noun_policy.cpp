// Routes: the policy singleton and everything about it.
#include "api/nouns.h"

namespace neuwerk::api {

void add_policy_routes(Routes &routes, Services &services)
{
	(void)routes;
	(void)services;
}

} // namespace neuwerk::api
