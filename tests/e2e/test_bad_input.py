"""Bad input: one clear line and its own exit code each, and nothing stays attached or pinned."""
import contextlib
import copy
import json
import os
import subprocess

from appliance import BINARIES, Appliance, LiveTest, eventually, main, shell
from hosts import FAR

EXIT_FAILED, EXIT_RUNNING, EXIT_PRIVILEGE, EXIT_CONFIG = 1, 75, 77, 78  # userspace/base/error_codes.h
CTL_INVALID, CTL_UNAVAILABLE = 3, 8
SINK_OBJECT = BINARIES.parent / "bpf" / "bench_sink.bpf.o"
NOBODY = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]  # still uid 0, without a capability

WITH_TLS = {"source_groups": [{"id": "clients", "mode": "enforce", "sources": {"cidrs": ["10.0.0.0/24"]}, "rules": [
    {"id": "shop", "action": "allow", "match": {"proto": "tcp", "dst_ports": [443], "tls": {"sni": "^shop$"}}}]}]}
BAD_POLICIES = {
    "not JSON": ('{"source_groups": [', "json", "E_JSON"),
    "not YAML": ("source_groups: [\n  - {id: a", "yaml", "E_JSON"),
    "a port that is none": (json.dumps({"source_groups": [{
        "id": "clients", "mode": "enforce", "sources": {"ips": ["10.0.0.2"]},
        "rules": [{"id": "web", "action": "allow", "match": {"dst_ports": [80, 70000]}}]}]}), "json",
        "source_groups[0].rules[0].match.dst_ports[1]"),
    "not enforceable": (json.dumps(WITH_TLS), "json", "group 'clients', rule 'shop': match.tls is not enforced yet"),
}


