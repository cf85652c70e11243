// SPDX-License-Identifier: GPL-2.0-only
/* An open of a ring: the copy that it reads, and its two descriptors. */
#include "trace/opening.h"

#include <errno.h>
#include <fcntl.h>

#include "failalloc.h"
#include "fake_tracefs.h"
#include "unit.h"

static char cpu0[128];

static struct kvfs_trace_opening *make(struct fake *fake)
{
	struct kvfs_trace_opening *opening;

	fake_create(fake, 1);
	snprintf(cpu0, sizeof(cpu0), "%s/per_cpu/cpu0", fake->dir);
	ck_assert_int_eq(kvfs_trace_opening_create(cpu0, &opening), 0);
	return opening;
}

START_TEST(a_copy_until_offset_0)
{
	static const uint8_t zeros[FAKE_LEN];
	uint8_t buf[FAKE_LEN], two[16];
	struct fake fake;
	struct kvfs_trace_opening *opening = make(&fake);
	char path[160];
	int fd;

	/* The first read makes the copy, at whatever offset. */
	ck_assert_int_eq(kvfs_trace_opening_read(opening, two, 16, FAKE_SUBBUF), 16);
	ck_assert_uint_eq(ring_commit(two), 8);
	/* The ring changes, and the copy does not. */
	snprintf(path, sizeof(path), "%s/trace_pipe_raw", cpu0);
	fd = open(path, O_WRONLY);
	ck_assert_int_eq(pwrite(fd, zeros, FAKE_SUBBUF, FAKE_SUBBUF), FAKE_SUBBUF);
	close(fd);
	ck_assert_int_eq(kvfs_trace_opening_read(opening, two, 16, FAKE_SUBBUF), 16);
	ck_assert_uint_eq(ring_commit(two), 8);
	ck_assert_int_eq(kvfs_trace_opening_read(opening, buf, sizeof(buf), 0), FAKE_LEN);
	ck_assert_mem_eq(buf + FAKE_SUBBUF, zeros, FAKE_SUBBUF);
	ck_assert_int_eq(kvfs_trace_opening_read(opening, buf, 100, FAKE_LEN - 1), 1);
	ck_assert_int_eq(kvfs_trace_opening_read(opening, buf, 100, FAKE_LEN), 0);
	kvfs_trace_opening_destroy(opening);
	kvfs_trace_opening_destroy(NULL);
	fake_remove(&fake);
}
END_TEST

START_TEST(descriptors)
{
	struct fake fake;
	struct kvfs_trace_opening *opening = make(&fake);
	int fd = kvfs_trace_opening_fd(opening, true), waiting = kvfs_trace_opening_fd(opening, false);

	ck_assert_int_eq(fd, opening->fd);
	ck_assert_int_ge(waiting, 0);
	ck_assert_int_ne(waiting, fd);
	ck_assert_int_eq(kvfs_trace_opening_fd(opening, false), waiting);
	ck_assert(fcntl(fd, F_GETFL) & O_NONBLOCK);
	ck_assert(!(fcntl(waiting, F_GETFL) & O_NONBLOCK));
	kvfs_trace_opening_destroy(opening);
	ck_assert_int_eq(fcntl(fd, F_GETFL), -1);
	ck_assert_int_eq(fcntl(waiting, F_GETFL), -1);
	fake_remove(&fake);
}
END_TEST

START_TEST(what_is_wrong_is_reported)
{
	struct fake fake;
	struct kvfs_trace_opening *opening = make(&fake), *other;
	char byte;

	failalloc_arm(0);
	ck_assert_int_eq(kvfs_trace_opening_create(cpu0, &other), -ENOMEM);
	ck_assert(failalloc_happened());
	fake_text("X", "%s/stats", cpu0);
	ck_assert_int_eq(kvfs_trace_opening_read(opening, &byte, 1, 0), -EBADMSG);
	fake_remove(&fake);
	ck_assert_int_eq(kvfs_trace_opening_create(cpu0, &other), -ENOENT);
	ck_assert_int_eq(kvfs_trace_opening_fd(opening, false), -ENOENT);
	kvfs_trace_opening_destroy(opening);
}
END_TEST

UNIT_MAIN("opening",
	a_copy_until_offset_0,
	descriptors,
	what_is_wrong_is_reported)
