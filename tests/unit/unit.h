/* SPDX-License-Identifier: GPL-2.0-only */
/* What every unit test shares: a main that speaks TAP, and files that exist in memory only. */
#ifndef UNIT_H
#define UNIT_H

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/err.h"

/* Runs a suite of one test case, each test in a process of its own unless CK_FORK=no. */
static inline int unit_run_suite(Suite *suite, TCase *tcase)
{
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 120);	/* seconds; valgrind is slow */
	runner = srunner_create(suite);
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/*
 * Like unit_run_suite(), and reports n tests that are not in the suite as skipped for reason:
 * check has no result for them.
 */
static inline int unit_run_suite_and_skip(Suite *suite, TCase *tcase, const TTest *const *skipped,
					  size_t n, const char *reason)
{
	int ran = memfd_create("tap", 0), failed;
	char path[64], line[1024];
	SRunner *runner;
	size_t nr = 0;
	FILE *tap;

	if (ran < 0)
		return EXIT_FAILURE;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ran);
	tcase_set_timeout(tcase, 120);
	runner = srunner_create(suite);
	srunner_set_tap(runner, path);
	srunner_run_all(runner, CK_SILENT);
	nr = (size_t)srunner_ntests_run(runner);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	tap = fopen(path, "r");
	if (!tap)
		return EXIT_FAILURE;
	printf("1..%zu\n", nr + n);
	while (fgets(line, sizeof(line), tap))
		if (strncmp(line, "1..", 3))
			fputs(line, stdout);
	for (size_t i = 0; i < n; i++)
		printf("ok %zu - %s # SKIP %s\n", ++nr, skipped[i]->name, reason);
	fclose(tap);
	close(ran);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Runs tests (n of them). Returns main's value, as unit_run_suite() does. */
static inline int unit_run(const char *name, const TTest *const *tests, size_t n)
{
	Suite *suite = suite_create(name);
	TCase *tcase = tcase_create(name);

	for (size_t i = 0; i < n; i++)
		tcase_add_test(tcase, tests[i]);
	suite_add_tcase(suite, tcase);
	return unit_run_suite(suite, tcase);
}

#define UNIT_MAIN(name, ...) \
	int main(void) \
	{ \
		const TTest *const tests[] = { __VA_ARGS__ }; \
		return unit_run(name, tests, sizeof(tests) / sizeof(tests[0])); \
	}

/* A file with these bytes; a descriptor for the caller to close. */
static inline int unit_file(const void *bytes, size_t len)
{
	int fd = memfd_create("unit", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	if (len)
		ck_assert_int_eq(pwrite(fd, bytes, len, 0), (int)len);
	return fd;
}

/* A path by which the file of a descriptor can be opened; good until the next call. */
static inline const char *unit_path(int fd)
{
	static char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

/* Allows n more descriptors to be opened, or fewer if there are gaps among the open ones. */
static inline void unit_allow_fds(unsigned int n)
{
	int lowest = dup(STDERR_FILENO);
	struct rlimit limit;

	ck_assert_int_ge(lowest, 0);
	close(lowest);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = (rlim_t)lowest + n;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/*
 * Runs a statement with 0, 1, 2... free descriptors until it succeeds. ret is what the
 * statement sets; each failure must be -EMFILE. The limit is as before then.
 */
#define unit_try_few_fds(ret, statement) \
	do { \
		struct rlimit before_; \
		ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before_), 0); \
		for (unsigned int n_ = 0;; n_++) { \
			unit_allow_fds(n_); \
			statement; \
			ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before_), 0); \
			if ((ret) >= 0) { \
				ck_assert_int_gt(n_, 0); \
				break; \
			} \
			ck_assert_int_eq(ret, -EMFILE); \
		} \
	} while (0)

/* The call failed with errnum, and says so with a message that holds part. */
#define unit_assert_error(ret, errnum_, err, part) \
	do { \
		ck_assert_int_eq(ret, -(errnum_)); \
		ck_assert_int_eq((err).errnum, errnum_); \
		ck_assert_msg(strstr((err).msg, part) != NULL, "\"%s\" is not in \"%s\"", part, \
			      (err).msg); \
	} while (0)

#endif /* UNIT_H */
