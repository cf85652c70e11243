// SPDX-License-Identifier: GPL-2.0-only
/* The texts made by walks, on trees that are made up here. */
#include "fuse/status.h"

#include <errno.h>

#include "kernel/features.h"
#include "node/fixed_dir.h"
#include "node/text.h"
#include "unit.h"

/* In place of backing.c, features.c and kmod.c: a file that cannot be backed is copied. */

static unsigned int nr_rehearsed;
static bool has_passthrough;

void kvfs_backing_plan(struct kvfs_backing *backing, struct kvfs_node *file, enum kvfs_mode *mode,
		       struct kvfs_err *reason, unsigned int *opens)
{
	reason->errnum = 0;
	if (file->ops->file->can_back(file, mode, reason) < 0)
		*mode = file->ops->file->unchanging ? KVFS_MODE_CACHED : KVFS_MODE_COPY;
	if (opens)
		*opens = 7;
}

void kvfs_backing_rehearse(struct kvfs_backing *backing, struct kvfs_node *file)
{
	nr_rehearsed++;
}

bool kvfs_backing_passthrough(const struct kvfs_backing *backing, const char **reason)
{
	*reason = "old";
	return has_passthrough;
}

bool kvfs_backing_shared_mmap(const struct kvfs_backing *backing)
{
	return true;
}

const char *kvfs_backing_libfuse_version(void)
{
	return "3.99";
}

void kvfs_features_load(struct kvfs_features *out)
{
	*out = (struct kvfs_features) {
		.kernel_release = "6.12", .machine = "x86_64", .lockdown = "none", .io_uring_reason = "switched off",
	};
}

static struct kview_info asked;
static int ask_ret;

int kvfs_kmod_ask(const struct kvfs_kmod *kmod, struct kview_info *out, struct kvfs_err *err)
{
	*out = asked;
	return ask_ret;
}

/* Files, by what the view reports of a backing file. None can be opened or read. */

static int can_back(struct kvfs_node *file, enum kvfs_mode *mode, struct kvfs_err *err)
{
	*mode = KVFS_MODE_DIRECT;
	return 0;
}

static int has_no_module(struct kvfs_node *file, enum kvfs_mode *mode, struct kvfs_err *err)
{
	return kvfs_err_set(err, ENODEV, "no module");
}

static int is_no_pages(struct kvfs_node *file, enum kvfs_mode *mode, struct kvfs_err *err)
{
	return kvfs_err_set(err, EINVAL, "it ends within a page");
}

static void destroy(struct kvfs_node *node)
{
	free(node);
}

static int getattr(struct kvfs_node *node, struct kvfs_attr *out)
{
	out->size = 8192;
	out->data_len = 4096;
	return 0;
}

static void describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	strcpy(out->source, "somewhere");
}

static void describe_dump(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	strcpy(out->source, "a dump");
	out->incomplete = "its end";
	out->has_damaged = true;
	out->damaged = 3;
}

static void describe_huge(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	out->copied = "too many";
	strcpy(out->source, "/proc");
}

static const struct kvfs_blocking_ops blocking_ops;
#define FILE_OPS(...) { \
	.kind = KVFS_NODE_FILE, .destroy = destroy, .getattr = getattr, .describe = describe, \
	.file = &(const struct kvfs_file_ops){ __VA_ARGS__ } }
static const struct kvfs_node_ops direct_ops = FILE_OPS(.can_back = can_back);
static const struct kvfs_node_ops copied_ops = FILE_OPS(.can_back = has_no_module);
static const struct kvfs_node_ops cached_ops = FILE_OPS(.can_back = has_no_module, .unchanging = true);
static const struct kvfs_node_ops odd_ops = FILE_OPS(.can_back = is_no_pages);
static const struct kvfs_node_ops ring_copy_ops = FILE_OPS(.can_back = has_no_module, .blocking = &blocking_ops);
static const struct kvfs_node_ops disturbing_ops = FILE_OPS(.can_back = can_back, .open_disturbs = true);
static const struct kvfs_node_ops text_ops = FILE_OPS(.no_backing = "a text");

static void destroy_dir(struct kvfs_node *node)
{
	kvfs_fixed_dir_deinit((struct kvfs_fixed_dir *)node);
	free(node);
}

static const struct kvfs_node_ops dump_dir_ops = {
	.kind = KVFS_NODE_DIR, .destroy = destroy_dir, .describe = describe_dump, .dir = &kvfs_fixed_dir_ops,
};

