/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of the bits of a word of /proc/kpageflags. */
#ifndef KVFS_KVIEW_PAGES_FLAGS_H
#define KVFS_KVIEW_PAGES_FLAGS_H

#include <stddef.h>
#include <stdint.h>

/*
 * Returns the name of a bit: its KPF_ macro in lower case, without the prefix. NULL if the bit
 * has none, or is not below 64. The string is static.
 */
const char *flags_name(unsigned int bit);

/*
 * Writes the names of all bits that are set, lowest first, separated by commas; bits without a
 * name as "bitN"; nothing for 0. Returns the length of the whole text without its NUL, as
 * snprintf() does: out holds all of it if that is below size, else its start, terminated.
 */
size_t flags_format(uint64_t flags, char *out, size_t size);

#endif /* KVFS_KVIEW_PAGES_FLAGS_H */
