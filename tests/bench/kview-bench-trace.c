// SPDX-License-Identifier: GPL-2.0-only
/*
 * kview-bench-trace - measures the ways to consume a trace ring, side by side.
 *
 *   kview-bench-trace MOUNT DAEMON_PID ROUNDS
 *
 * Each round fills the ring of one CPU, in an instance of its own, and measures the CPU time
 * that it takes to reach every event: through the mapping of MOUNT/trace, through that of
 * trace_pipe_raw, with read(2) of trace_pipe_raw, and with splice(2) to a file that is read
 * back. CPU time is that of this process, and for MOUNT that of the daemon, too, which does
 * a part of the work. An event is consumed when its time, its length and its first word have
 * been read. Prints one JSON object a line, as kview-bench does.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "trace/ring.h"

#define INSTANCE "/sys/kernel/tracing/instances/kviewbench"
#define CPU 1
#define RING_KIB "8192"
#define NR_EVENTS 60000
#define NR_GET_READER 2000
#define NR_WATCHES 50	/* passes; one takes a millisecond or less, and consumes nothing */
#define MAX_ROUNDS 64
#define PAGE 4096
#define MAX_SUBBUF (512 * 1024)
#define PIPE_LEN (1024 * 1024)	/* the default of pipe-max-size */

/*
 * GET_READER comes once for each sub-buffer, and through the mount it is a request to the
 * daemon: so the size of sub-buffers decides what the mount costs.
 */
static const unsigned int subbuf_kib[] = { 4, 64, 512 };
#define NR_SIZES (sizeof(subbuf_kib) / sizeof(subbuf_kib[0]))

static size_t subbuf;		/* bytes of a sub-buffer in this measurement */
static uint8_t page[MAX_SUBBUF] __attribute__((aligned(PAGE)));

static clockid_t daemon_clock;
static bool by_mount;		/* the way being measured goes through MOUNT */

static volatile uint64_t sink;	/* keeps the walk from being optimised away */

static void die(const char *what)
{
	fprintf(stderr, "kview-bench-trace: %s: %s\n", what, strerror(errno));
	rmdir(INSTANCE);
	exit(1);
}

static double cpu_time(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* CPU time used so far by the processes that the measured way involves. */
static double taken(void)
{
	return cpu_time(CLOCK_PROCESS_CPUTIME_ID) + (by_mount ? cpu_time(daemon_clock) : 0);
}

static void set(const char *name, const char *value)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), INSTANCE "/%s", name);
	fd = open(path, O_WRONLY | O_TRUNC);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		die(path);
	close(fd);
}

static void pin(int cpu)
{
	cpu_set_t set_;

	CPU_ZERO(&set_);
	CPU_SET(cpu, &set_);
	if (sched_setaffinity(0, sizeof(set_), &set_) < 0)
		die("sched_setaffinity");
}

/* Empties the ring and writes NR_EVENTS events. */
static void fill(void)
{
	static const char text[48] = "an event of a length that events often have....";
	int fd;

	set("trace", "");
	fd = open(INSTANCE "/trace_marker", O_WRONLY);
	if (fd < 0)
		die("trace_marker");
	pin(CPU);
	for (int i = 0; i < NR_EVENTS; i++) {
		if (write(fd, text, sizeof(text)) < 0)
			die("trace_marker");
	}
	close(fd);
	pin(0);
}

static uint64_t walk(struct kvfs_ring_cursor *c)
{
	struct kvfs_ring_event event;
	uint64_t n = 0, sum = 0;

	while (kvfs_ring_next(c, &event) > 0) {
		sum += event.ts + event.len + *(const uint32_t *)event.data;
		n++;
	}
	sink = sum;
	return n;
}

struct mapped {
	int fd;
	const uint8_t *mem;
	struct kvfs_ring_meta meta;
};

static int map_ring(const char *path, struct mapped *out)
{
	void *mem;

	out->fd = open(path, O_RDONLY | O_NONBLOCK);
	if (out->fd < 0)
		return -1;
	mem = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, out->fd, 0);
	if (mem == MAP_FAILED)
		return -1;
	if (kvfs_ring_parse_meta(mem, PAGE, &out->meta, NULL) < 0) {
		errno = EBADMSG;
		return -1;
	}
	out->mem = mmap(NULL, kvfs_ring_len(&out->meta), PROT_READ, MAP_SHARED, out->fd, 0);
	munmap(mem, PAGE);
	return out->mem == MAP_FAILED ? -1 : 0;
}

static void unmap_ring(struct mapped *m)
{
	munmap((void *)m->mem, kvfs_ring_len(&m->meta));
	close(m->fd);
}

