// SPDX-License-Identifier: GPL-2.0-only
#include "mkkdump_compress.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef size_t (*compress_fn)(const unsigned char *in, size_t len, unsigned char *out, size_t out_len);

#ifdef HAVE_ZLIB
#include <zlib.h>

static size_t by_zlib(const unsigned char *in, size_t len, unsigned char *out, size_t out_len)
{
	uLongf n = out_len;

	return compress2(out, &n, in, len, Z_BEST_SPEED) == Z_OK ? n : 0;
}
#endif

#ifdef HAVE_LZO
#include <lzo/lzo1x.h>

static size_t by_lzo(const unsigned char *in, size_t len, unsigned char *out, size_t out_len)
{
	static unsigned char work[LZO1X_1_MEM_COMPRESS];
	lzo_uint n = out_len;

	return lzo1x_1_compress(in, len, out, &n, work) == LZO_E_OK ? n : 0;
}
#endif

#ifdef HAVE_SNAPPY
#include <snappy-c.h>

static size_t by_snappy(const unsigned char *in, size_t len, unsigned char *out, size_t out_len)
{
	return snappy_compress((const char *)in, len, (char *)out, &out_len) == SNAPPY_OK ? out_len : 0;
}
#endif

#ifdef HAVE_ZSTD
#include <zstd.h>

static size_t by_zstd(const unsigned char *in, size_t len, unsigned char *out, size_t out_len)
{
	size_t n = ZSTD_compress(out, out_len, in, len, 1);

	return ZSTD_isError(n) ? 0 : n;
}
#endif

static const struct {
	const char *name;
	uint32_t flag;
	compress_fn compress;
} methods[] = {
#ifdef HAVE_ZLIB
	{ "zlib", 1 << 0, by_zlib },
#endif
#ifdef HAVE_LZO
	{ "lzo", 1 << 1, by_lzo },
#endif
#ifdef HAVE_SNAPPY
	{ "snappy", 1 << 2, by_snappy },
#endif
#ifdef HAVE_ZSTD
	{ "zstd", 1 << 5, by_zstd },
#endif
	{ "none", 0, NULL },
};

#define NR_METHODS (sizeof(methods) / sizeof(methods[0]))

size_t mkkdump_compress(const char *method, const unsigned char *in, size_t len,
			unsigned char *out, size_t out_len, uint32_t *flag)
{
	for (size_t i = 0; i < NR_METHODS; i++) {
		if (strcmp(methods[i].name, method) != 0)
			continue;
		*flag = methods[i].flag;
		return methods[i].compress ? methods[i].compress(in, len, out, out_len) : 0;
	}
	errx(2, "this mkkdump was built without %s", method);
}

void mkkdump_list_methods(void)
{
	for (size_t i = 0; i < NR_METHODS; i++) {
		if (methods[i].compress)
			puts(methods[i].name);
	}
}
