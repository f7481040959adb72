"""What the API tests talk to: nw_api_host in a temporary directory, or whatever `use` was given.

    api = target().client(token)          # one kept connection
    api.get("/api/v1/policy").json()
    with target().raw() as stream: …      # bytes as they are
"""
import contextlib
import http.client
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PATIENCE_S = 30

_target = None


class Reply:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status, response.headers, response.read()

    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        """The message of a JSON error; the text of another one."""
        try:
            return self.json()["error"]
        except (ValueError, KeyError, TypeError):
            return self.body.decode(errors="replace")

    def __repr__(self):
        return f"<{self.status} {self.body[:300]!r}>"


class Client:
    """One connection, opened again when the server has closed it; `token` as bearer, `cookie` as cookie."""

    def __init__(self, connect, token=None, cookie=None):
        self._connect, self.token, self.cookie, self._connection = connect, token, cookie, None

    def request(self, method, path, body=None, headers=None, **more):
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1")
            self._connection.sock = self._connect()
        sent = dict(headers or {})
        if self.token is not None:
            sent.setdefault("Authorization", f"Bearer {self.token}")
        if self.cookie is not None:
            sent.setdefault("Cookie", self.cookie)
        if body is not None and not isinstance(body, (bytes, str)) and not hasattr(body, "__next__"):
            body = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        self._connection.request(method, path, body, sent, **more)
        reply = Reply(self._connection.getresponse())
        if reply.headers.get("connection", "").lower() == "close":
            self.close()
        return reply

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def put(self, path, body=None, **more):
        return self.request("PUT", path, body, **more)

    def post(self, path, body=None, **more):
        return self.request("POST", path, body, **more)

    def delete(self, path, **more):
        return self.request("DELETE", path, **more)

    def close(self):
        if self._connection:
            self._connection.close()
        self._connection = None


class Target:
    """Where the API is. A subclass fills `admin`, `reader`, `ca` and says how to connect."""
    admin = reader = ca = None

    def connect_tcp(self):
        raise NotImplementedError

    def connect_unix(self):
        raise NotImplementedError

    def tls_context(self):
        context = ssl.create_default_context(cafile=self.ca)
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        return context

    def raw(self):
        """A TLS stream past its handshake."""
        stream = self.tls_context().wrap_socket(self.connect_tcp(), server_hostname=self.name)
        stream.settimeout(PATIENCE_S)
        # http.client sends header and body apart: the second would wait 40 ms for the first one's ACK.
        stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return stream

    name = "127.0.0.1"
    is_whole = False  # whether packets flow

    def entered(self):
        """Sockets made within are where the API's own requests to others arrive."""
        return contextlib.nullcontext()

    def client(self, token=None, cookie=None):
        return Client(self.raw, token, cookie)

    def local(self):
        return Client(self.connect_unix)


class ApiHost(Target):
    """A nw_api_host of its own, ended by closing its standard input."""

    def __init__(self):
        binary = os.environ["NW_API_HOST_BINARY"]
        self.directory = Path(tempfile.mkdtemp(prefix="nw-api-"))
        self.log_file = self.directory / "log"
        with open(self.log_file, "wb") as log:
            self._process = subprocess.Popen([binary, self.directory], stdin=subprocess.PIPE,
                                             stdout=subprocess.PIPE, stderr=log)
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"nw_api_host did not start: {self.log_file.read_text()}")
        self.said = json.loads(line)
        self.port, self.admin, self.reader = (self.said[key] for key in ("port", "admin", "reader"))
        self.ca, self.certificate, self.key = (self.said[key] for key in ("ca", "certificate", "key"))

    def connect_tcp(self):
        return socket.create_connection(("127.0.0.1", self.port), PATIENCE_S)

    def connect_unix(self):
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(PATIENCE_S)
        stream.connect(self.said["socket"])
        return stream

    def stop(self):
        """Its exit code; the directory goes away."""
        self._process.stdin.close()
        try:
            code = self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._process.stdout.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        return code


class ApiTest(unittest.TestCase):
    """Clients that are closed with the test; `open` has no credential."""

    def setUp(self):
        self.open, self.admin, self.reader = (self.client(token) for token in (None, target().admin, target().reader))

    def client(self, token=None, cookie=None):
        client = target().client(token, cookie)
        self.addCleanup(client.close)
        return client


def use(other):
    """Lets the tests run against something else, for example a whole appliance."""
    global _target
    _target = other


def target():
    global _target
    if _target is None:
        _target = ApiHost()
        unittest.addModuleCleanup(_stop)
    return _target


def _stop():
    global _target
    stopped, _target = _target, None
    if code := stopped.stop():
        raise AssertionError(f"nw_api_host ended with {code}")


def main():
    if "NW_API_HOST_BINARY" not in os.environ:
        print("NW_API_HOST_BINARY is not set: ctest -R api_ does")
        sys.exit(77)
    unittest.main(module="__main__", verbosity=2)
