/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Stands for arch.h, whose include guard it takes: a kernel image mapping of 1 GiB. The build
 * includes it before the source that is tested.
 */
#ifndef KVIEW_ARCH_H
#define KVIEW_ARCH_H

#include "kernel.h"

#define PURE_IMAGE 0xffffffff80000000UL
#define PURE_IMAGE_LEN (1UL << 30)

static inline bool kview_arch_is_image(u64 vaddr, u64 len)
{
	return vaddr >= PURE_IMAGE && vaddr - PURE_IMAGE < PURE_IMAGE_LEN &&
	       len <= PURE_IMAGE_LEN - (vaddr - PURE_IMAGE);
}

#endif /* KVIEW_ARCH_H */
