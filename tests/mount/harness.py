# SPDX-License-Identifier: GPL-2.0-only
"""
Shared by the tests of the mounted daemon: the fixture, and starting and ending
kviewfs. A test is called with the paths of kviewfs and of the tools it needs, as its
meson.build says. Nothing here sleeps: it waits for processes and mounts to end.
"""
import atexit
import ctypes
import errno
import os
import select
import shutil
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../lib"))
from tap import bail, tap   # noqa: E402
from wait import LIMIT, eventually, settled   # noqa: E402,F401

PAGE = 4096
KIB = 1 << 10
MIB = 1 << 20
GIB = 1 << 30

PROGRAMS = [os.path.abspath(p) for p in sys.argv[1:]]
if not PROGRAMS:
    bail(f"usage: {sys.argv[0]} KVIEWFS [TOOL]...")
KVIEWFS = PROGRAMS[0]
if os.geteuid() != 0:
    print("1..0 # SKIP only root can mount kviewfs")
    sys.exit(0)
if not os.path.exists("/dev/fuse"):
    print("1..0 # SKIP this machine has no /dev/fuse")
    sys.exit(0)


def leave_mount_namespace():
    """Gives the test a mount namespace of its own: a process elsewhere that copies a shared one
    at the wrong time would keep mounts and daemons alive after umount."""
    clone_newns, ms_rec, ms_private = 0x20000, 0x4000, 1 << 18
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(clone_newns) or \
            libc.mount(None, b"/", None, ctypes.c_ulong(ms_rec | ms_private), None):
        bail(f"no mount namespace: {os.strerror(ctypes.get_errno())}")


leave_mount_namespace()
# meson test makes malloc(3) fill its memory, so that all of it counts as used; users do not.
os.environ.pop("MALLOC_PERTURB_", None)
with open(KVIEWFS, "rb") as program:
    SANITIZED = b"__asan_" in program.read()
ROOM = tempfile.mkdtemp(prefix="kviewfs-test.")
OWNER = os.getpid()


def tool(name):
    for path in PROGRAMS[1:]:
        if os.path.basename(path) == name:
            return path
    bail(f"this test needs the tool {name} on its command line")
    return None


def run(*argv, **kwargs):
    """Runs a program to its end and captures its output."""
    kwargs.setdefault("timeout", LIMIT)
    return subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                          **kwargs)


def mounts():
    """The mount points of this machine, in the order of mounting, with type and options."""
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        for line in f:
            left, right = line.split(" - ")
            yield left.split()[4], right.split()[0], left.split()[5].split(",")


def mounted(path):
    return any(point == path for point, _, _ in mounts())


def unmount_all():
    if os.getpid() != OWNER:
        return
    for point, _, _ in reversed(list(mounts())):
        if point.startswith(ROOM + "/"):
            subprocess.run(["umount", "-l", point], check=False)
    shutil.rmtree(ROOM, ignore_errors=True)


atexit.register(unmount_all)


