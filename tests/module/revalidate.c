// SPDX-License-Identifier: GPL-2.0-only
/* The period after which mapped pages are unmapped: its bounds and its effect. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define TRACING "/sys/kernel/tracing/"
#define EVENT TRACING "events/workqueue/workqueue_execute_start/enable"
#define PARAMETER "/sys/module/kview/parameters/revalidate_ms"
/* Limit for events that take milliseconds, unless the host does not run the guest. */
#define PATIENCE_MS 5000

static void test_bounds(void)
{
	unsigned int before = kv_info().revalidate_ms;
	static const char *const wrong[] = { "0", "49", "60001", "-1", "4294967296", "x" };
	unsigned int i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ok(kv_write_file(PARAMETER, wrong[i]) < 0,
		   "\"%s\" is refused", wrong[i]);
	is_int(kv_info().revalidate_ms, before, "and nothing has changed");
	is_int(kv_revalidate_ms(50), 0, "50 is accepted");
	is_int(kv_info().revalidate_ms, 50, "and reported");
	is_int(kv_revalidate_ms(60000), 0, "60000 is accepted");
	is_int(kv_revalidate_ms(before), 0, "and what it was");
}

/* Whether touching a mapping costs faults again within @ms of being touched. */
static bool zapped_within(unsigned char *map, size_t len, unsigned int ms)
{
	uint64_t end;
	long before;
	bool zapped;

	kv_touch(map, len);
	end = kv_now_ms() + ms;
	do {
		kv_sleep_ms(1);
		before = kv_minflt();
		kv_touch(map, len);
		zapped = kv_minflt() > before;
	} while (!zapped && kv_now_ms() < end);
	return zapped;
}

static void test_effect(unsigned char *map, size_t len)
{
	kv_revalidate_ms(60000);
	ok(!zapped_within(map, len, 200), "60 s: nothing is unmapped in 200 ms");
	kv_revalidate_ms(50);
	ok(zapped_within(map, len, PATIENCE_MS), "50 ms: something is");
}

/* How often the module's work has run since tracing was switched on. */
static int count_runs(void)
{
	size_t size = 1 << 20;
	char *text = malloc(size), *at;
	int runs = 0;

	if (!text)
		bail("out of memory");
	kv_read_file(TRACING "trace", text, size);
	for (at = text; (at = strstr(at, "zap_mapped")); at++)
		runs++;
	free(text);
	return runs;
}

static void forget_runs(void)
{
	close(open(TRACING "trace", O_WRONLY | O_TRUNC | O_CLOEXEC));
}

/* Forgets the runs so far, once there was one. Returns whether there was. */
static bool await_run(void)
{
	uint64_t end = kv_now_ms() + PATIENCE_MS;
	bool seen = false;

	while (!seen && kv_now_ms() < end)
		seen = count_runs() > 0;
	forget_runs();
	return seen;
}

/* Whether there comes a time of @ms without a run. */
static bool await_rest(unsigned int ms)
{
	uint64_t end = kv_now_ms() + PATIENCE_MS;
	bool rested = false;

	while (!rested && kv_now_ms() < end) {
		forget_runs();
		kv_sleep_ms(ms);
		rested = !count_runs();
	}
	return rested;
}

/* A mapping that is not used is unmapped once; then the work does not run. */
static void test_rest(unsigned char *map, size_t len)
{
	if (kv_write_file(EVENT, "1")) {
		skip(3, "no tracefs at " TRACING);
		return;
	}
	kv_revalidate_ms(50);
	kv_touch(map, len);
	ok(await_run(), "touched: the work runs");
	/* It may have been touched before and after the run that was seen. */
	ok(await_rest(500), "10 periods without a touch: it does not run");
	kv_touch(map, PAGE);
	ok(await_run(), "touched again: it runs again");
	kv_write_file(EVENT, "0");
}

int main(void)
{
	unsigned int before = kv_info().revalidate_ms;
	int fd = kv_ram_view();
	size_t len = 8 * PMD;
	uint64_t paddr;
	unsigned char *map;

	if (!kv_find_ram(len, PMD, &paddr))
		bail("no 16 MiB of RAM in one piece");
	map = kv_map(fd, paddr, len);
	test_bounds();
	test_effect(map, len);
	test_rest(map, len);
	kv_revalidate_ms(before);
	return finish();
}
