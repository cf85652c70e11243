// SPDX-License-Identifier: GPL-2.0-only
#include "kview-exec/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "base/number.h"
#include "kernel/pagewalk.h"
#include "kview-exec/counters.h"
#include "kview-exec/layout.h"
#include "kview-exec/real.h"

#define PAGE_LEN 4096
#define MAX_LEVELS 5
/* Each read passes here, and the compiler's own choice differs by 20 of 130 instructions. */
#define INLINE static inline __attribute__((always_inline))
/* Walks of a page whose tables change under them; after these the kernel is asked. */
#define MAX_WALKS 4

/* A file of the mount, mapped whole. */
struct mapped {
	const unsigned char *mem;
	uint64_t len;
	uint64_t addr;		/* of its first byte: physical for RAM, virtual for the image */
};

enum state {
	NOT_TRIED,
	SETTING_UP,
	READY,
	UNUSABLE,
};

static struct kvfs_layout layout;
static struct mapped ram, image;
static uint64_t tables_end;	/* of the whole pages of ram, which is mapped from address 0 on */
static bool has_tables;
static int state;		/* enum state; all above is written before READY */
static int kernel_turn;		/* 1 while a thread is in pread(2) of /proc/kcore */

/*
 * An address that an attribute of an open file has, as "0x1000000" (node/attrs). Returns 0, or
 * -errno if there is no such attribute or it is no address.
 */
static int address_of(int fd, const char *name, uint64_t *out)
{
	char text[32];
	ssize_t len = fgetxattr(fd, name, text, sizeof(text));

	if (len < 0)
		return -errno;
	if (len < 2 || memcmp(text, "0x", 2) != 0)
		return -EINVAL;
	return kvfs_number_parse(text + 2, (size_t)len - 2, 16, UINT64_MAX, out);
}

static bool is_direct(int fd)
{
	char mode[16] = "";

	return fgetxattr(fd, "user.kview.mode", mode, sizeof(mode) - 1) > 0 &&
	       strcmp(mode, "direct") == 0;
}

/* A mapping of another mode would be a copy that grows old. */
static bool map_file(const char *mount, const char *name, const char *addr_attribute,
		     struct mapped *out)
{
	char path[PATH_MAX];
	struct stat st;
	void *mem;
	int fd;

	if (snprintf(path, sizeof(path), "%s/%s", mount, name) >= (int)sizeof(path))
		return false;
	fd = (int)kvfs_real_open(path, O_RDONLY);
	if (fd < 0)
		return false;
	mem = MAP_FAILED;
	if (is_direct(fd) && address_of(fd, addr_attribute, &out->addr) == 0 && fstat(fd, &st) == 0 &&
	    st.st_size > 0)
		mem = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	kvfs_real_close(fd);
	if (mem == MAP_FAILED)
		return false;
	out->mem = mem;
	out->len = (uint64_t)st.st_size;
	return true;
}

/* The bytes of [addr, addr + len) in a mapping, or NULL if it has not all of them. */
INLINE const unsigned char *bytes_at(const struct mapped *file, uint64_t addr, uint64_t len)
{
	uint64_t off = addr - file->addr;

	if (off >= file->len || len > file->len - off)
		return NULL;
	return file->mem + off;
}

/* The entries that a walk went through, so that they can be looked at again. */
struct trail {
	const uint64_t *at[MAX_LEVELS];
	uint64_t entry[MAX_LEVELS];
	unsigned int n;
};

/*
 * kvfs_read_phys_fn: an entry of a page table is one load. Tables are aligned and at most
 * MAX_LEVELS deep (set_up_tables()), and so is what a walk asks for.
 */
INLINE int read_entry(void *arg, void *buf, size_t len, uint64_t paddr)
{
	const uint64_t *at = (const uint64_t *)(ram.mem + paddr);
	struct trail *trail = arg;
	uint64_t entry;

	if (paddr >= tables_end)
		return -EFAULT;
	entry = __atomic_load_n(at, __ATOMIC_ACQUIRE);
	trail->at[trail->n] = at;
	trail->entry[trail->n++] = entry;
	*(uint64_t *)buf = entry;
	return 0;
}

/* Whether all entries are what they were. */
INLINE bool is_unchanged(const struct trail *trail)
{
	for (unsigned int i = 0; i < trail->n; i++)
		if (__atomic_load_n(trail->at[i], __ATOMIC_RELAXED) != trail->entry[i])
			return false;
	return true;
}

