// SPDX-License-Identifier: GPL-2.0-only
#include "mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "kcore.h"
#include "kv.h"
#include "tap.h"

const char *mount_path(const char *name)
{
	static char path[256];
	const char *top = getenv("KVIEW_MOUNT");

	snprintf(path, sizeof(path), "%s/kcore/%s", top ? top : "/mnt/kview", name);
	return path;
}

int mount_open(const char *name)
{
	char mode[32] = "";
	int fd = open(mount_path(name), O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		bail("%s: %s", mount_path(name), strerror(errno));
	if (fgetxattr(fd, "user.kview.mode", mode, sizeof(mode) - 1) < 0)
		bail("%s: no attribute user.kview.mode: %s", mount_path(name), strerror(errno));
	if (!ok(strcmp(mode, "direct") == 0, "kcore/%s is served in mode direct", name))
		bail("it is served in mode %s", mode);
	return fd;
}

uint64_t mount_size(int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		bail("fstat: %s", strerror(errno));
	return (uint64_t)st.st_size;
}

/* The addresses of a few symbols, in one pass over /proc/kallsyms, which is long. */
static void ksyms(const char *const *names, uint64_t *addrs, unsigned int nr)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	unsigned int found = 0;
	char line[1024];

	if (!file)
		bail("/proc/kallsyms: %s", strerror(errno));
	while (found < nr && fgets(line, sizeof(line), file)) {
		/* "ADDRESS TYPE NAME": sixteen digits, a letter. */
		size_t len = strcspn(line, "\n");

		line[len] = 0;
		for (unsigned int i = 0; len > 19 && i < nr; i++) {
			if (strcmp(line + 19, names[i]) != 0)
				continue;
			addrs[i] = strtoull(line, NULL, 16);
			found++;
		}
	}
	fclose(file);
	if (found < nr)
		bail("/proc/kallsyms lacks one of %s, %s ...", names[0], names[1]);
}

struct mount_still mount_still(void)
{
	static const char *const names[] = { "_text", "__start_rodata", "__end_rodata" };
	struct kcore_segment image;
	uint64_t addrs[3], start, end;

	ksyms(names, addrs, 3);
	start = (addrs[1] + PAGE - 1) & -PAGE;
	end = addrs[2] & -PAGE;
	kcore_open();
	image = kcore_image();
	return (struct mount_still){
		.off = start - addrs[0],
		.paddr = image.paddr + (start - image.vaddr),
		.len = end - start,
	};
}
