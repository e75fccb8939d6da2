/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a lock lets people choose, and a lock that is paired again as the lock that it is. */

#include <errno.h>

#include "core/people.h"
#include "mock/fake-hub.h"
#include "test.h"
#include "util/text.h"

#define ADDRESS "AA:BB:CC:DD:EE:11"
#define ID "11111111"

static struct fake *fake;
static struct fake_link *door;

static void begin(bool has_pin, const char *kept) {
	fake = fake_new();
	fake->has_settings = true;
	fake->settings[0] = (struct setting){ "Level", "10" };
	fake->settings[1] = (struct setting){ "Light", "off" };
	fake->settings[2] = (struct setting){ "Name", "Door" };
	fake_add_lock(fake, ID, "Front door", has_pin);
	if (kept != NULL) {
		hub_load_setting(fake->hub, "settings." ID, kept);
	}
	fake_start(fake);
	door = fake_link(fake, ADDRESS);
	fake_up(fake, door);
	fake_serve(fake, door, 'L');
	fake_down(fake, door, FAULT_NONE);
	fake->changed = 0;
	fake->n_ops = 0;
	fake->n_events = 0;
}

static int setup(void **state) {
	(void) state;
	begin(true, NULL);
	return 0;
}

static int teardown(void **state) {
	(void) state;
	fake = fake_free(fake);
	return 0;
}

static struct lock *the_lock(void) {
	return hub_lock_at(fake->hub, 0);
}

static int try_put(const char *key, const char *value, struct fault *ret_fault) {
	struct request request = fake_request("front-door", ACT_PUT_SETTING);
	struct op *op = NULL;

	(void) text_copy(request.setting.key, sizeof(request.setting.key), key);
	(void) text_copy(request.setting.value, sizeof(request.setting.value), value);
	return hub_request(fake->hub, &request, &op, ret_fault);
}

static void ask_put(const char *key, const char *value) {
	struct fault fault;

	assert_int_equal(try_put(key, value, &fault), 0);
	fake_turn(fake);
}

static void read_all(void) {
	struct request request = fake_request("front-door", ACT_READ_SETTINGS);
	struct op *op = NULL;
	struct fault fault;

	assert_int_equal(hub_request(fake->hub, &request, &op, &fault), 0);
	fake_turn(fake);
	fake_up(fake, door);
	fake_serve(fake, door, 'L');
}

static const struct op *last(void) {
	assert_true(fake->n_finished > 0);
	return &fake->finished[fake->n_finished - 1];
}

static void serve(void) {
	fake_up(fake, door);
	fake_serve(fake, door, 'L');
}

static void a_value_has_one_form(void **state) {
	size_t n;
	const struct lock_setting *rows = lock_setting_rows(the_lock(), &n);
	char out[SETTING_VALUE_MAX];
	struct fault fault;

	(void) state;
	assert_int_equal(n, 3);
	assert_ptr_equal(setting_find(rows, n, "level"), &rows[0]);
	assert_null(setting_find(rows, n, "Levels"));
	assert_string_equal(setting_nearest(rows, n, "Levl"), "Level");
	assert_int_equal(setting_check(&rows[0], "0", out, NULL), 0);
	assert_int_equal(setting_check(&rows[0], "015", out, NULL), 0);
	assert_string_equal(out, "15");
	assert_int_equal(setting_check(&rows[1], "TRUE", out, NULL), 0);
	assert_string_equal(out, "on");
	const char *const bad[] = { "9", "21", "12", "-15", "", "1e1", "99999999999", "15 " };
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(setting_check(&rows[0], bad[i], out, &fault), -EINVAL);
		assert_non_null(strstr(fault.detail, "0 (off) or 10 to 20 s"));
	}
	assert_int_equal(setting_check(&rows[2], "123456789", out, &fault), -EINVAL);
	assert_int_equal(setting_check(&rows[2], "a\nb", out, &fault), -EINVAL);
}

