// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings through the mount as processes treat them: forked, moved, cut, zapped, private,
 * and outliving the descriptor. They show known bytes: pages of this process, found by their
 * physical address.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kv.h"
#include "mount.h"
#include "tap.h"

#define NR_PAGES 64

static int ram;
static unsigned char *pages;
static uint64_t paddr[NR_PAGES];

/* Updates paddr[]: pages that were shared with a child move when they are written to. */
static void locate_pages(void)
{
	for (int i = 0; i < NR_PAGES; i++) {
		*(volatile unsigned char *)(pages + i * PAGE) += 1;
		paddr[i] = kv_virt_to_phys(pages + i * PAGE);
	}
}

/* Tells whether a mapping of kcore/ram from physical 0 on shows all pages of this process. */
static bool shows_pages(const unsigned char *map)
{
	for (int i = 0; i < NR_PAGES; i++) {
		if (memcmp(map + paddr[i], pages + i * PAGE, PAGE) != 0) {
			diag("page at %#" PRIx64 " differs", paddr[i]);
			return false;
		}
	}
	return true;
}

/* Runs the check in a child. Returns whether it passed. */
static bool in_child(bool (*check)(const unsigned char *), const unsigned char *map)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		bail("fork: %s", strerror(errno));
	if (pid == 0)
		_exit(check(map) ? 0 : 1);
	if (waitpid(pid, &status, 0) != pid)
		bail("waitpid: %s", strerror(errno));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool unmaps_and_exits(const unsigned char *map)
{
	return shows_pages(map) && munmap((void *)map, mount_size(ram)) == 0;
}

static void check_pfns(void)
{
	unsigned char buf[PAGE];
	bool all = true;

	for (int i = 0; i < NR_PAGES; i++)
		all = all && pread(ram, buf, PAGE, (off_t)paddr[i]) == (ssize_t)PAGE &&
		      memcmp(buf, pages + i * PAGE, PAGE) == 0;
	ok(all, "%d pages of this process are read at their physical addresses", NR_PAGES);
}

static void check_whole(int flags, const char *kind)
{
	size_t len = mount_size(ram);
	unsigned char *map = mmap(NULL, len, PROT_READ, flags, ram, 0);

	if (map == MAP_FAILED)
		bail("mmap of all of kcore/ram, %s: %s", kind, strerror(errno));
	locate_pages();
	ok(shows_pages(map), "%s: all of them show in a mapping of everything", kind);
	/* The mapping is the memory itself, not a copy: writes show at once. */
	for (int i = 0; i < NR_PAGES; i++)
		memset(pages + i * PAGE + 100, 0xa5 ^ i, 50);
	ok(shows_pages(map), "%s: their new bytes show without a system call", kind);
	ok(in_child(shows_pages, map), "%s: in a child that inherits it touched", kind);
	munmap(map, len);

	map = mmap(NULL, len, PROT_READ, flags, ram, 0);
	ok(in_child(shows_pages, map), "%s: in a child that inherits it untouched", kind);
	ok(in_child(unmaps_and_exits, map), "%s: a child can unmap its own", kind);
	ok(shows_pages(map), "%s: which leaves the parent's alone", kind);
	munmap(map, len);
}

