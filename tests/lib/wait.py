# SPDX-License-Identifier: GPL-2.0-only
"""Waiting for changes that no event announces, such as a release after close(2)."""
import time

# Seconds after which a wait ends: only a test that hangs gets there.
LIMIT = 60


def eventually(condition):
    """Waits until a condition holds. Returns whether it does."""
    end = time.monotonic() + LIMIT
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def settled(function, want):
    """Waits until a function returns `want`. Returns its last result."""
    eventually(lambda: function() == want)
    return function()
