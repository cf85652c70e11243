/* SPDX-License-Identifier: GPL-2.0-only */
/* What a well-formed extent of a KVIEW_IOC_CREATE request is. */
#ifndef KVIEW_EXTENT_H
#define KVIEW_EXTENT_H

#include <linux/types.h>

struct kview_extent;

int kview_extent_check(const struct kview_extent *extent, u64 start, u64 end,
		       u64 image_delta);
bool kview_extent_mappable(const struct kview_extent *extent, u64 start);

#endif /* KVIEW_EXTENT_H */
