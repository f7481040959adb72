"""A whole appliance as the target of the API tests: its HTTPS listener on the loopback of its own namespace."""
import socket

import api_target
from appliance import Appliance

PORT = 8443


class LiveTarget(api_target.Target):
    """While entered, an appliance runs and `admin` and `reader` hold tokens of it."""

    def __init__(self, name):
        self._appliance = Appliance(name)
        self._appliance.config["http"] = {"bind": f"127.0.0.1:{PORT}"}
        self.port = PORT

    def __enter__(self):
        self._appliance.__enter__()
        try:
            tls = self._appliance.directory / "state" / "http-tls"
            self.ca, self.certificate, self.key = (str(tls / name) for name in ("ca.crt", "node.crt", "node.key"))
            self.directory = self._appliance.directory / "bench"
            self.directory.mkdir()
            self.admin, self.reader = (self._mint(sub, role) for sub, role in (("anna", "admin"), ("ray", "readonly")))
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._appliance.__exit__()

    def _mint(self, sub, role):
        local = self.local()
        reply = local.post("/api/v1/local/tokens", {"sub": sub, "roles": [role]})
        local.close()
        if reply.status != 200:
            raise RuntimeError(f"no token: {reply}")
        return reply.json()["token"]

    def command_prefix(self):
        """Words before a command that shall run beside the appliance."""
        return self._appliance.gate.command()

    def entered(self):
        return self._appliance.gate.entered()

    def connect_tcp(self):
        with self._appliance.gate.entered():
            stream = socket.create_connection(("127.0.0.1", PORT), api_target.PATIENCE_S)
        return stream

    def connect_unix(self):
        stream = socket.socket(socket.AF_UNIX)
        stream.settimeout(api_target.PATIENCE_S)
        stream.connect(str(self._appliance.socket))
        return stream

    is_whole = True

    def log(self):
        return self._appliance.log()
