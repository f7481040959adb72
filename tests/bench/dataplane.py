"""Compares CPU time per packet: our corridor, kernel forwarding and nftables, interleaved on veth pairs.

Two copies of the three-host topology stand side by side, one with the appliance, one with the plain kernel as
router. Each round visits every mode once, in random order. The generator and the sink have core 0, the device
under test core 1; what counts is the time that its NAPI threads and the poller spent on a core, per packet that
arrived, because packets per second depend on whatever else runs on the machine. Each mode is offered as much
as it takes, and no more.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
import report  # noqa: E402
from modes import ALLOWED, DENIED, MODES, POLICY  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
GENERATOR_CORE, DEVICE_CORE = 0, 1
SINK_PRIORITY, DEVICE_PRIORITY, GENERATOR_PRIORITY = 50, 40, 10  # real-time
GATEWAY_MAC = "02:00:00:00:01:01"


def run(*words, check=True, **more):
    done = subprocess.run([str(word) for word in words], text=True, capture_output=True, **more)
    if check and done.returncode:
        sys.exit(f"bench: {' '.join(map(str, words))}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def shell(command):
    """Runs bash with scripts/lib loaded."""
    return run("bash", "-euc", f". scripts/lib/topology.sh; . scripts/lib/appliance.sh; {command}", cwd=ROOT)


def inside(namespace, *words):
    return ["nsenter", f"--net=/run/netns/{namespace}", *map(str, words)]


def napi_threads():
    """Kernel threads that poll network interfaces: process id -> name, `napi/<interface>-<number>`."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*/comm"):
        try:
            name = entry.read_text().strip()
        except OSError:
            continue  # it ended meanwhile
        if name.startswith("napi/"):
            found[entry.parent.name] = name
    return found


