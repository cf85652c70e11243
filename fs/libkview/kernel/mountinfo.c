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
#include "base/number.h"

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

static bool take_number(const char **p, const char *end, char delimiter, uint64_t *out)
{
	return kvfs_number_take_until(p, end, 10, delimiter, UINT32_MAX, out) == 0;
}

/* Returns the length of the field at p, which ends with a space or at end. */
static size_t field_len(const char *p, const char *end)
{
	const char *space = memchr(p, ' ', (size_t)(end - p));

	return (size_t)((space ? space : end) - p);
}

/*
 * Parses "ID PARENT MAJOR:MINOR ROOT MOUNTPOINT OPTIONS [TAG]... - FSTYPE SOURCE SUPEROPTIONS".
 * Returns false if it is no such line, or if path is not NULL and not its MOUNTPOINT.
 */
static bool parse_line(const char *line, size_t len, const char *path, struct kvfs_mountinfo *out)
{
	const char *p = line, *end = line + len, *mountpoint;
	uint64_t id, major_nr, minor_nr;

	if (!take_number(&p, end, ' ', &id) || !take_number(&p, end, ' ', &id) ||
	    !take_number(&p, end, ':', &major_nr) || !take_number(&p, end, ' ', &minor_nr))
		return false;
	p = memchr(p, ' ', (size_t)(end - p));
	if (!p)
		return false;
	mountpoint = p + 1;
	if (path && !field_is(mountpoint, field_len(mountpoint, end), path))
		return false;
	p = memmem(mountpoint, (size_t)(end - mountpoint), " - ", 3);
	if (!p || field_len(p + 3, end) == 0)
		return false;
	snprintf(out->fstype, sizeof(out->fstype), "%.*s", (int)field_len(p + 3, end), p + 3);
	out->dev = makedev((unsigned int)major_nr, (unsigned int)minor_nr);
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

int kvfs_mountinfo_find(const char *path, struct kvfs_mountinfo *out)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int ret = kvfs_io_read_file("/proc/self/mountinfo", MOUNTINFO_MAX, &text, &len);

	return ret < 0 ? ret : kvfs_mountinfo_parse(text, path, out);
}
