// SPDX-License-Identifier: GPL-2.0-only
#include "kernel/iomem.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/cleanup.h"
#include "base/io.h"
#include "base/number.h"
#include "base/vector.h"

#define IOMEM_MAX (4 * 1024 * 1024)	/* bytes of text: some 80,000 resources */

/* A line: "  00100000-bffd9fff : System RAM". */
struct resource {
	uint64_t start;
	uint64_t last;		/* inclusive, as in the text */
	const char *name;	/* not NUL-terminated */
	size_t name_len;
};

struct parser {
	struct kvfs_iomem iomem;
	size_t cap;			/* of iomem.ram */
	uint64_t page_size;
	bool any, any_nonzero;		/* resources at all; with an address other than 0 */
	uint64_t code_start, bss_last;	/* of the kernel image */
	bool has_code, has_bss;
};

static bool parse_line(const char *p, const char *end, struct resource *r)
{
	while (p < end && *p == ' ')
		p++;
	if (kvfs_number_take_until(&p, end, 16, '-', UINT64_MAX, &r->start) < 0 ||
	    kvfs_number_take_until(&p, end, 16, ' ', UINT64_MAX, &r->last) < 0 ||
	    end - p < 2 || memcmp(p, ": ", 2) != 0 || r->last < r->start)
		return false;
	p += 2;
	r->name = p;
	r->name_len = (size_t)(end - p);
	return true;
}

static bool is_named(const struct resource *r, const char *name)
{
	return r->name_len == strlen(name) && !memcmp(r->name, name, r->name_len);
}

/* Memory that a driver has added is "System RAM (DRIVER)", inside the driver's resource. */
static bool is_ram(const struct resource *r)
{
	static const char driver[] = "System RAM (";

	return is_named(r, "System RAM") ||
	       (r->name_len > strlen(driver) && !memcmp(r->name, driver, strlen(driver)));
}

/* Adds the whole pages of a resource. */
static int add_ram(struct parser *ps, const struct resource *r)
{
	struct kvfs_iomem *iomem = &ps->iomem;
	uint64_t start, end;
	int ret;

	if (!kvfs_align_up_u64(r->start, ps->page_size, &start))
		return 0;
	/* One past the last byte; that of the last page of all would be 2^64. */
	end = r->last == UINT64_MAX ? r->last : r->last + 1;
	end &= ~(ps->page_size - 1);
	if (start >= end)
		return 0;
	if (iomem->nr_ram && start < iomem->ram[iomem->nr_ram - 1].end)
		return -EBADMSG;
	ret = kvfs_vector_reserve(iomem->ram, ps->cap, iomem->nr_ram + 1);
	if (ret < 0)
		return ret;
	iomem->ram[iomem->nr_ram++] = (struct kvfs_range){ start, end };
	return 0;
}

static int take_resource(struct parser *ps, const struct resource *r)
{
	ps->any = true;
	if (r->start || r->last)
		ps->any_nonzero = true;
	if (is_ram(r))
		return add_ram(ps, r);
	if (is_named(r, "Kernel code") && !ps->has_code) {
		ps->code_start = r->start;
		ps->has_code = true;
	} else if (is_named(r, "Kernel bss") && !ps->has_bss) {
		ps->bss_last = r->last;
		ps->has_bss = true;
	}
	return 0;
}

static int parse_all(struct parser *ps, const char *text, size_t len, struct kvfs_err *err)
{
	const char *p = text, *end = text + len;

	for (size_t line = 1; p < end; line++) {
		const char *eol = memchr(p, '\n', (size_t)(end - p));
		struct resource r;
		int ret;

		if (!eol)
			eol = end;
		ret = parse_line(p, eol, &r) ? take_resource(ps, &r) : -EBADMSG;
		if (ret == -EBADMSG)
			return kvfs_err_set(err, EBADMSG, "line %zu is not one of /proc/iomem, or out of "
					    "order: \"%.*s\"", line, (int)(eol - p < 80 ? eol - p : 80), p);
		if (ret)
			return kvfs_err_sys(err, -ret, "cannot list the ranges of RAM");
		p = eol < end ? eol + 1 : end;
	}
	/* No machine has all its resources at address 0. */
	if (ps->any && !ps->any_nonzero)
		return kvfs_err_set(err, EPERM, "the kernel hides the addresses: CAP_SYS_ADMIN is needed");
	return 0;
}

int kvfs_iomem_parse(const char *text, size_t len, struct kvfs_iomem *out, struct kvfs_err *err)
{
	struct parser ps = { .page_size = (uint64_t)sysconf(_SC_PAGESIZE) };
	int ret = parse_all(&ps, text, len, err);

	if (ret) {
		kvfs_iomem_deinit(&ps.iomem);
		return ret;
	}
	if (ps.has_code && ps.has_bss && ps.bss_last > ps.code_start && ps.bss_last < UINT64_MAX)
		ps.iomem.kernel = (struct kvfs_range){ ps.code_start, ps.bss_last + 1 };
	*out = ps.iomem;
	return 0;
}

int kvfs_iomem_load(const char *path, struct kvfs_iomem *out, struct kvfs_err *err)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	int ret;

	ret = kvfs_io_read_file(path, IOMEM_MAX, &text, &len);
	if (ret)
		return kvfs_err_sys(err, -ret, "cannot read %s", path);
	ret = kvfs_iomem_parse(text, len, out, err);
	if (ret)
		kvfs_err_prefix(err, "%s", path);
	return ret;
}

void kvfs_iomem_deinit(struct kvfs_iomem *iomem)
{
	if (!iomem)
		return;
	free(iomem->ram);
	*iomem = (struct kvfs_iomem){ 0 };
}
