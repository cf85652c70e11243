// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/ksyms.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/vector.h"
#include "kernel/kallsyms.h"

#define MAX_ADDRESS_LEN 16	/* digits of NAME@ADDRESS */
#define GONE UINT32_MAX		/* entry.name of an entry that is dropped */

/*
 * Names, each with a NUL, one after another. A name that is the tail of the one before it has no
 * bytes of its own: where the kernel pads functions, each has a symbol __pfx_NAME before it, so
 * that this saves a quarter. Offsets never decrease from one name to the next.
 */
struct names {
	char *bytes;
	size_t len, cap;
	size_t last_len;	/* of the name that was added last */
};

/* A symbol of the image, packed: some 170,000 of them, with their names, must fit in 5 MiB. */
struct entry {
	uint32_t addr;		/* from ksyms.start */
	uint32_t name;		/* offset in ksyms.names */
};

struct kvfs_ksyms {
	uint64_t start, end;	/* of the kernel image */
	struct entry *v;	/* by address, then in the order of the text; no two alike */
	size_t n;
	char *names;
	uint32_t *by_name;	/* indexes of v by name, then address */
};

/* A table while kallsyms is read. */
struct builder {
	struct kvfs_ksyms *syms;
	size_t cap;		/* of syms->v */
	struct names names;
	bool unsorted;		/* an address was lower than the one before it */
};

static const char *name_of(const struct kvfs_ksyms *syms, size_t i)
{
	return syms->names + syms->v[i].name;
}

/* Returns 0 and the offset of the name, or -ENOMEM. */
static int add_name(struct names *names, const char *name, size_t len, uint32_t *off)
{
	int ret;

	if (names->len && names->last_len >= len &&
	    memcmp(names->bytes + names->len - 1 - len, name, len) == 0) {
		*off = (uint32_t)(names->len - 1 - len);
		names->last_len = len;
		return 0;
	}
	if (len >= UINT32_MAX - names->len)
		return -ENOMEM;
	ret = kvfs_vector_reserve(names->bytes, names->cap, names->len + len + 1);
	if (ret < 0)
		return ret;
	memcpy(names->bytes + names->len, name, len);
	names->bytes[names->len + len] = '\0';
	*off = (uint32_t)names->len;
	names->len += len + 1;
	names->last_len = len;
	return 0;
}

static int add_symbol(struct builder *b, const struct kvfs_kallsyms_line *line)
{
	struct entry e = { .addr = (uint32_t)(line->vaddr - b->syms->start) };
	struct kvfs_ksyms *syms = b->syms;

	if (syms->n == UINT32_MAX || kvfs_vector_reserve(syms->v, b->cap, syms->n + 1) < 0 ||
	    add_name(&b->names, line->name, line->name_len, &e.name) < 0)
		return -ENOMEM;
	if (syms->n && e.addr < syms->v[syms->n - 1].addr)
		b->unsorted = true;
	syms->v[syms->n++] = e;
	return 0;
}

/* Called for each line of kallsyms: keeps the symbols of the image. */
static int take_line(void *ctx, const struct kvfs_kallsyms_line *line)
{
	struct builder *b = ctx;

	if (line->in_module || line->vaddr < b->syms->start || line->vaddr >= b->syms->end)
		return 0;
	return add_symbol(b, line);
}

static int cmp_entry(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->name < y->name ? -1 : x->name > y->name;
}

/* Orders two indexes of a table by name, then address. */
static int cmp_by_name(const void *a, const void *b, void *ctx)
{
	const struct kvfs_ksyms *syms = ctx;
	size_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	int ret = strcmp(name_of(syms, i), name_of(syms, j));

	if (ret)
		return ret;
	return i < j ? -1 : i > j;
}

/* Gives back what doubling has reserved. A failure changes nothing: the block stays as it is. */
static void trim(struct builder *b)
{
	struct kvfs_ksyms *syms = b->syms;
	struct entry *v = reallocarray(syms->v, syms->n, sizeof(*v));
	char *names = realloc(b->names.bytes, b->names.len);

	if (v)
		syms->v = v;
	if (names)
		b->names.bytes = names;
}

static void index_names(struct kvfs_ksyms *syms)
{
	for (size_t i = 0; i < syms->n; i++)
		syms->by_name[i] = (uint32_t)i;
	qsort_r(syms->by_name, syms->n, sizeof(*syms->by_name), cmp_by_name, syms);
}

static bool is_twin(const struct kvfs_ksyms *syms, size_t i, size_t j)
{
	return syms->v[i].addr == syms->v[j].addr && !strcmp(name_of(syms, i), name_of(syms, j));
}

