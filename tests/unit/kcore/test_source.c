// SPDX-License-Identifier: GPL-2.0-only
#include "kcore/source.h"

#include <errno.h>
#include <fcntl.h>

#include "extent/fdpool.h"
#include "failalloc.h"
#include "kcore_fixture.h"
#include "kernel/iomem.h"
#include "kernel/lockdown.h"

/* A machine: its /proc/kcore, if any, its lockdown, its RAM, and the module's views. */
static const char *proc_kcore;
static bool confidential;
static int opens, checks, views;

int __wrap_kvfs_fdpool_create(const char *path, unsigned int keep, struct kvfs_fdpool **out,
			      struct kvfs_err *err);
int __real_kvfs_fdpool_create(const char *path, unsigned int keep, struct kvfs_fdpool **out,
			      struct kvfs_err *err);
int __wrap_kvfs_fdpool_check(const struct kvfs_fdpool *pool);
int __real_kvfs_fdpool_check(const struct kvfs_fdpool *pool);
int __wrap_kvfs_fdpool_get(struct kvfs_fdpool *pool);
int __real_kvfs_fdpool_get(struct kvfs_fdpool *pool);
bool __wrap_kvfs_lockdown_is_confidential(void);
int __wrap_kvfs_iomem_load(const char *path, struct kvfs_iomem *out, struct kvfs_err *err);
int __wrap_kvfs_kmod_create_view(const struct kvfs_kmod *kmod, const char *name,
				 const struct kvfs_extents *t, struct kvfs_err *err);

int __wrap_kvfs_fdpool_create(const char *path, unsigned int keep, struct kvfs_fdpool **out,
			      struct kvfs_err *err)
{
	if (strcmp(path, "/proc/kcore") == 0) {
		if (!proc_kcore)
			return kvfs_err_sys(err, ENOENT, "/proc/kcore");
		path = proc_kcore;
	}
	return __real_kvfs_fdpool_create(path, keep, out, err);
}

int __wrap_kvfs_fdpool_check(const struct kvfs_fdpool *pool)
{
	checks++;
	return confidential ? -EPERM : __real_kvfs_fdpool_check(pool);
}

int __wrap_kvfs_fdpool_get(struct kvfs_fdpool *pool)
{
	opens++;
	return __real_kvfs_fdpool_get(pool);
}

bool __wrap_kvfs_lockdown_is_confidential(void)
{
	return confidential;
}

int __wrap_kvfs_iomem_load(const char *path, struct kvfs_iomem *out, struct kvfs_err *err)
{
	static const char text[] = "00001000-0009ffff : System RAM\n00100000-02ffffff : System RAM\n";

	ck_assert_str_eq(path, "/proc/iomem");
	return kvfs_iomem_parse(text, sizeof(text) - 1, out, err);
}

