/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * liburing and pread(2) as a test of uring.c wants them: they count, and fail when told to.
 * Each test has a process of its own, so nothing is ever put back.
 */
#ifndef URINGWRAP_H
#define URINGWRAP_H

#include <stdatomic.h>
#include <stdbool.h>

struct uringwrap {
	int init_error;			/* of every ring; 0: none */
	int flags_error;		/* of rings with flags; 0: none */
	int submit_fail_at;		/* call that fails before anything is submitted; -1: none */
	int submit_error;		/* what it returns */
	int break_wait_at;		/* call that submits, but says that waiting failed; -1: none */
	int cancel_at;			/* call whose first answer becomes ECANCELED; -1: none */
	bool watch_fds;			/* fill in most_busy */
	int most_busy;			/* most requests of one descriptor that were on their way */
	int exited_busy;		/* requests without an answer when a ring was given up */
	atomic_int rings_made, rings_gone, submits, preads;
};

extern struct uringwrap uringwrap;

/* Whether a ring can really be set up on this machine. */
bool uringwrap_is_real(void);

#endif /* URINGWRAP_H */
