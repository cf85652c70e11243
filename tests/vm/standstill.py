# SPDX-License-Identifier: GPL-2.0-only
"""
Compares what a program prints of a live kernel with and without kview-exec, when the kernel moves
meanwhile. The program prints it three times: without, with, and without again. An item, such as
the backtrace of a task, that is the same before and after must be the same in between. A task can
also run and come back to where it was: where that may be, how often it ran proves that it did not.

Both programs run at once, as each needs long to start, and wait for each other by two files.
"""
import os
import tempfile

from guest import tap


class Turns:
    """Files by which the program without and the one with kview-exec take turns."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="turns.")
        self.before = os.path.join(self.folder.name, "before")
        self.between = os.path.join(self.folder.name, "between")


def check_standstill(before, between, after, at_least, name, proof=({}, {}), may_differ=0):
    """
    Dictionaries of items. A test point: all that stood still are the same, and these are
    `at_least` or more. `proof` has of some items what counts their changes, before and after.
    `may_differ` is the share that may have moved and come back, where nothing proves that they did
    not.
    """
    still = [key for key, value in before.items() if after.get(key) == value and
             proof[0].get(key) == proof[1].get(key)]
    wrong = [key for key in still if between.get(key) != before[key]]
    notes = [f"{key}: {before[key]!r}, with kview-exec {between.get(key)!r}" for key in wrong[:5]]
    tap.check(len(wrong) <= may_differ * len(still) and len(still) >= at_least,
              f"{name}: what stood still is the same", *notes,
              f"{len(wrong)} of {len(still)} items differ, {len(before)} in all; wanted {at_least}")
