// SPDX-License-Identifier: GPL-2.0-only
/* Eight readers of one descriptor at once, each checking every byte. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define READERS 8
#define NR 128
#define LEN (NR * PAGE)
#define ROUNDS 400

static unsigned char *pages;
static const unsigned char *map;
static int fd;

struct reader {
	pthread_t thread;
	unsigned int seed;
	unsigned int wrong;
};

static void *read_and_check(void *arg)
{
	struct reader *reader = arg;
	unsigned char *buf = malloc(LEN);
	unsigned int i;

	for (i = 0; buf && i < ROUNDS; i++) {
		size_t at = (size_t)rand_r(&reader->seed) % LEN;
		size_t len = (size_t)rand_r(&reader->seed) % (i % 8 ? 64 : LEN);

		if (len > LEN - at)
			len = LEN - at;
		if (pread(fd, buf, len, (off_t)at) != (ssize_t)len ||
		    memcmp(buf, pages + at, len) || memcmp(map + at, pages + at, len))
			reader->wrong++;
	}
	if (!buf)
		reader->wrong++;
	free(buf);
	return NULL;
}

int main(void)
{
	struct reader readers[READERS] = { { 0 } };
	struct kview_extent extents[NR];
	uint64_t paddr[NR];
	unsigned int i, wrong = 0;

	pages = kv_pages(NR, paddr);
	for (i = 0; i < NR; i++)
		extents[i] = kv_ram(i * PAGE, PAGE, paddr[i]);
	fd = kv_create(LEN, extents, NR);
	map = kv_map(fd, 0, LEN);

	for (i = 0; i < READERS; i++) {
		readers[i].seed = i + 1;
		if (pthread_create(&readers[i].thread, NULL, read_and_check, &readers[i]))
			bail("pthread_create");
	}
	for (i = 0; i < READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		wrong += readers[i].wrong;
	}
	is_int(wrong, 0, "%d readers, %d reads each: all right, read and mapped", READERS, ROUNDS);
	return finish();
}
