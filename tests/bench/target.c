// SPDX-License-Identifier: GPL-2.0-only
#include "target.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kview.h"

#define MIB (UINT64_C(1) << 20)
#define GIB (UINT64_C(1) << 30)

static void die(const char *what)
{
	fprintf(stderr, "kview-bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* The first aligned address in [start, end) with len bytes up to end; 0 if there is none. */
static uint64_t fit(uint64_t start, uint64_t end, uint64_t len, uint64_t align)
{
	uint64_t at = (start + align - 1) & ~(align - 1);

	return at < end && end - at >= len ? at : 0;
}

void target_find_region(uint64_t len, uint64_t *paddr, uint64_t *kcore_off)
{
	static const uint64_t aligns[] = { GIB, 2 * MIB };
	Elf64_Ehdr eh;
	Elf64_Phdr *ph;
	ssize_t want;
	int fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		die("/proc/kcore");
	if (pread(fd, &eh, sizeof(eh), 0) != sizeof(eh))
		die("/proc/kcore: ELF header");
	want = (ssize_t)eh.e_phnum * sizeof(*ph);
	ph = malloc(want);
	if (!ph || pread(fd, ph, want, eh.e_phoff) != want)
		die("/proc/kcore: program headers");
	close(fd);

	for (size_t a = 0; a < sizeof(aligns) / sizeof(aligns[0]); a++) {
		for (int i = 0; i < eh.e_phnum; i++) {
			uint64_t at;

			if (ph[i].p_type != PT_LOAD || ph[i].p_paddr == UINT64_MAX)
				continue;
			at = fit(ph[i].p_paddr, ph[i].p_paddr + ph[i].p_memsz, len, aligns[a]);
			if (!at)
				continue;
			*paddr = at;
			*kcore_off = ph[i].p_offset + (at - ph[i].p_paddr);
			free(ph);
			return;
		}
	}
	fprintf(stderr, "kview-bench: no run of %" PRIu64 " MiB of RAM: give the guest more memory\n",
		len / MIB);
	exit(1);
}

static void cannot(struct target *t, const char *what, int errnum)
{
	snprintf(t->why_not, sizeof(t->why_not), "%s: %s", what, strerror(errnum));
}

void target_open_file(struct target *t, const char *name, const char *path, uint64_t base)
{
	uint64_t word;

	*t = (struct target){ .name = name, .base = base };
	t->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (t->fd < 0)
		cannot(t, path, errno);
	else if (pread(t->fd, &word, sizeof(word), base) != sizeof(word))
		cannot(t, path, errno ? errno : ENODATA);
}

void target_open_view(struct target *t, const char *name, uint64_t paddr, uint64_t len)
{
	struct kview_extent extent = {
		.off = paddr, .len = len, .src = paddr, .kind = KVIEW_EXTENT_RAM,
	};
	struct kview_create create = {
		.size = paddr + len, .extents = (uintptr_t)&extent, .nr_extents = 1,
		.name = "bench",
	};
	int ctl = open(KVIEW_DEVICE, O_RDWR | O_CLOEXEC);

	*t = (struct target){ .name = name, .fd = -1, .base = paddr };
	if (ctl < 0) {
		cannot(t, KVIEW_DEVICE, errno);
		return;
	}
	t->fd = ioctl(ctl, KVIEW_IOC_CREATE, &create);
	if (t->fd < 0)
		cannot(t, "KVIEW_IOC_CREATE", errno);
	close(ctl);
}

void target_open_tmpfs(struct target *t, const char *name, uint64_t len)
{
	static uint8_t block[MIB];

	*t = (struct target){ .name = name, .fd = memfd_create("bench", MFD_CLOEXEC) };
	if (t->fd < 0)
		die("memfd_create");
	memset(block, 0x5a, sizeof(block));
	for (uint64_t off = 0; off < len; off += sizeof(block))
		if (pwrite(t->fd, block, sizeof(block), off) != sizeof(block))
			die("writing the tmpfs file");
}

/* Bytes of huge pages in the mapping at addr, from smaps. */
static uint64_t huge_bytes(const void *addr)
{
	char line[256];
	uint64_t start, end, kib, bytes = 0;
	int here = 0;
	FILE *f = fopen("/proc/self/smaps", "re");

	if (!f)
		die("/proc/self/smaps");
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " ", &start, &end) == 2)
			here = (uintptr_t)addr >= start && (uintptr_t)addr < end;
		else if (here && sscanf(line, "AnonHugePages: %" SCNu64 " kB", &kib) == 1)
			bytes = kib * 1024;
	}
	fclose(f);
	return bytes;
}

void target_open_anon(struct target *t, const char *name, uint64_t len)
{
	uint8_t *raw = mmap(NULL, len + 2 * MIB, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	*t = (struct target){ .name = name, .fd = -1 };
	if (raw == MAP_FAILED)
		die("the anonymous buffer");
	t->map = (uint8_t *)(((uintptr_t)raw + 2 * MIB - 1) & ~(uintptr_t)(2 * MIB - 1));
	madvise(t->map, len, MADV_HUGEPAGE);
	memset(t->map, 0x5a, len);
	if (huge_bytes(t->map) < len)
		snprintf(t->why_not, sizeof(t->why_not), "only %" PRIu64 " of %" PRIu64 " MiB are huge pages",
			 huge_bytes(t->map) / MIB, len / MIB);
}

int target_map(struct target *t, uint64_t len)
{
	void *p = mmap(NULL, len, PROT_READ, MAP_SHARED, t->fd, t->base);

	if (p == MAP_FAILED)
		return -errno;
	/* Linux 6.12 obeys the THP setting for these mappings as well; later kernels ignore it. */
	madvise(p, len, MADV_HUGEPAGE);
	t->map = p;
	return 0;
}

void target_unmap(struct target *t, uint64_t len)
{
	munmap(t->map, len);
	t->map = NULL;
}
