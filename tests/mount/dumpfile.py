# SPDX-License-Identifier: GPL-2.0-only
"""
The fixture of the crash dump tests: an ELF core like /proc/vmcore, of a small kernel in whose
memory each word holds its own address, and which has logged something.
"""
import struct

PAGE = 4096
MIB = 1 << 20
IMAGE_VADDR = 0xffffffff81000000
DIRECT_MAP = 0xffff888000000000
# Physical ranges. The image is in the first one; the last is beyond 4 GiB.
IMAGE = (2 * MIB, 2 * MIB + 8 * PAGE)
RAM = ((MIB, 3 * MIB), (5 * 1024 * MIB, 5 * 1024 * MIB + MIB))
CPUS = 3
RING = IMAGE[0]			# the printk ring is in the image

LOG = [(0, 0, b"Linux version 6.12.0-fixture"),
       (1234567890, 1, b"two\nlines"),
       (99999999999, 0x80000002, b"bell \x07, \xc3\xa9")]
DMESG = (b"[    0.000000] [      T0] Linux version 6.12.0-fixture\n"
         b"[    1.234567] [      T1] two\n"
         b"                          lines\n"
         b"[   99.999999] [      C2] bell \\x07, \\xc3\\xa9\n")

# Offsets in the ring's first page; the text is in the second.
RB, DESCS, INFOS, TEXT = 64, 256, 1024, PAGE

VMCOREINFO = f"""\
OSRELEASE=6.12.0-fixture
PAGESIZE=4096
SYMBOL(prb)={IMAGE_VADDR:x}
SIZE(printk_ringbuffer)=80
OFFSET(printk_ringbuffer.desc_ring)=0
OFFSET(printk_ringbuffer.text_data_ring)=40
OFFSET(prb_desc_ring.count_bits)=0
OFFSET(prb_desc_ring.descs)=8
OFFSET(prb_desc_ring.infos)=16
OFFSET(prb_desc_ring.head_id)=24
OFFSET(prb_desc_ring.tail_id)=32
SIZE(prb_desc)=24
OFFSET(prb_desc.state_var)=0
OFFSET(prb_desc.text_blk_lpos)=8
OFFSET(prb_data_blk_lpos.begin)=0
OFFSET(prb_data_blk_lpos.next)=8
SIZE(printk_info)=88
OFFSET(printk_info.ts_nsec)=8
OFFSET(printk_info.text_len)=16
OFFSET(printk_info.caller_id)=20
OFFSET(prb_data_ring.size_bits)=0
OFFSET(prb_data_ring.data)=8
SIZE(atomic_long_t)=8
OFFSET(atomic_long_t.counter)=0
"""


def note(name, kind, desc):
    name = name.encode() + b"\0"
    head = struct.pack("<III", len(name), len(desc), kind)
    return head + name + bytes(-len(name) % 4) + desc + bytes(-len(desc) % 4)


def prstatus(cpu):
    """struct elf_prstatus of x86-64: register i of a CPU is 0x1000 * CPU + i."""
    desc = bytearray(336)
    struct.pack_into("<h", desc, 12, 9)
    struct.pack_into("<i", desc, 32, 100 + cpu)
    for i in range(27):
        struct.pack_into("<Q", desc, 112 + 8 * i, 0x1000 * cpu + i)
    return bytes(desc)


def notes():
    return (b"".join(note("CORE", 1, prstatus(cpu)) for cpu in range(CPUS)) +
            note("VMCOREINFO", 0, VMCOREINFO.encode()))


def put_log(mem):
    """Puts the ring of the log into mem, the image's bytes."""
    count_bits = 3
    struct.pack_into("<Q", mem, 0, IMAGE_VADDR + RB)
    struct.pack_into("<QQQQQ", mem, RB, count_bits, IMAGE_VADDR + DESCS, IMAGE_VADDR + INFOS,
                     100 + len(LOG) - 1, 100)
    struct.pack_into("<QQ", mem, RB + 40, 10, IMAGE_VADDR + TEXT)
    pos = 0
    for i, (ts, caller, text) in enumerate(LOG):
        index = (100 + i) % (1 << count_bits)
        size = 8 + len(text) + -len(text) % 8
        struct.pack_into("<QQQ", mem, DESCS + 24 * index, 100 + i | 2 << 62, pos, pos + size)
        struct.pack_into("<QQHHI", mem, INFOS + 88 * index, i, ts, len(text), 0, caller)
        struct.pack_into("<Q", mem, TEXT + pos, 100 + i)
        mem[TEXT + pos + 8:TEXT + pos + 8 + len(text)] = text
        pos += size


