// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/kmod.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/ioctl.h>

#include "failalloc.h"
#include "unit.h"

/* A module in this process, played by open(2) and ioctl(2). */
int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);

static int open_errno, info_errno, create_errno;
static struct kview_info info = {
	.abi_version = KVIEW_ABI_VERSION,
	.features = KVIEW_FEATURE_RAM | KVIEW_FEATURE_BLOB,
	.max_extents = 4,
	.max_blob_len = 64,
	.revalidate_ms = 1000,
};
static const char *device_path = KVIEW_DEVICE;
static int device = -1, opens, infos;
static bool confidential;
static struct kview_create created;
static struct kview_extent created_extents[4];

int __wrap_open(const char *path, int flags, ...)
{
	if (strcmp(path, device_path))
		return __real_open(path, flags);
	opens++;
	if (open_errno) {
		errno = open_errno;
		return -1;
	}
	/* ck_assert() would allocate. */
	if (!(flags & O_CLOEXEC))
		abort();
	device = __real_open("/dev/null", flags);
	return device;
}

int __wrap_open64(const char *path, int flags, ...)
{
	return __wrap_open(path, flags);
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	int *error = request == KVIEW_IOC_INFO ? &info_errno : &create_errno;
	const struct kview_create *arg;
	va_list ap;
	void *p;

	va_start(ap, request);
	p = va_arg(ap, void *);
	va_end(ap);
	if (fd != device)
		abort();
	infos += request == KVIEW_IOC_INFO;
	if (*error) {
		errno = *error;
		return -1;
	}
	if (request == KVIEW_IOC_INFO) {
		*(struct kview_info *)p = info;
		return 0;
	}
	ck_assert_uint_eq(request, KVIEW_IOC_CREATE);
	arg = p;
	created = *arg;
	ck_assert_uint_le(arg->nr_extents, 4);
	memcpy(created_extents, (void *)(uintptr_t)arg->extents,
	       arg->nr_extents * sizeof(created_extents[0]));
	return __real_open("/dev/null", O_RDONLY);
}

bool __wrap_kvfs_lockdown_is_confidential(void);
bool __wrap_kvfs_lockdown_is_confidential(void)
{
	return confidential;
}

static struct kvfs_kmod opened(void)
{
	struct kvfs_kmod kmod;
	struct kvfs_err err = { 0 };

	ck_assert_msg(!kvfs_kmod_open(&kmod, KVIEW_DEVICE, &err), "%s", err.msg);
	return kmod;
}

START_TEST(open_and_close)
{
	struct kvfs_kmod kmod = opened();

	ck_assert_int_eq(kmod.fd, device);
	ck_assert_uint_eq(kmod.info.revalidate_ms, 1000);
	kvfs_kmod_close(&kmod);
	ck_assert_int_eq(kmod.fd, -1);
	ck_assert_int_eq(fcntl(device, F_GETFD), -1);
	kvfs_kmod_close(&kmod);
}
END_TEST