/* Drops all but one of the symbols that have the same name and address. */
static void drop_twins(struct kvfs_ksyms *syms)
{
	size_t kept = 0;

	/* Twins are neighbours in by_name. */
	for (size_t k = 1, last = 0; k < syms->n; k++) {
		if (is_twin(syms, syms->by_name[last], syms->by_name[k]))
			syms->v[syms->by_name[k]].name = GONE;
		else
			last = k;
	}
	for (size_t i = 0; i < syms->n; i++)
		if (syms->v[i].name != GONE)
			syms->v[kept++] = syms->v[i];
	if (kept < syms->n) {
		syms->n = kept;
		index_names(syms);
	}
}

/* Turns the symbols that were read into a table. */
static int finish(struct builder *b, struct kvfs_err *err)
{
	struct kvfs_ksyms *syms = b->syms;

	if (!syms->n)
		return kvfs_err_set(err, ENODATA, "no symbol lies in the kernel image, 0x%" PRIx64 "-0x%"
				    PRIx64, syms->start, syms->end - 1);
	if (b->unsorted)
		qsort(syms->v, syms->n, sizeof(*syms->v), cmp_entry);
	trim(b);
	syms->names = b->names.bytes;
	b->names.bytes = NULL;
	syms->by_name = calloc(syms->n, sizeof(*syms->by_name));
	if (!syms->by_name)
		return kvfs_err_sys(err, ENOMEM, "cannot index the symbols");
	index_names(syms);
	drop_twins(syms);
	return 0;
}

static int create(uint64_t start, uint64_t end, struct kvfs_ksyms **out, struct kvfs_err *err)
{
	if (start >= end || end - start > UINT32_MAX)
		return kvfs_err_set(err, EINVAL, "the kernel image cannot be 0x%" PRIx64 "-0x%" PRIx64,
				    start, end);
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return kvfs_err_sys(err, ENOMEM, "cannot make a table of symbols");
	(*out)->start = start;
	(*out)->end = end;
	return 0;
}

/* Ends a building: ret is the result of reading. Frees the table on failure. */
static int hand_over(struct builder *b, int ret, struct kvfs_ksyms **out, struct kvfs_err *err)
{
	if (!ret)
		ret = finish(b, err);
	free(b->names.bytes);
	if (ret)
		kvfs_ksyms_destroy(b->syms);
	else
		*out = b->syms;
	return ret;
}

int kvfs_ksyms_parse(const char *text, size_t text_len, uint64_t start, uint64_t end,
		     struct kvfs_ksyms **out, struct kvfs_err *err)
{
	struct builder b = { 0 };
	int ret = create(start, end, &b.syms, err);

	if (ret)
		return ret;
	return hand_over(&b, kvfs_kallsyms_parse(text, text_len, take_line, &b, err), out, err);
}

int kvfs_ksyms_load(const char *path, uint64_t start, uint64_t end,
		    struct kvfs_ksyms **out, struct kvfs_err *err)
{
	struct builder b = { 0 };
	int ret = create(start, end, &b.syms, err);

	if (ret)
		return ret;
	return hand_over(&b, kvfs_kallsyms_load(path, take_line, &b, err), out, err);
}

void kvfs_ksyms_destroy(struct kvfs_ksyms *syms)
{
	if (!syms)
		return;
	free(syms->v);
	free(syms->names);
	free(syms->by_name);
	free(syms);
}

