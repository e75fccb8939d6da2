/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/list.h"

#include "test.h"

struct item {
	int value;
	struct list link;
};

static void check(struct list *head, const char *expected) {
	char got[32] = "";
	size_t n = 0;
	struct item *item;
	list_for_each(item, head, link) {
		assert_true(n + 1 < sizeof(got));
		got[n++] = (char) ('0' + item->value);
		assert_ptr_equal(item->link.next->prev, &item->link);
	}
	assert_string_equal(got, expected);
}

static void keeps_the_order_of_insertion(void **state) {
	(void) state;
	struct list head;
	struct item a = { .value = 1 };
	struct item b = { .value = 2 };
	struct item c = { .value = 3 };
	list_init(&head);
	assert_true(list_is_empty(&head));
	assert_null(list_first(&head, struct item, link));
	check(&head, "");
	list_append(&head, &b.link);
	list_append(&head, &c.link);
	list_insert(&head, &a.link);
	check(&head, "123");
	assert_ptr_equal(list_first(&head, struct item, link), &a);
	list_remove(&b.link);
	check(&head, "13");
	list_insert(&c.link, &b.link);
	check(&head, "132");
}

static void removing_twice_is_harmless(void **state) {
	(void) state;
	struct list head;
	struct item a = { .value = 1 };
	list_init(&head);
	list_init(&a.link);
	list_remove(&a.link);
	list_append(&head, &a.link);
	list_remove(&a.link);
	list_remove(&a.link);
	assert_true(list_is_empty(&head));
	assert_true(list_is_empty(&a.link));
}

static void safe_walk_survives_freeing_every_member(void **state) {
	(void) state;
	struct list head;
	list_init(&head);
	for (int i = 0; i < 5; i++) {
		struct item *item = calloc(1, sizeof(*item));
		assert_non_null(item);
		item->value = i;
		list_append(&head, &item->link);
	}
	int sum = 0;
	struct item *item;
	struct item *following;
	list_for_each_safe(item, following, &head, link) {
		sum = sum * 10 + item->value;
		list_remove(&item->link);
		free(item);
	}
	assert_int_equal(sum, 1234);
	assert_true(list_is_empty(&head));
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_the_order_of_insertion),
		cmocka_unit_test(removing_twice_is_harmless),
		cmocka_unit_test(safe_walk_survives_freeing_every_member),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