def wait_gone(pid):
    """Waits until a process is gone. Returns whether it is."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ready = bool(select.select([fd], [], [], LIMIT)[0])
    finally:
        os.close(fd)
    return ready


def daemon_pids(mountpoint):
    """The processes that run kviewfs for a mount point."""
    pids = []
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/cmdline", "rb") as f:
                argv = f.read().split(b"\0")
            with open(f"/proc/{name}/stat", encoding="utf-8") as f:
                state = f.read().rsplit(")", 1)[1].split()[0]
        except OSError:
            continue
        if state != "Z" and os.fsencode(mountpoint) in argv and \
                os.path.basename(argv[0]) == os.fsencode(os.path.basename(KVIEWFS)):
            pids.append(int(name))
    return pids


class Mount:
    """A kviewfs that is started as a user would, and ended by umount."""

    def __init__(self, *options, args=(), name="mnt", start=True):
        self.path = os.path.join(ROOM, name)
        os.makedirs(self.path, exist_ok=True)
        self.argv = [KVIEWFS, *args, *(("-o", ",".join(options)) if options else ()), self.path]
        self.pid = None
        self.result = None
        if start:
            self.start()

    def start(self):
        """Mounts. On failure the test fails and ends."""
        self.result = run(*self.argv)
        pids = daemon_pids(self.path)
        if self.result.returncode != 0 or len(pids) != 1 or not mounted(self.path):
            tap.check(False, f"{' '.join(self.argv)} mounts", self.result, f"daemons: {pids}")
            tap.done()
        self.pid = pids[0]
        return self

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        """Unmounts, and waits for the daemon to end. Returns whether both succeeded."""
        if self.pid is None:
            return True
        result = run("umount", self.path)
        gone = result.returncode == 0 and wait_gone(self.pid)
        if not gone:
            tap.note(result, f"kviewfs {self.pid} is still there")
        self.pid = None
        return gone

    def file(self, *names):
        return os.path.join(self.path, *names)

    def kcore(self, *names):
        return self.file("kcore", *names)

    def status(self):
        """The lines `key: value` of the status file."""
        with open(self.file("status"), encoding="utf-8") as f:
            return dict(line.rstrip("\n").split(": ", 1) for line in f)

    def rss_kib(self):
        with open(f"/proc/{self.pid}/status", encoding="utf-8") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS:"))

    def check_small(self, name):
        """One test point: the daemon is below 10 MiB."""
        if SANITIZED:
            tap.skip(name, "this kviewfs is built with a sanitizer")
        else:
            tap.check(self.rss_kib() < 10 * KIB, name, f"{self.rss_kib()} KiB")

    def fds(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))


def errno_of(function, *args, **kwargs):
    """The name of the errno that a call fails with, or what it returns."""
    try:
        return function(*args, **kwargs)
    except OSError as e:
        return errno.errorcode[e.errno]


def xattr(path, name):
    """user.kview.NAME of a file, None if it has none."""
    try:
        return os.getxattr(path, f"user.kview.{name}").decode()
    except OSError:
        return None


def require_mode(mount, name, mode):
    """Ends the test as failed unless kcore/NAME is served in that mode."""
    in_status = mount.status().get(f"kcore/{name}.mode")
    in_xattr = xattr(mount.kcore(name), "mode")
    if not tap.check((in_status, in_xattr) == (mode, mode), f"kcore/{name} is served in mode {mode}",
                     f"status says {in_status}, the attribute {in_xattr}"):
        tap.done()


def in_child(function):
    """Calls function in a child. Returns the child's wait status: exit status 0 if function
    returned, 1 if it raised an exception."""
    sys.stdout.flush()
    pid = os.fork()
    if pid == 0:
        try:
            function()
            os._exit(0)
        except BaseException as e:
            tap.note(f"in a child: {e!r}")
            os._exit(1)
    return os.waitpid(pid, 0)[1]


# The fixture: a small kernel whose memory holds its own addresses.

IMAGE_VADDR = 0xffffffff81000000
IMAGE_PADDR = 0x1000000
IMAGE_LEN = 0x300000 + 0x123	# _end is not on a page
DIRECT_MAP = 0xffff888000000000
VMALLOC = 0xffffc90000000000
LOW_RAM = (0x1000, 0x9f000)
HIGH_RAM = (0x100000, 0x4000000)
# Beyond 4 GiB, to show that no offset is cut to 32 bits; filled at both ends only.
FAR_RAM = (5 * GIB, 5 * GIB + 64 * MIB)
RAM = (LOW_RAM, HIGH_RAM, FAR_RAM)
FAR_FILL = MIB
VMCOREINFO = "OSRELEASE=6.12.0-fixture\nPAGESIZE=4096\n"

FIXTURE = f"""\
elf
note name="VMCOREINFO" desc="{VMCOREINFO.replace(chr(10), chr(92) + 'n')}"
load vaddr={IMAGE_VADDR:#x} paddr={IMAGE_PADDR:#x} memsz={IMAGE_LEN:#x}
fill load=0 with=addr
load vaddr={VMALLOC:#x} memsz=0x10000
fill load=1 byte=0x5a
load vaddr={DIRECT_MAP + LOW_RAM[0]:#x} paddr={LOW_RAM[0]:#x} memsz={LOW_RAM[1] - LOW_RAM[0]:#x}
fill load=2 with=addr
load vaddr={DIRECT_MAP + HIGH_RAM[0]:#x} paddr={HIGH_RAM[0]:#x} memsz={HIGH_RAM[1] - HIGH_RAM[0]:#x}
fill load=3 with=addr
load vaddr={DIRECT_MAP + FAR_RAM[0]:#x} paddr={FAR_RAM[0]:#x} memsz={FAR_RAM[1] - FAR_RAM[0]:#x}
fill load=4 len={FAR_FILL} with=addr
fill load=4 at={FAR_RAM[1] - FAR_RAM[0] - FAR_FILL} with=addr
"""

# "twice" is ambiguous, "alias" and "first" are at one address, "outside" is not in the image.
KALLSYMS = f"""\
0000000000000000 A fixed_percpu_data
{IMAGE_VADDR:016x} T _text
{IMAGE_VADDR:016x} T _stext
{IMAGE_VADDR + 0x1000:016x} T first
{IMAGE_VADDR + 0x1000:016x} t alias
{IMAGE_VADDR + 0x1040:016x} t twice
{IMAGE_VADDR + 0x2001:016x} D odd
{IMAGE_VADDR + 0x2010:016x} t twice
{IMAGE_VADDR + 0x200000:016x} d long
{IMAGE_VADDR + IMAGE_LEN - 8:016x} B last
{IMAGE_VADDR + IMAGE_LEN:016x} B _end
ffffffffc0000000 t outside\t[module]
"""


def addresses(paddr, length):
    """The bytes that `with=addr` puts into [paddr, paddr + length)."""
    start = paddr & ~7
    words = struct.pack(f"<{(length + 7) // 8 + 1}Q",
                        *range(start, start + ((length + 7) // 8 + 1) * 8, 8))
    return words[paddr - start:paddr - start + length]


def ram_bytes(off, length):
    """The bytes [off, off + length) of the fixture's kcore/ram, up to its end."""
    out = bytearray(max(0, min(length, FAR_RAM[1] - off)))
    filled = [LOW_RAM, HIGH_RAM, (FAR_RAM[0], FAR_RAM[0] + FAR_FILL),
              (FAR_RAM[1] - FAR_FILL, FAR_RAM[1])]
    for start, end in filled:
        a, b = max(start, off), min(end, off + len(out))
        if a < b:
            out[a - off:b - off] = addresses(a, b - a)
    return bytes(out)


def make_core(text, name="fixture.core"):
    """Expands a text into an ELF core in the test's room."""
    path = os.path.join(ROOM, name)
    source = path + ".txt"
    with open(source, "w", encoding="utf-8") as f:
        f.write(text)
    result = run(tool("mkelf"), source, path)
    if result.returncode:
        bail(f"mkelf: {result.stderr}")
    return path


def make_file(name, text):
    path = os.path.join(ROOM, name)
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)
    return path


def mount_fixture(*options, **kwargs):
    """A mount of the fixture, in mode copy."""
    core = make_core(FIXTURE)
    kallsyms = make_file("kallsyms", KALLSYMS)
    return Mount(f"kcore={core}", f"kallsyms={kallsyms}", *options, **kwargs)
