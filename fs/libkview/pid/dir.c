// SPDX-License-Identifier: GPL-2.0-only
#include "pid/dir.h"

#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pid/file.h"
#include "pid/maps.h"
#include "pid/mm.h"
#include "pid/pagemap.h"
#include "pid/process.h"

/* The lowest bits of a number within KVFS_PROVIDER_PID. The process's serial is above them. */
enum {
	NR_PROCESS,
	NR_FILES,		/* + KVFS_PID_FILE_* */
	NR_BITS = KVFS_INO_PID_FILE_BITS,
};

/* No process has the serial 0: it stands for pid/ itself. */
enum {
	NR_DIR,
	NR_SELF,
};

_Static_assert(NR_FILES + KVFS_PID_FILE_NR_KINDS <= 1 << NR_BITS, "as many files as there are numbers");
_Static_assert(KVFS_PROCESS_SERIAL_BITS + NR_BITS == 48, "a provider has 48 bits");

/* pid/ */
struct pid_dir {
	struct kvfs_node node;
	struct kvfs_pid_file_source source;
	struct kvfs_node *self;
};

/* pid/N */
struct process {
	struct kvfs_node node;
	struct pid_dir *dir;		/* a reference */
	struct kvfs_process_id id;
};

/* An open directory: the processes that the last getdents64(2) returned. */
struct reader {
	uint64_t first;			/* cookie of v[0] */
	size_t next;			/* index of the entry that the next call usually wants */
	size_t n;
	struct kvfs_process_entry v[KVFS_PROCESS_LIST];
};

/* Cookies of pid/: 0 is `self`; those of /proc follow, moved up by one. */
#define COOKIE_OF_PROC(cookie) ((cookie) + 1)
#define COOKIE_IN_PROC(cookie) ((cookie) - 1)

static struct pid_dir *to_dir(struct kvfs_node *node)
{
	return (struct pid_dir *)node;
}

static struct process *to_process(struct kvfs_node *node)
{
	return (struct process *)node;
}

static uint64_t ino_of(uint64_t serial, unsigned int nr)
{
	return KVFS_INO(KVFS_PROVIDER_PID, serial << NR_BITS | nr);
}

/* pid/N */

/*
 * Tells whether a process has files: 1, 0, or -errno. Kernel threads and zombies have none.
 * Processes that an LSM protects from the daemon have: opening a file reports the error.
 */
static int has_files(const struct process *process)
{
	struct kvfs_mm mm;
	int ret = kvfs_mm_open(&process->id, &mm);

	if (ret == 0)
		kvfs_mm_close(&mm);
	if (ret == 0 || ret == -EACCES || ret == -EPERM)
		return 1;
	return ret == -ENOENT ? 0 : ret;
}

static int process_lookup(struct kvfs_node *node, const char *name, struct kvfs_node **out)
{
	struct process *process = to_process(node);
	int ret;

	for (unsigned int kind = 0; kind < KVFS_PID_FILE_NR_KINDS; kind++) {
		if (strcmp(kvfs_pid_file_name(kind), name) != 0)
			continue;
		ret = has_files(process);
		if (ret <= 0)
			return ret ? ret : -ENOENT;
		*out = kvfs_pid_file_create(&process->dir->source, &process->id, kind,
					    ino_of(process->id.serial, NR_FILES + kind), node->ino);
		return *out ? 0 : -ENOMEM;
	}
	return -ENOENT;
}

static int process_list(struct kvfs_node *node, uint64_t cookie, struct kvfs_dirent *out)
{
	struct process *process = to_process(node);
	int ret;

	if (cookie >= KVFS_PID_FILE_NR_KINDS)
		return 0;
	ret = has_files(process);
	if (ret <= 0)
		return ret;
	snprintf(out->name, sizeof(out->name), "%s", kvfs_pid_file_name(cookie));
	out->ino = ino_of(process->id.serial, NR_FILES + (unsigned int)cookie);
	out->kind = KVFS_NODE_FILE;
	out->next = cookie + 1;
	return 1;
}

