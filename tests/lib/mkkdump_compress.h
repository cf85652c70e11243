/* SPDX-License-Identifier: GPL-2.0-only */
/* The ways to compress a page that mkkdump was built with. */
#ifndef MKKDUMP_COMPRESS_H
#define MKKDUMP_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Compresses len bytes into out. *flag becomes that of a page descriptor. Returns the length,
 * 0 for the method "none" or if it does not fit; ends the program for an unknown method.
 */
size_t mkkdump_compress(const char *method, const unsigned char *in, size_t len,
			unsigned char *out, size_t out_len, uint32_t *flag);

/* Prints the methods without "none", one a line. */
void mkkdump_list_methods(void);

#endif /* MKKDUMP_COMPRESS_H */