static void a_change_is_what_the_lock_says(void **state) {
	wall_t at;
	size_t n;

	(void) state;
	ask_put("level", "015");
	serve();
	assert_int_equal(last()->outcome, OP_DONE);
	assert_string_equal(lock_setting(the_lock(), "Level"), "15");
	(void) lock_settings(the_lock(), &n, &at);
	assert_int_equal(n, 3);
	assert_int_equal(at.s, fake->wall.s);
	assert_string_equal(fake_find_event(fake, EVENT_OPERATION_REQUESTED)->text, "Level=15");
	assert_null(fake_find_event(fake, EVENT_LOCK_SETTING));
	assert_string_equal(fake_row(fake, "settings." ID), "Level=15\nLight=off\nName=Door\n");
	assert_true((fake->changed & FACT_SETTINGS) != 0);
	fake->is_setting_ignored = true;
	ask_put("Light", "on");
	serve();
	assert_int_equal(last()->outcome, OP_FAILED);
	assert_int_equal(last()->fault.code, FAULT_LOCK_ERROR);
}

static void what_cannot_be_is_refused(void **state) {
	struct fault fault;

	(void) state;
	assert_true(try_put("Levle", "15", &fault) < 0);
	assert_int_equal(fault.code, FAULT_BAD_ARGUMENT);
	assert_non_null(strstr(fault.detail, "did you mean Level?"));
	assert_true(try_put("Level", "16", &fault) < 0);
	assert_int_equal(fault.code, FAULT_BAD_ARGUMENT);
	fake = fake_free(fake);
	begin(false, NULL);
	assert_true(try_put("Level", "15", &fault) < 0);
	assert_int_equal(fault.code, FAULT_PIN_REQUIRED);
	ask_put("Name", "Gate"); /* this one takes none */
	serve();
	assert_int_equal(last()->outcome, OP_DONE);
}

static void what_others_change_is_news(void **state) {
	const struct event *event;

	(void) state;
	read_all();
	assert_null(fake_find_event(fake, EVENT_LOCK_SETTING)); /* the first time it is none */
	(void) text_copy(fake->settings[1].value, sizeof(fake->settings[1].value), "on");
	read_all();
	event = fake_find_event(fake, EVENT_LOCK_SETTING);
	assert_non_null(event);
	assert_string_equal(event->text, "Light: on, was off");
	fake = fake_free(fake);
	/* Also while the hub did not run. */
	begin(true, "Level=20\nLight=off\nGone=1\n=\nLight\n");
	assert_string_equal(lock_setting(the_lock(), "Level"), "20");
	assert_null(lock_setting(the_lock(), "Gone"));
	read_all();
	event = fake_find_event(fake, EVENT_LOCK_SETTING);
	assert_non_null(event);
	assert_string_equal(event->text, "Level: 10, was 20");
}

/* It was sent, and nobody knows: the lock decides, and it is sent once only. */
static void a_lost_link_is_settled_by_reading(void **state) {
	(void) state;
	for (int is_done = 0; is_done < 2; is_done++) {
		fake->is_setting_ignored = is_done == 0;
		ask_put("Level", "20");
		fake_up(fake, door);
		assert_int_equal(fake_written(door)->bytes[0], 'P');
		fake_confirm(fake, door, 0, RADIO_NOT_SENT);
		fake_down(fake, door, FAULT_LINK_LOST);
		serve();
		assert_int_equal(last()->outcome, is_done ? OP_DONE : OP_FAILED);
		assert_int_equal(fake_count(door, 'P'), is_done + 1);
	}
}

/* ---- paired again ---- */

static struct op *begin_again(struct fault *ret_fault) {
	struct pair_request request = { .address = ADDRESS,
		.origin = REQUEST_DBUS,
		.role = ROLE_MANAGE,
		.actor = "anna",
		.replaces = "front-door" };
	struct op *op = NULL;

	assert_int_equal(hub_scan(fake->hub, 30000, ret_fault), 0);
	fake_heard(fake, ADDRESS, true, false);
	if (hub_pair(fake->hub, &request, &op, ret_fault) < 0) {
		return NULL;
	}
	fake_turn(fake);
	door = fake_link(fake, ADDRESS);
	return op;
}

