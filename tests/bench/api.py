#!/usr/bin/env python3
"""scripts/bench api: the management API against nginx and against the disk, in one run.

Prints requests/s and p99 of GET /api/v1/stats beside nginx serving a file of the same size with the same key, the
latency of a durable PUT of a 100-rule policy beside one fdatasync of the same disk, and how many writes of small
records 64 clients get through for each one of a single client. Rounds are interleaved; the median counts.
The same client (wrk) asks all of them. Without a dataplane (--host): nw_api_host instead of a whole appliance.
"""
import argparse
import contextlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "api"), str(ROOT / "tests" / "e2e")]
import api_target  # noqa: E402

SCRIPT = ROOT / "tests" / "bench" / "api.lua"
RULE_COUNT, WRITER_COUNT, READER_COUNT = 100, 64, 16
STATS_GOAL, WRITERS_GOAL, PUT_GOAL_MS = 0.5, 8.0, 3.0
NGINX_CONFIG = """
daemon off; master_process on; worker_processes {workers}; pid {directory}/nginx.pid; error_log {directory}/error.log;
events {{ worker_connections 1024; }}
http {{
	access_log off; keepalive_requests 100000000; default_type application/json;
	client_body_temp_path {directory}; proxy_temp_path {directory}; fastcgi_temp_path {directory};
	uwsgi_temp_path {directory}; scgi_temp_path {directory};
	server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {certificate}; ssl_certificate_key {key};
		ssl_protocols TLSv1.2 TLSv1.3; root {directory}/www; }}
}}
"""


class Bench:
    def __init__(self, target, prefix, directory):
        self.target, self.prefix, self.directory = target, prefix, Path(directory)
        self.client = target.client(target.admin)

    def wrk(self, port, path, seconds, connections, **environment):
        """What api.lua printed. `environment`: NW_… in lower case."""
        words = [*self.prefix, "wrk", "-t", str(min(2, connections)), "-c", str(connections), "-d", f"{seconds}s",
                 "-s", SCRIPT, f"https://127.0.0.1:{port}{path}"]
        said = {**os.environ, "NW_PATH": path, "NW_TOKEN": self.target.admin}
        said.update({f"NW_{name.upper()}": str(value) for name, value in environment.items()})
        done = subprocess.run(words, env=said, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"wrk: {done.stderr or done.stdout}")
        result = json.loads(done.stdout.splitlines()[-1])
        if result["bad"]:
            raise RuntimeError(f"{path}: {result['bad']} of {result['requests']} requests failed")
        return {**result, "per_s": result["requests"] / (result["us"] / 1e6)}

    @contextlib.contextmanager
    def nginx(self, body):
        """Its port, while it serves /stats with `body`."""
        home = self.directory / "nginx"
        (home / "www").mkdir(parents=True)
        (home / "www" / "stats").write_bytes(body)
        for each in (self.directory, home, home / "www"):
            each.chmod(0o755)  # its workers are another user
        port = 18443
        config = home / "nginx.conf"
        config.write_text(NGINX_CONFIG.format(workers=2, directory=home, port=port,
                                              certificate=self.target.certificate, key=self.target.key))
        child = subprocess.Popen([*self.prefix, "nginx", "-p", home, "-c", config], stdin=subprocess.DEVNULL)
        try:
            self._await_file(home / "nginx.pid", child)
            yield port
        finally:
            child.terminate()
            child.wait()

    @staticmethod
    def _await_file(path, child):
        for _ in range(200):
            if path.exists() and path.read_text().strip():
                return
            if child.poll() is not None:
                raise RuntimeError("nginx ended")
            time.sleep(0.05)
        raise RuntimeError("nginx does not start")

    # What is measured

    def stats_against_nginx(self, rounds, seconds):
        body = self.client.get("/api/v1/stats").body
        ours, theirs = [], []
        with self.nginx(body) as port:
            for _ in range(rounds):
                ours.append(self.wrk(self.target.port, "/api/v1/stats", seconds, READER_COUNT))
                theirs.append(self.wrk(port, "/stats", seconds, READER_COUNT))
        return ours, theirs

    def fdatasync_ms(self, count=300):
        """Median of writing one page and fdatasync, where the appliance keeps its records."""
        path = self.directory / "fdatasync"
        took = []
        fd = os.open(path, os.O_CREAT | os.O_WRONLY, 0o600)
        try:
            for index in range(count):
                os.pwrite(fd, b"x" * 4096, 4096 * index)
                begin = time.perf_counter()
                os.fdatasync(fd)
                took.append((time.perf_counter() - begin) * 1000)
        finally:
            os.close(fd)
            path.unlink()
        return statistics.median(took)

    def put_policy(self, seconds):
        rules = [{"id": f"r{number}", "action": "allow", "match": {
            "proto": "tcp", "dst_ips": [f"198.51.{number // 250}.{number % 250 + 1}"], "dst_ports": [443]}}
            for number in range(RULE_COUNT)]
        document = {"default_policy": "deny", "source_groups": [
            {"id": "g%d", "mode": "enforce", "sources": {"cidrs": ["10.0.0.0/24"]}, "rules": rules}]}
        path = self.directory / "policy.json"
        path.write_text(json.dumps(document))
        return self.wrk(self.target.port, "/api/v1/policy", seconds, 1, method="PUT", body_file=path)

    def put_records(self, seconds, writers):
        return self.wrk(self.target.port, "/", seconds, writers, method="PUT", path_file=self.paths(),
                        body_form='{"name":"bench","description":"%d","role":"readonly"}')

    def paths(self):
        """A file with the path of one service account per writer."""
        path = self.directory / "paths"
        if not path.exists():
            made = [self.client.post("/api/v1/service-accounts", {"name": f"b{number}", "role": "readonly"}).json()
                    for number in range(WRITER_COUNT)]
            path.write_text("".join(f"/api/v1/service-accounts/{each['id']}\n" for each in made))
        return path