class Refusals(LiveTest):
    """neuwerkd is started and must refuse; the appliance itself never runs."""

    @classmethod
    def make(cls):
        return Appliance("refuse", start=False)

    def setUp(self):
        self.addCleanup(self.appliance.uninstall)  # so that one failure is not the next one's too

    def run_daemon(self, config=None, before=()):
        path = self.appliance.write_config(config)
        return self.appliance.gate.run(*before, BINARIES / "neuwerkd", "--config", path, timeout=60)

    def run_poller(self, *before):
        return self.appliance.gate.run(*before, BINARIES / "neuwerk-dataplane", "--bpffs", self.appliance.bpffs,
                                       "--run", self.appliance.directory, timeout=60)

    def expect_refusal(self, done, words, code=EXIT_FAILED):
        # A first start also says that it made a key; why it failed is one line.
        lines = [line for line in done.stderr.splitlines() if ": info: " not in line]
        self.assertEqual(len(lines), 1, f"one line: {done.stderr}")
        self.assertIn(words, lines[0])
        self.assertEqual(done.returncode, code, lines[0])
        print(f"    exit {done.returncode}: {lines[0]}", flush=True)

    def expect_nothing_left(self, attached=()):
        self.assertEqual(self.appliance.pins(), [])
        self.assertEqual(self.appliance.attached(), list(attached))

    def config(self, **sections):
        config = copy.deepcopy(self.appliance.config)
        for name, section in sections.items():
            config[name] = {**config.get(name, {}), **section} if isinstance(section, dict) else section
        return config

    @contextlib.contextmanager
    def changed(self, change, back):
        gate = self.appliance.gate
        done = gate.run(*change)
        if done.returncode:
            self.skipTest(f"{' '.join(change)}: {done.stderr.strip()}")
        try:
            yield
        finally:
            gate.run(*back, check=True)

    def test_a_missing_interface_is_named(self):
        ports = [{"interface": "inside", "side": "inside"}, {"interface": "eth7", "side": "outside"}]
        self.expect_refusal(self.run_daemon(self.config(dataplane={"ports": ports})), "interface eth7: ")
        self.expect_nothing_left()

    def test_vlan_offload_is_refused_with_the_command_that_helps(self):
        with self.changed(["ethtool", "-K", "outside", "rxvlan", "on"], ["ethtool", "-K", "outside", "rxvlan", "off"]):
            self.expect_refusal(self.run_daemon(), "interface outside: VLAN receive offload hides tags from XDP: "
                                                   "`ethtool -K outside rxvlan off`")
        self.expect_nothing_left()

    def test_lro_is_refused_with_the_command_that_helps(self):
        with self.changed(["ethtool", "-K", "outside", "lro", "on"], ["ethtool", "-K", "outside", "lro", "off"]):
            self.expect_refusal(self.run_daemon(), "interface outside: LRO merges packets before XDP: "
                                                   "`ethtool -K outside lro off`")
        self.expect_nothing_left()

    def test_a_jumbo_mtu_is_refused_with_the_command_that_helps(self):
        with self.changed(["ip", "link", "set", "outside", "mtu", "9000"],
                          ["ip", "link", "set", "outside", "mtu", "1500"]):
            self.expect_refusal(self.run_daemon(), "interface outside: MTU 9000 is above 1900")
        self.expect_nothing_left()

    def test_a_foreign_xdp_program_is_left_alone(self):
        pin = self.appliance.bpffs.parent / "foreign"
        subprocess.run(["bpftool", "prog", "load", SINK_OBJECT, pin, "type", "xdp"], check=True, capture_output=True)
        self.addCleanup(pin.unlink)
        for mode in ("xdpdrv", "xdpgeneric"):
            for interface in ("inside", "outside"):
                attach = ["bpftool", "net", "attach", mode, "pinned", str(pin), "dev", interface]
                detach = ["bpftool", "net", "detach", mode, "dev", interface]
                with self.subTest(mode=mode, interface=interface), self.changed(attach, detach):
                    self.expect_refusal(self.run_daemon(), f"interface {interface}: another XDP program is attached")
                    self.expect_nothing_left(attached=[interface])

    def test_missing_privilege_is_named(self):
        self.expect_refusal(self.run_daemon(before=NOBODY), "not permitted: run as root, or with CAP_BPF",
                            EXIT_PRIVILEGE)
        self.expect_nothing_left()

    def test_the_poller_names_the_privilege_that_it_lacks(self):
        self.expect_refusal(self.run_poller(*NOBODY), "privilege missing: cap_sys_admin, cap_net_admin, cap_net_raw",
                            EXIT_PRIVILEGE)

    def test_a_poller_without_neuwerkd_says_who_is_missing(self):
        self.expect_refusal(self.run_poller(), "there is no such map: start neuwerkd first")

    def test_a_directory_off_the_bpf_file_system_is_refused(self):
        elsewhere = self.appliance.directory / "elsewhere"
        done = self.run_daemon(self.config(paths={"bpffs": str(elsewhere)}))
        self.expect_refusal(done, f"{elsewhere} is not on a bpf file system: `mount -t bpf bpf")
        self.expect_nothing_left()

    def test_uninstall_takes_nothing_that_is_not_its_own(self):
        elsewhere = self.appliance.directory / "elsewhere"
        elsewhere.mkdir(exist_ok=True)
        precious = elsewhere / "config"
        precious.write_text("somebody's")
        config = self.appliance.write_config(self.config(paths={"bpffs": str(elsewhere)}))
        done = self.appliance.gate.run(BINARIES / "neuwerkd", "--config", config, "uninstall")
        self.expect_refusal(done, f"{elsewhere} is not on a bpf file system")
        self.assertEqual(precious.read_text(), "somebody's")

    def test_configuration_errors_exit_78_and_name_the_key(self):
        faults = {
            "dataplane.flow_line: unknown key": self.config(dataplane={"flow_line": 1024}),
            "speed: unknown key": self.config(speed={"of": "light"}),
            "dataplane.flow_lines: ": self.config(dataplane={"flow_lines": 1000}),
            "dataplane.ports[1].side: 'left' is not inside, outside or both": self.config(
                dataplane={"ports": [{"interface": "inside", "side": "inside"},
                                     {"interface": "outside", "side": "left"}]}),
            "metrics.bind: ": self.config(metrics={"bind": "0.0.0.0:8080"}),
            "version is missing": {key: value for key, value in self.config().items() if key != "version"},
        }
        for words, config in faults.items():
            with self.subTest(words):
                self.expect_refusal(self.run_daemon(config), words, EXIT_CONFIG)
                self.expect_nothing_left()

    def test_a_configuration_that_is_not_yaml_or_not_there_exits_78(self):
        path = self.appliance.write_config()
        path.write_text("version: 1\n  dataplane: [")
        done = self.appliance.gate.run(BINARIES / "neuwerkd", "--config", path)
        self.expect_refusal(done, "not YAML: ", EXIT_CONFIG)
        done = self.appliance.gate.run(BINARIES / "neuwerkd", "--config", "/nowhere.yaml")
        self.expect_refusal(done, "/nowhere.yaml: No such file or directory", EXIT_CONFIG)
        self.expect_nothing_left()

    def test_a_bad_policy_file_stops_the_first_start(self):
        for name, (text, syntax, words) in BAD_POLICIES.items():
            with self.subTest(name):
                file = self.appliance.directory / f"policy.{syntax}"
                file.write_text(text)
                done = self.run_daemon(self.config(policy={"file": str(file)}))
                self.expect_refusal(done, words)
                self.assertIn(str(file), done.stderr)
                self.expect_nothing_left()
                self.appliance.uninstall()

    def test_neuwerkctl_without_neuwerkd_says_so(self):
        done = self.appliance.ctl_run("status")
        self.expect_refusal(done, "neuwerkctl: neuwerkd is not running: there is no socket", CTL_UNAVAILABLE)


