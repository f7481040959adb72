// The whole table of routes, noun by noun.
#include "api/nouns.h"

namespace neuwerk::api {

Routes all_routes(Services &services)
{
	Routes routes;
	add_session_routes(routes, services);
	add_service_accounts_routes(routes, services);
	add_keys_routes(routes, services);
	add_sso_routes(routes, services);
	add_policy_routes(routes, services);
	add_legacy_policy_routes(routes, services);
	add_integrations_routes(routes, services);
	add_settings_routes(routes, services);
	add_intercept_ca_routes(routes, services);
	add_threats_routes(routes, services);
	add_cluster_routes(routes, services);
	add_diagnostics_routes(routes, services);
	add_limits_routes(routes, services);
	add_openapi_route(routes); // last: it describes the others
	return routes;
}

} // namespace neuwerk::api
