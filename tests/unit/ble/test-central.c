/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The central, end to end, against a scripted org.bluez on a private bus that plays the orders and
 * the texts of bluez-traces. Times of ours are shrunk to TIME_PERCENT.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ble/central.h"
#include "fake-bluez.h"
#include "util/log.h"

#define TIME_PERCENT 5 /* Connect's 20 s become 1 s */
#define A "54:D2:72:00:00:01"
#define B "54:D2:72:00:00:02"
#define C "54:D2:72:00:00:03"
#define D "54:D2:72:00:00:04"
#define HCI "00:AA:01:00:00:00"
#define PATIENCE 30000

struct user {
	unsigned n_ups, n_downs, n_bytes, n_written, n_heard;
	unsigned mtu;
	struct fault fault;
	int written_error;
	enum radio_sent written_sent;
	char characteristic[RADIO_UUID_MAX];
	uint8_t bytes[512];
	size_t n;
	struct advert advert;
	bool is_inside; /* the test is inside a call of the door */
};

struct test {
	struct fake fake;
	struct loop *loop;
	struct central *central;
	struct radio *radio;
	struct user users[8];
	struct radio_link *links[8];
	unsigned n_scan_heard, n_scan_ended;
	struct fault scan_fault;
	struct advert scan_advert;
};

static bool is_inside; /* a call of the door: no callback may come */

static void on_up(void *user, unsigned mtu) {
	struct user *u = user;

	assert_false(is_inside);
	assert_int_equal(u->n_ups - u->n_downs, 0);
	u->n_ups++;
	u->mtu = mtu;
}

static void on_up_again(void *user, unsigned mtu) {
	struct user *u = user;

	assert_false(is_inside);
	u->n_ups++;
	u->mtu = mtu;
}

static void on_down(void *user, const struct fault *fault) {
	struct user *u = user;

	assert_false(is_inside);
	u->n_downs++;
	memset(&u->fault, 0, sizeof(u->fault));
	if (fault != NULL) {
		u->fault = *fault;
	}
}

static void on_bytes(void *user, const char *characteristic, const uint8_t *buf, size_t n) {
	struct user *u = user;

	assert_false(is_inside);
	assert_true(u->n_ups > 0);
	u->n_bytes++;
	snprintf(u->characteristic, sizeof(u->characteristic), "%s", characteristic);
	memcpy(u->bytes, buf, n);
	u->n = n;
}

static void on_written(void *user, int error, enum radio_sent sent) {
	struct user *u = user;

	assert_false(is_inside);
	u->n_written++;
	u->written_error = error;
	u->written_sent = sent;
}

static void on_heard(void *user, const struct advert *advert) {
	struct user *u = user;

	assert_false(is_inside);
	u->n_heard++;
	u->advert = *advert;
}

static const struct radio_user user_impl = { .up = on_up_again,
	.down = on_down,
	.bytes = on_bytes,
	.written = on_written,
	.heard = on_heard };
static const struct radio_user strict_user_impl = {
	.up = on_up, .down = on_down, .bytes = on_bytes, .written = on_written, .heard = on_heard
};

static const struct radio_subscription subscriptions[] = {
	{ FAKE_SERVICE, FAKE_USDIO, false },
	{ FAKE_SERVICE, "a92ee20f-5501-11e4-916c-0800200c9a66", true },
	{ NULL, NULL, false },
};

/* ------------------------------------------------------------------ turning */

