// SPDX-License-Identifier: GPL-2.0-only
#include "pid/dir.h"

#include <errno.h>
#include <sys/syscall.h>

#include "child.h"
#include "failalloc.h"
#include "unit.h"

static struct kvfs_node *create(void)
{
	struct kvfs_err err = { 0 };
	struct kvfs_node *dir = NULL;

	ck_assert_msg(kvfs_pid_dir_create(NULL, &dir, &err) == 0, "%s", err.msg);
	return dir;
}

static int lookup(struct kvfs_node *dir, const char *name, struct kvfs_node **out)
{
	return dir->ops->dir->lookup(dir, name, out);
}

/* pid/N, which must be there. */
static struct kvfs_node *get_process(struct kvfs_node *dir, pid_t pid)
{
	struct kvfs_node *process = NULL;
	char name[16];

	snprintf(name, sizeof(name), "%d", pid);
	ck_assert_int_eq(lookup(dir, name, &process), 0);
	return process;
}

/* A process without an address space: its parent has not waited for it. */
static pid_t start_zombie(void)
{
	pid_t pid = child_start();

	child_make_zombie(pid);
	return pid;
}

/* Tells whether a listing of pid/ has a name, and that it begins with `self` and ends. */
static bool is_listed(struct kvfs_node *dir, const char *name)
{
	struct kvfs_dirent entry = { 0 };
	bool found = false;
	void *reader;
	int ret;

	ck_assert_int_eq(dir->ops->dir->open(dir, &reader), 0);
	ck_assert_int_eq(dir->ops->dir->list_on(dir, reader, 0, &entry), 1);
	ck_assert_str_eq(entry.name, "self");
	ck_assert_int_eq(entry.kind, KVFS_NODE_SYMLINK);
	while ((ret = dir->ops->dir->list_on(dir, reader, entry.next, &entry)) == 1) {
		ck_assert_int_eq(entry.kind, KVFS_NODE_DIR);
		found |= strcmp(entry.name, name) == 0;
	}
	ck_assert_int_eq(ret, 0);
	dir->ops->dir->release(dir, reader);
	return found;
}

START_TEST(test_list)
{
	struct kvfs_node *dir = create();
	char name[16];
	pid_t child = start_zombie();

	snprintf(name, sizeof(name), "%d", getpid());
	ck_assert(is_listed(dir, name));
	snprintf(name, sizeof(name), "%d", child);
	ck_assert(is_listed(dir, name));
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert(!is_listed(dir, name));
	kvfs_node_put(dir);
}
END_TEST

/* The entry that did not fit into a reply, asked for again, is the same. */
START_TEST(test_list_again)
{
	struct kvfs_dirent first = { 0 }, second = { 0 }, again = { 0 };
	struct kvfs_node *dir = create();
	void *reader;

	ck_assert_int_eq(dir->ops->dir->open(dir, &reader), 0);
	ck_assert_int_eq(dir->ops->dir->list_on(dir, reader, 0, &first), 1);
	ck_assert_int_eq(dir->ops->dir->list_on(dir, reader, first.next, &second), 1);
	ck_assert_int_eq(dir->ops->dir->list_on(dir, reader, first.next, &again), 1);
	ck_assert_str_eq(again.name, second.name);
	ck_assert_uint_eq(again.next, second.next);
	dir->ops->dir->release(dir, reader);
	kvfs_node_put(dir);
}
END_TEST

START_TEST(test_lookup)
{
	static const char *const none[] = { "", ".", "0", "01", "4194303", "4194304", "1x", "status" };
	struct kvfs_node *dir = create(), *process, *same, *out;
	struct kvfs_attr attr;
	pid_t child;

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		ck_assert_msg(lookup(dir, none[i], &out) == -ENOENT, "\"%s\"", none[i]);
	process = get_process(dir, getpid());
	same = get_process(dir, getpid());
	ck_assert_uint_eq(process->ino, same->ino);
	ck_assert_uint_eq(process->parent_ino, dir->ino);
	ck_assert_int_eq(kvfs_node_getattr(process, &attr), 0);
	kvfs_node_put(process);
	kvfs_node_put(same);
	/* A process that has gone since. */
	child = start_zombie();
	process = get_process(dir, child);
	ck_assert_int_eq(kvfs_node_getattr(process, &attr), 0);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	ck_assert_int_eq(kvfs_node_getattr(process, &attr), -ENOENT);
	ck_assert_int_eq(lookup(process, "pagemap", &out), -ENOENT);
	kvfs_node_put(process);
	kvfs_node_put(dir);
}
END_TEST

