# SPDX-License-Identifier: GPL-2.0-only
"""Shared by the tests of drgn, gdb, crash and makedumpfile: symbols, and running programs."""
import json
import os
import re
import subprocess
import threading

from guest import run, tap, view

CORE = view("core")
VMLINUX = f"/usr/lib/debug/boot/vmlinux-{os.uname().release}"
HERE = os.path.dirname(os.path.abspath(__file__))

if not os.path.exists(VMLINUX):
    print(f"1..0 # SKIP {VMLINUX} is not there (package linux-image-cloud-amd64-dbg)")
    raise SystemExit(0)


class Client:
    """A program that runs in the background."""

    def __init__(self, *argv, stdin=""):
        self.argv = argv
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, errors="replace")
        self.stdin = stdin
        self.said = None
        self.thread = None

    def begin(self):
        """Gives it its input and takes its output from now on, as another program waits for it."""
        self.thread = threading.Thread(target=self.communicate)
        self.thread.start()

    def communicate(self):
        self.said = self.process.communicate(self.stdin, timeout=1100)

    def end(self):
        """Its output, when it has ended."""
        if self.thread:
            self.thread.join()
        elif self.said is None:
            self.communicate()
        return self.said

    def wait(self, name):
        """Its output; a test point for its status."""
        out, err = self.end()
        tap.check(self.process.returncode == 0, f"{name}: it succeeds", " ".join(self.argv),
                  f"status {self.process.returncode}", *out.splitlines()[-15:], *err.splitlines()[-15:])
        return out, err


def drgn(core):
    """Starts drgn with client-drgn.py."""
    return Client("drgn", "-q", "-c", core, os.path.join(HERE, "client-drgn.py"))


def drgn_facts(client, name):
    """The facts that a drgn() has printed, None if it failed."""
    out, err = client.wait(name)
    try:
        return json.loads(out.splitlines()[-1])
    except (IndexError, ValueError):
        tap.check(False, f"{name}: it prints facts", out, err)
        return None


def check_facts(facts, want, name):
    """A test point for each fact that does not change."""
    for key, value in want["still"].items():
        tap.equal(facts["still"][key], value, f"{name}: {key}")


def kernel_threads():
    """(pid, name) of the kernel threads in /proc: kthreadd and its children, without workers, whose
    names change with their work. Names are cut to the length of task_struct.comm."""
    threads = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                comm, rest = re.match(r"\d+ \((.*)\) (.*)", f.read()).groups()
        except OSError:
            continue
        if (pid == "2" or rest.split()[1] == "2") and not comm.startswith("kworker"):
            threads.add((int(pid), comm[:15]))
    return threads


def log_start(text):
    """The first lines of a kernel log, without their times and callers."""
    return [re.sub(r"^(\[[^]]*\] ?)*", "", line) for line in text.strip().splitlines()[:40]]


def check_log(text, name):
    """A kernel log must begin as dmesg's does; the ends of both may be later."""
    tap.equal(log_start(text), log_start(run("dmesg").stdout), name)