static void a_lock_is_paired_again_as_itself(void **state) {
	struct lock *before = the_lock();
	struct fault fault;
	size_t n;

	(void) state;
	read_all();
	fake_down(fake, door, FAULT_NONE);
	struct op *op = begin_again(&fault);
	assert_non_null(op);
	/* Meanwhile nothing else can be asked of it. */
	assert_true(try_put("Name", "Gate", &fault) < 0);
	assert_int_equal(fault.code, FAULT_LOCK_BUSY);
	for (size_t i = 0; i < ARRAY_SIZE(fake->settings); i++) {
		(void) text_copy(fake->settings[i].value, SETTING_VALUE_MAX,
			i == 0   ? "0"
			: i == 1 ? "on"
				 : "Door");
	}
	fake_up(fake, door);
	assert_int_equal(fake_written(door)->bytes[0], 'p');
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, "D-", 2);
	assert_int_equal(op->outcome, OP_DONE);
	assert_int_equal(hub_lock_count(fake->hub), 1);
	assert_ptr_equal(the_lock(), before);
	assert_string_equal(op->lock_id, ID);
	assert_string_equal(fake->kept.id, ID);
	assert_string_equal(fake->kept.name, "Front door");
	assert_int_equal(fake->kept.keys.bytes[1], '-'); /* new ones */
	assert_int_equal(fake->n_added, 0);
	assert_int_equal(fake->n_removed, 0);
	/* What it had waits to be put back, on the disk too. */
	(void) lock_settings_wanted(the_lock(), &n);
	assert_int_equal(n, 3);
	assert_string_equal(fake_row(fake, "restore." ID), "Level=10\nLight=off\nName=Door\n");
	door = fake_link(fake, ADDRESS);
	read_all();
	/* The name is as it was; the others are not, and that is no news. */
	(void) lock_settings_wanted(the_lock(), &n);
	assert_int_equal(n, 2);
	assert_null(fake_find_event(fake, EVENT_LOCK_SETTING));
	assert_int_equal(hub_settings_accept(fake->hub, "front-door", &fault), 0);
	fake_turn(fake);
	assert_string_equal(fake_row(fake, "restore." ID), "");
}

static void a_pairing_that_fails_changes_nothing(void **state) {
	struct fault fault;
	size_t n;

	(void) state;
	read_all();
	fake_down(fake, door, FAULT_NONE);
	struct op *op = begin_again(&fault);
	assert_non_null(op);
	fake_up(fake, door);
	fake_confirm(fake, door, 0, RADIO_NOT_SENT);
	fake_answer(fake, door, (const uint8_t[]){ 'F', FAULT_PAIRING_FAILED }, 2);
	assert_int_equal(op->outcome, OP_FAILED);
	fake_turn(fake);
	assert_int_equal(fake->n_puts, 0);
	assert_int_equal(hub_lock_count(fake->hub), 1);
	(void) lock_settings_wanted(the_lock(), &n);
	assert_int_equal(n, 0);
	/* It goes on with the key that it had. */
	door = fake_link(fake, ADDRESS);
	ask_put("Level", "15");
	serve();
	assert_int_equal(last()->outcome, OP_DONE);
}

static void another_lock_is_not_paired_for_it(void **state) {
	struct pair_request request = { .address = ADDRESS,
		.origin = REQUEST_DBUS,
		.role = ROLE_MANAGE,
		.actor = "anna",
		.replaces = "no-such-lock" };
	struct op *op = NULL;
	struct fault fault;

	(void) state;
	assert_int_equal(hub_scan(fake->hub, 30000, &fault), 0);
	fake_heard(fake, ADDRESS, true, false);
	assert_true(hub_pair(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_NO_SUCH_LOCK);
	(void) text_copy(request.replaces, sizeof(request.replaces), ID);
	(void) text_copy(request.name, sizeof(request.name), "New name");
	assert_true(hub_pair(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_BAD_ARGUMENT);
	request.name[0] = '\0';
	request.role = ROLE_OPERATE;
	assert_true(hub_pair(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_DENIED);
	/* One that something is being asked of is not torn away. */
	request.role = ROLE_MANAGE;
	ask_put("Level", "15");
	assert_true(hub_pair(fake->hub, &request, &op, &fault) < 0);
	assert_int_equal(fault.code, FAULT_LOCK_BUSY);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_value_has_one_form, setup, teardown),
		cmocka_unit_test_setup_teardown(a_change_is_what_the_lock_says, setup, teardown),
		cmocka_unit_test_setup_teardown(what_cannot_be_is_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(what_others_change_is_news, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lost_link_is_settled_by_reading, setup, teardown),
		cmocka_unit_test_setup_teardown(a_lock_is_paired_again_as_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(
			a_pairing_that_fails_changes_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(another_lock_is_not_paired_for_it, setup, teardown),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