static int64_t now_ms(void) {
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void turn(struct test *t) {
	/* Both sides live on this thread: neither may wait while the other has something to do. */
	loop_turn(t->loop, 0);
	fake_turn(&t->fake);
	nanosleep(&(struct timespec){ .tv_nsec = 300000 }, NULL);
}

static void turn_for(struct test *t, int ms) {
	int64_t end = now_ms() + ms;

	while (now_ms() < end) {
		turn(t);
	}
}

#define UNTIL(t, condition)                                                                        \
	do {                                                                                       \
		int64_t end_ = now_ms() + 8000;                                                    \
		while (!(condition)) {                                                             \
			if (now_ms() > end_) {                                                     \
				fail_msg("line %d: never: %s", __LINE__, #condition);              \
			}                                                                          \
			turn(t);                                                                   \
		}                                                                                  \
	} while (0)

static struct radio_link *link_new(
	struct test *t, unsigned n, const char *address, bool is_watched) {
	struct radio_target target = {
		.is_random = true, .subscriptions = subscriptions, .is_watched = is_watched
	};

	snprintf(target.address, sizeof(target.address), "%s", address);
	t->links[n] = t->radio->impl->link_new(
		t->radio, &target, n == 7 ? &strict_user_impl : &user_impl, &t->users[n]);
	assert_non_null(t->links[n]);
	return t->links[n];
}

static void link_free(struct test *t, unsigned n) {
	is_inside = true;
	t->links[n] = t->radio->impl->link_free(t->links[n]);
	is_inside = false;
}

static void want(struct test *t, unsigned n, enum radio_need need) {
	is_inside = true;
	t->radio->impl->want(t->links[n], need, PATIENCE);
	is_inside = false;
}

static void release(struct test *t, unsigned n) {
	is_inside = true;
	t->radio->impl->release(t->links[n]);
	is_inside = false;
}

static void drop(struct test *t, unsigned n) {
	is_inside = true;
	t->radio->impl->drop(t->links[n]);
	is_inside = false;
}

static int write_text(struct test *t, unsigned n, const char *text) {
	is_inside = true;
	int r = t->radio->impl->write(
		t->links[n], FAKE_USDIO, (const uint8_t *) text, strlen(text));
	is_inside = false;
	return r;
}

static const char *state_of(struct test *t, unsigned n) {
	struct radio_stats stats;

	t->radio->impl->link_stats(t->links[n], &stats);
	return stats.state;
}

static bool in_state(struct test *t, unsigned n, const char *state) {
	return strcmp(state_of(t, n), state) == 0;
}

static bool is_ready(struct test *t) {
	struct radio_status status;

	t->radio->impl->status(t->radio, &status);
	return status.is_ready;
}

static enum fault_code status_fault(struct test *t) {
	struct radio_status status;

	t->radio->impl->status(t->radio, &status);
	return status.fault.code;
}

/* ------------------------------------------------------------------ frame */

static struct test test;

static void central_start(struct test *t, const struct central_config *config) {
	struct central_config own = *config;

	own.time_percent = TIME_PERCENT;
	t->central = central_new(t->loop, t->fake.address, &own);
	assert_non_null(t->central);
	t->radio = central_radio(t->central);
}

static int setup_bus(void **state) {
	struct test *t = &test;

	memset(t, 0, sizeof(*t));
	fake_bus_start(&t->fake);
	t->loop = loop_new();
	assert_non_null(t->loop);
	*state = t;
	return 0;
}

/* BlueZ with one adapter and the device A, the central, and a link for A. */
static int setup(void **state) {
	setup_bus(state);
	struct test *t = *state;
	fake_start(&t->fake);
	fake_adapter_add(&t->fake, 0, HCI, true);
	(void) fake_device_add(&t->fake, 0, A);
	struct central_config config = { 0 };
	central_start(t, &config);
	link_new(t, 0, A, false);
	UNTIL(t, is_ready(t) && in_state(t, 0, "idle"));
	return 0;
}

static int teardown(void **state) {
	struct test *t = *state;

	for (unsigned i = 0; i < 8; i++) {
		if (t->links[i] != NULL) {
			link_free(t, i);
		}
	}
	central_free(t->central);
	loop_free(t->loop);
	fake_bus_stop(&t->fake);
	return 0;
}

static void up(struct test *t, unsigned n) {
	unsigned n_ups = t->users[n].n_ups;

	want(t, n, RADIO_NEED_LOCK);
	UNTIL(t, t->users[n].n_ups > n_ups);
	assert_true(in_state(t, n, "ready"));
}

/* ------------------------------------------------------------------ the good path */

static void connects_writes_and_hears(void **state) {
	struct test *t = *state;
	struct fake_device *a = &t->fake.devices[0];
	struct radio_stats stats;

	up(t, 0);
	assert_int_equal(t->users[0].mtu, 247);
	assert_int_equal(a->n_start_notify, 1);
	assert_int_equal(write_text(t, 0, "hello"), 0);
	assert_int_equal(write_text(t, 0, "too soon"), -EBUSY);
	UNTIL(t, t->users[0].n_written == 1 && t->users[0].n_bytes == 1);
	assert_int_equal(t->users[0].written_error, 0);
	assert_string_equal(t->users[0].characteristic, FAKE_USDIO);
	assert_memory_equal(t->users[0].bytes, "hello", 5);
	assert_int_equal(t->users[0].n, 5);

	release(t, 0);
	assert_true(in_state(t, 0, "linger"));
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_NONE);
	UNTIL(t, in_state(t, 0, "idle"));
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
	up(t, 0);
	assert_int_equal(a->n_connects, 2);
}

static void connects_with_the_signal_first(void **state) {
	struct test *t = *state;

	t->fake.devices[0].connect = CONNECT_SIGNALLED;
	up(t, 0);
}

static void tells_bluez_version(void **state) {
	struct test *t = *state;
	struct radio_status status;

	t->radio->impl->status(t->radio, &status);
	assert_string_equal(status.bluez_version, "5.66");
	assert_int_equal(status.n_adapters, 1);
	assert_int_equal(status.fault.code, FAULT_NONE);
}

static void keeps_a_lingering_link(void **state) {
	struct test *t = *state;

	up(t, 0);
	release(t, 0);
	turn_for(t, 20);
	assert_true(in_state(t, 0, "linger"));
	want(t, 0, RADIO_NEED_UNLOCK);
	UNTIL(t, t->users[0].n_ups == 2);
	turn_for(t, 400); /* longer than linger */
	assert_true(in_state(t, 0, "ready"));
	assert_int_equal(t->fake.devices[0].n_connects, 1);
	assert_int_equal(t->users[0].n_downs, 0);
}

static void want_while_closing_connects_anew(void **state) {
	struct test *t = *state;

	t->fake.devices[0].disconnect_ms = 60;
	up(t, 0);
	drop(t, 0);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_NONE);
	assert_true(in_state(t, 0, "disconnecting"));
	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_ups == 2);
	assert_int_equal(t->users[0].n_downs, 1);
	assert_int_equal(t->fake.devices[0].n_connects, 2);
}

static void want_before_down_is_answered_by_it(void **state) {
	struct test *t = *state;

	up(t, 0);
	drop(t, 0);
	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 1 && in_state(t, 0, "idle"));
	assert_int_equal(t->fake.devices[0].n_connects, 1);
}

static void refuses_impossible_writes(void **state) {
	struct test *t = *state;
	uint8_t large[513] = { 0 };

	assert_int_equal(write_text(t, 0, "x"), -ENOTCONN);
	up(t, 0);
	assert_int_equal(
		t->radio->impl->write(t->links[0], FAKE_USDIO, large, sizeof(large)), -EMSGSIZE);
	assert_int_equal(t->radio->impl->write(t->links[0], "ffff", large, 1), -ENOENT);
	assert_int_equal(t->radio->impl->write(t->links[0], FAKE_USDIO, large, 512), 0);
	UNTIL(t, t->users[0].n_written == 1);
	assert_int_equal(t->users[0].written_error, 0);
}

