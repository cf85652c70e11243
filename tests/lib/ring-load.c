// SPDX-License-Identifier: GPL-2.0-only
/*
 * ring-load RING INSTANCE CPU SECONDS - a writer at full speed on a CPU, and a consumer of
 * the mapping of its ring: every event is delivered once and whole, or counted as lost.
 *
 * RING is trace/.../cpuN of a mount, or trace_pipe_raw; INSTANCE is the folder of a tracing
 * instance without other users. Each event holds its number, its length and bytes that depend on
 * both. SECONDS is how long the writer runs; the verdict depends on counts only.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "trace/ring.h"
#include "tap.h"

#define MAGIC 0x6b766577U
#define MAX_LEN 160

/* An event as written to trace_marker_raw; the kernel puts 8 bytes of its own before it. */
struct load {
	uint32_t magic;
	uint32_t len;		/* of bytes */
	uint64_t number;
	uint8_t bytes[MAX_LEN];
} __attribute__((packed));

#define ENTRY_LEN 8
#define HEAD_LEN offsetof(struct load, bytes)

/* Shared by writer and consumer. */
struct shared {
	atomic_bool stop;
	_Atomic uint64_t written;
	_Atomic uint64_t refused;
};

struct result {
	uint64_t delivered, gaps, told_lost, told_lost_unknown;
	uint64_t twice, torn, foreign;
	uint64_t next;		/* number of the event that should come next */
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		bail("cannot run on CPU %d: %s", cpu, strerror(errno));
}

static uint32_t len_of(uint64_t number)
{
	return (number * 2654435761U >> 7) % (MAX_LEN + 1);
}

static uint8_t byte_of(uint64_t number, uint32_t i)
{
	return number * 31 + i * 7 + len_of(number);
}

static void write_events(const char *instance, int cpu, struct shared *shared)
{
	struct load load = { .magic = MAGIC };
	char path[4096];
	int fd;

	pin(cpu);
	snprintf(path, sizeof(path), "%s/trace_marker_raw", instance);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		_exit(1);
	for (uint64_t number = 0; !atomic_load(&shared->stop);) {
		load.number = number;
		load.len = len_of(number);
		for (uint32_t i = 0; i < load.len; i++)
			load.bytes[i] = byte_of(number, i);
		if (write(fd, &load, HEAD_LEN + load.len) < 0) {
			atomic_fetch_add(&shared->refused, 1);
			continue;
		}
		number++;
		atomic_store(&shared->written, number);
	}
	_exit(0);
}

static void check(const struct kvfs_ring_event *event, struct result *r)
{
	struct load load;
	bool whole;

	if (event->len < ENTRY_LEN + HEAD_LEN) {
		r->foreign++;
		return;
	}
	memset(&load, 0, sizeof(load));
	memcpy(&load, (const char *)event->data + ENTRY_LEN,
	       event->len - ENTRY_LEN < sizeof(load) ? event->len - ENTRY_LEN : sizeof(load));
	if (load.magic != MAGIC) {
		r->foreign++;
		return;
	}
	whole = load.len == len_of(load.number) && ENTRY_LEN + HEAD_LEN + load.len <= event->len;
	for (uint32_t i = 0; whole && i < load.len; i++)
		whole = load.bytes[i] == byte_of(load.number, i);
	if (!whole) {
		r->torn++;
		return;
	}
	r->delivered++;
	if (load.number < r->next)
		r->twice++;
	else
		r->gaps += load.number - r->next;
	r->next = load.number + 1;
}

struct ring {
	int fd;
	const uint8_t *mem;
	struct kvfs_ring_meta meta;
	struct kvfs_ring_cursor cursor;
	uint32_t id;
};

static void *map(int fd, size_t len)
{
	void *mem = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);

	if (mem == MAP_FAILED)
		mem = mmap(NULL, len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (mem == MAP_FAILED)
		bail("mmap of %zu bytes: %s", len, strerror(errno));
	return mem;
}

