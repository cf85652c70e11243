// SPDX-License-Identifier: GPL-2.0-only
#include "node/attrs.h"

#include <errno.h>

#include "unit.h"

static bool at_zero;	/* addresses that are there and are 0 */

static void destroy(struct kvfs_node *node)
{
}

static void describe(struct kvfs_node *node, enum kvfs_mode mode, struct kvfs_desc *out)
{
	out->has_paddr = true;
	out->paddr = at_zero ? 0 : 0xffffffffffffffff;
	out->has_vaddr = at_zero;
	strcpy(out->source, mode == KVFS_MODE_DIRECT ? "module" : "");
}

static const struct kvfs_node_ops file_ops = { .kind = KVFS_NODE_FILE, .destroy = destroy, .describe = describe };
static const struct kvfs_node_ops dir_ops = { .kind = KVFS_NODE_DIR, .destroy = destroy };
static const struct kvfs_err none, why = { .errnum = EPERM, .msg = "why" };
static struct kvfs_node node;

static void assert_attr(enum kvfs_mode mode, const struct kvfs_err *reason, const char *name, const char *want)
{
	char buf[KVFS_ATTRS_MAX];

	ck_assert(kvfs_attrs_exists(name));
	ck_assert_int_eq(kvfs_attrs_get(&node, mode, reason, name, buf), want ? (int)strlen(want) : -ENODATA);
	ck_assert_str_eq(buf, want ? want : "");
}

static void assert_list(enum kvfs_mode mode, const struct kvfs_err *reason, const char *want, size_t len)
{
	char buf[KVFS_ATTRS_MAX];

	ck_assert_uint_eq(kvfs_attrs_list(&node, mode, reason, buf), len);
	ck_assert_mem_eq(buf, want, len);
}

#define ASSERT_LIST(mode, reason, want) assert_list(mode, reason, want, sizeof(want) - 1)

START_TEST(of_a_file)
{
	kvfs_node_init(&node, &file_ops, "file", 5, 1);
	assert_attr(KVFS_MODE_COPY, &why, "user.kview.mode", "copy");
	assert_attr(KVFS_MODE_COPY, &why, "user.kview.reason", "why");
	assert_attr(KVFS_MODE_COPY, &why, "user.kview.source", NULL);
	assert_attr(KVFS_MODE_COPY, &why, "user.kview.paddr", "0xffffffffffffffff");
	assert_attr(KVFS_MODE_COPY, &why, "user.kview.vaddr", NULL);
	assert_attr(KVFS_MODE_DIRECT, &none, "user.kview.reason", NULL);
	assert_attr(KVFS_MODE_DIRECT, &none, "user.kview.source", "module");
	at_zero = true;
	assert_attr(KVFS_MODE_DIRECT, &none, "user.kview.paddr", "0x0");
	assert_attr(KVFS_MODE_DIRECT, &none, "user.kview.vaddr", "0x0");
	ASSERT_LIST(KVFS_MODE_DIRECT, &none,
		    "user.kview.mode\0user.kview.paddr\0user.kview.source\0user.kview.vaddr\0");
	at_zero = false;
	ASSERT_LIST(KVFS_MODE_COPY, &why, "user.kview.mode\0user.kview.paddr\0user.kview.reason\0");
}
END_TEST

START_TEST(of_a_directory)
{
	kvfs_node_init(&node, &dir_ops, "dir", 5, 1);
	assert_attr(KVFS_MODE_DIRECT, &why, "user.kview.mode", NULL);
	assert_attr(KVFS_MODE_DIRECT, &why, "user.kview.reason", NULL);
	ASSERT_LIST(KVFS_MODE_DIRECT, &why, "");
}
END_TEST

START_TEST(names)
{
	size_t n = 0;

	for (; kvfs_attrs_name(n); n++) {
		ck_assert(kvfs_attrs_exists(kvfs_attrs_name(n)));
		if (n > 0)
			ck_assert_int_lt(strcmp(kvfs_attrs_name(n - 1), kvfs_attrs_name(n)), 0);
	}
	ck_assert_uint_eq(n, 5);
	ck_assert(!kvfs_attrs_exists("user.kview"));
	ck_assert(!kvfs_attrs_exists("user.kview.mode.x"));
	ck_assert(!kvfs_attrs_exists("security.capability"));
}
END_TEST

UNIT_MAIN("attrs", of_a_file, of_a_directory, names)
