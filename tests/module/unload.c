// SPDX-License-Identifier: GPL-2.0-only
/*
 * The module cannot be unloaded while it is used, and can when it is not. Loads it again from
 * KVIEW_KO in the environment, or else from where it was built.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

static int unload(void)
{
	return syscall(SYS_delete_module, "kview", O_NONBLOCK) ? errno : 0;
}

static int load(void)
{
	const char *path = getenv("KVIEW_KO") ?: KVIEW_KO;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		bail("%s: %s", path, strerror(errno));
	if (syscall(SYS_finit_module, fd, "", 0))
		ret = errno;
	close(fd);
	return ret;
}

static int references(void)
{
	char text[32];

	if (kv_read_file("/sys/module/kview/refcnt", text, sizeof(text)) <= 0)
		bail("the module is not loaded");
	return atoi(text);
}

static void test_refused(void)
{
	struct kview_extent extent;
	unsigned char *page, *map;
	uint64_t paddr;
	int fd;

	page = kv_pages(1, &paddr);
	extent = kv_ram(0, PAGE, paddr);

	kv_device();
	is_int(unload(), EWOULDBLOCK, "refused while the device is open");
	fd = kv_create(PAGE, &extent, 1);
	kv_close_device();
	is_int(unload(), EWOULDBLOCK, "refused while a view is open");
	map = kv_map(fd, 0, PAGE);
	close(fd);
	is_int(unload(), EWOULDBLOCK, "refused while a view is mapped");
	is_int(kv_load(map), page[0], "which can be loaded from");
	munmap(map, PAGE);
}

static void test_gone(void)
{
	struct stat st;

	is_int(unload(), 0, "works when it is not used");
	ok(stat(KVIEW_DEVICE, &st) && errno == ENOENT, "the device is gone");
	is_int(load(), 0, "and can be loaded again");
	is_int((long long)kv_info().nr_views, 0, "with no views");
	kv_close_device();
}

/* Work of the module may be pending when it goes. */
static void test_gone_soon_after(void)
{
	unsigned int i, failed = 0;
	unsigned char *map;
	int fd;

	for (i = 0; i < 20; i++) {
		fd = kv_ram_view();
		map = kv_map(fd, 0, 16 * MIB);
		kv_touch(map, 16 * MIB);
		munmap(map, 16 * MIB);
		close(fd);
		kv_close_device();
		failed += unload() != 0 || load() != 0;
	}
	is_int(failed, 0, "20 times, right after a mapping was used");
}

int main(void)
{
	bool used = references() > 0;

	test_refused();
	if (used) {
		skip(5, "another process uses the module");
		return finish();
	}
	test_gone();
	test_gone_soon_after();
	return finish();
}
