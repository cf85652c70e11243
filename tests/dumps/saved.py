# SPDX-License-Identifier: GPL-2.0-only
"""
The dumps that tests/dumps/suite has made, in the folder KVIEW_DUMPS: their files and contents.

    elf                  cp of /proc/vmcore in the crash kernel (save)
    lzo                  makedumpfile -l -d 31 in the crash kernel (save)
    zlib, split, flat,   makedumpfile from elf: -c, -l --split (3 files), -l -F, -E, all with
      elf31              -d 31 (convert)
    zstd                 makedumpfile from elf: -z -d 23, which keeps the memory of programs
    d1 d2 d4 d8 d16      makedumpfile from elf: -l -d N, for their bytes and holes only
    snappy               tests/lib/mkkdump from elf, unfiltered: neither makedumpfile nor QEMU of
                         Debian support snappy
    qemu-elf, qemu-zlib, QEMU's dump-guest-memory, formats elf, kdump-raw-zlib, kdump-zlib
      qemu-flat          (qemu-dump)
    qemu-elf32           the same of a 32-bit processor with 16 MiB and no kernel
    virsh-elf,           virsh dump --memory-only --format elf and kdump-zlib (virsh-dump)
      virsh-flat
"""
import os
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../mount"))
from harness import Mount   # noqa: E402

FOLDER = os.environ["KVIEW_DUMPS"]
PAGE = 4096
MIB = 1 << 20


class Dump:
    """
    A dump of a machine, "kdump" or "qemu", in one file or more. `like`: another dump with the
    same pages and notes, so that vmcore/core is the same. programs: whether the memory of
    programs is in it; None: in part (makedumpfile -E leaves out long runs only).
    """

    def __init__(self, name, machine, files=None, like=None, programs=True, plain=False):
        self.name = name
        self.machine = machine
        self.files = files or [name]
        self.like = like
        self.programs = programs
        self.plain = plain      # an ELF core

    def paths(self, folder=FOLDER):
        return [os.path.join(folder, file) for file in self.files]

    def mount(self):
        return Mount(*(f"vmcore={path}" for path in self.paths()), "module=no", name=self.name)


DUMPS = (
    Dump("elf", "kdump", plain=True),
    Dump("elf31", "kdump", programs=None, plain=True),
    Dump("lzo", "kdump", programs=False),
    Dump("zlib", "kdump", programs=False, like="lzo"),
    Dump("split", "kdump", files=["split2", "split0", "split1"], programs=False, like="lzo"),
    Dump("flat", "kdump", programs=False, like="lzo"),
    Dump("zstd", "kdump"),
    Dump("snappy", "kdump"),
    Dump("qemu-elf", "qemu", programs=None, plain=True),
    Dump("qemu-zlib", "qemu", programs=None),
    Dump("qemu-flat", "qemu", programs=None, like="qemu-zlib"),
)

# Each leaves out one kind of pages: zero, cache, private cache, of programs, free. Together
# they leave out what -d 31 does.
LEVELS = tuple(Dump(f"d{level}", "kdump") for level in (1, 2, 4, 8, 16))


def read(path):
    with open(path, "rb") as f:
        return f.read()


def loads(path):
    """The PT_LOADs of an ELF64 core: (offset, physical address, bytes in the file, in memory)."""
    with open(path, "rb") as f:
        head = f.read(64)
        phoff, = struct.unpack_from("<Q", head, 32)
        phnum, = struct.unpack_from("<H", head, 56)
        f.seek(phoff)
        phdrs = struct.iter_unpack("<IIQQQQQQ", f.read(56 * phnum))
    return [(p[2], p[4], p[5], p[6]) for p in phdrs if p[0] == 1]
