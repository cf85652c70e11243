# SPDX-License-Identifier: GPL-2.0-only
"""
Shared by the guest's Python tests: /proc's view of the kernel's memory, and the comparison of
memory that changes meanwhile. Ranges are half-open, in bytes.

A view is compared with /proc/kcore while the kernel runs. Pages that differ are judged one by one:
read from /proc/kcore, from the view, and from /proc/kcore again, up to 24 times. A byte is wrong
only if the view never agreed with a /proc/kcore that was the same before and after.

Reading has effects of its own. A reader of /proc/kcore holds its lock, so it never sees that lock
free, and its own kernel stack differs from what it is while it reads the view. For a byte that
still looks wrong, one thread therefore reads both while another watches, by the view and by
/proc/kcore, each in both roles (still_wrong()); and two other processes compare, for which the
first one's task, files and data do not change (wrong_for_another()). In mode copy the daemon is the
reader, so the byte has to be wrong through another daemon, too (Comparison.another). Few pages may
be volatile (1 %), and each test reports how many were.
"""
import ctypes
import json
import mmap
import os
import random
import select
import struct
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from tap import tap     # noqa: E402
from wait import LIMIT, eventually     # noqa: E402,F401

MOUNT = "/mnt/kview"
KCORE = "/proc/kcore"
PAGE = 4096
MIB = 1 << 20
NO_PADDR = (1 << 64) - 1

# Every test draws its samples from this seed, so that a failure can be repeated.
SEED = 20240614


def view(name):
    return os.path.join(MOUNT, "kcore", name)


def status(mount=MOUNT):
    """The lines `key: value` of the status file."""
    with open(os.path.join(mount, "status"), encoding="utf-8") as f:
        return dict(line.rstrip("\n").split(": ", 1) for line in f if ": " in line)


def xattr(path, name):
    """user.kview.NAME of a file, None if it has none."""
    try:
        return os.getxattr(path, f"user.kview.{name}").decode()
    except OSError:
        return None


def require_mode(name, mode="direct", mount=MOUNT):
    """Ends the test as failed unless kcore/NAME is served in that mode."""
    in_status = status(mount).get(f"kcore/{name}.mode")
    path = os.path.join(mount, "kcore", name)
    in_xattr = xattr(path, "mode")
    if not tap.check(in_status == mode and in_xattr == mode, f"kcore/{name} is served in mode {mode}",
                     f"status says {in_status}, the attribute {in_xattr}"):
        with open(os.path.join(mount, "status"), encoding="utf-8") as f:
            tap.note(f.read())
        tap.done()


class Segment:
    """A PT_LOAD."""

    def __init__(self, phdr):
        _, _, self.off, self.vaddr, self.paddr, self.filesz, self.memsz, self.align = phdr

    def __repr__(self):
        return (f"PT_LOAD(off={self.off:#x} vaddr={self.vaddr:#x} paddr={self.paddr:#x} "
                f"filesz={self.filesz:#x})")