/* ------------------------------------------------------------------ trouble while connecting */

static void retries_a_flip(void **state) {
	struct test *t = *state;
	struct radio_stats stats;

	t->fake.devices[0].n_fail_connects = 2;
	up(t, 0);
	assert_int_equal(t->fake.devices[0].n_connects, 3);
	t->radio->impl->link_stats(t->links[0], &stats);
	assert_int_equal(stats.attempts, 3);
	assert_int_equal(stats.failures, 2);
	assert_int_equal(stats.connects, 1);
}

static void gives_up_after_three_attempts(void **state) {
	struct test *t = *state;

	t->fake.devices[0].connect = CONNECT_FLIP;
	want(t, 0, RADIO_NEED_UNLOCK);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LOCK_UNREACHABLE);
	assert_non_null(strstr(t->users[0].fault.detail, "3 attempts"));
	assert_non_null(strstr(t->users[0].fault.detail, "le-connection-abort-by-local"));
	assert_int_equal(t->fake.devices[0].n_connects, 3);
	assert_true(in_state(t, 0, "idle"));
}

static void cancels_a_pending_connect(void **state) {
	struct test *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	a->connect = CONNECT_PENDING;
	is_inside = true;
	t->radio->impl->want(t->links[0], RADIO_NEED_LOCK, 8000);
	is_inside = false;
	UNTIL(t, t->users[0].n_downs == 1);
	/* Nothing was ever heard of it, so that is what is said. */
	assert_int_equal(t->users[0].fault.code, FAULT_LOCK_NOT_HEARD);
	UNTIL(t, in_state(t, 0, "idle"));
	assert_int_equal(a->n_connects, 1);
	assert_int_equal(a->n_disconnects, 1);
	assert_null(a->pending_connect);
	/* And the way is free again. */
	a->connect = CONNECT_QUIET;
	up(t, 0);
}

static void release_cancels_a_pending_want(void **state) {
	struct test *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	a->connect = CONNECT_PENDING;
	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, a->n_connects == 1);
	release(t, 0);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_NONE);
	UNTIL(t, in_state(t, 0, "idle"));
	assert_int_equal(a->n_disconnects, 1);
}

static void does_not_believe_a_hollow_success(void **state) {
	struct test *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	a->connect = CONNECT_HOLLOW;
	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, a->n_disconnects == 1);
	a->connect = CONNECT_QUIET;
	UNTIL(t, t->users[0].n_ups == 1);
	assert_int_equal(a->n_connects, 2);
}

static void reports_a_lasting_error_at_once(void **state) {
	struct test *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	a->connect = CONNECT_ERROR;
	a->error_name = "org.freedesktop.DBus.Error.AccessDenied";
	a->error_text = "Rejected send message";
	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_BLUEZ_DENIED);
	assert_int_equal(a->n_connects, 1);
}

static void waits_for_late_services(void **state) {
	struct test *t = *state;

	t->fake.devices[0].gatt_delay_ms = 15; /* the grace is 25 */
	up(t, 0);
	assert_int_equal(t->fake.devices[0].n_connects, 1);
}

static void climbs_the_cache_ladder(void **state) {
	struct test *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	a->has_usdio = false;
	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, a->n_removes == 1);
	assert_int_equal(a->n_connects, 2);
	UNTIL(t, in_state(t, 0, "finding") && t->fake.adapters[0].is_discovering);
	a->has_usdio = true;
	a->rssi = -60;
	fake_device_show(a);
	UNTIL(t, t->users[0].n_ups == 1);
	assert_int_equal(a->n_connects, 3);
	UNTIL(t, !t->fake.adapters[0].is_discovering);
}

static void freeing_on_the_ladder_is_safe(void **state) {
	struct test *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	a->has_usdio = false;
	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, a->n_connects == 2 && in_state(t, 0, "backoff"));
	link_free(t, 0); /* RemoveDevice is on its way */
	turn_for(t, 50);
	assert_int_equal(a->n_removes, 1);
}

static void leaves_a_bonded_device_alone(void **state) {
	struct test *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	a->is_bonded = true;
	fake_device_hide(a);
	UNTIL(t, in_state(t, 0, "absent"));
	fake_device_show(a);
	UNTIL(t, in_state(t, 0, "idle"));
	a->has_usdio = false;
	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_GATT_MISMATCH);
	assert_int_equal(a->n_removes, 0);
}

static void gives_up_on_services_that_never_come(void **state) {
	struct test *t = *state;

	t->fake.devices[0].is_resolve_withheld = true;
	is_inside = true;
	t->radio->impl->want(t->links[0], RADIO_NEED_LOCK, 40000);
	is_inside = false;
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LOCK_UNREACHABLE);
	UNTIL(t, in_state(t, 0, "idle"));
	assert_false(t->fake.devices[0].is_connected);
}

static void says_stuck_when_nothing_lets_go(void **state) {
	struct test *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	up(t, 0);
	a->is_disconnect_swallowed = true;
	drop(t, 0);
	UNTIL(t, in_state(t, 0, "stuck"));
	assert_int_equal(a->n_disconnects, 2);
	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 2);
	assert_int_equal(t->users[0].fault.code, FAULT_LINK_STUCK);
	fake_device_drop(a);
	UNTIL(t, in_state(t, 0, "idle"));
	a->is_disconnect_swallowed = false;
	up(t, 0);
}

/* ------------------------------------------------------------------ trouble while linked */

static void lost_link_is_told(void **state) {
	struct test *t = *state;
	struct radio_stats stats;

	up(t, 0);
	fake_device_drop(&t->fake.devices[0]);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LINK_LOST);
	assert_true(in_state(t, 0, "idle"));
	t->radio->impl->link_stats(t->links[0], &stats);
	assert_int_equal(stats.losses, 1);
	up(t, 0);
}

