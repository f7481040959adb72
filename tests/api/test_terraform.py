"""What the published Terraform provider sends (spec/http-api §12), fixture by fixture: apply, plan, import, destroy."""

from api_target import ApiTest, main, target

PEM = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUX\n-----END CERTIFICATE-----"
ACCOUNTS, PROVIDERS = "/api/v1/service-accounts", "/api/v1/settings/sso/providers"
CA, INTEGRATIONS = "/api/v1/settings/tls-intercept-ca", "/api/v1/integrations"
VIEW_LISTS = ("scopes", "admin_subjects", "admin_groups", "admin_email_domains", "readonly_subjects",
              "readonly_groups", "readonly_email_domains", "allowed_email_domains")


class Terraform(ApiTest):
    def call(self, method, path, body=None, status=200):
        """As the provider: any status is final, a body is JSON, User-Agent as Go's."""
        reply = self.admin.request(method, path, body, headers={"User-Agent": "Go-http-client/1.1"})
        self.assertEqual(reply.status, status, f"{method} {path}: {reply}")
        return reply.json() if reply.body else None

    def test_1_an_integration(self):
        sent = {"name": "prod-k8s", "kind": "kubernetes", "api_server_url": "https://10.0.0.10:6443",
                "ca_cert_pem": PEM, "service_account_token": "secret-token"}
        created = self.call("POST", INTEGRATIONS, sent)
        for key in ("name", "kind", "api_server_url", "ca_cert_pem"):
            self.assertEqual(created[key], sent[key])
        self.assertEqual((created["auth_type"], created["token_configured"]), ("service_account_token", True))
        self.assertNotIn("secret-token", str(created))
        path = f"{INTEGRATIONS}/prod-k8s"
        self.assertEqual(self.call("GET", path), created)  # the plan is empty
        update = {key: sent[key] for key in ("api_server_url", "ca_cert_pem", "service_account_token")}
        self.assertEqual(self.call("PUT", path, update), created)  # a fresh workspace: import, apply
        self.assertEqual(self.call("GET", path), created)
        self.call("DELETE", path, status=204)
        self.assertEqual(self.call("GET", path, status=404), {"error": "integration not found"})

    def test_1b_an_integration_comes_back_as_it_was_sent(self):
        sent = {"name": "spaced", "kind": "Kubernetes", "api_server_url": " https://10.0.0.10:6443/ ",
                "ca_cert_pem": f"\n{PEM}\n", "service_account_token": "t"}
        created = self.call("POST", INTEGRATIONS, sent)
        for key in ("api_server_url", "ca_cert_pem"):
            self.assertEqual(created[key], sent[key])
        self.call("DELETE", f"{INTEGRATIONS}/SPACED", status=204)

    def test_2_a_service_account_with_an_eternal_token(self):
        account = self.call("POST", ACCOUNTS, {"name": "terraform", "description": "by hand", "role": "admin"})
        self.assertEqual((account["name"], account["description"], account["role"], account["status"]),
                         ("terraform", "by hand", "admin", "active"))
        tokens = f"{ACCOUNTS}/{account['id']}/tokens"
        minted = self.call("POST", tokens, {"name": "deploy", "eternal": True, "role": "admin"})
        meta = minted["token_meta"]
        self.assertEqual((meta["service_account_id"], meta["expires_at"], meta["status"], meta["role"]),
                         (account["id"], None, "active", "admin"))
        # The plan: lists, searched for the ids.
        self.assertIn(account, self.call("GET", ACCOUNTS))
        self.assertIn(meta["id"], [each["id"] for each in self.call("GET", tokens)])
        # An import of the token replaces it.
        self.call("DELETE", f"{tokens}/{meta['id']}", status=204)
        again = self.call("POST", tokens, {"name": "deploy", "eternal": True, "role": "admin"})["token_meta"]
        # An update by the provider has no id in its path.
        updated = self.call("PUT", f"{ACCOUNTS}/", {"name": "terraform", "description": "changed", "role": "admin"})
        self.assertEqual((updated["id"], updated["description"]), (account["id"], "changed"))
        self.call("PUT", f"{ACCOUNTS}/", {"name": "no such name", "role": "admin"}, status=404)
        # Destroy.
        self.call("DELETE", f"{tokens}/{again['id']}", status=204)
        self.call("DELETE", f"{ACCOUNTS}/{account['id']}", status=204)
        after = next(each for each in self.call("GET", ACCOUNTS) if each["id"] == account["id"])
        self.assertEqual(after["status"], "disabled")
        self.assertEqual({each["status"] for each in self.call("GET", tokens)}, {"revoked"})

    def test_2b_two_active_accounts_of_one_name_cannot_be_told_apart(self):
        made = [self.call("POST", ACCOUNTS, {"name": "twin", "role": "readonly"})["id"] for _ in range(2)]
        self.assertIn("error", self.call("PUT", f"{ACCOUNTS}/", {"name": " twin ", "role": "readonly"}, status=409))
        self.call("DELETE", f"{ACCOUNTS}/{made[0]}", status=204)
        self.assertEqual(self.call("PUT", f"{ACCOUNTS}/", {"name": "twin", "role": "readonly"})["id"], made[1])
        self.call("DELETE", f"{ACCOUNTS}/{made[1]}", status=204)

    def test_3_sso_providers_of_all_kinds(self):
        urls = {key: f"https://idp.example/{key}" for key in ("authorization_url", "token_url", "userinfo_url")}
        fixtures = [
            {"name": "google", "kind": "google", "client_id": "g", "client_secret": "s1",
             "scopes": ["openid", "email", "profile"], "display_order": 1},
            {"name": "github", "kind": "github", "client_id": "h", "client_secret": "s2", "display_order": 2,
             "admin_subjects": ["42"]},
            {"name": "oidc", "kind": "generic-oidc", "client_id": "o", "client_secret": "s3", "display_order": 3,
             "session_ttl_secs": 3600, "default_role": "admin", **urls}]
        created = []
        for sent in fixtures:
            view = self.call("POST", PROVIDERS, sent)
            created.append(view)
            for key, value in sent.items():
                if key != "client_secret":
                    self.assertEqual(view[key], value)
            self.assertTrue(view["client_secret_configured"])
            self.assertNotIn("client_secret", view)
            for key in VIEW_LISTS:
                self.assertIsInstance(view[key], list)
            self.assertEqual(self.call("GET", f"{PROVIDERS}/{view['id']}"), view)
        self.assertEqual([each["id"] for each in self.call("GET", PROVIDERS)], [each["id"] for each in created])
        for sent, view in zip(fixtures, created):
            patch = {key: value for key, value in sent.items() if key not in ("kind", "client_secret")}
            patched = self.call("PUT", f"{PROVIDERS}/{view['id']}", patch)
            self.assertEqual({**patched, "updated_at": None}, {**view, "updated_at": None})
        self.call("GET", f"{PROVIDERS}/", status=404)  # the released provider's empty id
        for view in created:
            self.call("DELETE", f"{PROVIDERS}/{view['id']}", status=204)
            self.call("DELETE", f"{PROVIDERS}/{view['id']}", status=204)
        self.assertEqual(self.call("GET", PROVIDERS), [])

    def test_4_a_generated_ca(self):
        generated = self.call("POST", f"{CA}/generate")
        self.assertTrue(generated["configured"])
        self.assertRegex(generated["fingerprint_sha256"], "^[0-9a-f]{64}$")
        self.assertEqual(self.call("GET", CA), generated)  # the plan is empty
        self.assertNotEqual(self.call("POST", f"{CA}/generate")["fingerprint_sha256"],
                            generated["fingerprint_sha256"])
        nothing = {"configured": False, "source": None, "fingerprint_sha256": None}
        self.assertEqual(self.call("DELETE", CA), nothing)
        self.assertEqual(self.call("GET", CA), nothing)
        self.assertEqual(self.call("DELETE", CA), nothing)

    def test_5_the_published_policy_resource(self):
        path = "/api/v1/policies/by-name/prod"
        self.call("PUT", "/api/v1/policy", {"source_groups": []})
        self.call("GET", path, status=404)
        rules = [{"id": "web-1", "action": "allow", "mode": "enforce",
                  "match": {"proto": "tcp", "dst_cidrs": ["198.51.100.0/24"], "dst_ports": [443]}}]
        sent = {"mode": "enforce", "name": "prod", "policy": {"source_groups": [
            {"id": "apps", "sources": {"cidrs": ["10.0.0.0/24"]}, "rules": rules}]}}
        record = self.call("PUT", path, sent)
        self.assertEqual((record["name"], record["mode"]), ("prod", "enforce"))
        self.assertEqual(self.call("GET", path), record)
        self.assertEqual(self.call("GET", "/api/v1/policies/by-name/%20PROD"), record)
        self.assertEqual(self.call("PUT", path, {**sent, "mode": "audit"})["mode"], "audit")
        self.assertEqual(self.call("GET", path)["id"], record["id"])
        reply = self.admin.put("/api/v1/policies/by-name/other", sent)
        self.assertEqual((reply.status, reply.error), (409, "policy name already exists: prod"))
        self.assertEqual(self.admin.get("/api/v1/policies/by-name/%20").error, "policy name must not be empty")
        self.assertEqual(self.admin.delete("/api/v1/policies/no-uuid").error, "invalid policy id")
        self.call("DELETE", f"/api/v1/policies/{record['id']}", status=204)
        self.call("GET", path, status=404)
        self.assertEqual(self.admin.delete(f"/api/v1/policies/{record['id']}").status, 404)
        for method, gone in (("GET", "/api/v1/policies"), ("POST", "/api/v1/policies"),
                             ("GET", f"/api/v1/policies/{record['id']}"),
                             ("PUT", f"/api/v1/policies/{record['id']}")):
            self.assertEqual(self.admin.request(method, gone, b"{}").status, 404)

    def test_6_nothing_ever_redirects(self):
        for path in ("/api/v1/policy", "/api/v1/policy/", "//api/v1/policy", "/api/v1/integrations/x"):
            self.assertNotIn(self.admin.get(path).status, range(300, 400))


if __name__ == "__main__":
    main()