static const struct kvfs_dir_ops huge_dir_ops = { .huge = true };
static const struct kvfs_node_ops huge_ops = {
	.kind = KVFS_NODE_DIR, .destroy = destroy, .describe = describe_huge, .dir = &huge_dir_ops,
};

static struct kvfs_node *make_node(const struct kvfs_node_ops *ops)
{
	struct kvfs_node *node = malloc(sizeof(*node));

	kvfs_node_init(node, ops, "node", 5, 2);
	return node;
}

static void lack(struct kvfs_fixed_dir *dir, const char *name, const char *reason)
{
	struct kvfs_err err;

	kvfs_err_set(&err, ENODEV, "%s", reason);
	ck_assert_int_eq(kvfs_fixed_dir_add_missing(dir, name, &err), 0);
}

static struct kvfs_fixed_dir *make_dir(struct kvfs_fixed_dir *parent, const char *name)
{
	struct kvfs_fixed_dir *dir = kvfs_fixed_dir_create(name, 3, 1);

	if (parent)
		ck_assert_int_eq(kvfs_fixed_dir_add(parent, name, &dir->node), 0);
	return dir;
}

/* What the module can serve, and what it cannot. */

/* module=require on a tree of kcore/ram and other/file with these operations; NULL: missing. */
static int require(const struct kvfs_node_ops *in_kcore, const char *other,
		   const struct kvfs_node_ops *in_other, struct kvfs_err *err)
{
	struct kvfs_fixed_dir *root = make_dir(NULL, ""), *dir;
	const struct kvfs_status status = { .root = &root->node };
	int ret;

	if (in_kcore) {
		dir = make_dir(root, "kcore");
		kvfs_fixed_dir_add(dir, "ram", make_node(in_kcore));
		lack(dir, "text", "no image");
	} else {
		lack(root, "kcore", "no source");
	}
	if (in_other)
		kvfs_fixed_dir_add(make_dir(root, other), "file", make_node(in_other));
	else
		lack(root, other, "no kernel for it");
	*err = (struct kvfs_err) { 0 };
	ret = kvfs_status_require_backing(&status, err);
	kvfs_node_put(&root->node);
	return ret;
}

START_TEST(what_the_module_can_serve_is_required)
{
	struct kvfs_err err;
	int ret;

	ck_assert_int_eq(require(&direct_ops, "vmcore", &direct_ops, &err), 0);
	ret = require(&copied_ops, "vmcore", &direct_ops, &err);
	unit_assert_error(ret, ENODEV, err, "kcore/ram would be a copy: no module");
	ret = require(&direct_ops, "vmcore", &copied_ops, &err);
	unit_assert_error(ret, ENODEV, err, "vmcore/file would be a copy: no module");
	ret = require(NULL, "vmcore", &direct_ops, &err);
	unit_assert_error(ret, ENODEV, err, "no kcore: no source");
}
END_TEST

START_TEST(what_no_module_can_mend_is_not)
{
	static const char *const others[] = { "pid", "trace", "vmcore" };
	struct kvfs_err err;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ck_assert_msg(require(&direct_ops, others[i], NULL, &err) == 0, "%s", err.msg);
	ck_assert_int_eq(require(&direct_ops, "pid", &text_ops, &err), 0);
	ck_assert_int_eq(require(&direct_ops, "trace", &ring_copy_ops, &err), 0);
	ck_assert_int_eq(require(&direct_ops, "vmcore", &cached_ops, &err), 0);
	ck_assert_int_eq(require(&direct_ops, "vmcore", &odd_ops, &err), 0);
}
END_TEST

/* The texts. */

static void write_nothing(void *arg, FILE *out)
{
	ck_abort_msg("a walk rendered a text");
}

/* kcore/ with a file, vmcore/ with a description, pid/ that is huge, trace/ that is missing, status. */
static struct kvfs_fixed_dir *make_tree(void)
{
	struct kvfs_fixed_dir *root = make_dir(NULL, ""), *vmcore = malloc(sizeof(*vmcore));

	kvfs_fixed_dir_add(make_dir(root, "kcore"), "ram", make_node(&direct_ops));
	kvfs_fixed_dir_init(vmcore, &dump_dir_ops, "vmcore", 4, 1);
	kvfs_fixed_dir_add(root, "vmcore", &vmcore->node);
	kvfs_fixed_dir_add(vmcore, "core", make_node(&copied_ops));
	lack(vmcore, "dmesg", "no log");
	kvfs_fixed_dir_add(root, "pid", make_node(&huge_ops));
	lack(root, "trace", "no tracefs");
	kvfs_fixed_dir_add(root, "status", kvfs_text_create_rendered("status", 9, 1, write_nothing, NULL));
	return root;
}