static void lost_link_while_lingering_is_no_fault(void **state) {
	struct test *t = *state;

	up(t, 0);
	release(t, 0);
	fake_device_drop(&t->fake.devices[0]);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_NONE);
}

static void write_fails(struct test *t, enum fake_write how, const char *name, const char *text) {
	struct fake_device *a = &t->fake.devices[0];

	a->write = how;
	a->error_name = name;
	a->error_text = text;
	assert_int_equal(write_text(t, 0, "unlock"), 0);
	UNTIL(t, t->users[0].n_written == 1);
}

static void lost_in_a_write_is_maybe_sent(void **state) {
	struct test *t = *state;

	up(t, 0);
	write_fails(t, WRITE_DROP, NULL, NULL);
	assert_int_equal(t->users[0].written_error, -ECONNRESET);
	assert_int_equal(t->users[0].written_sent, RADIO_MAYBE_SENT);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LINK_LOST);
}

static void att_lost_is_maybe_sent(void **state) {
	struct test *t = *state;

	up(t, 0);
	write_fails(t, WRITE_ATT_LOST, NULL, NULL);
	assert_int_equal(t->users[0].written_error, -ECONNRESET);
	assert_int_equal(t->users[0].written_sent, RADIO_MAYBE_SENT);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LINK_LOST);
}

static void a_stalled_write_ends_the_link(void **state) {
	struct test *t = *state;

	up(t, 0);
	write_fails(t, WRITE_STALL, NULL, NULL);
	assert_int_equal(t->users[0].written_error, -ETIMEDOUT);
	assert_int_equal(t->users[0].written_sent, RADIO_MAYBE_SENT);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LOCK_SILENT);
	UNTIL(t, in_state(t, 0, "idle"));
	assert_int_equal(t->fake.devices[0].n_disconnects, 1);
}

static void a_phantom_link_is_not_sent(void **state) {
	struct test *t = *state;

	up(t, 0);
	write_fails(t, WRITE_ERROR, "org.bluez.Error.Failed", "Not connected");
	assert_int_equal(t->users[0].written_error, -ENOTCONN);
	assert_int_equal(t->users[0].written_sent, RADIO_NOT_SENT);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LINK_LOST);
	UNTIL(t, in_state(t, 0, "idle"));
}

static void an_application_error_keeps_the_link(void **state) {
	struct test *t = *state;

	up(t, 0);
	write_fails(
		t, WRITE_ERROR, "org.bluez.Error.Failed", "Operation failed with ATT error: 0x80");
	assert_int_equal(t->users[0].written_error, -EPROTO);
	turn_for(t, 30);
	assert_true(in_state(t, 0, "ready"));
	assert_int_equal(t->users[0].n_downs, 0);
}

static void stale_handles_are_a_mismatch(void **state) {
	struct test *t = *state;

	up(t, 0);
	t->fake.devices[0].handle = 0x20; /* new firmware */
	assert_int_equal(write_text(t, 0, "unlock"), 0);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].written_error, -ENOENT);
	assert_int_equal(t->users[0].written_sent, RADIO_NOT_SENT);
	assert_int_equal(t->users[0].fault.code, FAULT_GATT_MISMATCH);
	up(t, 0);
	assert_int_equal(write_text(t, 0, "unlock"), 0);
	UNTIL(t, t->users[0].n_written == 2);
	assert_int_equal(t->users[0].written_error, 0);
}

static void dropping_in_a_write_tells_both(void **state) {
	struct test *t = *state;

	t->fake.devices[0].write = WRITE_STALL;
	up(t, 0);
	assert_int_equal(write_text(t, 0, "x"), 0);
	turn_for(t, 5);
	drop(t, 0);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].n_written, 1);
	assert_int_equal(t->users[0].written_error, -ECANCELED);
	assert_int_equal(t->users[0].written_sent, RADIO_MAYBE_SENT);
}

static void a_removed_device_is_a_lost_link(void **state) {
	struct test *t = *state;

	up(t, 0);
	fake_device_hide(&t->fake.devices[0]);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LINK_LOST);
	assert_true(in_state(t, 0, "absent"));
}

static void all_of_a_burst_arrives(void **state) {
	struct test *t = *state;

	up(t, 0);
	for (unsigned i = 0; i < 300; i++) {
		uint8_t value[2] = { (uint8_t) i, (uint8_t) (i >> 8) };
		fake_device_value(&t->fake.devices[0], value, sizeof(value));
	}
	UNTIL(t, t->users[0].n_bytes == 300);
	assert_int_equal(t->users[0].bytes[0], 299 & 0xff);
}

static void freeing_in_any_state_is_safe(void **state) {
	struct test *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	for (unsigned turns = 0; turns < 25; turns++) {
		unsigned n_ups = t->users[0].n_ups;
		want(t, 0, RADIO_NEED_LOCK);
		for (unsigned i = 0; i < turns; i++) {
			turn(t);
		}
		n_ups = t->users[0].n_ups;
		link_free(t, 0);
		UNTIL(t, !a->is_connected && a->pending_connect == NULL);
		assert_int_equal(t->users[0].n_ups, n_ups);
		assert_int_equal(t->users[0].n_downs, 0);
		link_new(t, 0, A, false);
		turn_for(t, 5);
	}
	up(t, 0);
}

/* ------------------------------------------------------------------ BlueZ and adapters */

