// SPDX-License-Identifier: GPL-2.0-only
#include "dump/flattened.h"

#include <endian.h>
#include <errno.h>

#include "base/cleanup.h"
#include "unit.h"

static unsigned char flat[64 * 1024];
static size_t used;

static void begin(void)
{
	memset(flat, 0, sizeof(flat));
	strcpy((char *)flat, "makedumpfile");
	flat[23] = flat[31] = 1;
	used = 4096;
}

static void piece(uint64_t off, uint64_t len, const char *bytes, size_t have)
{
	uint64_t head[2] = { htobe64(off), htobe64(len) };

	memcpy(flat + used, head, sizeof(head));
	memcpy(flat + used + sizeof(head), bytes, have);
	used += sizeof(head) + have;
}

static int unfold(int out, uint64_t *cut, struct kvfs_err *err)
{
	_cleanup_close_ int in = unit_file(flat, used);

	memset(err, 0, sizeof(*err));
	return kvfs_flattened_unfold(in, "flat", used, out, cut, NULL, NULL, err);
}

START_TEST(test_is)
{
	begin();
	ck_assert(kvfs_flattened_is(flat));
	flat[23] = 2;
	ck_assert(!kvfs_flattened_is(flat));
	flat[23] = 1;
	flat[11] = 'X';
	ck_assert(!kvfs_flattened_is(flat));
}
END_TEST

START_TEST(test_unfold)
{
	_cleanup_close_ int out = unit_file(NULL, 0);
	char got[128] = { 0 };
	struct kvfs_err err;
	uint64_t cut;

	begin();
	piece(100, 5, "later", 5);
	piece(0, 5, "first", 5);
	piece(2, 2, "XX", 2);
	piece(UINT64_MAX, UINT64_MAX, "", 0);
	piece(50, 4, "none", 4);	/* after the end */
	ck_assert_int_eq(unfold(out, &cut, &err), 0);
	ck_assert_uint_eq(cut, 0);
	ck_assert_int_eq(pread(out, got, sizeof(got), 0), 105);
	ck_assert(memcmp(got, "fiXXt", 5) == 0 && memcmp(got + 100, "later", 5) == 0);
	for (int i = 5; i < 100; i++)
		ck_assert_int_eq(got[i], 0);
}
END_TEST

/* Wherever it is cut, what was before is kept and the place is reported. */
START_TEST(test_cut)
{
	begin();
	piece(0, 5, "first", 5);
	piece(5, 6, "second", 6);
	piece(UINT64_MAX, UINT64_MAX, "", 0);
	for (size_t len = 4096; len < used; len++) {
		_cleanup_close_ int out = unit_file(NULL, 0);
		size_t whole = used, want;
		struct kvfs_err err;
		uint64_t cut;
		char got[32];

		used = len;
		ck_assert_int_eq(unfold(out, &cut, &err), 0);
		ck_assert_uint_eq(cut, len);
		want = len < 4112 ? 0 : len < 4117 ? len - 4112 : len < 4133 ? 5 : len < 4139 ? 5 + len - 4133 : 11;
		ck_assert_int_eq(pread(out, got, sizeof(got), 0), (int)want);
		ck_assert(memcmp(got, "firstsecond", want) == 0);
		used = whole;
	}
}
END_TEST

START_TEST(test_hostile)
{
	static const struct { uint64_t off, len; } cases[] = {
		{ 0, 0 }, { UINT64_MAX, 1 }, { 1, UINT64_MAX }, { INT64_MAX, 1 }, { 1, INT64_MAX },
		{ UINT64_MAX - 1, UINT64_MAX },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_close_ int out = unit_file(NULL, 0);
		struct kvfs_err err;
		uint64_t cut;

		begin();
		piece(cases[i].off, cases[i].len, "bytes", 5);
		unit_assert_error(unfold(out, &cut, &err), EBADMSG, err, "claims");
	}
}
END_TEST

START_TEST(test_io_errors)
{
	struct kvfs_err err;
	uint64_t cut;

	begin();
	piece(0, 5, "first", 5);
	unit_assert_error(unfold(-1, &cut, &err), EBADF, err, "put flat in order");
}
END_TEST

UNIT_MAIN("dump/flattened", test_is, test_unfold, test_cut, test_hostile, test_io_errors)
