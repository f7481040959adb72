"""Who is asking, and may they: order of refusals on every route, messages of §3.2, cookies, login, tokens, keys."""
import base64
import json
import re

from api_target import ApiTest, main, target

WRITES = ("POST", "PUT", "PATCH", "DELETE")
SAMPLE_ID = "4b8e0f6e-9f7b-4c36-9a39-0f4f6a3d2c11"
COOKIE_ATTRIBUTES = "; HttpOnly; Secure; SameSite=Strict; Path=/"
LOGIN = "/api/v1/auth/token-login"
WHOAMI = "/api/v1/auth/whoami"


def encoded(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


class Auth(ApiTest):
    def setUp(self):
        super().setUp()
        self.local = target().local()
        self.addCleanup(self.local.close)

    def operations(self):
        """(path with parameters filled in, methods, whether it is protected) of the served document."""
        paths = self.open.get("/api/v1/openapi.json").json()["paths"]
        for path, methods in paths.items():
            filled = re.sub(r"\{\w+\}", SAMPLE_ID, path)
            yield filled, {name.upper() for name in methods}, any("security" in each for each in methods.values())

    def test_401_comes_before_403_before_405_on_every_route(self):
        seen = 0
        for path, methods, is_protected in self.operations():
            if not is_protected:
                continue
            seen += 1
            missing = [method for method in WRITES if method not in methods]
            for method in ("GET", *WRITES):
                with self.subTest(path=path, method=method):
                    reply = self.open.request(method, path, b"{}" if method in WRITES else None)
                    self.assertEqual((reply.status, reply.error), (401, "missing bearer token"))
                    if method in WRITES:
                        reply = self.reader.request(method, path, b"{}")
                        self.assertEqual((reply.status, reply.error), (403, "admin role required"))
            for method in missing:
                with self.subTest(path=path, method=method):
                    reply = self.admin.request(method, path, b"{}")
                    self.assertEqual((reply.status, reply.body), (405, b""))
                    allowed = set(reply.headers["allow"].split(", "))
                    self.assertEqual(allowed, methods | ({"HEAD"} if "GET" in methods else set()))
        self.assertGreater(seen, 25)

    def test_open_routes_ask_nobody(self):
        for path in ("/health", "/ready", "/api/v1/openapi.json", "/api/v1/auth/sso/providers", "/"):
            with self.subTest(path=path):
                self.assertIn(self.open.get(path).status, (200, 503))
        self.assertEqual(self.open.post("/api/v1/auth/logout").status, 204)

    def test_each_broken_token_has_its_message(self):
        head, claims, signature = target().admin.split(".")
        kid = json.loads(base64.urlsafe_b64decode(head + "==="))["kid"]
        eddsa = {"alg": "EdDSA", "kid": kid, "typ": "JWT"}
        for token, message in [
                ("a", "jwt missing claims"), ("a.b", "jwt missing signature"),
                ("a.b.c.d", "jwt has too many segments"),
                (f"a.{claims}.{signature}", "invalid jwt header"),
                (f"{head}==.{claims}.{signature}", "invalid jwt header"),
                (f"{head}.{claims}=.{signature}", "invalid jwt claims"),
                (f"{head}.{claims}.{signature}==", "invalid jwt signature encoding"),
                (f"{encoded({**eddsa, 'alg': 'none'})}.{claims}.{signature}", "unsupported jwt alg"),
                (f"{encoded({**eddsa, 'alg': 'HS256'})}.{claims}.{signature}", "unsupported jwt alg"),
                (f"{encoded({**eddsa, 'kid': SAMPLE_ID})}.{claims}.{signature}", "unknown jwt kid"),
                (f"{head}.{encoded({'sub': 'x', 'roles': ['admin']})}.{signature}", "invalid jwt")]:
            with self.subTest(message=message, token=token[:20]):
                reply = self.client(token).get(WHOAMI)
                self.assertEqual(reply.status, 401)
                self.assertTrue(reply.error.startswith(message), reply.error)

    def test_credentials_are_looked_for_in_their_order(self):
        admin, reader = target().admin, target().reader
        for headers, status, words in [
                ({"Authorization": "Basic eDp5"}, 401, "invalid authorization scheme"),
                ({"Authorization": f"bearer  {admin} more"}, 200, "anna"),
                ({"Cookie": f"a=b; neuwerk_auth={reader}; neuwerk_auth={admin}"}, 200, "ray"),
                ({"Cookie": f'neuwerk_auth="{admin}"'}, 401, ""),
                ({"Authorization": "Basic eDp5", "Cookie": f"neuwerk_auth={reader}"}, 200, "ray"),
                ({"Authorization": "Bearer", "Cookie": f"neuwerk_auth={reader}"}, 200, "ray"),
                ({"Authorization": "Bearer wrong", "Cookie": f"neuwerk_auth={admin}"}, 401, "jwt"),
                ({"Authorization": f"Bearer {admin}", "Cookie": f"neuwerk_auth={reader}"}, 200, "anna")]:
            with self.subTest(headers={name: value[:30] for name, value in headers.items()}):
                reply = self.open.get(WHOAMI, headers=headers)
                self.assertEqual(reply.status, status)
                self.assertIn(words, reply.body.decode())
        self.assertEqual(self.open.get(f"{WHOAMI}?access_token={admin}").status, 401)
        self.assertEqual(self.open.get(f"/api/v1/wiretap/stream?access_token={admin}").status, 401)

    def test_a_browser_logs_in_works_and_logs_out(self):
        reply = self.open.post(LOGIN, {"token": f" Bearer {target().admin}\n"})
        self.assertEqual(reply.status, 200)
        user = reply.json()
        self.assertEqual((user["sub"], user["sa_id"], user["roles"]), ("anna", None, ["admin"]))
        self.assertIsInstance(user["exp"], int)
        self.assertEqual(reply.headers["set-cookie"], f"neuwerk_auth={target().admin}{COOKIE_ATTRIBUTES}")
        browser = self.client(cookie=reply.headers["set-cookie"].split(";")[0])
        json_type = {"Content-Type": "application/json"}
        self.assertEqual(browser.get(WHOAMI, headers=json_type).json()["sub"], "anna")
        self.assertEqual(browser.get("/api/v1/stats", headers=json_type).status, 200)
        created = browser.post("/api/v1/service-accounts", {"name": "ui", "role": "readonly"}, headers=json_type)
        self.assertEqual(created.json()["created_by"], "anna")
        self.assertEqual(browser.put("/api/v1/policy", {"default_policy": "deny", "source_groups": []}).status, 200)
        self.assertEqual(browser.delete(f"/api/v1/service-accounts/{created.json()['id']}").status, 204)
        reply = browser.post("/api/v1/auth/logout")
        self.assertEqual((reply.status, reply.body), (204, b""))
        self.assertEqual(reply.headers["set-cookie"], f"neuwerk_auth=; Max-Age=0{COOKIE_ATTRIBUTES}")

    def test_login_refuses_in_the_documented_words(self):
        for body, status, message in [
                (b"", 400, "invalid json: "), (b"[]", 400, "invalid json: "), (b"{}", 400, "invalid json: "),
                (b'{"token":5}', 400, "invalid json: "), (b'{"token":"  "}', 400, "token is required"),
                (json.dumps({"token": "x" * 8193}).encode(), 400, "token too large"),
                (b'{"token":"Bearer "}', 401, "jwt missing"), (b'{"token":"a.b.c"}', 401, "invalid jwt header")]:
            with self.subTest(body=body[:30]):
                reply = self.open.post(LOGIN, body)
                self.assertEqual(reply.status, status)
                self.assertTrue(reply.error.startswith(message), reply.error)
                self.assertNotIn("set-cookie", reply.headers)

    def test_the_21st_failure_of_one_token_is_throttled_and_no_other(self):
        body = {"token": f"{SAMPLE_ID}.wrong.token"}
        self.assertEqual([self.open.post(LOGIN, body).status for _ in range(20)], [401] * 20)
        reply = self.open.post(LOGIN, body)
        self.assertEqual((reply.status, reply.error), (429, "too many login attempts"))
        self.assertEqual(self.open.post(LOGIN, {"token": "another.wrong.token"}).status, 401)
        self.assertEqual(self.open.post(LOGIN, {"token": target().reader}).status, 200)

    def test_service_account_tokens_end_with_what_carries_them(self):
        accounts = "/api/v1/service-accounts"
        account = self.admin.post(accounts, {"name": "ci", "role": "admin"}).json()
        tokens = f"{accounts}/{account['id']}/tokens"
        minted = [self.admin.post(tokens, {"eternal": True}).json() for _ in range(2)]
        first, second = (self.client(each["token"]) for each in minted)
        self.assertEqual(first.get(WHOAMI).json(), {"sub": account["id"], "sa_id": account["id"], "exp": None,
                                                    "roles": ["admin"]})
        self.assertEqual(first.put("/api/v1/settings/performance-mode", {"enabled": True}).status, 200)
        self.assertEqual(self.admin.delete(f"{tokens}/{minted[0]['token_meta']['id']}").status, 204)
        self.assertEqual(first.get(WHOAMI).error, "token revoked")
        self.admin.put(f"{accounts}/{account['id']}", {"name": "ci", "role": "readonly"})
        self.assertEqual(second.get(WHOAMI).error, "token role exceeds current account role")
        self.admin.put(f"{accounts}/{account['id']}", {"name": "ci", "role": "admin"})
        self.assertEqual(second.get(WHOAMI).status, 200)
        self.admin.delete(f"{accounts}/{account['id']}")
        self.assertIn(second.get(WHOAMI).error, ("token revoked", "service account disabled"))

    def test_keys_rotate_and_retire_without_a_restart(self):
        mint = {"sub": "kim", "roles": ["readonly"]}
        before = self.local.post("/api/v1/local/tokens", mint).json()["token"]
        old = next(key for key in self.local.get("/api/v1/local/keys").json() if key["signing"])
        self.assertEqual(self.local.post(f"/api/v1/local/keys/{old['kid']}/retire").error,
                         "cannot retire active signing key")
        self.assertEqual(self.local.post("/api/v1/local/keys/rotate").status, 200)
        after = self.local.post("/api/v1/local/tokens", mint).json()["token"]
        for token in (before, after):
            self.assertEqual(self.client(token).get(WHOAMI).status, 200)
        reply = self.local.post(f"/api/v1/local/keys/{SAMPLE_ID}/retire")
        self.assertEqual(reply.error, f"unknown kid {SAMPLE_ID}")
        # The tests' own tokens hang on the first key, so a third one is retired.
        self.local.post("/api/v1/local/keys/rotate")
        middle = json.loads(base64.urlsafe_b64decode(after.split(".")[0] + "==="))["kid"]
        self.assertEqual(self.local.post(f"/api/v1/local/keys/{middle}/retire").status, 204)
        self.assertEqual(self.client(after).get(WHOAMI).error, "jwt key retired")

    def test_local_routes_exist_on_the_local_socket_only(self):
        for method, path in (("GET", "/api/v1/local/keys"), ("POST", "/api/v1/local/tokens")):
            self.assertEqual(self.admin.request(method, path, b"{}").status, 404)
        self.assertEqual(self.local.get(WHOAMI).json()["sub"], "local:root")
        self.assertEqual(self.local.get("/api/v1/openapi.json").status, 200)

    def test_sso_login_has_no_engine_and_says_so(self):
        self.assertEqual(self.open.get("/api/v1/auth/sso/no-uuid/start").error, "invalid provider id")
        self.assertEqual(self.open.get(f"/api/v1/auth/sso/{SAMPLE_ID}/start").status, 404)


if __name__ == "__main__":
    main()
