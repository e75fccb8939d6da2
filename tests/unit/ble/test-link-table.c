/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "link-table.h"

/* A row, or the word that it cannot come: exactly one of them for each pair. */
static void every_pair_is_decided(void **state) {
	(void) state;
	for (unsigned s = 0; s < LINK_STATE_COUNT_; s++) {
		for (unsigned e = 0; e < LINK_EVENT_COUNT_; e++) {
			bool has_row = link_step_find(s, e) != NULL;
			if (has_row == link_step_is_impossible(s, e)) {
				fail_msg("%s, %s: %s", link_state_name(s), link_event_name(e),
					has_row ? "a row, but impossible" : "neither");
			}
		}
	}
}

static void users_may_do_everything_everywhere(void **state) {
	static const enum link_event calls[] = { LINK_EV_WANT, LINK_EV_RELEASE, LINK_EV_DROP,
		LINK_EV_VANISHED, LINK_EV_CLOSED, LINK_EV_RADIO_DOWN, LINK_EV_APPEARED };

	(void) state;
	for (unsigned s = 0; s < LINK_STATE_COUNT_; s++) {
		for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
			if (link_step_find(s, calls[i]) == NULL) {
				fail_msg("%s, %s", link_state_name(s), link_event_name(calls[i]));
			}
		}
	}
}

/* A slot is given back by no other way than through the proof that the link is closed. */
static void slots_are_left_with_proof_only(void **state) {
	(void) state;
	for (unsigned s = 0; s < LINK_STATE_COUNT_; s++) {
		for (unsigned e = 0; e < LINK_EVENT_COUNT_; e++) {
			const struct link_step *step = link_step_find(s, e);
			if (step == NULL || !link_state_holds_slot(s) ||
				link_state_holds_slot(step->next)) {
				continue;
			}
			if (e != LINK_EV_CLOSED && e != LINK_EV_VANISHED &&
				e != LINK_EV_RADIO_DOWN) {
				fail_msg("%s, %s -> %s", link_state_name(s), link_event_name(e),
					link_state_name(step->next));
			}
		}
	}
}

static void slots_are_taken_by_the_scheduler_only(void **state) {
	(void) state;
	for (unsigned s = 0; s < LINK_STATE_COUNT_; s++) {
		for (unsigned e = 0; e < LINK_EVENT_COUNT_; e++) {
			const struct link_step *step = link_step_find(s, e);
			if (step != NULL && !link_state_holds_slot(s) &&
				link_state_holds_slot(step->next)) {
				assert_true(e == LINK_EV_SLOT || e == LINK_EV_ORPHAN);
			}
		}
	}
}

static void every_state_can_be_reached_and_left(void **state) {
	bool is_reached[LINK_STATE_COUNT_] = { [LINK_ABSENT] = true };

	(void) state;
	for (unsigned round = 0; round < LINK_STATE_COUNT_; round++) {
		for (unsigned s = 0; s < LINK_STATE_COUNT_; s++) {
			for (unsigned e = 0; e < LINK_EVENT_COUNT_; e++) {
				const struct link_step *step = link_step_find(s, e);
				if (is_reached[s] && step != NULL) {
					is_reached[step->next] = true;
				}
			}
		}
	}
	for (unsigned s = 0; s < LINK_STATE_COUNT_; s++) {
		bool can_leave = false;
		for (unsigned e = 0; e < LINK_EVENT_COUNT_; e++) {
			const struct link_step *step = link_step_find(s, e);
			can_leave = can_leave || (step != NULL && step->next != s);
		}
		assert_true(is_reached[s]);
		assert_true(can_leave);
	}
}

static void names_are_there(void **state) {
	(void) state;
	for (unsigned s = 0; s < LINK_STATE_COUNT_; s++) {
		assert_non_null(link_state_name(s));
		assert_string_not_equal(link_state_name(s), "?");
	}
	for (unsigned e = 0; e < LINK_EVENT_COUNT_; e++) {
		assert_non_null(link_event_name(e));
		assert_string_not_equal(link_event_name(e), "?");
	}
	assert_string_equal(link_state_name(LINK_STATE_COUNT_), "?");
	assert_string_equal(link_event_name(LINK_EVENT_COUNT_), "?");
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_pair_is_decided),
		cmocka_unit_test(users_may_do_everything_everywhere),
		cmocka_unit_test(slots_are_left_with_proof_only),
		cmocka_unit_test(slots_are_taken_by_the_scheduler_only),
		cmocka_unit_test(every_state_can_be_reached_and_left),
		cmocka_unit_test(names_are_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