START_TEST(test_self)
{
	struct kvfs_node *dir = create(), *self;
	char target[32], want[32];

	ck_assert_int_eq(lookup(dir, "self", &self), 0);
	snprintf(want, sizeof(want), "%d", getpid());
	ck_assert_int_eq(self->ops->readlink(self, (pid_t)syscall(SYS_gettid), target, sizeof(target)), 0);
	ck_assert_str_eq(target, want);
	/* A caller in a PID namespace that the daemon does not see, and one that has gone. */
	ck_assert_int_eq(self->ops->readlink(self, 0, target, sizeof(target)), -ENOENT);
	ck_assert_int_eq(self->ops->readlink(self, (1 << 22) - 1, target, sizeof(target)), -ENOENT);
	kvfs_node_put(self);
	kvfs_node_put(dir);
}
END_TEST

START_TEST(test_files)
{
	static const char *const names[] = { "pagemap", "mincore" };
	struct kvfs_node *dir = create(), *process = get_process(dir, getpid()), *file;
	struct kvfs_dirent entry = { 0 };

	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(process->ops->dir->list(process, entry.next, &entry), 1);
		ck_assert_str_eq(entry.name, names[i]);
		ck_assert_int_eq(entry.kind, KVFS_NODE_FILE);
		ck_assert_int_eq(lookup(process, names[i], &file), 0);
		ck_assert_uint_eq(file->ino, entry.ino);
		ck_assert_uint_eq(file->parent_ino, process->ino);
		kvfs_node_put(file);
	}
	ck_assert_int_eq(process->ops->dir->list(process, entry.next, &entry), 0);
	ck_assert_int_eq(lookup(process, "maps", &file), -ENOENT);
	/* The file keeps the directories alive. */
	ck_assert_int_eq(lookup(process, "mincore", &file), 0);
	kvfs_node_put(process);
	kvfs_node_put(dir);
	kvfs_node_put(file);
}
END_TEST

START_TEST(test_zombies_have_no_files)
{
	struct kvfs_node *dir = create(), *process, *file;
	struct kvfs_dirent entry;
	pid_t child = start_zombie();

	process = get_process(dir, child);
	ck_assert_int_eq(process->ops->dir->list(process, 0, &entry), 0);
	ck_assert_int_eq(lookup(process, "pagemap", &file), -ENOENT);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
	kvfs_node_put(process);
	kvfs_node_put(dir);
}
END_TEST

/* With too few descriptors or too little memory each operation fails, and says nothing else. */
START_TEST(test_shortage)
{
	struct kvfs_node *dir = create(), *process, *file;
	struct kvfs_dirent entry;
	char name[16];
	int ret;

	snprintf(name, sizeof(name), "%d", getpid());
	unit_try_few_fds(ret, ret = lookup(dir, name, &process));
	kvfs_node_put(process);
	failalloc_try_all(ret, ret = lookup(dir, name, &process));
	unit_try_few_fds(ret, ret = process->ops->dir->list(process, 0, &entry));
	ck_assert_int_eq(ret, 1);
	unit_try_few_fds(ret, ret = lookup(process, "pagemap", &file));
	kvfs_node_put(file);
	failalloc_try_all(ret, ret = lookup(process, "pagemap", &file));
	kvfs_node_put(file);
	kvfs_node_put(process);
	kvfs_node_put(dir);
}
END_TEST

/* A library must not change the limits of the process that uses it. */
START_TEST(test_limits_are_left_alone)
{
	struct rlimit before, after;

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &before), 0);
	before.rlim_cur = 200;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &before), 0);
	kvfs_node_put(create());
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &after), 0);
	ck_assert_uint_eq(after.rlim_cur, 200);
}
END_TEST

START_TEST(test_create_fails)
{
	struct kvfs_err err = { 0 };
	struct kvfs_node *dir;
	int ret;

	failalloc_try_all(ret, ret = kvfs_pid_dir_create(NULL, &dir, &err));
	ck_assert_int_eq(ret, 0);
	kvfs_node_put(dir);
	unit_try_few_fds(ret, ret = kvfs_pid_dir_create(NULL, &dir, &err));
	kvfs_node_put(dir);
}
END_TEST

UNIT_MAIN("dir", test_list, test_list_again, test_lookup, test_self, test_files,
	  test_zombies_have_no_files, test_shortage, test_limits_are_left_alone, test_create_fails)
