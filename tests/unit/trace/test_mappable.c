// SPDX-License-Identifier: GPL-2.0-only
/* What is expected of kernels by their release, and what an open has met since. */
#include "trace/mappable.h"

#include <errno.h>

#include "fake_tracefs.h"
#include "unit.h"

static int expect(const struct kvfs_trace_mappable *m)
{
	return kvfs_trace_mappable_expect(m, "/nonexistent", NULL);
}

START_TEST(by_release)
{
	static const struct {
		const char *release;
		int want;
	} cases[] = {
		{ "6.10.0", 0 },
		{ "6.12.48+deb13-amd64", 0 },
		{ "6.100-rc1", 0 },
		{ "7.0.0", 0 },
		{ "10.1", 0 },
		{ "6.9.12", -ENODEV },
		{ "6.1.0-40-amd64", -ENODEV },
		{ "5.19.0", -ENODEV },
		{ "unknown", -ENODEV },
		{ "7", -ENODEV },
		{ "", -ENODEV },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kvfs_trace_mappable m;

		kvfs_trace_mappable_init(&m, cases[i].release);
		ck_assert_msg(expect(&m) == cases[i].want, "%s", cases[i].release);
	}
}
END_TEST

START_TEST(an_open_shows_it)
{
	static const int can[] = { 0, -EBUSY, -EINVAL };
	struct kvfs_trace_mappable m;
	struct kvfs_err err = { 0 };

	for (size_t i = 0; i < sizeof(can) / sizeof(can[0]); i++) {
		kvfs_trace_mappable_init(&m, "6.1.0");
		unit_assert_error(kvfs_trace_mappable_expect(&m, "/nonexistent", &err), ENODEV, err,
				  "not expected to map");
		kvfs_trace_mappable_learn(&m, "/nonexistent", can[i]);
		ck_assert_int_eq(expect(&m), 0);
	}
	kvfs_trace_mappable_init(&m, "6.12.0");
	/* Such a failure says nothing about the kernel. */
	kvfs_trace_mappable_learn(&m, "/nonexistent", -ENOMEM);
	ck_assert_int_eq(expect(&m), 0);
	kvfs_trace_mappable_learn(&m, "/nonexistent", -ENODEV);
	unit_assert_error(kvfs_trace_mappable_expect(&m, "/nonexistent", &err), ENODEV, err,
			  "this kernel cannot map the trace ring");
}
END_TEST

START_TEST(a_ring_at_a_fixed_place)
{
	struct kvfs_trace_mappable m;
	struct kvfs_err err = { 0 };
	struct fake fake;
	char cpu0[128];

	fake_create(&fake, 1);
	snprintf(cpu0, sizeof(cpu0), "%s/per_cpu/cpu0", fake.dir);
	kvfs_trace_mappable_init(&m, "6.12.0");
	ck_assert_int_eq(kvfs_trace_mappable_expect(&m, cpu0, &err), 0);
	fake_text("", "%s/buffer_meta", cpu0);
	unit_assert_error(kvfs_trace_mappable_expect(&m, cpu0, &err), ENODEV, err, "fixed place");
	/* What this one meets holds for no other. */
	kvfs_trace_mappable_learn(&m, cpu0, -ENODEV);
	ck_assert_int_eq(expect(&m), 0);
	fake_remove(&fake);
}
END_TEST

START_TEST(of_this_kernel)
{
	struct kvfs_trace_mappable m;
	int ret;

	kvfs_trace_mappable_init(&m, NULL);
	ret = expect(&m);
	ck_assert(ret == 0 || ret == -ENODEV);
}
END_TEST

UNIT_MAIN("mappable",
	by_release,
	an_open_shows_it,
	a_ring_at_a_fixed_place,
	of_this_kernel)