def median(results, key):
    return statistics.median(result[key] for result in results)


def goal(is_met):
    return "goal met" if is_met else "GOAL MISSED"


def report(stats, nginx, syncs, puts, ones, many):
    ratio = statistics.median(a["per_s"] / b["per_s"] for a, b in zip(stats, nginx))
    scale = statistics.median(a["per_s"] / b["per_s"] for a, b in zip(many, ones))
    sync_ms, put_ms = statistics.median(syncs), median(puts, "p50_us") / 1000
    for name, results in (("GET /api/v1/stats", stats), ("nginx, the same bytes", nginx)):
        print(f"{name:28} {median(results, 'per_s'):10,.0f} requests/s  p50 {median(results, 'p50_us') / 1000:7.2f} ms"
              f"  p99 {median(results, 'p99_us') / 1000:7.2f} ms")
    print(f"{'stats / nginx':28} {ratio:10.2f} x           {goal(ratio >= STATS_GOAL)}: at least {STATS_GOAL} x")
    print(f"{'one fdatasync':28} {sync_ms:10.2f} ms")
    print(f"{f'PUT policy, {RULE_COUNT} rules':28} {put_ms:10.2f} ms p50, {median(puts, 'p99_us') / 1000:.2f} ms p99   "
          f"{goal(put_ms <= PUT_GOAL_MS + sync_ms)}: at most {PUT_GOAL_MS} ms plus one fdatasync")
    print(f"{'PUT record, 1 writer':28} {median(ones, 'per_s'):10,.0f} writes/s    p50 {median(ones, 'p50_us') / 1000:7.2f} ms")
    print(f"{f'PUT record, {WRITER_COUNT} writers':28} {median(many, 'per_s'):10,.0f} writes/s    "
          f"p50 {median(many, 'p50_us') / 1000:7.2f} ms")
    print(f"{f'{WRITER_COUNT} writers / 1':28} {scale:10.2f} x           {goal(scale >= WRITERS_GOAL)}: at least {WRITERS_GOAL} x")
    return {"stats_per_s": median(stats, "per_s"), "nginx_per_s": median(nginx, "per_s"), "stats_ratio": ratio,
            "stats_p99_ms": median(stats, "p99_us") / 1000, "fdatasync_ms": sync_ms, "put_policy_p50_ms": put_ms,
            "writers_1_per_s": median(ones, "per_s"), "writers_64_per_s": median(many, "per_s"), "writers_ratio": scale}


def measure(bench, rounds, seconds):
    stats, nginx = bench.stats_against_nginx(rounds, seconds)
    syncs, puts, ones, many = [], [], [], []
    for _ in range(rounds):
        syncs.append(bench.fdatasync_ms())
        puts.append(bench.put_policy(seconds))
        ones.append(bench.put_records(seconds, 1))
        many.append(bench.put_records(seconds, WRITER_COUNT))
    return report(stats, nginx, syncs, puts, ones, many)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--host", action="store_true", help="no dataplane: needs neither root nor BPF")
    parser.add_argument("--json", type=Path, help="the numbers, for a machine")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release", help="the build folder")
    options = parser.parse_args()
    binaries = options.build.resolve() / "bin"
    os.environ.update(NW_BIN_DIR=str(binaries), NW_API_HOST_BINARY=str(binaries / "nw_api_host"))
    with contextlib.ExitStack() as stack:
        if options.host:
            target = api_target.ApiHost()
            stack.callback(target.stop)
            bench = Bench(target, [], target.directory)
        else:
            import live_target
            target = stack.enter_context(live_target.LiveTarget("bench-api"))
            bench = Bench(target, target.command_prefix(), target.directory)
        numbers = measure(bench, options.rounds, options.seconds)
    if options.json:
        options.json.write_text(json.dumps(numbers, indent=1))


if __name__ == "__main__":
    main()
