// SPDX-License-Identifier: GPL-2.0-only
#include "kcore/vmcoreinfo.h"

#include <elf.h>
#include <errno.h>

#include "failalloc.h"
#include "unit.h"

#define TEXT "OSRELEASE=6.12\n"

/* Stands in for the module: views of a memory that is the note. */
static char memory[128];
static int view_errno;
static struct kvfs_extent asked;

int __wrap_kvfs_kmod_create_view(const struct kvfs_kmod *kmod, const char *name,
				 const struct kvfs_extents *t, struct kvfs_err *err);
int __wrap_kvfs_kmod_create_view(const struct kvfs_kmod *kmod, const char *name,
				 const struct kvfs_extents *t, struct kvfs_err *err)
{
	if (view_errno)
		return kvfs_err_set(err, view_errno, "no view");
	ck_assert_uint_eq(t->n, 1);
	asked = t->v[0];
	return unit_file(memory, sizeof(memory));
}

/* A note with this name and text; returns its length. */
static size_t make_note(const char *name, const char *text)
{
	Elf64_Nhdr nhdr = { .n_namesz = strlen(name) + 1, .n_descsz = strlen(text) };
	size_t name_len = (nhdr.n_namesz + 3) & ~3u;

	memset(memory, 0, sizeof(memory));
	memcpy(memory, &nhdr, sizeof(nhdr));
	memcpy(memory + sizeof(nhdr), name, nhdr.n_namesz);
	memcpy(memory + sizeof(nhdr) + name_len, text, nhdr.n_descsz);
	return sizeof(nhdr) + name_len + nhdr.n_descsz;
}

START_TEST(parses_a_note)
{
	size_t len = make_note("VMCOREINFO", TEXT), text_len;
	struct kvfs_err err = { 0 };
	char *text;

	ck_assert_int_eq(kvfs_kcore_vmcoreinfo_parse(memory, len, &text, &text_len, &err), 0);
	ck_assert_str_eq(text, TEXT);
	ck_assert_uint_eq(text_len, strlen(TEXT));
	free(text);
}
END_TEST

START_TEST(refuses_what_is_none)
{
	size_t len = make_note("VMCOREINFO", TEXT), text_len;
	struct kvfs_err err = { 0 };
	char *text;

	for (size_t cut = 0; cut < len; cut++)
		ck_assert_int_eq(kvfs_kcore_vmcoreinfo_parse(memory, cut, &text, &text_len, &err), -EBADMSG);
	len = make_note("VMCOREINFX", TEXT);
	ck_assert_int_eq(kvfs_kcore_vmcoreinfo_parse(memory, len, &text, &text_len, &err), -EBADMSG);
	len = make_note("CORE", TEXT);
	ck_assert_int_eq(kvfs_kcore_vmcoreinfo_parse(memory, len, &text, &text_len, &err), -EBADMSG);
	make_note("VMCOREINFO", TEXT);
	memset(memory, 0xff, 8);
	ck_assert_int_eq(kvfs_kcore_vmcoreinfo_parse(memory, sizeof(memory), &text, &text_len, &err), -EBADMSG);
}
END_TEST

/* kvfs_kcore_vmcoreinfo_load() with a sysfs file of this text. */
static int load(const char *sysfs, char **text, struct kvfs_err *err)
{
	const struct kvfs_kmod kmod = { .fd = 0 };
	int fd = unit_file(sysfs, strlen(sysfs));
	size_t text_len;
	int ret = kvfs_kcore_vmcoreinfo_load(unit_path(fd), &kmod, text, &text_len, err);

	close(fd);
	return ret;
}

START_TEST(loads_by_address)
{
	struct kvfs_err err = { 0 };
	char *text;

	make_note("VMCOREINFO", TEXT);
	/* As the kernel writes it (vmcoreinfo_show(), kernel/ksysfs.c, 6.12), and without 0x. */
	ck_assert_int_eq(load("0x0000000012345678 40\n", &text, &err), 0);
	free(text);
	ck_assert_int_eq(load("12345678 40\n", &text, &err), 0);
	ck_assert_str_eq(text, TEXT);
	free(text);
	ck_assert_uint_eq(asked.paddr, 0x12345678);
	ck_assert_uint_eq(asked.len, 0x40);
	ck_assert_uint_eq(asked.off, 0);
	ck_assert_int_eq(asked.kind, KVFS_EXTENT_RAM);
}
END_TEST

START_TEST(out_of_memory)
{
	size_t len = make_note("VMCOREINFO", TEXT), text_len;
	struct kvfs_err err;
	char *text;
	int ret;

	failalloc_try_all(ret, ret = kvfs_kcore_vmcoreinfo_parse(memory, len, &text, &text_len, &err));
	free(text);
}
END_TEST

START_TEST(tells_what_is_wrong)
{
	static const char *const bad[] = { "", "x", "1000", "1000 0", "1000 fffffff", "zz 40", "1000 -1", "0x 40" };
	const struct kvfs_kmod kmod = { .fd = 0 };
	struct kvfs_err err = { 0 };
	size_t len;
	char *text;

	make_note("VMCOREINFO", TEXT);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		unit_assert_error(load(bad[i], &text, &err), EBADMSG, err, "not an address and a length");
	unit_assert_error(load("1000 1000", &text, &err), ENODATA, err, "physical address 0x1000");
	view_errno = EPERM;
	unit_assert_error(load("1000 40", &text, &err), EPERM, err, "VMCOREINFO: no view");
	view_errno = 0;
	unit_assert_error(kvfs_kcore_vmcoreinfo_load("/nonexistent", &kmod, &text, &len, &err), ENOENT, err,
			  "/nonexistent");
}
END_TEST

UNIT_MAIN("vmcoreinfo", parses_a_note, refuses_what_is_none, loads_by_address, out_of_memory,
	  tells_what_is_wrong)
