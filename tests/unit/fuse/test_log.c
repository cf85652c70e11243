// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <syslog.h>

#include "unit.h"

/* In place of those of libc: they record their arguments. */
void __wrap_openlog(const char *ident, int option, int facility);
void __wrap_syslog(int priority, const char *fmt, ...);
void __wrap___syslog_chk(int priority, int flag, const char *fmt, ...);

static char last_syslog[2048];
static int last_priority = -1, last_facility = -1;
static const char *last_ident;

void __wrap_openlog(const char *ident, int option, int facility)
{
	last_ident = ident;
	last_facility = facility;
}

void __wrap_syslog(int priority, const char *fmt, ...)
{
	va_list ap;

	last_priority = priority;
	va_start(ap, fmt);
	vsnprintf(last_syslog, sizeof(last_syslog), fmt, ap);
	va_end(ap);
}

/* What syslog() is called with _FORTIFY_SOURCE. */
void __wrap___syslog_chk(int priority, int flag, const char *fmt, ...)
{
	va_list ap;

	last_priority = priority;
	va_start(ap, fmt);
	vsnprintf(last_syslog, sizeof(last_syslog), fmt, ap);
	va_end(ap);
}

static int captured = -1;

static void capture_stderr(void)
{
	captured = unit_file(NULL, 0);
	ck_assert_int_eq(dup2(captured, STDERR_FILENO), STDERR_FILENO);
}

static const char *what_was_written(void)
{
	static char buf[1 << 16];
	ssize_t n = pread(captured, buf, sizeof(buf) - 1, 0);

	ck_assert_int_ge(n, 0);
	buf[n] = '\0';
	return buf;
}

START_TEST(levels_have_labels)
{
	capture_stderr();
	kvfs_log_init(true);
	kvfs_log_error("e %d", 1);
	kvfs_log_warn("w");
	kvfs_log_info("i");
	kvfs_log_debug("d");
	ck_assert_str_eq(what_was_written(), "kviewfs: error: e 1\nkviewfs: warning: w\n"
			 "kviewfs: i\nkviewfs: debug: d\n");
}
END_TEST

START_TEST(the_journal_gets_priorities)
{
	char stream[64];
	struct stat st;

	capture_stderr();
	ck_assert_int_eq(fstat(captured, &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	setenv("JOURNAL_STREAM", stream, 1);
	kvfs_log_init(true);
	kvfs_log_error("e");
	kvfs_log_warn("w");
	kvfs_log_info("i");
	kvfs_log_debug("d");
	ck_assert_str_eq(what_was_written(), "<3>kviewfs: error: e\n<4>kviewfs: warning: w\n<6>kviewfs: i\n"
			 "<7>kviewfs: debug: d\n");
}
END_TEST

START_TEST(another_stderr_gets_none)
{
	static char trailing[64], sign[64];
	static const char *const streams[] = { "1:1", "", "x", "1", "1:", ":1", trailing, sign, NULL };
	struct stat st;

	capture_stderr();
	ck_assert_int_eq(fstat(captured, &st), 0);
	snprintf(trailing, sizeof(trailing), "%llu:%llux", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	snprintf(sign, sizeof(sign), "+%llu:%llu", (unsigned long long)st.st_dev, (unsigned long long)st.st_ino);
	for (size_t i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
		if (streams[i])
			setenv("JOURNAL_STREAM", streams[i], 1);
		else
			unsetenv("JOURNAL_STREAM");
		kvfs_log_init(false);
		kvfs_log_info("i");
	}
	ck_assert_ptr_null(strchr(what_was_written(), '<'));
	ck_assert_uint_eq(strlen(what_was_written()), sizeof(streams) / sizeof(streams[0]) * strlen("kviewfs: i\n"));
}
END_TEST

START_TEST(debug_only_if_asked_for)
{
	capture_stderr();
	kvfs_log_init(false);
	kvfs_log_debug("d");
	ck_assert_str_eq(what_was_written(), "");
}
END_TEST

START_TEST(errno_is_kept)
{
	capture_stderr();
	kvfs_log_init(true);
	close(STDERR_FILENO);
	errno = ENOTTY;
	kvfs_log_error("not written");
	ck_assert_int_eq(errno, ENOTTY);
}
END_TEST

START_TEST(long_lines_are_cut)
{
	static char big[8192];
	const char *text;

	capture_stderr();
	kvfs_log_init(false);
	memset(big, 'x', sizeof(big) - 1);
	kvfs_log_error("%s", big);
	text = what_was_written();
	ck_assert_uint_lt(strlen(text), 5000);
	ck_assert_int_eq(text[strlen(text) - 1], '\n');
}
END_TEST

START_TEST(a_reason_for_each_directory_has_room)
{
	static char reasons[5 * KVFS_ERR_MSG_MAX + 1];

	capture_stderr();
	kvfs_log_init(false);
	memset(reasons, 'x', sizeof(reasons) - 2);
	reasons[sizeof(reasons) - 2] = '.';
	kvfs_log_info("%s", reasons);
	ck_assert_ptr_nonnull(strstr(what_was_written(), "x.\n"));
}
END_TEST

START_TEST(syslog_takes_over)
{
	capture_stderr();
	kvfs_log_init(false);
	kvfs_log_to_syslog();
	ck_assert_str_eq(last_ident, "kviewfs");
	ck_assert_int_eq(last_facility, LOG_DAEMON);
	kvfs_log_warn("100%% %s", "%s");
	ck_assert_str_eq(last_syslog, "100% %s");
	ck_assert_int_eq(last_priority, LOG_WARNING);
	kvfs_log_error("x");
	ck_assert_int_eq(last_priority, LOG_ERR);
	kvfs_log_info("x");
	ck_assert_int_eq(last_priority, LOG_INFO);
	ck_assert_str_eq(what_was_written(), "");
}
END_TEST

static void *log_many(void *arg)
{
	for (int i = 0; i < 200; i++)
		kvfs_log_info("%s", (const char *)arg);
	return NULL;
}

START_TEST(lines_of_threads_do_not_mix)
{
	pthread_t a, b;
	int lines = 0;

	captured = unit_file(NULL, 0);
	ck_assert_int_eq(fcntl(captured, F_SETFL, O_APPEND), 0);
	ck_assert_int_eq(dup2(captured, STDERR_FILENO), STDERR_FILENO);
	kvfs_log_init(false);
	ck_assert_int_eq(pthread_create(&a, NULL, log_many, (void *)"aaaaaaaaaa"), 0);
	ck_assert_int_eq(pthread_create(&b, NULL, log_many, (void *)"bbbbbbbbbb"), 0);
	pthread_join(a, NULL);
	pthread_join(b, NULL);
	for (char *save, *p = strtok_r((char *)what_was_written(), "\n", &save); p;
	     p = strtok_r(NULL, "\n", &save), lines++)
		ck_assert(!strcmp(p, "kviewfs: aaaaaaaaaa") || !strcmp(p, "kviewfs: bbbbbbbbbb"));
	ck_assert_int_eq(lines, 400);
}
END_TEST

UNIT_MAIN("log", levels_have_labels, the_journal_gets_priorities, another_stderr_gets_none, debug_only_if_asked_for, errno_is_kept, long_lines_are_cut,
	  a_reason_for_each_directory_has_room, syslog_takes_over, lines_of_threads_do_not_mix)
