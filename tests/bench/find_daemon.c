// SPDX-License-Identifier: GPL-2.0-only
#include "find_daemon.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

pid_t find_daemon(const char *mountpoint)
{
	struct dirent *entry;
	pid_t found = 0;
	DIR *proc = opendir("/proc");

	while (proc && !found && (entry = readdir(proc))) {
		char path[300], args[4096] = "";
		ssize_t len;
		int fd;

		if (atoi(entry->d_name) <= 0 || atoi(entry->d_name) == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/%s/cmdline", entry->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		len = read(fd, args, sizeof(args) - 1);
		close(fd);
		if (len > (ssize_t)strlen(mountpoint) + 1 && strstr(args, "kviewfs") &&
		    !strcmp(args + len - strlen(mountpoint) - 1, mountpoint))
			found = atoi(entry->d_name);
	}
	if (proc)
		closedir(proc);
	if (!found) {
		fprintf(stderr, "bench: no kviewfs for %s in /proc\n", mountpoint);
		exit(1);
	}
	return found;
}
