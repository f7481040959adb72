"""Every row of the table of spec/http-api §5: success, shape, and each documented error."""
import json

from api_target import ApiTest, main, target

V1 = "/api/v1"
SAMPLE_ID = "4b8e0f6e-9f7b-4c36-9a39-0f4f6a3d2c11"
ACCOUNTS, PROVIDERS, INTEGRATIONS = f"{V1}/service-accounts", f"{V1}/settings/sso/providers", f"{V1}/integrations"
CA, SILENCES = f"{V1}/settings/tls-intercept-ca", f"{V1}/threats/silences"
NO_CA = {"configured": False, "source": None, "fingerprint_sha256": None}
INTEGRATION = {"name": "i", "kind": "kubernetes", "api_server_url": "https://10.0.0.10:6443", "ca_cert_pem": "PEM",
               "service_account_token": "t"}
PROVIDER = {"name": "p", "kind": "google", "client_id": "c", "client_secret": "s"}
ENVELOPE = {"partial": False, "node_errors": [], "nodes_queried": 1, "nodes_responded": 1}
STATS = {"dataplane": {"active_flows", "active_nat_entries", "nat_port_utilization", "packets", "bytes", "flows_opened",
                       "flows_closed", "ipv4_fragments_dropped", "ipv4_ttl_exceeded"},
         "dns": {"queries_allow", "queries_deny", "nxdomain_policy", "nxdomain_upstream"}, "tls": {"allow", "deny"},
         "dhcp": {"lease_active", "lease_expiry_epoch"},
         "cluster": {"is_leader", "current_term", "last_log_index", "last_applied", "node_count", "follower_count",
                     "followers_caught_up", "nodes"}}


