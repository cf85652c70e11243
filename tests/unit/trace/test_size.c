// SPDX-License-Identifier: GPL-2.0-only
/* Sizes as in tracefs of Linux 6.12 and 6.18, with the mappings that were there. */
#include "trace/size.h"

#include <errno.h>
#include <stdint.h>

#include "failalloc.h"
#include "fake_tracefs.h"
#include "unit.h"

static char cpu0[128];
static bool confidential;

bool __wrap_kvfs_lockdown_is_confidential(void);
bool __wrap_kvfs_lockdown_is_confidential(void)
{
	return confidential;
}

static void make(struct fake *fake)
{
	fake_create(fake, 2);
	snprintf(cpu0, sizeof(cpu0), "%s/per_cpu/cpu0", fake->dir);
}

START_TEST(lengths)
{
	static const struct {
		uint64_t size_kib, subbuf_kib, nr_subbufs;	/* the reader's is one of them */
	} cases[] = {
		{ 1410, 4, 355 },	/* 354 x 4,080 bytes are 1,410.5 KiB */
		{ 7, 4, 3 },		/* a ring that was not used yet */
		{ 1, 4, 3 },
		{ 0, 4, 3 },
		{ 515, 4, 131 },
		{ 519, 64, 10 },
		{ 1048577, 4, 263174 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_uint_eq(kvfs_trace_size_len(cases[i].size_kib, cases[i].subbuf_kib),
				  (cases[i].nr_subbufs + 1) * cases[i].subbuf_kib * 1024);
	ck_assert_uint_eq(kvfs_trace_size_len(UINT64_MAX, 4), 0);
	ck_assert_uint_eq(kvfs_trace_size_len(UINT64_MAX / 1024, 4), 0);
}
END_TEST

/* Each number of sub-buffers, from what the kernel makes of it: nr x payload, in whole KiB. */
START_TEST(every_number_of_subbufs)
{
	for (uint64_t subbuf = 4; subbuf <= 512; subbuf *= 2) {
		for (uint64_t nr = 2; nr < 5000; nr++) {
			uint64_t kib = nr * (subbuf * 1024 - 16) / 1024;

			ck_assert_uint_eq(kvfs_trace_size_len(kib, subbuf), (nr + 2) * subbuf * 1024);
		}
	}
}
END_TEST

START_TEST(lists_of_cpus)
{
	ck_assert_int_eq(kvfs_trace_size_list_has("0\n", 0), 1);
	ck_assert_int_eq(kvfs_trace_size_list_has("0-3,8,10-11\n", 3), 1);
	ck_assert_int_eq(kvfs_trace_size_list_has("0-3,8,10-11\n", 8), 1);
	ck_assert_int_eq(kvfs_trace_size_list_has("0-3,8,10-11", 11), 1);
	ck_assert_int_eq(kvfs_trace_size_list_has("0-3,8,10-11\n", 9), 0);
	ck_assert_int_eq(kvfs_trace_size_list_has("\n", 0), 0);
	ck_assert_int_eq(kvfs_trace_size_list_has("", 0), 0);
	ck_assert_int_eq(kvfs_trace_size_list_has("1;2\n", 2), -EBADMSG);
	ck_assert_int_eq(kvfs_trace_size_list_has("1-\n", 2), -EBADMSG);
	ck_assert_int_eq(kvfs_trace_size_list_has("none\n", 0), -EBADMSG);
}
END_TEST

START_TEST(from_files)
{
	struct kvfs_trace_size size, again;
	struct fake fake;

	make(&fake);
	ck_assert_int_eq(kvfs_trace_size_load(cpu0, 0, fake.online, &size), 0);
	ck_assert(size.exists);
	ck_assert_uint_eq(size.len, FAKE_LEN);
	ck_assert_int_eq(kvfs_trace_size_load(cpu0, 0, fake.online, &again), 0);
	ck_assert(kvfs_trace_size_equal(&size, &again));
	fake_text("7 (expanded: 1408)\n", "%s/buffer_size_kb", cpu0);
	ck_assert_int_eq(kvfs_trace_size_load(cpu0, 0, fake.online, &size), 0);
	ck_assert_uint_eq(size.len, 4 * 4096);
	ck_assert(!kvfs_trace_size_equal(&size, &again));
	fake_text("8\n", "%s/buffer_subbuf_size_kb", fake.dir);
	ck_assert_int_eq(kvfs_trace_size_load(cpu0, 0, fake.online, &size), 0);
	ck_assert_uint_eq(size.len, 4 * 8192);
	/* Before Linux 6.8 a sub-buffer is a page. */
	ck_assert_int_eq(unlink(strcat(strcpy((char[128]) { 0 }, fake.dir), "/buffer_subbuf_size_kb")), 0);
	ck_assert_int_eq(kvfs_trace_size_load(cpu0, 0, fake.online, &size), 0);
	ck_assert_uint_eq(size.len, 4 * (uint64_t)sysconf(_SC_PAGESIZE));
	fake_remove(&fake);
}
END_TEST

/* No file of tracefs is opened, since the kernel would log a line for each. */
START_TEST(under_lockdown)
{
	struct kvfs_trace_size size;

	confidential = true;
	ck_assert_int_eq(kvfs_trace_size_load("/nonexistent", 0, "/nonexistent", &size), -EPERM);
}
END_TEST

START_TEST(of_an_offline_cpu)
{
	struct kvfs_trace_size size;
	struct fake fake;

	make(&fake);
	fake_text("1\n", "%s", fake.online);
	ck_assert_int_eq(kvfs_trace_size_load(cpu0, 0, fake.online, &size), 0);
	ck_assert(!size.exists);
	ck_assert_uint_eq(size.len, 0);
	/* It has counted something, so it has a ring. */
	fake_text("entries: 0\noverrun: 0\ndropped events: 0\nread events: 7\n", "%s/stats", cpu0);
	ck_assert_int_eq(kvfs_trace_size_load(cpu0, 0, fake.online, &size), 0);
	ck_assert_uint_eq(size.len, FAKE_LEN);
	/* Without a list of CPUs, such as where /sys is not mounted. */
	fake_text(FAKE_STATS, "%s/stats", cpu0);
	ck_assert_int_eq(kvfs_trace_size_load(cpu0, 0, "/nonexistent", &size), 0);
	ck_assert_uint_eq(size.len, FAKE_LEN);
	fake_remove(&fake);
}
END_TEST

START_TEST(what_is_wrong_is_reported)
{
	struct kvfs_trace_size size;
	struct fake fake;
	int ret;

	make(&fake);
	failalloc_try_all(ret, ret = kvfs_trace_size_load(cpu0, 0, fake.online, &size));
	ck_assert_int_eq(ret, 0);
	fake_text("X\n", "%s/buffer_size_kb", cpu0);
	ck_assert_int_eq(kvfs_trace_size_load(cpu0, 0, fake.online, &size), -EBADMSG);
	fake_text("18014398509481983\n", "%s/buffer_size_kb", cpu0);
	ck_assert_int_eq(kvfs_trace_size_load(cpu0, 0, fake.online, &size), -EBADMSG);
	fake_text("11\n", "%s/buffer_size_kb", cpu0);
	fake_text("0\n", "%s/buffer_subbuf_size_kb", fake.dir);
	ck_assert_int_eq(kvfs_trace_size_load(cpu0, 0, fake.online, &size), -EBADMSG);
	fake_text("4\n", "%s/buffer_subbuf_size_kb", fake.dir);
	fake_text("?\n", "%s", fake.online);
	ck_assert_int_eq(kvfs_trace_size_load(cpu0, 0, fake.online, &size), -EBADMSG);
	fake_text("1\n", "%s", fake.online);
	fake_text("\n", "%s/stats", cpu0);
	ck_assert_int_eq(kvfs_trace_size_load(cpu0, 0, fake.online, &size), -EBADMSG);
	fake_remove(&fake);
	ck_assert_int_eq(kvfs_trace_size_load(cpu0, 0, fake.online, &size), -ENOENT);
}
END_TEST

UNIT_MAIN("size",
	lengths,
	every_number_of_subbufs,
	lists_of_cpus,
	from_files,
	of_an_offline_cpu,
	under_lockdown,
	what_is_wrong_is_reported)
