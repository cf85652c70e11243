// SPDX-License-Identifier: GPL-2.0-only
/*
 * Eight readers of known bytes at a time, each with its own ways and offsets; and a thousand
 * opens.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kcore.h"
#include "kv.h"
#include "mount.h"
#include "tap.h"

#define NR_READERS 8
#define NR_READS 400
#define NR_OPENS 1000
#define MAX_READ (64 * KIB)

static struct mount_still still;
static const unsigned char *truth;	/* still.len bytes of read-only data, from /proc/kcore */

struct reader {
	pthread_t thread;
	int text, ram;			/* shared by all, or its own */
	unsigned int seed;
	const unsigned char *map;	/* of the same bytes */
	unsigned int wrong;
};

static atomic_uint started;

static void *read_much(void *arg)
{
	struct reader *reader = arg;
	unsigned char *buf = malloc(MAX_READ);

	/* All start together, so that they run in parallel. */
	atomic_fetch_add(&started, 1);
	while (atomic_load(&started) < NR_READERS)
		;
	for (int i = 0; i < NR_READS; i++) {
		uint64_t len = 1 + (uint64_t)rand_r(&reader->seed) % MAX_READ;
		uint64_t off = (uint64_t)rand_r(&reader->seed) % (still.len - len);
		const unsigned char *seen = buf;
		ssize_t got = (ssize_t)len;

		switch (rand_r(&reader->seed) % 3) {
		case 0:
			got = pread(reader->text, buf, len, (off_t)(still.off + off));
			break;
		case 1:
			got = pread(reader->ram, buf, len, (off_t)(still.paddr + off));
			break;
		default:
			seen = reader->map + off;
		}
		reader->wrong += got != (ssize_t)len || memcmp(seen, truth + off, len) != 0;
	}
	free(buf);
	return NULL;
}

static int open_again(const char *name)
{
	int fd = open(mount_path(name), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		bail("kcore/%s: %s", name, strerror(errno));
	return fd;
}

static void check_readers(int text, int ram, bool own)
{
	struct reader readers[NR_READERS] = { 0 };
	unsigned int wrong = 0;

	atomic_store(&started, 0);
	for (int i = 0; i < NR_READERS; i++) {
		struct reader *reader = &readers[i];

		reader->text = own ? open_again("text") : text;
		reader->ram = own ? open_again("ram") : ram;
		reader->seed = (unsigned int)i + 1;
		reader->map = kv_map(reader->text, still.off, still.len);
	}
	for (int i = 0; i < NR_READERS; i++) {
		errno = pthread_create(&readers[i].thread, NULL, read_much, &readers[i]);
		if (errno)
			bail("pthread_create: %s", strerror(errno));
	}
	for (int i = 0; i < NR_READERS; i++) {
		pthread_join(readers[i].thread, NULL);
		wrong += readers[i].wrong;
		munmap((void *)readers[i].map, still.len);
		if (own) {
			close(readers[i].text);
			close(readers[i].ram);
		}
	}
	is_int(wrong, 0, "%d readers with %s descriptors, %d reads each: none is wrong", NR_READERS,
	       own ? "their own" : "shared", NR_READS);
}

static void check_opens(void)
{
	int fds[NR_OPENS];
	unsigned char byte;
	int bad = 0;

	for (int i = 0; i < NR_OPENS; i++) {
		fds[i] = open(mount_path(i % 2 ? "ram" : "text"), O_RDONLY | O_CLOEXEC);
		if (fds[i] < 0)
			bail("open number %d: %s", i, strerror(errno));
	}
	for (int i = 0; i < NR_OPENS; i++)
		bad += pread(fds[i], &byte, 1, (off_t)(i % 2 ? still.paddr : still.off)) != 1 ||
		       byte != truth[0];
	is_int(bad, 0, "%d opens at a time, and each reads right", NR_OPENS);
	for (int i = 0; i < NR_OPENS; i++)
		close(fds[i]);
	bad = 0;
	for (int i = 0; i < NR_OPENS; i++) {
		int fd = open_again("text");

		bad += pread(fd, &byte, 1, (off_t)still.off) != 1 || byte != truth[0];
		close(fd);
	}
	is_int(bad, 0, "%d opens one after another", NR_OPENS);
}

int main(void)
{
	int text = mount_open("text"), ram = mount_open("ram");
	unsigned char *bytes;

	still = mount_still();
	bytes = malloc(still.len);
	if (!bytes)
		bail("out of memory");
	if (!kcore_read_paddr(bytes, still.len, still.paddr))
		bail("/proc/kcore does not have the kernel's read-only data");
	truth = bytes;
	ok(memmem(truth, still.len, "Linux version ", 14) != NULL, "the known bytes are the kernel's");
	check_readers(text, ram, false);
	check_readers(text, ram, true);
	check_opens();
	free(bytes);
	return finish();
}