static void check_mremap(void)
{
	size_t len = mount_size(ram), cut = (len / 2) & -PMD;
	unsigned char *map = mmap(NULL, len, PROT_READ, MAP_SHARED, ram, 0), *moved, *room;

	shows_pages(map);
	room = mmap(NULL, len + PMD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	moved = mremap(map, len, len, MREMAP_MAYMOVE | MREMAP_FIXED, (unsigned char *)
		       (((uintptr_t)room + PMD - 1) & -PMD));
	ok(moved != MAP_FAILED && shows_pages(moved), "moved by mremap");
	map = moved;
	/* To where huge pages cannot stay: offset and address differ modulo 2 MiB. */
	room = mmap(NULL, len + 2 * PMD, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	moved = mremap(map, len, len, MREMAP_MAYMOVE | MREMAP_FIXED,
		       (unsigned char *)(((uintptr_t)room + PMD - 1) & -PMD) + 3 * PAGE);
	ok(moved != MAP_FAILED && shows_pages(moved), "moved by mremap out of alignment");
	map = moved;
	moved = mremap(map, len, cut, 0);
	ok(moved == map, "shrunk by mremap");
	is_int(kv_load(map + cut), -SIGSEGV, "what was cut off is gone");
	is_int(munmap(map, cut), 0, "and the rest can be unmapped");
}

/* Holes of 4 KiB, of 2 MiB, and over a border of the two, in a mapping of huge pages. */
static void check_partial_munmap(void)
{
	static const struct { uint64_t off, len; } holes[] = {
		{ 7 * PAGE, PAGE }, { PMD, PMD }, { 3 * PMD - 5 * PAGE, 11 * PAGE },
		{ 4 * PMD - PAGE, PMD + 2 * PAGE },
	};
	const size_t len = 8 * PMD;
	uint64_t start;
	unsigned char *map;
	bool gone = true, same = true;

	if (!kv_find_ram(len, PMD, &start))
		bail("no %zu bytes of RAM in one piece", len);
	map = kv_map_at(ram, start, len, PMD);
	kv_touch(map, len);
	for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++) {
		is_int(munmap(map + holes[i].off, holes[i].len), 0,
		       "munmap of %llu KiB at %llu KiB of a touched mapping",
		       holes[i].len / KIB, holes[i].off / KIB);
		gone = gone && kv_load(map + holes[i].off) == -SIGSEGV &&
		       kv_load(map + holes[i].off + holes[i].len - 1) == -SIGSEGV;
	}
	ok(gone, "what was unmapped is gone");
	for (uint64_t off = 0; off < len; off += PAGE) {
		bool hole = false;

		for (size_t i = 0; i < sizeof(holes) / sizeof(holes[0]); i++)
			hole = hole || (off >= holes[i].off && off < holes[i].off + holes[i].len);
		same = same && (hole ? kv_load(map + off) == -SIGSEGV : kv_load(map + off) >= 0);
	}
	ok(same, "and nothing else");
	munmap(map, len);
}

static void check_after_close(void)
{
	size_t len = mount_size(ram);
	int fd = open(mount_path("ram"), O_RDONLY | O_CLOEXEC);
	unsigned char *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);

	if (map == MAP_FAILED)
		bail("mmap: %s", strerror(errno));
	close(fd);
	ok(shows_pages(map), "a mapping works when its descriptor is closed");
	is_int(madvise(map, len, MADV_DONTNEED) < 0 ? errno : 0, EINVAL, "MADV_DONTNEED is EINVAL");
	ok(shows_pages(map), "and changes nothing");
	munmap(map, len);
}

/* The kernel can read from a mapping, but not pin its pages. */
static void check_as_source(void)
{
	unsigned char *map = kv_map(ram, paddr[0], PAGE), buf[PAGE];
	int pipes[2];

	if (pipe(pipes))
		bail("pipe: %s", strerror(errno));
	is_int(write(pipes[1], map, PAGE), PAGE, "write(2) takes its bytes from a mapping");
	ok(read(pipes[0], buf, PAGE) == (ssize_t)PAGE && memcmp(buf, pages, PAGE) == 0,
	   "and they are right");
	is_int(pread(ram, map, 16, 0) < 0 ? errno : 0, EFAULT, "read(2) into a mapping is EFAULT");
	close(pipes[0]);
	close(pipes[1]);
	munmap(map, PAGE);
}

int main(void)
{
	ram = mount_open("ram");
	pages = kv_pages(NR_PAGES, paddr);
	check_pfns();
	check_whole(MAP_SHARED, "shared");
	check_whole(MAP_PRIVATE, "private");
	locate_pages();
	check_mremap();
	check_partial_munmap();
	locate_pages();
	check_after_close();
	locate_pages();
	check_as_source();
	return finish();
}
