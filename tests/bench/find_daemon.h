/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef BENCH_FIND_DAEMON_H
#define BENCH_FIND_DAEMON_H

#include <sys/types.h>

/* The kviewfs that has mountpoint as its last argument; exits with a message if there is none. */
pid_t find_daemon(const char *mountpoint);

#endif /* BENCH_FIND_DAEMON_H */
