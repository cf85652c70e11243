// SPDX-License-Identifier: GPL-2.0-only
#include "node/attrs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* What the attributes of a node are made from. */
struct facts {
	struct kvfs_desc desc;
	const struct kvfs_err *reason;
	enum kvfs_mode mode;
	bool is_file;
};

static void write_vaddr(const struct facts *facts, char *buf)
{
	if (facts->desc.has_vaddr)
		snprintf(buf, KVFS_ATTRS_MAX, "0x%" PRIx64, facts->desc.vaddr);
}

static void write_paddr(const struct facts *facts, char *buf)
{
	if (facts->desc.has_paddr)
		snprintf(buf, KVFS_ATTRS_MAX, "0x%" PRIx64, facts->desc.paddr);
}

static void write_source(const struct facts *facts, char *buf)
{
	snprintf(buf, KVFS_ATTRS_MAX, "%s", facts->desc.source);
}

static void write_mode(const struct facts *facts, char *buf)
{
	if (facts->is_file)
		snprintf(buf, KVFS_ATTRS_MAX, "%s", kvfs_mode_name(facts->mode));
}

static void write_reason(const struct facts *facts, char *buf)
{
	if (facts->is_file && facts->reason->errnum)
		snprintf(buf, KVFS_ATTRS_MAX, "%s", facts->reason->msg);
}

/* Sorted by name. write leaves buf empty where the attribute does not apply. */
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

const char *kvfs_attrs_name(size_t i)
{
	return i < NR_ATTRS ? attrs[i].name : NULL;
}

static size_t find(const char *name)
{
	size_t i = 0;

	while (i < NR_ATTRS && strcmp(attrs[i].name, name) != 0)
		i++;
	return i;
}

bool kvfs_attrs_exists(const char *name)
{
	return find(name) < NR_ATTRS;
}

static void find_facts(struct kvfs_node *node, enum kvfs_mode mode, const struct kvfs_err *reason,
		       struct facts *facts)
{
	facts->is_file = node->ops->kind == KVFS_NODE_FILE;
	facts->mode = facts->is_file ? mode : KVFS_MODE_COPY;
	facts->reason = reason;
	kvfs_node_describe(node, facts->mode, &facts->desc);
}

ssize_t kvfs_attrs_get(struct kvfs_node *node, enum kvfs_mode mode, const struct kvfs_err *reason,
		       const char *name, char *buf)
{
	size_t i = find(name);
	struct facts facts;

	buf[0] = '\0';
	if (i == NR_ATTRS)
		return -ENODATA;
	find_facts(node, mode, reason, &facts);
	attrs[i].write(&facts, buf);
	return buf[0] ? (ssize_t)strlen(buf) : -ENODATA;
}

size_t kvfs_attrs_list(struct kvfs_node *node, enum kvfs_mode mode, const struct kvfs_err *reason, char *buf)
{
	char value[KVFS_ATTRS_MAX];
	struct facts facts;
	size_t len = 0;

	find_facts(node, mode, reason, &facts);
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
