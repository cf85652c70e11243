// SPDX-License-Identifier: GPL-2.0-only
#include "kview-exec/layout.h"

#include <errno.h>

#include "kview-exec/fake_kcore.h"
#include "unit.h"

static struct fake_kcore m;
static struct kvfs_layout layout;

static const struct kvfs_layout_segment *find(uint64_t off, uint64_t *skip, uint64_t *left)
{
	return kvfs_layout_find(&layout, off, skip, left);
}

START_TEST(test_parse)
{
	fake_make(&m, 4);
	ck_assert_int_eq(kvfs_layout_parse(m.file, FAKE_HEAD_LEN, &layout), 0);
	ck_assert_uint_eq(layout.nr, 3);
	ck_assert_int_eq(layout.v[0].kind, KVFS_LAYOUT_RAM);
	ck_assert_uint_eq(layout.v[0].off, FAKE_OFF_RAM);
	ck_assert_uint_eq(layout.v[0].paddr, 0);
	ck_assert_int_eq(layout.v[1].kind, KVFS_LAYOUT_TABLES);
	ck_assert_uint_eq(layout.v[1].vaddr, FAKE_VMALLOC);
	ck_assert_int_eq(layout.v[2].kind, KVFS_LAYOUT_IMAGE);
	ck_assert_uint_eq(layout.v[2].vaddr, FAKE_IMAGE);
	ck_assert_uint_eq(layout.root, FAKE_TOP * FAKE_PAGE);
	ck_assert_uint_eq(layout.levels, 4);
}
END_TEST

START_TEST(test_five_levels)
{
	fake_make(&m, 5);
	ck_assert_int_eq(kvfs_layout_parse(m.file, FAKE_HEAD_LEN, &layout), 0);
	ck_assert_uint_eq(layout.root, FAKE_TOP5 * FAKE_PAGE);
	ck_assert_uint_eq(layout.levels, 5);
}
END_TEST

/* Without the note nothing is known of page tables, and the segments are as before. */
START_TEST(test_no_vmcoreinfo)
{
	fake_make(&m, 4);
	memcpy(m.file + ((Elf64_Phdr *)(m.file + 64))->p_offset + sizeof(Elf64_Nhdr), "X", 1);
	ck_assert_int_eq(kvfs_layout_parse(m.file, FAKE_HEAD_LEN, &layout), 0);
	ck_assert_uint_eq(layout.nr, 3);
	ck_assert_uint_eq(layout.levels, 0);
}
END_TEST

START_TEST(test_find)
{
	uint64_t skip = 99, left = 99;

	fake_make(&m, 4);
	ck_assert_int_eq(kvfs_layout_parse(m.file, FAKE_HEAD_LEN, &layout), 0);
	ck_assert_ptr_null(find(0, &skip, &left));
	ck_assert_uint_eq(left, FAKE_OFF_RAM);
	ck_assert_ptr_null(find(FAKE_OFF_RAM - 1, &skip, &left));
	ck_assert_uint_eq(left, 1);
	ck_assert_ptr_eq(find(FAKE_OFF_RAM, &skip, &left), &layout.v[0]);
	ck_assert_uint_eq(skip, 0);
	ck_assert_uint_eq(left, FAKE_RAM_PAGES * FAKE_PAGE);
	ck_assert_ptr_eq(find(FAKE_OFF_HOLE - 1, &skip, &left), &layout.v[0]);
	ck_assert_uint_eq(skip, FAKE_RAM_PAGES * FAKE_PAGE - 1);
	ck_assert_uint_eq(left, 1);
	ck_assert_ptr_null(find(FAKE_OFF_HOLE, &skip, &left));
	ck_assert_uint_eq(left, FAKE_PAGE);
	ck_assert_ptr_eq(find(FAKE_OFF_IMAGE + 5, &skip, &left), &layout.v[2]);
	ck_assert_ptr_null(find(FAKE_LEN, &skip, &left));
	ck_assert_uint_eq(left, UINT64_MAX - FAKE_LEN);
}
END_TEST

START_TEST(test_load)
{
	int fd;

	fake_make(&m, 4);
	fd = unit_file(m.file, FAKE_LEN);
	ck_assert_int_eq(kvfs_layout_load(fd, &layout), 0);
	ck_assert_uint_eq(layout.nr, 3);
	ck_assert_uint_eq(layout.levels, 4);
	close(fd);
	/* One that ends inside its headers. */
	fd = unit_file(m.file, 128);
	ck_assert_int_eq(kvfs_layout_load(fd, &layout), -EBADMSG);
	close(fd);
	ck_assert_int_eq(kvfs_layout_load(-1, &layout), -EBADF);
}
END_TEST

/* Headers that contradict themselves are refused; what is cut anywhere never crashes. */
START_TEST(test_bad_headers)
{
	Elf64_Ehdr *ehdr = (Elf64_Ehdr *)m.file;
	Elf64_Phdr *ph = (Elf64_Phdr *)(m.file + sizeof(*ehdr));

	fake_make(&m, 4);
	for (size_t len = 0; len < 600; len++) {
		char *exact = malloc(len + 1);

		memcpy(exact, m.file, len);
		kvfs_layout_parse(exact, len, &layout);
		free(exact);
	}
	ph[3].p_offset = ph[2].p_offset + FAKE_PAGE;
	ck_assert_int_eq(kvfs_layout_parse(m.file, FAKE_HEAD_LEN, &layout), -EBADMSG);
	fake_make(&m, 4);
	ph[0].p_filesz = FAKE_LEN;
	ck_assert_int_eq(kvfs_layout_parse(m.file, FAKE_HEAD_LEN, &layout), -EBADMSG);
	fake_make(&m, 4);
	ehdr->e_phoff = UINT64_MAX - 7;
	ck_assert_int_eq(kvfs_layout_parse(m.file, FAKE_HEAD_LEN, &layout), -EBADMSG);
	fake_make(&m, 4);
	ehdr->e_type = ET_EXEC;
	ck_assert_int_eq(kvfs_layout_parse(m.file, FAKE_HEAD_LEN, &layout), -EBADMSG);
}
END_TEST

UNIT_MAIN("kview-exec/layout", test_parse, test_five_levels, test_no_vmcoreinfo, test_find, test_load,
	  test_bad_headers)
