"""A flood of denied packets: what is allowed passes, every denial is counted, and no event costs a file write."""
import re
import subprocess
from pathlib import Path

from appliance import BINARIES, Appliance, LiveTest, eventually, main, measured, policy_of, rule
from hosts import FAR, TcpServer, answer_lines

DENIED, DENIED_PORT = "198.51.100.200", 9  # the generator's port: discard
FLOOD_SECONDS = 3
GATEWAY_MAC = "02:00:00:00:01:01"

POLICY = policy_of(rule("web", "allow", proto="tcp", dst_ips=[FAR], dst_ports=[7300]),
                   rule("ping", "allow", proto="icmp", icmp_types=[8], icmp_codes=[0]),
                   rule("blocked", "deny", dst_ips=[DENIED]))


def polling_threads():
    """Kernel threads that poll an interface called inside, on this machine."""
    return {path.parent.name for path in Path("/proc").glob("[0-9]*/comm") if has_name(path, "napi/inside")}


def has_name(comm, name):
    try:
        return comm.read_text().startswith(name)
    except OSError:
        return False  # ended meanwhile


class Flood(LiveTest):
    @classmethod
    def make(cls):
        return Appliance("flood", policy=POLICY, flow_lines=1 << 18)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # The generator keeps the inside interface busy without overrunning it: it counts what its thread polls.
        before = polling_threads()
        subprocess.run(["ip", "netns", "exec", cls.appliance.gate.namespace, "sh", "-c",
                        "echo 1 > /sys/class/net/inside/threaded"], check=True)
        cls.polling_thread, = polling_threads() - before

    def metric(self, name):
        page = self.appliance.http("/metrics")[1]
        return float(re.search(rf"^{name}(?:{{[^}}]*}})? (\S+)$", page, re.MULTILINE).group(1))

    def denied_packets(self):
        return self.appliance.count("denied_by_rule")

    def findings(self):
        items = self.appliance.ctl("audit", "list")
        items = items["items"] if isinstance(items, dict) else items
        return [item for item in items if item["dst_ip"] == DENIED and item["dst_port"] == DENIED_PORT]

    def counted(self):
        return sum(item["count"] for item in self.findings())

    def io_of_daemon(self):
        """System calls that write, by neuwerkd."""
        text = Path(f"/proc/{self.appliance.daemon.pid}/io").read_text()  # nsenter became neuwerkd
        return int(re.search(r"syscw: (\d+)", text).group(1))

    def flood(self):
        words = [BINARIES / "nw_bench", "generate", BINARIES.parent / "bpf", "eth0", 512, FLOOD_SECONDS, DENIED,
                 GATEWAY_MAC, self.polling_thread]
        return subprocess.Popen(self.appliance.client.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True)

    def test_a_deny_flood_blocks_nothing_that_is_allowed_and_is_counted_to_the_packet(self):
        server = TcpServer(self.appliance.internet, 7300, answer_lines)
        self.addCleanup(server.close)
        packets_before, writes_before = self.denied_packets(), self.io_of_daemon()
        transactions_before, lost_before = self.metric("audit_transactions_total"), self.metric("audit_lost_total")

        generator = self.flood()
        asked = 0
        while generator.poll() is None:
            with self.appliance.client.connect((FAR, 7300)) as connection:
                connection.sendall(b"through the flood\n")
                self.assertIn(b"through the flood", connection.recv(4096))
            asked += 1
        _, trouble = generator.communicate()
        self.assertEqual(generator.returncode, 0, trouble)

        packets = self.denied_packets() - packets_before
        self.assertGreater(packets, 100_000, "this was no flood")
        self.assertGreater(asked, 3)
        eventually(lambda: self.counted() + self.metric("audit_uncounted_packets_total") >= packets,
                   f"{packets} denied packets in the findings")
        self.assertEqual(self.counted(), packets)
        self.assertEqual(self.metric("audit_lost_total"), lost_before)

        # A finding per key, not per packet; a transaction a second, not per event.
        finding, = self.findings()
        self.assertEqual((finding["finding_type"], finding["source_group"], finding["rule"], finding["proto"]),
                         ("l4_deny", "clients", "blocked", 17))
        self.assertEqual(finding["sample_src_ips"], ["10.0.0.2"])
        transactions = self.metric("audit_transactions_total") - transactions_before
        writes = self.io_of_daemon() - writes_before
        measured(f"{packets} packets denied in {FLOOD_SECONDS} s, {asked} connections beside them, "
                 f"{transactions:.0f} transactions, {writes} writing system calls of neuwerkd")
        self.assertLess(transactions, packets / 1000)
        self.assertLess(writes, packets / 10)

    def test_counts_survive_a_restart_of_neuwerkd_and_nothing_is_counted_twice(self):
        self.flood().communicate()
        packets = self.denied_packets()
        eventually(lambda: self.counted() == packets, f"{packets} denied packets in the findings")
        self.appliance.stop()
        self.flood().communicate()  # nobody reads
        self.appliance.start()
        packets = self.appliance.xdp_count_by_bpftool("denied_by_rule")
        eventually(lambda: self.counted() == packets, f"{packets} denied packets in the findings")


if __name__ == "__main__":
    main()
