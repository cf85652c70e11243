// SPDX-License-Identifier: GPL-2.0-only
/* mkelf DESCRIPTION OUT: expands a text (mkelf.h) into an ELF core file; "-" is stdin. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mkelf.h"

/* The whole of a stream as a string, or NULL. */
static char *read_all(FILE *f)
{
	size_t len = 0, cap = 0;
	char *text = NULL;

	for (;;) {
		if (len + 1 >= cap) {
			char *bigger = realloc(text, cap = cap ? cap * 2 : 4096);

			if (!bigger)
				break;
			text = bigger;
		}
		len += fread(text + len, 1, cap - len - 1, f);
		if (ferror(f))
			break;
		if (feof(f)) {
			text[len] = '\0';
			return text;
		}
	}
	free(text);
	return NULL;
}

int main(int argc, char **argv)
{
	char err[256];
	char *text;
	FILE *in;
	int fd, ret;

	if (argc != 3) {
		fprintf(stderr, "usage: mkelf DESCRIPTION OUT\n");
		return 2;
	}
	in = strcmp(argv[1], "-") ? fopen(argv[1], "r") : stdin;
	text = in ? read_all(in) : NULL;
	if (!text) {
		fprintf(stderr, "mkelf: cannot read %s: %s\n", argv[1], strerror(errno));
		return 1;
	}
	fd = open(argv[2], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0) {
		fprintf(stderr, "mkelf: cannot create %s: %s\n", argv[2], strerror(errno));
		free(text);
		return 1;
	}
	ret = mkelf_expand(text, fd, err, sizeof(err));
	if (ret)
		fprintf(stderr, "mkelf: %s: %s\n", argv[1], err);
	if (close(fd)) {
		fprintf(stderr, "mkelf: cannot write %s: %s\n", argv[2], strerror(errno));
		ret = -1;
	}
	free(text);
	return ret ? 1 : 0;
}