/* A process that has gone has no attributes. */
static int process_getattr(struct kvfs_node *node, struct kvfs_attr *out)
{
	int dir = kvfs_process_open(&to_process(node)->id);

	if (dir < 0)
		return dir;
	close(dir);
	return 0;
}

static void process_destroy(struct kvfs_node *node)
{
	kvfs_node_put(&to_process(node)->dir->node);
	free(to_process(node));
}

static const struct kvfs_dir_ops process_dir_ops = {
	.lookup = process_lookup,
	.list = process_list,
};

static const struct kvfs_node_ops process_ops = {
	.kind = KVFS_NODE_DIR,
	.destroy = process_destroy,
	.getattr = process_getattr,
	.dir = &process_dir_ops,
};

/* pid/self */

static int self_readlink(struct kvfs_node *node, pid_t caller, char *buf, size_t len)
{
	/* 0: the caller is outside of the daemon's PID namespace. */
	pid_t pid = caller > 0 ? kvfs_process_tgid(caller) : -ESRCH;

	if (pid < 0)
		return pid == -ESRCH ? -ENOENT : pid;
	snprintf(buf, len, "%d", pid);
	return 0;
}

static void self_destroy(struct kvfs_node *node)
{
	free(node);
}

static const struct kvfs_node_ops self_ops = {
	.kind = KVFS_NODE_SYMLINK,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = self_destroy,
	.readlink = self_readlink,
};

/* pid/ */

static int dir_lookup(struct kvfs_node *node, const char *name, struct kvfs_node **out)
{
	struct pid_dir *dir = to_dir(node);
	struct process *process;
	struct kvfs_process_id id;
	pid_t pid;
	int ret;

	if (strcmp(name, "self") == 0) {
		*out = kvfs_node_get(dir->self);
		return 0;
	}
	pid = kvfs_process_parse_pid(name);
	if (pid < 0)
		return pid;
	ret = kvfs_process_identify(pid, &id);
	if (ret < 0)
		return ret == -ESRCH ? -ENOENT : ret;
	process = calloc(1, sizeof(*process));
	if (!process)
		return -ENOMEM;
	kvfs_node_init(&process->node, &process_ops, "pid/N", ino_of(id.serial, NR_PROCESS), node->ino);
	kvfs_node_get(node);
	process->dir = dir;
	process->id = id;
	*out = &process->node;
	return 0;
}

static int dir_open(struct kvfs_node *node, void **reader)
{
	*reader = calloc(1, sizeof(struct reader));
	return *reader ? 0 : -ENOMEM;
}

static void dir_release(struct kvfs_node *node, void *reader)
{
	free(reader);
}

static uint64_t cookie_of(const struct reader *reader, size_t i)
{
	return i == 0 ? reader->first : COOKIE_OF_PROC(reader->v[i - 1].next);
}

/* Finds the entry at a cookie: 1 and its index, 0 if there is none, or -errno. */
static int find_entry(struct reader *reader, uint64_t cookie, size_t *index)
{
	/* An entry that did not fit into one reply is asked for again by the next request. */
	size_t again = reader->next > 0 ? reader->next - 1 : 0;
	ssize_t n;

	for (size_t i = again; i <= reader->next && i < reader->n; i++) {
		if (cookie_of(reader, i) == cookie) {
			*index = i;
			return 1;
		}
	}
	n = kvfs_process_list(COOKIE_IN_PROC(cookie), reader->v, KVFS_PROCESS_LIST);
	reader->n = n > 0 ? (size_t)n : 0;
	reader->first = cookie;
	*index = 0;
	return n > 0 ? 1 : (int)n;
}

static int dir_list_on(struct kvfs_node *node, void *p, uint64_t cookie, struct kvfs_dirent *out)
{
	struct reader *reader = p;
	size_t i;
	int ret;

	if (cookie == 0) {
		reader->n = reader->next = 0;	/* rewound: list the processes again */
		strcpy(out->name, "self");
		out->ino = to_dir(node)->self->ino;
		out->kind = KVFS_NODE_SYMLINK;
		out->next = COOKIE_OF_PROC(0);
		return 1;
	}
	ret = find_entry(reader, cookie, &i);
	if (ret <= 0)
		return ret;
	strcpy(out->name, reader->v[i].name);
	out->ino = KVFS_INO_UNKNOWN;
	out->kind = KVFS_NODE_DIR;
	out->next = COOKIE_OF_PROC(reader->v[i].next);
	reader->next = i + 1;
	return 1;
}

