"""What explain says is what happens: 10,000 generated packets, each asked about first and then sent.

Verdict, group, rule and generation of the event stream must be those of the answer; packets that policy is never
asked about have no event, so their verdicts are compared by the counters.
"""
import collections
import http.client
import json
import random
import socket
import struct
import subprocess
import threading
import time

from appliance import Appliance, LiveTest, eventually, main, measured
from hosts import CLIENT, FAR

POLICIES, PACKETS_PER_POLICY, CHUNK = 5, 2_000, 250
SEED = 20261121
SOURCES = [CLIENT] + [f"10.0.0.{last}" for last in range(20, 28)]  # all of them are the client's
FOREIGN = ["192.0.2.7", "172.16.3.4"]  # in no group and not internal
PORTS = [22, 53, 80, 443, 500, 8080, 8443]
PROTOCOLS = {"tcp": 6, "udp": 17, "icmp": 1}
Packet = collections.namedtuple("Packet", "protocol source destination sport dport type code")


def random_network(rng):
    length = rng.choice([8, 12, 16, 24, 30, 32])
    base = rng.choice(["198.51.100.10", "198.18.7.9", "93.184.216.34"])
    value = struct.unpack("!I", socket.inet_aton(base))[0] >> (32 - length) << (32 - length)
    return f"{socket.inet_ntoa(struct.pack('!I', value))}/{length}"


def random_rule(rng, name):
    protocol = rng.choice(["tcp", "udp", "icmp", "any"])
    match = {"proto": protocol}
    if rng.random() < 0.7:
        match["dst_cidrs"] = [random_network(rng) for _ in range(rng.randint(1, 3))]
    if protocol in ("tcp", "udp") and rng.random() < 0.7:
        first = rng.choice(PORTS)
        match["dst_ports"] = [rng.choice([first, f"{first}-{first + rng.randint(1, 400)}"])]
    if protocol in ("tcp", "udp") and rng.random() < 0.1:
        match["src_ports"] = [f"{rng.randint(1024, 30000)}-60000"]
    if protocol == "icmp" and rng.random() < 0.5:
        match["icmp_types"] = [8]
    made = {"id": name, "action": rng.choice(["allow", "allow", "deny"]), "match": match}
    if rng.random() < 0.3:
        made["priority"] = rng.randint(0, 5)
    if rng.random() < 0.2:
        made["mode"] = rng.choice(["audit", "enforce"])
    return made


def random_policy(rng):
    groups = []
    for number in range(rng.randint(2, 4)):
        group = {"id": f"group-{number}", "mode": "audit" if rng.random() < 0.2 else "enforce",
                 "sources": {"ips": rng.sample(SOURCES, rng.randint(1, 5))},
                 "rules": [random_rule(rng, f"rule-{index}") for index in range(rng.randint(1, 12))]}
        if rng.random() < 0.3:
            group["default_action"] = rng.choice(["allow", "deny"])
        groups.append(group)
    return {"default_policy": rng.choice(["allow", "deny"]), "source_groups": groups}


def random_packet(rng, number):
    protocol = rng.choice(["tcp", "tcp", "udp", "udp", "icmp"])
    destination = rng.choice([FAR, "198.51.100.77", "198.18.7.9", "93.184.216.34", "93.1.2.3", "10.9.8.7", "240.0.0.9"])
    # A source port of its own for each packet, so that no two are one flow and each event finds its packet.
    return Packet(protocol, rng.choice(SOURCES * 3 + FOREIGN), destination, 1024 + number % 60_000,
                  0 if protocol == "icmp" else rng.choice(PORTS + [rng.randint(1, 9000)]), 8, 0)


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def bytes_of(packet):
    source, destination = socket.inet_aton(packet.source), socket.inet_aton(packet.destination)
    number = PROTOCOLS[packet.protocol]
    if packet.protocol == "icmp":
        body = struct.pack("!BBHHH", packet.type, packet.code, 0, packet.sport, 1) + b"question"
        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    else:
        if packet.protocol == "tcp":
            body, at = struct.pack("!HHIIBBHHH", packet.sport, packet.dport, 1, 0, 5 << 4, 2, 64240, 0, 0), 16
        else:
            body, at = struct.pack("!HHHH", packet.sport, packet.dport, 16, 0) + b"question", 6
        pseudo = source + destination + struct.pack("!BBH", 0, number, len(body))
        body = body[:at] + struct.pack("!H", checksum(pseudo + body)) + body[at + 2:]
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(body), 0, 0, 64, number, 0, source, destination) + body


class Asker(http.client.HTTPConnection):
    """The API on the local socket, one connection for all questions."""

    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._path)

    def explain(self, packet):
        question = {"source": packet.source, "destination": packet.destination, "protocol": packet.protocol,
                    "source_port": packet.sport, "destination_port": packet.dport, "icmp_type": packet.type,
                    "icmp_code": packet.code}
        self.request("POST", "/api/v1/policy/explain", json.dumps(question), {"Content-Type": "application/json"})
        reply = self.getresponse()
        body = reply.read()
        if reply.status != 200:
            raise AssertionError(f"explain {question}: {reply.status} {body[:200]}")
        return json.loads(body)


