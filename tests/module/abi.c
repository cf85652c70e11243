// SPDX-License-Identifier: GPL-2.0-only
/* Each ioctl with each of its fields wrong: the errno of each case is part of the ABI. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

/* A request that works, which each case spoils in one place. */
struct attempt {
	struct kview_create request;
	struct kview_extent extent[2];
};

static char blob[KVIEW_MAX_BLOB_LEN + 1];

static struct attempt good_attempt(void)
{
	return (struct attempt){
		.request = { .size = 8 * PAGE, .nr_extents = 2, .name = "abi" },
		.extent = { kv_ram(0, PAGE, 16 * MIB), kv_blob(4 * PAGE, 100, blob) },
	};
}

static int try(struct attempt *attempt)
{
	int fd;

	if (!attempt->request.extents)
		attempt->request.extents = (uintptr_t)attempt->extent;
	fd = ioctl(kv_device(), KVIEW_IOC_CREATE, &attempt->request);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

/* One case: @CHANGE is done to the good attempt @a, the result must be @ERR. */
#define CASE(ERR, CHANGE)						\
	do {								\
		struct attempt attempt = good_attempt(), *a = &attempt;	\
									\
		CHANGE;							\
		is_int(try(a), ERR, "%s: %s", #CHANGE, #ERR);		\
	} while (0)

static void test_request(void)
{
	CASE(0, (void)a);
	CASE(EINVAL, a->request.size = 0);
	CASE(EINVAL, a->request.size = KVIEW_MAX_SIZE + 1);
	CASE(EINVAL, a->request.size = UINT64_MAX);
	CASE(0, a->request.size = KVIEW_MAX_SIZE);
	CASE(EINVAL, a->request.size = 4 * PAGE + 99);
	CASE(0, a->request.size = 4 * PAGE + 100);
	CASE(EFAULT, a->request.extents = 8);
	CASE(EFAULT, a->request.extents = 0xffff888000000000);
	CASE(EFAULT, a->request.extents = UINT64_MAX - 7);
	CASE(E2BIG, a->request.nr_extents = KVIEW_MAX_EXTENTS + 1);
	CASE(E2BIG, a->request.nr_extents = UINT32_MAX);
	CASE(0, a->request.nr_extents = 0);
	CASE(0, (a->request.nr_extents = 0, a->request.extents = 8));
	CASE(EINVAL, a->request.flags = 1);
	CASE(EINVAL, a->request.flags = 1U << 31);
	CASE(EINVAL, a->request.reserved[0] = 1);
	CASE(EINVAL, a->request.reserved[3] = 1ULL << 63);
}

static void test_name(void)
{
	CASE(0, memset(a->request.name, 0, sizeof(a->request.name)));
	CASE(0, memset(a->request.name, 'n', sizeof(a->request.name) - 1));
	CASE(EINVAL, memset(a->request.name, 'n', sizeof(a->request.name)));
	CASE(EINVAL, strcpy(a->request.name, "a/b"));
	CASE(EINVAL, strcpy(a->request.name, "a\nb"));
	CASE(EINVAL, strcpy(a->request.name, "a\177"));
	CASE(0, strcpy(a->request.name, "a b.c"));
}

static void test_extent(void)
{
	CASE(EOPNOTSUPP, a->extent[0].kind = 0);
	CASE(EOPNOTSUPP, a->extent[0].kind = 99);
	CASE(EOPNOTSUPP, a->extent[1].kind = UINT32_MAX);
	CASE(EINVAL, a->extent[0].len = 0);
	CASE(EINVAL, a->extent[0].len = 4 * PAGE + 1);
	CASE(0, a->extent[0].len = 4 * PAGE);
	CASE(EINVAL, a->extent[0].len = 9 * PAGE);
	CASE(EINVAL, a->extent[1].len = 4 * PAGE + 1);
	CASE(EINVAL, a->extent[1].len = UINT64_MAX);
	CASE(EINVAL, a->extent[0].off = 8 * PAGE);
	CASE(EINVAL, a->extent[0].off = UINT64_MAX);
	CASE(EINVAL, a->extent[0].off = 5 * PAGE);
	CASE(EINVAL, a->extent[1].off = PAGE - 1);
	CASE(0, a->extent[1].off = PAGE);
	CASE(EINVAL, a->extent[1].off = 8 * PAGE - 99);
	CASE(0, a->extent[1].off = 8 * PAGE - 100);
	CASE(EINVAL, a->extent[0].fd = 1);
	CASE(EINVAL, a->extent[0].fd = -1);
	CASE(EINVAL, a->extent[1].fd = 1);
	CASE(EINVAL, a->extent[0].reserved[0] = 1);
	CASE(EINVAL, a->extent[0].reserved[1] = 1);
	CASE(EINVAL, a->extent[1].reserved[2] = 1);
	CASE(0, a->extent[0].src = 1ULL << 52);
	CASE(0, a->extent[0].src = -PAGE);
	CASE(EINVAL, a->extent[0].src = -PAGE + 1);
	CASE(EINVAL, (a->extent[0].src = UINT64_MAX, a->extent[0].len = 2));
	CASE(EFAULT, a->extent[1].src = 8);
	CASE(EFAULT, a->extent[1].src = 0xffff888000000000);
	CASE(EINVAL, a->extent[1].src = UINT64_MAX - 50);
	CASE(EINVAL, a->extent[1].vaddr = 1);
}

static void test_image(uint64_t delta)
{
	uint64_t image = 0xffffffff80000000 - delta;	/* paddr of the image mapping's start */

	CASE(0, (a->extent[0].src = image, a->extent[0].vaddr = image + delta));
	CASE(EINVAL, (a->extent[0].src = image, a->extent[0].vaddr = image + delta + PAGE));
	CASE(EINVAL, (a->extent[0].src = image, a->extent[0].vaddr = 1));
	CASE(EINVAL, (a->extent[0].src = image - PAGE, a->extent[0].vaddr = image - PAGE + delta));
	CASE(EINVAL, (a->extent[0].src = image + GIB, a->extent[0].vaddr = image + GIB + delta));
	CASE(EINVAL, (a->extent[0].src = image + GIB - PAGE, a->extent[0].len = PAGE + 1,
		      a->extent[0].vaddr = image + GIB - PAGE + delta));
}

static void test_blob_len(void)
{
	CASE(0, (a->request.size = MIB, a->extent[1].len = KVIEW_MAX_BLOB_LEN));
	CASE(E2BIG, (a->request.size = MIB, a->extent[1].len = KVIEW_MAX_BLOB_LEN + 1));
}

static void test_file_kind(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (kv_info().features & KVIEW_FEATURE_FILE) {
		CASE(0, (a->extent[0].kind = KVIEW_EXTENT_FILE, a->extent[0].src = 0,
			 a->extent[0].fd = fd));
		CASE(EBADF, (a->extent[0].kind = KVIEW_EXTENT_FILE, a->extent[0].fd = 999));
		CASE(EBADF, (a->extent[0].kind = KVIEW_EXTENT_FILE, a->extent[0].fd = -1));
	} else {
		CASE(EOPNOTSUPP, (a->extent[0].kind = KVIEW_EXTENT_FILE, a->extent[0].fd = fd));
		CASE(EOPNOTSUPP, (a->extent[0].kind = KVIEW_EXTENT_FILE, a->extent[0].fd = 999));
		CASE(EOPNOTSUPP, (a->extent[0].kind = KVIEW_EXTENT_FILE, a->extent[0].fd = -1));
	}
	close(fd);
}

static void test_many_extents(void)
{
	static struct kview_extent many[KVIEW_MAX_EXTENTS];
	unsigned int i;
	int fd;

	for (i = 0; i < KVIEW_MAX_EXTENTS; i++)
		many[i] = kv_ram(i * 2 * PAGE, PAGE, i * PAGE);
	fd = kv_try_create(KVIEW_MAX_EXTENTS * 2 * PAGE, many, KVIEW_MAX_EXTENTS);
	ok(fd >= 0, "%d extents in one view", KVIEW_MAX_EXTENTS);
	close(fd);
	many[KVIEW_MAX_EXTENTS - 1].len = 0;
	is_int(kv_try_create(KVIEW_MAX_EXTENTS * 2 * PAGE, many, KVIEW_MAX_EXTENTS), -EINVAL,
	       "the last of them is checked too");
}

static void test_requests_by_number(void)
{
	struct { struct kview_info info; unsigned char after[64]; } room;
	void *readonly = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int dev = kv_device();

	memset(&room, 0xa5, sizeof(room));
	is_int(ioctl(dev, KVIEW_IOC_INFO, &room), 0, "KVIEW_IOC_INFO");
	ok(room.after[0] == 0xa5, "it writes its structure and nothing after it");
	is_int(room.info.abi_version, KVIEW_ABI_VERSION, "abi_version");
	is_int(room.info.refusals, 0, "no refusals");
	ok(room.info.features & KVIEW_FEATURE_RAM, "RAM can be used");
	ok(room.info.features & KVIEW_FEATURE_BLOB, "blobs can be used");
	ok(room.info.direct_map >> 63 && !(room.info.direct_map % PAGE), "direct_map %#llx",
	   (unsigned long long)room.info.direct_map);
	is_int(room.info.image_delta % PAGE, 0, "image_delta %#llx",
	       (unsigned long long)room.info.image_delta);
	ok(room.info.revalidate_ms >= 50 && room.info.revalidate_ms <= 60000,
	   "revalidate_ms %u", room.info.revalidate_ms);
	is_int(room.info.max_extents, KVIEW_MAX_EXTENTS, "max_extents");
	is_int(room.info.max_blob_len, KVIEW_MAX_BLOB_LEN, "max_blob_len");
	ok(kv_is_zero(room.info.reserved, sizeof(room.info.reserved)), "reserved is zero");

	is_int(ioctl(dev, KVIEW_IOC_INFO, 8) ? errno : 0, EFAULT, "INFO to a bad address");
	is_int(ioctl(dev, KVIEW_IOC_INFO, readonly) ? errno : 0, EFAULT,
	       "INFO to read-only memory");
	is_int(ioctl(dev, KVIEW_IOC_CREATE, 8) < 0 ? errno : 0, EFAULT,
	       "CREATE from a bad address");
	is_int(ioctl(dev, _IO(KVIEW_IOC_MAGIC, 2), 0) ? errno : 0, ENOTTY, "next number");
	is_int(ioctl(dev, _IOR(KVIEW_IOC_MAGIC, 0, long), &room) ? errno : 0, ENOTTY,
	       "INFO of another size");
	is_int(ioctl(dev, _IOWR(KVIEW_IOC_MAGIC, 1, struct kview_create), &room) ? errno : 0,
	       ENOTTY, "CREATE of another direction");
	is_int(ioctl(dev, 0, 0) ? errno : 0, ENOTTY, "request 0");
	munmap(readonly, PAGE);
}

static void test_counting(void)
{
	unsigned int before = kv_info().nr_views;
	struct rlimit limit, old;
	char link[64] = "";
	char path[64];
	int fd;

	fd = kv_create(PAGE, NULL, 0);
	is_int(kv_info().nr_views, before + 1, "nr_views counts a new view");
	ok(fcntl(fd, F_GETFD) & FD_CLOEXEC, "the descriptor is close-on-exec");
	is_int(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY, "and open for reading");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ok(readlink(path, link, sizeof(link) - 1) > 0 && strstr(link, "kview:test"),
	   "its name is %s", link);
	close(fd);
	is_int(kv_info().nr_views, before, "nr_views forgets it");

	getrlimit(RLIMIT_NOFILE, &old);
	limit = old;
	limit.rlim_cur = (rlim_t)kv_device() + 1;
	setrlimit(RLIMIT_NOFILE, &limit);
	fd = kv_try_create(PAGE, NULL, 0);
	setrlimit(RLIMIT_NOFILE, &old);
	is_int(fd, -EMFILE, "no descriptor free: EMFILE");
	is_int(kv_info().nr_views, before, "and no view is left");
}

int main(void)
{
	test_requests_by_number();
	test_request();
	test_name();
	test_extent();
	test_image(kv_info().image_delta);
	test_blob_len();
	test_file_kind();
	test_many_extents();
	test_counting();
	return finish();
}
