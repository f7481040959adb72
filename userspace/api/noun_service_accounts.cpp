// Routes: service accounts and their tokens.
#include "api/nouns.h"

namespace neuwerk::api {

void add_service_accounts_routes(Routes &routes, Services &services)
{
	(void)routes;
	(void)services;
}

} // namespace neuwerk::api
