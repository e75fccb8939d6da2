/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scheduler.h"

static const mono_t now = { 10000000 };

static mono_t ago(int64_t ms) {
	return (mono_t){ now.ms - ms };
}

struct scene {
	struct sched_adapter adapters[ADAPTERS_MAX];
	struct sched_item item;
};

/* One adapter with 3 slots that knows the device. */
static struct scene scene_of(enum radio_need need) {
	struct scene scene = { .item = { .need = need } };

	scene.adapters[0] = (struct sched_adapter){ .is_usable = true, .slots = 3 };
	scene.item.views[0] = (struct sched_view){ .is_known = true, .rssi = -60 };
	return scene;
}

static enum sched_verdict verdict(const struct scene *scene) {
	return sched_choose(scene->adapters, &scene->item).verdict;
}

static void lock_goes_before_unlock_before_the_rest(void **state) {
	(void) state;
	assert_true(sched_compare(RADIO_NEED_LOCK, ago(0), RADIO_NEED_UNLOCK, ago(5000), now) < 0);
	assert_true(sched_compare(RADIO_NEED_UNLOCK, ago(0), RADIO_NEED_EVENT, ago(5000), now) < 0);
	assert_true(
		sched_compare(RADIO_NEED_EVENT, ago(0), RADIO_NEED_BACKGROUND, ago(1), now) < 0);
	assert_true(sched_compare(RADIO_NEED_BACKGROUND, ago(0), RADIO_NEED_LOCK, ago(1), now) > 0);
}

static void among_equals_the_longest_wait_counts(void **state) {
	(void) state;
	assert_true(sched_compare(RADIO_NEED_LOCK, ago(2), RADIO_NEED_LOCK, ago(1), now) < 0);
	assert_true(sched_compare(RADIO_NEED_LOCK, ago(1), RADIO_NEED_LOCK, ago(2), now) > 0);
	assert_int_equal(sched_compare(RADIO_NEED_LOCK, ago(1), RADIO_NEED_LOCK, ago(1), now), 0);
}

static void nothing_starves_but_people_stay_first(void **state) {
	mono_t old = ago(SCHED_AGEING_MS);

	(void) state;
	assert_true(sched_compare(RADIO_NEED_BACKGROUND, old, RADIO_NEED_EVENT, ago(9), now) < 0);
	assert_true(sched_compare(RADIO_NEED_BACKGROUND, old, RADIO_NEED_UNLOCK, ago(0), now) > 0);
}

static void a_free_adapter_is_given(void **state) {
	struct scene scene = scene_of(RADIO_NEED_BACKGROUND);

	(void) state;
	assert_int_equal(verdict(&scene), SCHED_CONNECT);
}

static void without_an_adapter_it_waits(void **state) {
	struct scene scene = scene_of(RADIO_NEED_LOCK);

	(void) state;
	scene.adapters[0].is_usable = false;
	assert_int_equal(verdict(&scene), SCHED_WAIT);
	scene.item.views[0].is_known = false;
	assert_int_equal(verdict(&scene), SCHED_WAIT);
}

static void an_unknown_device_must_be_found(void **state) {
	struct scene scene = scene_of(RADIO_NEED_LOCK);

	(void) state;
	scene.item.views[0].is_known = false;
	assert_int_equal(verdict(&scene), SCHED_FIND);
	/* Known elsewhere, but that adapter is off. */
	scene.item.views[1].is_known = true;
	assert_int_equal(verdict(&scene), SCHED_FIND);
	scene.adapters[1] = (struct sched_adapter){ .is_usable = true, .slots = 1 };
	assert_int_equal(verdict(&scene), SCHED_CONNECT);
}

static void one_connects_at_a_time(void **state) {
	struct scene scene = scene_of(RADIO_NEED_LOCK);

	(void) state;
	scene.adapters[0].is_connecting = true;
	scene.adapters[0].used = 1;
	assert_int_equal(verdict(&scene), SCHED_WAIT);
}

static void the_last_slot_is_kept_for_people(void **state) {
	struct scene scene = scene_of(RADIO_NEED_BACKGROUND);

	(void) state;
	scene.adapters[0].used = 2;
	assert_int_equal(verdict(&scene), SCHED_WAIT);
	scene.item.need = RADIO_NEED_EVENT;
	assert_int_equal(verdict(&scene), SCHED_WAIT);
	scene.item.need = RADIO_NEED_UNLOCK;
	assert_int_equal(verdict(&scene), SCHED_CONNECT);
	/* With two slots or one there is nothing to keep. */
	scene.item.need = RADIO_NEED_BACKGROUND;
	scene.adapters[0].slots = 2;
	scene.adapters[0].used = 1;
	assert_int_equal(verdict(&scene), SCHED_CONNECT);
}

static void people_push_out_lingering_links(void **state) {
	struct scene scene = scene_of(RADIO_NEED_UNLOCK);

	(void) state;
	scene.adapters[0].used = 3;
	assert_int_equal(verdict(&scene), SCHED_WAIT);
	scene.adapters[0].n_lingering = 1;
	assert_int_equal(verdict(&scene), SCHED_EVICT);
	scene.adapters[0].n_closing = 1; /* a slot is on its way already */
	assert_int_equal(verdict(&scene), SCHED_WAIT);
	scene.adapters[0].n_closing = 0;
	scene.item.need = RADIO_NEED_EVENT;
	assert_int_equal(verdict(&scene), SCHED_WAIT);
}