class RunningAppliance(LiveTest):
    """A running appliance refuses what is bad and goes on as before."""

    @classmethod
    def make(cls):
        return Appliance("steady")

    expect_refusal = Refusals.expect_refusal

    def setUp(self):
        self.generation = self.appliance.ctl("status")["generation"]
        self.policy = self.appliance.ctl("policy", "get")

    def expect_unchanged(self):
        self.assertEqual(self.appliance.ctl("status")["generation"], self.generation)
        self.assertEqual(self.appliance.ctl("policy", "get"), self.policy)
        self.assertTrue(self.appliance.explain(FAR, port=80)["allowed"])
        self.assertEqual(self.appliance.http("/ready")[0], 200)

    def test_a_second_neuwerkd_is_refused(self):
        done = self.appliance.gate.run(BINARIES / "neuwerkd", "--config", self.appliance.write_config())
        self.expect_refusal(done, f"is held by pid {self.appliance.daemon.pid}", EXIT_RUNNING)
        self.expect_unchanged()

    def test_a_second_poller_is_refused(self):
        poller = self.appliance.poller_pid()
        done = self.appliance.gate.run(BINARIES / "neuwerk-dataplane", "--bpffs", self.appliance.bpffs,
                                       "--run", self.appliance.directory / "run")
        self.expect_refusal(done, "another neuwerk-dataplane runs: it holds ", EXIT_RUNNING)
        self.assertEqual(self.appliance.poller_pid(), poller)
        self.expect_unchanged()

    def test_a_bad_policy_is_refused_and_the_old_one_stays(self):
        for name, (text, syntax, words) in BAD_POLICIES.items():
            with self.subTest(name):
                file = self.appliance.directory / f"bad.{syntax}"
                file.write_text(text)
                self.expect_refusal(self.appliance.ctl_run("policy", "apply", file), words, CTL_INVALID)
                self.expect_unchanged()

    def test_a_bad_reload_is_refused_and_the_old_policy_stays(self):
        file = self.appliance.directory / "reload.yaml"
        config = copy.deepcopy(self.appliance.config)
        config["policy"]["file"] = str(file)
        self.appliance.write_config(config)
        self.addCleanup(self.appliance.write_config)
        for name, (text, _, words) in BAD_POLICIES.items():
            with self.subTest(name):
                file.write_text(text)
                self.expect_reload_refused(words)
        file.unlink()
        self.expect_reload_refused("policy.file: open: ")
        self.appliance.write_config({**config, "speed": 1})
        self.expect_reload_refused("speed: unknown key")

    def expect_reload_refused(self, words):
        seen = len(self.appliance.log())
        os.kill(self.appliance.daemon.pid, 1)
        line = eventually(lambda: [each for each in self.appliance.log()[seen:].splitlines()
                                   if "reload refused, nothing changed: " in each], "the reload is refused")
        self.assertEqual(len(line), 1)
        self.assertIn(words, line[0])
        print(f"    SIGHUP: {line[0]}", flush=True)
        self.expect_unchanged()

    def test_pinned_maps_of_other_sizes_are_never_reinterpreted(self):
        config = copy.deepcopy(self.appliance.config)
        config["dataplane"]["flow_lines"] = 8192
        self.assertEqual(self.appliance.stop(), 0)
        try:
            done = self.appliance.gate.run(BINARIES / "neuwerkd", "--config", self.appliance.write_config(config))
            self.expect_refusal(done, "flow_table is pinned with 4096 entries of 64 bytes, wanted 8192 of 64")
            self.assertIn("`neuwerkd uninstall` drops it", done.stderr)
            self.assertEqual(self.appliance.attached(), ["inside", "outside"], "what was attached stays in force")
        finally:
            self.appliance.start()

    def test_a_socket_that_nobody_answers_is_told_from_one_that_is_not_there(self):
        silent = self.appliance.directory / "silent.sock"
        shell(f"python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"{silent}\")'")
        done = subprocess.run([BINARIES / "neuwerkctl", "--socket", silent, "status"], capture_output=True, text=True)
        self.expect_refusal(done, f"neuwerkd does not answer on {silent}: is it running?", CTL_UNAVAILABLE)


if __name__ == "__main__":
    main()
