"""The conformance tests of the API (tests/api) once more, against a whole appliance with its dataplane."""
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "api"))

import api_target  # noqa: E402
from appliance import main  # noqa: E402
from live_target import LiveTarget  # noqa: E402


def setUpModule():
    live = unittest.enterModuleContext(LiveTarget("api"))
    api_target.use(live)


def load_tests(loader, tests, _):
    for name in ("test_http", "test_auth", "test_nouns", "test_settings", "test_terraform"):
        for case in vars(__import__(name)).values():
            if isinstance(case, type) and issubclass(case, unittest.TestCase):
                case.__module__ = __name__  # so that setUpModule is this file's
                tests.addTests(loader.loadTestsFromTestCase(case))
    return tests


if __name__ == "__main__":
    main()
