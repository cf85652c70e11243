// SPDX-License-Identifier: GPL-2.0-only
#include "kviewfs/notify.h"

#include <errno.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "unit.h"

/* A service manager: its socket, and NOTIFY_SOCKET naming it. '@' begins an abstract name. */
static int listen_at(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, name);
	if (*name == '@')
		addr.sun_path[0] = '\0';
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, offsetof(struct sockaddr_un, sun_path) + strlen(name)), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void assert_received(int fd, const char *want)
{
	char buf[128];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	ck_assert_int_gt(n, 0);
	buf[n] = '\0';
	ck_assert_str_eq(buf, want);
}

START_TEST(no_service_manager)
{
	unsetenv("NOTIFY_SOCKET");
	ck_assert_int_eq(kvfs_notify("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	ck_assert_int_eq(kvfs_notify_ready(), 0);
}
END_TEST

START_TEST(a_socket_with_a_path)
{
	char dir[] = "/tmp/notify.XXXXXX", path[64], want[64];
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/socket", dir);
	fd = listen_at(path);
	ck_assert_int_eq(kvfs_notify("STOPPING=1"), 1);
	assert_received(fd, "STOPPING=1");
	ck_assert_int_eq(kvfs_notify_ready(), 1);
	snprintf(want, sizeof(want), "READY=1\nMAINPID=%d", getpid());
	assert_received(fd, want);
	close(fd);
	ck_assert_int_eq(kvfs_notify("STOPPING=1"), -ECONNREFUSED);
	unlink(path);
	ck_assert_int_eq(kvfs_notify("STOPPING=1"), -ENOENT);
	rmdir(dir);
}
END_TEST

START_TEST(a_socket_with_an_abstract_name)
{
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "@kviewfs-test-%d", getpid());
	fd = listen_at(name);
	ck_assert_int_eq(kvfs_notify("STOPPING=1"), 1);
	assert_received(fd, "STOPPING=1");
	close(fd);
}
END_TEST

START_TEST(names_that_are_no_socket)
{
	char longest[200];

	setenv("NOTIFY_SOCKET", "relative", 1);
	ck_assert_int_eq(kvfs_notify("READY=1"), -EINVAL);
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	ck_assert_int_eq(kvfs_notify("READY=1"), -EINVAL);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	longest[0] = '/';
	setenv("NOTIFY_SOCKET", longest, 1);
	ck_assert_int_eq(kvfs_notify("READY=1"), -EINVAL);
}
END_TEST

UNIT_MAIN("notify", no_service_manager, a_socket_with_a_path, a_socket_with_an_abstract_name, names_that_are_no_socket)
