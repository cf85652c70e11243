# SPDX-License-Identifier: GPL-2.0-only
"""
The dumps that tests/dumps/suite has made, in the folder KVIEW_DUMPS: what each consists of,
and who can read it without kviewfs.
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
    A dump of a machine, "kdump" or "qemu", in one file or more. `like`: another one with the
    same pages and notes, so that vmcore/core is the same. programs: whether the memory of
    programs is in it; None: as it comes (makedumpfile -E leaves out long runs only).
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

# Each leaves out one kind of pages: zero, cache, private cache, of programs, free.
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
