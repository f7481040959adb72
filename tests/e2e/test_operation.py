"""Operating an appliance: reload, every verb of neuwerkctl against real traffic, bpftool, metrics, sums."""
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time

from appliance import Appliance, LiveTest, eventually, main, measured, policy_of, rule
from hosts import APPLIANCE, CLIENT, FAR, SERVER, TcpServer, UdpServer, answer_lines, ask, ask_udp

MANY_RULES, APPLY_SECONDS_GOAL = 5000, 2

WEB = rule("web", "allow", proto="tcp", dst_ips=[FAR], dst_ports=[7200])
UDP = rule("udp", "allow", proto="udp", dst_ports=[7201])
PING = rule("ping", "allow", proto="icmp", icmp_types=[8], icmp_codes=[0])
QUESTIONS = [(FAR, "tcp", 7200), (SERVER, "tcp", 7200), (FAR, "tcp", 7299), (FAR, "udp", 7201), (FAR, "icmp", None),
             (CLIENT, "tcp", 7200), (FAR, "47", None)]


def received_by(appliance):
    """rx_packets of the data ports, as the kernel counts them."""
    lines = (line.split(":") for line in appliance.gate.run("cat", "/proc/net/dev", check=True).stdout.splitlines()[2:])
    return sum(int(counts.split()[1]) for name, counts in lines if name.strip() in appliance.interfaces)


class Events:
    """neuwerkctl events, collected while the block runs."""

    def __init__(self, appliance):
        self._child = subprocess.Popen([*appliance.ctl_words(), "-o", "jsonl", "events"], stdout=subprocess.PIPE,
                                       stderr=subprocess.DEVNULL, text=True)
        self.seen = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._child.stdout:
            self.seen.append(json.loads(line))

    def find(self, **wanted):
        return [event for event in self.seen if all(event[key] == value for key, value in wanted.items())]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.kill()
        self._reader.join()
        self._child.stdout.close()
        self._child.wait()


