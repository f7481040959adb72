"""Renders docs/reference/verdicts.md from the X-list in bpf/abi/verdict.h."""
import re

PAGE = "docs/reference/verdicts.md"
ENTRY = re.compile(r'X\((\w+),\s*(\w+),\s*"([^"]*)"\)')
FATES = [
    ("forward", "The packet left on a port."),
    ("slow", "The packet went on to the poller, which gives it a verdict of its own."),
    ("kernel", "The packet went to this host's own stack."),
    ("drop", "The packet ended here."),
]


def render(root):
    entries = ENTRY.findall((root / "bpf" / "abi" / "verdict.h").read_text())
    lines = [
        "# Verdicts",
        "",
        "<!-- Generated from bpf/abi/verdict.h by scripts/tidy --fix; edit that file instead. -->",
        "",
        "Every packet ends in exactly one verdict. The name is the counter in `neuwerkctl counters`, the label in",
        "the Prometheus metrics, the field in an event and the answer of `neuwerkctl explain`.",
    ]
    for fate, meaning in FATES:
        lines += ["", f"## {fate}", "", meaning, "", "| Verdict | Number | Why |", "|---|---|---|"]
        lines += [f"| `{name}` | {number} | {why} |"
                  for number, (name, its_fate, why) in enumerate(entries) if its_fate == fate]
    return "\n".join(lines) + "\n"
