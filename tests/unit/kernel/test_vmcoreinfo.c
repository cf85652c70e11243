// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/vmcoreinfo.h"

#include <errno.h>

#include "unit.h"

static const char text[] =
	"OSRELEASE=6.12.0\n"
	"PAGESIZE=4096\n"
	"SYMBOL(swapper_pg_dir)=ffffffff84a10000\n"
	"NUMBER(phys_base)=-62914560\n"
	"NUMBER(max)=18446744073709551615\n"
	"NUMBER(over)=18446744073709551616\n"
	"NUMBER(low)=-9223372036854775808\n"
	"NUMBER(lower)=-9223372036854775809\n"
	"KERNELOFFSET=2b800000\n"
	"PREFIX=0x1F\n"
	"EMPTY=\n"
	"NUMBER(sign)=-\n"
	"TWICE=1\n"
	"TWICE=2\n"
	"A=B=C\n"
	"no equals sign\n"
	"LAST=7";

static const struct kvfs_vmcoreinfo info = { .text = text, .len = sizeof(text) - 1 };

static int dec(const char *key, uint64_t *out)
{
	return kvfs_vmcoreinfo_dec(&info, key, out);
}

START_TEST(test_get)
{
	const char *val;
	size_t len;

	ck_assert(kvfs_vmcoreinfo_get(&info, "OSRELEASE", &val, &len));
	ck_assert_uint_eq(len, 6);
	ck_assert(memcmp(val, "6.12.0", 6) == 0);
	ck_assert(kvfs_vmcoreinfo_get(&info, "A", &val, &len));
	ck_assert(len == 3 && memcmp(val, "B=C", 3) == 0);
	ck_assert(kvfs_vmcoreinfo_get(&info, "EMPTY", &val, &len) && len == 0);
	ck_assert(kvfs_vmcoreinfo_get(&info, "TWICE", &val, &len) && *val == '2');
	ck_assert(!kvfs_vmcoreinfo_get(&info, "OSRELEAS", &val, &len));
	ck_assert(!kvfs_vmcoreinfo_get(&info, "no equals sign", &val, &len));
	ck_assert(!kvfs_vmcoreinfo_get(&info, "", &val, &len));
}
END_TEST

START_TEST(test_numbers)
{
	uint64_t v = 0;

	ck_assert_int_eq(dec("PAGESIZE", &v), 0);
	ck_assert_uint_eq(v, 4096);
	ck_assert_int_eq(dec("NUMBER(phys_base)", &v), 0);
	ck_assert_int_eq((int64_t)v, -62914560);
	ck_assert_int_eq(dec("NUMBER(max)", &v), 0);
	ck_assert_uint_eq(v, UINT64_MAX);
	ck_assert_int_eq(dec("NUMBER(low)", &v), 0);
	ck_assert_int_eq((int64_t)v, INT64_MIN);
	ck_assert_int_eq(dec("LAST", &v), 0);
	ck_assert_uint_eq(v, 7);
	ck_assert_int_eq(kvfs_vmcoreinfo_hex(&info, "SYMBOL(swapper_pg_dir)", &v), 0);
	ck_assert_uint_eq(v, 0xffffffff84a10000);
	ck_assert_int_eq(kvfs_vmcoreinfo_hex(&info, "KERNELOFFSET", &v), 0);
	ck_assert_uint_eq(v, 0x2b800000);
	ck_assert_int_eq(kvfs_vmcoreinfo_hex(&info, "PREFIX", &v), 0);
	ck_assert_uint_eq(v, 0x1f);
}
END_TEST

START_TEST(test_no_numbers)
{
	static const char *const bad[] = {
		"OSRELEASE", "NUMBER(over)", "NUMBER(lower)", "NUMBER(sign)", "EMPTY", "PREFIX",
	};
	uint64_t v = 42;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(dec(bad[i], &v) == -EBADMSG, "%s", bad[i]);
	ck_assert_int_eq(dec("NOT_THERE", &v), -ENOENT);
	ck_assert_int_eq(kvfs_vmcoreinfo_hex(&info, "NOT_THERE", &v), -ENOENT);
	ck_assert_int_eq(kvfs_vmcoreinfo_hex(&info, "OSRELEASE", &v), -EBADMSG);
	ck_assert_int_eq(kvfs_vmcoreinfo_hex(&info, "NUMBER(phys_base)", &v), -EBADMSG);
	ck_assert_uint_eq(v, 42);
}
END_TEST

UNIT_MAIN("vmcoreinfo", test_get, test_numbers, test_no_numbers)