class Operation(LiveTest):
    @classmethod
    def make(cls):
        return Appliance("operation", policy=policy_of(WEB, UDP, PING))

    def setUp(self):
        self.appliance.apply(policy_of(WEB, UDP, PING))
        self.web = TcpServer(self.appliance.internet, 7200, answer_lines)
        self.addCleanup(self.web.close)

    def connect(self, port=7200, timeout_s=15):
        connection = self.appliance.client.connect((FAR, port), timeout_s=timeout_s)
        self.addCleanup(connection.close)
        return connection

    def expect_denied(self, port=7299, host=FAR):
        with self.assertRaises(TimeoutError):
            self.appliance.client.connect((host, port), timeout_s=0.3).close()

    # neuwerkctl

    def test_policy_verbs_check_apply_and_read_back(self):
        file = self.appliance.directory / "policy.json"
        file.write_text(json.dumps(policy_of(WEB, PING)))
        before = self.appliance.ctl("status")["generation"]
        self.assertEqual(self.appliance.ctl("policy", "validate", file), {"warnings": [], "not_enforceable": []})
        self.assertEqual(self.appliance.ctl("status")["generation"], before, "validate changes nothing")
        self.assertEqual(self.appliance.ctl("policy", "apply", file)["generation"], before + 1)
        read = self.appliance.ctl("policy", "get")
        self.assertEqual([each["id"] for each in read["source_groups"][0]["rules"]], ["web", "ping"])
        again = self.appliance.ctl("policy", "apply", "-", input=json.dumps(read))
        self.assertEqual((again["generation"], again["unchanged"]), (before + 1, True), "what get prints stands already")
        self.assertEqual(self.appliance.ctl("policy", "get"), read)
        table = self.appliance.ctl_run("policy", "validate", file)
        self.assertEqual(table.stdout, f"{file}: valid\n")

    def test_explain_answers_as_traffic_is_treated_and_moves_no_counter(self):
        def ask_everything():
            """The answers; nothing when a counter moved meanwhile: a neighbour's ARP, an old connection's FIN."""
            before = self.appliance.counters()
            answers = {question: self.appliance.explain(*question) for question in QUESTIONS}
            return answers if self.appliance.counters() == before else None
        answers = eventually(ask_everything, "questions without a moved counter")
        self.assertEqual((answers[FAR, "tcp", 7200]["allowed"], answers[FAR, "tcp", 7200]["rule"]), (True, "web"))
        self.assertEqual((answers[FAR, "udp", 7201]["group"], answers[FAR, "udp", 7201]["rule"]), ("clients", "udp"))
        self.assertEqual(answers[FAR, "icmp", None]["rule"], "ping")
        self.assertEqual(answers[FAR, "tcp", 7299]["verdict"], "denied_by_default")
        self.assertEqual(answers[CLIENT, "tcp", 7200]["verdict"], "dropped_east_west")
        self.assertEqual(answers[FAR, "47", None]["verdict"], "dropped_protocol")
        self.assertEqual(ask(self.connect(), "hello")[0], APPLIANCE)
        denied = self.appliance.count("denied_by_default")
        self.expect_denied()
        self.assertGreater(self.appliance.count("denied_by_default"), denied)

    def test_flow_list_shows_who_talks_to_whom_and_as_whom(self):
        connection = self.connect()
        seen_ip, seen_port = ask(connection, "hello")
        mine = connection.getsockname()[1]
        flow, = [each for each in self.appliance.flows() if each["protocol"] == "tcp" and each["inside_port"] == mine]
        self.assertEqual((flow["inside_address"], flow["remote_address"], flow["remote_port"]), (CLIENT, FAR, 7200))
        self.assertEqual((flow["external_address"], flow["external_port"]), (seen_ip, seen_port))
        self.assertEqual((flow["state"], flow["generation"]),
                         ("established", self.appliance.ctl("status")["generation"]))
        self.assertGreaterEqual(min(flow["packets_out"], flow["packets_in"]), 2)
        self.assertEqual(len(self.appliance.ctl("flow", "list", "--limit", "1")), 1)

    def test_events_tell_denials_starts_ends_and_audit_findings(self):
        watched = {**rule("watched", "deny", proto="tcp", dst_ports=[7203]), "mode": "audit"}
        self.appliance.apply(policy_of(watched, WEB, rule("rest", "allow", proto="tcp", dst_ports=[7203])))
        audited = TcpServer(self.appliance.internet, 7203, answer_lines)
        self.addCleanup(audited.close)
        with Events(self.appliance) as events:
            def denied():
                with contextlib.suppress(TimeoutError):
                    self.appliance.client.connect((FAR, 7299), timeout_s=0.2).close()
                return events.find(kind="denied", destination_port=7299)
            event = eventually(denied, "a denied event")[0]
            self.assertEqual((event["verdict"], event["group_name"], event["source_address"]),
                             ("denied_by_default", "default", CLIENT))
            connection = self.connect()
            mine = connection.getsockname()[1]
            ask(connection, "hello")
            event, = eventually(lambda: events.find(kind="flow_started", source_port=mine), "the start of a flow")
            self.assertEqual((event["group_name"], event["rule_name"]), ("clients", "web"))
            ask(self.connect(7203), "watched, not stopped")
            event = eventually(lambda: events.find(kind="audited"), "an audit finding")[0]
            self.assertEqual((event["group_name"], event["rule_name"]), ("clients", "watched"))
            self.appliance.apply(policy_of(PING))
            self.assertRaises(TimeoutError, self.ask_briefly, connection)
            event, = eventually(lambda: events.find(kind="flow_ended", source_port=mine), "the end of a flow")
            self.assertEqual(event["reason"], "policy_deny")

    def ask_briefly(self, connection):
        connection.settimeout(0.5)
        ask(connection, "still there?")

    def test_status_counters_and_metrics_agree(self):
        ask(self.connect(), "hello")
        status = self.appliance.ctl("status")
        self.assertTrue(status["ready"] and all(check["ok"] for check in status["checks"]), status["checks"])
        self.assertEqual([port["interface"] for port in status["ports"]], ["inside", "outside"])
        self.assertEqual(status["snat"], f"auto {APPLIANCE}")
        self.assertEqual(self.appliance.http("/health"), (200, '{"status":"ok"}'))
        code, ready = self.appliance.http("/ready")
        self.assertEqual((code, json.loads(ready)["ready"]), (200, True))
        code, page = self.appliance.http("/metrics")
        self.assertEqual(code, 200)
        metrics = dict(re.findall(r"^([^#\s]+) (\S+)$", page, re.MULTILINE))
        self.assertEqual(float(metrics["dp_policy_generation"]), status["generation"])
        self.assertEqual(float(metrics["node_ready"]), 1)
        self.assertEqual(float(metrics['xdp_verdicts_total{verdict="forwarded_in_xdp"}']),
                         self.appliance.count("forwarded_in_xdp"))
        self.assertEqual(float(metrics['poller_verdicts_total{verdict="forwarded_by_poller"}']),
                         self.appliance.count("forwarded_by_poller", "poller"))
        self.assertEqual(self.appliance.http("/nothing")[0], 404)

    # bpftool

    def test_bpftool_shows_the_pinned_maps_in_words(self):
        ask(self.connect(), "hello")
        config, = self.appliance.dump("config")
        for name in ("flow_line_mask", "hash_seed", "snat_mode", "own_address_be", "timeouts", "port"):
            self.assertIn(name, config["value"])
        self.assertEqual(config["value"]["flow_line_mask"], 4095)
        active, = self.appliance.dump("policy_active")
        self.assertEqual(active["value"]["generation"], self.appliance.ctl("status")["generation"])
        self.assertEqual(self.appliance.xdp_count_by_bpftool("forwarded_in_xdp"),
                         self.appliance.count("forwarded_in_xdp"))
        lines = self.appliance.live_lines()
        self.assertEqual(len(lines), 2 * len(self.appliance.flows()))
        for name in ("inside", "remote", "external_port_be", "next_hop", "judged_generation", "traffic"):
            self.assertIn(name, lines[0])
        plain = subprocess.run(["bpftool", "map", "dump", "pinned", self.appliance.bpffs / "policy_active"],
                               capture_output=True, text=True, check=True).stdout
        self.assertIn('"generation": ', plain)

    # Sums

    def test_every_received_packet_has_one_verdict_and_every_punt_one_more(self):
        server = UdpServer(self.appliance.internet, 7201)
        self.addCleanup(server.close)

        def sums():
            counters = self.appliance.counters()
            of = {stage: sum(packets for (where, _), packets in counters.items() if where == stage)
                  for stage in ("xdp", "poller")}
            return received_by(self.appliance), of["xdp"], counters["xdp", "handed_to_poller"], of["poller"]
        before = sums()
        drops_before = self.appliance.ctl("status")["dataplane"]["ring_drops"]
        with contextlib.ExitStack() as open_together:
            for number in range(200):
                mine = open_together.enter_context(self.appliance.client.socket(socket.SOCK_DGRAM))
                ask_udp(mine, (FAR, 7201), f"{number}")
        with self.appliance.client.socket(socket.SOCK_DGRAM) as mine:
            for number in range(2000):
                mine.sendto(b"denied", (FAR, 7299))
        ask(self.connect(), "hello")
        self.expect_denied()

        def settled():
            received, xdp, punts, poller = (now - then for now, then in zip(sums(), before))
            drops = self.appliance.ctl("status")["dataplane"]["ring_drops"] - drops_before
            equal = received == xdp and punts == poller + drops
            return (received, xdp, punts, poller, drops) if equal else None
        received, xdp, punts, poller, drops = eventually(settled, "the sums agree")
        measured(f"{received} packets received = {xdp} XDP verdicts; {punts} punts = {poller} poller verdicts "
                 f"+ {drops} ring drops")
        self.assertGreaterEqual(punts, 201)

    # Reload and restart

    def reload(self):
        seen = len(self.appliance.log())
        os.kill(self.appliance.daemon.pid, signal.SIGHUP)
        return eventually(lambda: re.search(r"reloaded|reload refused", self.appliance.log()[seen:]), "an answer")[0]

    def test_a_reload_takes_the_whole_policy_file_or_nothing(self):
        file = self.appliance.directory / "reload.yaml"
        self.appliance.config["policy"]["file"] = str(file)
        self.addCleanup(self.appliance.config["policy"].pop, "file")
        self.appliance.write_config()
        connection = self.connect()
        ask(connection, "hello")
        file.write_text(json.dumps(policy_of(WEB, rule("more", "allow", proto="tcp", dst_ports=[7299]))))
        self.assertEqual(self.reload(), "reloaded")
        self.assertTrue(self.appliance.explain(FAR, port=7299)["allowed"])
        generation = self.appliance.ctl("status")["generation"]
        file.write_text(json.dumps(policy_of(rule("bad", "allow", proto="tcp", dst_ports=[99999]))))
        self.assertEqual(self.reload(), "reload refused")
        self.assertEqual(self.appliance.ctl("status")["generation"], generation)
        self.assertTrue(self.appliance.explain(FAR, port=7299)["allowed"])
        ask(connection, "the flow lives through both")
        self.assertEqual(self.appliance.ctl("status")["policy_source"], str(file))

    def test_a_restart_changes_no_verdict_and_keeps_the_flows(self):
        connection = self.connect()
        ports = ask(connection, "before")

        def verdicts():
            return {question: (answer["verdict"], answer["group"], answer["rule"]) for question in QUESTIONS
                    for answer in [self.appliance.explain(*question)]}
        before, policy = verdicts(), self.appliance.ctl("policy", "get")
        flows = len(self.appliance.flows())
        self.assertEqual(self.appliance.stop(), 0)
        self.assertEqual(self.appliance.attached(), ["inside", "outside"], "the programs stay")
        self.assertEqual(ask(connection, "nobody runs"), ports)
        took = self.appliance.start()
        self.assertEqual(verdicts(), before)
        self.assertEqual(self.appliance.ctl("policy", "get"), policy)
        self.assertEqual(ask(connection, "after"), ports)
        adopted = self.appliance.ctl("status")["dataplane"]["adopted_flows"]
        self.assertEqual(adopted, flows)
        measured(f"restart of both: ready after {took:.2f} s, {adopted} flows taken over")

    # Scale

    def test_the_last_of_5000_rules_decides(self):
        rules = [rule(f"rule-{n}", "allow", proto="tcp", dst_ips=[f"192.0.{n >> 8}.{n & 255}"],
                      dst_ports=[1 + n % 6000]) for n in range(MANY_RULES - 1)]
        last = rule("last", "allow", proto="tcp", dst_ips=[FAR], dst_ports=[7200])
        self.appliance.apply(policy_of(*rules))
        self.expect_denied(7200)
        begin = time.monotonic()
        self.appliance.apply(policy_of(*rules, last))
        took = time.monotonic() - begin
        self.assertEqual(self.appliance.explain(FAR, port=7200)["rule"], "last")
        self.assertEqual(self.appliance.explain("192.0.9.196", port=2501)["rule"], "rule-2500")
        ask(self.connect(), "hello")
        measured(f"apply of {MANY_RULES} rules took {took:.2f} s (goal on a quiet machine: {APPLY_SECONDS_GOAL} s)")


if __name__ == "__main__":
    main()
