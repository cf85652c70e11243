// SPDX-License-Identifier: GPL-2.0-only
#include "pid/mincore.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "pid/kpageflags.h"
#include "pid/pagemap.h"
#include "pid/process.h"
#include "unit.h"
#include "zoo.h"

#define PAGE UINT64_C(4096)

START_TEST(test_of_entry)
{
	static const struct {
		uint64_t entry, flags;
		bool cached;
		uint8_t want;
	} cases[] = {
		{ 0, 0, true, 0 },
		{ UINT64_C(1) << 55, ~UINT64_C(0), true, 0 },
		{ KVFS_PAGEMAP_PRESENT | KVFS_PAGEMAP_FILE, 0, true, 0x0b },
		{ KVFS_PAGEMAP_PRESENT | KVFS_PAGEMAP_FILE, 0, false, 0x03 },
		{ KVFS_PAGEMAP_PRESENT | KVFS_PAGEMAP_FILE, KVFS_KPF_ANON | KVFS_KPF_SWAPCACHE, true, 0x0b },
		{ KVFS_PAGEMAP_PRESENT, KVFS_KPF_ANON, true, 0x07 },
		{ KVFS_PAGEMAP_PRESENT, KVFS_KPF_ANON | KVFS_KPF_SWAPCACHE, false, 0x17 },
		{ KVFS_PAGEMAP_PRESENT, 0, true, 0x03 },			/* zero page */
		{ KVFS_PAGEMAP_SWAPPED | 1 << 5, KVFS_KPF_SWAPCACHE, true, 0x24 },
		{ KVFS_PAGEMAP_SWAPPED | 30, 0, true, 0x05 },			/* migration */
		{ KVFS_PAGEMAP_SWAPPED | KVFS_PAGEMAP_FILE | 30, 0, true, 0x09 },
		{ KVFS_PAGEMAP_SWAPPED | KVFS_PAGEMAP_FILE | 30, 0, false, 0x01 },
		{ KVFS_PAGEMAP_SWAPPED | 31, 0, true, 0 },			/* marker */
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_msg(kvfs_mincore_bits_of_entry(cases[i].entry, cases[i].flags, cases[i].cached) ==
			      cases[i].want, "%zu", i);
}
END_TEST

START_TEST(test_of_categories)
{
	const uint64_t present = KVFS_PAGEMAP_SCAN_PRESENT, file = KVFS_PAGEMAP_SCAN_FILE,
		       zero = KVFS_PAGEMAP_SCAN_PFNZERO, swapped = KVFS_PAGEMAP_SCAN_SWAPPED;

	ck_assert_uint_eq(kvfs_mincore_bits_of_categories(0, true), 0);
	ck_assert_uint_eq(kvfs_mincore_bits_of_categories(swapped, true), 0);
	ck_assert_uint_eq(kvfs_mincore_bits_of_categories(file, true), 0);
	ck_assert_uint_eq(kvfs_mincore_bits_of_categories(present, true), 0x07);
	ck_assert_uint_eq(kvfs_mincore_bits_of_categories(present | zero, false), 0x03);
	ck_assert_uint_eq(kvfs_mincore_bits_of_categories(present | file, true), 0x0b);
	ck_assert_uint_eq(kvfs_mincore_bits_of_categories(present | file, false), 0x03);
}
END_TEST

START_TEST(test_has_swap)
{
	ck_assert(!kvfs_mincore_has_swap(""));
	ck_assert(!kvfs_mincore_has_swap("Filename Type Size Used Priority"));
	ck_assert(!kvfs_mincore_has_swap("Filename Type Size Used Priority\n"));
	ck_assert(kvfs_mincore_has_swap("Filename Type Size Used Priority\n/dev/zram0 partition 1 0 -2\n"));
}
END_TEST

/* Whether one mapping of the zoo is shown as mincore(2) shows it in the process. */
static bool is_right(struct kvfs_mincore *res, int dir, const struct zoo_report *report,
		     const struct zoo_mapping *m)
{
	size_t n = (m->end - m->start) / PAGE;
	uint8_t *vec = malloc(n);
	bool right = true;

	ck_assert_int_eq(kvfs_mincore_load(res, dir, m->start / PAGE, vec, n), 0);
	for (size_t i = 0; i < n && right; i++)
		right = (vec[i] & 1) == (report->vec[m->vec_at + i] & 1);
	/* Any part of it is the same, wherever it begins. */
	for (size_t at = 0; at < n && right; at += 1 + n / 7) {
		size_t len = n - at < 9 ? n - at : 9;
		uint8_t some[9];

		ck_assert_int_eq(kvfs_mincore_load(res, dir, m->start / PAGE + at, some, len), 0);
		right = memcmp(some, vec + at, len) == 0;
	}
	free(vec);
	return right;
}

static const struct kvfs_mincore_config configs[] = {
	{ 0 }, { .parse_maps = true }, { .no_scan = true }, { .parse_maps = true, .no_scan = true },
};

/* Bit 0 is what mincore(2) says in the process, whichever way the kernel is asked. */
START_TEST(test_zoo)
{
	struct kvfs_mincore *res;
	struct kvfs_process_id id;
	struct kvfs_err err = { 0 };
	struct zoo zoo;
	int dir;

	zoo_start(&zoo, "/var/tmp", false);
	zoo_look(&zoo);
	ck_assert_int_eq(kvfs_process_identify(zoo.pid, &id), 0);
	dir = kvfs_process_open(&id);
	ck_assert_int_ge(dir, 0);
	ck_assert_int_eq(kvfs_mincore_create(&configs[_i], &res, &err), 0);
	for (size_t i = 0; i < zoo.report->nr_mappings; i++) {
		const struct zoo_mapping *m = &zoo.report->mappings[i];
		bool right = false;

		if (m->error)
			continue;
		/* The kernel moves and drops pages as it likes: a second look tells that apart. */
		for (int tries = 0; tries < 5 && !right; tries++) {
			if (tries)
				zoo_look(&zoo);
			right = is_right(res, dir, zoo.report, m);
		}
		ck_assert_msg(right, "%s at %#lx", m->name, m->start);
	}
	kvfs_mincore_destroy(res);
	close(dir);
	zoo_stop(&zoo);
}
END_TEST

START_TEST(test_gone)
{
	struct kvfs_mincore *res;
	struct kvfs_err err = { 0 };
	uint8_t vec[16];
	char path[32];
	pid_t pid = fork();
	int dir;

	if (pid == 0)
		for (;;)
			pause();
	snprintf(path, sizeof(path), "/proc/%d", pid);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(kvfs_mincore_create(&configs[0], &res, &err), 0);
	ck_assert_int_eq(kvfs_mincore_load(res, dir, 0, vec, 16), 0);
	ck_assert_int_eq(kvfs_mincore_load(res, dir, UINT64_MAX - 3, vec, 16), -EINVAL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(kvfs_mincore_load(res, dir, 0, vec, 16), -ESRCH);
	close(dir);
	kvfs_mincore_destroy(res);
	kvfs_mincore_destroy(NULL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("residency");
	TCase *tcase = tcase_create("residency");

	tcase_add_test(tcase, test_of_entry);
	tcase_add_test(tcase, test_of_categories);
	tcase_add_test(tcase, test_has_swap);
	tcase_add_loop_test(tcase, test_zoo, 0, sizeof(configs) / sizeof(configs[0]));
	tcase_add_test(tcase, test_gone);
	suite_add_tcase(suite, tcase);
	return unit_run_suite(suite, tcase);
}
