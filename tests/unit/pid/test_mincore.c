// SPDX-License-Identifier: GPL-2.0-only
#include "pid/mincore.h"

#include <errno.h>

#include "base/cleanup.h"
#include "child.h"
#include "failalloc.h"
#include "pid/process.h"
#include "unit.h"
#include "zoo.h"

#define PAGE UINT64_C(4096)
#define NR_SHARED 4

START_TEST(test_has_swap)
{
	ck_assert(!kvfs_mincore_has_swap(""));
	ck_assert(!kvfs_mincore_has_swap("Filename Type Size Used Priority"));
	ck_assert(!kvfs_mincore_has_swap("Filename Type Size Used Priority\n"));
	ck_assert(kvfs_mincore_has_swap("Filename Type Size Used Priority\n/dev/zram0 partition 1 0 -2\n"));
}
END_TEST

/* Tells whether bit 0 of each page of a mapping of the zoo is what mincore(2) reports in the process. */
static bool is_right(struct kvfs_mincore *res, int dir, const struct zoo_report *report,
		     const struct zoo_mapping *m)
{
	size_t n = (m->end - m->start) / PAGE;
	uint8_t *vec = malloc(n);
	bool right = true;

	ck_assert_int_eq(kvfs_mincore_load(res, dir, m->start / PAGE, vec, n), 0);
	for (size_t i = 0; i < n && right; i++)
		right = (vec[i] & 1) == (report->vec[m->vec_at + i] & 1);
	/* A read of a part has the same bytes, at any page. */
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

/* Bit 0 is what mincore(2) reports in the process, with each of the kernel interfaces. */
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
		/* The kernel may move or drop pages between the two: then they are compared again. */
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
	pid_t pid = child_start();
	int dir;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(kvfs_mincore_create(&configs[0], &res, &err), 0);
	ck_assert_int_eq(kvfs_mincore_load(res, dir, 0, vec, 16), 0);
	ck_assert_int_eq(kvfs_mincore_load(res, dir, UINT64_MAX - 3, vec, 16), -EINVAL);
	child_end(pid);
	ck_assert_int_eq(kvfs_mincore_load(res, dir, 0, vec, 16), -ESRCH);
	close(dir);
	kvfs_mincore_destroy(res);
	kvfs_mincore_destroy(NULL);
}
END_TEST

/*
 * Shared memory of this process whose pages are in the page cache and not mapped: the daemon has to
 * open its file, which is of one of the kernel's own mounts.
 */
static uint8_t *map_shared(void)
{
	uint8_t *p = mmap(NULL, NR_SHARED * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	memset(p, 1, NR_SHARED * PAGE);
	ck_assert_int_eq(madvise(p, NR_SHARED * PAGE, MADV_DONTNEED), 0);
	return p;
}

static void assert_resident(const uint8_t *vec)
{
	for (size_t i = 0; i < NR_SHARED; i++)
		ck_assert_uint_eq(vec[i], KVFS_MINCORE_RESIDENT | KVFS_MINCORE_PAGECACHE);
}

/* A call fails with too few descriptors or too little memory, and later calls are right. */
START_TEST(test_shortage)
{
	_cleanup_close_ int self = open("/proc/self", O_PATH | O_DIRECTORY | O_CLOEXEC);
	uint64_t index = (uintptr_t)map_shared() / PAGE;
	struct kvfs_mincore *res;
	struct kvfs_err err = { 0 };
	uint8_t vec[NR_SHARED];
	int ret;

	ck_assert_int_eq(kvfs_mincore_create(&configs[_i], &res, &err), 0);
	unit_try_few_fds(ret, ret = kvfs_mincore_load(res, self, index, vec, NR_SHARED));
	assert_resident(vec);
	failalloc_try_all(ret, ret = kvfs_mincore_load(res, self, index, vec, NR_SHARED));
	ck_assert_int_eq(ret, 0);
	assert_resident(vec);
	kvfs_mincore_destroy(res);
}
END_TEST

/* Creation fails with too little memory, rather than find that the swap cache cannot be seen. */
START_TEST(test_shortage_at_creation)
{
	struct kvfs_mincore *res;
	struct kvfs_err err = { 0 };
	const char *reason;
	bool sees;
	int ret;

	ck_assert_int_eq(kvfs_mincore_create(&configs[0], &res, &err), 0);
	sees = kvfs_mincore_sees_swap_cache(res, &reason);
	kvfs_mincore_destroy(res);
	failalloc_try_all(ret, ret = kvfs_mincore_create(&configs[0], &res, &err));
	ck_assert_int_eq(kvfs_mincore_sees_swap_cache(res, &reason), sees);
	kvfs_mincore_destroy(res);
	unit_try_few_fds(ret, ret = kvfs_mincore_create(&configs[0], &res, &err));
	ck_assert_int_eq(kvfs_mincore_sees_swap_cache(res, &reason), sees);
	kvfs_mincore_destroy(res);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mincore");
	TCase *tcase = tcase_create("mincore");

	tcase_add_test(tcase, test_has_swap);
	tcase_add_loop_test(tcase, test_zoo, 0, sizeof(configs) / sizeof(configs[0]));
	tcase_add_test(tcase, test_gone);
	tcase_add_loop_test(tcase, test_shortage, 0, sizeof(configs) / sizeof(configs[0]));
	tcase_add_test(tcase, test_shortage_at_creation);
	suite_add_tcase(suite, tcase);
	return unit_run_suite(suite, tcase);
}
