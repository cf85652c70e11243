// SPDX-License-Identifier: GPL-2.0-only
/*
 * kdump-read START LENGTH FILE...: writes LENGTH bytes of a dump's physical memory to stdout, as
 * libkdumpfile reads them a page at a time. Pages that the dump leaves out are zeros.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libkdumpfile/kdumpfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_FILES 64
#define PAGE 4096

int main(int argc, char *argv[])
{
	static char buf[64 * PAGE];
	int fds[MAX_FILES], nr = argc - 3;
	uint64_t addr, end;
	kdump_ctx_t *ctx = kdump_new();

	if (nr < 1 || nr > MAX_FILES || !ctx)
		errx(2, "usage: kdump-read START LENGTH FILE...");
	addr = strtoull(argv[1], NULL, 0);
	end = addr + strtoull(argv[2], NULL, 0);
	for (int i = 0; i < nr; i++) {
		fds[i] = open(argv[3 + i], O_RDONLY);
		if (fds[i] < 0)
			err(1, "%s", argv[3 + i]);
	}
	if (kdump_open_fdset(ctx, (unsigned int)nr, fds) != KDUMP_OK)
		errx(1, "%s: %s", argv[3], kdump_get_err(ctx));
	while (addr < end) {
		size_t used = 0;

		for (; used < sizeof(buf) && addr < end; used += PAGE, addr += PAGE) {
			size_t len = PAGE;
			kdump_status status = kdump_read(ctx, KDUMP_MACHPHYSADDR, addr, buf + used, &len);

			if (status == KDUMP_ERR_NODATA)
				memset(buf + used, 0, PAGE);
			else if (status != KDUMP_OK)
				errx(1, "at %#" PRIx64 ": %s", addr, kdump_get_err(ctx));
		}
		if (fwrite(buf, 1, used, stdout) != used)
			err(1, "write");
	}
	kdump_free(ctx);
	return 0;
}
