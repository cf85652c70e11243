// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/kallsyms.h"

#include <errno.h>

#include "failalloc.h"
#include "unit.h"

/* Records the lines as a text that can be compared. */
struct record {
	char text[4096];
	int stop_at;		/* line to stop at, from 0; -1: none */
	int fail_at;
	int lines;
};

static int take(void *ctx, const struct kvfs_kallsyms_line *line)
{
	struct record *r = ctx;
	size_t at = strlen(r->text);

	if (r->lines == r->fail_at)
		return -ENOMEM;
	snprintf(r->text + at, sizeof(r->text) - at, "%llx/%c/%.*s/%d;",
		 (unsigned long long)line->vaddr, line->type, (int)line->name_len, line->name,
		 line->in_module);
	return r->lines++ == r->stop_at;
}

static const char sample[] =
	"0000000000000000 A fixed_percpu_data\n"
	"ffffffff81000000 T _text\n"
	"ffffffff81000040 t .Lfoo$bar@@V1.2<x>\n"
	"ffffffffc0000000 t bar\t[ext4]\n"
	"ffffffffc0200000 t bpf_prog_6deef7357e7b4530\t[bpf]\n";

static const char sample_record[] =
	"0/A/fixed_percpu_data/0;ffffffff81000000/T/_text/0;ffffffff81000040/t/.Lfoo$bar@@V1.2<x>/0;"
	"ffffffffc0000000/t/bar/1;ffffffffc0200000/t/bpf_prog_6deef7357e7b4530/1;";

START_TEST(lines)
{
	struct record r = { .stop_at = -1, .fail_at = -1 };
	struct kvfs_err err = { 0 };

	ck_assert_msg(!kvfs_kallsyms_parse(sample, strlen(sample), take, &r, &err), "%s", err.msg);
	ck_assert_str_eq(r.text, sample_record);
	/* The last line needs no newline. */
	r = (struct record){ .stop_at = -1, .fail_at = -1 };
	ck_assert_int_eq(kvfs_kallsyms_parse(sample, strlen(sample) - 1, take, &r, &err), 0);
	ck_assert_str_eq(r.text, sample_record);
	r = (struct record){ .stop_at = -1, .fail_at = -1 };
	ck_assert_int_eq(kvfs_kallsyms_parse("", 0, take, &r, &err), 0);
	ck_assert_int_eq(r.lines, 0);
}
END_TEST

START_TEST(of_32_bits)
{
	struct record r = { .stop_at = -1, .fail_at = -1 };
	struct kvfs_err err = { 0 };
	const char text[] = "c1000000 T _text\n1 a x\n";

	ck_assert_int_eq(kvfs_kallsyms_parse(text, strlen(text), take, &r, &err), 0);
	ck_assert_str_eq(r.text, "c1000000/T/_text/0;1/a/x/0;");
}
END_TEST

START_TEST(lines_that_are_none)
{
	static const char *const bad[] = {
		"\n", "ffffffff81000000\n", "ffffffff81000000 T\n", "ffffffff81000000 T \n",
		" T _text\n", "ffffffff81000000  _text\n", "ffffffff81000000 TT _text\n",
		"fffffffff81000000 T _text\n", "0xffffffff81000000 T _text\n", "-1 T _text\n",
		"ffffffff81000000 T a b\n", "ffffffff81000000 T a [m]\n", "ffffffff81000000 T a\t\n",
		"ffffffff81000000 T a\tm\n", "ffffffff81000000 T a\t[m\n", "ffffffff81000000 T a\t[]\n",
		"ffffffff81000000 T a\x01\n", "ffffffff81000000\tT\ta\n",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct record r = { .stop_at = -1, .fail_at = -1 };
		struct kvfs_err err = { 0 };
		char text[256];
		int ret;

		snprintf(text, sizeof(text), "ffffffff81000000 T _text\n%s", bad[i]);
		ret = kvfs_kallsyms_parse(text, strlen(text), take, &r, &err);
		unit_assert_error(ret, EBADMSG, err, "line 2 is not one of /proc/kallsyms");
		ck_assert_int_eq(r.lines, 1);
	}
}
END_TEST