/* Two adapters: which? */
static struct scene pair_of(int16_t first, int16_t second) {
	struct scene scene = scene_of(RADIO_NEED_LOCK);

	scene.item.views[0].rssi = first;
	scene.adapters[1] = scene.adapters[0];
	scene.item.views[1] = (struct sched_view){ .is_known = true, .rssi = second };
	return scene;
}

static unsigned chosen(const struct scene *scene) {
	struct sched_choice choice = sched_choose(scene->adapters, &scene->item);

	assert_int_equal(choice.verdict, SCHED_CONNECT);
	return choice.adapter;
}

static void the_better_signal_wins(void **state) {
	struct scene scene = pair_of(-80, -60);

	(void) state;
	assert_int_equal(chosen(&scene), 1);
	scene = pair_of(-60, -80);
	assert_int_equal(chosen(&scene), 0);
	scene = pair_of(0, -90); /* one has not heard it */
	assert_int_equal(chosen(&scene), 1);
}

static void trouble_costs_signal(void **state) {
	struct scene scene = pair_of(-60, -62);

	(void) state;
	assert_int_equal(chosen(&scene), 0);
	scene.item.views[0].failures = 1;
	assert_int_equal(chosen(&scene), 1);
	scene = pair_of(-60, -62);
	scene.adapters[0].is_suspect = true;
	assert_int_equal(chosen(&scene), 1);
	scene = pair_of(-60, -62);
	scene.adapters[0].used = 2; /* its last one */
	assert_int_equal(chosen(&scene), 1);
	scene = pair_of(-60, -90);
	scene.item.views[0].failures = 1; /* not enough against 30 dB */
	assert_int_equal(chosen(&scene), 0);
}

static void a_busy_adapter_leads_to_the_other(void **state) {
	struct scene scene = pair_of(-50, -80);

	(void) state;
	scene.adapters[0].is_connecting = true;
	assert_int_equal(chosen(&scene), 1);
	scene.adapters[0].is_connecting = false;
	scene.adapters[0].used = 3;
	assert_int_equal(chosen(&scene), 1);
}

/* ------------------------------------------------------------------ fewer slots */

static const mono_t lesson_now = { 1000 };

static void two_refusals_and_a_success_with_fewer_teach(void **state) {
	struct sched_lesson lesson = { 0 };

	(void) state;
	sched_refused(&lesson, 3, lesson_now, 100);
	sched_refused(&lesson, 2, lesson_now, 100);
	assert_int_equal(sched_accepted(&lesson, 1, lesson_now, 100), 2);
	/* Once. */
	assert_int_equal(sched_accepted(&lesson, 1, lesson_now, 100), 0);
}

static void less_teaches_nothing(void **state) {
	const mono_t later = { 1000 + SCHED_LESSON_MS + 1 };
	struct sched_lesson lesson = { 0 };

	(void) state;
	/* One failure. */
	sched_refused(&lesson, 2, lesson_now, 100);
	assert_int_equal(sched_accepted(&lesson, 1, lesson_now, 100), 0);
	/* As many others were there when it worked. */
	sched_refused(&lesson, 2, lesson_now, 100);
	sched_refused(&lesson, 2, lesson_now, 100);
	assert_int_equal(sched_accepted(&lesson, 2, lesson_now, 100), 0);
	/* Nobody was there when it failed. */
	sched_refused(&lesson, 2, lesson_now, 100);
	sched_refused(&lesson, 2, lesson_now, 100);
	sched_refused(&lesson, 0, lesson_now, 100);
	assert_int_equal(sched_accepted(&lesson, 1, lesson_now, 100), 0);
	/* It was long ago. */
	sched_refused(&lesson, 2, lesson_now, 100);
	sched_refused(&lesson, 2, lesson_now, 100);
	assert_int_equal(sched_accepted(&lesson, 1, later, 100), 0);
	sched_refused(&lesson, 2, lesson_now, 100);
	sched_refused(&lesson, 2, later, 100);
	assert_int_equal(sched_accepted(&lesson, 1, later, 100), 0);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lock_goes_before_unlock_before_the_rest),
		cmocka_unit_test(among_equals_the_longest_wait_counts),
		cmocka_unit_test(nothing_starves_but_people_stay_first),
		cmocka_unit_test(a_free_adapter_is_given),
		cmocka_unit_test(without_an_adapter_it_waits),
		cmocka_unit_test(an_unknown_device_must_be_found),
		cmocka_unit_test(one_connects_at_a_time),
		cmocka_unit_test(the_last_slot_is_kept_for_people),
		cmocka_unit_test(people_push_out_lingering_links),
		cmocka_unit_test(the_better_signal_wins),
		cmocka_unit_test(trouble_costs_signal),
		cmocka_unit_test(a_busy_adapter_leads_to_the_other),
		cmocka_unit_test(two_refusals_and_a_success_with_fewer_teach),
		cmocka_unit_test(less_teaches_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