class Lab:
    """One copy of the topology, with a counting sink at the server."""

    def __init__(self, name, binaries, folder):
        self.prefix = f"nw-bench-{name}"
        self.appliance = f"{self.prefix}-appliance"
        self.binaries = binaries
        self.pins = folder / "bpffs" / name
        self.threads = {}  # of this copy: both have interfaces of the same names
        shell(f"nw_topology_up {self.prefix} two-arm")
        self.pins.mkdir()
        run("bpftool", "prog", "loadall", binaries.parent / "bpf/bench_sink.bpf.o", self.pins, "type", "xdp",
            "pinmaps", self.pins)
        self.attach("sink", f"{self.prefix}-internet", "eth0")

    def attach(self, program, namespace, interface):
        run(*inside(namespace, "bpftool", "net", "attach", "xdpdrv", "pinned", self.pins / program, "dev", interface))

    def poll_in_threads(self, change=lambda: None):
        """Makes the change, then gives each interface's polling a thread of its own that can be timed and pinned."""
        before = napi_threads()
        change()
        for host, interface in (("appliance", "inside"), ("appliance", "outside"), ("internet", "eth0")):
            # ip netns exec, because it is the /sys of that namespace that counts.
            run("ip", "netns", "exec", f"{self.prefix}-{host}", "sh", "-c",
                f"echo 1 > /sys/class/net/{interface}/threaded")
        now = napi_threads()
        self.threads = {thread: name for thread, name in now.items() if thread in self.threads or thread not in before}
        for thread, name in self.threads.items():
            at_sink = name.startswith("napi/eth0")
            run("taskset", "-pc", GENERATOR_CORE if at_sink else DEVICE_CORE, thread)
            # Nothing else that runs on the machine may get between; the sink must not wait for the generator.
            run("chrt", "-f", "-p", SINK_PRIORITY if at_sink else DEVICE_PRIORITY, thread)

    def device_tasks(self):
        """The tasks whose time counts."""
        return [thread for thread, name in self.threads.items() if not name.startswith("napi/eth0")]

    def receiving_task(self):
        """The thread that polls the interface on which the generator's frames arrive."""
        return next(thread for thread, name in self.threads.items() if name.startswith("napi/inside"))

    def generate(self, flows, seconds, destination, task):
        words = inside(f"{self.prefix}-client", self.binaries / "nw_bench", "generate", self.binaries.parent / "bpf",
                       "eth0", flows, seconds, destination, GATEWAY_MAC, task)
        return subprocess.Popen(["chrt", "-f", str(GENERATOR_PRIORITY), "taskset", "-c", str(GENERATOR_CORE), *words],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def measure(self, mode, flows):
        generator = self.generate(flows, 1.8, mode.destination, self.receiving_task())
        time.sleep(0.7)
        meters = json.loads(run(*inside(self.appliance, self.binaries / "nw_bench", "measure", 0.9,
                                        self.pins / "arrived", "inside", *self.device_tasks())))
        _, trouble = generator.communicate()
        if generator.returncode:
            sys.exit(f"bench: {trouble.strip()}")
        meters["ns"] = sum(meters["cpu_ns"]) / max(meters["received"], 1)
        return meters


class KernelLab(Lab):
    """The plain kernel as a router."""

    def __init__(self, binaries, folder):
        super().__init__("kernel", binaries, folder)
        run(*inside(self.appliance, "sysctl", "-qw", "net.ipv4.ip_forward=1"))

    def prepare(self, mode, flows):
        self.poll_in_threads(lambda: self.change_to(mode))

    def change_to(self, mode):
        run(*inside(self.appliance, "nft", "flush", "ruleset"))
        run(*inside(self.appliance, "ip", "link", "set", "inside", "xdpdrv", "off"))
        shell(f"nw_enable_redirect {self.appliance}:inside")
        if mode.ruleset:
            run(*inside(self.appliance, "nft", "-f", "-"), input=mode.ruleset)
        if mode.drop_at_once:
            self.attach("drop_all", self.appliance, "inside")


class NeuwerkLab(Lab):
    """The appliance: neuwerkd and its poller, with a policy that denies one half of the remote network."""

    def __init__(self, binaries, folder):
        super().__init__("neuwerk", binaries, folder)
        self.folder = folder / "appliance"
        self.folder.mkdir()
        (self.folder / "policy.yaml").write_text(POLICY)
        shell(f"nw_appliance_configure {self.folder} two-arm 'flow_lines: 65536' "
              f"'miss_rate: {{per_second: 10000000, burst: 1000000}}'; "
              f"nw_appliance_start {self.folder} {self.appliance} {binaries}")
        self.poll_in_threads()
        self.poller = self.poller_tasks()

    def device_tasks(self):
        return super().device_tasks() + self.poller

    def poller_tasks(self):
        for comm in Path("/proc").glob("[0-9]*/comm"):
            try:
                words = (comm.parent / "cmdline").read_bytes()
                if b"neuwerk-dataplane" in words and bytes(self.folder) in words:
                    tasks = [task.name for task in (comm.parent / "task").iterdir()]
                    for task in tasks:
                        run("taskset", "-pc", DEVICE_CORE, task)
                    return tasks
            except OSError:
                pass  # it ended meanwhile
        sys.exit("bench: the poller of the appliance is not running")

    def counters(self):
        rows = json.loads(run(self.binaries / "neuwerkctl", "--socket", self.folder / "run/neuwerkd.sock",
                              "-o", "json", "counters", "--all"))
        rows = rows.get("counters", rows) if isinstance(rows, dict) else rows
        return {row["verdict"]: int(row.get("packets", 0)) for row in rows if row["stage"] == "xdp"}

    def prepare(self, mode, flows):
        """Lets the first packet of each flow through the poller, slowly enough that none is lost on the way."""
        if not mode.forwards:
            return
        for _ in range(20):
            before = self.counters()
            self.generate(flows, 0.3, ALLOWED, 0).communicate()
            after = self.counters()
            if after["handed_to_poller"] == before["handed_to_poller"]:
                return
        sys.exit(f"bench: {flows} flows were not established: {after}")

    def replays(self):
        """What to time: name -> pin of the program, destination and source port of the frame."""
        pin = self.folder / "bpffs/neuwerk/link_inside"
        return {
            "bare XDP_DROP": (self.pins / "drop_all", ALLOWED, 10_000),
            "established NAT (hit)": (pin, ALLOWED, 10_000),
            "deny": (pin, DENIED, 10_000),
            "first packet (miss, to the poller)": (pin, ALLOWED, 9_999),
        }

    def replay(self, pin, destination, port):
        """ns per run."""
        nanoseconds, _ = run(*inside(self.appliance, "taskset", "-c", DEVICE_CORE, self.binaries / "nw_bench",
                                     "replay", self.binaries.parent / "bpf", pin, "inside", 1_000_000, destination,
                                     GATEWAY_MAC, port)).split()
        return int(nanoseconds)


def clean(folder):
    shell(f"nw_appliance_stop {folder}/appliance nw-bench-neuwerk-appliance; nw_topology_down nw-bench-kernel; nw_topology_down nw-bench-neuwerk; "
          f"nw_bpffs_down {folder}/bpffs")
    shutil.rmtree(folder, ignore_errors=True)


def progress(line):
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def measure_all(arguments, folder):
    shell(f"nw_bpffs_up {folder}/bpffs")
    binaries = Path(arguments.build).resolve() / "bin"
    chosen = [mode for mode in MODES if not arguments.only or arguments.only in mode.name]
    labs = {}
    for kind, name in ((KernelLab, "kernel"), (NeuwerkLab, "neuwerk")):
        if any(mode.lab == name for mode in chosen):
            labs[name] = kind(binaries, folder)
    samples = {mode.name: [] for mode in chosen}
    times = {}
    for number in range(1, arguments.rounds + 1):
        for mode in random.sample(chosen, len(chosen)):
            progress(f"round {number} of {arguments.rounds}: {mode.name}")
            labs[mode.lab].prepare(mode, arguments.flows)
            samples[mode.name].append(labs[mode.lab].measure(mode, arguments.flows))
        if "neuwerk" in labs:
            rows = labs["neuwerk"].replays()
            for name in random.sample(list(rows), len(rows)):
                times.setdefault(name, []).append(labs["neuwerk"].replay(*rows[name]))
    progress("")
    return samples, times


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(ROOT / "build/release"), help="the build folder")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--flows", type=int, default=1024)
    parser.add_argument("--only", help="only the modes whose name holds this word")
    parser.add_argument("--json", help="also write every sample to this file")
    arguments = parser.parse_args()
    if os.geteuid() or (os.cpu_count() or 1) < 2:
        sys.exit("bench: needs root (network namespaces, BPF) and two cores")

    folder = Path("/run/neuwerk-bench")
    clean(folder)  # of a run that was interrupted
    folder.mkdir()
    try:
        samples, times = measure_all(arguments, folder)
    finally:
        clean(folder)
    held = report.goals(report.table(samples))
    if times:
        report.replays(times)
    if arguments.json:
        Path(arguments.json).write_text(json.dumps({"samples": samples, "replays": times}))
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