def memory():
    """Physical memory: {start: bytes}. Each 8 bytes hold their address, except in the log."""
    ranges = {}
    for start, end in RAM:
        ranges[start] = bytearray(b"".join(struct.pack("<Q", a) for a in range(start, end, 8)))
    off = IMAGE[0] - RAM[0][0]
    image = bytearray(ranges[RAM[0][0]][off:off + IMAGE[1] - IMAGE[0]])
    put_log(image)
    ranges[RAM[0][0]][off:off + len(image)] = image
    return {start: bytes(mem) for start, mem in ranges.items()}


def segments():
    """(vaddr, paddr, length), as /proc/vmcore has them: the image, then RAM."""
    return [(IMAGE_VADDR, IMAGE[0], IMAGE[1] - IMAGE[0])] + \
        [(DIRECT_MAP + start, start, end - start) for start, end in RAM]


def phys(mem, paddr, length):
    """Bytes of one range of memory."""
    start = max(s for s in mem if s <= paddr)
    return mem[start][paddr - start:paddr - start + length]


def write_elf(path):
    """Writes the core. Returns its segments with their offsets: (off, vaddr, paddr, len)."""
    mem = memory()
    note_bytes = notes()
    segs = segments()
    phoff, head = 64, PAGE * 2
    offs, off = [], head
    for _, _, length in segs:
        offs.append(off)
        off += length
    with open(path, "wb") as f:
        f.write(struct.pack("<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 4, 62, 1, 0, phoff, 0, 0, 64, 56,
                            len(segs) + 1, 0, 0, 0))
        note_off = phoff + 56 * (len(segs) + 1)
        f.write(struct.pack("<IIQQQQQQ", 4, 0, note_off, 0, 0, len(note_bytes), len(note_bytes), 4))
        for (vaddr, paddr, length), seg_off in zip(segs, offs):
            f.write(struct.pack("<IIQQQQQQ", 1, 7, seg_off, vaddr, paddr, length, length, 0))
        f.write(note_bytes)
        assert f.tell() <= head
        for (_, paddr, length), seg_off in zip(segs, offs):
            f.seek(seg_off)
            f.write(phys(mem, paddr, length))
    return [(o, *s) for o, s in zip(offs, segs)]


def prstatus32(cpu):
    """struct elf_prstatus of i386: register i of a CPU is 0x100 * CPU + i."""
    desc = bytearray(144)
    struct.pack_into("<h", desc, 12, 9)
    struct.pack_into("<i", desc, 24, 100 + cpu)
    for i in range(17):
        struct.pack_into("<I", desc, 72 + 4 * i, 0x100 * cpu + i)
    return bytes(desc)


def write_elf32(path):
    """
    A core of a 32-bit kernel: low memory at virtual address 3 GiB, and memory above it without a
    virtual address. Returns its segments: (off, vaddr, paddr, len).
    """
    notes32 = b"".join(note("CORE", 1, prstatus32(cpu)) for cpu in range(2))
    segs = [(PAGE, 0xc0100000, MIB, MIB), (PAGE + MIB, 0, 1 << 30, 3 * PAGE)]
    phoff = 52
    note_off = phoff + 32 * (len(segs) + 1)
    with open(path, "wb") as f:
        f.write(struct.pack("<16sHHIIIIIHHHHHH", b"\x7fELF\1\1\1", 4, 3, 1, 0, phoff, 0, 0, 52, 32,
                            len(segs) + 1, 0, 0, 0))
        f.write(struct.pack("<IIIIIIII", 4, note_off, 0, 0, len(notes32), len(notes32), 0, 4))
        for off, vaddr, paddr, length in segs:
            f.write(struct.pack("<IIIIIIII", 1, off, vaddr, paddr, length, length, 7, 0))
        f.write(notes32)
        for off, _, paddr, length in segs:
            f.seek(off)
            f.write(b"".join(struct.pack("<I", a) for a in range(paddr, paddr + length, 4)))
    return segs


def loads(core):
    """The PT_LOADs of an ELF64 core in bytes: (off, vaddr, paddr, filesz)."""
    phoff, = struct.unpack_from("<Q", core, 32)
    phnum, = struct.unpack_from("<H", core, 56)
    phdrs = [struct.unpack_from("<IIQQQQQQ", core, phoff + 56 * i) for i in range(phnum)]
    return [(p[2], p[3], p[4], p[5]) for p in phdrs if p[0] == 1]
