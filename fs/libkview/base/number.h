/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Parses unsigned numbers. A number is one or more digits of base 10 or 16 (of either case) and
 * nothing else: no sign, no blank, no "0x". Text ends at `end` or after len bytes and need not
 * end with a NUL.
 *
 * All functions return 0, -EINVAL if the text is no such number, or -ERANGE if it is one above
 * max. *out is set on success only.
 */
#ifndef KVFS_BASE_NUMBER_H
#define KVFS_BASE_NUMBER_H

#include <stddef.h>
#include <stdint.h>

/*
 * Parses the digits at *p. Moves *p past the last digit, after -ERANGE too; after -EINVAL *p is
 * unchanged.
 */
int kvfs_number_take(const char **p, const char *end, unsigned int base, uint64_t max,
		     uint64_t *out);

/*
 * As kvfs_number_take(), for a number that a delimiter must follow; '\0' stands for the end of
 * the text. Moves *p past the delimiter; on failure *p is unchanged.
 */
int kvfs_number_take_until(const char **p, const char *end, unsigned int base, char delimiter,
			   uint64_t max, uint64_t *out);

/* Parses a text that is a number as a whole. */
int kvfs_number_parse(const char *text, size_t len, unsigned int base, uint64_t max,
		      uint64_t *out);

/*
 * Parses a file name that is prefix and a decimal number in its only spelling, without leading
 * zeros: "cpu12". Names are NUL-terminated. Any other name is -EINVAL.
 */
int kvfs_number_parse_name(const char *name, const char *prefix, uint64_t max, uint64_t *out);

#endif /* KVFS_BASE_NUMBER_H */
