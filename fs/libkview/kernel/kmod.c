// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/kmod.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "kernel/lockdown.h"

/* Explains an errno of open(2) on the control device, with what to do about it. */
static int explain_open(const char *path, int errnum, struct kvfs_err *err)
{
	switch (errnum) {
	case ENOENT:
	case ENXIO:
	case ENODEV:	/* a node that an unloaded module has left */
		return kvfs_err_set(err, ENOENT, "the kview module is not loaded (no %s): "
				    "modprobe kview, or insmod kernel-module/kview.ko", path);
	case EPERM:
	case EACCES:
		return kvfs_err_set(err, EPERM, "no privilege to open %s: CAP_SYS_RAWIO in the "
				    "initial user namespace is needed", path);
	default:
		return kvfs_err_sys(err, errnum, "cannot open %s", path);
	}
}

static int ask_info(int fd, const char *path, struct kview_info *info, struct kvfs_err *err)
{
	memset(info, 0, sizeof(*info));
	if (ioctl(fd, KVIEW_IOC_INFO, info) == 0)
		return 0;
	if (errno == ENOTTY)
		return kvfs_err_set(err, ENOTTY, "%s is not the control device of a kview module "
				    "that this kviewfs knows", path);
	return kvfs_err_sys(err, errno, "the kview module at %s does not say what it can do", path);
}

int kvfs_kmod_open(struct kvfs_kmod *kmod, const char *path, struct kvfs_err *err)
{
	_cleanup_close_ int fd = -1;
	int ret;

	kmod->fd = -1;
	kmod->path = NULL;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return explain_open(path, errno, err);
	ret = ask_info(fd, path, &kmod->info, err);
	if (ret)
		return ret;
	if (kmod->info.abi_version != KVIEW_ABI_VERSION)
		return kvfs_err_set(err, EPROTO, "the kview module that is loaded speaks ABI version %u, "
				    "this kviewfs %u: install both from the same release",
				    kmod->info.abi_version, KVIEW_ABI_VERSION);
	kmod->path = strdup(path);
	if (!kmod->path)
		return kvfs_err_sys(err, ENOMEM, "%s", path);
	kmod->fd = kvfs_steal_fd(&fd);
	return 0;
}

void kvfs_kmod_close(struct kvfs_kmod *kmod)
{
	if (kmod->fd >= 0)
		close(kmod->fd);
	kmod->fd = -1;
	free(kmod->path);
	kmod->path = NULL;
}

/* The reasons against RAM that are known without asking the module. */
static uint32_t known_refusals(const struct kvfs_kmod *kmod)
{
	uint32_t refusals = kmod->info.refusals;

	if (!(refusals & KVIEW_REFUSAL_LOCKDOWN) && kvfs_lockdown_is_confidential())
		refusals |= KVIEW_REFUSAL_LOCKDOWN;
	return refusals;
}

int kvfs_kmod_ask(const struct kvfs_kmod *kmod, struct kview_info *out, struct kvfs_err *err)
{
	if (kmod->fd < 0)
		return kvfs_err_set(err, ENODEV, "the kview module is not in use");
	if (known_refusals(kmod) & KVIEW_REFUSAL_LOCKDOWN) {
		*out = kmod->info;
		out->refusals |= KVIEW_REFUSAL_LOCKDOWN;
		return 0;
	}
	return ask_info(kmod->fd, kmod->path, out, err);
}

int kvfs_kmod_check_ram(const struct kvfs_kmod *kmod, struct kvfs_err *err)
{
	uint32_t refusals;

	if (kmod->fd < 0)
		return kvfs_err_set(err, ENODEV, "the kview module is not in use");
	refusals = known_refusals(kmod);
	if (refusals & KVIEW_REFUSAL_ENCRYPTED)
		return kvfs_err_set(err, EOPNOTSUPP, "the memory of this guest is encrypted (SEV or TDX): "
				    "the kview module does not show it");
	if (refusals & KVIEW_REFUSAL_LOCKDOWN)
		return kvfs_err_set(err, EPERM, "the kernel is locked down (confidentiality): "
				    "the kview module does not show RAM");
	if (refusals)
		return kvfs_err_set(err, EOPNOTSUPP, "the kview module refuses RAM for a reason that this "
				    "kviewfs does not know (0x%x)", refusals);
	if (!(kmod->info.features & KVIEW_FEATURE_RAM))
		return kvfs_err_set(err, EOPNOTSUPP, "this kview module cannot show RAM");
	return 0;
}