START_TEST(open_says_what_to_do)
{
	static const struct { int from, to; const char *part; } cases[] = {
		{ ENOENT, ENOENT, "not loaded (no /dev/kview): modprobe kview, or insmod" },
		{ ENXIO, ENOENT, "not loaded" }, { ENODEV, ENOENT, "not loaded" },
		{ EPERM, EPERM, "CAP_SYS_RAWIO" }, { EACCES, EPERM, "CAP_SYS_RAWIO" },
		{ EMFILE, EMFILE, "cannot open /dev/kview: Too many open files" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct kvfs_kmod kmod = { .fd = 7 };
		struct kvfs_err err = { 0 };
		int ret;

		open_errno = cases[i].from;
		ret = kvfs_kmod_open(&kmod, KVIEW_DEVICE, &err);
		unit_assert_error(ret, cases[i].to, err, cases[i].part);
		ck_assert_int_eq(kmod.fd, -1);
	}
}
END_TEST

START_TEST(another_device_or_module)
{
	struct kvfs_kmod kmod;
	struct kvfs_err err = { 0 };
	int ret;

	info_errno = ENOTTY;
	ret = kvfs_kmod_open(&kmod, KVIEW_DEVICE, &err);
	unit_assert_error(ret, ENOTTY, err, "/dev/kview is not the control device");
	ck_assert_int_eq(kmod.fd, -1);
	ck_assert_int_eq(fcntl(device, F_GETFD), -1);
	info_errno = EFAULT;
	ret = kvfs_kmod_open(&kmod, KVIEW_DEVICE, &err);
	unit_assert_error(ret, EFAULT, err, "Bad address");
	info_errno = 0;
	info.abi_version = KVIEW_ABI_VERSION + 1;
	ret = kvfs_kmod_open(&kmod, KVIEW_DEVICE, &err);
	unit_assert_error(ret, EPROTO, err, "speaks ABI version 3, this kviewfs 2");
	ck_assert_int_eq(kmod.fd, -1);
	ck_assert_int_eq(fcntl(device, F_GETFD), -1);
}
END_TEST

/* A module with these refusals and features, opened. */
static struct kvfs_kmod opened_with(uint32_t refusals, uint64_t features)
{
	const struct kview_info before = info;
	struct kvfs_kmod kmod;

	info.refusals = refusals;
	info.features = features;
	kmod = opened();
	info = before;
	return kmod;
}

static void check_refused(uint32_t refusals, uint64_t features, int errnum, const char *part)
{
	struct kvfs_kmod kmod = opened_with(refusals, features);
	struct kvfs_err err = { 0 };
	int ret = kvfs_kmod_check_ram(&kmod, &err);

	unit_assert_error(ret, errnum, err, part);
	kvfs_kmod_close(&kmod);
}

START_TEST(ram_may_be_refused)
{
	struct kvfs_kmod kmod = opened(), closed = { .fd = -1 };
	struct kvfs_err err = { 0 };
	int ret;

	ck_assert_int_eq(kvfs_kmod_check_ram(&kmod, &err), 0);
	kvfs_kmod_close(&kmod);
	ret = kvfs_kmod_check_ram(&closed, &err);
	unit_assert_error(ret, ENODEV, err, "not in use");
	check_refused(KVIEW_REFUSAL_LOCKDOWN, KVIEW_FEATURE_RAM, EPERM, "locked down");
	check_refused(KVIEW_REFUSAL_LOCKDOWN | KVIEW_REFUSAL_ENCRYPTED, KVIEW_FEATURE_RAM, EOPNOTSUPP,
		      "encrypted");
	check_refused(1U << 31, KVIEW_FEATURE_RAM, EOPNOTSUPP, "0x80000000");
	check_refused(0, KVIEW_FEATURE_BLOB, EOPNOTSUPP, "cannot show RAM");
}
END_TEST

/* Each KVIEW_IOC_INFO would add a line to the kernel log. */
START_TEST(lockdown_is_seen_without_asking)
{
	struct kvfs_kmod kmod = opened();
	struct kvfs_err err = { 0 };
	struct kview_info now;
	int ret, before;

	info.revalidate_ms = 77;
	ck_assert_int_eq(kvfs_kmod_ask(&kmod, &now, &err), 0);
	ck_assert_uint_eq(now.revalidate_ms, 77);
	ck_assert_uint_eq(now.refusals, 0);
	before = infos;
	ck_assert_int_eq(kvfs_kmod_check_ram(&kmod, &err), 0);
	confidential = true;
	ret = kvfs_kmod_check_ram(&kmod, &err);
	unit_assert_error(ret, EPERM, err, "locked down");
	ck_assert_int_eq(kvfs_kmod_ask(&kmod, &now, &err), 0);
	ck_assert_uint_eq(now.revalidate_ms, 1000);	/* as it was at open */
	ck_assert_uint_eq(now.refusals, KVIEW_REFUSAL_LOCKDOWN);
	/* Other threads may be reading what was reported at open. */
	ck_assert_uint_eq(kmod.info.refusals, 0);
	ck_assert_int_eq(infos, before);
	kvfs_kmod_close(&kmod);
}
END_TEST

/* device=FILE names another control device; so do the messages. */
START_TEST(messages_name_the_device)
{
	static const int errors[] = { ENOENT, EPERM, EMFILE };	/* each has its message */
	struct kvfs_kmod kmod;
	struct kvfs_err err = { 0 };
	struct kview_info now;
	int ret;

	device_path = "/dev/another";
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		open_errno = errors[i];
		ret = kvfs_kmod_open(&kmod, device_path, &err);
		unit_assert_error(ret, errors[i], err, "/dev/another");
		ck_assert_ptr_null(strstr(err.msg, KVIEW_DEVICE));
	}
	open_errno = 0;
	ck_assert_int_eq(kvfs_kmod_open(&kmod, device_path, &err), 0);
	info_errno = ENOTTY;
	ret = kvfs_kmod_ask(&kmod, &now, &err);
	unit_assert_error(ret, ENOTTY, err, "/dev/another is not the control device");
	info_errno = ENODEV;
	ret = kvfs_kmod_ask(&kmod, &now, &err);
	unit_assert_error(ret, ENODEV, err, "module at /dev/another does not say what it can do: No such device");
	kvfs_kmod_close(&kmod);
	ret = kvfs_kmod_ask(&kmod, &now, &err);
	unit_assert_error(ret, ENODEV, err, "not in use");
	info_errno = 0;
	failalloc_try_all(ret, ret = kvfs_kmod_open(&kmod, device_path, &err));
	ck_assert_int_eq(ret, 0);
	kvfs_kmod_close(&kmod);
}
END_TEST

