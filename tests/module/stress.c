// SPDX-License-Identifier: GPL-2.0-only
/*
 * Everything at once, for ten seconds: touching, zapping, mapping, unmapping, moving,
 * protecting, forking, reading, secret pages coming and going, and huge pages switched
 * on and off. What must hold: pages of our own are always seen as they are. What else
 * can go wrong is in the kernel's log, which the runner reads.
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define SECONDS 10
#define LEN (32 * PMD)
#define NR 32
#define THP "/sys/kernel/mm/transparent_hugepage/enabled"

static volatile bool stop;
static unsigned char *shared, *pages;
static uint64_t base, paddr[NR];
static int fd;

/* Each worker counts what it did, and what was wrong. */
struct worker {
	const char *name;
	void (*step)(struct worker *worker);
	pthread_t thread;
	unsigned int seed;
	unsigned long done, wrong;
};

static size_t some(struct worker *worker, size_t below)
{
	return (size_t)rand_r(&worker->seed) % below;
}

static void step_touch(struct worker *worker)
{
	(void)((volatile unsigned char *)shared)[some(worker, LEN / PAGE) * PAGE];
}

/* The page in the view that is ours must show what we have put there. */
static void step_check(struct worker *worker)
{
	size_t i = some(worker, NR);
	unsigned char *map = kv_map(fd, paddr[i] & -PMD, PMD), byte = 0;

	worker->wrong += memcmp(map + paddr[i] % PMD, pages + i * PAGE, PAGE) != 0;
	worker->wrong += pread(fd, &byte, 1, (off_t)(paddr[i] + 7)) != 1 ||
			 byte != pages[i * PAGE + 7];
	munmap(map, PMD);
}

static void step_map(struct worker *worker)
{
	size_t at = some(worker, LEN / PAGE) * PAGE, len = (some(worker, 2048) + 1) * PAGE;
	unsigned char *map, *moved;

	if (len > LEN - at)
		len = LEN - at;
	map = kv_map(fd, base + at, len);
	kv_touch(map, len);
	if (len > 8 * PAGE) {
		mprotect(map + PAGE, PAGE, PROT_NONE);
		munmap(map + 4 * PAGE, 2 * PAGE);
		worker->wrong += kv_load(map + PAGE) >= 0 || kv_load(map + 3 * PAGE) < 0;
		mprotect(map + PAGE, PAGE, PROT_READ);
		moved = mremap(map, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE);
		worker->wrong += moved == MAP_FAILED;
	}
	munmap(map, len);
}

static void step_fork(struct worker *worker)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		kv_touch(shared, LEN / 8);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	worker->wrong += status != 0;
}

static void step_read(struct worker *worker)
{
	static unsigned char buf[MIB];
	size_t at = some(worker, LEN - sizeof(buf));

	worker->wrong += pread(fd, buf, sizeof(buf), (off_t)(base + at)) != (ssize_t)sizeof(buf);
}

static void step_secret(struct worker *worker)
{
	int secret = (int)syscall(SYS_memfd_secret, 0);
	unsigned char *page;

	if (secret < 0) {
		kv_sleep_ms(100);
		return;
	}
	if (!ftruncate(secret, 16 * PAGE)) {
		page = mmap(NULL, 16 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, secret, 0);
		worker->wrong += page == MAP_FAILED;
		memset(page, 0x5e, 16 * PAGE);
		munmap(page, 16 * PAGE);
	}
	close(secret);
}

static void step_settings(struct worker *worker)
{
	static const char *const words[] = { "always", "never", "madvise" };

	kv_write_file(THP, words[some(worker, 3)]);
	kv_revalidate_ms((unsigned int)some(worker, 20) + 50);
	kv_sleep_ms(5);
}

static void *work(void *arg)
{
	struct worker *worker = arg;

	while (!stop) {
		worker->step(worker);
		worker->done++;
	}
	return NULL;
}

int main(void)
{
	struct worker workers[] = {
		{ .name = "touch", .step = step_touch },
		{ .name = "touch too", .step = step_touch },
		{ .name = "check", .step = step_check },
		{ .name = "map", .step = step_map },
		{ .name = "fork", .step = step_fork },
		{ .name = "read", .step = step_read },
		{ .name = "secret", .step = step_secret },
		{ .name = "settings", .step = step_settings },
	};
	unsigned int i, nr = sizeof(workers) / sizeof(workers[0]), before = kv_info().revalidate_ms;

	if (!kv_find_ram(LEN, PMD, &base))
		bail("no 64 MiB of RAM in one piece");
	fd = kv_ram_view();
	pages = kv_pages(NR, paddr);
	shared = kv_map_at(fd, base, LEN, PMD);
	for (i = 0; i < nr; i++) {
		workers[i].seed = i + 1;
		if (pthread_create(&workers[i].thread, NULL, work, &workers[i]))
			bail("pthread_create");
	}
	kv_sleep_ms(SECONDS * 1000);
	stop = true;
	for (i = 0; i < nr; i++) {
		pthread_join(workers[i].thread, NULL);
		is_int((long long)workers[i].wrong, 0, "%s: nothing wrong", workers[i].name);
		ok(workers[i].done > 0, "%s: %lu times", workers[i].name, workers[i].done);
	}
	kv_write_file(THP, "always");
	is_int(kv_revalidate_ms(before), 0, "the period is what it was");
	return finish();
}
