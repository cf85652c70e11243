// SPDX-License-Identifier: GPL-2.0-only
/* The period at which mappings are judged anew: its bounds, its effect, and its rest. */
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

static void test_bounds(void)
{
	unsigned int before = kv_info().revalidate_ms;
	static const char *const wrong[] = { "0", "9", "60001", "-1", "4294967296", "x" };
	unsigned int i;

	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		ok(kv_write_file(PARAMETER, wrong[i]) < 0,
		   "\"%s\" is refused", wrong[i]);
	is_int(kv_info().revalidate_ms, before, "and nothing has changed");
	is_int(kv_revalidate_ms(10), 0, "10 is accepted");
	is_int(kv_info().revalidate_ms, 10, "and reported");
	is_int(kv_revalidate_ms(60000), 0, "60000 is accepted");
	is_int(kv_revalidate_ms(before), 0, "and what it was");
}

/* Whether touching a mapping costs faults again @ms after it was touched. */
static bool zapped_after(unsigned char *map, size_t len, unsigned int ms)
{
	long before;

	kv_touch(map, len);
	kv_sleep_ms(ms);
	before = kv_minflt();
	kv_touch(map, len);
	return kv_minflt() > before;
}

static void test_effect(unsigned char *map, size_t len)
{
	kv_revalidate_ms(60000);
	ok(!zapped_after(map, len, 200), "60 s: nothing is unmapped after 200 ms");
	kv_revalidate_ms(20);
	ok(zapped_after(map, len, 100), "20 ms: something is after 100 ms");
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
	uint64_t end = kv_now_ms() + 5000;
	bool seen = false;

	while (!seen && kv_now_ms() < end)
		seen = count_runs() > 0;
	forget_runs();
	return seen;
}

/* A mapping that nobody touches is unmapped once, and then the module sleeps. */
static void test_rest(unsigned char *map, size_t len)
{
	if (kv_write_file(EVENT, "1")) {
		skip(3, "no tracefs at " TRACING);
		return;
	}
	kv_revalidate_ms(10);
	kv_touch(map, len);
	ok(await_run(), "touched: the work runs");
	/* It may have been touched before and after the run that was seen. */
	kv_sleep_ms(100);
	forget_runs();
	kv_sleep_ms(500);
	is_int(count_runs(), 0, "50 periods without a touch: it does not run");
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