static void survives_bluetoothd(void **state) {
	struct test *t = *state;

	up(t, 0);
	assert_int_equal(write_text(t, 0, "x"), 0);
	t->fake.devices[0].write = WRITE_STALL;
	fake_turn(&t->fake);
	fake_die(&t->fake);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_BLUEZ_MISSING);
	assert_int_equal(t->users[0].n_written, 1);
	assert_int_equal(t->users[0].written_sent, RADIO_MAYBE_SENT);
	assert_int_equal(status_fault(t), FAULT_BLUEZ_MISSING);
	assert_true(in_state(t, 0, "absent"));

	t->fake.devices[0].write = WRITE_ECHO;
	fake_start(&t->fake);
	UNTIL(t, is_ready(t) && in_state(t, 0, "idle"));
	up(t, 0);
	assert_int_equal(write_text(t, 0, "y"), 0);
	UNTIL(t, t->users[0].n_written == 2);
	assert_int_equal(t->users[0].written_error, 0);
}

static void a_want_outlives_a_short_absence(void **state) {
	struct test *t = *state;

	fake_die(&t->fake);
	UNTIL(t, !is_ready(t));
	want(t, 0, RADIO_NEED_LOCK);
	turn_for(t, 50); /* it holds for 250 */
	assert_int_equal(t->users[0].n_downs, 0);
	fake_start(&t->fake);
	UNTIL(t, t->users[0].n_ups == 1);
}

static void a_want_does_not_outlive_a_long_absence(void **state) {
	struct test *t = *state;

	fake_die(&t->fake);
	UNTIL(t, !is_ready(t));
	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_BLUEZ_MISSING);
}

static void adapters_that_come_late_are_found(void **state) {
	struct test *t = *state;

	fake_die(&t->fake);
	UNTIL(t, !is_ready(t));
	t->fake.adapters[0].is_present = false;
	t->fake.devices[0].is_present = false;
	fake_start(&t->fake);
	turn_for(t, 20);
	fake_adapter_add(&t->fake, 0, HCI, true);
	t->fake.devices[0].is_present = true;
	UNTIL(t, is_ready(t) && in_state(t, 0, "idle"));
	up(t, 0);
}

static void survives_the_bus(void **state) {
	struct test *t = *state;

	up(t, 0);
	fake_die(&t->fake);
	/* Cut off by the bus, as when it is restarted. */
	fake_bus_stop(&t->fake);
	UNTIL(t, t->users[0].n_downs == 1 && status_fault(t) == FAULT_BUS_LOST);
	assert_true(central_answered_lately(t->central));
	/* The same address again is not to be had; that it goes on trying is the bus's own test. */
	fake_bus_start(&t->fake);
}

static void adapter_off_and_on(void **state) {
	struct test *t = *state;

	up(t, 0);
	fake_adapter_power(&t->fake, 0, false);
	UNTIL(t, t->users[0].n_downs == 1 && status_fault(t) == FAULT_ADAPTER_OFF);
	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 2);
	assert_int_equal(t->users[0].fault.code, FAULT_ADAPTER_OFF);
	fake_adapter_power(&t->fake, 0, true);
	UNTIL(t, is_ready(t));
	up(t, 0);
}

static void adapter_comes_back_under_another_name(void **state) {
	struct test *t = *state;

	up(t, 0);
	fake_adapter_remove(&t->fake, 0);
	UNTIL(t, t->users[0].n_downs == 1);
	UNTIL(t, status_fault(t) == FAULT_ADAPTER_MISSING);
	assert_true(in_state(t, 0, "absent"));
	fake_adapter_add(&t->fake, 2, HCI, true);
	struct fake_device *a = fake_device_add(&t->fake, 2, A);
	fake_device_show(a);
	UNTIL(t, is_ready(t) && in_state(t, 0, "idle"));
	up(t, 0);
	assert_int_equal(a->n_connects, 1);
}

static void only_the_chosen_adapter_is_used(void **state) {
	setup_bus(state);
	struct test *t = *state;
	fake_start(&t->fake);
	fake_adapter_add(&t->fake, 0, HCI, true);
	fake_adapter_add(&t->fake, 1, "00:AA:01:00:00:01", true);
	struct fake_device *on_first = fake_device_add(&t->fake, 0, A);
	struct fake_device *on_second = fake_device_add(&t->fake, 1, A);
	struct central_config config = { .adapter = "00:aa:01:00:00:01" };
	central_start(t, &config);
	link_new(t, 0, A, false);
	UNTIL(t, is_ready(t));
	up(t, 0);
	assert_int_equal(on_first->n_connects, 0);
	assert_int_equal(on_second->n_connects, 1);
}

static void starts_without_anything(void **state) {
	setup_bus(state);
	struct test *t = *state;
	struct central_config config = { 0 };
	central_start(t, &config);
	link_new(t, 0, A, false);
	UNTIL(t, status_fault(t) == FAULT_BLUEZ_MISSING);
	turn_for(t, 100);
	fake_start(&t->fake);
	UNTIL(t, status_fault(t) == FAULT_ADAPTER_MISSING);
	fake_adapter_add(&t->fake, 0, HCI, false);
	UNTIL(t, status_fault(t) == FAULT_ADAPTER_OFF);
	fake_adapter_power(&t->fake, 0, true);
	UNTIL(t, is_ready(t));
	(void) fake_device_add(&t->fake, 0, A);
	fake_device_show(&t->fake.devices[0]);
	UNTIL(t, in_state(t, 0, "idle"));
	up(t, 0);
}

/* Only where lockhub owns the adapter may it be switched off to get a link down. */
static void a_sole_user_switches_the_adapter_off_and_on(void **state) {
	setup_bus(state);
	struct test *t = *state;
	fake_start(&t->fake);
	fake_adapter_add(&t->fake, 0, HCI, true);
	struct fake_device *a = fake_device_add(&t->fake, 0, A);
	struct central_config config = { .is_sole_user = true };
	central_start(t, &config);
	link_new(t, 0, A, false);
	up(t, 0);
	a->is_disconnect_swallowed = true;
	drop(t, 0);
	UNTIL(t, t->fake.n_power_off == 1);
	UNTIL(t, is_ready(t) && in_state(t, 0, "idle"));
	assert_false(a->is_connected);
	up(t, 0);
}

