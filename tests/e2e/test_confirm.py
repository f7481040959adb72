"""A policy that locks its author out goes away by itself: also when neuwerkd is killed, and for good when confirmed."""
import contextlib
import json

from appliance import ALLOW_ALL, Appliance, LiveTest, eventually, main
from hosts import FAR, TcpServer, answer_lines, ask

PORT = 7300
LOCK_OUT = {"default_policy": "deny", "source_groups": []}
CONFIRM_S = 4


class Confirm(LiveTest):
    @classmethod
    def make(cls):
        return Appliance("confirm")

    def setUp(self):
        server = TcpServer(self.appliance.internet, PORT, answer_lines)
        self.addCleanup(server.close)
        # Whatever an earlier test left behind: the policy that lets the tester in, and nothing to wait for.
        self.appliance.ctl_run("policy", "confirm")
        self.appliance.apply(ALLOW_ALL)
        self.before = self.status()["revision"]

    def status(self):
        return self.appliance.ctl("policy", "status")

    def tester_is_in(self):
        """A new connection through the appliance: what the author of the policy has."""
        with contextlib.suppress(OSError), self.appliance.client.connect((FAR, PORT), timeout_s=1) as mine:
            return bool(ask(mine, "hello"))
        return False

    def lock_out(self):
        self.appliance.ctl("policy", "apply", "--confirm", f"{CONFIRM_S}s", "-", input=json.dumps(LOCK_OUT))
        self.assertEqual(self.status()["confirm"]["previous_revision"], self.before)

    def expect_return(self):
        eventually(self.tester_is_in, "the tester is let in again", patience_s=CONFIRM_S + 15)
        status = self.status()
        self.assertIsNone(status["confirm"])
        self.assertEqual(status["revision"], self.before + 2)
        self.assertEqual(status["enforced_revision"], self.before + 2)
        newest = self.appliance.ctl("policy", "history")[0]
        self.assertEqual(newest["source"], "confirm-timeout")
        self.assertEqual(self.appliance.ctl("policy", "get")["default_policy"], "allow")

    def test_without_a_confirmation_the_policy_from_before_returns(self):
        self.assertTrue(self.tester_is_in())
        with self.appliance.client.connect((FAR, PORT)) as session:
            ask(session, "before")
            self.lock_out()
            session.settimeout(1)
            with self.assertRaises(OSError):
                ask(session, "the session is dead too")
        self.assertFalse(self.tester_is_in())
        self.expect_return()

    def test_a_killed_neuwerkd_returns_to_it_at_its_start(self):
        self.lock_out()
        self.appliance.daemon.kill()
        self.assertFalse(self.tester_is_in(), "the pinned policy goes on")
        self.appliance.start()
        self.expect_return()

    def test_a_confirmation_keeps_the_policy(self):
        self.lock_out()
        self.appliance.ctl("policy", "confirm")
        status = self.status()
        self.assertIsNone(status["confirm"])
        self.assertEqual(status["revision"], self.before + 1)
        refused = self.appliance.ctl_run("policy", "confirm")
        self.assertEqual(refused.returncode, 5, refused.stderr)
        self.assertFalse(self.tester_is_in())

    def test_other_writes_wait_for_the_confirmation(self):
        self.lock_out()
        refused = self.appliance.ctl_run("policy", "apply", "-", input=json.dumps(ALLOW_ALL))
        self.assertEqual(refused.returncode, 5, refused.stderr)
        self.assertIn("waits for its confirmation", refused.stderr)
        self.appliance.ctl("policy", "rollback", self.before)
        self.assertTrue(self.tester_is_in())
        self.assertIsNone(self.status()["confirm"])


if __name__ == "__main__":
    main()
