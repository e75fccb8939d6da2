/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Links, end to end: the good path, trouble while connecting, trouble while linked. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "scene.h"

/* ------------------------------------------------------------------ the good path */

static void connects_writes_and_hears(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0];
	struct radio_stats stats;

	scene_up(t, 0);
	assert_int_equal(t->users[0].mtu, 247);
	assert_int_equal(a->n_start_notify, 1);
	assert_int_equal(scene_write_text(t, 0, "hello"), 0);
	assert_int_equal(scene_write_text(t, 0, "too soon"), -EBUSY);
	UNTIL(t, t->users[0].n_written == 1 && t->users[0].n_bytes == 1);
	assert_int_equal(t->users[0].written_error, 0);
	assert_string_equal(t->users[0].characteristic, FAKE_USDIO);
	assert_memory_equal(t->users[0].bytes, "hello", 5);
	assert_int_equal(t->users[0].n, 5);

	scene_release(t, 0);
	assert_true(scene_in_state(t, 0, "linger"));
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_NONE);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	assert_int_equal(a->n_stop_notify, 1);
	assert_int_equal(a->n_disconnects, 1);
	t->radio->impl->link_stats(t->links[0], &stats);
	assert_int_equal(stats.connects, 1);
	assert_int_equal(stats.attempts, 1);
	assert_int_equal(stats.failures, 0);
	assert_int_equal(stats.losses, 0);
	assert_int_equal(stats.writes, 1);
	assert_true(stats.link_ms > 0);
	assert_string_equal(stats.adapter, HCI);
	/* A known device needs no discovery. */
	assert_int_equal(t->fake.n_start_discovery, 0);

	/* Again, from BlueZ's cache. */
	scene_up(t, 0);
	assert_int_equal(a->n_connects, 2);
}

static void connects_with_the_signal_first(void **state) {
	struct scene *t = *state;

	t->fake.devices[0].connect = CONNECT_SIGNALLED;
	scene_up(t, 0);
}

static void tells_bluez_version(void **state) {
	struct scene *t = *state;
	struct radio_status status;

	t->radio->impl->status(t->radio, &status);
	assert_string_equal(status.bluez_version, "5.66");
	assert_int_equal(status.n_adapters, 1);
	assert_int_equal(status.fault.code, FAULT_NONE);
}

static void keeps_a_lingering_link(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	scene_release(t, 0);
	scene_turn_for(t, 20);
	assert_true(scene_in_state(t, 0, "linger"));
	scene_want(t, 0, RADIO_NEED_UNLOCK);
	UNTIL(t, t->users[0].n_ups == 2);
	scene_turn_for(t, 400); /* longer than linger */
	assert_true(scene_in_state(t, 0, "ready"));
	assert_int_equal(t->fake.devices[0].n_connects, 1);
	assert_int_equal(t->users[0].n_downs, 0);
}

static const struct radio_subscription read_first[] = {
	{ FAKE_SERVICE, FAKE_GDIO, .is_optional = true, .is_read = true },
	{ FAKE_SERVICE, FAKE_USDIO, .is_optional = false },
	{ .characteristic = NULL },
};

static void subscribe_otherwise(struct scene *t, const struct radio_subscription *subscriptions) {
	scene_link_free(t, 0);
	t->subscriptions = subscriptions;
	(void) scene_link_new(t, 0, A, true);
}

static void tells_what_it_read_behind_up(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	a->read_text = "ASL-03";
	subscribe_otherwise(t, read_first);
	scene_up(t, 0);
	UNTIL(t, t->users[0].n_bytes == 1);
	assert_string_equal(t->users[0].characteristic, FAKE_GDIO);
	assert_int_equal(t->users[0].n, 6);
	assert_memory_equal(t->users[0].bytes, "ASL-03", 6);
	assert_int_equal(a->n_start_notify, 1); /* the other one */

	/* Once for each link. */
	scene_release(t, 0);
	scene_want(t, 0, RADIO_NEED_UNLOCK);
	UNTIL(t, t->users[0].n_ups == 2);
	scene_turn_for(t, 20);
	assert_int_equal(t->users[0].n_bytes, 1);
	assert_int_equal(a->n_reads, 1);
	scene_release(t, 0);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	assert_int_equal(a->n_stop_notify, 1);
	scene_up(t, 0);
	UNTIL(t, t->users[0].n_bytes == 2);
}