/* Returns the CPU time, or -1. */
static double by_mapping(const char *path)
{
	const volatile struct kvfs_ring_meta *meta;
	struct kvfs_ring_cursor c = { 0 };
	struct mapped m;
	uint64_t n = 0, got;
	uint32_t id = UINT32_MAX;
	double start;

	if (map_ring(path, &m) < 0)
		return -1;
	meta = (const void *)m.mem;
	start = taken();
	do {
		if (ioctl(m.fd, KVFS_RING_GET_READER) < 0)
			return -1;
		if (meta->reader.id != id) {
			id = meta->reader.id;
			kvfs_ring_first(m.mem + kvfs_ring_subbuf_off(&m.meta, id), subbuf, &c);
			atomic_thread_fence(memory_order_acquire);
		}
		c.end = meta->reader.read;
		got = walk(&c);
		n += got;
	} while (got > 0);
	start = taken() - start;
	unmap_ring(&m);
	errno = EPROTO;
	return n == NR_EVENTS ? start : -1;
}

static uint64_t walk_page(void)
{
	struct kvfs_ring_cursor c;

	return kvfs_ring_first(page, subbuf, &c) < 0 ? 0 : walk(&c);
}

/*
 * Without the ring's reader, and so without a system call: sub-buffer after sub-buffer in the
 * order of time, each copied and parsed once it is certain that it was not overwritten
 * meanwhile. Consumes nothing. Returns the number of events.
 */
static uint64_t watch(const struct mapped *m)
{
	static uint32_t ids[16384];
	uint64_t n = 0;
	int nr;

	nr = m->meta.nr_subbufs <= sizeof(ids) / sizeof(ids[0]) ?
	     kvfs_ring_order(m->mem, kvfs_ring_len(&m->meta), &m->meta, ids) : -1;
	for (int i = 0; i < nr; i++) {
		const uint8_t *from = m->mem + kvfs_ring_subbuf_off(&m->meta, ids[i]);
		const struct kvfs_ring_hdr *hdr = (const void *)page;
		uint32_t used;

		memcpy(page, from, sizeof(*hdr));
		atomic_thread_fence(memory_order_acquire);
		used = kvfs_ring_used(hdr->commit);
		if (used > subbuf)
			continue;
		memcpy(page + sizeof(*hdr), from + sizeof(*hdr), used - sizeof(*hdr));
		atomic_thread_fence(memory_order_acquire);
		if (memcmp(page, from, sizeof(hdr->time_stamp)) == 0)
			n += walk_page();
	}
	return n;
}

static double by_watching(const char *path)
{
	struct mapped m;
	uint64_t n = 0;
	double start;

	if (map_ring(path, &m) < 0)
		return -1;
	start = taken();
	for (int i = 0; i < NR_WATCHES; i++)
		n += watch(&m);
	start = taken() - start;
	unmap_ring(&m);
	errno = EPROTO;
	return n == NR_WATCHES * NR_EVENTS ? start / NR_WATCHES : -1;
}

static double by_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_NONBLOCK);
	double start = taken();
	uint64_t n = 0;

	if (fd < 0)
		return -1;
	while (read(fd, page, subbuf) > 0)
		n += walk_page();
	start = taken() - start;
	close(fd);
	errno = EPROTO;
	return n == NR_EVENTS ? start : -1;
}

/* As trace-cmd records, and then reads its file. The last, partly filled page is read. */
static double by_splice(const char *path)
{
	char name[] = "/tmp/kview-bench.XXXXXX";
	int fd = open(path, O_RDONLY | O_NONBLOCK), file = mkstemp(name), p[2];
	double start;
	uint64_t n = 0;
	ssize_t len;

	if (fd < 0 || file < 0 || pipe(p) < 0 || fcntl(p[0], F_SETPIPE_SZ, PIPE_LEN) < 0)
		return -1;
	unlink(name);
	start = taken();
	while ((len = splice(fd, NULL, p[1], NULL, PIPE_LEN, SPLICE_F_NONBLOCK)) > 0) {
		if (splice(p[0], NULL, file, NULL, len, SPLICE_F_MOVE) != len)
			return -1;
	}
	while (read(fd, page, subbuf) > 0)
		n += walk_page();
	for (off_t off = 0; pread(file, page, subbuf, off) == (ssize_t)subbuf; off += subbuf)
		n += walk_page();
	start = taken() - start;
	close(fd);
	close(file);
	close(p[0]);
	close(p[1]);
	errno = EPROTO;
	return n == NR_EVENTS ? start : -1;
}

static char mount_ring[4096];
static const char raw_ring[] = INSTANCE "/per_cpu/cpu1/trace_pipe_raw";

