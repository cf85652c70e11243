/* SPDX-License-Identifier: GPL-2.0-only */
/* The text of the file README: readme.txt, which the build turns into a C string. */
#ifndef KVFS_KVIEWFS_README_H
#define KVFS_KVIEWFS_README_H

extern const char kvfs_readme[];	/* NUL-terminated */

#endif /* KVFS_KVIEWFS_README_H */
