// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/ksyms.h"

#include <errno.h>

#include "failalloc.h"
#include "unit.h"

#define START 0xffffffff81000000ULL
#define END 0xffffffff82000000ULL

/* Aliases, static twins, tails, names that look like others, and symbols outside the image. */
static const char sample[] =
	"0000000000000000 A fixed_percpu_data\n"
	"ffffffff80ffffff T before\n"
	"ffffffff81000000 T _text\n"
	"ffffffff81000000 T _stext\n"
	"ffffffff81000010 T __pfx_foo\n"
	"ffffffff81000020 T foo\n"
	"ffffffff81000030 t init\n"
	"ffffffff81000040 t foo_bar\n"
	"ffffffff81000048 T foo_bar\n"
	"ffffffff81000048 T foo_bar\n"
	"ffffffff81000050 t init\n"
	"ffffffff81000060 D odd@81000060\n"
	"ffffffff81000070 D odd@ffffffff81000030\n"
	"ffffffff81001000 D data.123\n"
	"ffffffff81ffffff B last\n"
	"ffffffff82000000 B _end\n"
	"ffffffff81000024 t module_sym\t[ext4]\n"
	"ffffffffc0000000 t init\t[ext4]\n";

static struct kvfs_ksyms *parse(const char *text)
{
	struct kvfs_ksyms *syms = NULL;
	struct kvfs_err err = { 0 };

	ck_assert_msg(!kvfs_ksyms_parse(text, strlen(text), START, END, &syms, &err), "%s", err.msg);
	return syms;
}

static void check(const struct kvfs_ksyms *syms, const char *name, uint64_t off, uint64_t len,
		  bool unique)
{
	struct kvfs_ksym sym;

	ck_assert_msg(!kvfs_ksyms_lookup(syms, name, &sym), "%s", name);
	ck_assert_uint_eq(sym.vaddr, START + off);
	ck_assert_uint_eq(sym.len, len);
	ck_assert_int_eq(sym.unique, unique);
	ck_assert_uint_eq(strncmp(name, sym.name, strlen(sym.name)), 0);
}

static int lookup(const struct kvfs_ksyms *syms, const char *name)
{
	struct kvfs_ksym sym;

	return kvfs_ksyms_lookup(syms, name, &sym);
}

START_TEST(lookups)
{
	struct kvfs_ksyms *syms = parse(sample);

	check(syms, "_text", 0, 0x10, true);
	check(syms, "_stext", 0, 0x10, true);		/* an alias has the same bytes */
	check(syms, "__pfx_foo", 0x10, 0x10, true);
	check(syms, "foo", 0x20, 0x10, true);
	check(syms, "data.123", 0x1000, 0xffefff, true);
	check(syms, "last", 0xffffff, 1, true);
	ck_assert_int_eq(lookup(syms, ""), -ENOENT);
	ck_assert_int_eq(lookup(syms, "fo"), -ENOENT);
	ck_assert_int_eq(lookup(syms, "fooo"), -ENOENT);
	ck_assert_int_eq(lookup(syms, "zzz"), -ENOENT);
	ck_assert_int_eq(lookup(syms, "before"), -ENOENT);
	ck_assert_int_eq(lookup(syms, "_end"), -ENOENT);
	ck_assert_int_eq(lookup(syms, "module_sym"), -ENOENT);
	ck_assert_int_eq(lookup(syms, "fixed_percpu_data"), -ENOENT);
	kvfs_ksyms_destroy(syms);
	kvfs_ksyms_destroy(NULL);
}
END_TEST

START_TEST(a_name_that_is_the_tail_of_another_costs_nothing)
{
	struct kvfs_ksyms *syms = parse(sample);
	struct kvfs_ksym foo, pfx;

	ck_assert_int_eq(kvfs_ksyms_lookup(syms, "foo", &foo), 0);
	ck_assert_int_eq(kvfs_ksyms_lookup(syms, "__pfx_foo", &pfx), 0);
	ck_assert_ptr_eq(foo.name, pfx.name + strlen("__pfx_"));
	kvfs_ksyms_destroy(syms);
}
END_TEST

