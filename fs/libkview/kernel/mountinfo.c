// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/io.h"

/* Bytes; ten thousand mounts are about 2 MiB. */
#define MOUNTINFO_MAX (16 * 1024 * 1024)

static bool is_octal(const char *p)
{
	return p[0] >= '0' && p[0] <= '3' && p[1] >= '0' && p[1] <= '7' && p[2] >= '0' && p[2] <= '7';
}

/* Tells whether field, in which a space for example is "\040", is path. */
static bool field_is(const char *field, size_t len, const char *path)
{
	const char *end = field + len;

	for (; field < end; path++) {
		char c = *field++;

		if (c == '\\' && end - field >= 3 && is_octal(field)) {
			c = (char)((field[0] - '0') << 6 | (field[1] - '0') << 3 | (field[2] - '0'));
			field += 3;
		}
		if (*path != c)
			return false;
	}
	return *path == '\0';
}

/*
 * Parses "ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAG]... - FSTYPE SOURCE SUPEROPTIONS".
 * Returns false if it is no such line, or if path is not NULL and not its MOUNTPOINT.
 */
static bool parse_line(const char *line, size_t len, const char *path, struct kvfs_mountinfo *out)
{
	_cleanup_free_ char *copy = strndup(line, len);
	unsigned int major_nr, minor_nr;
	int pos = 0;
	char *separator;

	if (!copy || sscanf(copy, "%*u %*u %u:%u %*s %n", &major_nr, &minor_nr, &pos) < 2 || pos == 0)
		return false;
	if (path && !field_is(copy + pos, strcspn(copy + pos, " "), path))
		return false;
	separator = strstr(copy + pos, " - ");
	if (!separator || sscanf(separator, " - %63s", out->fstype) != 1)
		return false;
	out->dev = makedev(major_nr, minor_nr);
	return true;
}

bool kvfs_mountinfo_parse(const char *text, const char *path, struct kvfs_mountinfo *out)
{
	bool found = false;

	/* Later mounts come later, and are on top. */
	while (*text) {
		size_t len = strcspn(text, "\n");
		struct kvfs_mountinfo this;

		if (parse_line(text, len, path, &this)) {
			*out = this;
			found = true;
		}
		text += len + (text[len] == '\n');
	}
	return found;
}

bool kvfs_mountinfo_parse_dev(const char *text, dev_t dev, struct kvfs_mountinfo *out)
{
	while (*text) {
		size_t len = strcspn(text, "\n");

		if (parse_line(text, len, NULL, out) && out->dev == dev)
			return true;
		text += len + (text[len] == '\n');
	}
	return false;
}

int kvfs_mountinfo_load(int procdir, char **text)
{
	_cleanup_close_ int fd = openat(procdir, "mountinfo", O_RDONLY | O_CLOEXEC);
	char path[sizeof("/proc/self/fd/") + 10];
	size_t len;

	if (fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return kvfs_io_read_file(path, MOUNTINFO_MAX, text, &len);
}

bool kvfs_mountinfo_find(const char *path, struct kvfs_mountinfo *out)
{
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (kvfs_io_read_file("/proc/self/mountinfo", MOUNTINFO_MAX, &text, &len) < 0)
		return false;
	return kvfs_mountinfo_parse(text, path, out);
}
