// SPDX-License-Identifier: GPL-2.0-only
/* Blobs: copied when the view is made, zero after their end, mapped like the rest. */
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "kv.h"
#include "tap.h"

#define BIG_OFF (2 * PAGE)
#define RAM_OFF (BIG_OFF + KVIEW_MAX_BLOB_LEN)
#define SIZE (RAM_OFF + 2 * PAGE)

static unsigned char big[KVIEW_MAX_BLOB_LEN], saved[KVIEW_MAX_BLOB_LEN];
static const char small[] = "a blob that is not a page long";

static void check(const unsigned char *bytes, const unsigned char *page, const char *how)
{
	ok(!memcmp(bytes, small, sizeof(small)), "%s: the small blob", how);
	ok(kv_is_zero(bytes + sizeof(small), BIG_OFF - sizeof(small)),
	   "%s: zeros after it, to the end of its page and on", how);
	ok(!memcmp(bytes + BIG_OFF, saved, sizeof(saved)), "%s: the big blob", how);
	ok(!memcmp(bytes + RAM_OFF, page, PAGE), "%s: the RAM that follows", how);
	ok(kv_is_zero(bytes + RAM_OFF + PAGE, PAGE), "%s: the hole after that", how);
}

int main(void)
{
	static unsigned char buf[SIZE];
	struct kview_extent extents[3];
	unsigned char *page, *map;
	uint64_t paddr;
	unsigned int i;
	int fd;

	page = kv_pages(1, &paddr);
	for (i = 0; i < sizeof(big); i++)
		saved[i] = big[i] = (unsigned char)(i * 13 + (i >> 8));
	extents[0] = kv_blob(0, sizeof(small), small);
	extents[1] = kv_blob(BIG_OFF, sizeof(big), big);
	extents[2] = kv_ram(RAM_OFF, PAGE, paddr);
	fd = kv_create(SIZE, extents, 3);
	memset(big, 0xee, sizeof(big));

	is_int(pread(fd, buf, SIZE, 0), SIZE, "read all");
	check(buf, page, "read");
	map = kv_map(fd, 0, SIZE);
	check(map, page, "mapped");
	close(fd);
	check(map, page, "mapped, descriptor closed");
	munmap(map, SIZE);
	return finish();
}
