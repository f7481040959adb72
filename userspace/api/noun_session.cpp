// Routes: login, logout, whoami.
#include "api/nouns.h"

namespace neuwerk::api {

void add_session_routes(Routes &routes, Services &services)
{
	(void)routes;
	(void)services;
}

} // namespace neuwerk::api
