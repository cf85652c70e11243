// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mapping does not own its pages: the kernel refuses references to them, and allows copies.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define ERRNO(call) ((call) < 0 ? errno : 0)

static unsigned char *map, *page;

static void test_references(void)
{
	unsigned char buf[PAGE];
	struct iovec local = { buf, PAGE }, remote = { map, PAGE };
	int pipes[2], fd;

	is_int(ERRNO(process_vm_readv(getpid(), &local, 1, &remote, 1, 0)), EFAULT,
	       "process_vm_readv");
	if (pipe(pipes))
		bail("pipe: %s", strerror(errno));
	is_int(ERRNO(vmsplice(pipes[1], &remote, 1, 0)), EFAULT, "vmsplice");
	close(pipes[0]);
	close(pipes[1]);

	fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	is_int(ERRNO(pread(fd, buf, PAGE, (off_t)(uintptr_t)map)), EIO, "/proc/self/mem");
	close(fd);
	is_int((long long)kv_virt_to_phys(map), 0, "/proc/self/pagemap does not tell the frame");
}

static void test_copies(void)
{
	unsigned char buf[PAGE];
	int sockets[2], fd;

	fd = memfd_create("copy", MFD_CLOEXEC);
	is_int(write(fd, map, PAGE), PAGE, "write(2) from a mapping");
	ok(pread(fd, buf, PAGE, 0) == (ssize_t)PAGE && !memcmp(buf, page, PAGE), "copies the page");
	close(fd);

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, sockets))
		bail("socketpair: %s", strerror(errno));
	is_int(send(sockets[0], map, PAGE, 0), PAGE, "send(2) from a mapping");
	ok(recv(sockets[1], buf, PAGE, MSG_WAITALL) == (ssize_t)PAGE && !memcmp(buf, page, PAGE),
	   "copies the page");
	close(sockets[0]);
	close(sockets[1]);
}

static void test_reading_onto_itself(int fd)
{
	is_int(ERRNO(pread(fd, map, PAGE, 0)), EFAULT, "reading a view into its own mapping");
	is_int(kv_load(map), page[0], "which stays as it is");
}

int main(void)
{
	struct kview_extent extent;
	uint64_t paddr;
	int fd;

	page = kv_pages(1, &paddr);
	extent = kv_ram(0, PAGE, paddr);
	fd = kv_create(PAGE, &extent, 1);
	map = kv_map(fd, 0, PAGE);
	test_references();
	kv_touch(map, PAGE);
	test_references();
	test_copies();
	test_reading_onto_itself(fd);
	return finish();
}