START_TEST(names_that_several_have)
{
	struct kvfs_ksyms *syms = parse(sample);

	ck_assert_int_eq(lookup(syms, "init"), -ENOTUNIQ);
	check(syms, "init@ffffffff81000030", 0x30, 0x10, false);
	check(syms, "init@ffffffff81000050", 0x50, 0x10, false);
	ck_assert_int_eq(lookup(syms, "init@ffffffff81000040"), -ENOENT);
	ck_assert_int_eq(lookup(syms, "init@ffffffffc0000000"), -ENOENT);
	ck_assert_int_eq(lookup(syms, "foo_bar"), -ENOTUNIQ);
	check(syms, "foo_bar@ffffffff81000048", 0x48, 8, false);
	/* A name that is unique may have an address, too. */
	check(syms, "foo@ffffffff81000020", 0x20, 0x10, true);
	kvfs_ksyms_destroy(syms);
}
END_TEST

START_TEST(addresses_that_are_none)
{
	static const char *const bad[] = {
		"foo@", "foo@0xffffffff81000020", "foo@FFFFFFFF81000020", "foo@ffffffff8100002",
		"foo@0ffffffff81000020", "foo@ffffffff81000020 ", "@ffffffff81000020", "@", "foo@-1",
		"foo@@ffffffff81000020",
	};
	struct kvfs_ksyms *syms = parse(sample);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(lookup(syms, bad[i]), -ENOENT);
	kvfs_ksyms_destroy(syms);
}
END_TEST

START_TEST(names_with_an_at_sign)
{
	struct kvfs_ksyms *syms = parse(sample);

	check(syms, "odd@81000060", 0x60, 0x10, true);
	check(syms, "odd@ffffffff81000030", 0x70, 0xf90, true);
	check(syms, "odd@81000060@ffffffff81000060", 0x60, 0x10, true);
	kvfs_ksyms_destroy(syms);
}
END_TEST

START_TEST(in_order_of_addresses)
{
	static const struct { const char *name; uint64_t off; bool unique; } want[] = {
		{ "_text", 0, true }, { "_stext", 0, true }, { "__pfx_foo", 0x10, true },
		{ "foo", 0x20, true }, { "init", 0x30, false }, { "foo_bar", 0x40, false },
		{ "foo_bar", 0x48, false }, { "init", 0x50, false }, { "odd@81000060", 0x60, true },
		{ "odd@ffffffff81000030", 0x70, true }, { "data.123", 0x1000, true },
		{ "last", 0xffffff, true },
	};
	struct kvfs_ksyms *syms = parse(sample);
	size_t n = sizeof(want) / sizeof(want[0]);
	struct kvfs_ksym sym;

	ck_assert_uint_eq(kvfs_ksyms_count(syms), n);
	for (size_t i = 0; i < n; i++) {
		kvfs_ksyms_at(syms, i, &sym);
		ck_assert_str_eq(sym.name, want[i].name);
		ck_assert_uint_eq(sym.vaddr, START + want[i].off);
		ck_assert_int_eq(sym.unique, want[i].unique);
	}
	kvfs_ksyms_destroy(syms);
}
END_TEST

START_TEST(a_text_in_no_order)
{
	struct kvfs_ksyms *syms = parse("ffffffff81000050 t b\n"
					"ffffffff81000010 t a\n"
					"ffffffff81000050 t ab\n"
					"ffffffff81000030 t b\n"
					"ffffffff81000010 t a\n");

	ck_assert_uint_eq(kvfs_ksyms_count(syms), 4);
	check(syms, "a", 0x10, 0x20, true);
	check(syms, "ab", 0x50, 0xffffb0, true);
	check(syms, "b@ffffffff81000030", 0x30, 0x20, false);
	kvfs_ksyms_destroy(syms);
}
END_TEST

