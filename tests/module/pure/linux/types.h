/* SPDX-License-Identifier: GPL-2.0-only */
/* System headers include this one, too. */
#include_next <linux/types.h>
#include "kernel.h"
