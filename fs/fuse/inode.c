// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file of a FUSE mount has three numbers:
 *
 *  node id     in requests of the kernel. It is valid from the reply that introduced it until as
 *              many FORGETs have arrived as there were such replies.
 *  st_ino      seen by user space, in stat(2) and readdir(3).
 *  generation  distinguishes two files that had the same node id one after the other. Only an NFS
 *              server remembers node ids for so long.
 *
 * Many servers use the address of a structure as the node id. A request with a stale id is then a
 * use after free, and st_ino is a second number to be kept unique. Here they are one number: node
 * id = st_ino = kvfs_node.ino, which the provider derives from what is shown, such as the address
 * of a symbol. The same ino means the same bytes, so an id can be forgotten and come back, the
 * generation is always 0, and a stale id is not found, which is ESTALE. The root's ino is 1, as
 * FUSE requires.
 *
 * Several names can have one ino (aliases of a symbol). They are hard links, and the node that was
 * looked up first serves all of them. So there is one node for each inode, as FUSE requires of
 * backing files.
 *
 * nlookup counts replies, not names. It is increased before the reply is sent, because another
 * thread can receive the FORGET before fuse_reply_entry() returns, and decreased again if that
 * reply did not reach the kernel.
 */
#include "fuse/inode.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/hash.h"

struct inode {
	struct inode *next;		/* in its bucket */
	struct kvfs_node *node;		/* a reference */
	uint64_t nlookup;
};

struct kvfs_inodes {
	pthread_mutex_t lock;		/* all below */
	struct inode **buckets;
	size_t nr_buckets;		/* a power of two */
	size_t count;
};

#define MIN_BUCKETS 64

static size_t bucket_of(uint64_t ino, size_t nr_buckets)
{
	return kvfs_hash_u64(ino) & (nr_buckets - 1);
}

static struct inode **find(struct kvfs_inodes *inodes, uint64_t ino)
{
	struct inode **p = &inodes->buckets[bucket_of(ino, inodes->nr_buckets)];

	while (*p && (*p)->node->ino != ino)
		p = &(*p)->next;
	return p;
}

/* Chains only get longer if there is no memory for more buckets. */
static void resize(struct kvfs_inodes *inodes, size_t nr_buckets)
{
	struct inode **buckets = calloc(nr_buckets, sizeof(*buckets));

	if (!buckets)
		return;
	for (size_t i = 0; i < inodes->nr_buckets; i++) {
		while (inodes->buckets[i]) {
			struct inode *inode = inodes->buckets[i];
			size_t b = bucket_of(inode->node->ino, nr_buckets);

			inodes->buckets[i] = inode->next;
			inode->next = buckets[b];
			buckets[b] = inode;
		}
	}
	free(inodes->buckets);
	inodes->buckets = buckets;
	inodes->nr_buckets = nr_buckets;
}

int kvfs_inodes_create(struct kvfs_node *root, struct kvfs_inodes **out)
{
	struct kvfs_inodes *inodes = calloc(1, sizeof(*inodes));

	assert(root->ino == KVFS_INO_ROOT);
	if (!inodes)
		return -ENOMEM;
	pthread_mutex_init(&inodes->lock, NULL);
	inodes->nr_buckets = MIN_BUCKETS;
	inodes->buckets = calloc(inodes->nr_buckets, sizeof(*inodes->buckets));
	if (!inodes->buckets || !kvfs_inodes_enter(inodes, kvfs_node_get(root))) {
		kvfs_inodes_destroy(inodes);
		return -ENOMEM;
	}
	/* The table keeps its own reference; that of enter() is not needed. */
	kvfs_node_put(root);
	*out = inodes;
	return 0;
}

void kvfs_inodes_destroy(struct kvfs_inodes *inodes)
{
	if (!inodes)
		return;
	for (size_t i = 0; inodes->buckets && i < inodes->nr_buckets; i++) {
		while (inodes->buckets[i]) {
			struct inode *inode = inodes->buckets[i];

			inodes->buckets[i] = inode->next;
			kvfs_node_put(inode->node);
			free(inode);
		}
	}
	free(inodes->buckets);
	pthread_mutex_destroy(&inodes->lock);
	free(inodes);
}

struct kvfs_node *kvfs_inodes_enter(struct kvfs_inodes *inodes, struct kvfs_node *node)
{
	struct kvfs_node *canon = NULL;
	struct inode **p;

	pthread_mutex_lock(&inodes->lock);
	p = find(inodes, node->ino);
	if (!*p) {
		struct inode *inode = calloc(1, sizeof(*inode));

		if (inode) {
			inode->node = kvfs_node_get(node);
			*p = inode;
			inodes->count++;
		}
	}
	if (*p) {
		(*p)->nlookup++;
		canon = kvfs_node_get((*p)->node);
		if (inodes->count > 2 * inodes->nr_buckets)
			resize(inodes, 2 * inodes->nr_buckets);
	}
	pthread_mutex_unlock(&inodes->lock);
	kvfs_node_put(node);
	return canon;
}

struct kvfs_node *kvfs_inodes_get(struct kvfs_inodes *inodes, uint64_t nodeid)
{
	struct kvfs_node *node = NULL;
	struct inode **p;

	pthread_mutex_lock(&inodes->lock);
	p = find(inodes, nodeid);
	if (*p)
		node = kvfs_node_get((*p)->node);
	pthread_mutex_unlock(&inodes->lock);
	return node;
}

bool kvfs_inodes_forget(struct kvfs_inodes *inodes, uint64_t nodeid, uint64_t nlookup)
{
	struct inode *dead = NULL;
	struct inode **p;

	/* The kernel never looks the root up, but may forget it at unmount. */
	if (nodeid == KVFS_INO_ROOT)
		return false;
	pthread_mutex_lock(&inodes->lock);
	p = find(inodes, nodeid);
	if (*p) {
		(*p)->nlookup -= nlookup < (*p)->nlookup ? nlookup : (*p)->nlookup;
		if ((*p)->nlookup == 0) {
			dead = *p;
			*p = dead->next;
			inodes->count--;
		}
		if (inodes->nr_buckets > MIN_BUCKETS && inodes->count < inodes->nr_buckets / 4)
			resize(inodes, inodes->nr_buckets / 2);
	}
	pthread_mutex_unlock(&inodes->lock);
	if (!dead)
		return false;
	kvfs_node_put(dead->node);
	free(dead);
	return true;
}

size_t kvfs_inodes_count(struct kvfs_inodes *inodes)
{
	size_t count;

	pthread_mutex_lock(&inodes->lock);
	count = inodes->count;
	pthread_mutex_unlock(&inodes->lock);
	return count;
}
