# SPDX-License-Identifier: GPL-2.0-only
"""The Test Anything Protocol for test programs in Python, as tap.h is for those in C."""
import sys


class Tap:
    """TAP on stdout. The plan comes last, so a test that dies early has none."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def check(self, passed, name, *diagnostics):
        """One test point; the diagnostics are printed if it failed. Returns passed."""
        self.count += 1
        self.failed += not passed
        print(f"{'ok' if passed else 'not ok'} {self.count} - {name}", flush=True)
        if not passed:
            self.note(*diagnostics)
        return bool(passed)

    def equal(self, got, want, name):
        return self.check(got == want, name, f"got:  {got!r}", f"want: {want!r}")

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}", flush=True)

    def note(self, *lines):
        for line in lines:
            for part in str(line).splitlines():
                print(f"# {part}", flush=True)

    def done(self):
        print(f"1..{self.count}")
        sys.exit(1 if self.failed or not self.count else 0)


def bail(reason):
    """Ends the test, because no later result could be trusted."""
    print(f"Bail out! {reason}", flush=True)
    sys.exit(1)


tap = Tap()
