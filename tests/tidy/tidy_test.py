"""Breaks each rule of scripts/tidy once, in a small tree of its own, and expects to be told."""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HEADER = "// What this file is for.\n#pragma once\n"


class Tidy(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.tree = Path(self.folder.name)
        for name in ("scripts/tidy", "scripts/lib", "LAYERS", ".clang-format", "bpf/abi/verdict.h"):
            target = self.tree / name
            target.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, target)
        self.write("docs/internals/life-of-a-packet.md", "# Life of a packet\n")
        self.write("docs/internals/life-of-a-policy-write.md", "# Life of a policy write\n")
        self.write("userspace/base/base.h", HEADER)
        self.write("userspace/policy/policy.h", HEADER)
        self.write("userspace/policy/inner.h", HEADER)
        self.tidy("--fix")

    def write(self, name, text):
        path = self.tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def tidy(self, *words):
        done = subprocess.run([sys.executable, self.tree / "scripts/tidy", *words], capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def expect(self, finding):
        code, output = self.tidy()
        self.assertEqual(code, 1, output)
        self.assertIn(finding, output)

    def test_a_clean_tree_has_no_findings(self):
        code, output = self.tidy()
        self.assertEqual((code, "0 findings" in output), (0, True), output)

    def test_a_room_may_not_include_one_that_layers_does_not_name(self):
        self.write("userspace/base/base.h", HEADER + '#include "policy/policy.h"\n')
        self.expect("userspace/base/base.h:3: base may not include policy")

    def test_a_room_is_entered_by_its_front_door(self):
        self.write("userspace/daemon/daemon.h", HEADER + '#include "policy/inner.h"\n')
        self.expect("userspace/daemon/daemon.h:3: userspace/policy/inner.h is inside policy")

    def test_a_door_may_open_to_one_room_only(self):
        layers = self.tree / "LAYERS"
        layers.write_text(layers.read_text() + "door policy to tests: inner.h\n")
        self.write("tests/some_test.cpp", '// Something.\n#include "policy/inner.h"\n')
        self.assertEqual(self.tidy()[0], 0)
        self.write("userspace/daemon/daemon.h", HEADER + '#include "policy/inner.h"\n')
        self.expect("userspace/daemon/daemon.h:3: userspace/policy/inner.h is inside policy")

    def test_a_quoted_include_is_a_file_of_the_tree(self):
        self.write("userspace/base/base.h", HEADER + '#include "nowhere.h"\n')
        self.expect('"nowhere.h" is no file of the tree')

    def test_a_file_says_what_it_is_for(self):
        self.write("userspace/base/base.h", "#pragma once\n")
        self.expect("userspace/base/base.h:1: open the file")

    def test_a_file_of_bpf_names_its_licence(self):
        self.write("bpf/path/step.h", HEADER)
        self.expect("bpf/path/step.h:1: a file of bpf/ names its licence")

    def test_a_file_has_at_most_600_lines(self):
        self.write("userspace/base/base.h", HEADER + "int x;\n" * 600)
        self.expect("userspace/base/base.h: 602 lines")

    def test_a_function_has_fewer_than_70_lines(self):
        self.write("userspace/base/base.cpp", "// Something.\nvoid f()\n{\n" + "\tf();\n" * 70 + "}\n")
        self.expect("userspace/base/base.cpp:2: a function of 70 lines")

    def test_the_format_is_the_house_format(self):
        self.write("userspace/base/base.cpp", "// Something.\nint  x;\n")
        self.expect("userspace/base/base.cpp:2: not in the house format")

    def test_nothing_is_left_for_later(self):
        self.write("userspace/base/base.cpp", "// Something.\n// TO" + "DO: more\nint x;\n")
        self.expect("userspace/base/base.cpp:2: TO" + "DO")

    def test_no_path_belongs_to_one_machine(self):
        self.write("docs/page.md", "see /ho" + "me/somebody/notes\n")
        self.expect("docs/page.md:1: an absolute path of one machine")

    def test_a_page_quotes_constants_as_they_are(self):
        self.write("userspace/base/base.h", HEADER + "constexpr int queue_limit_count = 4096;\n")
        self.write("docs/page.md", "at most `queue_limit_count = 4096` in `userspace/base/base.h`\n")
        self.assertEqual(self.tidy()[0], 0)
        self.write("docs/page.md", "at most `queue_limit_count = 64` in `userspace/base/base.h`\n")
        self.expect("docs/page.md:1: says `queue_limit_count = 64`, which is not in userspace/base/base.h")

    def test_a_page_names_only_files_that_exist(self):
        self.write("docs/internals/life-of-a-packet.md", "first `bpf/gone.h`, then [there](gone.md)\n")
        self.expect("names `bpf/gone.h`")
        self.expect("links to gone.md")

    def test_a_living_page_exists(self):
        (self.tree / "docs/internals/life-of-a-packet.md").unlink()
        self.expect("docs/internals/life-of-a-packet.md: the living page is missing")

    def test_the_page_of_verdicts_follows_the_header(self):
        header = self.tree / "bpf/abi/verdict.h"
        header.write_text(header.read_text().replace('"a deny rule matched first"', '"something else"'))
        self.expect("docs/reference/verdicts.md: older than bpf/abi/verdict.h")

    def test_a_shell_script_parses(self):
        self.write("scripts/broken", "#!/usr/bin/env bash\n# Something.\nif true; then\n")
        self.expect("scripts/broken: ")


if __name__ == "__main__":
    unittest.main()
