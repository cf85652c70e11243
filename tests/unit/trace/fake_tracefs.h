/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A folder that looks like tracefs, with any number of CPUs and instances. Its trace_pipe_raw are
 * files with a ring of ring_builder.h: they can be opened, read and mapped, and know no ioctl.
 */
#ifndef FAKE_TRACEFS_H
#define FAKE_TRACEFS_H

#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ring_builder.h"
#include "unit.h"

#define FAKE_SUBBUF 4096
#define FAKE_NR_SUBBUFS 4	/* of 3 sub-buffers and the reader's: 12,240 bytes of data, or 11 KiB */
#define FAKE_LEN ((FAKE_NR_SUBBUFS + 1) * FAKE_SUBBUF)
#define FAKE_STATS "entries: 0\noverrun: 0\ncommit overrun: 0\nbytes: 0\noldest event ts:     0.000000\n" \
		   "now ts:     1.000000\ndropped events: 0\nread events: 0\n"

struct fake {
	char dir[64];		/* the folder of tracefs */
	char online[96];	/* a file with a list of CPUs */
};

/* Writes a file of the fake; its path is formatted. */
static inline void fake_write(const void *bytes, size_t len, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	FILE *f;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(bytes, 1, len, f), len);
	ck_assert_int_eq(fclose(f), 0);
}

#define fake_text(text, ...) fake_write(text, strlen(text), __VA_ARGS__)

static inline void fake_mkdir(const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	ck_assert_int_eq(mkdir(path, 0700), 0);
}

/* Fills the folder of an instance, or of the top level. Each CPU has one event, its number. */
static inline void fake_fill(const char *dir, unsigned int nr_cpus)
{
	struct test_ring ring = ring_create(FAKE_SUBBUF, FAKE_NR_SUBBUFS);

	fake_text("4\n", "%s/buffer_subbuf_size_kb", dir);
	fake_mkdir("%s/per_cpu", dir);
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++) {
		fake_mkdir("%s/per_cpu/cpu%u", dir, cpu);
		ring_put_events(ring_subbuf(&ring, 0), cpu, 1);
		fake_write(ring.mem, ring.len, "%s/per_cpu/cpu%u/trace_pipe_raw", dir, cpu);
		fake_text("11\n", "%s/per_cpu/cpu%u/buffer_size_kb", dir, cpu);
		fake_text(FAKE_STATS, "%s/per_cpu/cpu%u/stats", dir, cpu);
	}
	free(ring.mem);
}

static inline void fake_instance(const struct fake *fake, const char *name, unsigned int nr_cpus)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s/instances/%s", fake->dir, name);
	fake_mkdir("%s", dir);
	fake_fill(dir, nr_cpus);
}

/* A tracefs with nr_cpus CPUs, all of them online, and no instance. */
static inline void fake_create(struct fake *fake, unsigned int nr_cpus)
{
	char list[32];

	strcpy(fake->dir, "/tmp/unit-tracefs-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(fake->dir));
	fake_fill(fake->dir, nr_cpus);
	fake_mkdir("%s/instances", fake->dir);
	snprintf(fake->online, sizeof(fake->online), "%s/online", fake->dir);
	snprintf(list, sizeof(list), "0-%u\n", nr_cpus - 1);
	fake_text(list, "%s", fake->online);
}

static inline int fake_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline void fake_remove_tree(const char *dir)
{
	ck_assert_int_eq(nftw(dir, fake_remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static inline void fake_remove(const struct fake *fake)
{
	fake_remove_tree(fake->dir);
}

#endif /* FAKE_TRACEFS_H */
