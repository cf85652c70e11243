/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages of the daemon: to stderr while it has the user's terminal (-f, and until the mount is
 * ready), to syslog after that. If stderr is the journal, lines have a priority ("<4>"). Each
 * failure is one line. The library does not log.
 */
#ifndef KVFS_FUSE_LOG_H
#define KVFS_FUSE_LOG_H

#include <stdbool.h>

enum kvfs_log_level {
	KVFS_LOG_ERROR,
	KVFS_LOG_WARN,
	KVFS_LOG_INFO,
	KVFS_LOG_DEBUG,		/* shown with -d only */
};

/* debug: show KVFS_LOG_DEBUG as well. Messages go to stderr until kvfs_log_to_syslog(). */
void kvfs_log_init(bool debug);

/* From now on messages go to syslog (facility daemon, ident "kviewfs"). */
void kvfs_log_to_syslog(void);

/* Thread-safe; a line, without a newline at its end. */
void kvfs_log(enum kvfs_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#define kvfs_log_error(...) kvfs_log(KVFS_LOG_ERROR, __VA_ARGS__)
#define kvfs_log_warn(...) kvfs_log(KVFS_LOG_WARN, __VA_ARGS__)
#define kvfs_log_info(...) kvfs_log(KVFS_LOG_INFO, __VA_ARGS__)
#define kvfs_log_debug(...) kvfs_log(KVFS_LOG_DEBUG, __VA_ARGS__)

#endif /* KVFS_FUSE_LOG_H */
