"""The poller at rest: it sleeps, and it has given its privileges away."""
import time
from pathlib import Path

from appliance import Appliance, LiveTest, main, measured

IDLE_PERCENT_LIMIT = 2
WATCH_S = 10


def threads_of(pid):
    return list(Path(f"/proc/{pid}/task").iterdir())


def cpu_ns(pid):
    """On a CPU so far, all threads together."""
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads_of(pid))


def status_of(thread):
    return dict(line.split(":\t", 1) for line in (thread / "status").read_text().splitlines() if ":\t" in line)


def children_of(pid):
    return [int(child) for thread in threads_of(pid) for child in (thread / "children").read_text().split()]


class Idle(LiveTest):
    @classmethod
    def make(cls):
        return Appliance("idle")

    def test_an_idle_poller_takes_at_most_2_percent_of_a_core(self):
        pid = self.appliance.poller_pid()
        helpers = children_of(pid)
        before, begin = cpu_ns(pid), time.monotonic_ns()
        daemon_before = cpu_ns(self.appliance.daemon.pid)
        time.sleep(WATCH_S)  # idleness is a matter of real time
        took_ns = time.monotonic_ns() - begin
        percent = 100 * (cpu_ns(pid) - before) / took_ns
        daemon_percent = 100 * (cpu_ns(self.appliance.daemon.pid) - daemon_before) / took_ns
        measured(f"idle poller {percent:.2f} % of a core over {took_ns / 1e9:.1f} s ({len(threads_of(pid))} threads, "
                 f"{len(helpers)} helper process), neuwerkd {daemon_percent:.2f} %")
        self.assertLessEqual(percent, IDLE_PERCENT_LIMIT)

    def test_the_running_poller_has_no_capability_and_cannot_get_one(self):
        threads = threads_of(self.appliance.poller_pid())
        for thread in threads:
            status = status_of(thread)
            for name in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
                self.assertEqual(int(status[name], 16), 0, f"{name} of thread {thread.name} ({status['Name']})")
            self.assertEqual(status["NoNewPrivs"], "1", f"thread {thread.name} ({status['Name']})")
        measured(f"{len(threads)} threads without any capability")

    def test_its_helper_can_administer_the_network_and_nothing_else(self):
        helpers = children_of(self.appliance.poller_pid())
        self.assertEqual(len(helpers), 1)
        status = status_of(Path(f"/proc/{helpers[0]}"))
        self.assertEqual(int(status["CapEff"], 16), 1 << 12, "CAP_NET_ADMIN, for managed neighbours")
        self.assertEqual(status["NoNewPrivs"], "1")

    def test_the_first_packet_after_a_rest_is_served_at_once(self):
        ping = self.appliance.client.run("ping", "-c", "1", "-W", "2", "198.51.100.10")
        self.assertEqual(ping.returncode, 0, ping.stdout)
        took_ms = float(ping.stdout.split("time=")[1].split()[0])
        measured(f"first packet out of sleep and back: {took_ms} ms")


if __name__ == "__main__":
    main()
