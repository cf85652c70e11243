/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Errors with a message. Run-time paths return -errno only; functions that a user waits for, as at
 * mount, also fill in a struct kvfs_err that names the file, the range and the reason.
 */
#ifndef KVFS_BASE_ERR_H
#define KVFS_BASE_ERR_H

#include <errno.h>
#include <stdbool.h>

#define KVFS_ERR_MSG_MAX 512

/* The caller owns it; all zero means no error. */
struct kvfs_err {
	int errnum;			/* positive errno */
	char msg[KVFS_ERR_MSG_MAX];	/* one line, no final full stop, no newline */
};

/*
 * Records an error and returns -errnum, so that a caller can `return kvfs_err_set(...)`.
 * The message names what was tried; the text of errnum is not added (kvfs_err_sys()
 * does). A message that is too long is cut, a control character becomes '?'. The arguments
 * may point into err->msg. err may be NULL: only the value matters.
 */
int kvfs_err_set(struct kvfs_err *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* As kvfs_err_set(), with ": " and strerror(errnum) after the message. */
int kvfs_err_sys(struct kvfs_err *err, int errnum, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Puts "fmt: " before the message in err. Returns -errnum of err; with err NULL -EIO, so that a
 * failure cannot become success.
 */
int kvfs_err_prefix(struct kvfs_err *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/*
 * Tells whether -errno means that memory or descriptors ran short for a moment or that a signal
 * came: it says nothing about the file that was asked for, and the same call may succeed later.
 */
static inline bool kvfs_err_is_shortage(int ret)
{
	return ret == -ENOMEM || ret == -EMFILE || ret == -ENFILE || ret == -EINTR || ret == -EAGAIN;
}

#endif /* KVFS_BASE_ERR_H */
