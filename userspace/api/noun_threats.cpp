// Routes: threat findings, silences and feeds.
#include "api/nouns.h"

namespace neuwerk::api {

void add_threats_routes(Routes &routes, Services &services)
{
	(void)routes;
	(void)services;
}

} // namespace neuwerk::api
