"""Prints what scripts/bench dataplane measured: medians, spread, ratios, and whether the goals hold."""
import statistics

from modes import BASES, GOALS, MODES


def spread(values):
    return f"{statistics.median(values):7.0f}  {min(values):6.0f} to {max(values):<6.0f}"


def table(samples):
    """One row per mode that ran. Returns mode name -> median of CPU ns per packet."""
    median = {name: statistics.median(one["ns"] for one in rows) for name, rows in samples.items() if rows}
    print(f"\n{'':26}{'CPU ns/packet':>15}{'':16}{'ratio to':>10}")
    print(f"{'mode':26} {'median  spread':>17}{'':13}" + "".join(f"{base:>14}" for base in BASES) +
          f"{'delivered':>12}{'Mpps':>7}")
    for mode in MODES:
        rows = samples.get(mode.name)
        if not rows:
            continue
        received = sum(row["received"] for row in rows)
        arrived = sum(row["arrived"] for row in rows)
        ratios = [f"{median[mode.name] / median[base.name]:.2f}" if base.name in median else "-"
                  for base in BASES.values()]
        rate = statistics.median(row["received"] / row["seconds"] for row in rows) / 1e6
        delivered = f"{100 * arrived / received:.1f} %" if received else "no packet"
        print(f"{mode.name:26} {spread([row['ns'] for row in rows]):30}" + "".join(f"{r:>14}" for r in ratios) +
              f"{delivered:>12}{rate:7.2f}")
        if received and mode.forwards != (arrived > received / 2):
            print(f"  ! {mode.name}: {arrived} of {received} packets reached the server")
    return median


def goals(median):
    """Says of each goal whose modes ran whether it holds; True when all do."""
    held = True
    for ours, base, goal in GOALS:
        if ours.name in median and base.name in median:
            ratio = median[ours.name] / median[base.name]
            held = held and ratio <= goal
            print(f"goal: {ours.name} / {base.name}: {ratio:.2f}, wanted at most {goal:.2f}: "
                  f"{'PASS' if ratio <= goal else 'MISS'}")
    return held


def replays(times):
    """times: name -> ns per run of each round; the bare drop among them is the yardstick."""
    bare = statistics.median(times["bare XDP_DROP"])
    print(f"\n{'BPF_PROG_TEST_RUN':36} {'ns/run: median, spread':26} {'/ bare XDP_DROP':>15}")
    for name, values in times.items():
        print(f"{name:36} {spread(values):26} {statistics.median(values) / bare:15.1f}")
    print("(each run restores the frame and jumps to the program, the bare drop too)")
