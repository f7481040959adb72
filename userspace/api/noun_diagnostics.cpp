// Routes: health, readiness, stats, flows, events, audit, wiretap, sysdump.
#include "api/nouns.h"

namespace neuwerk::api {

void add_diagnostics_routes(Routes &routes, Services &services)
{
	(void)routes;
	(void)services;
}

} // namespace neuwerk::api
