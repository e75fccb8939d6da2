/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "util/auto.h"

#include "test.h"

struct thing {
	int *n_freed;
};

static struct thing *thing_free(struct thing *thing) {
	(*thing->n_freed)++;
	free(thing);
	return NULL;
}
AUTO_DEFINE(struct thing *, thing_free);

static void thing_reset(struct thing *thing) {
	(*thing->n_freed)++;
}

static struct thing *thing_new(int *n_freed) {
	struct thing *thing = malloc(sizeof(*thing));
	assert_non_null(thing);
	thing->n_freed = n_freed;
	return thing;
}

static struct thing *keep_one_of_two(int *n_freed) {
	AUTO(thing_free) struct thing *kept = thing_new(n_freed);
	AUTO(thing_free) struct thing *dropped = thing_new(n_freed);
	AUTO(thing_free) struct thing *none = NULL;
	assert_ptr_not_equal(kept, dropped);
	assert_null(none);
	return STEAL(kept);
}

static void scope_end_frees_what_was_not_stolen(void **state) {
	(void) state;
	int n_freed = 0;
	struct thing *kept = keep_one_of_two(&n_freed);
	assert_non_null(kept);
	assert_int_equal(n_freed, 1);
	thing_free(kept);
	assert_int_equal(n_freed, 2);
}

/* What is leaked here shows under the address sanitizer. */
static void auto_free_takes_any_pointer(void **state) {
	(void) state;
	AUTO(free) char *text = strdup("text");
	AUTO(free) uint32_t *numbers = calloc(4, sizeof(*numbers));
	AUTO(free) void *nothing = NULL;
	assert_string_equal(text, "text");
	assert_int_equal(numbers[3], 0);
	assert_null(nothing);
}

static void auto_value_gets_the_address(void **state) {
	(void) state;
	int n_freed = 0;
	{
		AUTO_VALUE(thing_reset) struct thing thing = { &n_freed };
		assert_int_equal(*thing.n_freed, 0);
	}
	assert_int_equal(n_freed, 1);
}

static void container_is_found_from_its_member(void **state) {
	(void) state;
	struct outer {
		int before;
		struct thing inner;
	} outer = { 0 };
	assert_ptr_equal(container_of(&outer.inner, struct outer, inner), &outer);
	int array[7];
	assert_int_equal(ARRAY_SIZE(array), 7);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scope_end_frees_what_was_not_stolen),
		cmocka_unit_test(auto_free_takes_any_pointer),
		cmocka_unit_test(auto_value_gets_the_address),
		cmocka_unit_test(container_is_found_from_its_member),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