static void orphans_are_closed_at_the_start(void **state) {
	setup_bus(state);
	struct test *t = *state;
	fake_start(&t->fake);
	fake_adapter_add(&t->fake, 0, HCI, true);
	struct fake_device *a = fake_device_add(&t->fake, 0, A);
	struct fake_device *b = fake_device_add(&t->fake, 0, B);
	a->is_connected = a->is_resolved = a->has_gatt = true;
	b->is_connected = true; /* nobody's: not ours to close */
	struct central_config config = { 0 };
	central_start(t, &config);
	link_new(t, 0, A, false);
	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_ups == 1);
	assert_int_equal(a->n_disconnects, 1);
	assert_int_equal(a->n_connects, 1);
	assert_int_equal(b->n_disconnects, 0);
}

static void a_hung_bluetoothd_is_named(void **state) {
	struct test *t = *state;

	t->fake.is_hung = true;
	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, status_fault(t) == FAULT_BLUEZ_HUNG);
	assert_true(central_answered_lately(t->central));
	UNTIL(t, t->users[0].n_downs >= 1);
	assert_true(t->users[0].fault.code == FAULT_BLUEZ_HUNG ||
		    t->users[0].fault.code == FAULT_LINK_STUCK ||
		    t->users[0].fault.code == FAULT_LOCK_NOT_HEARD);
	t->fake.is_hung = false;
	UNTIL(t, is_ready(t));
	UNTIL(t, in_state(t, 0, "idle"));
	up(t, 0);
}

/* A stall of ours: answers lie in the socket while deadlines are over. */
static void a_stall_of_ours_is_no_timeout(void **state) {
	struct test *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, a->n_connects == 1);
	int64_t end = now_ms() + 1300; /* Connect's deadline is 1000 */
	while (now_ms() < end) {
		fake_turn(&t->fake);
		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
	}
	UNTIL(t, t->users[0].n_ups == 1);
	assert_int_equal(a->n_connects, 1);
	assert_int_equal(a->n_disconnects, 0);
}

/* ------------------------------------------------------------------ several */

static int setup_four(void **state) {
	static const char *const addresses[] = { A, B, C, D };

	setup_bus(state);
	struct test *t = *state;
	fake_start(&t->fake);
	fake_adapter_add(&t->fake, 0, HCI, true);
	struct central_config config = { .slots = 3 };
	central_start(t, &config);
	for (unsigned i = 0; i < 4; i++) {
		(void) fake_device_add(&t->fake, 0, addresses[i]);
		link_new(t, i, addresses[i], false);
	}
	UNTIL(t, is_ready(t) && in_state(t, 3, "idle"));
	return 0;
}

static void one_connects_at_a_time(void **state) {
	struct test *t = *state;

	for (unsigned i = 0; i < 3; i++) {
		want(t, i, RADIO_NEED_UNLOCK);
	}
	UNTIL(t, t->users[0].n_ups == 1 && t->users[1].n_ups == 1 && t->users[2].n_ups == 1);
	assert_int_equal(t->fake.n_connecting_most, 1);
}

static void the_last_slot_is_for_people(void **state) {
	struct test *t = *state;

	for (unsigned i = 0; i < 3; i++) {
		want(t, i, RADIO_NEED_BACKGROUND);
	}
	UNTIL(t, t->users[0].n_ups == 1 && t->users[1].n_ups == 1);
	turn_for(t, 50);
	assert_int_equal(t->users[2].n_ups, 0);
	want(t, 3, RADIO_NEED_LOCK);
	UNTIL(t, t->users[3].n_ups == 1);
	assert_int_equal(t->users[2].n_ups, 0);
	/* The one that waits goes on when a slot is given back. */
	drop(t, 0);
	drop(t, 3);
	UNTIL(t, t->users[2].n_ups == 1);
}

static void a_person_pushes_out_a_lingering_link(void **state) {
	struct test *t = *state;

	for (unsigned i = 0; i < 3; i++) {
		up(t, i);
	}
	release(t, 1);
	want(t, 3, RADIO_NEED_UNLOCK);
	UNTIL(t, t->users[3].n_ups == 1);
	assert_int_equal(t->users[1].n_downs, 1);
	assert_int_equal(t->users[1].fault.code, FAULT_NONE);
	assert_int_equal(t->users[0].n_downs + t->users[2].n_downs, 0);
}

static void without_a_slot_the_radio_is_busy(void **state) {
	struct test *t = *state;

	for (unsigned i = 0; i < 3; i++) {
		up(t, i);
	}
	want(t, 3, RADIO_NEED_UNLOCK);
	UNTIL(t, t->users[3].n_downs == 1);
	assert_int_equal(t->users[3].fault.code, FAULT_RADIO_BUSY);
	assert_int_equal(t->fake.devices[3].n_connects, 0);
}

static void the_most_urgent_goes_first(void **state) {
	struct test *t = *state;

	t->fake.devices[0].connect = CONNECT_PENDING;
	want(t, 0, RADIO_NEED_BACKGROUND);
	UNTIL(t, t->fake.devices[0].n_connects == 1);
	want(t, 1, RADIO_NEED_BACKGROUND);
	want(t, 2, RADIO_NEED_LOCK);
	release(t, 0);
	UNTIL(t, t->users[2].n_ups == 1);
	assert_int_equal(t->users[1].n_ups, 0);
	UNTIL(t, t->users[1].n_ups == 1);
}

/* ------------------------------------------------------------------ discovery */