static void dir_describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	const char *reason;
	bool sees = kvfs_mincore_sees_swap_cache(to_dir(node)->source.mincore, &reason);

	snprintf(out->source, sizeof(out->source), "/proc: %s, %s, %s",
		 kvfs_maps_can_query() ? "PROCMAP_QUERY" : "maps as text",
		 kvfs_pagemap_can_scan() ? "PAGEMAP_SCAN" : "pagemap alone",
		 sees ? "swap cache by kcore" : "swap cache unseen");
	out->copied = KVFS_PID_FILE_NO_BACKING;
}

static void dir_destroy(struct kvfs_node *node)
{
	struct pid_dir *dir = to_dir(node);

	kvfs_node_put(dir->self);
	kvfs_mincore_destroy(dir->source.mincore);
	free(dir);
}

static const struct kvfs_dir_ops dir_ops = {
	.lookup = dir_lookup,
	.open = dir_open,
	.release = dir_release,
	.list_on = dir_list_on,
	.huge = true,
};

static const struct kvfs_node_ops node_ops = {
	.kind = KVFS_NODE_DIR,
	.entry_timeout = 3600,
	.attr_timeout = 3600,
	.destroy = dir_destroy,
	.describe = dir_describe,
	.dir = &dir_ops,
};

/* Without these the kernel would show less without an error. */
static int check_capabilities(struct kvfs_err *err)
{
	static const struct {
		unsigned int nr;
		const char *why;
	} needed[] = {
		{ CAP_SYS_ADMIN, "CAP_SYS_ADMIN, to see page frame numbers" },
		{ CAP_SYS_PTRACE, "CAP_SYS_PTRACE, to look into other processes" },
		{ CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH, to open the files they map" },
		{ CAP_FOWNER, "CAP_FOWNER, for mincore(2) of other users' files" },
	};
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0)
		return kvfs_err_sys(err, errno, "capabilities");
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!(data[needed[i].nr / 32].effective & 1U << needed[i].nr % 32))
			return kvfs_err_set(err, EPERM, "it needs %s", needed[i].why);
	return 0;
}

static int check_kernel(struct kvfs_err *err)
{
	if (access("/proc/self/pagemap", R_OK) < 0)
		return kvfs_err_sys(err, errno, "/proc/self/pagemap (CONFIG_PROC_PAGE_MONITOR)");
	if (access("/proc/self/map_files", R_OK | X_OK) < 0)
		return kvfs_err_sys(err, errno, "/proc/self/map_files");
	return 0;
}

static struct kvfs_node *create_self(uint64_t parent_ino)
{
	struct kvfs_node *self = calloc(1, sizeof(*self));

	if (self)
		kvfs_node_init(self, &self_ops, "pid/self", ino_of(0, NR_SELF), parent_ino);
	return self;
}

int kvfs_pid_dir_create(struct kvfs_pool *pool, struct kvfs_node **out, struct kvfs_err *err)
{
	const struct kvfs_mincore_config config = { .pool = pool };
	struct kvfs_mincore *mincore;
	struct pid_dir *dir;
	int ret;

	ret = check_capabilities(err);
	if (ret == 0)
		ret = check_kernel(err);
	if (ret == 0)
		ret = kvfs_mincore_create(&config, &mincore, err);
	if (ret < 0)
		return ret;
	dir = calloc(1, sizeof(*dir));
	if (dir)
		dir->self = create_self(ino_of(0, NR_DIR));
	if (!dir || !dir->self) {
		free(dir);
		kvfs_mincore_destroy(mincore);
		return kvfs_err_sys(err, ENOMEM, "pid");
	}
	kvfs_node_init(&dir->node, &node_ops, "pid", ino_of(0, NR_DIR), KVFS_INO_ROOT);
	dir->source.owner = &dir->node;
	dir->source.mincore = mincore;
	dir->source.parse_maps = config.parse_maps;
	*out = &dir->node;
	return 0;
}
