"""kill -9 of neuwerkd and of the poller during a download through NAT: what flows goes on, and nothing is forgotten."""
import contextlib
import hashlib
import os
import random
import signal
import socket
import threading
import time

from appliance import Appliance, LiveTest, eventually, main, measured
from hosts import FAR, SERVER, TcpServer, UdpServer, answer_lines, ask, ask_udp

CHUNK_BYTES, PAUSE_S = 32 << 10, 0.05  # 640 kB/s: the server paces
SAME_PORTS = range(20000, 20040)  # taken by several clients towards one remote, so that NAT must choose others
TIMEOUTS = {"tcp_closing_secs": 1, "tcp_half_open_secs": 2, "udp_secs": 120, "icmp_secs": 1}


class Download:
    """Runs until it is told to end; both sides hash what they saw."""

    def __init__(self, host, internet):
        self._enough = threading.Event()
        self._sent, self._received = hashlib.sha256(), hashlib.sha256()
        self.bytes_sent = self.bytes_received = 0
        self._server = TcpServer(internet, 7100, self._serve)
        self._connection = host.connect((FAR, 7100))
        self._connection.settimeout(30)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _serve(self, connection, _peer):
        source = random.Random(7100)
        while not self._enough.wait(PAUSE_S):
            chunk = source.randbytes(CHUNK_BYTES)
            connection.sendall(chunk)
            self._sent.update(chunk)
            self.bytes_sent += len(chunk)

    def _read(self):
        with contextlib.suppress(OSError):
            while chunk := self._connection.recv(65536):
                self._received.update(chunk)
                self.bytes_received += len(chunk)

    def expect_progress(self, when):
        before = self.bytes_received
        eventually(lambda: self.bytes_received > before + 8 * CHUNK_BYTES, f"the download goes on {when}")

    def end(self):
        """(what was sent, what was received) as sha256."""
        self._enough.set()
        self._reader.join(30)
        self._connection.close()
        self._server.close()
        return self._sent.hexdigest(), self._received.hexdigest()


class HeldFlows:
    """Connections of one client address that stay open, and the external ports that the server saw."""

    def __init__(self, host, source):
        self.connections = [host.connect((FAR, 7101), (source, port)) for port in SAME_PORTS]
        self.datagrams = [host.socket(socket.SOCK_DGRAM, (source, port)) for port in SAME_PORTS]
        self.tcp_ports, self.udp_ports = self.ports()

    def ports(self):
        """Asks through every flow: fails when one of them does not live."""
        return ([ask(each, f"tcp {n}")[1] for n, each in enumerate(self.connections)],
                [ask_udp(each, (FAR, 7102), f"udp {n}")[1] for n, each in enumerate(self.datagrams)])

    def close(self):
        for each in self.connections + self.datagrams:
            each.close()


class Kill:
    """The test; the form comes from the subclass."""
    form = None

    @classmethod
    def make(cls):
        return Appliance(f"kill-{cls.form}", cls.form, timeouts=TIMEOUTS)

    def setUp(self):
        for last in (3, 4, 5):
            self.appliance.client.run("ip", "address", "add", f"10.0.0.{last}/24", "dev", "eth0", check=True)
        for server in (TcpServer(self.appliance.internet, 7101, answer_lines),
                       UdpServer(self.appliance.internet, 7102)):
            self.addCleanup(server.close)

    def hold(self, source):
        held = HeldFlows(self.appliance.client, source)
        self.addCleanup(held.close)
        return held

    def expect_new_flows(self, when):
        begin = time.monotonic()

        def connect():
            with contextlib.suppress(OSError), self.appliance.client.connect((SERVER, 7101), timeout_s=1) as mine:
                return ask(mine, "hello")
        eventually(connect, f"a new connection {when}")
        return time.monotonic() - begin

    def kill_daemon(self, download):
        poller = self.appliance.poller_pid()
        self.appliance.daemon.kill()
        download.expect_progress("without neuwerkd")
        self.expect_new_flows("without neuwerkd: the poller lives")
        took = self.appliance.start()
        self.assertEqual(self.appliance.poller_pid(), poller, "the poller is adopted, not restarted")
        measured(f"neuwerkd was killed and ready again {took:.2f} s after its start")

    def kill_poller(self, download):
        """neuwerkd is stopped meanwhile, so that the gap lasts as long as the test looks at it."""
        flows_before = len(self.appliance.flows())
        poller = self.appliance.poller_pid()
        os.kill(self.appliance.daemon.pid, signal.SIGSTOP)
        try:
            os.kill(poller, signal.SIGKILL)
            dropped = self.appliance.xdp_count_by_bpftool("dropped_no_poller")
            eventually(lambda: self.refused_connection() and
                       self.appliance.xdp_count_by_bpftool("dropped_no_poller") > dropped, "dropped_no_poller")
            download.expect_progress("without the poller")
        finally:
            os.kill(self.appliance.daemon.pid, signal.SIGCONT)
        took = self.expect_new_flows("after the poller's restart")
        measured(f"new connections {took:.2f} s after neuwerkd could see the poller's death")
        status = eventually(lambda: self.appliance.ctl("status")["dataplane"], "the new poller answers")
        self.assertNotEqual(status["pid"], poller)
        self.assertGreaterEqual(status["adopted_flows"], 1 + 4 * len(SAME_PORTS))
        measured(f"{flows_before} flows before, {status['adopted_flows']} taken over")

    def expect_no_line_left(self):
        # The timeouts are words of the pinned config map: a neuwerkd with shorter ones ends the UDP flows.
        self.appliance.config["dataplane"]["timeouts"] = {**TIMEOUTS, "udp_secs": 1}
        self.appliance.daemon.kill()
        self.appliance.start()
        begin = time.monotonic()
        eventually(lambda: not self.appliance.live_lines(), "every flow line is gone", 40)
        measured(f"no live line {time.monotonic() - begin:.1f} s after the last flow was closed")
        self.assertEqual(self.appliance.flows(), [])

    def refused_connection(self):
        try:
            self.appliance.client.connect((SERVER, 7101), timeout_s=0.5).close()
        except TimeoutError:
            return True
        self.fail("a new connection passed without a poller")

    def test_a_download_survives_both_and_no_port_is_given_out_twice(self):
        old = [self.hold("10.0.0.2"), self.hold("10.0.0.3")]
        download = Download(self.appliance.client, self.appliance.internet)
        begin = time.monotonic()
        download.expect_progress("at first")
        self.kill_daemon(download)
        self.kill_poller(download)
        new = [self.hold("10.0.0.4"), self.hold("10.0.0.5")]
        for held in old:
            self.assertEqual(held.ports(), (held.tcp_ports, held.udp_ports), "an adopted flow keeps its ports")
        for protocol in ("tcp_ports", "udp_ports"):
            ports = [port for held in old + new for port in getattr(held, protocol)]
            self.assertEqual(len(set(ports)), 4 * len(SAME_PORTS), f"{protocol} are given out once")
        measured(f"{8 * len(SAME_PORTS)} flows to two remotes, all external ports distinct per remote")
        download.expect_progress("to its end")
        sent, received = download.end()
        self.assertEqual((sent, download.bytes_sent), (received, download.bytes_received))
        measured(f"download of {download.bytes_received} bytes in {time.monotonic() - begin:.1f} s: sha256 equal")
        for held in old + new:
            held.close()
        self.expect_no_line_left()


class TwoArm(Kill, LiveTest):
    form = "two-arm"


class OneArm(Kill, LiveTest):
    form = "one-arm"


if __name__ == "__main__":
    main()
