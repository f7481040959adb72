// Routes: the routes that the published Terraform provider calls.
#include "api/nouns.h"

namespace neuwerk::api {

void add_legacy_policy_routes(Routes &routes, Services &services)
{
	(void)routes;
	(void)services;
}

} // namespace neuwerk::api