/* Calls a function that writes, and compares the text. */
static void assert_text(void (*write)(const struct kvfs_status *, FILE *), const struct kvfs_kmod *kmod,
			const char *want)
{
	struct kvfs_fixed_dir *root = make_tree();
	const struct kvfs_status status = { .kmod = kmod, .kmod_reason = "not loaded", .root = &root->node };
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	write(&status, out);
	fclose(out);
	ck_assert_str_eq(text, want);
	free(text);
	kvfs_node_put(&root->node);
}

#define HEAD "version: " KVFS_VERSION "\nkernel: 6.12 x86_64\nlockdown: none\nlibfuse: 3.99\n"
#define TREE \
	"shared_mmap_of_copies: yes\nio_uring: no\nio_uring.reason: switched off\n" \
	"kcore/ram.mode: direct\nkcore/ram.source: somewhere\nkcore/ram.size: 8192\nkcore/ram.data: 4096\n" \
	"kcore/ram.opens: 7\n" \
	"vmcore.source: a dump\nvmcore.incomplete: its end\nvmcore.damaged_pages: 3\n" \
	"vmcore/core.mode: copy\nvmcore/core.reason: no module\nvmcore/core.source: somewhere\n" \
	"vmcore/core.size: 8192\nvmcore/core.data: 4096\nvmcore/core.opens: 7\n" \
	"vmcore/dmesg.missing: no log\n" \
	"pid.mode: copy\npid.reason: too many\npid.source: /proc\n" \
	"trace.missing: no tracefs\nkview_exec: yes\n"

START_TEST(the_text_without_a_module)
{
	const struct kvfs_kmod kmod = { .fd = -1 };

	has_passthrough = false;
	assert_text(kvfs_status_write, &kmod,
		    HEAD "module: no\nmodule.reason: not loaded\npassthrough: no\npassthrough.reason: old\n" TREE);
}
END_TEST

#define MODULE_NUMBERS(late, mapped, direct, poison, balloon, type, offline, backstop, conflict, worst, worker) \
	"module.backstop.late_ms: " late "\nmodule.mapped_blocks: " mapped "\n" \
	"module.revoked.direct_map: " direct "\nmodule.revoked.poison: " poison "\n" \
	"module.revoked.balloon: " balloon "\nmodule.revoked.memory_type: " type "\n" \
	"module.revoked.offline: " offline "\nmodule.revoked.backstop: " backstop "\n" \
	"module.revoked.conflict: " conflict "\nmodule.worst_us: " worst "\nmodule.worker_ms: " worker "\n"

START_TEST(the_text_with_a_module)
{
	const struct kvfs_kmod kmod = { .fd = 3, .info = { .abi_version = 1, .revalidate_ms = 5 } };

	has_passthrough = true;
	asked = (struct kview_info) {
		.abi_version = 1, .features = KVIEW_FEATURE_RAM | KVIEW_FEATURE_HUGE_PMD, .revalidate_ms = 1000,
		.events = KVIEW_EVENT_DIRECT_MAP | KVIEW_EVENT_MEMTYPE, .direct_ms = 900, .late_ms = 1,
		.mapped_blocks = 2, .revoked = { 3, 4, 5, 6, 7, 8, 9 }, .worst_us = 10, .worker_ns = 11999999,
	};
	ask_ret = 0;
	assert_text(kvfs_status_write, &kmod,
		    HEAD "module: yes\nmodule.abi: 1\nmodule.features: ram huge_pmd\nmodule.revalidate_ms: 1000\n"
		    MODULE_NUMBERS("1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11")
		    "module.revocation: secretmem event, poison within 1000 ms, balloon within 1000 ms, "
		    "memory type event, offline notifier; backstop 1000 ms\n"
		    "passthrough: yes\n" TREE);
	/* A module that cannot be asked: what it reported at open. */
	ask_ret = -EIO;
	assert_text(kvfs_status_write, &kmod,
		    HEAD "module: yes\nmodule.abi: 1\nmodule.features: none\nmodule.revalidate_ms: 5\n"
		    MODULE_NUMBERS("0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0")
		    "module.revocation: secretmem within 0 ms, poison within 5 ms, balloon within 5 ms, "
		    "memory type within 0 ms, offline notifier; backstop 5 ms\n"
		    "passthrough: yes\n" TREE);
}
END_TEST

