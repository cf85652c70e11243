// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/kallsyms.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/number.h"

/* Bytes read at a time, and limit on the length of a line: a name has up to 511 (KSYM_NAME_LEN). */
#define CHUNK_LEN (16 * 1024)

struct scanner {
	kvfs_kallsyms_fn fn;
	void *ctx;
	struct kvfs_err *err;
	size_t line;		/* lines so far */
	bool any_nonzero;
	bool stopped;		/* fn returned 1 */
};

static bool is_graphic(char c)
{
	return (unsigned char)c > ' ' && c != 0x7f;
}

/* [p, end) without the newline. */
static bool parse_line(const char *p, const char *end, struct kvfs_kallsyms_line *line)
{
	*line = (struct kvfs_kallsyms_line){ 0 };
	if (kvfs_number_take_until(&p, end, 16, ' ', UINT64_MAX, &line->vaddr) < 0 || end - p < 3 ||
	    !is_graphic(p[0]) || p[1] != ' ')
		return false;
	line->type = p[0];
	p += 2;
	line->name = p;
	while (p < end && is_graphic(*p))
		p++;
	line->name_len = (size_t)(p - line->name);
	if (!line->name_len)
		return false;
	if (p == end)
		return true;
	line->in_module = true;
	return end - p > 3 && p[0] == '\t' && p[1] == '[' && end[-1] == ']';
}

static int scan_line(struct scanner *s, const char *p, const char *end)
{
	struct kvfs_kallsyms_line line;
	int ret;

	s->line++;
	if (!parse_line(p, end, &line))
		return kvfs_err_set(s->err, EBADMSG, "line %zu is not one of /proc/kallsyms: \"%.*s\"",
				    s->line, (int)(end - p < 80 ? end - p : 80), p);
	if (line.vaddr)
		s->any_nonzero = true;
	ret = s->fn(s->ctx, &line);
	if (ret < 0)
		return kvfs_err_sys(s->err, -ret, "line %zu", s->line);
	s->stopped = ret > 0;
	return 0;
}

/*
 * Parses the whole lines of a text, and at its end a last one without a newline. *used is the
 * number of bytes of these lines.
 */
static int scan_lines(struct scanner *s, const char *text, size_t len, bool at_end, size_t *used)
{
	const char *p = text, *end = text + len;

	while (p < end && !s->stopped) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		int ret;

		if (!eol && !at_end)
			break;
		ret = scan_line(s, p, eol ? eol : end);
		if (ret)
			return ret;
		p = eol ? eol + 1 : end;
	}
	*used = (size_t)(p - text);
	return 0;
}

static int check_end(const struct scanner *s)
{
	if (s->line && !s->any_nonzero && !s->stopped)
		return kvfs_err_set(s->err, EPERM, "the kernel hides the addresses of its symbols: "
				    "CAP_SYSLOG is needed, and sysctl kernel.kptr_restrict below 2");
	return 0;
}

int kvfs_kallsyms_parse(const char *text, size_t len, kvfs_kallsyms_fn fn, void *ctx,
			struct kvfs_err *err)
{
	struct scanner s = { .fn = fn, .ctx = ctx, .err = err };
	size_t used;
	int ret;

	ret = scan_lines(&s, text, len, true, &used);
	return ret ? ret : check_end(&s);
}

static int scan_fd(struct scanner *s, int fd, char *buf)
{
	size_t have = 0, used;
	ssize_t n;
	int ret;

	do {
		n = read(fd, buf + have, CHUNK_LEN - have);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return kvfs_err_sys(s->err, errno, "cannot read after line %zu", s->line);
		have += (size_t)n;
		ret = scan_lines(s, buf, have, n == 0, &used);
		if (ret)
			return ret;
		memmove(buf, buf + used, have - used);
		have -= used;
		if (have == CHUNK_LEN)
			return kvfs_err_set(s->err, EBADMSG, "line %zu is too long for /proc/kallsyms",
					    s->line + 1);
	} while (n && !s->stopped);
	return check_end(s);
}

int kvfs_kallsyms_load(const char *path, kvfs_kallsyms_fn fn, void *ctx, struct kvfs_err *err)
{
	struct scanner s = { .fn = fn, .ctx = ctx, .err = err };
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *buf = NULL;
	int ret;

	if (fd < 0)
		return kvfs_err_sys(err, errno, "cannot open %s", path);
	buf = malloc(CHUNK_LEN);
	if (!buf)
		return kvfs_err_sys(err, ENOMEM, "cannot read %s", path);
	ret = scan_fd(&s, fd, buf);
	if (ret)
		kvfs_err_prefix(err, "%s", path);
	return ret;
}
