// SPDX-License-Identifier: GPL-2.0-only
/* Saved rings, and one that is consumed while a stand-in for the kernel moves its reader. */
#include "kview-trace/ring.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "failalloc.h"
#include "ring_builder.h"
#include "unit.h"

#define SUBBUF 4096
#define NR 4

static int fail_shared, ioctl_result;
static struct test_ring live;		/* the memory that a live ring maps */
static void (*on_get_reader)(struct kvfs_ring_meta *meta);

void *__real_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t off);
void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t off);
int __wrap_ioctl(int fd, unsigned long cmd, ...);

void *__wrap_mmap64(void *addr, size_t len, int prot, int flags, int fd, off_t off)
{
	if (fd < 0 || !fail_shared || !(flags & MAP_SHARED))
		return __real_mmap64(addr, len, prot, flags, fd, off);
	errno = fail_shared;
	return MAP_FAILED;
}

/* GET_READER: counts all of the reader's sub-buffer as read. */
int __wrap_ioctl(int fd, unsigned long cmd, ...)
{
	ck_assert_uint_eq(cmd, KVFS_RING_GET_READER);
	if (ioctl_result) {
		errno = ioctl_result;
		return -1;
	}
	if (on_get_reader)
		on_get_reader(live.meta);
	else
		live.meta->reader.read = kvfs_ring_commit_len(ring_commit(ring_subbuf(&live, live.meta->reader.id)));
	return 0;
}