static void scan_heard(void *user, const struct advert *advert) {
	struct test *t = user;

	assert_false(is_inside);
	t->n_scan_heard++;
	t->scan_advert = *advert;
}

static void scan_ended(void *user, const struct fault *fault) {
	struct test *t = user;

	assert_false(is_inside);
	t->n_scan_ended++;
	memset(&t->scan_fault, 0, sizeof(t->scan_fault));
	if (fault != NULL) {
		t->scan_fault = *fault;
	}
}

static void finds_an_absent_device(void **state) {
	struct test *t = *state;
	struct fake_device *a = &t->fake.devices[0];

	fake_device_hide(a);
	UNTIL(t, in_state(t, 0, "absent"));
	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->fake.adapters[0].is_discovering);
	a->rssi = -70;
	fake_device_show(a);
	UNTIL(t, t->users[0].n_ups == 1);
	assert_false(t->fake.was_connect_in_discovery);
	assert_true(t->users[0].n_heard >= 1);
	assert_int_equal(t->users[0].advert.rssi, -70);
	assert_string_equal(t->users[0].advert.name, "Nuki_Fake");
	assert_string_equal(t->users[0].advert.adapter, HCI);
	const struct advert_part *part = advert_manufacturer(&t->users[0].advert, 0x004c);
	assert_non_null(part);
	assert_memory_equal(part->bytes, "\x02\x15\xa9\xc0", 4);
	UNTIL(t, !t->fake.adapters[0].is_discovering);
}

static void an_absent_device_is_not_heard(void **state) {
	struct test *t = *state;

	fake_device_hide(&t->fake.devices[0]);
	UNTIL(t, in_state(t, 0, "absent"));
	want(t, 0, RADIO_NEED_LOCK);
	UNTIL(t, t->users[0].n_downs == 1);
	assert_int_equal(t->users[0].fault.code, FAULT_LOCK_NOT_HEARD);
	UNTIL(t, !t->fake.adapters[0].is_discovering);
	assert_int_equal(t->fake.devices[0].n_connects, 0);
}

static void enrolment_hears_everybody(void **state) {
	struct test *t = *state;
	struct radio_status status;

	assert_int_equal(t->radio->impl->scan(t->radio, 4000, scan_heard, scan_ended, t), 0);
	assert_int_equal(
		t->radio->impl->scan(t->radio, 8000, scan_heard, scan_ended, t), -EALREADY);
	UNTIL(t, t->fake.adapters[0].is_discovering);
	t->radio->impl->status(t->radio, &status);
	assert_true(status.is_scanning);
	struct fake_device *b = fake_device_add(&t->fake, 0, B);
	b->rssi = -50;
	fake_device_show(b);
	UNTIL(t, t->n_scan_heard == 1);
	assert_string_equal(t->scan_advert.address, B);
	assert_true(t->scan_advert.is_random);
	fake_device_advertise(b, -55, 0xc1);
	UNTIL(t, t->n_scan_heard == 2);
	assert_string_equal(t->scan_advert.name, "Nuki_Fake");
	assert_int_equal(t->scan_advert.rssi, -55);
	/* A link goes before it, and it goes on afterwards. */
	up(t, 0);
	assert_false(t->fake.was_connect_in_discovery);
	UNTIL(t, t->fake.adapters[0].is_discovering);
	UNTIL(t, t->n_scan_ended == 1);
	assert_int_equal(t->scan_fault.code, FAULT_NONE);
	UNTIL(t, !t->fake.adapters[0].is_discovering);
	turn_for(t, 50);
	assert_int_equal(t->n_scan_ended, 1);
}

static void enrolment_can_be_stopped(void **state) {
	struct test *t = *state;

	assert_int_equal(t->radio->impl->scan(t->radio, 60000, scan_heard, scan_ended, t), 0);
	UNTIL(t, t->fake.adapters[0].is_discovering);
	is_inside = true;
	t->radio->impl->scan_stop(t->radio);
	is_inside = false;
	UNTIL(t, t->n_scan_ended == 1 && !t->fake.adapters[0].is_discovering);
}

static void enrolment_without_adapter_says_so(void **state) {
	struct test *t = *state;

	fake_adapter_power(&t->fake, 0, false);
	UNTIL(t, !is_ready(t));
	assert_int_equal(t->radio->impl->scan(t->radio, 60000, scan_heard, scan_ended, t), 0);
	UNTIL(t, t->n_scan_ended == 1);
	assert_int_equal(t->scan_fault.code, FAULT_ADAPTER_OFF);
}

static void a_refused_discovery_is_tried_again(void **state) {
	struct test *t = *state;

	t->fake.is_discovery_busy = true;
	assert_int_equal(t->radio->impl->scan(t->radio, 60000, scan_heard, scan_ended, t), 0);
	UNTIL(t, t->fake.n_start_discovery == 2);
	assert_int_equal(t->fake.n_stop_discovery, 1);
	t->fake.is_discovery_busy = false;
	UNTIL(t, t->fake.adapters[0].is_discovering);
}

static void power_loss_starts_discovery_anew(void **state) {
	struct test *t = *state;

	assert_int_equal(t->radio->impl->scan(t->radio, 60000, scan_heard, scan_ended, t), 0);
	UNTIL(t, t->fake.adapters[0].is_discovering);
	unsigned n_filters = t->fake.n_filters;
	t->fake.adapters[0].is_discovering = false;
	t->fake.adapters[0].is_filtered = false;
	fake_adapter_power(&t->fake, 0, true); /* Discovering=false, still powered: a reset */
	UNTIL(t, t->fake.adapters[0].is_discovering);
	assert_int_equal(t->fake.n_filters, n_filters + 1);
}