static const char blob[64] = "blob";

static struct kvfs_extents make_table(void)
{
	const struct kvfs_extent e[] = {
		{ .len = 64, .kind = KVFS_EXTENT_BLOB, .blob = blob },
		{ .off = 4096, .len = 8192, .kind = KVFS_EXTENT_RAM, .paddr = 0x1000000,
		  .vaddr = 0xffffffff81000000, .file_off = KVFS_NO_FILE_OFF },
		{ .off = 16384, .len = 4096, .kind = KVFS_EXTENT_RAM, .paddr = 0x5000,
		  .file_off = 77 },
	};
	struct kvfs_extents t = { 0 };

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(kvfs_extents_add(&t, &e[i]), 0);
	t.size = 1 << 20;
	return t;
}

START_TEST(a_view)
{
	const struct kview_extent want[] = {
		{ .len = 64, .kind = KVIEW_EXTENT_BLOB, .src = (uintptr_t)blob },
		{ .off = 4096, .len = 8192, .kind = KVIEW_EXTENT_RAM, .src = 0x1000000,
		  .vaddr = 0xffffffff81000000 },
		{ .off = 16384, .len = 4096, .kind = KVIEW_EXTENT_RAM, .src = 0x5000 },
	};
	const struct kview_create zero = { 0 };
	struct kvfs_kmod kmod = opened();
	struct kvfs_extents t = make_table(), empty = { .size = 7 };
	struct kvfs_err err = { 0 };
	int fd = kvfs_kmod_create_view(&kmod, "ram", &t, &err);

	ck_assert_msg(fd >= 0, "%s", err.msg);
	close(fd);
	ck_assert_uint_eq(created.size, 1 << 20);
	ck_assert_uint_eq(created.nr_extents, 3);
	ck_assert_uint_eq(created.flags, 0);
	ck_assert_str_eq(created.name, "ram");
	ck_assert_mem_eq(created.name + 3, zero.name, sizeof(zero.name) - 3);
	ck_assert_mem_eq(created.reserved, zero.reserved, sizeof(zero.reserved));
	ck_assert_mem_eq(created_extents, want, sizeof(want));
	fd = kvfs_kmod_create_view(&kmod, "empty", &empty, &err);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_uint_eq(created.size, 7);
	ck_assert_uint_eq(created.nr_extents, 0);
	kvfs_extents_deinit(&t);
	kvfs_kmod_close(&kmod);
}
END_TEST

