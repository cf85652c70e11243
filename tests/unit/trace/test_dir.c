// SPDX-License-Identifier: GPL-2.0-only
/*
 * trace/ over a fake tracefs: what it lists, that a listing costs in proportion to what it lists,
 * and that none of it opens a ring.
 */
#include "trace/dir.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>

#include "failalloc.h"
#include "fake_tracefs.h"
#include "unit.h"

static unsigned int nr_calls, nr_rings_opened;
static int fail_opendir;

int __real_stat64(const char *path, struct stat *st);
int __wrap_stat64(const char *path, struct stat *st);
int __real_open64(const char *path, int flags, ...);
int __wrap_open64(const char *path, int flags, ...);
DIR *__real_opendir(const char *path);
DIR *__wrap_opendir(const char *path);
struct dirent *__real_readdir64(DIR *d);
struct dirent *__wrap_readdir64(DIR *d);

int __wrap_stat64(const char *path, struct stat *st)
{
	nr_calls++;
	return __real_stat64(path, st);
}

int __wrap_open64(const char *path, int flags, ...)
{
	nr_calls++;
	nr_rings_opened += strstr(path, "trace_pipe_raw") != NULL;
	return __real_open64(path, flags);
}

DIR *__wrap_opendir(const char *path)
{
	nr_calls++;
	if (!fail_opendir)
		return __real_opendir(path);
	errno = fail_opendir;
	return NULL;
}

struct dirent *__wrap_readdir64(DIR *d)
{
	nr_calls++;
	return __real_readdir64(d);
}

static struct kvfs_node *make(struct fake *fake, unsigned int nr_cpus)
{
	struct kvfs_trace_config config = { .dir = fake->dir, .online = fake->online, .release = "6.12" };
	struct kvfs_node *top;
	struct kvfs_err err;

	fake_create(fake, nr_cpus);
	ck_assert_int_eq(kvfs_trace_dir_create_at(&config, &top, &err), 0);
	return top;
}

static struct kvfs_node *lookup(struct kvfs_node *dir, const char *name)
{
	struct kvfs_node *node;

	ck_assert_int_eq(dir->ops->dir->lookup(dir, name, &node), 0);
	return node;
}

/* Lists dir with one reader, looking up each entry as `ls -l` does. Returns the number of entries. */
static unsigned int list(struct kvfs_node *dir, char *names, size_t len)
{
	const struct kvfs_dir_ops *ops = dir->ops->dir;
	struct kvfs_dirent entry = { .next = 0 };
	unsigned int n = 0;
	void *reader;
	int ret;

	names[0] = '\0';
	ck_assert_int_eq(ops->open(dir, &reader), 0);
	while ((ret = ops->list_on(dir, reader, entry.next, &entry)) > 0) {
		struct kvfs_node *node = lookup(dir, entry.name);
		enum kvfs_mode mode;
		struct kvfs_attr attr;

		ck_assert_uint_eq(node->ino, entry.ino);
		ck_assert_uint_eq(node->ops->kind, entry.kind);
		ck_assert_int_eq(kvfs_node_getattr(node, &attr), 0);
		if (entry.kind == KVFS_NODE_FILE) {
			ck_assert_uint_eq(attr.size, FAKE_LEN);
			ck_assert_int_eq(node->ops->file->can_back(node, &mode, NULL), 0);
			ck_assert_int_eq(mode, KVFS_MODE_SPLIT);
		}
		kvfs_node_put(node);
		if (strlen(names) + strlen(entry.name) + 2 < len)
			strcat(strcat(names, entry.name), " ");
		n++;
	}
	ck_assert_int_eq(ret, 0);
	ops->release(dir, reader);
	return n;
}

START_TEST(what_is_listed)
{
	struct fake fake;
	struct kvfs_node *top = make(&fake, 3), *instances, *one;
	struct kvfs_desc desc;
	char names[256];

	ck_assert_uint_eq(list(top, names, sizeof(names)), 4);
	ck_assert_str_eq(names, "cpu0 cpu1 cpu2 instances ");
	instances = lookup(top, "instances");
	ck_assert_uint_eq(list(instances, names, sizeof(names)), 0);
	fake_instance(&fake, "one", 2);
	ck_assert_uint_eq(list(instances, names, sizeof(names)), 1);
	ck_assert_str_eq(names, "one ");
	one = lookup(instances, "one");
	ck_assert_uint_eq(list(one, names, sizeof(names)), 2);
	ck_assert_str_eq(names, "cpu0 cpu1 ");
	ck_assert_str_eq(one->label, "trace/instances/one");
	ck_assert_uint_eq(one->parent_ino, instances->ino);
	kvfs_node_describe(top, KVFS_MODE_COPY, &desc);
	snprintf(names, sizeof(names), "tracefs on %s", fake.dir);
	ck_assert_str_eq(desc.source, names);
	kvfs_node_put(one);
	kvfs_node_put(instances);
	kvfs_node_put(top);
	fake_remove(&fake);
}
END_TEST

/* The number of calls for a listing of so many CPUs. */
static unsigned int calls_for(unsigned int nr_cpus)
{
	struct fake fake;
	struct kvfs_node *top = make(&fake, nr_cpus);
	char names[16];
	unsigned int n;

	nr_calls = 0;
	ck_assert_uint_eq(list(top, names, sizeof(names)), nr_cpus + 1);
	n = nr_calls;
	kvfs_node_put(top);
	fake_remove(&fake);
	return n;
}

START_TEST(a_listing_is_linear)
{
	unsigned int few = calls_for(64), many = calls_for(1024);

	ck_assert_msg(many < 17 * few, "%u calls for 64 CPUs, %u for 1,024", few, many);
	ck_assert_uint_eq(nr_rings_opened, 0);
}
END_TEST

