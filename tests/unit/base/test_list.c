// SPDX-License-Identifier: GPL-2.0-only
#include "base/list.h"

#include "unit.h"

struct element {
	char name;
	struct kvfs_list link;
};

/* The names of the elements in order, and that the links back agree with those forward. */
static void assert_names(struct kvfs_list *head, const char *names)
{
	size_t n = 0;

	kvfs_list_for_each(link, head) {
		ck_assert_int_eq(kvfs_list_entry(link, struct element, link)->name, names[n]);
		ck_assert_ptr_eq(link->prev->next, link);
		n++;
	}
	ck_assert_ptr_eq(head->prev->next, head);
	ck_assert_uint_eq(n, strlen(names));
	ck_assert_int_eq(kvfs_list_is_empty(head), n == 0);
}

static void init(struct element *v, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		v[i].name = (char)('a' + i);
		kvfs_list_init(&v[i].link);
	}
}

START_TEST(adds)
{
	struct kvfs_list head = KVFS_LIST_INIT(head);
	struct element v[4];

	init(v, 4);
	assert_names(&head, "");
	kvfs_list_add(&head, &v[1].link);
	kvfs_list_add(&head, &v[0].link);
	assert_names(&head, "ab");
	kvfs_list_add_tail(&head, &v[3].link);
	kvfs_list_add(&v[1].link, &v[2].link);
	assert_names(&head, "abcd");
}
END_TEST

START_TEST(removes)
{
	struct kvfs_list head = KVFS_LIST_INIT(head);
	struct element v[3];

	init(v, 3);
	for (size_t i = 0; i < 3; i++)
		kvfs_list_add_tail(&head, &v[i].link);
	kvfs_list_remove(&v[1].link);
	assert_names(&head, "ac");
	ck_assert(kvfs_list_is_empty(&v[1].link));
	kvfs_list_remove(&v[1].link);
	assert_names(&head, "ac");
	kvfs_list_add_tail(&v[0].link, &v[1].link);
	assert_names(&head, "bac");
}
END_TEST

START_TEST(pops)
{
	struct kvfs_list head = KVFS_LIST_INIT(head);
	struct element v[2];

	init(v, 2);
	kvfs_list_add_tail(&head, &v[0].link);
	kvfs_list_add_tail(&head, &v[1].link);
	ck_assert_ptr_eq(kvfs_list_pop(&head), &v[0].link);
	ck_assert(kvfs_list_is_empty(&v[0].link));
	ck_assert_ptr_eq(kvfs_list_pop(&head), &v[1].link);
	ck_assert_ptr_null(kvfs_list_pop(&head));
	assert_names(&head, "");
}
END_TEST

START_TEST(elements_can_go_while_they_are_visited)
{
	struct kvfs_list head = KVFS_LIST_INIT(head);

	for (char c = 'a'; c <= 'd'; c++) {
		struct element *element = malloc(sizeof(*element));

		ck_assert_ptr_nonnull(element);
		element->name = c;
		kvfs_list_add_tail(&head, &element->link);
	}
	kvfs_list_for_each_safe(link, &head) {
		struct element *element = kvfs_list_entry(link, struct element, link);

		if (element->name == 'c')
			continue;
		kvfs_list_remove(link);
		free(element);
	}
	assert_names(&head, "c");
	free(kvfs_list_entry(kvfs_list_pop(&head), struct element, link));
}
END_TEST

UNIT_MAIN("list", adds, removes, pops, elements_can_go_while_they_are_visited)