static void open_ring(struct ring *ring, const char *path)
{
	ring->fd = open(path, O_RDONLY | O_NONBLOCK);
	if (ring->fd < 0)
		bail("%s: %s", path, strerror(errno));
	ring->mem = map(ring->fd, 4096);
	if (kvfs_ring_parse_meta(ring->mem, 4096, &ring->meta, NULL) < 0)
		bail("%s: no meta page", path);
	ring->mem = map(ring->fd, kvfs_ring_len(&ring->meta));
	madvise((void *)ring->mem, kvfs_ring_len(&ring->meta), MADV_RANDOM);
	ring->id = ring->meta.reader.id;
}

/* One GET_READER and all events that it marks as read. Returns their number. */
static uint64_t consume(struct ring *ring, struct result *r)
{
	const volatile struct kvfs_ring_meta *meta = (const void *)ring->mem;
	struct kvfs_ring_event event;
	uint64_t n = 0;
	int ret;

	if (ioctl(ring->fd, KVFS_RING_GET_READER) < 0)
		bail("GET_READER: %s", strerror(errno));
	if (meta->reader.id != ring->id || ring->cursor.pos == 0) {
		ring->id = meta->reader.id;
		if (kvfs_ring_first(ring->mem + kvfs_ring_subbuf_off(&ring->meta, ring->id),
				    ring->meta.subbuf_size, &ring->cursor) < 0)
			bail("a sub-buffer claims more than it can hold");
		atomic_thread_fence(memory_order_acquire);
		r->told_lost += ring->cursor.nr_missed;
		r->told_lost_unknown += ring->cursor.missed && !ring->cursor.nr_missed;
	}
	if (meta->reader.read > ring->meta.subbuf_size - KVFS_RING_HDR_LEN)
		bail("the reader is at byte %u of a sub-buffer", meta->reader.read);
	ring->cursor.end = meta->reader.read;
	while ((ret = kvfs_ring_next(&ring->cursor, &event)) > 0) {
		check(&event, r);
		n++;
	}
	if (ret < 0) {
		r->torn++;
		ring->cursor.pos = ring->cursor.end;
	}
	return n;
}

int main(int argc, char *argv[])
{
	struct ring ring = { 0 };
	struct result r = { 0 };
	struct shared *shared;
	volatile const struct kvfs_ring_meta *meta;
	uint64_t written;
	double end;
	int cpu, status;
	pid_t pid;

	if (argc != 5)
		bail("usage: ring-load RING INSTANCE CPU SECONDS");
	cpu = atoi(argv[3]);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	open_ring(&ring, argv[1]);
	meta = (const void *)ring.mem;
	pid = fork();
	if (pid == 0)
		write_events(argv[2], cpu, shared);
	if (sysconf(_SC_NPROCESSORS_ONLN) > 1)
		pin(cpu ? 0 : 1);
	end = now() + atof(argv[4]);
	while (now() < end)
		consume(&ring, &r);
	atomic_store(&shared->stop, true);
	waitpid(pid, &status, 0);
	while (consume(&ring, &r) > 0)
		;
	written = atomic_load(&shared->written);
	diag("%" PRIu64 " written (%" PRIu64 " refused), %" PRIu64 " delivered, %" PRIu64
	     " lost, of which the ring reported %" PRIu64, written, atomic_load(&shared->refused),
	     r.delivered, r.gaps, r.told_lost);
	/* The events after the last one that was delivered. */
	r.gaps += written - r.next;
	ok(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the writer ended well");
	ok(written > 1000, "there was something to consume");
	ok(r.delivered > written / 1000, "and it was consumed");
	is_int(r.foreign, 0, "nothing else is in the ring");
	is_int(r.torn, 0, "no event is torn");
	is_int(r.twice, 0, "no event comes twice or out of order");
	is_int(r.delivered + r.gaps, written, "every event is delivered or lost");
	is_int(meta->overrun, r.gaps, "the ring has counted all that were lost");
	is_int(meta->read, r.delivered, "and all that were delivered");
	is_int(meta->entries, written, "and all that were written");
	if (r.told_lost_unknown)
		ok(r.told_lost <= r.gaps, "it reported no more lost events than there were");
	else
		is_int(r.told_lost, r.gaps, "it reported each lost event");
	return finish();
}
