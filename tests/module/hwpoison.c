// SPDX-License-Identifier: GPL-2.0-only
/*
 * A page with a memory error is zeros: at once when read, and in a mapping that had it after the
 * event, or where the kernel has none after a pass over all mapped pages.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

static void on_bus_error(int sig)
{
	(void)sig;
}

static void test_error(void)
{
	unsigned char *pages, *map, buf[3 * PAGE];
	int view = kv_ram_view();
	uint64_t paddr[3], at;

	pages = kv_pages(3, paddr);
	at = paddr[1];
	map = kv_map(view, at & -PMD, PMD);
	ok(!memcmp(map + at % PMD, pages + PAGE, PAGE), "mapped: the page before the error");

	/* The kernel tells the owner of the page, which is us. */
	signal(SIGBUS, on_bus_error);
	if (madvise(pages + PAGE, PAGE, MADV_HWPOISON)) {
		if (errno == EINVAL)
			skip(6, "this kernel handles no memory errors");
		else
			ok(false, "MADV_HWPOISON: %s", strerror(errno));
		return;
	}
	is_int(pread(view, buf, PAGE, (off_t)at), PAGE, "read: it can be read after the error");
	ok(kv_is_zero(buf, PAGE), "and is zeros");
	ok(kv_await_hidden(KVIEW_EVENT_POISON), "mapped: the module has had its event");
	ok(kv_is_zero(map + at % PMD, PAGE), "mapped: it is zeros");
	is_int(pread(view, buf, PAGE, (off_t)paddr[0]), PAGE, "the page beside it can be read");
	ok(!memcmp(buf, pages, PAGE), "and is what it was");
	munmap(map, PMD);
}

int main(void)
{
	unsigned int before = kv_info().revalidate_ms;

	is_int(kv_revalidate_ms(KV_SLOW_MS), 0, "revalidate_ms is %u", KV_SLOW_MS);
	test_error();
	kv_revalidate_ms(before);
	return finish();
}
