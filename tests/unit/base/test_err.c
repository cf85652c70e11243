// SPDX-License-Identifier: GPL-2.0-only
#include "base/err.h"

#include <errno.h>

#include "unit.h"

START_TEST(set_records_and_returns)
{
	struct kvfs_err err = { 0 };

	ck_assert_int_eq(kvfs_err_set(&err, ENOENT, "no %s at %d", "file", 7), -ENOENT);
	ck_assert_int_eq(err.errnum, ENOENT);
	ck_assert_str_eq(err.msg, "no file at 7");
}
END_TEST

START_TEST(sys_adds_the_text_of_errno)
{
	struct kvfs_err err = { 0 };

	ck_assert_int_eq(kvfs_err_sys(&err, EACCES, "cannot open %s", "x"), -EACCES);
	ck_assert_str_eq(err.msg, "cannot open x: Permission denied");
}
END_TEST

START_TEST(null_is_allowed)
{
	ck_assert_int_eq(kvfs_err_set(NULL, EPERM, "x"), -EPERM);
	ck_assert_int_eq(kvfs_err_sys(NULL, ENODEV, "x"), -ENODEV);
	ck_assert_int_eq(kvfs_err_prefix(NULL, "x"), -EIO);
}
END_TEST

START_TEST(prefix_goes_before)
{
	struct kvfs_err err = { 0 };

	kvfs_err_set(&err, EBADMSG, "line 3");
	ck_assert_int_eq(kvfs_err_prefix(&err, "%s", "/proc/iomem"), -EBADMSG);
	ck_assert_str_eq(err.msg, "/proc/iomem: line 3");
}
END_TEST

START_TEST(arguments_may_be_the_message_itself)
{
	struct kvfs_err err = { 0 };

	kvfs_err_set(&err, EIO, "inner");
	kvfs_err_set(&err, EIO, "outer (%s)", err.msg);
	ck_assert_str_eq(err.msg, "outer (inner)");
	kvfs_err_prefix(&err, "%s twice", err.msg);
	ck_assert_str_eq(err.msg, "outer (inner) twice: outer (inner)");
}
END_TEST

START_TEST(long_messages_are_cut)
{
	static char big[2 * KVFS_ERR_MSG_MAX];
	struct kvfs_err err = { 0 };

	memset(big, 'a', sizeof(big) - 1);
	kvfs_err_sys(&err, EIO, "%s", big);
	ck_assert_uint_eq(strlen(err.msg), KVFS_ERR_MSG_MAX - 1);
	kvfs_err_prefix(&err, "%s", big);
	ck_assert_uint_eq(strlen(err.msg), KVFS_ERR_MSG_MAX - 1);
}
END_TEST

START_TEST(a_message_is_one_line)
{
	struct kvfs_err err = { 0 };

	kvfs_err_set(&err, EIO, "a\nb\tc\x7f" "d\xc3\xa4");
	ck_assert_str_eq(err.msg, "a?b?c?d\xc3\xa4");
}
END_TEST

UNIT_MAIN("err", set_records_and_returns, sys_adds_the_text_of_errno, null_is_allowed,
	  prefix_goes_before, arguments_may_be_the_message_itself, long_messages_are_cut,
	  a_message_is_one_line)
