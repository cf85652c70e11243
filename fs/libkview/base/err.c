// SPDX-License-Identifier: GPL-2.0-only
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A message is one line, even if it quotes a file name or a note that is not. */
static void make_one_line(char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < ' ' || *s == 0x7f)
			*s = '?';
}

/* Formats into a buffer of its own, because the arguments may point into the message. */
static void set_msg(struct kvfs_err *err, const char *suffix, const char *fmt, va_list ap)
{
	char msg[KVFS_ERR_MSG_MAX];
	size_t len;

	if (vsnprintf(msg, sizeof(msg), fmt, ap) < 0)
		msg[0] = '\0';
	len = strlen(msg);
	if (suffix)
		snprintf(msg + len, sizeof(msg) - len, ": %s", suffix);
	make_one_line(msg);
	memcpy(err->msg, msg, strlen(msg) + 1);
}

int kvfs_err_set(struct kvfs_err *err, int errnum, const char *fmt, ...)
{
	va_list ap;

	if (err) {
		err->errnum = errnum;
		va_start(ap, fmt);
		set_msg(err, NULL, fmt, ap);
		va_end(ap);
	}
	return -errnum;
}

int kvfs_err_sys(struct kvfs_err *err, int errnum, const char *fmt, ...)
{
	char text[128];
	va_list ap;

	if (err) {
		err->errnum = errnum;
		va_start(ap, fmt);
		set_msg(err, strerror_r(errnum, text, sizeof(text)), fmt, ap);
		va_end(ap);
	}
	return -errnum;
}

int kvfs_err_prefix(struct kvfs_err *err, const char *fmt, ...)
{
	char old[KVFS_ERR_MSG_MAX];
	va_list ap;

	if (!err)
		return -EIO;
	memcpy(old, err->msg, sizeof(old));
	va_start(ap, fmt);
	set_msg(err, old, fmt, ap);
	va_end(ap);
	return -err->errnum;
}
