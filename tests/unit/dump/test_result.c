// SPDX-License-Identifier: GPL-2.0-only
#include "dump/result.h"

#include <errno.h>

#include "failpread.h"
#include "unit.h"

START_TEST(test_note)
{
	struct kvfs_dump_result r = { 0 };

	kvfs_dump_result_note(&r, 0, 0);
	kvfs_dump_result_note(&r, 1, -EBADMSG);
	ck_assert_int_eq(r.error, 0);
	kvfs_dump_result_note(&r, 2, -ENOMEM);
	kvfs_dump_result_note(&r, 63, -EIO);
	ck_assert_uint_eq(r.damaged, 1 << 1);
	ck_assert_uint_eq(r.unavailable, 1ULL << 63 | 1 << 2);
	ck_assert_int_eq(r.error, -ENOMEM);
}
END_TEST

START_TEST(test_merge)
{
	const struct kvfs_dump_result part = { .damaged = 1, .unavailable = 2, .error = -EIO };
	struct kvfs_dump_result r = { .damaged = 1 };

	kvfs_dump_result_merge(&r, &part, 4);
	ck_assert_uint_eq(r.damaged, 0x11);
	ck_assert_uint_eq(r.unavailable, 0x20);
	ck_assert_int_eq(r.error, -EIO);
	r.error = -ENOMEM;
	kvfs_dump_result_merge(&r, &part, 0);
	ck_assert_int_eq(r.error, -ENOMEM);
}
END_TEST

/* The end of the file is damage; an error, at whichever byte, is none. */
START_TEST(test_pread)
{
	int fd = unit_file("0123456789", 10);
	char buf[16];

	ck_assert_int_eq(kvfs_dump_pread(fd, buf, 10, 0), 0);
	ck_assert_mem_eq(buf, "0123456789", 10);
	ck_assert_int_eq(kvfs_dump_pread(fd, buf, 11, 0), -EBADMSG);
	ck_assert_int_eq(kvfs_dump_pread(fd, buf, 1, 10), -EBADMSG);
	for (uint64_t off = 0; off < 10; off++) {
		failpread_at(off, EIO);
		ck_assert_int_eq(kvfs_dump_pread(fd, buf, 10, 0), -EIO);
		failpread_at(off, EBADMSG);
		ck_assert_int_eq(kvfs_dump_pread(fd, buf, 10, 0), -EIO);
		failpread_at(off, ENOMEM);
		ck_assert_int_eq(kvfs_dump_pread(fd, buf, 10, 0), -ENOMEM);
	}
	failpread_off();
	close(fd);
	ck_assert_int_eq(kvfs_dump_pread(fd, buf, 1, 0), -EBADF);
}
END_TEST

UNIT_MAIN("dump/result", test_note, test_merge, test_pread)