static void a_read_that_is_not_answered_holds_nothing_up(void **state) {
	struct scene *t = *state;

	subscribe_otherwise(t, read_first);
	scene_up(t, 0);
	assert_int_equal(t->fake.devices[0].n_reads, 1);
	assert_int_equal(t->users[0].n_bytes, 0);
	assert_int_equal(t->users[0].n_downs, 0);
}

static void writes_as_the_characteristic_takes_it(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0], *b = &t->fake.devices[1];

	b->is_command_only = true;
	scene_up(t, 0);
	scene_up(t, 1);
	assert_int_equal(scene_write_text(t, 0, "one"), 0);
	assert_int_equal(scene_write_text(t, 1, "two"), 0);
	UNTIL(t, t->users[0].n_written == 1 && t->users[1].n_written == 1);
	assert_string_equal(a->write_type, "request");
	assert_string_equal(b->write_type, "command");
}

static void want_while_closing_connects_anew(void **state) {
	struct scene *t = *state;

	t->fake.devices[0].disconnect_ms = 60;
	scene_up(t, 0);
	scene_drop(t, 0);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_NONE);
	assert_true(scene_in_state(t, 0, "disconnecting"));
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_ups == 2);
	assert_int_equal(t->users[0].n_downs, 1);
	assert_int_equal(t->fake.devices[0].n_connects, 2);
}

static void want_before_down_is_answered_by_it(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	scene_drop(t, 0);
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 1 && scene_in_state(t, 0, "idle"));
	assert_int_equal(t->fake.devices[0].n_connects, 1);
}

static void refuses_impossible_writes(void **state) {
	struct scene *t = *state;
	uint8_t large[513] = { 0 };

	assert_int_equal(scene_write_text(t, 0, "x"), -ENOTCONN);
	scene_up(t, 0);
	assert_int_equal(
		t->radio->impl->write(t->links[0], FAKE_USDIO, large, sizeof(large)), -EMSGSIZE);
	assert_int_equal(t->radio->impl->write(t->links[0], "ffff", large, 1), -ENOENT);
	assert_int_equal(t->radio->impl->write(t->links[0], FAKE_USDIO, large, 512), 0);
	UNTIL(t, t->users[0].n_written == 1);
	assert_int_equal(t->users[0].written_error, 0);
}

/* ------------------------------------------------------------------ trouble while connecting */

static void retries_a_flip(void **state) {
	struct scene *t = *state;
	struct radio_stats stats;

	t->fake.devices[0].n_fail_connects = 2;
	scene_up(t, 0);
	assert_int_equal(t->fake.devices[0].n_connects, 3);
	t->radio->impl->link_stats(t->links[0], &stats);
	assert_int_equal(stats.attempts, 3);
	assert_int_equal(stats.failures, 2);
	assert_int_equal(stats.connects, 1);
}

static void gives_up_after_three_attempts(void **state) {
	struct scene *t = *state;

	t->fake.devices[0].connect = CONNECT_FLIP;
	scene_want(t, 0, RADIO_NEED_UNLOCK);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LOCK_UNREACHABLE);
	assert_non_null(strstr(t->users[0].fault.detail, "3 attempts"));
	assert_non_null(strstr(t->users[0].fault.detail, "le-connection-abort-by-local"));
	assert_int_equal(t->fake.devices[0].n_connects, 3);
	assert_true(scene_in_state(t, 0, "idle"));
}