START_TEST(names_that_are_none)
{
	static const char *const names[] = { "", "cpu", "cpu-1", "cpu00", "cpu2", "cpu99999999999", "Cpu0", "x" };
	struct fake fake;
	struct kvfs_node *top = make(&fake, 2), *instances = lookup(top, "instances"), *node;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(top->ops->dir->lookup(top, names[i], &node) == -ENOENT, "%s", names[i]);
	ck_assert_int_eq(instances->ops->dir->lookup(instances, "gone", &node), -ENOENT);
	kvfs_node_put(instances);
	kvfs_node_put(top);
	fake_remove(&fake);
}
END_TEST

START_TEST(an_instance_that_goes)
{
	struct kvfs_dirent entry = { .next = 0 };
	struct fake fake;
	struct kvfs_node *top = make(&fake, 1), *instances = lookup(top, "instances"), *one, *cpu;
	char path[PATH_MAX];
	struct kvfs_attr attr;
	void *reader;

	fake_instance(&fake, "one", 1);
	one = lookup(instances, "one");
	cpu = lookup(one, "cpu0");
	snprintf(path, sizeof(path), "%s/instances/one", fake.dir);
	fake_remove_tree(path);
	ck_assert_int_eq(one->ops->dir->open(one, &reader), 0);
	ck_assert_int_eq(one->ops->dir->list_on(one, reader, 0, &entry), 0);
	one->ops->dir->release(one, reader);
	ck_assert_int_eq(one->ops->dir->lookup(one, "cpu0", &(struct kvfs_node *){ NULL }), -ENOENT);
	ck_assert_int_eq(kvfs_node_getattr(cpu, &attr), -ENOENT);
	kvfs_node_put(cpu);
	kvfs_node_put(one);
	kvfs_node_put(instances);
	kvfs_node_put(top);
	fake_remove(&fake);
}
END_TEST

START_TEST(from_any_cookie)
{
	struct kvfs_dirent entry;
	struct fake fake;
	struct kvfs_node *top = make(&fake, 4);
	const struct kvfs_dir_ops *ops = top->ops->dir;
	char path[PATH_MAX];
	void *reader;

	ck_assert_int_eq(ops->list(top, 2, &entry), 1);
	ck_assert_str_eq(entry.name, "cpu2");
	ck_assert_int_eq(ops->open(top, &reader), 0);
	/* A reader that is asked in the middle first, such as after telldir(3). */
	ck_assert_int_eq(ops->list_on(top, reader, 3, &entry), 1);
	ck_assert_str_eq(entry.name, "cpu3");
	ck_assert_int_eq(ops->list_on(top, reader, entry.next, &entry), 1);
	ck_assert_str_eq(entry.name, "instances");
	ck_assert_int_eq(ops->list_on(top, reader, entry.next, &entry), 0);
	/* From the beginning it has what is there now. */
	snprintf(path, sizeof(path), "%s/per_cpu/cpu0", fake.dir);
	fake_remove_tree(path);
	ck_assert_int_eq(ops->list_on(top, reader, 0, &entry), 1);
	ck_assert_str_eq(entry.name, "cpu1");
	ops->release(top, reader);
	kvfs_node_put(top);
	fake_remove(&fake);
}
END_TEST

static int list_first(struct kvfs_node *dir)
{
	struct kvfs_dirent entry;

	return dir->ops->dir->list(dir, 0, &entry);
}

static int try_lookup(struct kvfs_node *dir, const char *name)
{
	struct kvfs_node *node = NULL;
	int ret = dir->ops->dir->lookup(dir, name, &node);

	if (ret == 0)
		kvfs_node_put(node);
	return ret;
}

static int try_create(const struct kvfs_trace_config *config)
{
	struct kvfs_node *top = NULL;
	int ret = kvfs_trace_dir_create_at(config, &top, NULL);

	if (ret == 0)
		kvfs_node_put(top);
	return ret;
}

START_TEST(what_is_wrong_is_reported)
{
	struct kvfs_trace_config config = { .dir = "/nonexistent" };
	struct fake fake;
	struct kvfs_node *top = make(&fake, 1), *out;
	struct kvfs_err err = { 0 };
	int ret;

	unit_assert_error(kvfs_trace_dir_create_at(&config, &out, &err), ENOENT, err, "/nonexistent");
	fail_opendir = EMFILE;
	ck_assert_int_eq(list_first(top), -EMFILE);
	fail_opendir = 0;
	ck_assert_int_eq(list_first(top), 1);
	failalloc_arm(0);
	ck_assert_int_eq(list_first(top), -ENOMEM);
	ck_assert(failalloc_happened());
	failalloc_try_all(ret, ret = try_lookup(top, "cpu0"));
	ck_assert_int_eq(ret, 0);
	failalloc_try_all(ret, ret = try_lookup(top, "instances"));
	ck_assert_int_eq(ret, 0);
	config.dir = fake.dir;
	failalloc_try_all(ret, ret = try_create(&config));
	ck_assert_int_eq(ret, 0);
	kvfs_node_put(top);
	fake_remove(&fake);
}
END_TEST

START_TEST(of_this_machine)
{
	struct kvfs_node *top = NULL;
	struct kvfs_err err = { 0 };
	int ret = kvfs_trace_dir_create(false, &top, &err);

	ck_assert(ret == 0 || err.msg[0]);
	kvfs_node_put(top);
}
END_TEST

UNIT_MAIN("dir",
	what_is_listed,
	a_listing_is_linear,
	names_that_are_none,
	an_instance_that_goes,
	from_any_cookie,
	what_is_wrong_is_reported,
	of_this_machine)