/* A ring in a file that is mapped here, too. */
static int make_live(void)
{
	struct test_ring ring = ring_create(SUBBUF, NR);
	int fd = unit_file(ring.mem, ring.len);

	live = ring;
	live.mem = mmap(NULL, ring.len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	live.meta = (struct kvfs_ring_meta *)live.mem;
	free(ring.mem);
	return fd;
}

static void end_live(int fd)
{
	munmap(live.mem, live.len);
	close(fd);
}

/* Consumes all events there are, which must be first, first + 1, and so on. Returns how many. */
static unsigned int consume(struct ring *ring, uint32_t first)
{
	unsigned int n = 0;

	while (ring_fill(ring) > 0) {
		while (ring->pending) {
			ck_assert_uint_eq(*(const uint32_t *)ring->event.data, first + n);
			n++;
			ring_advance(ring);
		}
	}
	return n;
}

START_TEST(saved)
{
	struct test_ring built = ring_create(SUBBUF, NR);
	struct kvfs_err err;
	struct ring ring;
	int fd;

	/* The reader is on 1, and has read 2 of its 5 events. */
	ring_put_events(ring_subbuf(&built, 1), 10, 5);
	ring_put_events(ring_subbuf(&built, 3), 15, 4);
	ring_put_events(ring_subbuf(&built, 0), 19, 1);
	built.meta->reader.id = 1;
	built.meta->reader.read = 16;
	fd = unit_file(built.mem, built.len);
	ck_assert_int_eq(ring_open_saved(&ring, unit_path(fd), 6, &err), 0);
	ck_assert_int_eq(ring.cpu, 6);
	ck_assert_uint_eq(consume(&ring, 12), 8);
	ck_assert_uint_eq(ring.events, 8);
	ck_assert(!ring.broken && !ring.lost);
	ck_assert_int_eq(ring_fill(&ring), 0);
	ring_close(&ring);
	close(fd);
	free(built.mem);
}
END_TEST

START_TEST(saved_with_lost_events)
{
	struct test_ring built = ring_create(SUBBUF, NR);
	uint8_t *s = ring_subbuf(&built, 1);
	uint64_t lost = 77;
	struct ring ring;
	int fd;

	ring_put_events(ring_subbuf(&built, 0), 1, 2);
	ring_put_events(s, 3, 2);
	ring_put(s, 16, &lost, sizeof(lost));
	ring_set(s, 3, 16 | 1U << 31 | 1U << 30);
	fd = unit_file(built.mem, built.len);
	ck_assert_int_eq(ring_open_saved(&ring, unit_path(fd), 0, NULL), 0);
	ck_assert_int_eq(ring_fill(&ring), 1);
	ck_assert(!ring.lost);
	ring_advance(&ring);
	ring_advance(&ring);
	ck_assert(!ring.pending);
	ck_assert_int_eq(ring_fill(&ring), 1);
	ck_assert(ring.lost);
	ck_assert_uint_eq(ring.nr_lost, 77);
	ck_assert_uint_eq(ring.events_lost, 77);
	ring_close(&ring);
	close(fd);
	free(built.mem);
}
END_TEST

START_TEST(saved_badly)
{
	struct test_ring built = ring_create(SUBBUF, NR);
	struct kvfs_err err = { 0 };
	struct ring ring;
	int fd, ret;

	unit_assert_error(ring_open_saved(&ring, "/nonexistent/cpu0", 0, &err), ENOENT, err, "/nonexistent/cpu0");
	fd = unit_file("", 0);
	unit_assert_error(ring_open_saved(&ring, unit_path(fd), 0, &err), EBADMSG, err, "0 bytes are no ring");
	close(fd);
	fd = unit_file(built.mem, built.len - 1);
	unit_assert_error(ring_open_saved(&ring, unit_path(fd), 0, &err), EBADMSG, err, "is cut off");
	close(fd);
	/* One sub-buffer whose first record is longer than all of it. */
	ring_put_events(ring_subbuf(&built, 0), 1, 1);
	ring_set(ring_subbuf(&built, 1), 2, 0);
	RING_WORDS(ring_subbuf(&built, 1), RING_EVENT(0, 0), 0xfffffffc);
	ring_put_events(ring_subbuf(&built, 2), 3, 1);
	fd = unit_file(built.mem, built.len);
	ck_assert_int_eq(ring_open_saved(&ring, unit_path(fd), 0, &err), 0);
	while ((ret = ring_fill(&ring)) > 0)
		ring_advance(&ring);
	ck_assert_int_eq(ret, 0);
	ck_assert(ring.broken);
	ck_assert_uint_eq(ring.events, 2);
	ring_close(&ring);
	failalloc_arm(0);
	unit_assert_error(ring_open_saved(&ring, unit_path(fd), 0, &err), ENOMEM, err, unit_path(fd));
	ck_assert(failalloc_happened());
	close(fd);
	free(built.mem);
}
END_TEST

START_TEST(consumed)
{
	int fd = make_live();
	struct kvfs_err err;
	struct ring ring;

	ck_assert_int_eq(ring_open_live(&ring, unit_path(fd), 2, &err), 0);
	ck_assert_int_eq(ring_fill(&ring), 0);
	ring_put_events(ring_subbuf(&live, 0), 1, 3);
	ck_assert_uint_eq(consume(&ring, 1), 3);
	/* More in the same sub-buffer: only these. */
	RING_WORDS(ring_subbuf(&live, 0), RING_EVENT(1, 1), 4, RING_EVENT(1, 1), 5);
	ck_assert_uint_eq(consume(&ring, 4), 2);
	ck_assert_int_eq(ring_fill(&ring), 0);
	/* The reader moves on. */
	ring_put_events(ring_subbuf(&live, 2), 6, 4);
	live.meta->reader.id = 2;
	ck_assert_uint_eq(consume(&ring, 6), 4);
	ck_assert_uint_eq(ring.events, 9);
	ring_close(&ring);
	end_live(fd);
}
END_TEST

static void take_padding_first(struct kvfs_ring_meta *meta)
{
	/* The first call takes the padding at the end of sub-buffer 0, the next one sub-buffer 1. */
	if (meta->reader.id == 0 && meta->reader.read < 32) {
		meta->reader.read = 32;
		return;
	}
	meta->reader.id = 1;
	meta->reader.read = 8;
}

START_TEST(padding_is_not_the_end)
{
	int fd = make_live();
	struct ring ring;

	ring_put_events(ring_subbuf(&live, 0), 1, 2);
	RING_WORDS(ring_subbuf(&live, 0), RING_EVENT(29, 0), 8, 0, 0);
	live.meta->reader.read = 16;
	ck_assert_int_eq(ring_open_live(&ring, unit_path(fd), 0, NULL), 0);
	ring_put_events(ring_subbuf(&live, 1), 3, 1);
	on_get_reader = take_padding_first;
	ck_assert_int_eq(ring_fill(&ring), 1);
	ck_assert_uint_eq(*(const uint32_t *)ring.event.data, 3);
	ring_close(&ring);
	end_live(fd);
}
END_TEST

START_TEST(reset_meanwhile)
{
	int fd = make_live();
	struct ring ring;

	ck_assert_int_eq(ring_open_live(&ring, unit_path(fd), 0, NULL), 0);
	ring_put_events(ring_subbuf(&live, 0), 1, 3);
	ck_assert_uint_eq(consume(&ring, 1), 3);
	/* The reader stays on its sub-buffer, which by now has more than was read before. */
	ring_put_events(ring_subbuf(&live, 0), 100, 5);
	ck_assert_uint_eq(consume(&ring, 100), 5);
	ring_close(&ring);
	end_live(fd);
}
END_TEST

static void go_astray(struct kvfs_ring_meta *meta)
{
	meta->reader.id = NR;
}

static void read_too_far(struct kvfs_ring_meta *meta)
{
	meta->reader.read = SUBBUF;
}

START_TEST(live_and_wrong)
{
	int fd = make_live();
	struct kvfs_err err = { 0 };
	struct ring ring;

	ck_assert_int_eq(ring_open_live(&ring, unit_path(fd), 0, NULL), 0);
	ioctl_result = EINTR;
	ck_assert_int_eq(ring_fill(&ring), -EINTR);
	ioctl_result = 0;
	on_get_reader = read_too_far;
	ck_assert_int_eq(ring_fill(&ring), -EBADMSG);
	on_get_reader = go_astray;
	ck_assert_int_eq(ring_fill(&ring), -EBADMSG);
	ring_close(&ring);
	unit_assert_error(ring_open_live(&ring, unit_path(fd), 0, &err), EBADMSG, err, "reader");
	unit_assert_error(ring_open_live(&ring, "/nonexistent", 0, &err), ENOENT, err, "/nonexistent");
	end_live(fd);
}
END_TEST

START_TEST(private_where_shared_is_refused)
{
	int fd = make_live(), empty = unit_file("", 0);
	struct kvfs_err err = { 0 };
	struct ring ring;

	/* An empty file can be mapped and not touched, as some files of a mount. */
	unit_assert_error(ring_open_live(&ring, unit_path(empty), 0, &err), EBADMSG, err, "is no ring");
	fail_shared = ENODEV;
	ck_assert_int_eq(ring_open_live(&ring, unit_path(fd), 0, NULL), 0);
	ring_close(&ring);
	unit_assert_error(ring_open_live(&ring, unit_path(empty), 0, &err), ENODEV, err, "cannot map");
	fail_shared = EBUSY;
	unit_assert_error(ring_open_live(&ring, unit_path(fd), 0, &err), EBUSY, err, "cannot map");
	fail_shared = 0;
	close(empty);
	end_live(fd);
}
END_TEST

UNIT_MAIN("ring",
	saved,
	saved_with_lost_events,
	saved_badly,
	consumed,
	padding_is_not_the_end,
	reset_meanwhile,
	live_and_wrong,
	private_where_shared_is_refused)
