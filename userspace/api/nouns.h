// What each noun adds to the table of routes; one noun_*.cpp per line.
#pragma once

#include "api/api.h"

namespace neuwerk::api {

// clang-format off
void add_session_routes(Routes &routes, Services &services);           // login, logout, whoami
void add_service_accounts_routes(Routes &routes, Services &services);  // service accounts and their tokens
void add_keys_routes(Routes &routes, Services &services);              // the signing keys (local socket)
void add_sso_routes(Routes &routes, Services &services);               // SSO providers: settings are stored, login has no engine yet
void add_policy_routes(Routes &routes, Services &services);            // the policy singleton and everything about it
void add_legacy_policy_routes(Routes &routes, Services &services);     // the routes that the published Terraform provider calls
void add_integrations_routes(Routes &routes, Services &services);      // Kubernetes integrations
void add_settings_routes(Routes &routes, Services &services);          // performance mode and threat-intel settings
void add_intercept_ca_routes(Routes &routes, Services &services);      // the CA of TLS interception
void add_threats_routes(Routes &routes, Services &services);           // threat findings, silences and feeds
void add_cluster_routes(Routes &routes, Services &services);           // membership: needs cluster mode
void add_diagnostics_routes(Routes &routes, Services &services);       // health, readiness, stats, flows, events, audit, wiretap, sysdump
void add_limits_routes(Routes &routes, Services &services);            // the bounds that a client may meet
// clang-format on

// GET /api/v1/openapi.json, of all routes so far and itself.
void add_openapi_route(Routes &routes);

} // namespace neuwerk::api
