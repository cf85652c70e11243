// SPDX-License-Identifier: GPL-2.0-only
#include "fuse/xattr.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What the attributes of a node are made from. */
struct facts {
	struct kvfs_desc desc;
	struct kvfs_err reason;
	enum kvfs_mode mode;
	bool is_file;
};

static void write_vaddr(const struct facts *facts, char *buf)
{
	if (facts->desc.has_vaddr)
		snprintf(buf, KVFS_XATTR_MAX, "0x%" PRIx64, facts->desc.vaddr);
}

static void write_paddr(const struct facts *facts, char *buf)
{
	if (facts->desc.has_paddr)
		snprintf(buf, KVFS_XATTR_MAX, "0x%" PRIx64, facts->desc.paddr);
}

static void write_source(const struct facts *facts, char *buf)
{
	snprintf(buf, KVFS_XATTR_MAX, "%s", facts->desc.source);
}

static void write_mode(const struct facts *facts, char *buf)
{
	if (facts->is_file)
		snprintf(buf, KVFS_XATTR_MAX, "%s", kvfs_mode_name(facts->mode));
}

static void write_reason(const struct facts *facts, char *buf)
{
	if (facts->reason.errnum)
		snprintf(buf, KVFS_XATTR_MAX, "%s", facts->reason.msg);
}

/* write leaves buf as it is, which is empty, where the attribute does not apply. */
static const struct {
	const char *name;
	void (*write)(const struct facts *facts, char *buf);
} attrs[] = {
	{ "user.kview.mode", write_mode },
	{ "user.kview.paddr", write_paddr },
	{ "user.kview.reason", write_reason },
	{ "user.kview.source", write_source },
	{ "user.kview.vaddr", write_vaddr },
};

#define NR_ATTRS (sizeof(attrs) / sizeof(attrs[0]))

static void find_facts(struct kvfs_backing *backing, struct kvfs_node *node, struct facts *facts)
{
	memset(facts, 0, sizeof(*facts));
	facts->is_file = node->ops->kind == KVFS_NODE_FILE;
	if (facts->is_file)
		kvfs_backing_plan(backing, node, &facts->mode, &facts->reason, NULL);
	kvfs_node_describe(node, facts->mode, &facts->desc);
}

ssize_t kvfs_xattr_get(struct kvfs_backing *backing, struct kvfs_node *node, const char *name,
		       char *buf)
{
	struct facts facts;

	for (size_t i = 0; i < NR_ATTRS; i++) {
		if (strcmp(attrs[i].name, name) != 0)
			continue;
		find_facts(backing, node, &facts);
		buf[0] = '\0';
		attrs[i].write(&facts, buf);
		return buf[0] ? (ssize_t)strlen(buf) : -ENODATA;
	}
	return -ENODATA;
}

ssize_t kvfs_xattr_list(struct kvfs_backing *backing, struct kvfs_node *node, char *buf)
{
	char value[KVFS_XATTR_MAX];
	struct facts facts;
	size_t len = 0;

	find_facts(backing, node, &facts);
	for (size_t i = 0; i < NR_ATTRS; i++) {
		value[0] = '\0';
		attrs[i].write(&facts, value);
		if (!value[0])
			continue;
		memcpy(buf + len, attrs[i].name, strlen(attrs[i].name) + 1);
		len += strlen(attrs[i].name) + 1;
	}
	return len;
}
