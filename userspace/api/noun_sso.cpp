// Routes: SSO providers: settings are stored, login has no engine yet.
#include "api/nouns.h"

namespace neuwerk::api {

void add_sso_routes(Routes &routes, Services &services)
{
	(void)routes;
	(void)services;
}

} // namespace neuwerk::api
