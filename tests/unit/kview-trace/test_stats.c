// SPDX-License-Identifier: GPL-2.0-only
/* Tables of counters, of saved rings and of files that are read as those of a mount are. */
#include "kview-trace/stats.h"

#include <errno.h>

#include "failalloc.h"
#include "ring_builder.h"
#include "unit.h"

#define SUBBUF 4096

static char printed[2048];

static int make(struct test_ring *ring)
{
	int fd;

	*ring = ring_create(SUBBUF, 3);
	ring->meta->entries = 1000;
	ring->meta->overrun = 900;
	ring->meta->read = 40;
	ring->meta->reader.lost_events = 5;
	ring_put_events(ring_subbuf(ring, 1), 1000, 61);
	fd = unit_file(ring->mem, ring->len);
	free(ring->mem);
	return fd;
}

/* The columns of a line, which starts at 0; good until the next call. */
static const char *columns(int line)
{
	static char out[256];
	char copy[sizeof(printed)], *next = copy, *text = NULL, *word;

	strcpy(copy, printed);
	while (line-- >= 0)
		text = strsep(&next, "\n");
	out[0] = '\0';
	while (text && (word = strsep(&text, " ")))
		if (*word)
			strcat(strcat(out, word), " ");
	return out;
}

static int print_saved(const struct operand *operand, struct kvfs_err *err)
{
	FILE *out = fmemopen(printed, sizeof(printed), "w");
	int ret = stats_saved(operand, 1, out, err);

	fclose(out);
	return ret;
}

static int print_live(const struct operand *operand, struct kvfs_err *err)
{
	/* With the signal there already, no second passes. */
	const volatile sig_atomic_t stop = 1;
	FILE *out = fmemopen(printed, sizeof(printed), "w");
	int ret = stats_live(operand, 1, false, &stop, out, err);

	fclose(out);
	return ret;
}

START_TEST(saved)
{
	struct test_ring ring;
	int fd = make(&ring);
	struct operand operand = { .path = unit_path(fd), .cpu = 4 };

	/* 60 intervals of a nanosecond. */
	ck_assert_int_eq(print_saved(&operand, NULL), 0);
	ck_assert_str_eq(columns(0), "cpu entries unread read overrun lost events/s ");
	ck_assert_str_eq(columns(1), "4 1000 61 40 900 5 1000000000 ");
	/* Of a clock that is not in nanoseconds there is no rate. */
	operand.clock = (char []) { "counter" };
	ck_assert_int_eq(print_saved(&operand, NULL), 0);
	ck_assert_str_eq(columns(1), "4 1000 61 40 900 5 0 ");
	close(fd);
}
END_TEST

START_TEST(being_written)
{
	struct test_ring ring;
	int fd = make(&ring);
	struct operand operand = { .path = unit_path(fd), .cpu = 4 };

	ck_assert_int_eq(print_live(&operand, NULL), 0);
	ck_assert_str_eq(columns(0), "cpu entries unread read overrun lost events/s ");
	ck_assert_str_eq(columns(1), "4 1000 61 40 900 5 0 ");
	close(fd);
}
END_TEST

START_TEST(what_is_wrong_is_reported)
{
	struct operand operand = { .path = "/nonexistent" };
	struct kvfs_err err = { 0 };
	struct test_ring ring = ring_create(SUBBUF, 3);
	int fd, pipes[2], ret;

	unit_assert_error(print_live(&operand, &err), ENOENT, err, "/nonexistent");
	unit_assert_error(print_saved(&operand, &err), ENOENT, err, "/nonexistent");
	ck_assert_int_eq(pipe(pipes), 0);
	operand.path = unit_path(pipes[0]);
	unit_assert_error(print_live(&operand, &err), ESPIPE, err, "can only be consumed");
	close(pipes[0]);
	close(pipes[1]);
	/* A record that is longer than its sub-buffer. */
	RING_WORDS(ring_subbuf(&ring, 1), RING_EVENT(0, 0), 0xfffffffc);
	fd = unit_file(ring.mem, ring.len);
	operand.path = unit_path(fd);
	unit_assert_error(print_live(&operand, &err), EBADMSG, err, "does not hold together");
	unit_assert_error(print_saved(&operand, &err), EBADMSG, err, "does not hold together");
	close(fd);
	/* A file that ends early. */
	fd = unit_file(ring.mem, ring.len - 1);
	free(ring.mem);
	operand.path = unit_path(fd);
	ck_assert_int_lt(print_live(&operand, &err), 0);
	close(fd);
	fd = make(&ring);
	operand.path = unit_path(fd);
	failalloc_try_all(ret, ret = print_live(&operand, &err));
	ck_assert_int_eq(ret, 0);
	close(fd);
}
END_TEST

UNIT_MAIN("stats",
	saved,
	being_written,
	what_is_wrong_is_reported)
