"""The wire of spec/http-api §2: fallbacks, bodies, headers, limits, clients that are slow or many."""
import json
import resource
import socket
import threading

from api_target import ApiTest, main, target

MIB = 1 << 20
LIMIT = 2 * MIB
SECURITY = {
    "x-content-type-options": "nosniff", "x-frame-options": "DENY", "referrer-policy": "no-referrer",
    "permissions-policy": "accelerometer=(), camera=(), geolocation=(), microphone=()",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
}
UI_PATHS = ["/", "/policies", "/integrations", "/threats", "/threat-intel", "/threats/findings", "/threats/silences",
            "/wiretap", "/audit", "/dns", "/service-accounts", "/settings", "/login", "/metrics", "/api"]
ACCOUNT = {"name": "n", "role": "readonly"}
IDLE_COUNT = 1000


def head_of(method, path, *lines):
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: neuwerk", *lines, "", ""]).encode()


def read_head(stream):
    """(status, header lines in lower case) of what comes; (0, []) at the end."""
    data = b""
    while b"\r\n\r\n" not in data:
        if not (more := stream.recv(1)):
            return 0, []
        data += more
    lines = data.decode().split("\r\n")
    return int(lines[0].split()[1]), [line.lower() for line in lines[1:] if line]


def read_reply(stream):
    """(status, body) by Content-Length."""
    status, lines = read_head(stream)
    length = next((int(line.split(":")[1]) for line in lines if line.startswith("content-length:")), 0)
    body = b""
    while len(body) < length and (more := stream.recv(length - len(body))):
        body += more
    return status, body


