# SPDX-License-Identifier: GPL-2.0-only
"""
More of what must hold for trace/ wherever it is mounted: kview-trace while somebody interferes,
the rates that it tells, and a program that was written for trace_pipe_raw.
"""
import fcntl
import mmap
import os
import re
import signal
import subprocess
import threading
import time

from ringtest import GET_READER, Instance, LIMIT, copy, eventually, payloads, put, run


def in_call(pid, number):
    """Whether a process is in that system call."""
    with open(f"/proc/{pid}/syscall", encoding="utf-8") as f:
        return f.read().startswith(f"{number} ")


class Use:
    def __init__(self, rings, demo):
        self.tap = rings.tap
        self.rings = rings
        self.demo = demo
        self.cpu = rings.cpus[-1]

    def all(self):
        with Instance() as instance:
            self.only_padding(instance)
            self.reset_meanwhile(instance)
            self.interrupted(instance)
            self.rate_of_saved(instance)
            self.rate(instance)
            self.counters_of_raw(instance)
            self.example(instance)

    def only_padding(self, instance):
        """What GET_READER takes may be the padding at the end of a sub-buffer."""
        path = self.rings.file(instance, self.cpu)
        instance.reset()
        texts = [f"event-{i}-{'x' * 900}" for i in range(5)]     # four to a sub-buffer
        instance.write(texts[:4], [self.cpu])
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        mapping = None
        if self.rings.mode != "copy":
            mapping = mmap.mmap(fd, 4096, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
        fcntl.ioctl(fd, GET_READER)
        instance.write(texts[4:], [self.cpu])
        printed = run(*self.rings.kview_trace, "--once", path)
        self.tap.equal(payloads(printed.stdout), texts[4:],
                       "kview-trace --once finds an event that only padding is before")
        if mapping:
            mapping.close()
        os.close(fd)

    def reset_meanwhile(self, instance):
        """A reset ring in which more has been written since than was read before."""
        instance.reset()
        texts = [f"event-{i}-" for i in range(30)]
        with subprocess.Popen([*self.rings.kview_trace, self.rings.file(instance, self.cpu)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as child:
            lines = []
            thread = threading.Thread(target=lambda: lines.extend(child.stdout))
            thread.start()
            instance.write(texts[:10], [self.cpu])
            self.tap.check(eventually(lambda: len(payloads("".join(lines))) == 10),
                           "kview-trace has printed ten events", *lines)
            child.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)
            put(instance.file("trace"), "")
            instance.write(texts[10:], [self.cpu])
            child.send_signal(signal.SIGCONT)
            self.tap.check(eventually(lambda: len(payloads("".join(lines))) >= 30),
                           "and more once the ring was reset", *lines)
            child.send_signal(signal.SIGINT)
            child.wait(LIMIT)
            thread.join()
            self.tap.equal(payloads("".join(lines)), texts, "of which none is missing")

    def interrupted(self, instance):
        """A signal while nobody takes what kview-trace writes."""
        tap = self.tap
        instance.reset()
        texts = [f"event-{i}-{'x' * 60}" for i in range(3000)]
        instance.write(texts, [self.cpu])
        with subprocess.Popen([*self.rings.kview_trace, self.rings.file(instance, self.cpu)], text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, pipesize=4096) as child:
            tap.check(eventually(lambda: in_call(child.pid, 1)), "kview-trace waits in a write")
            child.send_signal(signal.SIGINT)
            found = payloads(child.stdout.read())
            tap.equal(child.wait(LIMIT), 0, "a signal then is no error")
            unread = instance.stats(self.cpu)["entries"]
            tap.equal(found, texts[:len(found)], "it has printed events without a gap")
            tap.equal(len(found) + unread, len(texts), "and all that it has consumed")
            tap.equal(child.stderr.read(), f"kview-trace: {len(found)} events, 0 lost\n", "and counted them")
        with subprocess.Popen([*self.rings.kview_trace, self.rings.file(instance, self.cpu)],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, pipesize=4096) as child:
            tap.check(eventually(lambda: in_call(child.pid, 1)), "another one waits in a write")
            child.send_signal(signal.SIGINT)
            tap.check(eventually(lambda: self.handled(child.pid)), "and has had a signal")
            child.send_signal(signal.SIGINT)
            tap.equal(child.wait(LIMIT), -signal.SIGINT, "the second one ends it")

    @staticmethod
    def handled(pid):
        """The handler is gone once it has run."""
        with open(f"/proc/{pid}/status", encoding="utf-8") as f:
            caught = re.search(r"^SigCgt:\s+(\w+)$", f.read(), re.M)[1]
        return not int(caught, 16) >> (signal.SIGINT - 1) & 1

    def stats_line(self, *argv):
        """The columns that kview-trace --stats prints of one ring, behind their heading."""
        result = run(*self.rings.kview_trace, "--stats", *argv)
        self.tap.equal(result.stdout.split()[:7], ["cpu", "entries", "unread", "read", "overrun", "lost", "events/s"],
                       "kview-trace --stats has a heading")
        return [int(column) for column in result.stdout.split()[7:]]

    def rate_of_saved(self, instance):
        """By the time stamps of the first and the last event."""
        instance.reset()
        instance.write([f"event-{i}-" for i in range(1000)], [self.cpu])
        path = os.path.join(self.rings.room, "rate")
        copy(self.rings.file(instance, self.cpu), path)
        printed = run(*self.rings.kview_trace, "--file", path).stdout
        times = [float(t) for t in re.findall(r"(\d+\.\d{6}): ", printed)]
        want = (len(times) - 1) / (times[-1] - times[0])
        columns = self.stats_line("--file", path)
        self.tap.check(len(times) == 1000 and abs(columns[6] - want) < want / 50,
                       "of a copy it tells the rate at which the events came", columns, want)

    def rate(self, instance):
        """While somebody writes."""
        instance.reset()
        done = threading.Event()

        def write():
            os.sched_setaffinity(0, {self.cpu})
            with open(instance.file("trace_marker"), "wb", buffering=0) as f:
                while not done.is_set():
                    f.write(b"event-0-")

        def written():
            stats = instance.stats(self.cpu)
            return stats["entries"] + stats["overrun"]

        writer = threading.Thread(target=write)
        writer.start()
        started, at_start = time.monotonic(), written()
        columns = self.stats_line("--once", self.rings.file(instance, self.cpu))
        want = (written() - at_start) / (time.monotonic() - started)
        done.set()
        writer.join()
        self.tap.check(columns[1] > 0 and want / 3 < columns[6] < want * 3,
                       "of a ring it tells the rate at which events come", columns, want)

    def counters_of_raw(self, instance):
        result = run(*self.rings.kview_trace, "--stats", "--once", instance.raw(self.cpu))
        self.tap.check(result.returncode == 1 and "can only be consumed" in result.stderr,
                       "kview-trace --stats says that it cannot look at trace_pipe_raw", result)

    def example(self, instance):
        """The kernel's own example of a consumer, on trace_pipe_raw and on trace/cpuN."""
        texts = [f"event-{i}-{'x' * 900}" for i in range(42)]
        said = []
        for path in (instance.raw(self.cpu), self.rings.file(instance, self.cpu)):
            instance.reset()
            instance.write(texts, [self.cpu])
            said.append(run(self.demo, path))
        name = "the kernel's example does on trace/cpuN what it does on trace_pipe_raw"
        shared = self.rings.status()["shared_mmap_of_copies"].startswith("yes")
        if self.rings.mode == "copy" and not shared:
            self.tap.equal(said[1].stdout, "mmap of the meta page: No such device\n",
                           "this kernel maps no copies as the kernel's example does")
            return
        self.tap.equal((said[1].returncode, said[1].stdout), (0, said[0].stdout), name)
        self.tap.equal(re.findall(r"event-\d+-", said[1].stdout), [text[:text.index("x")] for text in texts],
                       "and comes by all events")
        self.tap.check("entries 42, overrun 0, read 42, lost 0\n" in said[1].stdout, "which it counts",
                       said[1].stdout)