class Nouns(ApiTest):
    def ok(self, method, path, body=None, status=200):
        reply = self.admin.request(method, path, body)
        self.assertEqual(reply.status, status, f"{method} {path}: {reply}")
        if status == 204:
            self.assertEqual(reply.body, b"")
            return None
        self.assertEqual(reply.headers.get_content_type(), "application/json")
        return reply.json()

    def refused(self, method, path, rows):
        """Rows of (body, status, message); a message that ends with '*' is a beginning."""
        for body, status, message in rows:
            with self.subTest(path=path, body=str(body)[:80], message=message):
                reply = self.admin.request(method, path, body)
                self.assertEqual(reply.status, status, reply)
                if message.endswith("*"):
                    self.assertTrue(reply.error.startswith(message[:-1]), reply.error)
                else:
                    self.assertEqual(reply.error, message)

    # §5.1

    def test_health_and_readiness(self):
        self.assertEqual(self.open.get("/health").json(), {"status": "ok"})
        reply = self.open.get("/ready")
        self.assertEqual(reply.status, 200 if reply.json()["ready"] else 503)
        for check in reply.json()["checks"]:
            self.assertEqual(set(check), {"name", "ok", "detail"})

    def test_the_openapi_document(self):
        document = self.open.get(f"{V1}/openapi.json").json()
        self.assertEqual((document["openapi"], document["info"]),
                         ("3.1.0", {"title": "Neuwerk HTTP API", "version": "0.1.0"}))
        self.assertEqual(set(document["components"]["securitySchemes"]), {"bearerAuth", "sessionCookie"})
        for path in ("policy", "cluster/members", "cluster/members/{node_id}/remove", "cluster/members/voters",
                     "service-accounts", "settings/performance-mode", "settings/threat-intel"):
            self.assertIn(f"{V1}/{path}", document["paths"])

    # §5.3

    def test_policy_get_put_and_yaml(self):
        document = {"default_policy": "Allow", "source_groups": [
            {"id": "g", "mode": "enforce", "sources": {"cidrs": ["10.0.0.0/24"]}, "rules": [
                {"id": "r", "action": "deny", "match": {"proto": "tcp", "dst_ports": [443, "80-81"]}}]}]}
        stored = self.ok("PUT", f"{V1}/policy", document)
        self.assertEqual(self.ok("GET", f"{V1}/policy"), stored)
        self.assertEqual(stored["default_policy"], "Allow")
        match = stored["source_groups"][0]["rules"][0]["match"]
        self.assertEqual((match["dst_ports"], match["dst_cidrs"], match["dns_hostname"]), ([443, "80-81"], [], None))
        for form in ("yaml", "YAML"):
            reply = self.admin.get(f"{V1}/policy?format={form}")
            self.assertEqual((reply.status, reply.headers.get_content_type()), (200, "application/yaml"))
            self.assertIn(b"source_groups:", reply.body)
        self.assertEqual(self.admin.get(f"{V1}/policy?format=other").json(), stored)
        self.assertEqual(self.ok("PUT", f"{V1}/policy", {}), {"default_policy": "deny", "source_groups": []})

    def test_policy_refusals_change_nothing(self):
        before = self.ok("GET", f"{V1}/policy")
        group = {"id": "g", "mode": "enforce", "sources": {"ips": ["10.0.0.1"]}, "rules": []}
        self.refused("PUT", f"{V1}/policy", [
            (b"{", 400, "*"), (b"[]", 400, "*"), (b"", 400, "*"),
            ({"default_policy": "perhaps"}, 400, "*"),
            ({"source_groups": [{**group, "mode": None}]}, 400, "*"),
            ({"source_groups": [{**group, "sources": {}}]}, 400, "*"),
            ({"source_groups": [{**group, "rules": [{"id": "r", "action": "allow", "match": {"dst_ports": ["70000"]}}]}]},
             400, "*")])
        reply = self.admin.put(f"{V1}/policy", {"mode": "audit", "source_groups": []})
        self.assertEqual(reply.status, 400)
        self.assertIn("top-level policy mode is no longer supported", reply.error)
        kubernetes = {"kubernetes": [{"integration": "nowhere", "pod_selector": {"namespace": "x"}}]}
        reply = self.admin.put(f"{V1}/policy", {"source_groups": [{**group, "sources": kubernetes}]})
        self.assertEqual(reply.status, 400)
        self.assertEqual(self.ok("GET", f"{V1}/policy"), before)

    # §5.5

    def test_integrations(self):
        made = self.ok("POST", INTEGRATIONS, {**INTEGRATION, "name": " Spaced "})
        self.assertEqual(set(made), {"id", "created_at", "name", "kind", "api_server_url", "ca_cert_pem", "auth_type",
                                     "token_configured"})
        self.assertIn(made, self.ok("GET", INTEGRATIONS))
        self.assertEqual(self.ok("GET", f"{INTEGRATIONS}/SPACED"), made)
        url = "api_server_url must "
        self.refused("POST", INTEGRATIONS, [
            ({**INTEGRATION, "name": "spaced"}, 409, "integration already exists"),
            ({**INTEGRATION, "kind": "nomad"}, 400, "kind must be kubernetes"),
            ({**INTEGRATION, "name": " "}, 400, "name is required"),
            ({**INTEGRATION, "api_server_url": " "}, 400, "api_server_url is required"),
            ({**INTEGRATION, "api_server_url": "not a url"}, 400, url + "be a valid absolute URL"),
            ({**INTEGRATION, "api_server_url": "http://10.0.0.1"}, 400,
             url + "use https (http is allowed only for loopback test endpoints)"),
            ({**INTEGRATION, "ca_cert_pem": " "}, 400, "ca_cert_pem is required"),
            ({**INTEGRATION, "service_account_token": ""}, 400, "service_account_token is required"),
            ({key: value for key, value in INTEGRATION.items() if key != "name"}, 400, "invalid json: *")])
        change = {key: INTEGRATION[key] for key in ("api_server_url", "ca_cert_pem", "service_account_token")}
        self.assertEqual(self.ok("PUT", f"{INTEGRATIONS}/spaced", {**change, "ca_cert_pem": "NEW"})["ca_cert_pem"], "NEW")
        self.refused("PUT", f"{INTEGRATIONS}/unknown", [
            (change, 404, "integration not found"), (b"{", 400, "invalid json: *"),
            ({**change, "api_server_url": "x"}, 400, url + "*")])
        self.ok("DELETE", f"{INTEGRATIONS}/spaced", status=204)
        self.refused("DELETE", f"{INTEGRATIONS}/spaced", [(None, 404, "integration not found")])
        self.refused("GET", f"{INTEGRATIONS}/spaced", [(None, 404, "integration not found")])

    # §5.6

    def test_service_accounts(self):
        made = self.ok("POST", ACCOUNTS, {"name": " a ", "description": " ", "role": "readonly"})
        self.assertEqual((made["name"], made["description"], made["created_by"], made["status"]),
                         ("a", None, "anna", "active"))
        self.assertRegex(made["created_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z$")
        self.refused("POST", ACCOUNTS, [
            ({"name": " ", "role": "admin"}, 400, "name is required"), ({"name": "x"}, 400, "invalid json: *"),
            ({"name": "x", "role": "root"}, 400, "invalid json: *")])
        one = f"{ACCOUNTS}/{made['id']}"
        self.assertEqual(self.ok("PUT", f"{ACCOUNTS}/{made['id'].upper()}", {"name": "b", "role": "admin"})["name"], "b")
        self.refused("PUT", f"{ACCOUNTS}/{SAMPLE_ID}", [(b"{", 404, "service account not found")])
        self.refused("PUT", f"{ACCOUNTS}/no-uuid", [(b"{", 400, "invalid service account id")])
        self.ok("DELETE", one, status=204)
        self.ok("DELETE", one, status=204)
        self.refused("DELETE", f"{ACCOUNTS}/{SAMPLE_ID}", [(None, 404, "service account not found")])
        listed = next(each for each in self.ok("GET", ACCOUNTS) if each["id"] == made["id"])
        self.assertEqual(listed["status"], "disabled")
        self.refused("POST", f"{one}/tokens", [({}, 400, "service account disabled")])
        self.assertEqual(self.ok("PUT", one, {"name": "c", "role": "readonly"})["status"], "disabled")

    def test_tokens(self):
        account = self.ok("POST", ACCOUNTS, {"name": "t", "role": "readonly"})
        tokens = f"{ACCOUNTS}/{account['id']}/tokens"
        minted = self.ok("POST", tokens, {})
        self.assertEqual(set(minted), {"token", "token_meta"})
        self.assertEqual(set(minted["token_meta"]), {
            "id", "service_account_id", "name", "created_at", "created_by", "expires_at", "revoked_at", "last_used_at",
            "kid", "role", "status"})
        self.assertRegex(minted["token_meta"]["expires_at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        for ttl in ("90", "30s", "15M", "12h", "7D", " "):
            with self.subTest(ttl=ttl):
                self.ok("POST", tokens, {"ttl": ttl})
        self.refused("POST", tokens, [
            (b"", 400, "invalid json: *"), ({"ttl": "1x"}, 400, "invalid ttl duration: 1x"),
            ({"ttl": "1h30m"}, 400, "invalid ttl duration: 1h30m"), ({"ttl": "0"}, 400, "ttl must be positive"),
            ({"ttl": "+5"}, 400, "invalid ttl duration: +5"), ({"ttl": "5é"}, 400, "invalid ttl duration: 5é"),
            ({"ttl": "9999999999999999999d"}, 400, "*"), ({"ttl": "9000000d"}, 400, "ttl duration overflow"),
            ({"ttl": "1h", "eternal": True}, 400, "ttl and eternal are mutually exclusive"),
            ({"role": "admin"}, 400, "token role exceeds account role")])
        self.refused("POST", f"{ACCOUNTS}/no-uuid/tokens", [(b"{", 400, "invalid service account id")])
        self.refused("POST", f"{ACCOUNTS}/{SAMPLE_ID}/tokens", [(b"{", 404, "service account not found")])
        self.assertEqual(self.ok("GET", f"{ACCOUNTS}/{SAMPLE_ID}/tokens"), [])
        one = f"{tokens}/{minted['token_meta']['id']}"
        self.ok("DELETE", one, status=204)
        self.ok("DELETE", one, status=204)
        self.refused("DELETE", f"{tokens}/{SAMPLE_ID}", [(None, 404, "token not found")])
        self.refused("DELETE", f"{tokens}/no-uuid", [(None, 400, "invalid token id")])
        other = self.ok("POST", ACCOUNTS, {"name": "o", "role": "readonly"})
        self.refused("DELETE", f"{ACCOUNTS}/{other['id']}/tokens/{minted['token_meta']['id']}",
                     [(None, 400, "token does not belong to account")])

    # §5.7, §5.8, §5.9, §7, §8

    def test_stats_have_every_key_of_the_dashboard(self):
        stats = self.ok("GET", f"{V1}/stats")
        self.assertEqual({name: set(part) for name, part in stats.items()}, STATS)
        self.assertEqual(set(stats["dataplane"]["packets"]), {"allow", "deny", "pending_tls"})
        self.assertEqual((stats["cluster"]["node_count"], stats["cluster"]["nodes"]), (1, []))

    def test_dns_cache(self):
        self.assertEqual(self.ok("GET", f"{V1}/dns-cache"), {"entries": []})

    def test_findings_and_telemetry(self):
        for path in ("audit/findings", "audit/findings/local", "policy/telemetry", "policy/telemetry/local"):
            with self.subTest(path=path):
                envelope = self.ok("GET", f"{V1}/{path}")
                self.assertEqual({key: value for key, value in envelope.items() if key != "items"}, ENVELOPE)
        for query in ("finding_type=dns_deny&finding_type=l4_deny&source_group=a&source_group=B", "limit=0", "limit=99999",
                      "policy_id=", f"policy_id={SAMPLE_ID}", "since=1&until=2"):
            self.ok("GET", f"{V1}/audit/findings?{query}")
        for query, message in (("finding_type=x", "invalid finding_type value: x"),
                               ("policy_id=x", "invalid policy_id: *"), ("since=x", "*"), ("limit=-1", "*")):
            self.refused("GET", f"{V1}/audit/findings?{query}", [(None, 400, message)])

    def test_performance_mode_shuts_observation(self):
        path = f"{V1}/settings/performance-mode"
        self.assertEqual(self.ok("PUT", path, {"enabled": False}), {"enabled": False, "source": "local"})
        try:
            for closed, what in (("audit/findings", "audit"), ("audit/findings/local", "audit"),
                                 ("wiretap/stream", "wiretap")):
                self.refused("GET", f"{V1}/{closed}",
                             [(None, 503, f"performance mode is disabled; {what} is unavailable")])
            self.ok("GET", f"{V1}/policy/telemetry")
        finally:
            self.assertEqual(self.ok("PUT", path, {"enabled": True})["enabled"], True)
        self.refused("PUT", path, [(b"[true]", 400, "invalid json: *"), ({}, 400, "invalid json: *"),
                                   ({"enabled": "yes"}, 400, "invalid json: *")])

    def test_the_wiretap_is_a_stream_of_events(self):
        with target().raw() as stream:
            stream.sendall(f"GET {V1}/wiretap/stream HTTP/1.1\r\nHost: x\r\n"
                           f"Authorization: Bearer {target().admin}\r\n\r\n".encode())
            data = b""
            while b"\r\n\r\n" not in data:
                data += stream.recv(4096)
            head = data.lower()
            self.assertIn(b" 200 ", head.splitlines()[0])
            for line in (b"content-type: text/event-stream", b"cache-control: no-cache", b"transfer-encoding: chunked"):
                self.assertIn(line, head)
            if not target().is_whole:  # the pretended appliance tells one event
                while b"\n\n\r\n" not in data:
                    data += stream.recv(4096)
                event = data.split(b"event: flow\ndata: ")[1].split(b"\n")[0]
                self.assertEqual(set(json.loads(event)), {
                    "flow_id", "src_ip", "dst_ip", "src_port", "dst_port", "proto", "packets_in", "packets_out",
                    "last_seen", "hostname", "node_id"})
        for query in ("src_cidr=10.0.0.0/33", "dst_cidr=x", "hostname=(", "proto=300", "src_port=70000", "dst_port=2-1"):
            self.refused("GET", f"{V1}/wiretap/stream?{query}", [(None, 400, "*")])

    def test_sysdump_routes(self):
        self.refused("POST", f"{V1}/support/sysdump/cluster", [(None, 503, "cluster sysdump requires cluster mode")])
        self.refused("POST", f"{V1}/support/sysdump/node", [(None, 403, "cluster sysdump fanout header required")])
        reply = self.admin.post(f"{V1}/support/sysdump/node", headers={"x-neuwerk-cluster-sysdump-fanout": "1"})
        if reply.status == 200:  # a whole appliance
            self.assertEqual((reply.headers.get_content_type(), reply.body[:2]), ("application/gzip", b"\x1f\x8b"))
            self.assertRegex(reply.headers["content-disposition"],
                             r'^attachment; filename="neuwerk-[a-z-]*sysdump-\d{8}T\d{6}Z\.tar\.gz"$')
        else:
            self.assertEqual(reply.status, 503)

    # §5.10

    def test_threats(self):
        path = f"{V1}/settings/threat-intel"
        settings = self.ok("PUT", path, {"alert_threshold": "low", "enabled": True, "unknown": 1})
        self.assertEqual((settings["enabled"], settings["alert_threshold"], settings["source"]), (True, "low", "local"))
        self.assertEqual(set(settings["baseline_feeds"]), {"threatfox", "urlhaus", "spamhaus_drop"})
        self.assertEqual(self.ok("GET", path), settings)
        self.refused("PUT", path, [({"alert_threshold": "extreme"}, 400, "*"), (b"", 400, "invalid json: *")])
        status = self.ok("GET", f"{V1}/threats/feeds/status")
        self.assertEqual([feed["feed"] for feed in status["feeds"]], ["threatfox", "urlhaus", "spamhaus_drop"])
        self.assertEqual((status["snapshot_version"], status["disabled"]), (0, False))
        self.ok("PUT", path, {"enabled": False})
        for variant in ("", "/local"):
            findings = self.ok("GET", f"{V1}/threats/findings{variant}?severity=nonsense")
            self.assertEqual((findings["items"], findings["nodes_queried"], findings["disabled"]), ([], 0, True))
        self.ok("PUT", path, {"enabled": True, "alert_threshold": "high"})

    def test_silences(self):
        made = self.ok("POST", SILENCES, {"kind": "exact", "indicator_type": "hostname", "value": " Bad.Example. ",
                                          "reason": " "})
        self.assertEqual((made["value"], made["reason"], made["indicator_type"]), ("bad.example", None, "hostname"))
        regex = self.ok("POST", SILENCES, {"kind": "hostname_regex", "value": " ^a ", "reason": "known"})
        self.assertEqual((regex["value"], regex["indicator_type"], regex["reason"]), ("^a", None, "known"))
        items = self.ok("GET", SILENCES)["items"]
        self.assertEqual([each["id"] for each in items][-2:], [made["id"], regex["id"]])
        self.refused("POST", SILENCES, [
            ({"kind": "exact", "value": "x"}, 400, "exact threat silence requires indicator_type"),
            ({"kind": "exact", "indicator_type": "hostname", "value": " . "}, 400,
             "hostname silence value cannot be empty"),
            ({"kind": "exact", "indicator_type": "ip", "value": "1.2.3"}, 400, "invalid ipv4 silence value: *"),
            ({"kind": "hostname_regex", "indicator_type": "ip", "value": "x"}, 400,
             "hostname_regex threat silence cannot target ip indicators"),
            ({"kind": "hostname_regex", "value": " "}, 400, "hostname regex silence value cannot be empty"),
            ({"kind": "hostname_regex", "value": "("}, 400, "invalid hostname regex silence: *"),
            ({"kind": "other", "value": "x"}, 400, "invalid json: *")])
        for each in (made, regex):
            self.ok("DELETE", f"{SILENCES}/{each['id']}", status=204)
        self.refused("DELETE", f"{SILENCES}/{made['id']}", [(None, 404, "threat silence not found")])

    # §5.12

    def test_the_interception_ca(self):
        self.assertEqual(self.ok("DELETE", CA), NO_CA)
        self.refused("GET", f"{CA}/cert", [(None, 404, "tls intercept ca is not configured")])
        generated = self.ok("POST", f"{CA}/generate")
        reply = self.admin.get(f"{CA}/cert")
        self.assertEqual(reply.headers.get_content_type(), "application/x-pem-file")
        self.assertEqual(reply.headers["content-disposition"], 'attachment; filename="neuwerk-dpi-root-ca.crt"')
        self.assertTrue(reply.body.startswith(b"-----BEGIN CERTIFICATE-----"))
        pem = reply.body.decode()
        both = {"ca_cert_pem": pem, "ca_key_pem": "k", "ca_key_der_b64": "k"}
        self.refused("PUT", CA, [
            ({**both, "ca_cert_pem": " "}, 400, "ca_cert_pem is required"),
            (both, 400, "provide either ca_key_pem or ca_key_der_b64, not both"),
            ({"ca_cert_pem": pem}, 400, "ca_key_pem or ca_key_der_b64 is required"),
            ({"ca_cert_pem": pem, "ca_key_pem": "none"}, 400, "ca_key_pem does not contain a private key"),
            ({"ca_cert_pem": pem, "ca_key_der_b64": "%"}, 400, "invalid ca_key_der_b64: *"),
            ({"ca_cert_pem": pem, "ca_key_der_b64": "AAAA"}, 400, "invalid tls intercept ca cert/key pair: *")])
        self.assertEqual(self.ok("GET", CA), generated)
        self.assertEqual(self.ok("DELETE", CA), NO_CA)

    # §5.13

    def test_membership_needs_cluster_mode(self):
        message = "cluster membership requires cluster mode"
        for method, path, body in (("GET", "members", None), ("POST", "members/1/remove", {}),
                                   ("PUT", "members/voters", {"ids": []})):
            self.refused(method, f"{V1}/cluster/{path}", [(body, 503, message)])

    # §5.14

    def test_sso_providers(self):
        made = self.ok("POST", PROVIDERS, {**PROVIDER, "display_order": 5, "subject_claim": " "})
        self.assertEqual((made["enabled"], made["pkce_required"], made["subject_claim"], made["default_role"],
                          made["session_ttl_secs"], made["email_claim"]), (True, True, "sub", "readonly", 28800, None))
        one = f"{PROVIDERS}/{made['id']}"
        self.assertIn({"id": made["id"], "name": "p", "kind": "google"}, self.open.get(f"{V1}/auth/sso/providers").json())
        url = " must be an absolute url: *"
        self.refused("POST", PROVIDERS, [
            ({**PROVIDER, "name": " "}, 400, "provider name is required"),
            ({**PROVIDER, "client_id": " "}, 400, "client_id is required"),
            ({**PROVIDER, "client_secret": " "}, 400, "client_secret is required"),
            ({**PROVIDER, "session_ttl_secs": 0}, 400, "session_ttl_secs must be >= 1"),
            ({**PROVIDER, "session_ttl_secs": 2592001}, 400, "session_ttl_secs must be <= 2592000"),
            ({**PROVIDER, "issuer_url": "nowhere"}, 400, "issuer_url" + url),
            ({**PROVIDER, "token_url": "http://idp.example"}, 400, "token_url must use https (or loopback http)"),
            ({**PROVIDER, "kind": "okta"}, 400, "invalid json: *"), ({"name": "x"}, 400, "invalid json: *")])
        patched = self.ok("PUT", one, {"enabled": False, "name": " ", "kind": "github", "scopes": [" a ", ""]})
        self.assertEqual((patched["enabled"], patched["name"], patched["kind"], patched["scopes"]),
                         (False, "p", "google", ["a"]))
        self.assertNotIn(made["id"], [each["id"] for each in self.open.get(f"{V1}/auth/sso/providers").json()])
        self.refused("GET", f"{PROVIDERS}/{SAMPLE_ID}", [(None, 404, "sso provider not found")])
        self.refused("PUT", f"{PROVIDERS}/{SAMPLE_ID}", [(b"{", 404, "sso provider not found")])
        self.refused("GET", f"{PROVIDERS}/no-uuid", [(None, 400, "invalid provider id")])
        self.refused("POST", f"{PROVIDERS}/{SAMPLE_ID}/test", [(None, 404, "sso provider not found")])
        oidc = self.ok("POST", PROVIDERS, {**PROVIDER, "kind": "generic-oidc"})
        self.refused("POST", f"{PROVIDERS}/{oidc['id']}/test", [(None, 400, "authorization_url is required")])
        for provider in (made, oidc):
            self.ok("DELETE", f"{PROVIDERS}/{provider['id']}", status=204)
        self.ok("DELETE", f"{PROVIDERS}/{SAMPLE_ID}", status=204)


if __name__ == "__main__":
    main()
