"""Appliances beside each other and the end of one: a static SNAT address, uninstall, three on one machine."""
import json
import os

from appliance import ALLOW_ALL, Appliance, LiveTest, main, policy_of, rule
from hosts import APPLIANCE, FAR, TcpServer, answer_lines, ask

STATIC = "203.0.113.77"


class StaticAddress(LiveTest):
    """SNAT to an address that the appliance puts on the interface itself."""

    @classmethod
    def make(cls):
        return Appliance("static", "one-arm", snat=STATIC)

    def addresses(self):
        link, = json.loads(self.appliance.gate.run("ip", "-j", "address", "show", "data", check=True).stdout)
        return {f'{each["local"]}/{each["prefixlen"]}' for each in link["addr_info"]}

    def test_1_it_is_a_32_that_answers_arp_and_that_the_server_sees(self):
        self.assertIn(f"{STATIC}/32", self.addresses())
        internet = self.appliance.internet
        internet.run("ip", "neigh", "flush", "dev", "eth0", check=True)
        server = TcpServer(internet, 7300, answer_lines)
        self.addCleanup(server.close)
        with self.appliance.client.connect((FAR, 7300)) as connection:
            self.assertEqual(ask(connection, "hello")[0], STATIC)
        neighbours = json.loads(internet.run("ip", "-j", "neigh", "show", STATIC, check=True).stdout)
        self.assertEqual(neighbours[0]["lladdr"], "02:00:00:00:01:01", "the kernel answers its ARP")

    def test_2_uninstall_removes_everything(self):
        pid = self.appliance.poller_pid()
        self.assertEqual(self.appliance.uninstall().returncode, 75, "not while neuwerkd runs")
        self.assertEqual(self.appliance.stop(), 0)
        self.assertIn(f"{STATIC}/32", self.addresses(), "the pinned program translates on")
        done = self.appliance.uninstall()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("uninstalled: no program is attached and nothing is pinned", done.stderr)
        self.assertEqual(self.appliance.attached(), [])
        self.assertFalse(self.appliance.bpffs.exists())
        self.assertNotIn(f"{STATIC}/32", self.addresses())
        self.assertFalse(os.path.exists(f"/proc/{pid}"))
        self.assertEqual(self.appliance.uninstall().returncode, 1, "nothing is left to uninstall")

    def test_3_installed_anew_it_uses_the_neighbours_that_the_kernel_has_kept(self):
        self.appliance.start()
        server = TcpServer(self.appliance.internet, 7301, answer_lines)
        self.addCleanup(server.close)
        with self.appliance.client.connect((FAR, 7301)) as connection:
            self.assertEqual(ask(connection, "hello")[0], STATIC)


PING = rule("ping", "allow", proto="icmp", icmp_types=[8], icmp_codes=[0])


class ThreeAppliances(LiveTest):
    """One machine, three appliances, nothing in common but the kernel."""

    @classmethod
    def make(cls):
        return Appliance("three-a")

    def test_three_appliances_on_one_machine_do_not_meet(self):
        with Appliance("three-b", "one-arm") as second, \
                Appliance("three-c", snat="none", policy=policy_of(PING)) as third:
            every = [self.appliance, second, third]
            self.assertEqual(len({each.poller_pid() for each in every}), 3)
            seen = []
            for each in every[:2]:
                server = TcpServer(each.internet, 7400, answer_lines)
                self.addCleanup(server.close)
                with each.client.connect((FAR, 7400)) as connection:
                    seen.append(ask(connection, "hello")[0])
            self.assertEqual(seen, [APPLIANCE, APPLIANCE])
            self.assertFalse(third.explain(FAR, port=7400)["allowed"])
            self.assertTrue(self.appliance.explain(FAR, port=7400)["allowed"])
            generation = self.appliance.ctl("status")["generation"]
            third.apply(ALLOW_ALL)
            self.assertEqual(self.appliance.ctl("status")["generation"], generation)
            third.daemon.kill()
            self.assertEqual(self.appliance.http("/ready")[0], 200)
            self.assertEqual(second.http("/ready")[0], 200)


if __name__ == "__main__":
    main()
