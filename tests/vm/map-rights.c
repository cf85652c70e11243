// SPDX-License-Identifier: GPL-2.0-only
/*
 * A mapping through the mount cannot become writable, executable or larger, and does not reach
 * past the end of the file.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kv.h"
#include "mount.h"
#include "tap.h"

/* errno of an mmap of one page at off; 0 if it succeeds. */
static int map_errno(int fd, int prot, int flags, uint64_t off)
{
	void *addr = mmap(NULL, PAGE, prot, flags, fd, (off_t)off);

	if (addr == MAP_FAILED)
		return errno;
	munmap(addr, PAGE);
	return 0;
}

static int result_errno(int ret)
{
	return ret < 0 ? errno : 0;
}

static void check_protections(int fd, const char *name)
{
	unsigned char *addr;

	is_int(map_errno(fd, PROT_READ | PROT_WRITE, MAP_SHARED, 0), EACCES,
	       "%s: mmap(PROT_WRITE, MAP_SHARED)", name);
	is_int(map_errno(fd, PROT_WRITE, MAP_SHARED, 0), EACCES,
	       "%s: mmap(PROT_WRITE alone, MAP_SHARED)", name);
	is_int(map_errno(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE, 0), EACCES,
	       "%s: mmap(PROT_WRITE, MAP_PRIVATE)", name);
	is_int(map_errno(fd, PROT_READ | PROT_EXEC, MAP_SHARED, 0), EPERM,
	       "%s: mmap(PROT_EXEC, MAP_SHARED)", name);
	is_int(map_errno(fd, PROT_READ | PROT_EXEC, MAP_PRIVATE, 0), EPERM,
	       "%s: mmap(PROT_EXEC, MAP_PRIVATE)", name);
	is_int(map_errno(fd, PROT_READ, MAP_SHARED, 0), 0, "%s: mmap(PROT_READ, MAP_SHARED)", name);
	is_int(map_errno(fd, PROT_READ, MAP_PRIVATE, 0), 0, "%s: mmap(PROT_READ, MAP_PRIVATE)", name);
	is_int(map_errno(fd, PROT_NONE, MAP_SHARED, 0), 0, "%s: mmap(PROT_NONE, MAP_SHARED)", name);

	for (int shared = 0; shared < 2; shared++) {
		const char *kind = shared ? "shared" : "private";

		addr = mmap(NULL, 4 * PAGE, PROT_READ, shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);
		if (addr == MAP_FAILED)
			bail("mmap: %s", strerror(errno));
		is_int(result_errno(mprotect(addr, PAGE, PROT_READ | PROT_WRITE)), EACCES,
		       "%s, %s: mprotect(PROT_WRITE)", name, kind);
		is_int(result_errno(mprotect(addr, PAGE, PROT_READ | PROT_EXEC)), EACCES,
		       "%s, %s: mprotect(PROT_EXEC)", name, kind);
		kv_load(addr);
		is_int(result_errno(mprotect(addr, PAGE, PROT_READ | PROT_WRITE)), EACCES,
		       "%s, %s: mprotect(PROT_WRITE) after a touch", name, kind);
		is_int(result_errno(mprotect(addr, PAGE, PROT_NONE)), 0,
		       "%s, %s: mprotect(PROT_NONE)", name, kind);
		is_int(kv_load(addr), -SIGSEGV, "%s, %s: then a load is SIGSEGV", name, kind);
		is_int(result_errno(mprotect(addr, PAGE, PROT_READ)), 0,
		       "%s, %s: mprotect(PROT_READ) again", name, kind);
		ok(kv_load(addr) >= 0, "%s, %s: then a load works", name, kind);
		munmap(addr, 4 * PAGE);
	}
}

/* Forced writes: ptrace's way around protections must fail, too. */
static void check_forced_write(unsigned char *addr)
{
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	unsigned char before = *addr, byte = (unsigned char)~before;

	if (mem < 0)
		bail("/proc/self/mem: %s", strerror(errno));
	ok(pwrite(mem, &byte, 1, (off_t)(uintptr_t)addr) < 0, "a write through /proc/self/mem fails");
	is_int(*addr, before, "and changes nothing");
	close(mem);
}

static void check_growth(int fd, uint64_t off)
{
	unsigned char *addr = kv_map(fd, off, 2 * PAGE);
	void *moved;

	kv_load(addr);
	moved = mremap(addr, 2 * PAGE, 64 * PAGE, MREMAP_MAYMOVE);
	is_int(moved == MAP_FAILED ? errno : 0, EFAULT, "a mapping cannot grow");
	moved = mremap(addr, 0, 2 * PAGE, MREMAP_MAYMOVE);
	is_int(moved == MAP_FAILED ? errno : 0, EFAULT, "nor be doubled");
	is_int(result_errno(madvise(addr, PAGE, MADV_DONTFORK)), 0, "MADV_DONTFORK");
	is_int(result_errno(madvise(addr, PAGE, MADV_DOFORK)), EINVAL,
	       "MADV_DOFORK is EINVAL, as for all VM_PFNMAP memory");
	munmap(addr, 2 * PAGE);
}

static void check_end(int fd, const char *name)
{
	uint64_t size = mount_size(fd), last = (size - 1) & -PAGE;
	unsigned char *addr = mmap(NULL, 3 * PAGE, PROT_READ, MAP_SHARED, fd, (off_t)last);

	if (addr == MAP_FAILED)
		bail("mmap over the end: %s", strerror(errno));
	ok(kv_load(addr) >= 0, "%s: the last page can be loaded from", name);
	is_int(kv_load(addr + PAGE), -SIGBUS, "%s: the page after it is SIGBUS", name);
	is_int(kv_load(addr + 2 * PAGE), -SIGBUS, "%s: and so is the next", name);
	ok(kv_load(addr) >= 0, "%s: the last page is still there", name);
	munmap(addr, 3 * PAGE);
	/* A huge page that would reach over the end. */
	addr = kv_map_at(fd, (size - 1) & -PMD, 2 * PMD, PMD);
	is_int(kv_load(addr + PMD), -SIGBUS, "%s: 2 MiB past the end is SIGBUS", name);
	munmap(addr, 2 * PMD);
	is_int(map_errno(fd, PROT_READ, MAP_SHARED, 1), EINVAL, "%s: an offset inside a page is EINVAL",
	       name);
}

int main(void)
{
	int ram = mount_open("ram"), text = mount_open("text"), core = mount_open("core");
	struct mount_still still = mount_still();

	check_protections(ram, "kcore/ram");
	check_protections(text, "kcore/text");
	check_protections(core, "kcore/core");
	check_forced_write(kv_map(text, still.off, PAGE));
	check_growth(text, still.off);
	check_end(ram, "kcore/ram");
	check_end(text, "kcore/text");
	check_end(core, "kcore/core");
	return finish();
}
