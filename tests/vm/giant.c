// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings with entries of 1 GiB, cut, moved and copied. The kernel cannot cut or move such
 * an entry, so the module must have taken it away before. What else would go wrong is in
 * the kernel's log, which the runner reads.
 */
#include <inttypes.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

/* Most faults for 1 GiB that has one entry of its own. */
#define FEW 8
/* Not a multiple of 2 MiB, so that smaller huge entries have to be cut as well. */
#define CUT (100 * PMD + 5 * PAGE)

static uint64_t base;

/* Touches 1 GiB that is not mapped yet; returns the faults that it took. */
static long touch(unsigned char *map)
{
	long before = kv_minflt();

	kv_touch(map, GIB);
	return kv_minflt() - before;
}

/* A new view, mapped by one entry. */
static unsigned char *giant(int *fd)
{
	unsigned char *map;
	long faults;

	*fd = kv_ram_view();
	map = kv_map_at(*fd, base, GIB, GIB);
	faults = touch(map);
	ok(faults <= FEW, "1 GiB of a new view: %ld faults", faults);
	return map;
}

/* The kernel splits its own 1 GiB entries where it has changed an attribute of a page. */
static bool find_giant(void)
{
	struct kv_range ranges[256];
	unsigned int i, nr = kv_iomem(ranges, 256);
	unsigned char *map;
	long faults;
	int fd = kv_ram_view();

	for (i = 0; i < nr; i++)
		for (base = (ranges[i].start + GIB - 1) & -GIB;
		     base < ranges[i].end && ranges[i].end - base >= GIB; base += GIB) {
			map = kv_map_at(fd, base, GIB, GIB);
			faults = touch(map);
			munmap(map, GIB);
			diag("1 GiB at %#" PRIx64 ": %ld faults", base, faults);
			if (faults <= FEW) {
				close(fd);
				return true;
			}
		}
	close(fd);
	return false;
}

static void test_again(int fd, const char *what)
{
	unsigned char *map = kv_map_at(fd, base, GIB, GIB);
	long faults = touch(map);

	ok(faults > FEW && faults <= (long)(GIB / PMD) + FEW,
	   "%s: the view has entries of 2 MiB now, %ld of them", what, faults);
	munmap(map, GIB);
	close(fd);
}

static void test_cut(void)
{
	int fd;
	unsigned char *map = giant(&fd);

	is_int(munmap(map + CUT, PAGE), 0, "cut: a page is taken out");
	is_int(kv_load(map + CUT), -SIGSEGV, "it is gone");
	ok(kv_load(map + CUT - 1) >= 0 && kv_load(map + CUT + PAGE) >= 0, "beside it nothing is");
	is_int((long long)kv_touch(map, CUT), CUT / PAGE, "all before it can be loaded");
	munmap(map, GIB);
	test_again(fd, "cut");
}

static void test_protected(void)
{
	int fd;
	unsigned char *map = giant(&fd);

	is_int(mprotect(map + CUT, PAGE, PROT_NONE), 0, "protected: a page, against reading");
	is_int(kv_load(map + CUT), -SIGSEGV, "it cannot be loaded");
	ok(kv_load(map + CUT - 1) >= 0 && kv_load(map + CUT + PAGE) >= 0, "its neighbours can");
	is_int(mprotect(map, GIB, PROT_READ), 0, "all can be read again");
	ok(kv_load(map + CUT) >= 0, "and is");
	munmap(map, GIB);
	test_again(fd, "protected");
}

/* @shift: to where, beyond a multiple of 1 GiB. */
static void test_moved(uint64_t shift)
{
	int fd;
	unsigned char *map = giant(&fd), *room, *to;

	room = mmap(NULL, 3 * GIB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		bail("no room in the address space");
	to = (unsigned char *)(((uintptr_t)room + GIB - 1) & -GIB) + shift;
	/* What an entry that was forgotten in the TLB would still show. */
	kv_load(map + CUT);
	ok(mremap(map, GIB, GIB, MREMAP_MAYMOVE | MREMAP_FIXED, to) == to,
	   "moved: by 1 GiB and %#" PRIx64, shift);
	is_int(kv_load(map + CUT), -SIGSEGV, "it is not in the old place any more");
	is_int((long long)kv_touch(to, GIB), GIB / PAGE, "all of it is in the new one");
	munmap(room, 3 * GIB);
	test_again(fd, "moved");
}

static void test_forked(void)
{
	int fd, status;
	unsigned char *map = giant(&fd);
	pid_t pid = fork();

	if (!pid) {
		munmap(map + CUT, PAGE);
		_exit(kv_load(map + CUT) != -SIGSEGV || kv_touch(map, CUT) != CUT / PAGE);
	}
	waitpid(pid, &status, 0);
	is_int(status, 0, "forked: the child cuts its copy");
	is_int((long long)kv_touch(map, GIB), GIB / PAGE, "the parent keeps all");
	munmap(map, GIB);
	test_again(fd, "forked");
}

int main(void)
{
	if (!(kv_info().features & KVIEW_FEATURE_HUGE_PUD))
		skip_all("no 1 GiB entries on this kernel or CPU");
	if (!find_giant())
		skip_all("the kernel has split all its entries of 1 GiB");
	test_cut();
	test_protected();
	test_moved(0);
	test_moved(PMD);
	test_moved(3 * PAGE);
	test_forked();
	return finish();
}
