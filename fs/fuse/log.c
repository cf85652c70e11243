// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include "base/err.h"
#include "base/number.h"

#define IDENT "kviewfs"
/* Bytes; what is longer is cut. The line at start has a reason for each directory. */
#define LINE_MAX_LEN (8 * KVFS_ERR_MSG_MAX)

static atomic_bool show_debug;
static atomic_bool use_syslog;
static atomic_bool stderr_is_journal;

static const struct {
	int priority;		/* of syslog(3) */
	const char *label;	/* on stderr */
} levels[] = {
	[KVFS_LOG_ERROR] = { LOG_ERR, "error: " },
	[KVFS_LOG_WARN] = { LOG_WARNING, "warning: " },
	[KVFS_LOG_INFO] = { LOG_INFO, "" },
	[KVFS_LOG_DEBUG] = { LOG_DEBUG, "debug: " },
};

/*
 * Whether stderr is a stream of systemd-journald, which then reads priorities at the start of lines
 * (sd-daemon(3)). JOURNAL_STREAM names the stream that systemd gave this process or one before it.
 */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM"), *end;
	uint64_t dev, ino;
	struct stat st;

	if (!stream)
		return false;
	end = stream + strlen(stream);
	return kvfs_number_take_until(&stream, end, 10, ':', UINT64_MAX, &dev) == 0 &&
	       kvfs_number_parse(stream, (size_t)(end - stream), 10, UINT64_MAX, &ino) == 0 &&
	       fstat(fd, &st) == 0 && st.st_dev == dev && st.st_ino == ino;
}

void kvfs_log_init(bool debug)
{
	atomic_store(&stderr_is_journal, is_journal(STDERR_FILENO));
	atomic_store(&show_debug, debug);
	atomic_store(&use_syslog, false);
}

void kvfs_log_to_syslog(void)
{
	openlog(IDENT, LOG_PID, LOG_DAEMON);
	atomic_store(&use_syslog, true);
}

/* One write(2) a line, so that lines of several threads do not mix. */
static void write_stderr(enum kvfs_log_level level, const char *msg)
{
	char line[LINE_MAX_LEN + 32], priority[8] = "";
	ssize_t ret;
	int len;

	if (atomic_load(&stderr_is_journal))
		snprintf(priority, sizeof(priority), "<%d>", levels[level].priority);
	len = snprintf(line, sizeof(line), "%s" IDENT ": %s%s\n", priority, levels[level].label, msg);
	do {
		ret = write(STDERR_FILENO, line, (size_t)len);
	} while (ret < 0 && errno == EINTR);
	/* An error here could only be written to the same place. */
}

void kvfs_log(enum kvfs_log_level level, const char *fmt, ...)
{
	int saved = errno;
	char msg[LINE_MAX_LEN];
	va_list ap;

	if (level == KVFS_LOG_DEBUG && !atomic_load(&show_debug))
		return;
	va_start(ap, fmt);
	if (vsnprintf(msg, sizeof(msg), fmt, ap) < 0)
		msg[0] = '\0';
	va_end(ap);
	if (atomic_load(&use_syslog))
		syslog(levels[level].priority, "%s", msg);
	else
		write_stderr(level, msg);
	errno = saved;
}