/* Copies; a naturally aligned word whole, as the kernel does. */
INLINE void copy(void *to, const unsigned char *from, size_t len)
{
	if (len == 8 && (uintptr_t)from % 8 == 0) {
		uint64_t word = __atomic_load_n((const uint64_t *)from, __ATOMIC_RELAXED);

		memcpy(to, &word, sizeof(word));
	} else if (len == 4 && (uintptr_t)from % 4 == 0) {
		uint32_t word = __atomic_load_n((const uint32_t *)from, __ATOMIC_RELAXED);

		memcpy(to, &word, sizeof(word));
	} else if (len == 2 && (uintptr_t)from % 2 == 0) {
		uint16_t word = __atomic_load_n((const uint16_t *)from, __ATOMIC_RELAXED);

		memcpy(to, &word, sizeof(word));
	} else {
		memcpy(to, from, len);
	}
}

static bool is_zero(const unsigned char *bytes, size_t len)
{
	uint64_t word;

	if (len == sizeof(word)) {
		memcpy(&word, bytes, sizeof(word));
		return word == 0;
	}
	return bytes[0] == 0 && memcmp(bytes, bytes + 1, len - 1) == 0;
}

/* Whether zeros that were read may be those of a page that is hidden. */
static bool may_be_hidden(const unsigned char *from, const void *got, size_t len)
{
	const unsigned char *page = (const unsigned char *)((uintptr_t)from & ~(uintptr_t)(PAGE_LEN - 1));

	return is_zero(got, len) && is_zero(page, PAGE_LEN);
}

/*
 * The tables can change while the page is copied, and the page be given to another owner: what
 * was copied counts only if every entry that led there is the same afterwards.
 */
static bool copy_walked(void *buf, uint64_t vaddr, size_t len)
{
	for (int i = 0; i < MAX_WALKS; i++) {
		struct trail trail = { .n = 0 };
		/* Made here, so that the compiler sees which function reads the entries. */
		const struct kvfs_pagewalk walk = {
			.root = layout.root,
			.levels = layout.levels,
			.enc_mask = layout.enc_mask,
			.read = read_entry,
			.arg = &trail,
		};
		const unsigned char *from;
		uint64_t paddr, span;

		if (!kvfs_pagewalk_is_canonical(vaddr, walk.levels) ||
		    kvfs_pagewalk_look_up(&walk, vaddr, &paddr, &span) < 0)
			return false;
		if (paddr >= tables_end)
			return false;
		from = ram.mem + paddr;
		copy(buf, from, len);
		__atomic_thread_fence(__ATOMIC_ACQUIRE);
		if (is_unchanged(&trail))
			return !may_be_hidden(from, buf, len);
	}
	return false;
}

INLINE bool copy_mapped(void *buf, const struct mapped *file, uint64_t addr, size_t len)
{
	const unsigned char *from = bytes_at(file, addr, len);

	if (!from)
		return false;
	copy(buf, from, len);
	return !may_be_hidden(from, buf, len);
}

/* Copies what lies within one page and one segment. False: the kernel has to be asked. */
INLINE bool copy_piece(void *buf, const struct kvfs_layout_segment *segment, uint64_t skip,
		       size_t len)
{
	bool ok = false;

	switch (segment->kind) {
	case KVFS_LAYOUT_RAM:
		ok = copy_mapped(buf, &ram, segment->paddr + skip, len);
		break;
	case KVFS_LAYOUT_IMAGE:
		ok = copy_mapped(buf, &image, segment->vaddr + skip, len);
		break;
	case KVFS_LAYOUT_TABLES:
		ok = has_tables && copy_walked(buf, segment->vaddr + skip, len);
		if (ok)
			kvfs_count(&kvfs_counters.walked);
		return ok;
	}
	if (ok)
		kvfs_count(&kvfs_counters.mapped);
	return ok;
}

ssize_t kvfs_memory_pread_kernel(int fd, void *buf, size_t len, uint64_t off)
{
	ssize_t ret;

	/* Two preads of one descriptor of /proc/kcore get each other's bytes (all kernels to 7.3). */
	while (__atomic_exchange_n(&kernel_turn, 1, __ATOMIC_ACQUIRE))
		sched_yield();
	ret = kvfs_real_pread(fd, buf, len, off);
	__atomic_store_n(&kernel_turn, 0, __ATOMIC_RELEASE);
	kvfs_count(&kvfs_counters.kernel);
	return ret;
}

void kvfs_memory_forked(void)
{
	__atomic_store_n(&kernel_turn, 0, __ATOMIC_RELAXED);
	if (__atomic_load_n(&state, __ATOMIC_RELAXED) == SETTING_UP)
		__atomic_store_n(&state, UNUSABLE, __ATOMIC_RELAXED);
}

