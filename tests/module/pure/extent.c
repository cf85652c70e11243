// SPDX-License-Identifier: GPL-2.0-only
/* Checks of one extent: each rule of kview.h at its bound, on both sides. */
#include "extent.h"

#include <string.h>

#include "kernel.h"
#include "kview.h"
#include "tap.h"

#define PAGE PAGE_SIZE
#define SIZE (16 * PAGE)
/* Physical address of the start of the image mapping. */
#define IMAGE_PADDR (2UL << 20)
#define DELTA (PURE_IMAGE - IMAGE_PADDR)

/*
 * struct rule - an extent of a view of SIZE bytes, and what kview_extent_check() returns
 * @start: end of the extent before it
 */
static const struct rule {
	const char *name;
	struct kview_extent extent;
	u64 start;
	int want;
} rules[] = {
	{ "a page of RAM", { .len = PAGE, .kind = KVIEW_EXTENT_RAM }, 0, 0 },
	{ "kind 0", { .len = PAGE }, 0, -EOPNOTSUPP },
	{ "a kind of the future", { .len = PAGE, .kind = 4 }, 0, -EOPNOTSUPP },
	{ "RAM with a descriptor", { .len = PAGE, .kind = KVIEW_EXTENT_RAM, .fd = 3 }, 0, -EINVAL },
	{ "a blob with a descriptor", { .len = PAGE, .kind = KVIEW_EXTENT_BLOB, .fd = 3 }, 0, -EINVAL },
	{ "a file with one", { .len = PAGE, .kind = KVIEW_EXTENT_FILE, .fd = 3 }, 0, 0 },
	{ "reserved[0]", { .len = PAGE, .kind = KVIEW_EXTENT_RAM, .reserved = { 1 } }, 0, -EINVAL },
	{ "reserved[1]", { .len = PAGE, .kind = KVIEW_EXTENT_RAM, .reserved = { 0, 1 } }, 0, -EINVAL },
	{ "reserved[2]", { .len = PAGE, .kind = KVIEW_EXTENT_RAM, .reserved = { 0, 0, 1 } }, 0, -EINVAL },
	{ "nothing", { .kind = KVIEW_EXTENT_RAM }, 0, -EINVAL },
	{ "all of the view", { .len = SIZE, .kind = KVIEW_EXTENT_RAM }, 0, 0 },
	{ "a byte more", { .len = SIZE + 1, .kind = KVIEW_EXTENT_RAM }, 0, -EINVAL },
	{ "a length that wraps with the offset",
	  { .off = PAGE, .len = UINT64_MAX, .kind = KVIEW_EXTENT_RAM }, 0, -EINVAL },
	{ "the last byte", { .off = SIZE - 1, .len = 1, .kind = KVIEW_EXTENT_RAM }, 0, 0 },
	{ "the byte after it", { .off = SIZE, .len = 1, .kind = KVIEW_EXTENT_RAM }, 0, -EINVAL },
	{ "next to the extent before", { .off = 100, .len = 1, .kind = KVIEW_EXTENT_RAM }, 100, 0 },
	{ "over its last byte", { .off = 99, .len = 1, .kind = KVIEW_EXTENT_RAM }, 100, -EINVAL },
	{ "RAM up to 2^64",
	  { .len = PAGE, .src = -PAGE, .kind = KVIEW_EXTENT_RAM }, 0, 0 },
	{ "RAM past it",
	  { .len = PAGE + 1, .src = -PAGE, .kind = KVIEW_EXTENT_RAM }, 0, -EINVAL },
	{ "a file up to the largest offset",
	  { .len = PAGE, .src = INT64_MAX - PAGE, .kind = KVIEW_EXTENT_FILE }, 0, 0 },
	{ "a file to 2^63",
	  { .len = PAGE + 1, .src = INT64_MAX - PAGE, .kind = KVIEW_EXTENT_FILE }, 0, -EINVAL },
	{ "a file with an address",
	  { .len = PAGE, .vaddr = DELTA, .kind = KVIEW_EXTENT_FILE }, 0, -EINVAL },
	{ "a blob with an address",
	  { .len = PAGE, .vaddr = DELTA, .kind = KVIEW_EXTENT_BLOB }, 0, -EINVAL },
	{ "the image's first page",
	  { .len = PAGE, .src = IMAGE_PADDR, .vaddr = PURE_IMAGE, .kind = KVIEW_EXTENT_RAM }, 0, 0 },
	{ "an address of another page",
	  { .len = PAGE, .src = IMAGE_PADDR, .vaddr = PURE_IMAGE + PAGE, .kind = KVIEW_EXTENT_RAM },
	  0, -EINVAL },
	{ "an address before the image",
	  { .len = PAGE, .src = IMAGE_PADDR - PAGE, .vaddr = PURE_IMAGE - PAGE,
	    .kind = KVIEW_EXTENT_RAM }, 0, -EINVAL },
	{ "the image's last page",
	  { .len = PAGE, .src = IMAGE_PADDR + PURE_IMAGE_LEN - PAGE,
	    .vaddr = PURE_IMAGE + PURE_IMAGE_LEN - PAGE, .kind = KVIEW_EXTENT_RAM }, 0, 0 },
	{ "a byte past it",
	  { .len = PAGE + 1, .src = IMAGE_PADDR + PURE_IMAGE_LEN - PAGE,
	    .vaddr = PURE_IMAGE + PURE_IMAGE_LEN - PAGE, .kind = KVIEW_EXTENT_RAM }, 0, -EINVAL },
};

static void test_rules(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(rules); i++)
		is_int(kview_extent_check(&rules[i].extent, rules[i].start, SIZE, DELTA),
		       rules[i].want, "%s", rules[i].name);
}

/* The view of these is large enough for the longest blob. */
static void test_blob_len(void)
{
	struct kview_extent blob = { .len = KVIEW_MAX_BLOB_LEN, .kind = KVIEW_EXTENT_BLOB };

	is_int(kview_extent_check(&blob, 0, 1UL << 30, DELTA), 0, "the longest blob");
	blob.len++;
	is_int(kview_extent_check(&blob, 0, 1UL << 30, DELTA), -E2BIG, "a longer one");
}

static void test_mappable(void)
{
	struct kview_extent extent = { .off = PAGE, .len = PAGE, .src = PAGE, .kind = KVIEW_EXTENT_RAM };

	ok(kview_extent_mappable(&extent, PAGE), "a whole page can be mapped");
	ok(kview_extent_mappable(&extent, 1), "so can one after a page that is partly used");
	ok(!kview_extent_mappable(&extent, PAGE + 1), "not one that the extent before shares");
	extent.off++;
	ok(!kview_extent_mappable(&extent, 0), "not at an offset inside a page");
	extent.off--;
	extent.len--;
	ok(!kview_extent_mappable(&extent, 0), "not a part of a page of RAM");
	extent.kind = KVIEW_EXTENT_FILE;
	ok(!kview_extent_mappable(&extent, 0), "nor of a file");
	extent.kind = KVIEW_EXTENT_BLOB;
	ok(kview_extent_mappable(&extent, 0), "but a blob, which is padded with zeros");
	extent.kind = KVIEW_EXTENT_RAM;
	extent.len++;
	extent.src++;
	ok(!kview_extent_mappable(&extent, 0), "not RAM from inside a page");
}

int main(void)
{
	test_rules();
	test_blob_len();
	test_mappable();
	return finish();
}
