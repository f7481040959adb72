"""Real streams through NAT: bytes arrive unchanged and every answer reaches its own client (spec cases 69, 70)."""
import hashlib
import os
import socket
import ssl
import subprocess
import tempfile
import threading
from pathlib import Path

from appliance import Appliance, LiveTest, eventually, main, measured
from hosts import APPLIANCE, CLIENT, FAR, PATIENCE_S, TcpServer, UdpServer, answer_lines, ask, ask_udp, echo

STREAM_BYTES = 8 << 20
PARALLEL_FLOWS = 50
TLS_FLOWS = 20


def server_identity():
    """TLS contexts of a server and of a client that trusts nobody else; made by openssl."""
    with tempfile.TemporaryDirectory() as directory:
        key, certificate = Path(directory, "key"), Path(directory, "certificate")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "1", "-subj", "/CN=internet.test", "-addext", "subjectAltName=DNS:internet.test",
                        "-keyout", key, "-out", certificate], check=True, capture_output=True)
        server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.load_cert_chain(certificate, key)
        return server, ssl.create_default_context(cafile=certificate)


def run_parallel(tasks):
    """What each returned; the first exception when one failed."""
    answers, failures = [None] * len(tasks), []

    def run(index, task):
        try:
            answers[index] = task()
        except Exception as failure:  # noqa: BLE001: handed on below
            failures.append(failure)
    threads = [threading.Thread(target=run, args=each, daemon=True) for each in enumerate(tasks)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    return answers


class Streams:
    """The tests; the form comes from the subclass."""
    form = None

    @classmethod
    def make(cls):
        return Appliance(f"streams-{cls.form}", cls.form)

    def setUp(self):
        self.before = self.appliance.counters()

    def moved(self, verdict, stage="xdp"):
        return self.appliance.count(verdict, stage) - self.before[stage, verdict]

    def expect_only_first_packets_in_poller(self, flows):
        poller, xdp = self.moved("forwarded_by_poller", "poller"), self.moved("forwarded_in_xdp")
        measured(f"{self.form}: {flows} flows, {xdp} packets by XDP, {poller} by the poller")
        self.assertGreaterEqual(poller, flows)
        self.assertLessEqual(poller, flows + 5)  # a retransmission on a busy machine
        self.assertGreater(xdp, poller)

    def test_a_stream_of_8_mb_comes_back_as_it_was_sent(self):
        server = TcpServer(self.appliance.internet, 7000, echo)
        self.addCleanup(server.close)
        sent, received = os.urandom(STREAM_BYTES), hashlib.sha256()
        with self.appliance.client.connect((FAR, 7000)) as connection:
            def send():
                connection.sendall(sent)
                connection.shutdown(socket.SHUT_WR)
            sender = threading.Thread(target=send, daemon=True)
            sender.start()
            while chunk := connection.recv(65536):
                received.update(chunk)
            sender.join()
        self.assertEqual(received.hexdigest(), hashlib.sha256(sent).hexdigest())
        self.assertEqual([ip for ip, _ in server.peers], [APPLIANCE])
        self.expect_only_first_packets_in_poller(1)

    def test_every_reply_of_many_parallel_flows_reaches_its_own_client(self):
        server_tls, client_tls = server_identity()
        client, internet = self.appliance.client, self.appliance.internet
        for server in (TcpServer(internet, 7001, answer_lines), UdpServer(internet, 7002),
                       TcpServer(internet, 7003, answer_lines, server_tls)):
            self.addCleanup(server.close)

        # No socket is closed before all have their answers: a closed one's port may be taken again.
        together = threading.Barrier(2 * PARALLEL_FLOWS + TLS_FLOWS, timeout=PATIENCE_S)

        def ask_three_times(question, *arguments):
            answers = [question(*arguments[:-1], f"{arguments[-1]} {turn}") for turn in range(3)]
            together.wait()
            return answers

        def tcp(number):
            with client.connect((FAR, 7001)) as connection:
                return ask_three_times(ask, connection, f"tcp {number}")

        def udp(number):
            with client.socket(socket.SOCK_DGRAM) as mine:
                return ask_three_times(ask_udp, mine, (FAR, 7002), f"udp {number}")

        def tls(number):
            with client.connect((FAR, 7003)) as plain, \
                    client_tls.wrap_socket(plain, server_hostname="internet.test") as connection:
                return ask_three_times(ask, connection, f"tls {number}")

        tasks = [lambda n=n: tcp(n) for n in range(PARALLEL_FLOWS)] + \
                [lambda n=n: udp(n) for n in range(PARALLEL_FLOWS)] + \
                [lambda n=n: tls(n) for n in range(TLS_FLOWS)]
        answers = run_parallel(tasks)
        for seen in answers:
            self.assertEqual(len(set(seen)), 1, "a flow keeps its external port")
            self.assertEqual(seen[0][0], APPLIANCE)
        by_service = (answers[:PARALLEL_FLOWS], answers[PARALLEL_FLOWS:2 * PARALLEL_FLOWS],
                      answers[2 * PARALLEL_FLOWS:])
        for flows in by_service:
            self.assertEqual(len({seen[0] for seen in flows}), len(flows), "no two flows share a port")
        self.expect_only_first_packets_in_poller(len(tasks))

    def test_a_ping_is_translated_and_answered(self):
        self.appliance.internet.run("nft", "add table ip seen", check=True)
        self.addCleanup(self.appliance.internet.run, "nft", "delete table ip seen")
        rules = "add chain ip seen in { type filter hook input priority 0; }; "
        for source in (APPLIANCE, CLIENT):
            rules += f"add rule ip seen in ip saddr {source} icmp type echo-request counter; "
        self.appliance.internet.run("nft", rules, check=True)
        ping = self.appliance.client.run("ping", "-c", "5", "-i", "0.2", "-W", "3", FAR)
        self.assertEqual(ping.returncode, 0, ping.stdout)
        self.assertIn(" 0% packet loss", ping.stdout)
        seen = self.appliance.internet.run("nft", "list table ip seen", check=True).stdout
        self.assertRegex(seen, rf"saddr {APPLIANCE} .*packets 5 ")
        self.assertRegex(seen, rf"saddr {CLIENT} .*packets 0 ")
        self.expect_only_first_packets_in_poller(1)

    def test_an_answer_from_anybody_else_reaches_nobody(self):
        internet, client = self.appliance.internet, self.appliance.client
        server = UdpServer(internet, 7004)
        self.addCleanup(server.close)
        with client.socket(socket.SOCK_DGRAM) as mine, internet.socket(socket.SOCK_DGRAM) as stranger:
            _, port = ask_udp(mine, (FAR, 7004), "hello")
            stranger.sendto(b"from another port", (APPLIANCE, port))
            eventually(lambda: self.moved("dropped_own_address") == 1, "the stranger's packet is dropped")
            mine.settimeout(0.2)
            self.assertRaises(TimeoutError, mine.recv, 100)


class TwoArm(Streams, LiveTest):
    form = "two-arm"


class OneArm(Streams, LiveTest):
    form = "one-arm"


if __name__ == "__main__":
    main()