class Events:
    """Every event, by the packet that it tells of."""

    def __init__(self, appliance):
        self._child = subprocess.Popen([*appliance.ctl_words(), "-o", "jsonl", "events"], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        self.by_packet = collections.defaultdict(list)
        self.lost = 0
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._child.stdout:
            event = json.loads(line)
            self.lost += event["lost"]
            port = 0 if event["protocol"] == "icmp" else event["destination_port"]
            self.by_packet[event["protocol"], event["source_address"], event["destination_address"],
                           event["source_port"], port].append(event)

    def of(self, packet, kind):
        return [event for event in list(self.by_packet[packet[:5]]) if event["kind"] == kind]

    def close(self):
        self._child.kill()
        self._reader.join()
        self._child.stdout.close()
        self._child.wait()


class Explain(LiveTest):
    @classmethod
    def make(cls):
        return Appliance("explain", flow_lines=65536, events_per_second=1_000_000)

    def setUp(self):
        for source in SOURCES[1:]:
            self.appliance.client.run("ip", "address", "add", f"{source}/24", "dev", "eth0", check=True)
        self.events = Events(self.appliance)
        self.addCleanup(self.events.close)
        self.asker = Asker(self.appliance.socket)
        self.addCleanup(self.asker.close)
        with self.appliance.client.entered():
            self.wire = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
        self.addCleanup(self.wire.close)
        # Every source's neighbour entry is there before packets are judged.
        for source in SOURCES:
            eventually(lambda: self.appliance.client.run("ping", "-c", "1", "-W", "1", "-I", source, FAR)
                       .returncode == 0, f"a ping from {source}")

    def test_explain_agrees_with_what_happens_on_the_wire(self):
        rng = random.Random(SEED)
        happened = collections.Counter()
        for number in range(POLICIES):
            generation = self.appliance.apply(random_policy(rng))
            packets = [random_packet(rng, number * PACKETS_PER_POLICY + index) for index in range(PACKETS_PER_POLICY)]
            for start in range(0, PACKETS_PER_POLICY, CHUNK):
                self.judge(packets[start:start + CHUNK], generation, happened)
        self.assertEqual(self.events.lost, 0)
        measured(f"seed {SEED}, {sum(happened.values())} packets: "
                 + ", ".join(f"{count} {verdict}" for verdict, count in happened.most_common()))
        self.assertGreaterEqual(sum(happened.values()), 10_000)
        for verdict in ("handed_to_poller", "denied_by_rule", "denied_by_default", "dropped_external_source",
                        "dropped_east_west", "dropped_martian"):
            self.assertGreater(happened[verdict], 20, f"the generator hardly ever leads to {verdict}")

    def judge(self, packets, generation, happened):
        answers = [self.asker.explain(packet) for packet in packets]
        before = self.appliance.counters()
        for packet in packets:
            self.wire.sendto(bytes_of(packet), (packet.destination, 0))
        for packet, answer in zip(packets, answers):
            self.compare(packet, answer, generation)
            happened[answer["verdict"]] += 1
        expected = collections.Counter(answer["verdict"] for answer in answers)
        counted = ["handed_to_poller", *(name for name in expected if name.startswith("d"))]
        def moved():
            after = self.appliance.counters()
            return {name: after["xdp", name] - before["xdp", name] for name in counted}
        deadline = time.monotonic() + 20
        while any(moved()[name] < expected[name] for name in counted) and time.monotonic() < deadline:
            time.sleep(0.02)
        for name, count in moved().items():
            # More may come: answers of the far end to earlier flows, neighbours.
            self.assertGreaterEqual(count, expected[name], f"{name}: the wire disagrees with explain")

    def compare(self, packet, answer, generation):
        kind = {"handed_to_poller": "flow_started"}.get(
            answer["verdict"], "denied" if answer["verdict"].startswith("denied_") else None)
        if kind is None:  # policy was not asked, or only about the source
            self.assertEqual(self.events.of(packet, "flow_started"), [], f"{packet}: explain says {answer['verdict']}")
            for event in self.events.of(packet, "denied"):
                self.assertEqual(event["verdict"], answer["verdict"], packet)
            return
        event, = eventually(lambda: self.events.of(packet, kind), f"{kind} for {packet}, explained as {answer}")
        self.assertEqual((event["generation"], answer["generation"]), (generation, generation), packet)
        self.assertEqual((event["group_name"], event["rule_name"]), (answer["group"], answer["rule"]),
                         f"{packet}: {event} {answer}")
        if kind == "denied":
            self.assertEqual(event["verdict"], answer["verdict"], packet)
        else:
            self.assertTrue(answer["allowed"], packet)


if __name__ == "__main__":
    main()
