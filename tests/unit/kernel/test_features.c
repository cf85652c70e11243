// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/features.h"

#include <sys/utsname.h>

#include "extent/uring.h"
#include "unit.h"

START_TEST(this_machine)
{
	struct kvfs_features f;
	struct utsname uts;
	const char *reason;

	ck_assert_int_eq(uname(&uts), 0);
	kvfs_features_load(&f);
	ck_assert_str_eq(f.kernel_release, uts.release);
	ck_assert_str_eq(f.machine, uts.machine);
	ck_assert_uint_eq(f.page_size, (size_t)sysconf(_SC_PAGESIZE));
	ck_assert_uint_gt(strlen(f.lockdown), 0);
	ck_assert_int_eq(f.io_uring, kvfs_uring_available(&reason));
	ck_assert_int_eq(f.io_uring, f.io_uring_reason == NULL);
	ck_assert_ptr_eq(f.io_uring_reason, reason);
}
END_TEST

START_TEST(the_reason_is_passed_on)
{
	struct kvfs_features f;

	kvfs_uring_disable();
	kvfs_features_load(&f);
	ck_assert(!f.io_uring);
	ck_assert_str_eq(f.io_uring_reason, "switched off");
}
END_TEST

UNIT_MAIN("features", this_machine, the_reason_is_passed_on)
