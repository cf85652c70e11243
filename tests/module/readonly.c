// SPDX-License-Identifier: GPL-2.0-only
/* A view can be read and mapped for reading, and nothing else, by any way in. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

static char path[64];
static unsigned char *page;
static uint64_t paddr;
static int fd;

#define ERRNO(call) ((call) < 0 ? errno : 0)

static int try_open(int flags)
{
	int again = open(path, flags | O_CLOEXEC);

	if (again < 0)
		return errno;
	close(again);
	return 0;
}

static void test_file(void)
{
	struct timeval times[2] = { { 1, 0 }, { 1, 0 } };
	struct stat before, after;
	char byte = 1;

	is_int(try_open(O_RDONLY), 0, "a view can be opened again for reading");
	is_int(try_open(O_RDONLY | O_DIRECT), 0, "with O_DIRECT too");
	is_int(try_open(O_WRONLY), EPERM, "O_WRONLY");
	is_int(try_open(O_RDWR), EPERM, "O_RDWR");
	is_int(try_open(O_RDONLY | O_TRUNC), EPERM, "O_TRUNC");
	is_int(ERRNO(write(fd, &byte, 1)), EBADF, "write");
	is_int(ERRNO(ftruncate(fd, 0)), EINVAL, "ftruncate");
	fstat(fd, &before);
	is_int(ERRNO(truncate(path, 0)), EPERM, "truncate");
	is_int(ERRNO(fchmod(fd, 0666)), EPERM, "chmod");
	is_int(ERRNO(fchown(fd, 1, 1)), EPERM, "chown");
	is_int(ERRNO(utimes(path, times)), EPERM, "utimes");
	fstat(fd, &after);
	is_int(after.st_size, before.st_size, "the size is what it was");
	is_int(after.st_mode, S_IFREG | 0400, "the mode too");
	is_int(after.st_uid, 0, "and the owner");
	is_int(ERRNO(fallocate(fd, 0, 0, 1)), EBADF, "fallocate");
}

static void *map(int prot, int flags)
{
	void *addr = mmap(NULL, PAGE, prot, flags, fd, 0);

	return addr;
}

static int map_errno(int prot, int flags)
{
	void *addr = map(prot, flags);

	if (addr == MAP_FAILED)
		return errno;
	munmap(addr, PAGE);
	return 0;
}

static void test_refused_maps(void)
{
	is_int(map_errno(PROT_READ | PROT_WRITE, MAP_SHARED), EACCES, "shared, PROT_WRITE");
	is_int(map_errno(PROT_READ | PROT_WRITE, MAP_PRIVATE), EACCES, "private, PROT_WRITE");
	is_int(map_errno(PROT_WRITE, MAP_PRIVATE), EACCES, "private, only PROT_WRITE");
	is_int(map_errno(PROT_READ | PROT_EXEC, MAP_SHARED), EPERM, "shared, PROT_EXEC");
	is_int(map_errno(PROT_READ | PROT_EXEC, MAP_PRIVATE), EPERM, "private, PROT_EXEC");
}

static void test_map(int flags, const char *name)
{
	unsigned char *addr = map(PROT_READ, flags);
	unsigned char value = (unsigned char)~page[0];

	if (!ok(addr != MAP_FAILED, "%s mapping", name))
		return;
	is_int(kv_load(addr), page[0], "%s: shows the page", name);
	page[0] = value;
	is_int(kv_load(addr), value, "%s: shows what is stored there later", name);
	is_int(ERRNO(mprotect(addr, PAGE, PROT_READ | PROT_WRITE)), EACCES,
	       "%s: mprotect to PROT_WRITE", name);
	is_int(ERRNO(mprotect(addr, PAGE, PROT_WRITE)), EACCES,
	       "%s: mprotect to PROT_WRITE only", name);
	is_int(ERRNO(mprotect(addr, PAGE, PROT_READ | PROT_EXEC)), EACCES,
	       "%s: mprotect to PROT_EXEC", name);
	is_int(ERRNO(mprotect(addr, PAGE, PROT_NONE)), 0, "%s: mprotect to PROT_NONE", name);
	ok(kv_load(addr) < 0, "%s: then nothing is seen", name);
	is_int(ERRNO(mprotect(addr, PAGE, PROT_READ)), 0, "%s: and back", name);
	is_int(kv_load(addr), value, "%s: then it is", name);
	munmap(addr, PAGE);
}

int main(void)
{
	struct kview_extent extent;

	page = kv_pages(1, &paddr);
	extent = kv_ram(0, PAGE, paddr);
	fd = kv_create(PAGE, &extent, 1);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	test_file();
	test_refused_maps();
	test_map(MAP_SHARED, "shared");
	test_map(MAP_PRIVATE, "private");
	test_map(MAP_SHARED_VALIDATE, "validated");
	return finish();
}
