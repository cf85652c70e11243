# SPDX-License-Identifier: GPL-2.0-only
"""
More of what must hold for trace/ wherever it is mounted: kview-trace beside other readers and
writers, the rates that it prints, and a program that was written for trace_pipe_raw.
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


CLOCK_NANOSLEEP = 230


def in_call(pid, number):
    """Tells whether a process is in the system call with that number."""
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
            self.clocks(instance)
            self.rate_of_saved(instance)
            self.rate(instance)
            self.counters_of_raw(instance)
            self.example(instance)

    def only_padding(self, instance):
        """GET_READER may advance over the padding at the end of a sub-buffer only."""
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
                       "kview-trace --once finds an event that follows padding")
        if mapping:
            mapping.close()
        os.close(fd)

    def reset_meanwhile(self, instance):
        """A ring is reset, then gets more events than were read before."""
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
        """A signal while kview-trace waits in a write to a full pipe."""
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
            tap.check(eventually(lambda: self.handled(child.pid)), "and has handled a signal")
            child.send_signal(signal.SIGINT)
            tap.equal(child.wait(LIMIT), -signal.SIGINT, "the second one ends it")

    @staticmethod
    def handled(pid):
        """kview-trace removes its handler when it runs."""
        with open(f"/proc/{pid}/status", encoding="utf-8") as f:
            caught = re.search(r"^SigCgt:\s+(\w+)$", f.read(), re.M)[1]
        return not int(caught, 16) >> (signal.SIGINT - 1) & 1

    def stats_line(self, *argv):
        """The columns that kview-trace --stats prints of one ring, without their heading."""
        return self.columns_of(run(*self.rings.kview_trace, "--stats", *argv).stdout)

    def columns_of(self, printed):
        self.tap.equal(printed.split()[:7], ["cpu", "entries", "unread", "read", "overrun", "lost", "events/s"],
                       "kview-trace --stats has a heading")
        return [int(column) for column in printed.split()[7:]]

    def clocks(self, instance):
        """Rings of instances with different clocks: their times cannot be compared."""
        tap = self.tap
        with Instance("kviewtest-clock") as other:
            for ring, clock in ((instance, "mono"), (other, "counter")):
                ring.reset()
                put(ring.file("trace_clock"), clock)
            for i in range(6):
                (instance, other)[i % 2].write([f"event-{i}-"], [self.cpu])
            rings = [self.rings.file(ring, self.cpu) for ring in (instance, other)]
            saved = []
            for i, ring in enumerate(rings):
                saved.append(os.path.join(self.rings.room, f"clock-{i}"))
                copy(ring, saved[-1])
            result = run(*self.rings.kview_trace, "--once", *rings)
            found = re.findall(r"^# clock: \w+|event-\d-", result.stdout, re.M)
            tap.equal(found, ["# clock: counter", "event-1-", "event-3-", "event-5-",
                              "# clock: mono", "event-0-", "event-2-", "event-4-"],
                      "kview-trace keeps rings of different clocks apart, and names the clocks")
            times = re.findall(r"\] \S+ +([\d.]+): ", result.stdout)
            tap.check(len(times) == 6 and all(("." in t) == (i >= 3) for i, t in enumerate(times)),
                      "it prints the times of each in the units of its clock", *times)
            result = run(*self.rings.kview_trace, "--clock=mono", "--file", *saved)
            tap.check("# clock" not in result.stdout and len(payloads(result.stdout)) == 6,
                      "with --clock all rings have one clock, and no heading", result.stdout)
            result = run(*self.rings.kview_trace, "--once", rings[0])
            tap.check("# clock" not in result.stdout, "nor has one ring alone", result.stdout)
        put(instance.file("trace_clock"), "local")

    def rate_of_saved(self, instance):
        """The rate of a copy is computed from the time stamps of its first and last event."""
        instance.reset()
        instance.write([f"event-{i}-" for i in range(1000)], [self.cpu])
        path = os.path.join(self.rings.room, "rate")
        copy(self.rings.file(instance, self.cpu), path)
        printed = run(*self.rings.kview_trace, "--file", path).stdout
        times = [float(t) for t in re.findall(r"(\d+\.\d{6}): ", printed)]
        want = (len(times) - 1) / (times[-1] - times[0])
        columns = self.stats_line("--file", path)
        self.tap.check(len(times) == 1000 and abs(columns[6] - want) < want / 50,
                       "of a copy it prints the rate at which the events came", columns, want)

    def rate(self, instance):
        """
        The rate of a ring is the number of events between two looks, divided by the time between
        them: a second at least, and no more than this test takes.
        """
        count, bounds = 1000, None
        for _ in range(20):
            instance.reset()
            started = time.monotonic()
            with subprocess.Popen([*self.rings.kview_trace, "--stats", "--once", self.rings.file(instance, self.cpu)],
                                  stdout=subprocess.PIPE, text=True) as child:
                eventually(lambda: child.poll() is not None or in_call(child.pid, CLOCK_NANOSLEEP))
                instance.write([f"event-{i}-" for i in range(count)], [self.cpu])
                columns = self.columns_of(child.stdout.read())
            bounds = (int(count / (time.monotonic() - started)), count)
            # On a busy machine the second look may come before all events are written.
            if columns[1] == count:
                break
        self.tap.check(columns[1] == count and bounds[0] <= columns[6] <= bounds[1],
                       "of a ring it prints the rate at which events come", columns, bounds)

    def counters_of_raw(self, instance):
        result = run(*self.rings.kview_trace, "--stats", "--once", instance.raw(self.cpu))
        self.tap.check(result.returncode == 1 and "can only be consumed" in result.stderr,
                       "kview-trace --stats refuses trace_pipe_raw", result)

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
                       "and passes all events")
        self.tap.check("entries 42, overrun 0, read 42, lost 0\n" in said[1].stdout, "which it counts",
                       said[1].stdout)
