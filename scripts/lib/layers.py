"""Reads LAYERS and finds the includes that break it."""
import re
from pathlib import Path

INCLUDE = re.compile(r'\s*#\s*include\s+"([^"]+)"')


def read(text):
    """The two tables of LAYERS: room -> rooms that it may include, room or `room to guest` -> headers for others."""
    tables = {"room": {}, "door": {}}
    for line in text.splitlines():
        line = line.split("#")[0].strip()
        if not line:
            continue
        kind, rest = line.split(None, 1)
        name, members = rest.split(":")
        tables[kind][name.strip()] = set(members.split())
    return tables["room"], tables["door"]


def room_of(path):
    """The room that a file of the tree belongs to; None outside of every room (scripts, docs)."""
    parts = path.parts
    if parts[0] == "bpf":
        return parts[1] if len(parts) > 2 else "bpf"
    if parts[0] == "userspace":
        return parts[1] if len(parts) > 2 else None
    return parts[0] if parts[0] in {"cli", "proto", "tests"} else None


def resolve(root, including, name):
    """The file that a quoted include means, relative to the root; generated code resolves into proto/."""
    for start in (including.parent, Path("userspace"), Path("bpf"), Path("tests"), Path(".")):
        candidate = root / start / name
        if candidate.is_file():
            return candidate.resolve().relative_to(root)
    if name.endswith((".pb.h", ".skel.h")):
        return Path("proto") / name
    return None


def is_door(doors, room, guest, header):
    inside_room = header.parts[2:] if header.parts[0] in {"bpf", "userspace"} and room != "bpf" else header.parts[1:]
    name = "/".join(inside_room)
    open_to_guest = doors.get(room, set()) | doors.get(f"{room} to {guest}", set())
    return "*" in open_to_guest or name == f"{room}.h" or name in open_to_guest


def violations(root, texts):
    """Yields (path, line, what) for every include that LAYERS forbids. texts: path -> lines."""
    rooms, doors = read((root / "LAYERS").read_text())
    for path, lines in texts.items():
        room = room_of(path)
        if room is None:
            continue
        if room not in rooms:
            yield path, 1, f"room {room} has no line in LAYERS"
            continue
        for number, line in enumerate(lines, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            header = resolve(root, path, match.group(1))
            other = header and room_of(header)
            if header is None:
                yield path, number, f'"{match.group(1)}" is no file of the tree; libraries go in <>'
            elif other == room:
                continue
            elif other not in rooms[room]:
                yield path, number, f"{room} may not include {other} (LAYERS)"
            elif not is_door(doors, other, room, header):
                yield path, number, f"{header} is inside {other}; include its front door"
