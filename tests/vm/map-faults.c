// SPDX-License-Identifier: GPL-2.0-only
/*
 * How many faults it takes to map memory through the mount, and how large its page table
 * entries are: page tables that stay small hold huge ones.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "kv.h"
#include "mount.h"
#include "tap.h"

/* Limit on faults to touch 1 GiB: 512 of 2 MiB, and a few of the program's own. */
#define FAULTS_PER_GIB 520

/* Page tables of this process in KiB. */
static long vm_pte_kib(void)
{
	char text[8192];
	const char *line;

	if (kv_read_file("/proc/self/status", text, sizeof(text)) < 0)
		bail("/proc/self/status cannot be read");
	line = strstr(text, "VmPTE:");
	if (!line)
		bail("/proc/self/status has no VmPTE");
	return strtol(line + strlen("VmPTE:"), NULL, 10);
}

/* Touches [start, start + len) of fd, page by page. Returns the number of faults. */
static long faults_of(int fd, uint64_t start, uint64_t len, int flags, long *pte_kib)
{
	unsigned char *map;
	long before, pte;

	map = mmap(NULL, len, PROT_READ, flags, fd, (off_t)start);
	if (map == MAP_FAILED)
		bail("mmap of %llu MiB: %s", len / MIB, strerror(errno));
	pte = vm_pte_kib();
	before = kv_minflt();
	kv_touch(map, len);
	before = kv_minflt() - before;
	*pte_kib = vm_pte_kib() - pte;
	munmap(map, len);
	return before;
}

/* The largest run of whole 2 MiB blocks of System RAM. */
static struct kv_range largest_run(void)
{
	struct kv_range ranges[256], best = { 0, 0 };
	unsigned int nr = kv_iomem(ranges, 256);

	for (unsigned int i = 0; i < nr; i++) {
		uint64_t start = (ranges[i].start + PMD - 1) & -PMD, end = ranges[i].end & -PMD;

		if (start < end && end - start > best.end - best.start)
			best = (struct kv_range){ start, end };
	}
	return best;
}

static void check_faults(int fd, uint64_t start, uint64_t len, int flags, const char *what)
{
	long pte_kib;
	long faults = faults_of(fd, start, len, flags, &pte_kib);
	/* Entries of 4 KiB would take a page of page table, 4 KiB, for each 2 MiB. */
	long pte_limit = (long)(len / PMD) / 4;
	long limit = (long)((len * FAULTS_PER_GIB + GIB - 1) / GIB);

	if (!ok(faults <= limit, "%s: %llu MiB take at most %ld faults", what, len / MIB, limit))
		diag("they took %ld", faults);
	/* Where the direct map itself has small pages, so has the mapping. */
	if (!ok(pte_kib <= pte_limit, "%s: nearly all of its entries are huge", what))
		diag("page tables grew by %ld KiB for %llu MiB", pte_kib, len / MIB);
	diag("%s: %ld faults and %ld KiB of page tables for %llu MiB", what, faults, pte_kib,
	     len / MIB);
}

/* A mapping at an unsuitable address works with small pages, and faults around them. */
static void check_misaligned(int fd, uint64_t start)
{
	const uint64_t len = 32 * PMD;
	unsigned char *room = mmap(NULL, len + 2 * PMD, PROT_NONE,
				   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	unsigned char *at, *map;
	long faults;

	if (room == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	at = (unsigned char *)(((uintptr_t)room + PMD - 1) & -PMD) + PAGE;
	map = mmap(at, len, PROT_READ, MAP_SHARED | MAP_FIXED, fd, (off_t)start);
	if (map == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	faults = kv_minflt();
	kv_touch(map, len);
	faults = kv_minflt() - faults;
	if (!ok(faults <= (long)(len / PMD) * 4 + 8, "out of alignment: fault-around saves most faults"))
		diag("%ld faults for %llu pages", faults, len / PAGE);
	munmap(room, len + 2 * PMD);
}

int main(void)
{
	int ram = mount_open("ram"), core = mount_open("core");
	struct kv_range run = largest_run();
	uint64_t len = run.end - run.start, mem_total = len;

	ok(len >= 256 * MIB, "there are at least 256 MiB in one piece");
	if (len > GIB)
		len = GIB;
	diag("%llu MiB of RAM in one piece, %llu MiB are mapped", mem_total / MIB, len / MIB);
	check_faults(ram, run.start, len, MAP_SHARED, "kcore/ram, shared");
	check_faults(ram, run.start, len, MAP_PRIVATE, "kcore/ram, private");
	/* RAM is in kcore/core at 1 GiB + its physical address. */
	check_faults(core, GIB + run.start, len, MAP_SHARED, "kcore/core, shared");
	check_misaligned(ram, run.start);
	return finish();
}