START_TEST(a_window)
{
	const struct kvfs_extent e[] = {
		{ .len = 8192, .kind = KVFS_EXTENT_FILE, .file_off = 4096 },
		{ .off = 1 << 20, .len = 4096, .kind = KVFS_EXTENT_FILE, .file_off = 1 << 30 },
		{ .off = 2 << 20, .len = 4095, .kind = KVFS_EXTENT_FILE },
	};
	struct kvfs_kmod kmod = opened(), closed = { .fd = -1 };
	struct kvfs_extents t = { 0 };
	struct kvfs_err err = { 0 };
	int fd, ret;

	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(kvfs_extents_add(&t, &e[i]), 0);
	ret = kvfs_kmod_check_window(&closed, &t, &err);
	unit_assert_error(ret, ENODEV, err, "not in use");
	kmod.info.features = KVIEW_FEATURE_RAM | KVIEW_FEATURE_BLOB;
	ret = kvfs_kmod_create_window(&kmod, "seg", &t, 42, &err);
	unit_assert_error(ret, EOPNOTSUPP, err, "no windows");
	kmod.info.features |= KVIEW_FEATURE_FILE;
	fd = kvfs_kmod_create_window(&kmod, "seg", &t, 42, &err);
	ck_assert_msg(fd >= 0, "%s", err.msg);
	close(fd);
	ck_assert_uint_eq(created.nr_extents, 2);
	for (int i = 0; i < 2; i++) {
		const struct kview_extent want = {
			.off = e[i].off, .len = e[i].len, .src = e[i].file_off,
			.kind = KVIEW_EXTENT_FILE, .fd = 42,
		};

		ck_assert_mem_eq(&created_extents[i], &want, sizeof(want));
	}
	kmod.info.max_extents = 1;
	ret = kvfs_kmod_check_window(&kmod, &t, &err);
	unit_assert_error(ret, E2BIG, err, "2 parts");
	kmod.info.max_extents = 4;
	ck_assert_int_eq(kvfs_extents_add(&t, &e[2]), 0);
	ret = kvfs_kmod_check_window(&kmod, &t, &err);
	unit_assert_error(ret, EINVAL, err, "within a page");
	kvfs_extents_deinit(&t);
	kvfs_kmod_close(&kmod);
}
END_TEST

START_TEST(a_view_that_cannot_be)
{
	const struct kvfs_extent file = { .off = 1 << 20, .len = 1, .kind = KVFS_EXTENT_FILE };
	const struct kvfs_extent more = { .off = 2 << 20, .len = 65, .kind = KVFS_EXTENT_BLOB, .blob = blob };
	struct kvfs_kmod kmod = opened(), closed = { .fd = -1 };
	struct kvfs_extents t = make_table();
	struct kvfs_err err = { 0 };
	int ret;

	ret = kvfs_kmod_create_view(&kmod, "a name of thirty-two bytes, yes!", &t, &err);
	unit_assert_error(ret, ENAMETOOLONG, err, "longer than 31 bytes");
	ret = kvfs_kmod_create_view(&kmod, "a name of thirty-one bytes, yes", &t, &err);
	ck_assert_int_ge(ret, 0);
	close(ret);
	create_errno = EPERM;
	ret = kvfs_kmod_create_view(&kmod, "ram", &t, &err);
	unit_assert_error(ret, EPERM, err, "view ram (3 extents, 1048576 bytes): Operation not permitted");
	create_errno = 0;
	failalloc_arm(0);
	ret = kvfs_kmod_create_view(&kmod, "ram", &t, &err);
	ck_assert(failalloc_happened());
	unit_assert_error(ret, ENOMEM, err, "view ram");
	ret = kvfs_kmod_create_view(&closed, "ram", &t, &err);
	unit_assert_error(ret, ENODEV, err, "not in use");
	ck_assert_int_eq(kvfs_extents_add(&t, &file), 0);
	ret = kvfs_kmod_create_view(&kmod, "sym", &t, &err);
	unit_assert_error(ret, EOPNOTSUPP, err, "view sym: a part of it has no physical address");
	ck_assert_int_eq(kvfs_extents_add(&t, &more), 0);
	ret = kvfs_kmod_create_view(&kmod, "many", &t, &err);
	unit_assert_error(ret, E2BIG, err, "5 extents, the kview module takes 4 at most");
	kmod.info.max_extents = 5;
	ret = kvfs_kmod_create_view(&kmod, "big", &t, &err);
	unit_assert_error(ret, E2BIG, err, "a blob of 65 bytes, the kview module takes 64 at most");
	kvfs_extents_deinit(&t);
	kvfs_kmod_close(&kmod);
}
END_TEST

UNIT_MAIN("kmod", open_and_close, open_says_what_to_do, another_device_or_module, ram_may_be_refused,
	  lockdown_is_seen_without_asking, messages_name_the_device, a_view, a_window, a_view_that_cannot_be)
