// SPDX-License-Identifier: GPL-2.0-only
/* Who may open the device, and who may make a view with a descriptor of it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

static int try_device(void)
{
	int fd = open(KVIEW_DEVICE, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int try_create(void)
{
	int fd = kv_try_create(PAGE, NULL, 0);

	return fd < 0 ? -fd : 0;
}

static int try_info(void)
{
	struct kview_info info;

	return ioctl(kv_device(), KVIEW_IOC_INFO, &info) ? errno : 0;
}

/* 1 if INFO tells where the kernel is, 0 if not. */
static int try_addresses(void)
{
	struct kview_info info = kv_info();

	return info.direct_map || info.image_delta;
}

/* errno of @what in a child that @drop was done in; -1 if that failed. */
static int in_child(int (*drop)(void), int (*what)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(drop() ? 255 : what());
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status) == 255)
		return -1;
	return WEXITSTATUS(status);
}

static int drop_nothing(void)
{
	return 0;
}

static int drop_user(void)
{
	return setgid(65534) || setuid(65534);
}

/* Root without CAP_SYS_RAWIO alone. */
static int drop_rawio(void)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data))
		return -1;
	data[0].effective &= ~(1U << CAP_SYS_RAWIO);
	return (int)syscall(SYS_capset, &header, data);
}

/* All capabilities, but in another user namespace. */
static int drop_namespace(void)
{
	return unshare(CLONE_NEWUSER);
}

static void test_device(void)
{
	struct stat st;

	stat(KVIEW_DEVICE, &st);
	is_int(st.st_mode, S_IFCHR | 0600, "mode of " KVIEW_DEVICE);
	is_int(st.st_uid, 0, "and its owner");
	is_int(in_child(drop_nothing, try_device), 0, "root opens it");
	is_int(in_child(drop_user, try_device), EACCES, "user nobody does not");
	is_int(in_child(drop_rawio, try_device), EPERM, "nor root without CAP_SYS_RAWIO");
	chmod(KVIEW_DEVICE, 0666);
	is_int(in_child(drop_user, try_device), EPERM, "nor user nobody when the mode is 0666");
	chmod(KVIEW_DEVICE, 0600);
	is_int(in_child(drop_namespace, try_device), EPERM, "nor root of a user namespace");
}

static void test_inherited(void)
{
	kv_device();
	is_int(in_child(drop_nothing, try_create), 0, "a child makes a view with its parent's descriptor");
	is_int(in_child(drop_user, try_create), EPERM, "not as user nobody");
	is_int(in_child(drop_rawio, try_create), EPERM, "not without CAP_SYS_RAWIO");
	is_int(in_child(drop_namespace, try_create), EPERM, "not in a user namespace");
	is_int(in_child(drop_user, try_info), 0, "but it can ask for INFO");
	is_int(in_child(drop_user, try_addresses), 0, "which has no addresses then");
	is_int(in_child(drop_rawio, try_addresses), 0, "nor for root without CAP_SYS_RAWIO");
	is_int(in_child(drop_namespace, try_addresses), 0, "nor in a user namespace");
	is_int(in_child(drop_nothing, try_addresses), 1, "as it has for root");
}

int main(void)
{
	test_device();
	test_inherited();
	return finish();
}