static void cancels_a_pending_connect(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	a->connect = CONNECT_PENDING;
	scene_is_inside = true;
	t->radio->impl->want(t->links[0], RADIO_NEED_LOCK, 8000);
	scene_is_inside = false;
	UNTIL(t, t->users[0].n_downs == 1);
	/* Nothing was ever heard of it, so that is what is said. */
	assert_int_equal(t->users[0].fault.code, FAULT_LOCK_NOT_HEARD);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	assert_int_equal(a->n_connects, 1);
	assert_int_equal(a->n_disconnects, 1);
	assert_null(a->pending_connect);
	/* And the way is free again. */
	a->connect = CONNECT_QUIET;
	scene_up(t, 0);
}

static void release_cancels_a_pending_want(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	a->connect = CONNECT_PENDING;
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, a->n_connects == 1);
	scene_release(t, 0);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_NONE);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	assert_int_equal(a->n_disconnects, 1);
}

static void does_not_believe_a_hollow_success(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	a->connect = CONNECT_HOLLOW;
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, a->n_disconnects == 1);
	a->connect = CONNECT_QUIET;
	UNTIL(t, t->users[0].n_ups == 1);
	assert_int_equal(a->n_connects, 2);
}

static void reports_a_lasting_error_at_once(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	a->connect = CONNECT_ERROR;
	a->error_name = "org.freedesktop.DBus.Error.AccessDenied";
	a->error_text = "Rejected send message";
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_BLUEZ_DENIED);
	assert_int_equal(a->n_connects, 1);
}

static void waits_for_late_services(void **state) {
	struct scene *t = *state;

	t->fake.devices[0].gatt_delay_ms = 15; /* the grace is 25 */
	scene_up(t, 0);
	assert_int_equal(t->fake.devices[0].n_connects, 1);
}

static void climbs_the_cache_ladder(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	a->has_usdio = false;
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, a->n_removes == 1);
	assert_int_equal(a->n_connects, 2);
	UNTIL(t, scene_in_state(t, 0, "finding") && t->fake.adapters[0].is_discovering);
	a->has_usdio = true;
	a->rssi = -60;
	fake_device_show(a);
	UNTIL(t, t->users[0].n_ups == 1);
	assert_int_equal(a->n_connects, 3);
	UNTIL(t, !t->fake.adapters[0].is_discovering);
}

static void freeing_on_the_ladder_is_safe(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	a->has_usdio = false;
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, a->n_connects == 2 && scene_in_state(t, 0, "backoff"));
	scene_link_free(t, 0); /* RemoveDevice is on its way */
	scene_turn_for(t, 50);
	assert_int_equal(a->n_removes, 1);
}

static void leaves_a_bonded_device_alone(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	a->is_bonded = true;
	fake_device_hide(a);
	UNTIL(t, scene_in_state(t, 0, "absent"));
	fake_device_show(a);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	a->has_usdio = false;
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_GATT_MISMATCH);
	assert_int_equal(a->n_removes, 0);
}

static void gives_up_on_services_that_never_come(void **state) {
	struct scene *t = *state;

	t->fake.devices[0].is_resolve_withheld = true;
	scene_is_inside = true;
	t->radio->impl->want(t->links[0], RADIO_NEED_LOCK, 40000);
	scene_is_inside = false;
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LOCK_UNREACHABLE);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	assert_false(t->fake.devices[0].is_connected);
}

static void says_stuck_when_nothing_lets_go(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	scene_up(t, 0);
	a->is_disconnect_swallowed = true;
	scene_drop(t, 0);
	UNTIL(t, scene_in_state(t, 0, "stuck"));
	assert_int_equal(a->n_disconnects, 2);
	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 2);
	assert_int_equal(t->users[0].fault.code, FAULT_LINK_STUCK);
	fake_device_drop(a);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	a->is_disconnect_swallowed = false;
	scene_up(t, 0);
}

/* ------------------------------------------------------------------ trouble while linked */

static void lost_link_is_told(void **state) {
	struct scene *t = *state;
	struct radio_stats stats;

	scene_up(t, 0);
	fake_device_drop(&t->fake.devices[0]);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LINK_LOST);
	assert_true(scene_in_state(t, 0, "idle"));
	t->radio->impl->link_stats(t->links[0], &stats);
	assert_int_equal(stats.losses, 1);
	scene_up(t, 0);
}

