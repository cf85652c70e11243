// SPDX-License-Identifier: GPL-2.0-only
/*
 * fakectl MOUNTPOINT ABI REFUSALS FEATURES ERRNO: a file MOUNTPOINT/kview that answers
 * KVIEW_IOC_INFO as a module of that ABI version, with those refusals and features, would,
 * and KVIEW_IOC_CREATE with that errno. Simulates modules and machines that are rare.
 * Prints "ready" on stdout when it can be used, and runs until it is unmounted.
 */
#include <errno.h>
#include <fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kview.h"

static struct kview_info info;
static int create_errno;

static int fake_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	memset(st, 0, sizeof(*st));
	if (strcmp(path, "/") == 0)
		st->st_mode = S_IFDIR | 0755;
	else if (strcmp(path, "/kview") == 0)
		st->st_mode = S_IFREG | 0600;
	else
		return -ENOENT;
	st->st_nlink = 1;
	return 0;
}

static int fake_open(const char *path, struct fuse_file_info *fi)
{
	return strcmp(path, "/kview") == 0 ? 0 : -ENOENT;
}

static int fake_ioctl(const char *path, unsigned int cmd, void *arg, struct fuse_file_info *fi,
		      unsigned int flags, void *data)
{
	switch (cmd) {
	case KVIEW_IOC_INFO:
		memcpy(data, &info, sizeof(info));
		return 0;
	case KVIEW_IOC_CREATE:
		return -create_errno;
	}
	return -ENOTTY;
}

static void *fake_init(struct fuse_conn_info *conn, struct fuse_config *config)
{
	puts("ready");
	fflush(stdout);
	return NULL;
}

static const struct fuse_operations operations = {
	.init = fake_init,
	.getattr = fake_getattr,
	.open = fake_open,
	.ioctl = fake_ioctl,
};

int main(int argc, char *argv[])
{
	char *fuse_argv[] = { argv[0], "-f", "-s", argv[1], NULL };

	if (argc != 6) {
		fprintf(stderr, "usage: fakectl MOUNTPOINT ABI REFUSALS FEATURES ERRNO\n");
		return 2;
	}
	info.abi_version = strtoul(argv[2], NULL, 0);
	info.refusals = strtoul(argv[3], NULL, 0);
	info.features = strtoull(argv[4], NULL, 0);
	create_errno = atoi(argv[5]);
	info.max_extents = KVIEW_MAX_EXTENTS;
	info.max_blob_len = KVIEW_MAX_BLOB_LEN;
	info.revalidate_ms = 1000;
	return fuse_main(4, fuse_argv, &operations, NULL);
}
