"""A real appliance for tests: three hosts in namespaces, neuwerkd and its poller between them.

    with Appliance("name", "two-arm", policy=…, snat="none") as appliance:
        appliance.client.connect(…)
        appliance.ctl("status")

Everything of it lies in namespaces nw-e2e-<name>-* and in one directory, and is removed at the end, after a failure
and after SIGTERM too; what a killed run left is removed at the next start.
"""
import atexit
import contextlib
import fcntl
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

from hosts import Host

ROOT = Path(__file__).resolve().parents[2]
BINARIES = Path(os.environ.get("NW_BIN_DIR", ROOT / "build" / "dev" / "bin"))
SCRATCH = Path(os.environ.get("NW_TEST_DIRECTORY", "/run/neuwerk-test"))
TOPOLOGY = ROOT / "scripts" / "lib" / "topology.sh"
VERDICT_LIST = (ROOT / "bpf" / "abi" / "verdict.h").read_text()
VERDICTS = re.findall(r"^\tX\((\w+),", VERDICT_LIST, re.MULTILINE)  # in the order of their numbers
START_PATIENCE_S = 30

ALLOW_ALL = {"default_policy": "allow", "source_groups": []}
PORTS = {
    "two-arm": [{"interface": "inside", "side": "inside"}, {"interface": "outside", "side": "outside"}],
    "one-arm": [{"interface": "data", "side": "both"}],
}

_alive = set()
atexit.register(lambda: [appliance.down() for appliance in list(_alive)])


def measured(text):
    print(f"    measured: {text}", flush=True)


def eventually(attempt, what, patience_s=20):
    """The first truthy answer; fails with `what` and the last answer."""
    give_up = time.monotonic() + patience_s
    while not (answer := attempt()):
        if time.monotonic() > give_up:
            raise AssertionError(f"not within {patience_s} s: {what}; last: {answer!r}")
        time.sleep(0.02)
    return answer


def policy_of(*rules, default="deny"):
    """A policy document with one group: the client's network."""
    return {"default_policy": default, "source_groups": [
        {"id": "clients", "mode": "enforce", "sources": {"cidrs": ["10.0.0.0/24"]}, "rules": list(rules)}]}


def rule(name, action, **match):
    return {"id": name, "action": action, "match": match}


def shell(script):
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", f'. "$0"; {script}', TOPOLOGY],
                          capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{script}: {done.stderr or done.stdout}")
    return done.stdout