/*
 * Has the kernel fill [from, to) of buf, whose first byte is at off in the file. Returns `to`,
 * or where good bytes end, or -errno if there is none.
 */
static ssize_t fill(int fd, unsigned char *buf, size_t from, size_t to, uint64_t off)
{
	while (from < to) {
		ssize_t n = kvfs_memory_pread_kernel(fd, buf + from, to - from, off + from);

		if (n < 0 && from == 0)
			return n;
		if (n <= 0)
			break;
		from += (size_t)n;
	}
	return (ssize_t)from;
}

/* The general case: page by page, and what is not answered by the kernel in one go. */
static ssize_t read_pages(int fd, unsigned char *buf, size_t len, uint64_t off)
{
	size_t done = 0;		/* bytes that were looked at */
	size_t good = 0;		/* bytes that are there; [good, done) is for the kernel */

	while (done < len) {
		uint64_t skip, left;
		const struct kvfs_layout_segment *segment;
		size_t n = PAGE_LEN - (size_t)((off + done) % PAGE_LEN);

		segment = kvfs_layout_find(&layout, off + done, &skip, &left);
		if (n > left)
			n = (size_t)left;
		if (n > len - done)
			n = len - done;
		if (segment && copy_piece(buf + done, segment, skip, n)) {
			if (good < done) {
				ssize_t end = fill(fd, buf, good, done, off);

				if (end < (ssize_t)done)
					return end;
			}
			good = done + n;
		}
		done += n;
	}
	return good < len ? fill(fd, buf, good, len, off) : (ssize_t)len;
}

ssize_t kvfs_memory_pread(int fd, void *buf, size_t len, uint64_t off)
{
	uint64_t skip, left;

	if (len - 1 < PAGE_LEN - off % PAGE_LEN) {
		const struct kvfs_layout_segment *segment = kvfs_layout_find(&layout, off, &skip, &left);

		if (segment && len <= left && copy_piece(buf, segment, skip, len))
			return (ssize_t)len;
		return fill(fd, buf, 0, len, off);
	}
	if (len > SSIZE_MAX)
		return kvfs_memory_pread_kernel(fd, buf, len, off);
	return read_pages(fd, buf, len, off);
}

/* Some bytes of each kind of address must be what the kernel reads, else page tables are not used. */
static bool tables_agree(int fd)
{
	unsigned char ours[64], theirs[64];

	for (size_t i = 0; i < layout.nr; i++) {
		const struct kvfs_layout_segment *segment = &layout.v[i];

		if (segment->kind != KVFS_LAYOUT_TABLES || segment->len < sizeof(ours))
			continue;
		if (copy_walked(ours, segment->vaddr, sizeof(ours)) &&
		    kvfs_real_pread(fd, theirs, sizeof(theirs), segment->off) == sizeof(theirs) &&
		    memcmp(ours, theirs, sizeof(ours)) != 0)
			return false;
	}
	return true;
}

static void set_up_tables(int fd)
{
	if ((layout.levels != 4 && layout.levels != MAX_LEVELS) || layout.root % PAGE_LEN || ram.addr != 0)
		return;
	tables_end = ram.len & ~(uint64_t)(PAGE_LEN - 1);
	has_tables = tables_agree(fd);
}

static bool set_up(int fd)
{
	const char *mount = getenv(KVFS_EXEC_ENV_MOUNT);

	if (!mount || !map_file(mount, "kcore/ram", "user.kview.paddr", &ram))
		return false;
	if (kvfs_layout_load(fd, &layout) < 0)
		return false;
	/* Without it the image is read by the kernel. */
	map_file(mount, "kcore/text", "user.kview.vaddr", &image);
	set_up_tables(fd);
	return true;
}

bool kvfs_memory_ready(int fd)
{
	int before = __atomic_load_n(&state, __ATOMIC_ACQUIRE);
	int saved;

	if (before == NOT_TRIED &&
	    __atomic_compare_exchange_n(&state, &before, SETTING_UP, false, __ATOMIC_ACQUIRE,
					__ATOMIC_ACQUIRE)) {
		saved = errno;
		before = set_up(fd) ? READY : UNUSABLE;
		errno = saved;
		__atomic_store_n(&state, before, __ATOMIC_RELEASE);
	}
	/* Once in a process, for the moment that another thread takes. */
	while (before == SETTING_UP) {
		sched_yield();
		before = __atomic_load_n(&state, __ATOMIC_ACQUIRE);
	}
	return before == READY;
}
