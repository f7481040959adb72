"""Settings as operators and Terraform use them: a CA of their own, an SSO provider that answers, many clients at once."""
import http.server
import subprocess
import tempfile
import threading
import unittest
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from api_target import main, target

V1 = "/api/v1"
CA, PROVIDERS = f"{V1}/settings/tls-intercept-ca", f"{V1}/settings/sso/providers"
SAMPLE_ID = "4b8e0f6e-9f7b-4c36-9a39-0f4f6a3d2c11"
CLIENTS, CREATES = 16, 5
CLEARED = "neuwerk_sso=; Max-Age=0; HttpOnly; Secure; SameSite=Lax; Path=/api/v1/auth/sso/"


def openssl(*words, directory):
    subprocess.run(["openssl", *words], cwd=directory, check=True, capture_output=True)


class Page(http.server.BaseHTTPRequestHandler):
    """An identity provider that answers what its path says: /404 is 404."""

    def do_GET(self):
        self.send_response(int(self.path[1:]))
        self.send_header("Location", "http://127.0.0.1:1/")
        self.end_headers()

    def log_message(self, *_):
        pass


class Settings(unittest.TestCase):
    def setUp(self):
        self.admin, self.open = target().client(target().admin), target().client()

    def tearDown(self):
        self.admin.close()
        self.open.close()

    def ok(self, method, path, body=None, status=200):
        reply = self.admin.request(method, path, body)
        self.assertEqual(reply.status, status, f"{method} {path}: {reply}")
        return reply.json() if reply.body else None

    # The third fixture of §12.4.
    def test_an_uploaded_ca_keeps_its_fingerprint_over_import_and_apply(self):
        with tempfile.TemporaryDirectory(prefix="nw-ca-") as directory:
            new_key = ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "sec1.pem"]
            openssl(*new_key, directory=directory)
            openssl("req", "-x509", "-new", "-key", "sec1.pem", "-subj", "/CN=Corp CA", "-days", "30",
                    "-addext", "basicConstraints=critical,CA:TRUE", "-out", "ca.pem", directory=directory)
            openssl("pkcs8", "-topk8", "-nocrypt", "-in", "sec1.pem", "-out", "pkcs8.pem", directory=directory)
            pem, sec1, pkcs8 = (Path(directory, name).read_text() for name in ("ca.pem", "sec1.pem", "pkcs8.pem"))
        first = self.ok("PUT", CA, {"ca_cert_pem": pem.strip(), "ca_key_pem": pkcs8.strip()})
        self.assertEqual((first["configured"], first["source"]), (True, "local"))
        self.assertEqual(self.ok("GET", CA), first)  # the plan is empty
        self.assertEqual(self.ok("PUT", CA, {"ca_cert_pem": pem, "ca_key_pem": sec1}), first)
        self.assertEqual(self.admin.get(f"{CA}/cert").body.decode(), pem.strip())
        self.assertFalse(self.ok("DELETE", CA)["configured"])
        self.assertFalse(self.ok("GET", CA)["configured"])

    def test_the_test_of_a_provider_asks_it(self):
        with target().entered():
            server = http.server.HTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        made = self.ok("POST", PROVIDERS, {"name": "p", "kind": "google", "client_id": "c", "client_secret": "s"})
        try:
            for page, is_ok, details in (("200", True, "provider authorization endpoint reachable"),
                                         ("302", True, "provider authorization endpoint reachable"),
                                         ("500", False, "authorization endpoint returned 500")):
                url = f"http://127.0.0.1:{server.server_port}/{page}"
                self.ok("PUT", f"{PROVIDERS}/{made['id']}", {"authorization_url": url})
                self.assertEqual(self.ok("POST", f"{PROVIDERS}/{made['id']}/test"), {"ok": is_ok, "details": details})
        finally:
            server.shutdown()
            server.server_close()
        answer = self.ok("POST", f"{PROVIDERS}/{made['id']}/test")
        self.assertFalse(answer["ok"])
        self.assertTrue(answer["details"].startswith("provider request failed: "), answer)
        self.ok("DELETE", f"{PROVIDERS}/{made['id']}", status=204)

    def test_an_sso_login_says_that_it_has_no_engine(self):
        made = self.ok("POST", PROVIDERS, {"name": "p", "kind": "google", "client_id": "c", "client_secret": "s"})
        sso = f"{V1}/auth/sso/{made['id']}"
        reply = self.open.get(f"{sso}/start?next=/audit")
        self.assertEqual((reply.status, reply.headers["cache-control"]), (503, "no-store"))
        self.assertIn("no engine", reply.error)
        for query, status, message in (("code=1&state=2", 503, "no engine"), ("state=2", 400, "missing code"),
                                       ("code=1", 400, "missing state"),
                                       ("error=access_denied", 401, "sso provider denied login: access_denied")):
            with self.subTest(query=query):
                reply = self.open.get(f"{sso}/callback?{query}")
                self.assertEqual((reply.status, reply.headers["set-cookie"]), (status, CLEARED))
                self.assertIn(message, reply.error)
        self.ok("PUT", f"{PROVIDERS}/{made['id']}", {"enabled": False})
        self.assertEqual(self.open.get(f"{sso}/start").error, "sso provider is disabled")
        self.assertEqual(self.open.get(f"{V1}/auth/sso/{SAMPLE_ID}/start").status, 404)
        self.ok("DELETE", f"{PROVIDERS}/{made['id']}", status=204)

    def test_findings_without_an_engine_do_not_look_complete(self):
        for variant in ("", "/local"):
            envelope = self.ok("GET", f"{V1}/threats/findings{variant}?alertable=true&limit=1000&since=1")
            self.assertEqual((envelope["items"], envelope["partial"], envelope["disabled"]), ([], True, False))
            self.assertIn("no engine", envelope["node_errors"][0]["error"])
        for query in ("severity=x", "alertable=maybe", "limit=x", "indicator_type=url"):
            reply = self.admin.get(f"{V1}/threats/findings?{query}")
            self.assertEqual((reply.status, reply.error), (400, "invalid {} value: {}".format(*query.split("="))))

    def ids(self, path, key=None):
        listed = self.ok("GET", path)
        return {each["id"] for each in (listed[key] if key else listed)}

    def create_with_many_clients(self, path, body_of, key=None):
        """Ids that clients got from CLIENTS × CREATES creations at once; all of them are listed afterwards."""
        before = self.ids(path, key)

        def one_client(number):
            client = target().client(target().admin)
            try:
                replies = [client.post(path, body_of(f"{number}-{count}")) for count in range(CREATES)]
            finally:
                client.close()
            self.assertEqual([reply.status for reply in replies], [200] * CREATES, replies)
            return [(reply.json().get("token_meta") or reply.json())["id"] for reply in replies]

        with ThreadPoolExecutor(CLIENTS) as pool:
            made = {each for ids in pool.map(one_client, range(CLIENTS)) for each in ids}
        self.assertEqual(len(made), CLIENTS * CREATES)
        self.assertEqual(self.ids(path, key) - before, made)
        return made

    def test_what_many_clients_create_at_once_is_all_there(self):
        integration = {"kind": "kubernetes", "api_server_url": "https://10.0.0.10:6443", "ca_cert_pem": "x",
                       "service_account_token": "t"}
        provider = {"kind": "google", "client_id": "c", "client_secret": "s"}
        silence = {"kind": "exact", "indicator_type": "hostname"}
        self.create_with_many_clients(f"{V1}/integrations", lambda name: {**integration, "name": name})
        for number in range(CLIENTS):
            for count in range(CREATES):
                self.ok("DELETE", f"{V1}/integrations/{number}-{count}", status=204)
        for path, body_of, key in (
                (PROVIDERS, lambda name: {**provider, "name": name}, None),
                (f"{V1}/threats/silences", lambda name: {**silence, "value": f"{name}.example"}, "items"),
                (f"{V1}/service-accounts", lambda name: {"name": name, "role": "readonly"}, None)):
            with self.subTest(path=path):
                for each in self.create_with_many_clients(path, body_of, key):
                    self.ok("DELETE", f"{path}/{each}", status=204)
        account = self.ok("POST", f"{V1}/service-accounts", {"name": "tokens", "role": "readonly"})
        self.create_with_many_clients(f"{V1}/service-accounts/{account['id']}/tokens", lambda name: {"name": name})
        self.ok("DELETE", f"{V1}/service-accounts/{account['id']}", status=204)


if __name__ == "__main__":
    main()