int __wrap_kvfs_kmod_create_view(const struct kvfs_kmod *kmod, const char *name,
				 const struct kvfs_extents *t, struct kvfs_err *err)
{
	views++;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

START_TEST(a_file)
{
	struct kvfs_kcore_source_layout *layout, *again;
	struct kvfs_kcore_source *src;
	struct kvfs_err err = { 0 };
	struct fixture f;
	uint64_t words[2];
	int ret;

	fixture_init(&f, FIXTURE, FIXTURE_SYMS);
	src = fixture_source(&f);
	ck_assert_str_eq(kvfs_kcore_source_name(src), f.kcore);
	ck_assert(kvfs_kcore_source_has_file(src));
	ck_assert_int_eq(kvfs_kcore_source_check_open(src), 0);
	ret = kvfs_kcore_source_check_module(src, &err);
	unit_assert_error(ret, EOPNOTSUPP, err, "the bytes of a given file are copied");
	ret = kvfs_kcore_source_create_view(src, "x", NULL, &err);
	unit_assert_error(ret, EOPNOTSUPP, err, "copied");
	layout = kvfs_kcore_source_layout_get(src);
	ck_assert_uint_eq(layout->tables[KVFS_KCORE_SOURCE_RAM].size, RAM_END);
	ck_assert_uint_eq(layout->tables[KVFS_KCORE_SOURCE_TEXT].size, IMAGE_LEN);
	ck_assert_str_eq(layout->map.vmcoreinfo, "A=1\n");
	ck_assert_int_eq((int)kvfs_kcore_source_read(src, &layout->tables[KVFS_KCORE_SOURCE_RAM], words,
						     sizeof(words), 0x1008), 16);
	ck_assert_uint_eq(words[0], 0x1008);
	ck_assert_uint_eq(words[1], 0x1010);
	/* The same object as long as nothing changes. */
	ck_assert_int_eq(kvfs_kcore_source_layout_load(src, &again, &err), 0);
	ck_assert_ptr_eq(again, layout);
	kvfs_kcore_source_layout_put(again);
	fixture_write_kcore(&f, "elf\n" FIXTURE_IMAGE "load vaddr=0xffff888000100000 paddr=0x100000 memsz=63M\n");
	ck_assert_int_eq(kvfs_kcore_source_layout_load(src, &again, &err), 0);
	ck_assert_ptr_ne(again, layout);
	ck_assert_uint_eq(again->tables[KVFS_KCORE_SOURCE_RAM].size, 64 << 20);
	ck_assert_uint_eq(layout->tables[KVFS_KCORE_SOURCE_RAM].size, RAM_END);
	kvfs_kcore_source_layout_put(layout);
	/* A file that went bad is an error, and the last layout stays. */
	fixture_write_kcore(&f, "elf type=3\n");
	ret = kvfs_kcore_source_layout_load(src, &layout, &err);
	unit_assert_error(ret, ENOEXEC, err, "not a core");
	layout = kvfs_kcore_source_layout_get(src);
	ck_assert_ptr_eq(layout, again);
	/* For stat(2) the file is not read: its file system may hang. */
	kvfs_kcore_source_layout_put(again);
	opens = 0;
	ck_assert_int_eq(kvfs_kcore_source_layout_look(src, &again), 0);
	ck_assert_ptr_eq(again, layout);
	ck_assert_int_eq(opens, 0);
	kvfs_kcore_source_layout_put(layout);
	kvfs_kcore_source_layout_put(again);
	kvfs_kcore_source_layout_put(NULL);
	kvfs_kcore_source_put(src);
	kvfs_kcore_source_put(NULL);
	fixture_deinit(&f);
}
END_TEST

START_TEST(symbols_are_read_once)
{
	const struct kvfs_ksyms *syms, *again;
	struct kvfs_kcore_source *src;
	struct fixture f;

	fixture_init(&f, FIXTURE, "garbage\n");
	src = fixture_source(&f);
	/* A failure is not kept. */
	ck_assert_int_eq(kvfs_kcore_source_syms(src, &syms), -EBADMSG);
	ck_assert_int_eq(ftruncate(f.kallsyms_fd, 0), 0);
	ck_assert_int_gt((int)pwrite(f.kallsyms_fd, FIXTURE_SYMS, strlen(FIXTURE_SYMS), 0), 0);
	ck_assert_int_eq(kvfs_kcore_source_syms(src, &syms), 0);
	ck_assert_int_eq(ftruncate(f.kallsyms_fd, 0), 0);
	ck_assert_int_eq(kvfs_kcore_source_syms(src, &again), 0);
	ck_assert_ptr_eq(again, syms);
	kvfs_kcore_source_put(src);
	fixture_deinit(&f);
}
END_TEST

START_TEST(lockdown)
{
	struct kvfs_kcore_source_layout *layout, *last;
	struct kvfs_kcore_source *src;
	struct kvfs_err err = { 0 };
	struct fixture f;

	fixture_init(&f, FIXTURE, FIXTURE_SYMS);
	f.config.file = NULL;
	proc_kcore = f.kcore;
	src = fixture_source(&f);
	ck_assert_str_eq(kvfs_kcore_source_name(src), "/proc/kcore");
	last = kvfs_kcore_source_layout_get(src);
	ck_assert_int_eq(kvfs_kcore_source_layout_load(src, &layout, &err), 0);
	kvfs_kcore_source_layout_put(layout);
	ck_assert_int_gt(checks, 0);
	/* Each open of /proc/kcore would add a line to the kernel log: a size costs none. */
	confidential = true;
	checks = opens = 0;
	ck_assert_int_eq(kvfs_kcore_source_layout_load(src, &layout, &err), 0);
	ck_assert_ptr_eq(layout, last);
	ck_assert_int_eq(checks + opens, 0);
	ck_assert_int_eq(kvfs_kcore_source_check_open(src), -EPERM);
	kvfs_kcore_source_layout_put(layout);
	kvfs_kcore_source_layout_put(last);
	kvfs_kcore_source_put(src);
	fixture_deinit(&f);
}
END_TEST

START_TEST(neither_file_nor_module)
{
	struct kvfs_kcore_source *src;
	struct kvfs_err err = { 0 };
	struct fixture f;
	int ret;

	fixture_init(&f, FIXTURE, FIXTURE_SYMS);
	f.config.file = NULL;
	ret = kvfs_kcore_source_create(&f.config, &src, &err);
	unit_assert_error(ret, ENOENT, err, "/proc/kcore: No such file or directory; no module here");
	f.config.file = "/nonexistent/kcore";
	ret = kvfs_kcore_source_create(&f.config, &src, &err);
	unit_assert_error(ret, ENOENT, err, "/nonexistent/kcore");
	fixture_deinit(&f);
}
END_TEST

START_TEST(the_module_alone)
{
	struct kvfs_kcore_source_layout *layout;
	struct kvfs_kcore_source *src;
	struct kvfs_err err = { 0 };
	struct fixture f;
	int fd;

	fixture_init(&f, FIXTURE, FIXTURE_SYMS);
	f.config.file = NULL;
	f.kmod = (struct kvfs_kmod){
		.fd = 0,
		.info = {
			.features = KVIEW_FEATURE_RAM,
			.direct_map = DIRECT_MAP,
			.image_delta = IMAGE_VADDR - IMAGE_PADDR,
		},
	};
	src = fixture_source(&f);
	ck_assert_str_eq(kvfs_kcore_source_name(src), "kview module");
	ck_assert(!kvfs_kcore_source_has_file(src));
	ck_assert_int_eq(kvfs_kcore_source_check_open(src), 0);
	layout = kvfs_kcore_source_layout_get(src);
	ck_assert_uint_eq(layout->tables[KVFS_KCORE_SOURCE_RAM].size, RAM_END);
	ck_assert_uint_eq(layout->map.ram[0].vaddr, DIRECT_MAP + 0x1000);
	ck_assert_uint_eq(layout->map.image.vaddr, IMAGE_VADDR);
	ck_assert_uint_eq(layout->map.image.paddr, IMAGE_PADDR);
	ck_assert_uint_eq(layout->map.image.len, IMAGE_LEN);
	ck_assert_int_eq(kvfs_kcore_source_check_module(src, &err), 0);
	views = 0;
	fd = kvfs_kcore_source_create_view(src, "ram", &layout->tables[KVFS_KCORE_SOURCE_RAM], &err);
	ck_assert_int_ge(fd, 0);
	close(fd);
	ck_assert_int_eq(views, 1);
	/* Nor is the module asked for anything under lockdown. */
	confidential = true;
	kvfs_kcore_source_layout_put(layout);
	ck_assert_int_eq(kvfs_kcore_source_layout_load(src, &layout, &err), 0);
	unit_assert_error(kvfs_kcore_source_check_module(src, &err), EPERM, err, "locked down");
	unit_assert_error(kvfs_kcore_source_create_view(src, "ram", &layout->tables[0], &err), EPERM, err,
			  "locked down");
	ck_assert_int_eq(views, 1);
	kvfs_kcore_source_layout_put(layout);
	kvfs_kcore_source_put(src);
	fixture_deinit(&f);
}
END_TEST

START_TEST(out_of_memory)
{
	struct kvfs_kcore_source_layout *layout;
	struct kvfs_kcore_source *src = NULL;
	struct kvfs_err err = { 0 };
	struct fixture f;
	int ret;

	fixture_init(&f, FIXTURE, FIXTURE_SYMS);
	for (int i = 0;; i++) {
		bool failed;

		failalloc_arm(i);
		ret = kvfs_kcore_source_create(&f.config, &src, &err);
		failed = failalloc_happened();
		if (ret == 0) {
			/* A file that could not be laid out has the error, not the source. */
			layout = kvfs_kcore_source_layout_get(src);
			ck_assert_int_eq(failed, layout->errs[KVFS_KCORE_SOURCE_RAM].errnum == ENOMEM ||
					 layout->errs[KVFS_KCORE_SOURCE_TEXT].errnum == ENOMEM ||
					 layout->errs[KVFS_KCORE_SOURCE_CORE].errnum == ENOMEM);
			kvfs_kcore_source_layout_put(layout);
			kvfs_kcore_source_put(src);
		} else {
			ck_assert_int_eq(ret, -ENOMEM);
		}
		if (!failed)
			break;
	}
	ck_assert_int_eq(ret, 0);
	fixture_deinit(&f);
}
END_TEST

UNIT_MAIN("source", a_file, symbols_are_read_once, lockdown, neither_file_nor_module,
	  the_module_alone, out_of_memory)
