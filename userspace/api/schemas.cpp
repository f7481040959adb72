// The schemas that several routes of the API share, as OpenAPI components.
//
// A schema that one route alone needs may stand with that route. Grouped by noun.
#include "api/api.h"

namespace neuwerk::api {

std::vector<Schema> all_schemas()
{
	return {
		{"Error", R"({"type": "object", "properties": {
"error": {"type": "string"}
}, "required": ["error"]})"},
		{"AuthUser", R"({"type": "object", "properties": {
"sub": {"type": "string"}, "sa_id": {"type": ["string", "null"], "format": "uuid"},
"exp": {"type": ["integer", "null"], "description": "Unix time in seconds"},
"roles": {"type": "array", "items": {"type": "string"}}
}, "required": ["sub", "sa_id", "exp", "roles"]})"},
		{"TokenLogin", R"({"type": "object", "properties": {
"token": {"type": "string", "description": "a JWT; one leading Bearer is taken off"}
}, "required": ["token"]})"},
		{"ServiceAccount", R"({"type": "object", "properties": {
"id": {"type": "string", "format": "uuid"}, "name": {"type": "string"},
"description": {"type": ["string", "null"]}, "created_at": {"type": "string", "format": "date-time"},
"created_by": {"type": "string"}, "role": {"enum": ["readonly", "admin"]},
"status": {"enum": ["active", "disabled"]}
}, "required": ["id", "name", "description", "created_at", "created_by", "role", "status"]})"},
		{"ServiceAccounts",
		 R"({"type": "array", "items": {"$ref": "#/components/schemas/ServiceAccount"}})"},
		{"ServiceAccountFields", R"({"type": "object", "properties": {
"name": {"type": "string"}, "description": {"type": ["string", "null"]}, "role": {"enum": ["readonly", "admin"]}
}, "required": ["name", "role"]})"},
		{"ServiceAccountToken", R"({"type": "object", "properties": {
"id": {"type": "string", "format": "uuid"}, "service_account_id": {"type": "string", "format": "uuid"},
"name": {"type": ["string", "null"]}, "created_at": {"type": "string", "format": "date-time"},
"created_by": {"type": "string"}, "expires_at": {"type": ["string", "null"], "format": "date-time"},
"revoked_at": {"type": ["string", "null"], "format": "date-time"},
"last_used_at": {"type": ["string", "null"], "format": "date-time", "description": "up to 60 s late"},
"kid": {"type": "string"}, "role": {"enum": ["readonly", "admin"]}, "status": {"enum": ["active", "revoked"]}
}, "required": ["id", "service_account_id", "name", "created_at", "created_by", "expires_at", "revoked_at",
"last_used_at", "kid", "role", "status"]})"},
		{"ServiceAccountTokens",
		 R"({"type": "array", "items": {"$ref": "#/components/schemas/ServiceAccountToken"}})"},
		{"ServiceAccountTokenFields", R"({"type": "object", "properties": {
"name": {"type": ["string", "null"]},
"ttl": {"type": ["string", "null"], "description": "90, 30s, 15m, 12h or 7d; 90d without it"},
"eternal": {"type": ["boolean", "null"]}, "role": {"enum": ["readonly", "admin", null]}
}})"},
		{"MintedServiceAccountToken", R"({"type": "object", "properties": {
"token": {"type": "string"}, "token_meta": {"$ref": "#/components/schemas/ServiceAccountToken"}
}, "required": ["token", "token_meta"]})"},
		{"Policy", R"({"type": "object", "properties": {
"default_policy": {"type": ["string", "null"], "description": "allow or deny"},
"source_groups": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/PolicyGroup"}},
"tests": {"type": ["array", "null"], "items": {"type": "object"}}
}})"},
		{"PolicyGroup", R"({"type": "object", "properties": {
"id": {"type": "string"}, "priority": {"type": ["integer", "null"], "minimum": 0},
"mode": {"enum": ["audit", "enforce"]}, "sources": {"$ref": "#/components/schemas/PolicySources"},
"rules": {"type": ["array", "null"], "items": {"$ref": "#/components/schemas/PolicyRule"}},
"default_action": {"type": ["string", "null"]}
}, "required": ["id", "mode", "sources"]})"},
		{"PolicySources", R"({"type": "object", "description": "at least one source", "properties": {
"cidrs": {"type": ["array", "null"], "items": {"type": "string"}},
"ips": {"type": ["array", "null"], "items": {"type": "string"}},
"kubernetes": {"type": ["array", "null"], "items": {"type": "object"}}
}})"},
		{"PolicyRule", R"({"type": "object", "properties": {
"id": {"type": "string"}, "priority": {"type": ["integer", "null"], "minimum": 0},
"action": {"type": "string"}, "mode": {"enum": ["audit", "enforce", null]},
"match": {"$ref": "#/components/schemas/PolicyMatch"}
}, "required": ["id", "action", "match"]})"},
		{"PolicyMatch",
		 R"({"type": "object", "description": "lists are OR, keys are AND", "properties": {
"dst_cidrs": {"type": ["array", "null"], "items": {"type": "string"}},
"dst_ips": {"type": ["array", "null"], "items": {"type": "string"}},
"dns_hostname": {"type": ["string", "null"], "description": "a regular expression"},
"proto": {"type": ["string", "integer", "null"], "description": "any, tcp, udp, icmp or a number"},
"src_ports": {"$ref": "#/components/schemas/PolicyPorts"}, "dst_ports": {"$ref": "#/components/schemas/PolicyPorts"},
"icmp_types": {"type": ["array", "null"], "items": {"type": "integer", "minimum": 0, "maximum": 255}},
"icmp_codes": {"type": ["array", "null"], "items": {"type": "integer", "minimum": 0, "maximum": 255}},
"tls": {"type": ["object", "null"]}
}})"},
		{"PolicyPorts", R"({"type": ["array", "null"], "items": {"type": ["integer", "string"]},
"description": "443, \"443\" or \"8000-8999\""})"},
		{"Integration", R"({"type": "object", "properties": {
"id": {"type": "string", "format": "uuid"}, "created_at": {"type": "string", "format": "date-time"},
"name": {"type": "string"}, "kind": {"enum": ["kubernetes"]}, "api_server_url": {"type": "string"},
"ca_cert_pem": {"type": "string"}, "auth_type": {"enum": ["service_account_token"]},
"token_configured": {"type": "boolean"}
}, "required": ["id", "created_at", "name", "kind", "api_server_url", "ca_cert_pem", "auth_type",
"token_configured"]})"},
		{"IntegrationCreate", R"({"type": "object", "properties": {
"name": {"type": "string"}, "kind": {"enum": ["kubernetes"]},
"api_server_url": {"type": "string", "description": "https, or http to this machine"},
"ca_cert_pem": {"type": "string"},
"service_account_token": {"type": "string", "description": "never answered"}
}, "required": ["name", "kind", "api_server_url", "ca_cert_pem", "service_account_token"]})"},
		{"IntegrationUpdate", R"({"type": "object", "properties": {
"api_server_url": {"type": "string", "description": "https, or http to this machine"},
"ca_cert_pem": {"type": "string"},
"service_account_token": {"type": "string", "description": "never answered"}
}, "required": ["api_server_url", "ca_cert_pem", "service_account_token"]})"},
		{"PerformanceMode", R"({"type": "object", "properties": {
"enabled": {"type": "boolean"},
"source": {"enum": ["local", "cluster", null], "description": "null until it is set"}
}, "required": ["enabled", "source"]})"},
		{"PerformanceModeUpdate", R"({"type": "object", "properties": {
"enabled": {"type": "boolean"}
}, "required": ["enabled"]})"},
		{"ThreatFeedSettings", R"({"type": "object", "properties": {
"enabled": {"type": "boolean"}, "refresh_interval_secs": {"type": "integer"}
}, "required": ["enabled", "refresh_interval_secs"]})"},
		{"ThreatIntelSettings", R"({"type": "object", "properties": {
"enabled": {"type": "boolean"}, "alert_threshold": {"enum": ["low", "medium", "high", "critical"]},
"baseline_feeds": {"type": "object", "properties": {
"threatfox": {"$ref": "#/components/schemas/ThreatFeedSettings"},
"urlhaus": {"$ref": "#/components/schemas/ThreatFeedSettings"},
"spamhaus_drop": {"$ref": "#/components/schemas/ThreatFeedSettings"}
}, "required": ["threatfox", "urlhaus", "spamhaus_drop"]},
"remote_enrichment": {"type": "object", "properties": {"enabled": {"type": "boolean"}}, "required": ["enabled"]},
"source": {"enum": ["local", "cluster", null], "description": "null until it is set"}
}, "required": ["enabled", "alert_threshold", "baseline_feeds", "remote_enrichment", "source"]})"},
		{"ThreatIntelSettingsUpdate", R"({"type": "object", "properties": {
"enabled": {"type": "boolean"}, "alert_threshold": {"enum": ["low", "medium", "high", "critical"]}
}})"},
		{"NodeError", R"({"type": "object", "properties": {
"node_id": {"type": "string", "description": "decimal"}, "error": {"type": "string"}
}, "required": ["node_id", "error"]})"},
		{"ThreatFinding", R"({"type": "object", "properties": {
"indicator": {"type": "string"}, "indicator_type": {"enum": ["hostname", "ip"]},
"observation_layer": {"enum": ["dns", "tls", "l4"]},
"match_source": {"enum": ["stream", "backfill"]}, "source_group": {"type": "string"},
"severity": {"enum": ["low", "medium", "high", "critical"]}, "first_seen": {"type": "integer"},
"last_seen": {"type": "integer"}, "count": {"type": "integer"}, "alertable": {"type": "boolean"}
}, "required": ["indicator", "indicator_type", "observation_layer", "match_source", "source_group",
"severity", "first_seen", "last_seen", "count", "alertable"]})"},
		{"ThreatFindings", R"({"type": "object", "properties": {
"items": {"type": "array", "items": {"$ref": "#/components/schemas/ThreatFinding"}},
"partial": {"type": "boolean"},
"node_errors": {"type": "array", "items": {"$ref": "#/components/schemas/NodeError"}},
"nodes_queried": {"type": "integer"}, "nodes_responded": {"type": "integer"},
"disabled": {"type": "boolean"}
}, "required": ["items", "partial", "node_errors", "nodes_queried", "nodes_responded", "disabled"]})"},
		{"ThreatSilence", R"({"type": "object", "properties": {
"id": {"type": "string", "format": "uuid"}, "kind": {"enum": ["exact", "hostname_regex"]},
"indicator_type": {"enum": ["hostname", "ip", null]}, "value": {"type": "string"},
"reason": {"type": ["string", "null"]},
"created_at": {"type": "integer", "description": "Unix seconds"},
"created_by": {"type": ["string", "null"]}
}, "required": ["id", "kind", "indicator_type", "value", "reason", "created_at", "created_by"]})"},
		{"ThreatSilences", R"({"type": "object", "properties": {
"items": {"type": "array", "items": {"$ref": "#/components/schemas/ThreatSilence"}}
}, "required": ["items"]})"},
		{"ThreatSilenceCreate", R"({"type": "object", "properties": {
"kind": {"enum": ["exact", "hostname_regex"]},
"indicator_type": {"enum": ["hostname", "ip", null], "description": "required for exact"},
"value": {"type": "string"}, "reason": {"type": ["string", "null"]}
}, "required": ["kind", "value"]})"},
		{"ThreatFeedCounts", R"({"type": "object", "properties": {
"hostname": {"type": "integer"}, "ip": {"type": "integer"}
}, "required": ["hostname", "ip"]})"},
		{"ThreatFeed", R"({"type": "object", "properties": {
"feed": {"enum": ["threatfox", "urlhaus", "spamhaus_drop"]}, "enabled": {"type": "boolean"},
"indicator_counts": {"$ref": "#/components/schemas/ThreatFeedCounts"}
}, "required": ["feed", "enabled", "indicator_counts"]})"},
		{"ThreatFeedStatus", R"({"type": "object", "properties": {
"snapshot_version": {"type": "integer"},
"feeds": {"type": "array", "items": {"$ref": "#/components/schemas/ThreatFeed"}},
"disabled": {"type": "boolean"}
}, "required": ["snapshot_version", "feeds", "disabled"]})"},
		{"InterceptCaStatus", R"({"type": "object", "properties": {
"configured": {"type": "boolean"},
"source": {"enum": ["local", "cluster", null], "description": "null until it is set"},
"fingerprint_sha256": {"type": ["string", "null"], "description": "SHA-256 of the PEM text, in hex"}
}, "required": ["configured", "source", "fingerprint_sha256"]})"},
		{"InterceptCaUpload", R"({"type": "object", "properties": {
"ca_cert_pem": {"type": "string"},
"ca_key_pem": {"type": ["string", "null"], "description": "this or ca_key_der_b64"},
"ca_key_der_b64": {"type": ["string", "null"]}
}, "required": ["ca_cert_pem"]})"},
		{"ClusterMember", R"({"type": "object", "properties": {
"node_id": {"type": "string", "description": "node id, decimal"}, "addr": {"type": "string"},
"role": {"enum": ["leader", "follower", "learner"]}, "is_voter": {"type": "boolean"},
"cloud_status": {"enum": ["unknown", "missing_from_discovery"]},
"drain_state": {"type": ["string", "null"]}, "termination_event_id": {"type": ["string", "null"]},
"auto_evict_reason": {"type": ["string", "null"]}
}, "required": ["node_id", "addr", "role", "is_voter", "cloud_status", "drain_state",
"termination_event_id", "auto_evict_reason"]})"},
		{"ClusterMembers", R"({"type": "object", "properties": {
"members": {"type": "array", "items": {"$ref": "#/components/schemas/ClusterMember"}}
}, "required": ["members"]})"},
		{"Voters", R"({"type": "object", "properties": {
"voters": {"type": "array", "items": {"type": "string", "description": "node id, decimal"}}
}, "required": ["voters"]})"},
		{"VotersReplace", R"({"type": "object", "properties": {
"ids": {"type": "array", "items": {"type": "string", "description": "node id, decimal"}},
"force": {"type": "boolean", "default": false}
}, "required": ["ids"]})"},
		{"MemberRemove", R"({"type": "object", "properties": {
"force": {"type": "boolean", "default": false}
}})"},
		{"SsoChoice", R"({"type": "object", "properties": {
"id": {"type": "string", "format": "uuid"}, "name": {"type": "string"},
"kind": {"enum": ["google", "github", "generic-oidc"]}
}, "required": ["id", "name", "kind"]})"},
		{"SsoProvider", R"({"type": "object", "properties": {
"id": {"type": "string", "format": "uuid"}, "created_at": {"type": "string", "format": "date-time"},
"updated_at": {"type": "string", "format": "date-time"},
"kind": {"enum": ["google", "github", "generic-oidc"]},
"client_secret_configured": {"type": "boolean"}, "name": {"type": "string"},
"enabled": {"type": "boolean"},
"display_order": {"type": "integer", "minimum": -2147483648, "maximum": 2147483647},
"issuer_url": {"type": ["string", "null"]}, "authorization_url": {"type": ["string", "null"]},
"token_url": {"type": ["string", "null"]}, "userinfo_url": {"type": ["string", "null"]},
"client_id": {"type": "string"}, "pkce_required": {"type": "boolean"},
"subject_claim": {"type": "string"}, "email_claim": {"type": ["string", "null"]},
"groups_claim": {"type": ["string", "null"]}, "default_role": {"enum": ["admin", "readonly"]},
"session_ttl_secs": {"type": "integer", "minimum": 1, "maximum": 2592000},
"scopes": {"type": "array", "items": {"type": "string"}},
"admin_subjects": {"type": "array", "items": {"type": "string"}},
"admin_groups": {"type": "array", "items": {"type": "string"}},
"admin_email_domains": {"type": "array", "items": {"type": "string"}},
"readonly_subjects": {"type": "array", "items": {"type": "string"}},
"readonly_groups": {"type": "array", "items": {"type": "string"}},
"readonly_email_domains": {"type": "array", "items": {"type": "string"}},
"allowed_email_domains": {"type": "array", "items": {"type": "string"}}
}, "required": ["id", "created_at", "updated_at", "kind", "client_secret_configured", "name",
"enabled", "display_order", "issuer_url", "authorization_url", "token_url", "userinfo_url",
"client_id", "pkce_required", "subject_claim", "email_claim", "groups_claim", "default_role",
"session_ttl_secs", "scopes", "admin_subjects", "admin_groups", "admin_email_domains",
"readonly_subjects", "readonly_groups", "readonly_email_domains", "allowed_email_domains"]})"},
		{"SsoProviderCreate", R"({"type": "object", "properties": {
"name": {"type": "string"}, "enabled": {"type": ["boolean", "null"]},
"display_order": {"type": ["integer", "null"], "minimum": -2147483648, "maximum": 2147483647},
"issuer_url": {"type": ["string", "null"]}, "authorization_url": {"type": ["string", "null"]},
"token_url": {"type": ["string", "null"]}, "userinfo_url": {"type": ["string", "null"]},
"client_id": {"type": "string"}, "pkce_required": {"type": ["boolean", "null"]},
"subject_claim": {"type": ["string", "null"]}, "email_claim": {"type": ["string", "null"]},
"groups_claim": {"type": ["string", "null"]}, "default_role": {"enum": ["admin", "readonly", null]},
"session_ttl_secs": {"type": ["integer", "null"], "minimum": 1, "maximum": 2592000},
"scopes": {"type": ["array", "null"], "items": {"type": "string"}},
"admin_subjects": {"type": ["array", "null"], "items": {"type": "string"}},
"admin_groups": {"type": ["array", "null"], "items": {"type": "string"}},
"admin_email_domains": {"type": ["array", "null"], "items": {"type": "string"}},
"readonly_subjects": {"type": ["array", "null"], "items": {"type": "string"}},
"readonly_groups": {"type": ["array", "null"], "items": {"type": "string"}},
"readonly_email_domains": {"type": ["array", "null"], "items": {"type": "string"}},
"allowed_email_domains": {"type": ["array", "null"], "items": {"type": "string"}},
"kind": {"enum": ["google", "github", "generic-oidc"]}, "client_secret": {"type": "string"}
}, "required": ["name", "kind", "client_id", "client_secret"]})"},
		{"SsoProviderUpdate", R"({"type": "object", "properties": {
"name": {"type": ["string", "null"]}, "enabled": {"type": ["boolean", "null"]},
"display_order": {"type": ["integer", "null"], "minimum": -2147483648, "maximum": 2147483647},
"issuer_url": {"type": ["string", "null"]}, "authorization_url": {"type": ["string", "null"]},
"token_url": {"type": ["string", "null"]}, "userinfo_url": {"type": ["string", "null"]},
"client_id": {"type": ["string", "null"]}, "pkce_required": {"type": ["boolean", "null"]},
"subject_claim": {"type": ["string", "null"]}, "email_claim": {"type": ["string", "null"]},
"groups_claim": {"type": ["string", "null"]}, "default_role": {"enum": ["admin", "readonly", null]},
"session_ttl_secs": {"type": ["integer", "null"], "minimum": 1, "maximum": 2592000},
"scopes": {"type": ["array", "null"], "items": {"type": "string"}},
"admin_subjects": {"type": ["array", "null"], "items": {"type": "string"}},
"admin_groups": {"type": ["array", "null"], "items": {"type": "string"}},
"admin_email_domains": {"type": ["array", "null"], "items": {"type": "string"}},
"readonly_subjects": {"type": ["array", "null"], "items": {"type": "string"}},
"readonly_groups": {"type": ["array", "null"], "items": {"type": "string"}},
"readonly_email_domains": {"type": ["array", "null"], "items": {"type": "string"}},
"allowed_email_domains": {"type": ["array", "null"], "items": {"type": "string"}},
"client_secret": {"type": ["string", "null"], "description": "blank keeps the old one"}
}})"},
		{"SsoProviderTest", R"({"type": "object", "properties": {
"ok": {"type": "boolean"}, "details": {"type": "string"}
}, "required": ["ok", "details"]})"},
		{"Health",
		 R"({"type": "object", "properties": {"status": {"enum": ["ok"]}}, "required": ["status"]})"},
		{"Readiness", R"({"type": "object", "properties": {
"ready": {"type": "boolean"},
"checks": {"type": "array", "items": {"type": "object", "properties": {
"name": {"type": "string"}, "ok": {"type": "boolean"}, "detail": {"type": ["string", "null"]}
}, "required": ["name", "ok", "detail"]}}
}, "required": ["ready", "checks"]})"},
		{"StatsByDecision", R"({"type": "object", "properties": {
"allow": {"type": "integer"}, "deny": {"type": "integer"}, "pending_tls": {"type": "integer"}
}, "required": ["allow", "deny", "pending_tls"]})"},
		{"Stats", R"({"type": "object", "properties": {
"dataplane": {"type": "object", "properties": {
"active_flows": {"type": "integer"}, "active_nat_entries": {"type": "integer"},
"nat_port_utilization": {"type": "number"},
"packets": {"$ref": "#/components/schemas/StatsByDecision"},
"bytes": {"$ref": "#/components/schemas/StatsByDecision"},
"flows_opened": {"type": "integer"}, "flows_closed": {"type": "integer"},
"ipv4_fragments_dropped": {"type": "integer"}, "ipv4_ttl_exceeded": {"type": "integer"}}},
"dns": {"type": "object", "properties": {
"queries_allow": {"type": "integer"}, "queries_deny": {"type": "integer"},
"nxdomain_policy": {"type": "integer"}, "nxdomain_upstream": {"type": "integer"}}},
"tls": {"type": "object", "properties": {"allow": {"type": "integer"}, "deny": {"type": "integer"}}},
"dhcp": {"type": "object", "properties": {
"lease_active": {"type": "boolean"}, "lease_expiry_epoch": {"type": "integer"}}},
"cluster": {"type": "object", "properties": {
"is_leader": {"type": "boolean"}, "current_term": {"type": "integer"}, "last_log_index": {"type": "integer"},
"last_applied": {"type": "integer"}, "node_count": {"type": "integer"}, "follower_count": {"type": "integer"},
"followers_caught_up": {"type": "integer"}, "nodes": {"type": "array", "items": {"type": "object"}}}}
}, "required": ["dataplane", "dns", "tls", "dhcp", "cluster"]})"},
		{"DnsCache", R"({"type": "object", "properties": {
"entries": {"type": "array", "items": {"type": "object", "properties": {
"hostname": {"type": "string"}, "ips": {"type": "array", "items": {"type": "string"}},
"last_seen": {"type": "integer", "description": "Unix time"}
}, "required": ["hostname", "ips", "last_seen"]}}
}, "required": ["entries"]})"},
		{"NodeStatus", R"({"type": "object", "description": "NodeStatusReply of control.proto"})"},
		{"Counters", R"({"type": "object", "properties": {
"counters": {"type": "array", "items": {"type": "object", "properties": {
"stage": {"enum": ["xdp", "poller"]}, "verdict": {"type": "string"}, "fate": {"type": "string"},
"why": {"type": "string"}, "packets": {"type": "integer"}, "bytes": {"type": "integer"}
}, "required": ["stage", "verdict", "fate", "why", "packets", "bytes"]}}
}, "required": ["counters"]})"},
		{"Nat", R"({"type": "object", "properties": {
"mode": {"type": "string"},
"pools": {"type": "array", "items": {"type": "object", "properties": {
"external_address": {"type": "string"}, "flows": {"type": "integer"},
"ports_per_remote": {"type": "integer", "description": "flows towards one address, port and protocol that fit"}
}, "required": ["external_address", "flows", "ports_per_remote"]}}
}, "required": ["mode", "pools"]})"},
		{"Flows",
		 R"({"type": "array", "items": {"type": "object", "description": "Flow of dataplane.proto"}})"},
		{"AuditFinding", R"({"type": "object", "properties": {
"finding_type": {"enum": ["dns_deny", "l4_deny", "tls_deny", "icmp_deny", "auth_sso", "nat_exhausted"]},
"policy_id": {"type": ["string", "null"], "format": "uuid"}, "source_group": {"type": "string"},
"hostname": {"type": ["string", "null"]}, "dst_ip": {"type": ["string", "null"]},
"dst_port": {"type": ["integer", "null"]}, "proto": {"type": ["integer", "null"]},
"fqdn": {"type": ["string", "null"]}, "sni": {"type": ["string", "null"]},
"icmp_type": {"type": ["integer", "null"]}, "icmp_code": {"type": ["integer", "null"]},
"query_type": {"type": ["integer", "null"]}, "first_seen": {"type": "integer", "description": "Unix time"},
"last_seen": {"type": "integer", "description": "Unix time"}, "count": {"type": "integer"},
"node_ids": {"type": "array", "items": {"type": "string"}},
"rule": {"type": ["string", "null"], "description": "null: a default decided"},
"revision": {"type": "integer", "description": "of the policy that denied last"},
"sample_src_ips": {"type": "array", "items": {"type": "string"}, "maxItems": 8},
"audited": {"type": "boolean", "description": "allowed, although a rule in audit mode denies it"}
}, "required": ["finding_type", "policy_id", "source_group", "hostname", "dst_ip", "dst_port", "proto", "fqdn",
"sni", "icmp_type", "icmp_code", "query_type", "first_seen", "last_seen", "count", "node_ids"]})"},
		{"AuditFindings", R"({"type": "object", "properties": {
"items": {"type": "array", "items": {"$ref": "#/components/schemas/AuditFinding"}},
"partial": {"type": "boolean"},
"node_errors": {"type": "array", "items": {"$ref": "#/components/schemas/NodeError"}},
"nodes_queried": {"type": "integer"}, "nodes_responded": {"type": "integer"}
}, "required": ["items", "partial", "node_errors", "nodes_queried", "nodes_responded"]})"},
		{"PolicyTelemetry", R"({"type": "object", "properties": {
"items": {"type": "array", "items": {"type": "object", "properties": {
"source_group_id": {"type": "string"}, "current_24h_hits": {"type": "integer"},
"previous_24h_hits": {"type": "integer"}
}, "required": ["source_group_id", "current_24h_hits", "previous_24h_hits"]}},
"partial": {"type": "boolean"},
"node_errors": {"type": "array", "items": {"$ref": "#/components/schemas/NodeError"}},
"nodes_queried": {"type": "integer"}, "nodes_responded": {"type": "integer"}
}, "required": ["items", "partial", "node_errors", "nodes_queried", "nodes_responded"]})"},
	};
}

} // namespace neuwerk::api