START_TEST(ranges)
{
	struct kvfs_ksyms *syms;
	struct kvfs_err err = { 0 };
	int ret;

	ret = kvfs_ksyms_parse(sample, strlen(sample), START, START, &syms, &err);
	unit_assert_error(ret, EINVAL, err, "0xffffffff81000000-0xffffffff81000000");
	ret = kvfs_ksyms_parse(sample, strlen(sample), 0, 1ULL << 32, &syms, &err);
	unit_assert_error(ret, EINVAL, err, "cannot be");
	ret = kvfs_ksyms_parse(sample, strlen(sample), 0x1000, 0x2000, &syms, &err);
	unit_assert_error(ret, ENODATA, err, "no symbol lies in the kernel image, 0x1000-0x1fff");
	ret = kvfs_ksyms_parse("", 0, START, END, &syms, &err);
	unit_assert_error(ret, ENODATA, err, "no symbol");
	ck_assert_int_eq(kvfs_ksyms_parse("5 T x\n5 T y\n9 T x\n", 18, 0, 16, &syms, &err), 0);
	ck_assert_int_eq(lookup(syms, "x@5"), 0);
	ck_assert_int_eq(lookup(syms, "x@6"), -ENOENT);
	kvfs_ksyms_destroy(syms);
	ck_assert_int_eq(kvfs_ksyms_parse("fffffffffffffffe T x\n", 21, UINT64_MAX - UINT32_MAX, UINT64_MAX,
					  &syms, &err), 0);
	kvfs_ksyms_destroy(syms);
}
END_TEST

START_TEST(bad_texts)
{
	const char hidden[] = "0000000000000000 T _text\n0000000000000000 T _end\n";
	struct kvfs_ksyms *syms;
	struct kvfs_err err = { 0 };
	int ret;

	ret = kvfs_ksyms_parse(hidden, strlen(hidden), START, END, &syms, &err);
	unit_assert_error(ret, EPERM, err, "hides");
	ret = kvfs_ksyms_parse("x\n", 2, START, END, &syms, &err);
	unit_assert_error(ret, EBADMSG, err, "line 1");
	ret = kvfs_ksyms_load("/nonexistent", START, END, &syms, &err);
	unit_assert_error(ret, ENOENT, err, "/nonexistent");
}
END_TEST

/* n symbols of a kernel that pads its functions. */
static char *make_text(size_t n, size_t *len)
{
	char *text = malloc(n * 100), *p = text;

	for (size_t i = 0; i < n; i++)
		p += sprintf(p, "%llx t __pfx_some_function_%zu\n%llx T some_function_%zu\n",
			     START + i * 64, i, START + i * 64 + 16, i);
	*len = (size_t)(p - text);
	return text;
}

START_TEST(a_large_table)
{
	const size_t n = 20000;
	size_t len, wrong = 0;
	char *text = make_text(n, &len);
	struct kvfs_ksyms *syms;
	struct kvfs_err err = { 0 };
	struct kvfs_ksym sym;
	int fd = unit_file(text, len);

	ck_assert_int_eq(kvfs_ksyms_load(unit_path(fd), START, END, &syms, &err), 0);
	ck_assert_uint_eq(kvfs_ksyms_count(syms), 2 * n);
	for (size_t i = 0; i < n; i++) {
		char name[64];

		snprintf(name, sizeof(name), "some_function_%zu", i);
		wrong += kvfs_ksyms_lookup(syms, name, &sym) || sym.vaddr != START + i * 64 + 16 ||
			 (i < n - 1 && sym.len != 48) || !sym.unique || strcmp(sym.name, name) != 0;
		snprintf(name, sizeof(name), "__pfx_some_function_%zu", i);
		wrong += kvfs_ksyms_lookup(syms, name, &sym) || sym.vaddr != START + i * 64 ||
			 sym.len != 16 || !sym.unique || strcmp(sym.name, name) != 0;
		kvfs_ksyms_at(syms, 2 * i, &sym);
		wrong += strcmp(sym.name, name) != 0;
	}
	ck_assert_uint_eq(wrong, 0);
	kvfs_ksyms_destroy(syms);
	free(text);
	close(fd);
}
END_TEST

START_TEST(without_memory)
{
	size_t len;
	char *text = make_text(4000, &len);
	struct kvfs_ksyms *syms;
	struct kvfs_err err = { 0 };
	int ret, fd = unit_file(text, len);

	/* A failure to give memory back is harmless, so these two calls succeed. */
	for (int i = 0, harmless = 0;; i++) {
		bool failed;

		failalloc_arm(i);
		ret = kvfs_ksyms_load(unit_path(fd), START, END, &syms, &err);
		failed = failalloc_happened();
		if (!ret) {
			ck_assert_uint_eq(kvfs_ksyms_count(syms), 8000);
			kvfs_ksyms_destroy(syms);
		}
		if (!failed) {
			ck_assert_int_eq(ret, 0);
			ck_assert_int_eq(harmless, 2);
			break;
		}
		ck_assert(ret == 0 || ret == -ENOMEM);
		harmless += !ret;
	}
	free(text);
	close(fd);
}
END_TEST