class Process:
    """A program in a namespace, its output in a log; ended by its id."""

    def __init__(self, host, words, log):
        with open(log, "ab") as output:
            self._child = subprocess.Popen(host.command(*words), stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        self.pid = self._child.pid

    def is_running(self):
        return self._child.poll() is None

    def kill(self):
        self._child.kill()
        self._child.wait()

    def stop(self):
        """Its exit code after SIGTERM."""
        self._child.terminate()
        try:
            return self._child.wait(15)
        except subprocess.TimeoutExpired:
            self.kill()
            return None


class Appliance:
    def __init__(self, name, form="two-arm", policy=None, start=True, **dataplane):
        self.form = form
        self.prefix = f"nw-e2e-{name}"
        self.directory = SCRATCH / self.prefix
        self.bpffs = self.directory / "bpffs" / "neuwerk"
        self.log_file = self.directory / "log"
        self.socket = self.directory / "run" / "neuwerkd.sock"
        self.client, self.gate, self.internet = (
            Host(f"{self.prefix}-{host}") for host in ("client", "appliance", "internet"))
        self.outside = "data" if form == "one-arm" else "outside"
        self.interfaces = [port["interface"] for port in PORTS[form]]
        self.config = {
            "version": 1,
            "policy": {"internal_cidr": "10.0.0.0/8"},
            "dataplane": {"ports": PORTS[form], "snat": "auto", "flow_lines": 4096, **dataplane},
            "metrics": {"bind": "127.0.0.1:8080"},
            "paths": {"state": str(self.directory / "state"), "run": str(self.directory / "run"),
                      "bpffs": str(self.bpffs)},
        }
        self.daemon = None
        self._policy, self._start = policy or ALLOW_ALL, start

    def __enter__(self):
        SCRATCH.mkdir(parents=True, exist_ok=True)
        self._lock = open(SCRATCH / f"{self.prefix}.lock", "w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)  # another run on this machine has the same names
        try:
            self._remove()
            _alive.add(self)
            self.directory.mkdir()
            shell(f"nw_topology_up {self.prefix} {self.form}; nw_bpffs_up {self.bpffs.parent}")
            if self._start:
                self.start()
                self.apply(self._policy)
                self.warm_up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(self, *_):
        self.down()

    def _remove(self):
        shell(f"nw_topology_down {self.prefix}; nw_bpffs_down {self.bpffs.parent}")
        shutil.rmtree(self.directory, ignore_errors=True)

    def down(self):
        if self not in _alive:
            return
        _alive.discard(self)
        if self.daemon and self.daemon.is_running():
            self.daemon.stop()
        self._remove()
        self._lock.close()

    # Processes

    def write_config(self, config=None):
        path = self.directory / "config.yaml"
        path.write_text(json.dumps(config or self.config))  # JSON is YAML
        return path

    def start(self):
        """Starts neuwerkd and waits until it is ready. Returns how long that took, in seconds."""
        begin = time.monotonic()
        self.daemon = Process(self.gate, [BINARIES / "neuwerkd", "--config", self.write_config()], self.log_file)
        with self._log_on_failure():
            eventually(lambda: not self.daemon.is_running() or self.http("/ready")[0] == 200, "ready", START_PATIENCE_S)
            if not self.daemon.is_running():
                raise AssertionError("neuwerkd ended")
        return time.monotonic() - begin

    def stop(self):
        return self.daemon.stop()

    def uninstall(self):
        """What `neuwerkd uninstall` said; harmless when nothing is installed."""
        return self.gate.run(BINARIES / "neuwerkd", "--config", self.write_config(), "uninstall")

    def warm_up(self):
        """Neighbours on both sides are resolved before a test counts packets."""
        with self._log_on_failure():
            eventually(lambda: self.client.run("ping", "-c", "1", "-W", "1", "198.51.100.10").returncode == 0, "a ping")

    @contextlib.contextmanager
    def _log_on_failure(self):
        try:
            yield
        except AssertionError as failure:
            raise AssertionError(f"{failure}; the log ends:\n{self.log()[-3000:]}") from failure

    def poller_pid(self):
        """0 while no poller answers."""
        status = self.ctl("status")
        return status["dataplane"]["pid"] if status["dataplane"] else 0

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    # What it says

    def http(self, path):
        """(status, body) of its loopback listener; (0, "") while nobody listens."""
        connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=5)
        try:
            with self.gate.entered():
                connection.connect()
            connection.request("GET", path)
            reply = connection.getresponse()
            return reply.status, reply.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()

    def ctl_words(self, *words):
        return [BINARIES / "neuwerkctl", "--socket", self.socket, *map(str, words)]

    def ctl_run(self, *words, **more):
        return subprocess.run(self.ctl_words(*words), capture_output=True, text=True, **more)

    def ctl(self, *words, **more):
        done = self.ctl_run("-o", "json", *words, **more)
        if done.returncode:
            raise AssertionError(f"neuwerkctl {' '.join(map(str, words))}: exit {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)

    def apply(self, policy):
        text = policy if isinstance(policy, str) else json.dumps(policy)
        return self.ctl("policy", "apply", "-", input=text)["generation"]

    def explain(self, destination, protocol="tcp", port=None, source="10.0.0.2"):
        more = [] if port is None else ["--dport", port]
        return self.ctl("explain", "--from", source, "--to", destination, "--proto", protocol, *more)

    def counters(self):
        """(stage, verdict) -> packets, all of them."""
        return {(each["stage"], each["verdict"]): each["packets"] for each in self.ctl("counters", "--all")["counters"]}

    def count(self, verdict, stage="xdp"):
        return self.counters()[stage, verdict]

    def flows(self):
        return self.ctl("flow", "list")

    # What the kernel says

    def dump(self, name):
        """A pinned map as bpftool shows it: the formatted elements, with BTF names."""
        done = subprocess.run(["bpftool", "-j", "map", "dump", "pinned", self.bpffs / name],
                              capture_output=True, text=True, check=True)
        return [element["formatted"] for element in json.loads(done.stdout)]

    def xdp_count_by_bpftool(self, verdict):
        """Needs no neuwerkd."""
        return sum(cpu["value"]["packets"] for cpu in self.dump("verdicts")[VERDICTS.index(verdict)]["values"])

    def live_lines(self):
        """Flow lines in use: a sequence, and not dead (protocol 255)."""
        return [line["value"] for line in self.dump("flow_table")
                if line["value"]["sequence"] and line["value"]["protocol"] != 255]

    def attached(self):
        """Data interfaces that have an XDP program."""
        links = json.loads(self.gate.run("ip", "-j", "link", "show", check=True).stdout)
        return sorted(link["ifname"] for link in links if "xdp" in link)

    def pins(self):
        return sorted(path.name for path in self.bpffs.iterdir()) if self.bpffs.exists() else []


class LiveTest(unittest.TestCase):
    """Tests around one appliance; `make` says which. The log is printed after a failure."""

    @classmethod
    def make(cls):
        raise NotImplementedError

    @classmethod
    def setUpClass(cls):
        cls.appliance = cls.enterClassContext(cls.make())

    def tearDown(self):
        result = self._outcome.result
        if any(test is self for test, _ in result.failures + result.errors):
            print(f"--- log of {self.appliance.prefix}\n{self.appliance.log()[-4000:]}---", flush=True)


def main():
    if os.geteuid():
        print("needs root: network namespaces, BPF")
        sys.exit(77)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # unwinds; unittest swallows SystemExit
    unittest.main(module="__main__", verbosity=2)
