// SPDX-License-Identifier: GPL-2.0-only
/*
 * kview-bench-map - measures what keeping a mapping right costs, and how fast it is.
 *
 *   kview-bench-map MOUNT ROUNDS
 *
 * MOUNT is served in mode direct. Prints one JSON object a line, as kview-bench does. Needs
 * tracefs at /sys/kernel/tracing for the times from an event to the unmapping.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "kview.h"

#define PAGE 4096ULL
#define BLOCK (2ULL << 20)
#define GIB (1ULL << 30)
#define MAX_ROUNDS 64
#define MAX_THREADS 16
#define NR_EVENTS 200
#define PASS_SECONDS 5
#define TRACING "/sys/kernel/tracing/"
#define PERIOD "/sys/module/kview/parameters/revalidate_ms"
/* Of the kernel; C libraries lack it. */
#ifndef MADV_SOFT_OFFLINE
#define MADV_SOFT_OFFLINE 101
#endif
#define THP "/sys/kernel/mm/transparent_hugepage/enabled"

static volatile uint64_t sink;
static int ram;
static uint64_t size;

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void die(const char *what)
{
	fprintf(stderr, "kview-bench-map: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

static struct kview_info module_info(void)
{
	int fd = open(KVIEW_DEVICE, O_RDONLY | O_CLOEXEC);
	struct kview_info info;

	if (fd < 0 || ioctl(fd, KVIEW_IOC_INFO, &info))
		die(KVIEW_DEVICE);
	close(fd);
	return info;
}

static void report(const char *bench, const char *target, const char *unit, const double *results,
		   int nr)
{
	printf("{\"bench\": \"%s\", \"target\": \"%s\", \"unit\": \"%s\", \"rounds\": [", bench, target,
	       unit);
	for (int i = 0; i < nr; i++)
		printf("%s%.3f", i ? ", " : "", results[i]);
	printf("]}\n");
	fflush(stdout);
}

static uint8_t *map_ram(uint64_t off, uint64_t len)
{
	void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, ram, (off_t)off);

	if (map == MAP_FAILED)
		die("mmap");
	return map;
}

static void touch_blocks(const uint8_t *map, uint64_t len)
{
	uint64_t sum = 0;

	for (uint64_t off = 0; off < len; off += BLOCK)
		sum += *(const volatile uint8_t *)(map + off);
	sink = sum;
}

/* Passes over all of RAM, one load in each block, for some seconds. */
static double count_passes(const uint8_t *map, const char *period, double *cpu_percent)
{
	double begin, passes = 0;
	uint64_t before;

	write_text(PERIOD, period);
	touch_blocks(map, size);
	before = module_info().worker_ns;
	begin = now();
	for (; now() - begin < PASS_SECONDS; passes++)
		touch_blocks(map, size);
	*cpu_percent = (double)(module_info().worker_ns - before) / 1e7 / (now() - begin);
	return passes / (now() - begin);
}

static void measure_passes(int rounds)
{
	double by_default[MAX_ROUNDS], longest[MAX_ROUNDS], cpu[MAX_ROUNDS], unused;
	uint8_t *map = map_ram(0, size);
	char period[16];

	snprintf(period, sizeof(period), "%u", module_info().revalidate_ms);
	for (int i = 0; i < rounds; i++) {
		longest[i] = count_passes(map, "60000", &unused);
		by_default[i] = count_passes(map, period, &cpu[i]);
	}
	write_text(PERIOD, period);
	report("passes over RAM", "default period", "passes/s", by_default, rounds);
	report("passes over RAM", "longest period", "passes/s", longest, rounds);
	report("CPU of the module's thread", "default period", "% of a CPU", cpu, rounds);
	munmap(map, size);
}

/*
 * The times of the revocations since the trace was cleared, in microseconds. A latency of 0 says
 * that no event tells when the block changed.
 */
static int read_latencies(const char *cause, double *us, int max)
{
	FILE *trace = fopen(TRACING "trace", "re");
	char line[512], want[64];
	int nr = 0;

	if (!trace)
		die(TRACING "trace");
	snprintf(want, sizeof(want), "cause=%s ", cause);
	while (nr < max && fgets(line, sizeof(line), trace)) {
		const char *at = strstr(line, "latency_ns=");

		if (at && strstr(line, want) && strtod(at + strlen("latency_ns="), NULL) > 0)
			us[nr++] = strtod(at + strlen("latency_ns="), NULL) / 1000;
	}
	fclose(trace);
	return nr;
}

static void make_secret(void)
{
	int fd = (int)syscall(SYS_memfd_secret, 0);
	uint8_t *page;

	if (fd < 0 || ftruncate(fd, PAGE))
		die("memfd_secret");
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		die("memfd_secret: mmap");
	page[0] = 1;
	munmap(page, PAGE);
	close(fd);
}

static void poison(int advice)
{
	uint8_t *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		die("mmap");
	page[0] = 1;
	if (madvise(page, PAGE, advice))
		die("madvise");
	munmap(page, PAGE);
}

static void make_soft_offline(void)
{
	poison(MADV_SOFT_OFFLINE);
}

/* The kernel signals the owner of the page, this process, which must catch it. */
static void on_bus_error(int sig)
{
	(void)sig;
}

static void make_poison(void)
{
	signal(SIGBUS, on_bus_error);
	poison(MADV_HWPOISON);
}

static void measure_events(const char *target, const char *cause, void (*make)(void))
{
	static double us[NR_EVENTS * 4];
	uint8_t *map = map_ram(0, size);
	int nr;

	write_text(TRACING "trace", "");
	write_text(TRACING "events/kview/kview_revoke/enable", "1");
	for (int i = 0; i < NR_EVENTS; i++) {
		touch_blocks(map, size);
		make();
	}
	write_text(TRACING "events/kview/kview_revoke/enable", "0");
	nr = read_latencies(cause, us, NR_EVENTS);
	munmap(map, size);
	if (nr) {
		double worst = 0;

		for (int i = 0; i < nr; i++)
			worst = us[i] > worst ? us[i] : worst;
		report("from the event to the unmapping", target, "us", us, nr);
		report("the same, worst", target, "us", &worst, 1);
	} else {
		printf("{\"bench\": \"from the event to the unmapping\", \"target\": \"%s\", "
		       "\"unit\": \"us\", \"why_not\": \"no block was revoked\"}\n", target);
	}
}

struct toucher {
	pthread_t thread;
	uint64_t off, len;
	pthread_barrier_t *barrier;
};

static void *touch_range(void *arg)
{
	struct toucher *toucher = arg;
	uint8_t *map = map_ram(toucher->off, toucher->len);

	pthread_barrier_wait(toucher->barrier);
	touch_blocks(map, toucher->len);
	pthread_barrier_wait(toucher->barrier);
	munmap(map, toucher->len);
	return NULL;
}

/* Microseconds for a fault, if so many threads touch a range of their own each. */
static double fault_time(int threads, uint64_t len)
{
	struct toucher touchers[MAX_THREADS];
	pthread_barrier_t barrier;
	double begin;

	pthread_barrier_init(&barrier, NULL, (unsigned int)threads + 1);
	for (int i = 0; i < threads; i++) {
		touchers[i] = (struct toucher){ .off = size - len * (uint64_t)(i + 1), .len = len,
						.barrier = &barrier };
		if (pthread_create(&touchers[i].thread, NULL, touch_range, &touchers[i]))
			die("pthread_create");
	}
	pthread_barrier_wait(&barrier);
	begin = now();
	pthread_barrier_wait(&barrier);
	begin = now() - begin;
	for (int i = 0; i < threads; i++)
		pthread_join(touchers[i].thread, NULL);
	pthread_barrier_destroy(&barrier);
	return begin * 1e6 / ((double)threads * (double)(len / BLOCK));
}

static void measure_threads(const char *thp, int rounds)
{
	uint64_t len = (size / 2 / MAX_THREADS < GIB ? size / 2 / MAX_THREADS : GIB) & -BLOCK;
	double results[MAX_ROUNDS];
	char target[64];

	write_text(THP, thp);
	for (int threads = 1; threads <= MAX_THREADS; threads *= MAX_THREADS) {
		for (int i = 0; i < rounds; i++)
			results[i] = fault_time(threads, len);
		snprintf(target, sizeof(target), "%d threads, THP %s", threads, thp);
		report("time of a fault", target, "us", results, rounds);
	}
}

int main(int argc, char **argv)
{
	int rounds = argc == 3 ? atoi(argv[2]) : 0;
	char path[4096];
	struct stat st;

	if (rounds < 1 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: kview-bench-map MOUNT ROUNDS (1 to %d)\n", MAX_ROUNDS);
		return 2;
	}
	snprintf(path, sizeof(path), "%s/kcore/ram", argv[1]);
	ram = open(path, O_RDONLY | O_CLOEXEC);
	if (ram < 0 || fstat(ram, &st))
		die(path);
	size = (uint64_t)st.st_size & -BLOCK;
	measure_passes(rounds);
	measure_events("memfd_secret", "direct map", make_secret);
	measure_events("soft offline", "poison", make_soft_offline);
	measure_threads("never", rounds);
	measure_threads("always", rounds);
	/* Last: each leaves a page that no mapping may have, so its block has small entries. */
	measure_events("memory failure", "poison", make_poison);
	return 0;
}
