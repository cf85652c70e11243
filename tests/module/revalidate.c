// SPDX-License-Identifier: GPL-2.0-only
/* The backstop: its parameters, that a mapping in use stays mapped, and that it rests. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define PARAMETERS "/sys/module/kview/parameters/"
#define PERIOD PARAMETERS "revalidate_ms"
#define BUDGET PARAMETERS "revalidate_cpu"
#define LEN (16 * PMD)

static void test_bounds(void)
{
	static const char *const wrong[] = { "0", "49", "60001", "-1", "4294967296", "x" };
	unsigned int before = kv_info().revalidate_ms, i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ok(kv_write_file(PERIOD, wrong[i]) < 0, "revalidate_ms: \"%s\" is refused", wrong[i]);
	is_int(kv_info().revalidate_ms, before, "and nothing has changed");
	is_int(kv_revalidate_ms(50), 0, "50 is accepted");
	is_int(kv_info().revalidate_ms, 50, "and reported");
	is_int(kv_info().direct_ms, 50, "and is the bound for the direct map, too");
	is_int(kv_revalidate_ms(60000), 0, "60000 is accepted");
	is_int(kv_info().direct_ms, 1000, "the direct map is looked at once a second");
	is_int(kv_revalidate_ms(before), 0, "and what it was");
	ok(kv_write_file(BUDGET, "0") < 0 && kv_write_file(BUDGET, "101") < 0,
	   "revalidate_cpu: 0 and 101 are refused");
	is_int(kv_write_file(BUDGET, "1"), 0, "1 is accepted");
}

/* Blocks of RAM that only this process uses, so that their verdict does not change. */
static unsigned char *map_own_memory(int view, unsigned char **pages)
{
	uint64_t paddr[LEN / PAGE];
	unsigned char *map;

	*pages = kv_pages(LEN / PAGE, paddr);
	map = kv_map(view, paddr[0] & -PMD, PMD);
	return map;
}

static void test_stays(int view)
{
	unsigned char *pages, *map = map_own_memory(view, &pages);
	uint64_t revoked = kv_revoked();
	long faults;

	kv_revalidate_ms(50);
	/* The first call brings in pages of this program, too. */
	kv_touch(map, PMD);
	kv_await_passes(1);
	kv_touch(map, PMD);
	faults = kv_minflt();
	ok(kv_await_passes(3), "three passes with a period of 50 ms");
	kv_touch(map, PMD);
	faults = kv_minflt() - faults;
	/* Other blocks are not mapped; a page of this one may be freed or hidden meanwhile. */
	ok(faults <= 2 * (long)(kv_revoked() - revoked) + 1,
	   "the mapping stays: %ld faults, %llu blocks revoked", faults,
	   (unsigned long long)(kv_revoked() - revoked));
	munmap(map, PMD);
	munmap(pages, LEN);
}

/* A shorter period must not wait for the end of the long one. */
static void test_lowered(int view)
{
	uint64_t paddr;
	unsigned char *map;

	if (!kv_find_ram(LEN, PMD, &paddr))
		bail("no 32 MiB of RAM in one piece");
	map = kv_map(view, paddr, LEN);
	kv_revalidate_ms(60000);
	kv_touch(map, LEN);
	kv_revalidate_ms(50);
	ok(kv_await_passes(2), "lowered to 50 ms: the next passes do not wait for the minute");
	munmap(map, LEN);
}

/* Without a mapping the thread does not run. */
static void test_rest(void)
{
	uint64_t before;

	ok(kv_await_unmapped(), "after the last munmap no block counts as mapped");
	/* A run that was planned before ends the runs. */
	kv_sleep_ms(200);
	before = kv_info().worker_ns;
	kv_sleep_ms(500);
	is_int((long long)(kv_info().worker_ns - before), 0, "10 periods later the thread has not run");
}

/* While the module is loaded, the hooks cannot be switched off. */
static void test_permanent(void)
{
	uint32_t want = KVIEW_EVENT_ALL;
	struct utsname name;
	int major, minor;

	if (uname(&name) || sscanf(name.release, "%d.%d", &major, &minor) != 2)
		bail("cannot tell the kernel's version");
	if (!kv_has_symbol("memory_failure"))
		want &= ~KVIEW_EVENT_POISON;
	is_int(kv_info().events, want, "each class of events that this kernel has is hooked");
	if (major < 6 || (major == 6 && minor < 3))
		skip(1, "before Linux 6.3 the hooks are kprobes, which can be switched off");
	else if (access("/proc/sys/kernel/ftrace_enabled", F_OK))
		skip(1, "this kernel has no ftrace");
	else
		is_int(kv_write_file("/proc/sys/kernel/ftrace_enabled", "0"), -EBUSY,
		       "kernel.ftrace_enabled=0 is refused");
}

int main(void)
{
	unsigned int before = kv_info().revalidate_ms;
	int view = kv_ram_view();

	test_bounds();
	test_stays(view);
	test_lowered(view);
	test_rest();
	test_permanent();
	kv_revalidate_ms(before);
	return finish();
}
