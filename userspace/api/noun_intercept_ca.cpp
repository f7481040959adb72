// Routes: the CA of TLS interception.
#include "api/nouns.h"

namespace neuwerk::api {

void add_intercept_ca_routes(Routes &routes, Services &services)
{
	(void)routes;
	(void)services;
}

} // namespace neuwerk::api