START_TEST(hidden_addresses)
{
	struct record r = { .stop_at = -1, .fail_at = -1 };
	struct kvfs_err err = { 0 };
	const char text[] = "0000000000000000 T _text\n0000000000000000 T _end\n";
	int ret = kvfs_kallsyms_parse(text, strlen(text), take, &r, &err);

	unit_assert_error(ret, EPERM, err, "kernel.kptr_restrict");
}
END_TEST

START_TEST(the_function_decides)
{
	struct record r = { .stop_at = 1, .fail_at = -1 };
	struct kvfs_err err = { 0 };
	const char text[] = "0 A x\n1 A y\nnot a line\n";
	int ret;

	ck_assert_int_eq(kvfs_kallsyms_parse(text, strlen(text), take, &r, &err), 0);
	ck_assert_int_eq(r.lines, 2);
	r = (struct record){ .stop_at = -1, .fail_at = 1 };
	ret = kvfs_kallsyms_parse(text, strlen(text), take, &r, &err);
	unit_assert_error(ret, ENOMEM, err, "line 2");
	ck_assert_int_eq(r.lines, 1);
}
END_TEST

START_TEST(from_a_file)
{
	struct record r = { .stop_at = -1, .fail_at = -1 };
	struct kvfs_err err = { 0 };
	int fd = unit_file(sample, strlen(sample)), ret;

	failalloc_try_all(ret, (r = (struct record){ .stop_at = -1, .fail_at = -1 },
				ret = kvfs_kallsyms_load(unit_path(fd), take, &r, &err)));
	ck_assert_int_eq(ret, 0);
	ck_assert_str_eq(r.text, sample_record);
	close(fd);
	ret = kvfs_kallsyms_load("/nonexistent", take, &r, &err);
	unit_assert_error(ret, ENOENT, err, "cannot open /nonexistent");
	ret = kvfs_kallsyms_load("/", take, &r, &err);
	unit_assert_error(ret, EISDIR, err, "cannot read after line 0");
	fd = unit_file("?\n", 2);
	ret = kvfs_kallsyms_load(unit_path(fd), take, &r, &err);
	unit_assert_error(ret, EBADMSG, err, "/proc/self/fd/");
	close(fd);
}
END_TEST

struct sum {
	size_t lines;
	uint64_t vaddrs;
};

static int add_up(void *ctx, const struct kvfs_kallsyms_line *line)
{
	struct sum *s = ctx;

	s->lines++;
	s->vaddrs += line->vaddr * line->name_len;
	return 0;
}

/* A file of many pieces gives what the same text in memory gives. */
START_TEST(pieces_make_no_difference)
{
	const size_t n = 5000;
	char *text = malloc(n * 128), *p = text;
	struct sum whole = { 0 }, pieces = { 0 };
	struct kvfs_err err = { 0 };
	int fd;

	for (size_t i = 0; i < n; i++)
		p += sprintf(p, "%016zx T %.*s%s\n", 0x1000 + i * 17, (int)(1 + i * 7 % 60),
			     "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789",
			     i % 5 ? "" : "\t[mod]");
	fd = unit_file(text, (size_t)(p - text));
	ck_assert_int_eq(kvfs_kallsyms_parse(text, (size_t)(p - text), add_up, &whole, &err), 0);
	ck_assert_int_eq(kvfs_kallsyms_load(unit_path(fd), add_up, &pieces, &err), 0);
	ck_assert_uint_eq(whole.lines, n);
	ck_assert_uint_eq(pieces.lines, n);
	ck_assert_uint_eq(pieces.vaddrs, whole.vaddrs);
	free(text);
	close(fd);
}
END_TEST

START_TEST(a_line_without_end)
{
	static char text[40000];
	struct record r = { .stop_at = -1, .fail_at = -1 };
	struct kvfs_err err = { 0 };
	int fd, ret;

	memset(text, 'a', sizeof(text));
	memcpy(text, "1 T x\n1000 T ", 13);
	fd = unit_file(text, sizeof(text));
	ret = kvfs_kallsyms_load(unit_path(fd), take, &r, &err);
	unit_assert_error(ret, EBADMSG, err, "line 2 is too long");
	close(fd);
}
END_TEST

UNIT_MAIN("kallsyms", lines, of_32_bits, lines_that_are_none, hidden_addresses,
	  the_function_decides, from_a_file, pieces_make_no_difference, a_line_without_end)
