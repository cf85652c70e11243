# SPDX-License-Identifier: GPL-2.0-only
"""Waiting for what others do in their own time, as the daemon releases files after close(2)."""
import time

# Longest time that anything may take, in seconds: to end a test that hangs.
LIMIT = 60


def eventually(condition):
    """Waits until a condition holds. Returns whether it does."""
    end = time.monotonic() + LIMIT
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def settled(function, want):
    """What a function returns in the end: what is wanted, if it comes to that."""
    eventually(lambda: function() == want)
    return function()
