/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Doubly linked list whose links are members of its elements, so that adding and removing
 * allocate nothing and take constant time. The list is circular through its head, a
 * struct kvfs_list that belongs to no element. No locking: the user's lock protects head and
 * links.
 */
#ifndef KVFS_BASE_LIST_H
#define KVFS_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

/* The head of a list, or the link of an element. A link that is in no list points to itself. */
struct kvfs_list {
	struct kvfs_list *next, *prev;
};

/* The head of an empty list, or a link that is in no list. */
#define KVFS_LIST_INIT(name) { &(name), &(name) }

static inline void kvfs_list_init(struct kvfs_list *list)
{
	list->next = list->prev = list;
}

/* Of a head: tells whether the list has no element. Of a link: whether it is in no list. */
static inline bool kvfs_list_is_empty(const struct kvfs_list *list)
{
	return list->next == list;
}

/* Adds a link that is in no list right after another one, or first if `after` is the head. */
static inline void kvfs_list_add(struct kvfs_list *after, struct kvfs_list *link)
{
	link->prev = after;
	link->next = after->next;
	after->next->prev = link;
	after->next = link;
}

/* Adds a link that is in no list right before another one, or last if `before` is the head. */
static inline void kvfs_list_add_tail(struct kvfs_list *before, struct kvfs_list *link)
{
	kvfs_list_add(before->prev, link);
}

/* Takes a link out of its list. Does nothing if it is in none. */
static inline void kvfs_list_remove(struct kvfs_list *link)
{
	link->prev->next = link->next;
	link->next->prev = link->prev;
	kvfs_list_init(link);
}

/* Takes the first link out of the list. Returns it, or NULL if the list is empty. */
static inline struct kvfs_list *kvfs_list_pop(struct kvfs_list *head)
{
	struct kvfs_list *link = head->next;

	if (link == head)
		return NULL;
	kvfs_list_remove(link);
	return link;
}

/* The element of a type whose member a link is. */
#define kvfs_list_entry(link, type, member) \
	((type *)(void *)((char *)(link) - offsetof(type, member)))

/* Runs a statement with `link` at each element in order. The statement must not remove it. */
#define kvfs_list_for_each(link, head) \
	for (struct kvfs_list *link = (head)->next; link != (head); link = link->next)

/* As kvfs_list_for_each(), but the statement may remove, move or free the element at `link`. */
#define kvfs_list_for_each_safe(link, head) \
	for (struct kvfs_list *link = (head)->next, *link##_next = link->next; link != (head); \
	     link = link##_next, link##_next = link->next)

#endif /* KVFS_BASE_LIST_H */