static const struct way {
	const char *name;
	double (*run)(const char *path);
	const char *path;
} ways[] = {
	{ "trace/cpuN mapped", by_mapping, mount_ring },
	{ "trace_pipe_raw mapped", by_mapping, raw_ring },
	{ "trace/cpuN watched", by_watching, mount_ring },
	{ "trace_pipe_raw watched", by_watching, raw_ring },
	{ "trace_pipe_raw read", by_read, raw_ring },
	{ "trace_pipe_raw spliced", by_splice, raw_ring },
};
#define NR_WAYS (sizeof(ways) / sizeof(ways[0]))

static void report(const char *bench, const char *target, const char *unit, const double *v, int n)
{
	printf("{\"bench\": \"%s\", \"target\": \"%s\", \"unit\": \"%s\", \"rounds\": [", bench, target, unit);
	for (int i = 0; i < n; i++)
		printf("%s%.2f", i ? ", " : "", v[i]);
	printf("]}\n");
	fflush(stdout);
}

/* CPU time of the daemon, in microseconds: for a GET_READER, and for events without one. */
static void daemon_cost(double *per_ioctl, double *per_event)
{
	struct mapped m;
	double start;
	uint64_t sum = 0;

	if (map_ring(mount_ring, &m) < 0)
		die(mount_ring);
	fill();
	start = cpu_time(daemon_clock);
	for (int i = 0; i < NR_GET_READER; i++) {
		if (ioctl(m.fd, KVFS_RING_GET_READER) < 0)
			die("GET_READER");
	}
	*per_ioctl = (cpu_time(daemon_clock) - start) * 1e6 / NR_GET_READER;
	start = cpu_time(daemon_clock);
	fill();
	for (uint64_t off = 0; off < kvfs_ring_len(&m.meta); off += 64)
		sum += *(const volatile uint64_t *)(m.mem + off);
	sink = sum;
	*per_event = (cpu_time(daemon_clock) - start) * 1e6 / NR_EVENTS;
	unmap_ring(&m);
}

/* All ways, for the sub-buffer size that is set. */
static void measure(int rounds)
{
	static double results[NR_WAYS][MAX_ROUNDS];
	bool works[NR_WAYS];

	/* Round -1 is a warm-up and is not counted. */
	memset(works, true, sizeof(works));
	for (int r = -1; r < rounds; r++) {
		for (size_t n = 0; n < NR_WAYS; n++) {
			size_t i = (n + (size_t)(r + 1)) % NR_WAYS;	/* none is always the first */
			double t;

			if (!works[i])
				continue;
			fill();
			by_mount = ways[i].path == mount_ring;
			t = ways[i].run(ways[i].path);
			works[i] = t > 0;
			if (!works[i])
				fprintf(stderr, "kview-bench-trace: %s: %s\n", ways[i].name, strerror(errno));
			else if (r >= 0)
				results[i][r] = NR_EVENTS / t / 1000;
		}
	}
	for (size_t i = 0; i < NR_WAYS; i++) {
		char target[64];

		snprintf(target, sizeof(target), "%s, %zu KiB", ways[i].name, subbuf / 1024);
		if (works[i])
			report("trace events", target, "1000/CPU s", results[i], rounds);
	}
}

int main(int argc, char *argv[])
{
	static double ioctls[MAX_ROUNDS], events[MAX_ROUNDS];
	int rounds;

	if (argc != 4 || (rounds = atoi(argv[3])) < 1 || rounds > MAX_ROUNDS ||
	    clock_getcpuclockid(atoi(argv[2]), &daemon_clock) != 0) {
		fprintf(stderr, "usage: kview-bench-trace MOUNT DAEMON_PID ROUNDS\n");
		return 2;
	}
	snprintf(mount_ring, sizeof(mount_ring), "%s/trace/instances/kviewbench/cpu%d", argv[1], CPU);
	if (mkdir(INSTANCE, 0700) < 0 && errno != EEXIST)
		die(INSTANCE);
	for (size_t i = 0; i < NR_SIZES; i++) {
		char kib[16];

		snprintf(kib, sizeof(kib), "%u", subbuf_kib[i]);
		subbuf = subbuf_kib[i] * 1024;
		set("buffer_subbuf_size_kb", kib);
		set("buffer_size_kb", RING_KIB);
		measure(rounds);
	}
	for (int r = 0; r < rounds; r++)
		daemon_cost(&ioctls[r], &events[r]);
	report("trace daemon", "for a GET_READER", "CPU us", ioctls, rounds);
	report("trace daemon", "for an event", "CPU us", events, rounds);
	set("trace", "");
	rmdir(INSTANCE);
	return 0;
}
