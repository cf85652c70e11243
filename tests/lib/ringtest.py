# SPDX-License-Identifier: GPL-2.0-only
"""
What must hold for trace/ wherever it is mounted, in mode copy (on hosts) and in mode split (in
guests). Each test uses a tracing instance of its own. Three programs consume a mapped ring, of
trace/cpuN and of trace_pipe_raw: ring-map (semantics), ring-load (full speed) and ring-demo (the
kernel's example).
"""
import errno
import fcntl
import mmap
import os
import re
import shutil
import signal
import struct
import subprocess
import threading

from wait import LIMIT, eventually

TRACING = "/sys/kernel/tracing"
GET_READER = 0x5220
WAKE_WAITERS = 0
HEADER = 16


def put(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(str(text))


def get(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def online():
    return sorted(os.sched_getaffinity(0))


def run(*argv, **kwargs):
    kwargs.setdefault("timeout", LIMIT)
    return subprocess.run(argv, capture_output=True, text=True, check=False,
                          stdin=subprocess.DEVNULL, **kwargs)


def copy(source, target):
    """cp, which reads."""
    run("cp", "--no-preserve=mode", source, target)


class Meta:
    """The meta page (include/uapi/linux/trace_mmap.h)."""

    def __init__(self, data):
        (self.page, self.struct_len, self.subbuf, self.nr, self.lost, self.id, self.at, self.flags,
         self.entries, self.overrun, self.read) = struct.unpack_from("<4IQ2I4Q", data)
        self.len = self.page + self.nr * self.subbuf


def committed(data, off):
    """The bytes of the sub-buffer at off up to its commit, header included; None if it is empty."""
    commit = struct.unpack_from("<Q", data, off + 8)[0] & ((1 << 30) - 1)
    return bytes(data[off:off + HEADER + commit]) if commit else None


def used(data, meta, index):
    """committed() of the sub-buffer with that index."""
    return committed(data, meta.page + index * meta.subbuf)


class Instance:
    """A tracing instance, empty at first, removed at the end."""

    def __init__(self, name="kviewtest"):
        self.name = name
        self.dir = os.path.join(TRACING, "instances", name)
        self.make()

    def make(self):
        if not os.path.isdir(self.dir):
            os.mkdir(self.dir)

    def __enter__(self):
        return self

    def __exit__(self, failure, *_):
        # A failed test may have left a ring open: try once only.
        if failure:
            self.remove()
        else:
            eventually(self.remove)

    def remove(self):
        try:
            os.rmdir(self.dir)
        except FileNotFoundError:
            pass
        except OSError:
            return False
        return True

    def file(self, *names):
        return os.path.join(self.dir, *names)

    def raw(self, cpu):
        return self.file("per_cpu", f"cpu{cpu}", "trace_pipe_raw")

    def stats(self, cpu):
        text = get(self.file("per_cpu", f"cpu{cpu}", "stats"))
        return {k: int(v) for k, v in re.findall(r"^(.+): +(\d+)$", text, re.M)}

    def reset(self, subbuf_kib=4, size_kib=512):
        """Empties and resizes the rings. The kernel may refuse that shortly after the last close."""
        def resize():
            try:
                put(self.file("trace"), "")
                put(self.file("buffer_subbuf_size_kb"), subbuf_kib)
                put(self.file("buffer_size_kb"), size_kib)
            except OSError:
                return False
            return True
        return eventually(resize)

    def write(self, texts, cpus):
        """Writes each text on the next of the CPUs, then restores the thread's affinity."""
        before = os.sched_getaffinity(0)
        fd = os.open(self.file("trace_marker"), os.O_WRONLY)
        try:
            for i, text in enumerate(texts):
                os.sched_setaffinity(0, {cpus[i % len(cpus)]})
                os.write(fd, text.encode())
        finally:
            os.close(fd)
            os.sched_setaffinity(0, before)


def payloads(text):
    """The texts of events in the output of a program."""
    return re.findall(r"event-\d+-x*", text)


class Rings:
    """The rings of one mount point, whose files must be served in `mode`."""

    def __init__(self, tap, mount, mode, tools, cpus=None):
        self.tap = tap
        self.mount = mount
        self.mode = mode
        kview_trace, self.ring_load, self.ring_map = tools
        # Loading the names of functions is slow on an emulated CPU, so one test does it.
        self.named, self.kview_trace = [kview_trace], [kview_trace, "-n"]
        self.cpus = cpus or online()
        self.room = None

    def file(self, instance, cpu):
        return os.path.join(self.mount, "trace", "instances", instance.name, f"cpu{cpu}")

    def files(self, instance):
        return [self.file(instance, cpu) for cpu in self.cpus]

    def map(self, fd, length):
        """Shared, or private where a copy cannot be mapped otherwise."""
        try:
            return mmap.mmap(fd, length, flags=mmap.MAP_SHARED, prot=mmap.PROT_READ)
        except OSError:
            return mmap.mmap(fd, length, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)

    def status(self):
        return dict(line.split(": ", 1) for line in get(os.path.join(self.mount, "status")).splitlines())

    def all(self, room, sizes, load_seconds, hotplug=False):
        self.room = room
        self.tree()
        with Instance() as instance:
            for kib in sizes:
                self.payloads(instance, kib)
            self.same_bytes(instance)
            self.overwritten(instance)
            self.follow(instance)
            self.names(instance)
            self.reader_elsewhere(instance)
            self.saved_badly(instance)
            if hotplug:
                self.hotplug(instance)
            self.held(instance)
            self.waiters(instance)
            for kib in sizes:
                self.semantics(instance, kib)
            self.load(instance, load_seconds)

    def tree(self):
        tap, trace = self.tap, os.path.join(self.mount, "trace")
        names = os.listdir(trace)
        cpus = sorted(n for n in os.listdir(os.path.join(TRACING, "per_cpu")))
        tap.equal(sorted(n for n in names if n != "instances"), cpus, "trace/ has a file for each CPU")
        tap.check("instances" in names, "and instances/")
        status = self.status()
        tap.equal({status.get(f"trace/{cpu}.mode") for cpu in cpus}, {self.mode},
                  f"they are served in mode {self.mode}, as status says")
        tap.equal(os.getxattr(os.path.join(trace, cpus[0]), "user.kview.mode").decode(), self.mode,
                  "and the attribute")
        inos = []
        for _ in range(2):
            with Instance("kviewtest-2") as instance:
                path = os.path.join(trace, "instances", "kviewtest-2")
                tap.equal(sorted(os.listdir(path)), cpus, "a new instance has its files")
                tap.check("kviewtest-2" in os.listdir(os.path.join(trace, "instances")), "and is listed")
                st = os.stat(os.path.join(path, cpus[0]))
                meta = Meta(open(os.path.join(path, cpus[0]), "rb").read(80))
                tap.equal(st.st_size, meta.len, "the size of a file is that of its ring")
                inos.append(st.st_ino)
            tap.check(not os.path.exists(path), "it goes with its instance", get("/proc/mounts"))
            tap.check("kviewtest-2" not in os.listdir(os.path.join(trace, "instances")),
                      "and from the list", instance.name)
        tap.check(inos[0] != inos[1], "another instance of that name is another file", inos)

    def save(self, instance):
        """cp of each ring."""
        saved = []
        for cpu in self.cpus:
            saved.append(os.path.join(self.room, f"cpu{cpu}"))
            copy(self.file(instance, cpu), saved[-1])
        return saved

    def payloads(self, instance, kib):
        """Known events, read in every way."""
        tap = self.tap
        if not tap.check(instance.reset(kib), f"sub-buffers of {kib} KiB"):
            return
        texts = [f"event-{i}-{'x' * (i * 37 % 300)}" for i in range(400)]
        instance.write(texts, self.cpus)
        before = [instance.stats(cpu) for cpu in self.cpus]
        saved = self.save(instance)
        tap.equal([{**s, "now ts": 0} for s in map(instance.stats, self.cpus)],
                  [{**s, "now ts": 0} for s in before], "to read the rings consumes nothing")
        metas = [Meta(open(path, "rb").read(80)) for path in saved]
        tap.equal([os.stat(self.file(instance, cpu)).st_size for cpu in self.cpus], [m.len for m in metas],
                  "the size of a file that is not open is that of its ring")
        tap.equal([(m.subbuf, m.entries, m.read, m.overrun) for m in metas],
                  [(kib * 1024, s["entries"], 0, 0) for s in before], "their copies have counted all")
        printed = run(*self.kview_trace, "--file", *saved)
        tap.equal((printed.returncode, payloads(printed.stdout)), (0, texts),
                  "kview-trace --file finds all events of all CPUs, in order")
        for i, path in enumerate(saved):
            printed = run(*self.kview_trace, "--file", path)
            tap.equal(payloads(printed.stdout), texts[i::len(saved)], f"and those of CPU {self.cpus[i]}")
        self.by_trace_cmd_show(instance, texts)
        printed = run(*self.kview_trace, "--once", *self.files(instance))
        tap.equal((printed.returncode, payloads(printed.stdout)), (0, texts),
                  "kview-trace finds them in the mappings")
        tap.equal([instance.stats(cpu)["entries"] for cpu in self.cpus], [0] * len(self.cpus),
                  "and has consumed them")
        tap.equal(payloads(run(*self.kview_trace, "--once", *self.files(instance)).stdout), [],
                  "once")
        instance.write(texts, self.cpus)
        self.by_trace_cmd_extract(instance, texts, kib)

    def by_trace_cmd_show(self, instance, texts):
        name = "trace-cmd show finds the same"
        if not shutil.which("trace-cmd"):
            self.tap.skip(name, "trace-cmd is not installed")
            return
        self.tap.equal(payloads(run("trace-cmd", "show", "-B", instance.name).stdout), texts, name)

    def by_trace_cmd_extract(self, instance, texts, kib):
        """Compares trace-cmd's reader of trace_pipe_raw with a copy of the same events."""
        name = "trace-cmd extract finds the events of the copies"
        saved = self.save(instance)
        mine = payloads(run(*self.kview_trace, "--file", *saved).stdout)
        self.tap.equal(mine, texts, "copies of rings that were read before have the events written since")
        self.by_sendfile(instance, texts)
        if kib > 4:
            self.tap.skip(name, "trace-cmd 3 does not support sub-buffers larger than a page")
            return
        if not shutil.which("trace-cmd"):
            self.tap.skip(name, "trace-cmd is not installed")
            return
        dat = os.path.join(self.room, "trace.dat")
        run("trace-cmd", "extract", "-B", instance.name, "-o", dat, cwd=self.room)
        report = run("trace-cmd", "report", "-i", dat)
        # trace-cmd has removed the instance.
        instance.make()
        self.tap.check(payloads(report.stdout) == mine, name, report.stderr[-500:], report.stdout[-500:])

    def by_sendfile(self, instance, texts):
        """sendfile(2), which goes through the page cache."""
        paths = []
        for cpu in self.cpus:
            paths.append(os.path.join(self.room, f"sent-cpu{cpu}"))
            with open(self.file(instance, cpu), "rb") as source, open(paths[-1], "wb") as target:
                while os.sendfile(target.fileno(), source.fileno(), None, 1 << 20):
                    pass
        self.tap.equal(payloads(run(*self.kview_trace, "--file", *paths).stdout), texts,
                       "and so have those made with sendfile")

    def same_bytes(self, instance):
        """Reading and mapping show the same."""
        tap = self.tap
        instance.reset()
        cpu = self.cpus[0]
        instance.write([f"event-{i}-{'x' * 200}" for i in range(200)], [cpu])
        fd = os.open(self.file(instance, cpu), os.O_RDONLY | os.O_NONBLOCK)
        length = os.fstat(fd).st_size
        mapping = self.map(fd, length)
        fcntl.ioctl(fd, GET_READER)
        instance.write([f"event-{i}-" for i in range(9)], [cpu])
        fcntl.ioctl(fd, GET_READER)
        data = os.pread(fd, length, 0)
        while len(data) < length:
            data += os.pread(fd, length - len(data), len(data))
        meta = Meta(data)
        tap.equal(data[:80], mapping[:80], "a read has the meta page of the mapping")
        tap.equal([used(data, meta, i) for i in range(meta.nr)],
                  [used(mapping, meta, i) for i in range(meta.nr)], "and the data of its sub-buffers")
        tap.check(sum(used(data, meta, i) is not None for i in range(meta.nr)) > 5, "which is something")
        tap.equal(os.pread(fd, 100, length), b"", "past the end there is nothing")
        tap.equal(os.pread(fd, 100, length - 10), data[-10:], "the last bytes are those of the same copy")
        instance.write(["event-9-"], [cpu])
        tap.equal(Meta(os.pread(fd, 80, 0)).entries, meta.entries + 1, "at offset 0 it is a new copy")
        mapping.close()
        os.close(fd)

    def overwritten(self, instance):
        """More events than there is room for."""
        tap, cpu = self.tap, self.cpus[-1]
        instance.reset(4, 64)
        texts = [f"event-{i}-{'x' * 60}" for i in range(3000)]
        instance.write(texts, [cpu])
        stats = instance.stats(cpu)
        path = os.path.join(self.room, "overwritten")
        copy(self.file(instance, cpu), path)
        found = payloads(run(*self.kview_trace, "--file", path).stdout)
        tap.check(stats["overrun"] > 0, "a small ring was overrun", stats)
        tap.equal(found, texts[-stats["entries"]:], "a copy has the newest events without a gap")
        meta = Meta(open(path, "rb").read(80))
        tap.equal((meta.entries, meta.overrun), (3000, stats["overrun"]), "and has counted the others")
        columns = run(*self.kview_trace, "--stats", "--once", self.file(instance, cpu)).stdout.split()[7:]
        tap.equal(columns[:5], [str(x) for x in (cpu, 3000, stats["entries"], 0, stats["overrun"])],
                  "kview-trace --stats says so")
        columns = run(*self.kview_trace, "--stats", "--file", path).stdout.split()[7:]
        tap.check(columns[:3] == [str(cpu), "3000", str(stats["entries"])] or columns[1:3] ==
                  ["3000", str(stats["entries"])], "and of the copy", columns)
        tap.equal(instance.stats(cpu)["entries"], stats["entries"], "and consumes nothing")
        run(*self.kview_trace, "--once", self.file(instance, cpu))
        instance.write(texts, [cpu])
        overrun = instance.stats(cpu)["overrun"] - stats["overrun"]
        printed = run(*self.kview_trace, "--once", self.file(instance, cpu)).stdout
        lost = [int(n) for n in re.findall(r"\[LOST (\d+) EVENTS\]", printed)]
        found = payloads(printed)
        if "[LOST EVENTS]" in printed:
            tap.check(overrun > 0, "kview-trace reports lost events, whose number the ring did not record")
        else:
            tap.equal(sum(lost), overrun, "kview-trace reports how many events it has lost")
        tap.equal(len(found) + overrun, 3000, "and prints all the others")
        instance.reset()

    def follow(self, instance):
        """kview-trace prints new events, and ends at a signal."""
        tap = self.tap
        instance.reset()
        texts = [f"event-{i}-" for i in range(60)]
        with subprocess.Popen([*self.kview_trace, *self.files(instance)], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True) as child:
            tap.check(eventually(lambda: self.opens(instance) == len(self.cpus)),
                      "status says that the rings are held")
            lines = []
            thread = threading.Thread(target=lambda: lines.extend(child.stdout))
            thread.start()
            for part in range(0, 60, 20):
                instance.write(texts[part:part + 20], self.cpus)
                tap.check(eventually(lambda: len(payloads("".join(lines))) >= part + 20),
                          "kview-trace prints events as they come", "".join(lines))
            child.send_signal(signal.SIGINT)
            tap.equal(child.wait(LIMIT), 0, "a signal ends it")
            thread.join()
            tap.equal(payloads("".join(lines)), texts, "it has printed all, in order")
            tap.equal(child.stderr.read(), "kview-trace: 60 events, 0 lost\n", "and counted them")
        tap.check(eventually(lambda: self.opens(instance) == 0), "and has released the rings")

    def opens(self, instance):
        status = self.status()
        return sum(int(status[f"trace/instances/{instance.name}/cpu{cpu}.opens"]) for cpu in self.cpus)

    def names(self, instance):
        """An event of the kernel, decoded as the kernel prints it."""
        tap = self.tap
        instance.reset()
        put(instance.file("events/sched/sched_process_exit/enable"), 1)
        run("true")
        put(instance.file("events/sched/sched_process_exit/enable"), 0)
        instance.write(["event-0-"], self.cpus[:1])
        paths = self.save(instance)
        kernel = [line for line in get(instance.file("trace")).splitlines() if not line.startswith("#")]
        mine = run(*self.named, "--file", *paths, timeout=5 * LIMIT).stdout.splitlines()
        tap.check(any("sched_process_exit" in line for line in mine), "kview-trace decodes an event of the scheduler",
                  *mine)
        tap.check(any("tracing_mark_write: event-0-" in line for line in mine), "and names functions", *mine)

        def place(line):
            return re.findall(r"\[\d+\]|\d+\.\d{6}|comm=\S+", line)

        tap.equal([place(line) for line in mine], [place(line) for line in kernel],
                  "with the CPU, the time and the task that the kernel prints")

    def reader_elsewhere(self, instance):
        """Another reader consumes events, which the mapping's meta page does not show."""
        tap, cpu = self.tap, self.cpus[0]
        instance.reset()
        texts = [f"event-{i}-" for i in range(300)]
        fd = os.open(self.file(instance, cpu), os.O_RDONLY | os.O_NONBLOCK)
        mapping = self.map(fd, 4096)
        tap.equal(Meta(mapping[:80]).entries, 0, "a ring is mapped")
        instance.write(texts, [cpu])
        pipe = os.open(instance.file("per_cpu", f"cpu{cpu}", "trace_pipe"), os.O_RDONLY | os.O_NONBLOCK)
        read = b""
        while len(payloads(read.decode())) < 100:
            read += os.read(pipe, 1000)
        # trace_pipe may have consumed more events than it returned.
        taken = instance.stats(cpu)["read events"]
        os.close(pipe)
        path = os.path.join(self.room, "elsewhere")
        copy(self.file(instance, cpu), path)
        tap.equal(payloads(run(*self.kview_trace, "--file", path).stdout), texts[taken:],
                  "a copy has what trace_pipe has left")
        mapping.close()
        os.close(fd)

    def saved_badly(self, instance):
        """Files that are no copies of rings."""
        tap, cpu = self.tap, self.cpus[0]
        instance.reset()
        instance.write([f"event-{i}-" for i in range(50)], [cpu])
        data = bytearray(open(self.file(instance, cpu), "rb").read())
        meta = Meta(data)
        cases = {
            "an empty file": b"",
            "a file of zeros": bytes(8192),
            "a copy that is cut off": data[:-1],
            "a reader outside of the ring": data[:24] + struct.pack("<I", meta.nr) + data[28:],
        }
        path = os.path.join(self.room, "bad")
        for name, bad in cases.items():
            with open(path, "wb") as f:
                f.write(bad)
            result = run(*self.kview_trace, "--file", path)
            tap.check(result.returncode == 1 and path in result.stderr and not result.stdout,
                      f"kview-trace refuses {name}", result)
        index = next(i for i in range(meta.nr) if used(data, meta, i))
        at = meta.page + index * meta.subbuf + HEADER
        data[at:at + 8] = struct.pack("<II", 0, 0xfffffffc)
        with open(path, "wb") as f:
            f.write(data)
        result = run(*self.kview_trace, "--file", path)
        tap.check(result.returncode == 1 and "does not hold together" in result.stderr,
                  "kview-trace says that a copy is broken", result)
        tap.equal(run(*self.kview_trace).returncode, 2, "kview-trace without a ring is wrong usage")
        result = run(*self.kview_trace, os.path.join(self.mount, "status"))
        tap.check(result.returncode == 1, "a file that is no ring is refused", result)

    def hotplug(self, instance):
        """A CPU goes offline and comes back."""
        tap, cpu = self.tap, self.cpus[-1]
        switch = f"/sys/devices/system/cpu/cpu{cpu}/online"
        instance.reset()
        texts = [f"event-{i}-" for i in range(100)]
        instance.write(texts[:50], [cpu])
        fd = os.open(self.file(instance, cpu), os.O_RDONLY | os.O_NONBLOCK)
        put(switch, 0)
        path = os.path.join(self.room, "offline")
        copy(self.file(instance, cpu), path)
        tap.equal(payloads(run(*self.kview_trace, "--file", path).stdout), texts[:50],
                  "the ring of a CPU that is offline can be read")
        put(switch, 1)
        eventually(lambda: cpu in os.sched_getaffinity(0) or os.sched_setaffinity(0, self.cpus) or True)
        instance.write(texts[50:], [cpu])
        os.close(fd)
        tap.equal(payloads(run(*self.kview_trace, "--once", self.file(instance, cpu)).stdout), texts,
                  "online again, it has the events of both times")

    def held(self, instance):
        """Removing an instance while a file is open."""
        tap = self.tap
        with Instance("kviewtest-3") as other:
            path = self.file(other, self.cpus[0])
            fd = os.open(path, os.O_RDONLY)
            tap.equal(self.opens(other), 1, "status counts an open file")
            tap.check(not other.remove(), "its instance cannot be removed")
            tap.check(len(os.pread(fd, 4096, 0)) == 4096, "and the file is read as before")
            os.close(fd)
            tap.check(eventually(other.remove), "once it is closed, the instance can be")
            tap.check(not os.path.exists(path), "and the file is gone")
        # Between opens a ring is not held, also not by stat and reads.
        os.stat(self.file(instance, self.cpus[0]))
        open(self.file(instance, self.cpus[0]), "rb").read()
        tap.check(instance.reset(4, 300), "a ring that was read can be resized")
        tap.check(os.stat(self.file(instance, self.cpus[0])).st_size >= 300 * 1024, "and has its new size")

    def waiters(self, instance):
        """Five calls more than may wait."""
        tap, path, results = self.tap, self.file(instance, self.cpus[0]), []
        fd = os.open(path, os.O_RDONLY)
        mapping = self.map(fd, 4096)
        tap.equal(Meta(mapping[:80]).entries, 0, "a ring with nothing in it is mapped")

        def get_reader():
            try:
                fcntl.ioctl(fd, GET_READER)
                results.append("woken")
            except OSError as e:
                results.append(errno.errorcode[e.errno])

        def wake():
            fcntl.ioctl(fd, WAKE_WAITERS)
            return len(results) == len(threads)

        threads = [threading.Thread(target=get_reader, daemon=True) for _ in range(256 + 5)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(results) == 5)
        tap.equal(results, ["EAGAIN"] * 5, "256 calls can wait in GET_READER, further ones get EAGAIN")
        eventually(wake)
        tap.equal(sorted(results), ["EAGAIN"] * 5 + ["woken"] * 256, "until WAKE_WAITERS wakes them")
        mapping.close()
        os.close(fd)

    def semantics(self, instance, kib):
        """What a mapping does and refuses, for comparison on trace_pipe_raw first."""
        cpu = self.cpus[-1]
        for mode, path in (("raw", instance.raw(cpu)), (self.mode, self.file(instance, cpu))):
            instance.reset(kib)
            result = run(self.ring_map, mode, path, instance.dir, str(cpu), timeout=5 * LIMIT)
            self.adopt(result, f"{mode}, {kib} KiB")
        instance.reset()

    def load(self, instance, seconds):
        """A writer at full speed."""
        cpu = self.cpus[-1]
        for kib, mapped in ((4, self.file(instance, cpu)), (64, self.file(instance, cpu))):
            instance.reset(kib)
            result = run(self.ring_load, mapped, instance.dir, str(cpu), str(seconds),
                         timeout=seconds + 5 * LIMIT)
            self.adopt(result, f"load, {kib} KiB")
            seconds = max(2, seconds // 6)
        instance.reset()

    def adopt(self, result, prefix):
        """Repeats the test points of a program that speaks TAP."""
        plan = None
        points = 0
        for line in result.stdout.splitlines():
            match = re.match(r"(not )?ok \d+ (?:- )?(.*)", line)
            if line.startswith("1.."):
                plan = int(line[3:])
            elif match:
                points += 1
                name, _, skipped = f" {match[2]}".partition(" # SKIP ")
                if skipped:
                    self.tap.skip(f"{prefix}:{name}", skipped)
                else:
                    self.tap.check(not match[1], f"{prefix}:{name}")
            else:
                self.tap.note(line)
        self.tap.check(plan == points and points > 0, f"{prefix}: ran to its end", result.stderr,
                       result.stdout[-200:])