/* The first place in by_name that does not come before the name (len bytes); n if none. */
static size_t find_name(const struct kvfs_ksyms *syms, const char *name, size_t len)
{
	size_t lo = 0, hi = syms->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (strncmp(name_of(syms, syms->by_name[mid]), name, len) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Tells whether the k-th symbol by name has that name. */
static bool has_name(const struct kvfs_ksyms *syms, size_t k, const char *name, size_t len)
{
	const char *found;

	if (k >= syms->n)
		return false;
	found = name_of(syms, syms->by_name[k]);
	return !strncmp(found, name, len) && !found[len];
}

static void describe(const struct kvfs_ksyms *syms, size_t i, bool unique, struct kvfs_ksym *out)
{
	size_t next = i + 1;
	uint32_t end = (uint32_t)(syms->end - syms->start);

	while (next < syms->n && syms->v[next].addr == syms->v[i].addr)
		next++;
	if (next < syms->n)
		end = syms->v[next].addr;
	*out = (struct kvfs_ksym){
		.name = name_of(syms, i),
		.vaddr = syms->start + syms->v[i].addr,
		.len = end - syms->v[i].addr,
		.unique = unique,
	};
}

/* Tells whether the k-th symbol by name, the first of that name, is the only one. */
static bool is_unique(const struct kvfs_ksyms *syms, size_t k, const char *name, size_t len)
{
	return !has_name(syms, k + 1, name, len);
}

static bool parse_address(const char *text, uint64_t *out)
{
	size_t len = strlen(text);

	/* Of either case would give a symbol two names. */
	return len <= MAX_ADDRESS_LEN && strspn(text, "0123456789abcdef") == len &&
	       kvfs_number_parse(text, len, 16, UINT64_MAX, out) == 0;
}

/* NAME@ADDRESS, cut in two. */
static int lookup_at(const struct kvfs_ksyms *syms, const char *name, size_t len, uint64_t vaddr,
		     struct kvfs_ksym *out)
{
	size_t first = find_name(syms, name, len);

	for (size_t k = first; has_name(syms, k, name, len); k++) {
		size_t i = syms->by_name[k];

		if (syms->start + syms->v[i].addr != vaddr)
			continue;
		describe(syms, i, is_unique(syms, first, name, len), out);
		return 0;
	}
	return -ENOENT;
}

int kvfs_ksyms_lookup(const struct kvfs_ksyms *syms, const char *name, struct kvfs_ksym *out)
{
	size_t len = strlen(name);
	size_t k = find_name(syms, name, len);
	const char *at;
	uint64_t vaddr;

	if (has_name(syms, k, name, len)) {
		if (!is_unique(syms, k, name, len))
			return -ENOTUNIQ;
		describe(syms, syms->by_name[k], true, out);
		return 0;
	}
	at = strrchr(name, '@');
	if (!at || !parse_address(at + 1, &vaddr))
		return -ENOENT;
	return lookup_at(syms, name, (size_t)(at - name), vaddr, out);
}

size_t kvfs_ksyms_count(const struct kvfs_ksyms *syms)
{
	return syms->n;
}

void kvfs_ksyms_at(const struct kvfs_ksyms *syms, size_t i, struct kvfs_ksym *out)
{
	const char *name = name_of(syms, i);
	size_t len = strlen(name);

	describe(syms, i, is_unique(syms, find_name(syms, name, len), name, len), out);
}

/* A scan for a few names. */
struct wanted {
	const char *const *names;
	uint64_t *vaddrs;
	size_t n;
};

static int match_line(void *ctx, const struct kvfs_kallsyms_line *line)
{
	struct wanted *w = ctx;
	size_t missing = 0;

	for (size_t i = 0; i < w->n; i++) {
		if (!w->vaddrs[i] && !line->in_module && strlen(w->names[i]) == line->name_len &&
		    !memcmp(w->names[i], line->name, line->name_len))
			w->vaddrs[i] = line->vaddr;
		missing += !w->vaddrs[i];
	}
	return missing ? 0 : 1;
}

int kvfs_ksyms_scan(const char *path, const char *const *names, uint64_t *vaddrs, size_t n,
		    struct kvfs_err *err)
{
	struct wanted w = { .names = names, .vaddrs = vaddrs, .n = n };

	memset(vaddrs, 0, n * sizeof(*vaddrs));
	return kvfs_kallsyms_load(path, match_line, &w, err);
}

/* A symbol of anything that is in kallsyms. */
struct address {
	uint64_t addr;
	uint32_t name;		/* offset in names */
};

struct kvfs_ksyms_names {
	struct address *v;	/* by address, then in the order of the text */
	size_t n, cap;
	struct names names;
};

static int add_address(void *ctx, const struct kvfs_kallsyms_line *line)
{
	struct kvfs_ksyms_names *names = ctx;
	struct address a = { .addr = line->vaddr };

	if (line->vaddr == 0)
		return 0;
	if (kvfs_vector_reserve(names->v, names->cap, names->n + 1) < 0 ||
	    add_name(&names->names, line->name, line->name_len, &a.name) < 0)
		return -ENOMEM;
	names->v[names->n++] = a;
	return 0;
}

static int cmp_address(const void *va, const void *vb)
{
	const struct address *a = va, *b = vb;

	if (a->addr != b->addr)
		return a->addr < b->addr ? -1 : 1;
	return a->name < b->name ? -1 : a->name > b->name;
}

int kvfs_ksyms_names_load(const char *path, struct kvfs_ksyms_names **out, struct kvfs_err *err)
{
	struct kvfs_ksyms_names *names = calloc(1, sizeof(*names));
	int ret;

	if (!names)
		return kvfs_err_sys(err, ENOMEM, "cannot make a table of symbols");
	ret = kvfs_kallsyms_load(path, add_address, names, err);
	if (ret == 0 && names->n == 0)
		ret = kvfs_err_set(err, ENODATA, "%s has no symbol with an address", path);
	if (ret < 0) {
		kvfs_ksyms_names_destroy(names);
		return ret;
	}
	qsort(names->v, names->n, sizeof(*names->v), cmp_address);
	*out = names;
	return 0;
}

void kvfs_ksyms_names_destroy(struct kvfs_ksyms_names *names)
{
	if (!names)
		return;
	free(names->v);
	free(names->names.bytes);
	free(names);
}

const char *kvfs_ksyms_names_find(const struct kvfs_ksyms_names *names, uint64_t addr,
				  uint64_t *start)
{
	size_t low = 0, high = names->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (names->v[mid].addr <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	if (low == 0)
		return NULL;
	*start = names->v[low - 1].addr;
	while (low > 1 && names->v[low - 2].addr == *start)
		low--;
	return names->names.bytes + names->v[low - 1].name;
}