class Http(ApiTest):
    def test_unknown_paths_of_the_api_are_404_and_others_are_the_page(self):
        for path in ("/api/v1/nothing", "/api/v1/policy/", "/api/v2/policy", "/api/", "/api/v1/openapi.json/"):
            for method in ("GET", "POST", "DELETE"):
                with self.subTest(path=path, method=method):
                    reply = self.open.request(method, path)
                    self.assertEqual((reply.status, reply.error), (404, "not found"))
        for path in UI_PATHS:
            with self.subTest(path=path):
                reply = self.open.get(path)
                self.assertEqual((reply.status, reply.headers.get_content_type()), (200, "text/html"))
                self.assertIn(b"Neuwerk", reply.body)
                self.assertEqual(self.open.post(path).status, 405)

    def test_a_released_provider_that_asks_with_an_empty_id_gets_404_json(self):
        reply = self.admin.get("/api/v1/settings/sso/providers/")
        self.assertEqual((reply.status, reply.headers.get_content_type()), (404, "application/json"))

    def test_security_headers_are_on_everything(self):
        for client, method, path, status in [
                (self.open, "GET", "/health", 200), (self.open, "GET", "/", 200), (self.open, "PUT", "/", 405),
                (self.open, "GET", "/api/v1/policy", 401), (self.reader, "PUT", "/api/v1/policy", 403),
                (self.admin, "DELETE", "/api/v1/stats", 405), (self.open, "GET", "/api/v1/none", 404),
                (self.open, "POST", "/api/v1/auth/logout", 204)]:
            with self.subTest(method=method, path=path):
                reply = client.request(method, path)
                self.assertEqual(reply.status, status)
                for name, value in SECURITY.items():
                    self.assertEqual(reply.headers.get_all(name), [value])
                inline = "style-src 'self' 'unsafe-inline';" in reply.headers["content-security-policy"]
                self.assertEqual(inline, path.startswith("/api/"))
                self.assertEqual(reply.headers["cache-control"],
                                 "no-store" if path.startswith("/api/v1/auth/") else None)
                for name in reply.headers:
                    self.assertFalse(name.lower().startswith("access-control-"), name)

    def test_head_is_taken_wherever_get_is(self):
        for path in ("/health", "/", "/api/v1/stats", "/api/v1/openapi.json"):
            with self.subTest(path=path):
                get, head = self.admin.get(path), self.admin.request("HEAD", path)
                self.assertEqual((head.status, head.body), (get.status, b""))
                self.assertEqual(head.headers["content-length"], get.headers["content-length"])

    def test_options_gets_405_and_no_cors(self):
        reply = self.admin.request("OPTIONS", "/api/v1/stats")
        self.assertEqual((reply.status, reply.headers["allow"], reply.body), (405, "GET, HEAD", b""))

    def test_a_parameter_that_is_no_utf8_is_400_and_names_it(self):
        reply = self.admin.get("/api/v1/integrations/%ff")
        self.assertEqual((reply.status, reply.body), (400, b"Invalid URL: Invalid UTF-8 in `name`"))
        self.assertEqual(self.open.get("/api/v1/integrations/%ff").status, 401)

    def test_a_parameter_is_decoded_after_the_route_is_found(self):
        self.assertEqual(self.admin.get("/api/v1/integrations/a%2Fb").error, "integration not found")
        self.assertEqual(self.admin.get("/api/v1/integrations/a/b").error, "not found")

    def test_bodies_of_every_kind_of_bad_json(self):
        path = "/api/v1/service-accounts"
        for body in (b"", b"{", b"[]", b"null", b"\"x\"", b"\xff\xfe", b'{"name":"\xff","role":"admin"}', b"{} {}",
                     b'{"name":1,"role":"admin"}', b'{"name":"a","name":"b","role":"admin"}', b'["n",null,"admin"]',
                     b'{"role":"admin"}', b'{"name":null,"role":"admin"}', b'{"x":' + b"[" * 500 + b"]" * 500 + b"}"):
            with self.subTest(body=body[:40]):
                reply = self.admin.post(path, body)
                self.assertEqual(reply.status, 400)
                self.assertTrue(reply.error.startswith("invalid json: "), reply.error)

    def test_unknown_keys_and_any_content_type_are_taken(self):
        body = b'{"name":"typed","role":"readonly","x":1,"x":{"y":[[]]}}'
        for kind in ("text/plain", "application/x-www-form-urlencoded", "nonsense"):
            with self.subTest(kind=kind):
                self.assertEqual(self.admin.post("/api/v1/service-accounts", body,
                                                 headers={"Content-Type": kind}).status, 200)

    def test_exactly_2_mib_is_read_and_one_byte_more_is_413(self):
        start, end = b'{"name":"big","role":"readonly","x":"', b'"}'
        body = start + b"x" * (LIMIT - len(start) - len(end)) + end
        self.assertEqual(len(body), LIMIT)
        self.assertEqual(self.admin.post("/api/v1/service-accounts", body).status, 200)
        for headers in ({}, {"Expect": "100-continue"}):
            reply = self.admin.post("/api/v1/service-accounts", body + b" ", headers=headers)
            self.assertEqual(reply.status, 413)
            self.assertTrue(reply.error.startswith("request body too large: "), reply.error)

    def test_chunked_bodies_are_read_and_limited_too(self):
        def parts(text, size):
            return iter([text[at:at + size] for at in range(0, len(text), size)])
        body = json.dumps(ACCOUNT).encode()
        for size in (1, 7, 1000):
            self.assertEqual(self.admin.post("/api/v1/service-accounts", parts(body, size),
                                             encode_chunked=True,
                                             headers={"Transfer-Encoding": "chunked"}).status, 200)
        with target().raw() as stream:
            stream.sendall(head_of("POST", "/api/v1/service-accounts", f"Authorization: Bearer {target().admin}",
                                   "Transfer-Encoding: chunked"))
            part = b"40000\r\n" + b"x" * 0x40000 + b"\r\n"
            for _ in range(9):
                stream.sendall(part)
            self.assertEqual(read_reply(stream)[0], 413)

    def test_a_bad_chunk_is_400(self):
        with target().raw() as stream:
            stream.sendall(head_of("POST", "/api/v1/service-accounts", f"Authorization: Bearer {target().admin}",
                                   "Transfer-Encoding: chunked") + b"zz\r\n")
            self.assertEqual(read_reply(stream)[0], 400)
            self.assertEqual(stream.recv(1), b"")

    def test_a_large_policy_is_read_where_other_bodies_end(self):
        filler = {"id": "g", "mode": "enforce", "sources": {"ips": ["10.0.0.1"]}, "rules": [], "unknown": "x" * LIMIT}
        reply = self.admin.put("/api/v1/policy", {"source_groups": [filler]})
        self.assertEqual(reply.status, 200, reply)
        self.admin.put("/api/v1/policy", {"source_groups": []})

    def test_expect_100_continue_is_answered_before_the_body(self):
        body = json.dumps(ACCOUNT).encode()
        with target().raw() as stream:
            stream.sendall(head_of("POST", "/api/v1/service-accounts", f"Authorization: Bearer {target().admin}",
                                   f"Content-Length: {len(body)}", "Expect: 100-continue"))
            self.assertEqual(read_head(stream)[0], 100)
            stream.sendall(body)
            self.assertEqual(read_reply(stream)[0], 200)
        for token, status in ((None, 401), (target().reader, 403)):
            with target().raw() as stream:
                more = [f"Authorization: Bearer {token}"] if token else []
                stream.sendall(head_of("POST", "/api/v1/service-accounts", f"Content-Length: {len(body)}",
                                       "Expect: 100-continue", *more))
                self.assertEqual(read_reply(stream)[0], status)

    def test_a_refusal_is_not_lost_when_the_body_comes_after_it(self):
        body = b"x" * 400_000
        for path, status in (("/api/v1/policy", 401), ("/api/v1/none", 404), ("/health", 405), ("/x", 405)):
            with self.subTest(path=path), target().raw() as stream:
                stream.sendall(head_of("PUT", path, f"Content-Length: {len(body)}"))
                stream.sendall(body)
                self.assertEqual(read_reply(stream)[0], status)
        with target().raw() as stream:  # more than anybody drains
            stream.sendall(head_of("PUT", "/api/v1/service-accounts", f"Content-Length: {5 * MIB}"))
            for _ in range(5):
                stream.sendall(b"x" * MIB)
            self.assertEqual(read_reply(stream)[0], 401)

    def test_routes_without_a_body_take_content_length_0_and_a_body_too(self):
        for path in ("/api/v1/auth/logout", "/api/v1/settings/tls-intercept-ca/generate"):
            for body in (None, b"", b"{}"):
                with self.subTest(path=path, body=body):
                    self.assertIn(self.admin.post(path, body).status, (200, 204))
        self.assertEqual(self.admin.delete("/api/v1/settings/tls-intercept-ca").status, 200)

    def test_what_is_no_http_is_refused_with_a_reason(self):
        for bytes_sent, status in ((b"\r\n\r\nhello\r\n\r\n", 400), (b"GET / HTTP/3.0\r\n\r\n", 400),
                                   (b"GET / HTTP/1.1\r\n\r\n", 400),
                                   (head_of("GET", "/" + "a" * 20_000), 431),
                                   (head_of("GET", "/", "Cookie: " + "a" * 20_000), 431),
                                   (head_of("GET", "/", "Content-Length: 1", "Transfer-Encoding: chunked"), 400)):
            with self.subTest(bytes_sent=bytes_sent[:30]), target().raw() as stream:
                stream.sendall(bytes_sent)
                got, body = read_reply(stream)
                self.assertEqual(got, status)
                self.assertIn("error", json.loads(body))
                self.assertEqual(stream.recv(1), b"")

    def test_pipelined_requests_are_answered_in_order(self):
        with target().raw() as stream:
            stream.sendall(head_of("GET", "/health") + head_of("GET", "/api/v1/none") + head_of("GET", "/api/v1/stats") +
                           head_of("GET", "/health", "Connection: close"))
            self.assertEqual([read_reply(stream)[0] for _ in range(4)], [200, 404, 401, 200])
            self.assertEqual(stream.recv(1), b"")

    def test_a_slow_loris_is_shown_out_while_others_are_served(self):
        streams = [target().raw() for _ in range(20)]
        for stream in streams:
            stream.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\nX: ")
        self.assertEqual(self.open.get("/health").status, 200)
        for stream in streams:
            with stream:
                self.assertEqual(read_reply(stream)[0], 408)  # the server's own 10 s

    def test_a_thousand_idle_connections_stay_served(self):
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, IDLE_COUNT + 200)), hard))
        clients = [self.client() for _ in range(IDLE_COUNT)]
        for client in clients:
            self.assertEqual(client.get("/health").status, 200)
        self.assertEqual(self.open.get("/health").status, 200)
        for client in clients:
            self.assertEqual(client.get("/health").status, 200)

    def test_a_plaintext_client_and_a_reset_harm_nobody(self):
        with target().connect_tcp() as stream:
            stream.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            stream.recv(1000)
        for _ in range(20):
            stream = target().raw()
            stream.sendall(head_of("GET", "/api/v1/openapi.json"))
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            stream.close()
        self.assertEqual(self.open.get("/health").status, 200)

    def test_every_write_that_is_answered_with_200_is_listed(self):
        created, problems = [], []

        def work(number):
            client = target().client(target().admin)
            for index in range(5):
                reply = client.post("/api/v1/service-accounts", {"name": f"w{number}-{index}", "role": "readonly"})
                (created if reply.status == 200 else problems).append(reply.json())
            client.close()

        threads = [threading.Thread(target=work, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(problems, [])
        listed = {account["id"] for account in self.admin.get("/api/v1/service-accounts").json()}
        self.assertLessEqual({account["id"] for account in created}, listed)
        self.assertEqual(len(created), 80)


if __name__ == "__main__":
    main()