static void lost_link_while_lingering_is_no_fault(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	scene_release(t, 0);
	fake_device_drop(&t->fake.devices[0]);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_NONE);
}

static void write_fails(struct scene *t, enum fake_write how, const char *name, const char *text) {
	struct fake_device *a = &t->fake.devices[0];

	a->write = how;
	a->error_name = name;
	a->error_text = text;
	assert_int_equal(scene_write_text(t, 0, "unlock"), 0);
	UNTIL(t, t->users[0].n_written == 1);
}

static void lost_in_a_write_is_maybe_sent(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	write_fails(t, WRITE_DROP, NULL, NULL);
	assert_int_equal(t->users[0].written_error, -ECONNRESET);
	assert_int_equal(t->users[0].written_sent, RADIO_MAYBE_SENT);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LINK_LOST);
}

static void att_lost_is_maybe_sent(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	write_fails(t, WRITE_ATT_LOST, NULL, NULL);
	assert_int_equal(t->users[0].written_error, -ECONNRESET);
	assert_int_equal(t->users[0].written_sent, RADIO_MAYBE_SENT);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LINK_LOST);
}

static void a_stalled_write_ends_the_link(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	write_fails(t, WRITE_STALL, NULL, NULL);
	assert_int_equal(t->users[0].written_error, -ETIMEDOUT);
	assert_int_equal(t->users[0].written_sent, RADIO_MAYBE_SENT);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LOCK_SILENT);
	UNTIL(t, scene_in_state(t, 0, "idle"));
	assert_int_equal(t->fake.devices[0].n_disconnects, 1);
}

static void a_phantom_link_is_not_sent(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	write_fails(t, WRITE_ERROR, "org.bluez.Error.Failed", "Not connected");
	assert_int_equal(t->users[0].written_error, -ENOTCONN);
	assert_int_equal(t->users[0].written_sent, RADIO_NOT_SENT);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LINK_LOST);
	UNTIL(t, scene_in_state(t, 0, "idle"));
}

static void an_application_error_keeps_the_link(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	write_fails(
		t, WRITE_ERROR, "org.bluez.Error.Failed", "Operation failed with ATT error: 0x80");
	assert_int_equal(t->users[0].written_error, -EPROTO);
	scene_turn_for(t, 30);
	assert_true(scene_in_state(t, 0, "ready"));
	assert_int_equal(t->users[0].n_downs, 0);
}

static void stale_handles_are_a_mismatch(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	t->fake.devices[0].handle = 0x20; /* new firmware */
	assert_int_equal(scene_write_text(t, 0, "unlock"), 0);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].written_error, -ENOENT);
	assert_int_equal(t->users[0].written_sent, RADIO_NOT_SENT);
	assert_int_equal(t->users[0].fault.code, FAULT_GATT_MISMATCH);
	scene_up(t, 0);
	assert_int_equal(scene_write_text(t, 0, "unlock"), 0);
	UNTIL(t, t->users[0].n_written == 2);
	assert_int_equal(t->users[0].written_error, 0);
}

static void dropping_in_a_write_tells_both(void **state) {
	struct scene *t = *state;

	t->fake.devices[0].write = WRITE_STALL;
	scene_up(t, 0);
	assert_int_equal(scene_write_text(t, 0, "x"), 0);
	scene_turn_for(t, 5);
	scene_drop(t, 0);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].n_written, 1);
	assert_int_equal(t->users[0].written_error, -ECANCELED);
	assert_int_equal(t->users[0].written_sent, RADIO_MAYBE_SENT);
}

static void a_removed_device_is_a_lost_link(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	fake_device_hide(&t->fake.devices[0]);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LINK_LOST);
	assert_true(scene_in_state(t, 0, "absent"));
}

static void all_of_a_burst_arrives(void **state) {
	struct scene *t = *state;

	scene_up(t, 0);
	for (unsigned i = 0; i < 300; i++) {
		uint8_t value[2] = { (uint8_t) i, (uint8_t) (i >> 8) };
		fake_device_value(&t->fake.devices[0], value, sizeof(value));
	}
	UNTIL(t, t->users[0].n_bytes == 300);
	assert_int_equal(t->users[0].bytes[0], 299 & 0xff);
}

