// SPDX-License-Identifier: GPL-2.0-only
#include "tap.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static unsigned int planned, run, failed;
static bool has_plan;

void plan(unsigned int nr)
{
	planned = nr;
	has_plan = true;
	printf("1..%u\n", nr);
	fflush(stdout);
}

static void point(bool pass, const char *name, va_list args)
{
	run++;
	if (!pass)
		failed++;
	printf("%s %u - ", pass ? "ok" : "not ok", run);
	vprintf(name, args);
}

bool ok(bool pass, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	point(pass, name, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	return pass;
}

bool is_int(long long got, long long want, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	point(got == want, name, args);
	va_end(args);
	putchar('\n');
	if (got != want)
		printf("#   got %lld (%#llx), want %lld (%#llx)\n", got,
		       (unsigned long long)got, want, (unsigned long long)want);
	fflush(stdout);
	return got == want;
}

void skip(unsigned int nr, const char *reason, ...)
{
	va_list args;

	while (nr--) {
		printf("ok %u # SKIP ", ++run);
		va_start(args, reason);
		vprintf(reason, args);
		va_end(args);
		putchar('\n');
	}
	fflush(stdout);
}

void skip_all(const char *reason, ...)
{
	va_list args;

	fputs("1..0 # SKIP ", stdout);
	va_start(args, reason);
	vprintf(reason, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	exit(0);
}

void diag(const char *text, ...)
{
	va_list args;

	fputs("# ", stdout);
	va_start(args, text);
	vprintf(text, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
}

void bail(const char *reason, ...)
{
	va_list args;

	fputs("Bail out! ", stdout);
	va_start(args, reason);
	vprintf(reason, args);
	va_end(args);
	putchar('\n');
	fflush(stdout);
	exit(1);
}

int finish(void)
{
	if (!has_plan)
		plan(run);
	if (run != planned)
		diag("planned %u test points, ran %u", planned, run);
	if (failed)
		diag("%u of %u test points failed", failed, run);
	return failed || run != planned;
}