static void watch_windows_come_and_go(void **state) {
	struct test *t = *state;

	link_new(t, 1, B, true);
	UNTIL(t, t->fake.adapters[0].is_discovering);
	struct fake_device *b = fake_device_add(&t->fake, 0, B);
	fake_device_show(b);
	fake_device_advertise(b, -60, 0xc1);
	UNTIL(t, t->users[1].n_heard == 1);
	assert_int_equal(advert_manufacturer(&t->users[1].advert, 0x004c)->bytes[3], 0xc1);
	UNTIL(t, !t->fake.adapters[0].is_discovering);
	UNTIL(t, t->fake.adapters[0].is_discovering);
	assert_int_equal(t->fake.n_start_discovery, 2);
	/* Nobody is watched any more. */
	link_free(t, 1);
	UNTIL(t, !t->fake.adapters[0].is_discovering);
}

static void hears_its_own_by_other_peoples_scans(void **state) {
	struct test *t = *state;

	fake_device_advertise(&t->fake.devices[0], -80, 0xc1);
	UNTIL(t, t->users[0].n_heard == 1);
	assert_int_equal(t->users[0].advert.rssi, -80);
}

static void sleeps_in_a_storm(void **state) {
	struct test *t = *state;

	turn_for(t, 100);
	uint64_t before = central_messages(t->central);
	for (unsigned i = 0; i < 10; i++) {
		fake_storm(&t->fake, 0, 300);
		turn_for(t, 20);
	}
	assert_int_equal(central_messages(t->central) - before, 0);
}

/* Any local process may send us a signal; only bluetoothd's count. */
static void a_forged_signal_is_ignored(void **state) {
	struct test *t = *state;
	sd_bus *sd = NULL;
	sd_bus_message *m = NULL;
	char name[16];

	up(t, 0);
	assert_true(sd_bus_new(&sd) >= 0);
	assert_true(sd_bus_set_address(sd, t->fake.address) >= 0);
	assert_true(sd_bus_set_bus_client(sd, true) >= 0);
	assert_true(sd_bus_start(sd) >= 0);
	/* All unique names that there can be: one of them is the central's. */
	for (unsigned i = 0; i < 6; i++) {
		assert_true(sd_bus_message_new_signal(sd, &m, t->fake.devices[0].path,
				    "org.freedesktop.DBus.Properties", "PropertiesChanged") >= 0);
		snprintf(name, sizeof(name), ":1.%u", i);
		assert_true(sd_bus_message_set_destination(m, name) >= 0);
		assert_true(sd_bus_message_append(m, "sa{sv}as", "org.bluez.Device1", 1,
				    "Connected", "b", 0, 0) >= 0);
		assert_true(sd_bus_send(sd, m, NULL) >= 0);
		m = sd_bus_message_unref(m);
	}
	sd_bus_flush(sd);
	turn_for(t, 50);
	sd_bus_flush_close_unref(sd);
	assert_int_equal(t->users[0].n_downs, 0);
	assert_true(in_state(t, 0, "ready"));
}

static void many_cycles_leak_nothing(void **state) {
	struct test *t = *state;

	for (unsigned i = 0; i < 40; i++) {
		t->fake.devices[0].disconnect_ms = 1;
		up(t, 0);
		assert_int_equal(write_text(t, 0, "x"), 0);
		UNTIL(t, t->users[0].n_written == i + 1);
		drop(t, 0);
		UNTIL(t, in_state(t, 0, "idle"));
	}
	assert_int_equal(t->fake.devices[0].n_connects, 40);
	assert_int_equal(t->fake.devices[0].n_stop_notify, 40);
}

#define IN(setup_fn, test_fn) cmocka_unit_test_setup_teardown(test_fn, setup_fn, teardown)
#define ONE(test_fn) IN(setup, test_fn)
#define FOUR(test_fn) IN(setup_four, test_fn)
#define BARE(test_fn) cmocka_unit_test_teardown(test_fn, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		ONE(connects_writes_and_hears),
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
		ONE(survives_bluetoothd),
		ONE(a_want_outlives_a_short_absence),
		ONE(a_want_does_not_outlive_a_long_absence),
		ONE(adapters_that_come_late_are_found),
		ONE(survives_the_bus),
		ONE(adapter_off_and_on),
		ONE(adapter_comes_back_under_another_name),
		BARE(only_the_chosen_adapter_is_used),
		BARE(starts_without_anything),
		BARE(a_sole_user_switches_the_adapter_off_and_on),
		BARE(orphans_are_closed_at_the_start),
		ONE(a_hung_bluetoothd_is_named),
		ONE(a_stall_of_ours_is_no_timeout),
		FOUR(one_connects_at_a_time),
		FOUR(the_last_slot_is_for_people),
		FOUR(a_person_pushes_out_a_lingering_link),
		FOUR(without_a_slot_the_radio_is_busy),
		FOUR(the_most_urgent_goes_first),
		ONE(finds_an_absent_device),
		ONE(an_absent_device_is_not_heard),
		ONE(enrolment_hears_everybody),
		ONE(enrolment_can_be_stopped),
		ONE(enrolment_without_adapter_says_so),
		ONE(a_refused_discovery_is_tried_again),
		ONE(power_loss_starts_discovery_anew),
		ONE(watch_windows_come_and_go),
		ONE(hears_its_own_by_other_peoples_scans),
		ONE(sleeps_in_a_storm),
		ONE(a_forged_signal_is_ignored),
		ONE(many_cycles_leak_nothing),
	};

	log_setup("test", getenv("LOCKHUB_TEST_DEBUG") != NULL ? LOG_DEBUG : LOG_EMERG);
	/* One of them alone: LOCKHUB_TEST_FILTER='*burst*' */
	cmocka_set_test_filter(getenv("LOCKHUB_TEST_FILTER"));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
