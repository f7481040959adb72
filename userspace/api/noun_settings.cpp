// Routes: performance mode and threat-intel settings.
#include "api/nouns.h"

namespace neuwerk::api {

void add_settings_routes(Routes &routes, Services &services)
{
	(void)routes;
	(void)services;
}

} // namespace neuwerk::api