static void check_find(const struct kvfs_ksyms_names *names, uint64_t addr, const char *name,
		       uint64_t start)
{
	uint64_t found = 0;
	const char *got = kvfs_ksyms_names_find(names, addr, &found);

	ck_assert_ptr_nonnull(got);
	ck_assert_str_eq(got, name);
	ck_assert_uint_eq(found, start);
}

START_TEST(names_for_addresses)
{
	/* In no order; a module; two names for an address, of which the first counts. */
	static const char text[] =
		"0000000000000000 A absolute\n"
		"ffffffff81000020 T foo\n"
		"ffffffff81000020 T oo\n"
		"ffffffffc0001000 t init\t[ext4]\n"
		"ffffffff81000010 T __pfx_foo\n"
		"0000000000001000 A percpu\n";
	int fd = unit_file(text, sizeof(text) - 1), ret;
	struct kvfs_ksyms_names *names;
	struct kvfs_err err = { 0 };
	uint64_t start;

	failalloc_try_all(ret, ret = kvfs_ksyms_names_load(unit_path(fd), &names, &err));
	ck_assert_msg(ret == 0, "%s", err.msg);
	check_find(names, 0x1000, "percpu", 0x1000);
	check_find(names, 0xffffffff8100001f, "__pfx_foo", 0xffffffff81000010);
	check_find(names, 0xffffffff81000020, "foo", 0xffffffff81000020);
	check_find(names, 0xffffffff81000021, "foo", 0xffffffff81000020);
	check_find(names, UINT64_MAX, "init", 0xffffffffc0001000);
	ck_assert_ptr_null(kvfs_ksyms_names_find(names, 0xfff, &start));
	kvfs_ksyms_names_destroy(names);
	kvfs_ksyms_names_destroy(NULL);
	close(fd);
	fd = unit_file("0 A x\n", 6);
	ret = kvfs_ksyms_names_load(unit_path(fd), &names, &err);
	unit_assert_error(ret, EPERM, err, "hides the addresses");
	close(fd);
	fd = unit_file("", 0);
	ret = kvfs_ksyms_names_load(unit_path(fd), &names, &err);
	unit_assert_error(ret, ENODATA, err, "no symbol with an address");
	close(fd);
	ret = kvfs_ksyms_names_load("/nonexistent", &names, &err);
	unit_assert_error(ret, ENOENT, err, "/nonexistent");
}
END_TEST

START_TEST(scan_for_a_few)
{
	static const char *const names[] = { "_text", "_end", "init", "nonexistent", "module_sym" };
	uint64_t vaddrs[5] = { 1, 1, 1, 1, 1 };
	struct kvfs_err err = { 0 };
	int fd = unit_file(sample, strlen(sample)), ret;

	ck_assert_int_eq(kvfs_ksyms_scan(unit_path(fd), names, vaddrs, 5, &err), 0);
	ck_assert_uint_eq(vaddrs[0], START);
	ck_assert_uint_eq(vaddrs[1], END);
	ck_assert_uint_eq(vaddrs[2], START + 0x30);
	ck_assert_uint_eq(vaddrs[3], 0);
	ck_assert_uint_eq(vaddrs[4], 0);
	close(fd);
	/* The scan ends with the last symbol found. */
	fd = unit_file("1 T _end\n2 T _text\nnot a line\n", 30);
	ck_assert_int_eq(kvfs_ksyms_scan(unit_path(fd), names, vaddrs, 2, &err), 0);
	ck_assert_uint_eq(vaddrs[0], 2);
	ck_assert_uint_eq(vaddrs[1], 1);
	ret = kvfs_ksyms_scan(unit_path(fd), names, vaddrs, 3, &err);
	unit_assert_error(ret, EBADMSG, err, "line 3");
	close(fd);
	ret = kvfs_ksyms_scan("/nonexistent", names, vaddrs, 2, &err);
	unit_assert_error(ret, ENOENT, err, "/nonexistent");
}
END_TEST

UNIT_MAIN("ksyms", lookups, a_name_that_is_the_tail_of_another_costs_nothing, names_that_several_have, addresses_that_are_none,
	  names_with_an_at_sign, in_order_of_addresses, a_text_in_no_order, ranges, bad_texts,
	  a_large_table, without_memory, names_for_addresses, scan_for_a_few)
