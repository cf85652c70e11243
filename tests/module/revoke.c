// SPDX-License-Identifier: GPL-2.0-only
/*
 * Revocation by event: with the longest period, so that the backstop is of no help, a page that
 * is hidden is unmapped before the process that hides it goes on.
 */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define ROUNDS 32
#define THREADS 16
#define TRACING "/sys/kernel/tracing/"

static int view;
static unsigned char *map;
static uint64_t end;

/* How many of ROUNDS secrets the mapping showed right after they were stored. */
static unsigned int count_leaks(void)
{
	unsigned int i, leaks = 0;

	for (i = 0; i < ROUNDS; i++) {
		unsigned char *page;

		kv_touch(map, end);
		page = kv_secret_page((unsigned char)(0x80 + i));
		leaks += map[kv_virt_to_phys(page)] == 0x80 + i;
		munmap(page, PAGE);
	}
	return leaks;
}

static void test_secret(void)
{
	uint64_t before = kv_info().revoked[KV_REVOKED_DIRECT_MAP];
	unsigned char *page = kv_secret_page(1);

	if (!page) {
		skip(2, "no memfd_secret(2); boot with secretmem.enable=1");
		return;
	}
	munmap(page, PAGE);
	is_int(count_leaks(), 0, "none of %d secrets is seen after it was stored", ROUNDS);
	ok(kv_info().revoked[KV_REVOKED_DIRECT_MAP] > before, "blocks were revoked for it");
}

static pthread_barrier_t barrier;
static unsigned char *cold;

static void *load_cold(void *arg)
{
	(void)arg;
	pthread_barrier_wait(&barrier);
	(void)*(volatile unsigned char *)cold;
	return NULL;
}

static unsigned int count_verdicts(uint64_t paddr)
{
	static char text[1 << 20];
	unsigned int nr = 0;
	char want[64], *at;

	snprintf(want, sizeof(want), "block=%#llx ", (unsigned long long)(paddr / PMD));
	kv_read_all(TRACING "trace", text, sizeof(text));
	for (at = text; (at = strstr(at, want)); at++)
		nr += !strncmp(strstr(at, "cause="), "cause=fault", 11);
	return nr;
}

/* Threads that load from one block at once need one verdict. */
static void test_one_verdict(void)
{
	pthread_t threads[THREADS];
	uint64_t paddr;
	unsigned int i;

	if (kv_write_file(TRACING "events/kview/kview_judge/enable", "1")) {
		skip(1, "no tracefs at " TRACING);
		return;
	}
	if (!kv_find_ram(2 * PMD, PMD, &paddr))
		bail("no RAM");
	cold = kv_map_at(view, paddr, PMD, PMD);
	pthread_barrier_init(&barrier, NULL, THREADS);
	for (i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, load_cold, NULL);
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	/* One for a huge entry, and if that is not possible one for small ones. */
	i = count_verdicts(paddr);
	ok(i == 1 || i == 2, "%d threads on a cold block: %u verdicts", THREADS, i);
	kv_write_file(TRACING "events/kview/kview_judge/enable", "0");
	munmap(cold, PMD);
}

int main(void)
{
	unsigned int before = kv_info().revalidate_ms;

	view = kv_ram_view();
	end = kv_ram_end();
	map = kv_map(view, 0, end);
	kv_revalidate_ms(60000);
	test_secret();
	test_one_verdict();
	kv_revalidate_ms(before);
	diag("longest from an event to the unmapping: %llu us",
	     (unsigned long long)kv_info().worst_us);
	return finish();
}