class Core:
    """An ELF64 core that is open for reading: headers parsed, bytes by virtual address."""

    def __init__(self, path):
        self.path = path
        self.fd = os.open(path, os.O_RDONLY)
        self.ehdr = os.pread(self.fd, 64, 0)
        assert self.ehdr[:4] == b"\x7fELF" and self.ehdr[4] == 2, f"{path} is not an ELF64 file"
        phoff, = struct.unpack_from("<Q", self.ehdr, 32)
        phentsize, phnum = struct.unpack_from("<HH", self.ehdr, 54)
        assert phentsize == 56, f"program headers of {phentsize} bytes in {path}"
        phdrs = list(struct.iter_unpack("<IIQQQQQQ", os.pread(self.fd, 56 * phnum, phoff)))
        self.loads = [Segment(p) for p in phdrs if p[0] == 1]
        self.notes = [n for p in phdrs if p[0] == 4 for n in self._notes(p[2], p[5])]

    def close(self):
        """Needed before umount: an open core keeps its mount busy."""
        os.close(self.fd)

    def _notes(self, off, size):
        data = os.pread(self.fd, size, off)
        pos = 0
        while pos + 12 <= len(data):
            namesz, descsz, kind = struct.unpack_from("<III", data, pos)
            pos += 12
            name = data[pos:pos + namesz].rstrip(b"\0").decode()
            pos += -(-namesz // 4) * 4
            yield name, kind, data[pos:pos + descsz]
            pos += -(-descsz // 4) * 4

    def vmcoreinfo(self):
        """The VMCOREINFO note's lines as a dictionary."""
        for name, _, desc in self.notes:
            if name == "VMCOREINFO":
                lines = desc.rstrip(b"\0").decode().splitlines()
                return dict(line.split("=", 1) for line in lines if "=" in line)
        return None

    def read(self, vaddr, length):
        for seg in self.loads:
            if seg.vaddr <= vaddr and vaddr + length <= seg.vaddr + seg.filesz:
                return os.pread(self.fd, length, seg.off + vaddr - seg.vaddr)
        raise LookupError(f"{vaddr:#x} is not in {self.path}")

    def read_phys(self, paddr, length):
        for seg in self.ram():
            if seg.paddr <= paddr and paddr + length <= seg.paddr + seg.filesz:
                return os.pread(self.fd, length, seg.off + paddr - seg.paddr)
        raise LookupError(f"physical {paddr:#x} is not in {self.path}")

    def image(self):
        """The segment of the kernel image."""
        text = ksym("_text")
        return next(s for s in self.loads if s.vaddr <= text < s.vaddr + s.filesz
                    and s.paddr not in (0, NO_PADDR))

    def ram(self):
        """The segments of the direct map, ascending."""
        image = self.image()
        return sorted((s for s in self.loads if s.paddr != NO_PADDR and s.vaddr != image.vaddr
                       and not is_vmap(s)), key=lambda s: s.paddr)


def is_vmap(seg):
    """Tells whether a segment of /proc/kcore is the vmalloc, module or vmemmap area."""
    return seg.paddr == NO_PADDR


_ksyms = {}


def ksyms():
    """Symbols of the kernel image: name -> list of addresses, in /proc/kallsyms' order."""
    if not _ksyms:
        with open("/proc/kallsyms", encoding="utf-8") as f:
            for line in f:
                fields = line.split()
                if len(fields) == 3:    # a module's symbol has its name as a fourth
                    _ksyms.setdefault(fields[2], []).append(int(fields[0], 16))
    return _ksyms


def ksym(name):
    addresses = ksyms()[name]
    assert len(addresses) == 1, f"{name} is ambiguous"
    return addresses[0]


def iomem_ram():
    """Whole pages of the top-level "System RAM" resources."""
    ranges = []
    with open("/proc/iomem", encoding="utf-8") as f:
        for line in f:
            if line[0] != " " and line.rstrip().endswith(": System RAM"):
                start, end = (int(x, 16) for x in line.split(" : ")[0].split("-"))
                start, end = -(-start // PAGE) * PAGE, (end + 1) // PAGE * PAGE
                if start < end:
                    ranges.append((start, end))
    return ranges


def settle(read_source, read_view, watch=None, tries=24):
    """
    Compares bytes that may be changing: "same" if the view had the bytes that the source had just
    before or just after, "volatile" if each byte that differed was also seen to agree or to
    change, and otherwise the offsets at which the view never agreed with a source at rest.
    """
    wrong = None
    for _ in range(tries):
        before, seen, after = read_source(), read_view(), read_source()
        if seen in (before, after):
            return "same"
        if len(seen) != len(before):
            return [min(len(seen), len(before))]
        found = {i for i, (b, s, a) in enumerate(zip(before, seen, after)) if b == a != s}
        wrong = found if wrong is None else wrong & found
        if not wrong:
            return "volatile"
    wrong = still_wrong(wrong, read_source, read_view, watch or read_view)
    return sorted(wrong and wrong_for_another(wrong, read_source, read_view)) or "volatile"


def never_right(read_source, read_view, tries=24):
    """The offsets at which the view never agreed with a source at rest."""
    wrong = None
    for _ in range(tries):
        before, seen, after = read_source(), read_view(), read_source()
        found = {i for i, (b, s, a) in enumerate(zip(before, seen, after)) if b == a != s}
        wrong = found if wrong is None else wrong & found
    return wrong


def wrong_for_another(wrong, read_source, read_view):
    """
    Of the offsets `wrong`, those that are wrong for two other processes, too: a reader's own
    task, files, stack and data change while it reads, and not while it waits for another. A page
    of this process's data may be the first child's after the fork, since the first to write gets
    the copy. It is not the second child's, because the first child still holds it then.
    """
    hold = os.pipe()
    children = []
    found = set(wrong)
    for _ in range(2):
        pid, answer = answer_of_child(hold, lambda: never_right(read_source, read_view))
        children.append(pid)
        found &= answer
    os.close(hold[0])
    os.close(hold[1])
    for pid in children:
        os.waitpid(pid, 0)
    return found


def answer_of_child(hold, compare):
    """
    Forks a child that calls compare() and lives on until all ends hold[1] are closed; returns its process
    ID and the set that compare() gave.
    """
    pipe_in, pipe_out = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(hold[1])
            os.write(pipe_out, json.dumps(sorted(compare())).encode())
            os.close(pipe_out)
            os.read(hold[0], 1)
        finally:
            os._exit(0)
    os.close(pipe_out)
    with open(pipe_in, encoding="ascii") as answer:
        return pid, set(json.load(answer))


def still_wrong(wrong, read_source, read_view, watch, looks=3000):
    """
    Of the offsets `wrong`, those that do not change while source and view are read. Bytes that
    change because of the reading itself change for a watcher: one thread reads and another
    watches, by the view and by /proc/kcore; first this thread, whose state it was, reads, then
    the other one. Both do so at least `looks` times, however slow the machine is.
    """
    ways = (watch, read_source)
    first = [way() for way in ways]
    moved = set()

    def look():
        for way, then in zip(ways, first):
            now = way()
            moved.update(i for i in wrong if now[i] != then[i])

    def read():
        read_source()
        read_view()

    for mine, other in ((read, look), (look, read)):
        stop, done = threading.Event(), [0, 0]

        def keep_doing(action=other, stop=stop, done=done):
            while not stop.is_set():
                action()
                done[1] += 1

        thread = threading.Thread(target=keep_doing)
        thread.start()
        while not wrong <= moved and min(done) < looks:
            mine()
            done[0] += 1
        stop.set()
        thread.join()
    return wrong - moved


class Comparison:
    """
    Compares a file with a source, in pieces; pieces that differ are judged page by page by
    settle(). `readers` maps a label to a function (offset, length) -> bytes of the file; the
    last one is used to watch bytes that do not settle. `another` is such a function that reads
    through another daemon, for files in mode copy: there the daemon is the reader, whose own
    tasks change while it reads.
    """

    def __init__(self, source, readers, another=None):
        self.source = source
        self.readers = readers
        self.another = another
        self.pages = 0
        self.volatile = 0
        self.wrong = []
        self.nonzero = 0

    def piece(self, off, length):
        want = self.source(off, length)
        self.nonzero += want.count(0) != length
        for label, read in self.readers.items():
            self.pages += -(-length // PAGE)
            if read(off, length) != want:
                self._pages(label, read, off, length)

    def _pages(self, label, read, off, length):
        end = off + length
        while off < end:
            n = min(PAGE - off % PAGE, end - off)
            watch = list(self.readers.values())[-1]
            result = settle(lambda o=off, n=n: self.source(o, n), lambda o=off, n=n: read(o, n),
                            lambda o=off, n=n: watch(o, n))
            if self.another and isinstance(result, list):
                found = never_right(lambda o=off, n=n: self.source(o, n),
                                    lambda o=off, n=n: self.another(o, n))
                result = sorted(found.intersection(result)) or "volatile"
            if result == "volatile":
                self.volatile += 1
            elif result != "same":
                self.wrong.append(f"{label} at {off:#x}: bytes {result[:8]} differ")
            off += n

    def report(self, name, min_pages, volatile_share=0.01):
        """Three test points: bytes equal, few of them volatile, and enough compared."""
        tap.check(not self.wrong, f"{name}: all bytes equal {KCORE}'s", *self.wrong[:10],
                  f"{len(self.wrong)} of {self.pages} pages differ")
        limit = max(2, self.pages * volatile_share)
        tap.check(self.volatile <= limit, f"{name}: few pages are volatile",
                  f"{self.volatile} of {self.pages}, allowed are {limit}")
        tap.check(self.pages >= min_pages and self.nonzero,
                  f"{name}: enough was compared, and not only zeros",
                  f"{self.pages} pages, {self.nonzero} pieces with data; wanted {min_pages} pages")
        tap.note(f"{name}: {self.pages} pages compared, {self.volatile} volatile")


def pieces(start, end, piece, budget, rng):
    """
    Pieces [offset, length) of [start, end): all of them if they fit into the budget of bytes,
    else the first, the last, and random ones in between.
    """
    whole = [(off, min(piece, end - off)) for off in range(start, end, piece)]
    most = max(2, -(-budget // piece))
    if len(whole) <= most:
        return whole
    inner = rng.sample(whole[1:-1], most - 2)
    return [whole[0], *sorted(inner), whole[-1]]


def sampler():
    return random.Random(SEED)


def errno_of(func, *args, **kwargs):
    """Name of the errno that a call fails with, "ok" if it does not."""
    import errno
    try:
        result = func(*args, **kwargs)
    except OSError as e:
        return errno.errorcode.get(e.errno, str(e.errno))
    if isinstance(result, int) and func is os.open:
        os.close(result)
    return "ok"


def run(*argv, timeout=300, **kwargs):
    """Runs a command; returns the CompletedProcess with text output, never raises for its status."""
    return subprocess.run(argv, capture_output=True, text=True, errors="replace", check=False,
                          timeout=timeout, **kwargs)


class Daemon:
    """A mount and its daemon: that of the guest, or another one."""

    def __init__(self, mountpoint=MOUNT):
        self.mount = mountpoint

    def start(self, *options):
        """Mounts. Returns the command's CompletedProcess."""
        os.makedirs(self.mount, exist_ok=True)
        return run("kviewfs", *options, self.mount)

    def pid(self):
        """The process whose command line ends with the mount point."""
        for entry in os.listdir("/proc"):
            if entry.isdigit():
                try:
                    with open(f"/proc/{entry}/cmdline", "rb") as f:
                        words = f.read().split(b"\0")
                except OSError:
                    continue
                if words[0].endswith(b"kviewfs") and self.mount.encode() in words:
                    return int(entry)
        return None

    def view(self, name):
        return os.path.join(self.mount, "kcore", name)

    def is_mounted(self):
        return run("mountpoint", "-q", self.mount).returncode == 0

    def umount(self, *options):
        """umount(8)'s CompletedProcess."""
        return run("umount", *options, self.mount)


def wait_for_exit(pidfd):
    """Waits until the process of a pidfd ends. Returns whether it does."""
    poll = select.poll()
    poll.register(pidfd, select.POLLIN)
    return bool(poll.poll(LIMIT * 1000))


def unload_module():
    """rmmod's CompletedProcess."""
    return run("rmmod", "kview")


def load_module():
    """Loads the module of this checkout; insmod's CompletedProcess."""
    return run("insmod", os.path.join(os.environ["KVIEW_SRC"], "kernel-module/kview.ko"))


class Marker:
    """Locked pages of this process, with known physical addresses and bytes."""

    def __init__(self, pages=16):
        self.pages = pages
        self.memory = mmap.mmap(-1, pages * PAGE, flags=mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
        self.memory[:] = os.urandom(pages * PAGE)
        address = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        if ctypes.CDLL(None).mlock(ctypes.c_void_p(address), ctypes.c_size_t(pages * PAGE)):
            raise OSError("mlock failed")
        with open("/proc/self/pagemap", "rb", buffering=0) as f:
            entries = struct.unpack(f"<{pages}Q", os.pread(f.fileno(), 8 * pages, address // PAGE * 8))
        self.paddrs = [(e & ((1 << 55) - 1)) * PAGE for e in entries]
        assert all(self.paddrs), "pagemap shows no page frame numbers"

    def shows(self, read):
        """Tells whether a function (physical address, length) -> bytes returns their bytes."""
        return all(read(p, PAGE) == self.memory[i * PAGE:(i + 1) * PAGE]
                   for i, p in enumerate(self.paddrs))

    def change(self):
        self.memory[:] = os.urandom(self.pages * PAGE)
