/* SPDX-License-Identifier: GPL-2.0-only */
/* System headers include this one, too. */
#include_next <linux/limits.h>
#include "kernel.h"