START_TEST(the_line_at_start)
{
	assert_text(kvfs_status_summarise, NULL,
		    "kcore direct (somewhere), vmcore copy (a dump): no module: its end, pid copy (/proc)"
		    "; no vmcore/dmesg: no log; no trace: no tracefs");
}
END_TEST

START_TEST(a_tree_with_nothing)
{
	struct kvfs_fixed_dir *root = make_dir(NULL, "");
	const struct kvfs_status status = { .root = &root->node };
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	kvfs_status_summarise(&status, out);
	fclose(out);
	ck_assert_str_eq(text, "no memory to show");
	free(text);
	kvfs_node_put(&root->node);
}
END_TEST

START_TEST(rehearsal)
{
	struct kvfs_fixed_dir *root = make_tree();
	const struct kvfs_status status = { .root = &root->node };

	kvfs_fixed_dir_add(root, "ring", make_node(&disturbing_ops));
	nr_rehearsed = 0;
	kvfs_status_rehearse(&status);
	/* The two of make_tree(), and not the ring, whose open would disturb others. */
	ck_assert_uint_eq(nr_rehearsed, 2);
	kvfs_node_put(&root->node);
}
END_TEST

/* A directory with readers: its entries are listed on one, each once. */

static unsigned int nr_open_readers, nr_readers, nr_listed;

static int reader_open(struct kvfs_node *dir, void **reader)
{
	nr_open_readers++;
	nr_readers++;
	*reader = &nr_readers;
	return 0;
}

static void reader_release(struct kvfs_node *dir, void *reader)
{
	ck_assert_ptr_eq(reader, &nr_readers);
	nr_open_readers--;
}

static int list_on(struct kvfs_node *dir, void *reader, uint64_t cookie, struct kvfs_dirent *out)
{
	ck_assert_ptr_eq(reader, &nr_readers);
	ck_assert_uint_eq(cookie, nr_listed);
	if (cookie == 3)
		return 0;
	nr_listed++;
	snprintf(out->name, sizeof(out->name), "cpu%u", (unsigned int)cookie);
	out->next = cookie + 1;
	return 1;
}

static int list_without(struct kvfs_node *dir, uint64_t cookie, struct kvfs_dirent *out)
{
	ck_abort_msg("a directory with readers was listed without one");
}

static int lookup_any(struct kvfs_node *dir, const char *name, struct kvfs_node **out)
{
	*out = make_node(&direct_ops);
	return 0;
}

START_TEST(a_directory_with_readers)
{
	static const struct kvfs_dir_ops dir_ops = {
		.lookup = lookup_any, .list = list_without,
		.open = reader_open, .release = reader_release, .list_on = list_on,
	};
	static const struct kvfs_node_ops ops = { .kind = KVFS_NODE_DIR, .destroy = destroy, .dir = &dir_ops };
	struct kvfs_fixed_dir *root = make_dir(NULL, "");
	const struct kvfs_status status = { .root = &root->node };

	kvfs_fixed_dir_add(root, "trace", make_node(&ops));
	nr_rehearsed = 0;
	kvfs_status_rehearse(&status);
	ck_assert_uint_eq(nr_rehearsed, 3);
	ck_assert_uint_eq(nr_readers, 1);
	ck_assert_uint_eq(nr_open_readers, 0);
	kvfs_node_put(&root->node);
}
END_TEST

START_TEST(a_path_that_is_too_long)
{
	struct kvfs_fixed_dir *root = make_dir(NULL, ""), *dir;
	const struct kvfs_kmod kmod = { .fd = -1 };
	const struct kvfs_status status = { .kmod = &kmod, .kmod_reason = "", .root = &root->node };
	char name[300], *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	dir = make_dir(root, "kcore");
	kvfs_fixed_dir_add(dir, name, make_node(&direct_ops));
	kvfs_status_write(&status, out);
	fclose(out);
	ck_assert_ptr_nonnull(strstr(text, "xxx....mode: direct\n"));
	free(text);
	kvfs_node_put(&root->node);
}
END_TEST

UNIT_MAIN("status", what_the_module_can_serve_is_required, what_no_module_can_mend_is_not, the_text_without_a_module,
	  the_text_with_a_module, the_line_at_start, a_tree_with_nothing, rehearsal,
	  a_directory_with_readers, a_path_that_is_too_long)