/* Puts an extent in the module's terms. */
static int translate(const struct kvfs_extent *e, int file_fd, struct kview_extent *out)
{
	*out = (struct kview_extent){ .off = e->off, .len = e->len };
	switch (e->kind) {
	case KVFS_EXTENT_RAM:
		out->kind = KVIEW_EXTENT_RAM;
		out->src = e->paddr;
		out->vaddr = e->vaddr;
		return 0;
	case KVFS_EXTENT_BLOB:
		out->kind = KVIEW_EXTENT_BLOB;
		out->src = (uintptr_t)e->blob;
		return 0;
	case KVFS_EXTENT_FILE:
		out->kind = KVIEW_EXTENT_FILE;
		out->src = e->file_off;
		out->fd = file_fd;
		return file_fd >= 0 ? 0 : -EOPNOTSUPP;
	}
	return -EOPNOTSUPP;
}

/* The limits that the module would answer with a bare errno. */
static int check_limits(const struct kvfs_kmod *kmod, const char *name,
			const struct kvfs_extents *t, struct kvfs_err *err)
{
	struct kview_create arg;

	if (strlen(name) >= sizeof(arg.name))
		return kvfs_err_set(err, ENAMETOOLONG, "view %s: the name is longer than %zu bytes",
				    name, sizeof(arg.name) - 1);
	if (t->n > kmod->info.max_extents)
		return kvfs_err_set(err, E2BIG, "view %s: %zu extents, the kview module takes %u at most",
				    name, t->n, kmod->info.max_extents);
	for (size_t i = 0; i < t->n; i++)
		if (t->v[i].kind == KVFS_EXTENT_BLOB && t->v[i].len > kmod->info.max_blob_len)
			return kvfs_err_set(err, E2BIG, "view %s: a blob of %llu bytes, the kview "
					    "module takes %u at most", name,
					    (unsigned long long)t->v[i].len, kmod->info.max_blob_len);
	return 0;
}

/* file_fd: of FILE extents; -1 if there must be none. */
static int create_view(const struct kvfs_kmod *kmod, const char *name, const struct kvfs_extents *t,
		       int file_fd, struct kvfs_err *err)
{
	_cleanup_free_ struct kview_extent *extents = NULL;
	struct kview_create arg = { .size = t->size, .nr_extents = (__u32)t->n };
	int fd, ret;

	if (kmod->fd < 0)
		return kvfs_err_set(err, ENODEV, "view %s: the kview module is not in use", name);
	ret = check_limits(kmod, name, t, err);
	if (ret)
		return ret;
	extents = calloc(t->n ? t->n : 1, sizeof(*extents));
	if (!extents)
		return kvfs_err_sys(err, ENOMEM, "view %s: cannot list its extents", name);
	for (size_t i = 0; i < t->n; i++) {
		ret = translate(&t->v[i], file_fd, &extents[i]);
		if (ret)
			return kvfs_err_set(err, -ret, "view %s: a part of it has no physical address, "
					    "so the kview module cannot show it", name);
	}
	memcpy(arg.name, name, strlen(name) + 1);
	arg.extents = (uintptr_t)extents;
	fd = ioctl(kmod->fd, KVIEW_IOC_CREATE, &arg);
	if (fd < 0)
		return kvfs_err_sys(err, errno, "the kview module does not make the view %s "
				    "(%zu extents, %llu bytes)", name, t->n, (unsigned long long)t->size);
	return fd;
}

int kvfs_kmod_create_view(const struct kvfs_kmod *kmod, const char *name,
			  const struct kvfs_extents *t, struct kvfs_err *err)
{
	return create_view(kmod, name, t, -1, err);
}

/* Tells whether the module can map each page of the view as a page of the file. */
static bool is_aligned(const struct kvfs_extents *t)
{
	const uint64_t mask = (uint64_t)sysconf(_SC_PAGESIZE) - 1;

	for (size_t i = 0; i < t->n; i++)
		if ((t->v[i].off | t->v[i].len | t->v[i].file_off) & mask)
			return false;
	return true;
}

int kvfs_kmod_check_window(const struct kvfs_kmod *kmod, const struct kvfs_extents *t,
			   struct kvfs_err *err)
{
	if (kmod->fd < 0)
		return kvfs_err_set(err, ENODEV, "the kview module is not in use");
	if (!(kmod->info.features & KVIEW_FEATURE_FILE))
		return kvfs_err_set(err, EOPNOTSUPP, "this kview module has no windows onto files");
	if (t->n > kmod->info.max_extents)
		return kvfs_err_set(err, E2BIG, "it has %zu parts, and the kview module takes %u at most",
				    t->n, kmod->info.max_extents);
	if (!is_aligned(t))
		return kvfs_err_set(err, EINVAL, "in the file it begins or ends within a page, and pages are what can be mapped");
	return 0;
}

int kvfs_kmod_create_window(const struct kvfs_kmod *kmod, const char *name,
			    const struct kvfs_extents *t, int file_fd, struct kvfs_err *err)
{
	int ret = kvfs_kmod_check_window(kmod, t, err);

	return ret ? ret : create_view(kmod, name, t, file_fd, err);
}
