// SPDX-License-Identifier: GPL-2.0-only
/* The kernel image, byte for byte what /proc/kcore shows of it. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kcore.h"
#include "kv.h"
#include "tap.h"

/* Pages of counters and locks change between any two looks; this many may. */
#define MOST_VOLATILE 8

static struct kcore_segment image;

/* Whether a page agrees with kcore in one of a few looks, the view read between two of kcore. */
static bool agrees(int fd, const unsigned char *map, uint64_t off)
{
	unsigned char before[PAGE], after[PAGE], ours[PAGE];
	unsigned int tries;

	for (tries = 0; tries < 50; tries++) {
		if (!kcore_read_vaddr(before, PAGE, image.vaddr + off))
			return false;
		if (map)
			memcpy(ours, map + off, PAGE);
		else if (pread(fd, ours, PAGE, (off_t)off) != (ssize_t)PAGE)
			return false;
		if (!kcore_read_vaddr(after, PAGE, image.vaddr + off))
			return false;
		if (!memcmp(before, ours, PAGE) || !memcmp(after, ours, PAGE))
			return true;
	}
	diag("offset %#" PRIx64 " differs", off);
	return false;
}

static unsigned int count_different(int fd, const unsigned char *map)
{
	unsigned int differ = 0;
	uint64_t off;

	for (off = 0; off < image.len; off += PAGE)
		differ += !agrees(fd, map, off);
	return differ;
}

static void compare(int fd)
{
	unsigned char *map = kv_map_at(fd, 0, image.len, PMD);
	unsigned int differ = count_different(fd, NULL);

	ok(differ <= MOST_VOLATILE, "read: %u of %" PRIu64 " pages never agree", differ,
	   (uint64_t)(image.len / PAGE));
	differ = count_different(fd, map);
	ok(differ <= MOST_VOLATILE, "mapped: %u never agree", differ);
	munmap(map, image.len);
}

static void test_banner(int fd)
{
	static const char banner[] = "Linux version ";
	char *bytes = malloc(image.len);

	if (!bytes || pread(fd, bytes, image.len, 0) != (ssize_t)image.len)
		bail("cannot read the image");
	ok(memmem(bytes, image.len, banner, sizeof(banner) - 1), "the banner is in it");
	free(bytes);
}

int main(void)
{
	struct kview_extent extent;
	long faults;
	unsigned char *map;
	int fd;

	kcore_open();
	image = kcore_image();
	diag("image at %#" PRIx64 ", physical %#" PRIx64 ", %" PRIu64 " KiB", image.vaddr,
	     image.paddr, (uint64_t)(image.len / KIB));
	is_int((long long)(image.vaddr - image.paddr), (long long)kv_info().image_delta,
	       "image_delta is what /proc/kcore's header says");

	extent = kv_ram(0, image.len, image.paddr);
	extent.vaddr = image.vaddr;
	fd = kv_create(image.len, &extent, 1);
	compare(fd);
	test_banner(fd);
	map = kv_map_at(fd, 0, image.len, PMD);
	faults = kv_minflt();
	kv_touch(map, image.len);
	faults = kv_minflt() - faults;
	ok(faults <= (long)(image.len / PMD) + 2, "%ld faults to touch all of it", faults);
	munmap(map, image.len);
	close(fd);
	return finish();
}