static void freeing_in_any_state_is_safe(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	for (unsigned turns = 0; turns < 25; turns++) {
		unsigned n_ups = t->users[0].n_ups;
		scene_want(t, 0, RADIO_NEED_LOCK);
		for (unsigned i = 0; i < turns; i++) {
			scene_turn(t);
		}
		n_ups = t->users[0].n_ups;
		scene_link_free(t, 0);
		UNTIL(t, !a->is_connected && a->pending_connect == NULL);
		assert_int_equal(t->users[0].n_ups, n_ups);
		assert_int_equal(t->users[0].n_downs, 0);
		scene_link_new(t, 0, A, false);
		scene_turn_for(t, 5);
	}
	scene_up(t, 0);
}
/* A stall of ours: answers lie in the socket while deadlines are over. */
static void a_stall_of_ours_is_no_timeout(void **state) {
	struct scene *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	scene_want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, a->n_connects == 1);
	while (!a->is_resolved) {
		scene_clock_turn();
		fake_turn(&t->fake);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	fake_bus_settle(&t->fake);
	scene_clock_skip(1300); /* Connect's deadline is 1000 */
	UNTIL(t, t->users[0].n_ups == 1);
	assert_int_equal(a->n_connects, 1);
	assert_int_equal(a->n_disconnects, 0);
}

static void many_cycles_leak_nothing(void **state) {
	struct scene *t = *state;

	for (unsigned i = 0; i < 40; i++) {
		t->fake.devices[0].disconnect_ms = 1;
		scene_up(t, 0);
		assert_int_equal(scene_write_text(t, 0, "x"), 0);
		UNTIL(t, t->users[0].n_written == i + 1);
		scene_drop(t, 0);
		UNTIL(t, scene_in_state(t, 0, "idle"));
	}
	assert_int_equal(t->fake.devices[0].n_connects, 40);
	assert_int_equal(t->fake.devices[0].n_stop_notify, 40);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		ONE(connects_writes_and_hears),
		ONE(tells_what_it_read_behind_up),
		ONE(a_read_that_is_not_answered_holds_nothing_up),
		IN(scene_setup_four, writes_as_the_characteristic_takes_it),
		ONE(connects_with_the_signal_first),
		ONE(tells_bluez_version),
		ONE(keeps_a_lingering_link),
		ONE(want_while_closing_connects_anew),
		ONE(want_before_down_is_answered_by_it),
		ONE(refuses_impossible_writes),
		ONE(retries_a_flip),
		ONE(gives_up_after_three_attempts),
		ONE(cancels_a_pending_connect),
		ONE(release_cancels_a_pending_want),
		ONE(does_not_believe_a_hollow_success),
		ONE(reports_a_lasting_error_at_once),
		ONE(waits_for_late_services),
		ONE(climbs_the_cache_ladder),
		ONE(freeing_on_the_ladder_is_safe),
		ONE(leaves_a_bonded_device_alone),
		ONE(gives_up_on_services_that_never_come),
		ONE(says_stuck_when_nothing_lets_go),
		ONE(lost_link_is_told),
		ONE(lost_link_while_lingering_is_no_fault),
		ONE(lost_in_a_write_is_maybe_sent),
		ONE(att_lost_is_maybe_sent),
		ONE(a_stalled_write_ends_the_link),
		ONE(a_phantom_link_is_not_sent),
		ONE(an_application_error_keeps_the_link),
		ONE(stale_handles_are_a_mismatch),
		ONE(dropping_in_a_write_tells_both),
		ONE(a_removed_device_is_a_lost_link),
		ONE(all_of_a_burst_arrives),
		ONE(freeing_in_any_state_is_safe),
		ONE(a_stall_of_ours_is_no_timeout),
		ONE(many_cycles_leak_nothing),
	};

	scene_prepare();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
