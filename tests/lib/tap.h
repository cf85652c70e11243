/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The Test Anything Protocol for test programs in C: numbered lines on stdout, one a
 * test point, that a harness counts.
 *
 *	int main(void)
 *	{
 *		plan(2);
 *		ok(1 + 1 == 2, "sums");
 *		is_int(open("/", O_WRONLY) < 0 ? errno : 0, EISDIR, "no writing to %s", "/");
 *		return finish();
 *	}
 *
 * Output is flushed line by line, so a crash loses none of it. Points
 * may be counted in one process only: a forked child reports by its exit status.
 */
#ifndef TAP_H
#define TAP_H

#include <stdbool.h>

#define TAP_PRINTF(at) __attribute__((format(printf, at, at + 1)))

/** plan - announce the number of test points; optional, before the first one */
void plan(unsigned int nr);

/** ok - one test point, passed if @pass; returns @pass */
bool ok(bool pass, const char *name, ...) TAP_PRINTF(2);

/** is_int - one test point, passed if @got equals @want, with both shown if not; returns that */
bool is_int(long long got, long long want, const char *name, ...) TAP_PRINTF(3);

/** skip - skip @nr test points for a reason; none if @nr is 0 */
void skip(unsigned int nr, const char *reason, ...) TAP_PRINTF(2);

/** skip_all - skip the whole program, before any test point; does not return */
void skip_all(const char *reason, ...) TAP_PRINTF(1) __attribute__((noreturn));

/** diag - print a diagnostic line */
void diag(const char *text, ...) TAP_PRINTF(1);

/** bail - end the program, because no later result could be trusted; does not return */
void bail(const char *reason, ...) TAP_PRINTF(1) __attribute__((noreturn));

/**
 * finish - end the report
 *
 * Prints the plan if plan() did not. Returns the exit status: 0 if all points passed or
 * were skipped and there were as many as planned, else 1.
 */
int finish(void);

#endif /* TAP_H */
