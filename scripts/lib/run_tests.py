#!/usr/bin/env python3
"""Builds and tests everything; the last line is `N passed, N failed`. Root for the live tests; safe to repeat.

scripts/test [--soak] [STAGE…]    stages: see STAGES; --soak runs the long counts of the acceptance list
NW_FUZZ_SECONDS=30                time of each fuzz target, at most six minutes together

Tests that carry the ctest label `live` use namespaces and BPF and run one at a time; tests labelled `threads` run
under ThreadSanitizer too. Logs and reports lie in build/.
"""
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as Xml
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRATCH = Path("/run/neuwerk-test")  # live tests keep everything of theirs below it
FUZZ_SECONDS, FUZZ_SECONDS_TOGETHER = 30, 360
TEST_SECONDS_LIMIT, SOAK_SECONDS_LIMIT = 600, 7200
CORES = os.cpu_count() or 1
UNITTEST = re.compile(r"^Ran (\d+) tests? in (?:.*\n)+?^(?:OK|FAILED)(?: \((.*)\))?", re.MULTILINE)
DOCTEST = re.compile(r"\[doctest\] test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed")


class Tally:
    """What ran, over all stages."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, passed, failed, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped


def command(*words, **more):
    """Runs with the output on ours; True when it succeeded."""
    return subprocess.run([str(word) for word in words], cwd=ROOT, **more).returncode == 0


def build(preset, *targets):
    return command("bash", "-uo", "pipefail", "-c", '. scripts/lib/build.sh; nw_build "$@"', "build", preset, *targets)


def programs_of(preset, wanted):
    """Names of the test programs of a configured preset whose labels satisfy `wanted`: they are targets too."""
    listing = subprocess.run(["ctest", "--test-dir", f"build/{preset}", "--show-only=json-v1"], cwd=ROOT,
                             capture_output=True, text=True, check=True)
    names = []
    for test in json.loads(listing.stdout)["tests"]:
        properties = {each["name"]: each["value"] for each in test.get("properties", [])}
        # Without a command: a program of ours that is not built yet.
        is_ours = "command" not in test or Path(test["command"][0]).is_relative_to(ROOT / "build")
        if is_ours and wanted(properties.get("LABELS", [])):
            names.append(test["name"])
    return names


def cases_in(output):
    """Passed, failed, skipped cases that a test program counted itself; None when it did not say."""
    if inner := DOCTEST.search(output):
        return int(inner.group(1)), int(inner.group(2)), 0
    if inner := UNITTEST.search(output):
        notes = dict(re.findall(r"(\w+)=(\d+)", inner.group(2) or ""))
        failed = int(notes.get("failures", 0)) + int(notes.get("errors", 0))
        skipped = int(notes.get("skipped", 0))
        return int(inner.group(1)) - failed - skipped, failed, skipped
    return None


def count_report(report):
    """Passed, failed, skipped of a JUnit file; a program that counts its cases counts by them."""
    passed = failed = skipped = 0
    for case in Xml.parse(report).getroot().iter("testcase"):
        status = case.get("status")
        if status in ("notrun", "disabled"):
            skipped += 1
            continue
        inner = cases_in(case.findtext("system-out") or "") or (int(status != "fail"), 0, 0)
        passed += max(0, inner[0])
        failed += max(inner[1], int(status == "fail"))
        skipped += inner[2]
    return passed, failed, skipped


def ctest(tally, preset, name, *selection, cores=CORES):
    report = ROOT / "build" / f"{name}.xml"
    report.unlink(missing_ok=True)
    limit = SOAK_SECONDS_LIMIT if os.environ.get("NW_SOAK") else TEST_SECONDS_LIMIT
    fine = command("ctest", "--test-dir", f"build/{preset}", "--output-on-failure", "--no-tests=ignore", "-j", cores,
                   "--timeout", limit, "--output-junit", report, "--test-output-size-passed", 100000, *selection)
    if not report.exists():
        tally.add(0, 1)
        return False
    counts = count_report(report)
    tally.add(*counts)
    if not fine and not counts[1]:
        tally.add(0, 1)  # a test that could not start
    return fine


def tidy(tally):
    fine = command("./scripts/tidy")
    tally.add(int(fine), int(not fine))
    return fine


def unit(tally):
    return build("dev") and ctest(tally, "dev", "unit", "-LE", "live")


def live(tally):
    if os.geteuid():
        print("live tests need root (network namespaces, BPF): not run")
        tally.add(0, 0, 1)
        return True
    return build("dev") and ctest(tally, "dev", "live", "-L", "live", cores=1)


def configured(preset):
    return command("cmake", "--preset", preset, stdout=subprocess.DEVNULL)


def asan(tally):
    if not configured("asan"):
        return False
    offline = programs_of("asan", lambda labels: "live" not in labels)
    return build("asan", *offline) and ctest(tally, "asan", "asan", "-R", f"^({'|'.join(offline)})$")


def tsan(tally):
    if not configured("tsan"):
        return False
    threaded = programs_of("tsan", lambda labels: "threads" in labels)
    return build("tsan", *threaded) and ctest(tally, "tsan", "tsan", "-L", "threads")


def mutants(tally):
    """Each seeded compiler bug must be found by the property test."""
    fine = command("./tests/properties/run-mutants")
    tally.add(int(fine), int(not fine))
    return fine


def fuzz_one(program, seconds):
    name = program.name.removesuffix("_fuzz")
    corpus = ROOT / "build" / "fuzz-corpus" / name  # grows over runs
    corpus.mkdir(parents=True, exist_ok=True)
    seeds = ROOT / "tests" / "fuzz" / "corpus" / name
    findings = ROOT / "build" / "fuzz-findings"
    findings.mkdir(exist_ok=True)
    log = ROOT / "build" / f"fuzz-{name}.log"
    with open(log, "w") as output:
        code = subprocess.run([program, f"-max_total_time={seconds}", "-timeout=10", "-print_final_stats=1",
                               f"-artifact_prefix={findings}/{name}-", corpus, *([seeds] if seeds.is_dir() else [])],
                              cwd=ROOT, stdout=output, stderr=subprocess.STDOUT).returncode
    inputs = re.search(r"number_of_executed_units:\s*(\d+)", log.read_text(errors="replace"))
    print(f"fuzz {name}: {inputs.group(1) if inputs else 0} inputs in {seconds} s: {'ok' if code == 0 else 'FAILED'}",
          flush=True)
    if code:
        print("\n".join(log.read_text(errors="replace").splitlines()[-40:]))
    return code == 0


def fuzz(tally):
    if not build("fuzz", "fuzzers"):
        return False
    programs = sorted((ROOT / "build" / "fuzz" / "fuzz").glob("*_fuzz"))
    if not programs:
        print("no fuzz target was built")
        return False
    wanted = int(os.environ.get("NW_FUZZ_SECONDS", FUZZ_SECONDS))
    rounds = -(-len(programs) // CORES)
    seconds = max(1, min(wanted, FUZZ_SECONDS_TOGETHER // rounds))
    with ThreadPoolExecutor(CORES) as pool:
        results = list(pool.map(lambda program: fuzz_one(program, seconds), programs))
    tally.add(results.count(True), results.count(False))
    return all(results)


STAGES = [tidy, unit, live, mutants, asan, tsan, fuzz]


def kill(pids):
    for number, pause in ((signal.SIGTERM, 1.0), (signal.SIGKILL, 0.2)):
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass
        if pids:
            time.sleep(pause)


def clean():
    """Removes what an interrupted run left: processes in our namespaces, the namespaces, mounts, scratch files.

    The demo and the benchmark have namespaces of their own and clean them themselves.
    """
    if os.geteuid():
        return
    listing = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True).stdout
    ours = [line.split()[0] for line in listing.splitlines()
            if line.startswith("nw-") and not line.startswith(("nw-demo", "nw-bench"))]
    for namespace in ours:
        inside = subprocess.run(["ip", "netns", "pids", namespace], capture_output=True, text=True).stdout.split()
        kill([int(pid) for pid in inside])
        subprocess.run(["ip", "netns", "delete", namespace], stderr=subprocess.DEVNULL)
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((m for m in mounts if Path(m).is_relative_to(SCRATCH)), reverse=True):
        subprocess.run(["umount", "-l", mount])
    shutil.rmtree(SCRATCH, ignore_errors=True)
    if ours:
        print(f"cleaned: {len(ours)} namespaces of an interrupted run")


def only_run():
    """Waits until no other scripts/test runs on this machine: they would clean each other's namespaces away."""
    lock = open(ROOT / "build" / "test.lock" if os.geteuid() else "/run/neuwerk-test.lock", "a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print("waiting for another scripts/test on this machine", flush=True)
        fcntl.flock(lock, fcntl.LOCK_EX)
    return lock


def clock(seconds):
    return f"{int(seconds) // 60}m{int(seconds) % 60:02d}s"


def main():
    words = sys.argv[1:]
    names = [word for word in words if word != "--soak"]
    known = {stage.__name__: stage for stage in STAGES}
    if any(name not in known for name in names):
        print(__doc__)
        print("stages:", " ".join(known))
        return 2
    if "--soak" in words:
        os.environ["NW_SOAK"] = "1"
    os.environ["NW_TEST_DIRECTORY"] = str(SCRATCH)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the cleaning below runs
    (ROOT / "build").mkdir(exist_ok=True)

    tally, results = Tally(), []
    lock = only_run()
    clean()
    try:
        for stage in [known[name] for name in names] or STAGES:
            print(f"\n== {stage.__name__}", flush=True)
            start, failed_before = time.monotonic(), tally.failed
            fine = stage(tally)
            if not fine and tally.failed == failed_before:
                tally.add(0, 1)  # the stage itself, such as a build
            results.append(f"{stage.__name__:10} {clock(time.monotonic() - start):>8}  {'ok' if fine else 'FAILED'}")
            print("==", results[-1], flush=True)
    finally:
        clean()
        lock.close()
    print("\n" + "\n".join(results))
    if tally.skipped:
        print(f"{tally.skipped} skipped")
    print(f"{tally.passed} passed, {tally.failed} failed")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
