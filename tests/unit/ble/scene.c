/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "ble.h"
#include "scene.h"
#include "util/log.h"

bool scene_is_inside;

static void on_up(void *user, unsigned mtu) {
	struct scene_user *u = user;

	assert_false(scene_is_inside);
	u->n_ups++;
	u->mtu = mtu;
}

static void on_down(void *user, const struct fault *fault) {
	struct scene_user *u = user;

	assert_false(scene_is_inside);
	u->n_downs++;
	memset(&u->fault, 0, sizeof(u->fault));
	if (fault != NULL) {
		u->fault = *fault;
	}
}

static void on_bytes(void *user, const char *characteristic, const uint8_t *buf, size_t n) {
	struct scene_user *u = user;

	assert_false(scene_is_inside);
	assert_true(u->n_ups > 0);
	u->n_bytes++;
	snprintf(u->characteristic, sizeof(u->characteristic), "%s", characteristic);
	memcpy(u->bytes, buf, n);
	u->n = n;
}

static void on_written(void *user, int error, enum radio_sent sent) {
	struct scene_user *u = user;

	assert_false(scene_is_inside);
	u->n_written++;
	u->written_error = error;
	u->written_sent = sent;
}

static void on_heard(void *user, const struct advert *advert) {
	struct scene_user *u = user;

	assert_false(scene_is_inside);
	u->n_heard++;
	u->advert = *advert;
}

static const struct radio_user user_impl = {
	.up = on_up, .down = on_down, .bytes = on_bytes, .written = on_written, .heard = on_heard
};
static const struct radio_subscription subscriptions[] = {
	{ FAKE_SERVICE, FAKE_USDIO, .is_optional = false },
	{ FAKE_SERVICE, "a92ee20f-5501-11e4-916c-0800200c9a66", .is_optional = true },
	{ .characteristic = NULL },
};
const struct radio_pattern scene_patterns[2] = {
	{ .offset = 0, .type = 0xff, .n_bytes = 4, .bytes = { 0x4c, 0x00, 0x02, 0x15 } },
};

void scene_turn(struct scene *t) {
	scene_clock_turn();
	fake_bus_settle(&t->fake);
	/* Both sides live on this thread: neither may wait while the other has something to do. */
	loop_turn(t->loop, 0);
	fake_turn(&t->fake);
	nanosleep(&(struct timespec){ .tv_nsec = 300000 }, NULL);
}

void scene_turn_for(struct scene *t, int ms) {
	int64_t end = scene_now_ms() + ms;

	while (scene_now_ms() < end) {
		scene_turn(t);
	}
}

struct radio_link *scene_link_new(
	struct scene *t, unsigned n, const char *address, bool is_watched) {
	struct radio_target target = {
		.is_random = true,
		.subscriptions = t->subscriptions != NULL ? t->subscriptions : subscriptions,
		.is_watched = is_watched,
		.patterns = is_watched ? scene_patterns : NULL,
	};

	snprintf(target.address, sizeof(target.address), "%s", address);
	t->links[n] = t->radio->impl->link_new(t->radio, &target, &user_impl, &t->users[n]);
	assert_non_null(t->links[n]);
	return t->links[n];
}

void scene_link_free(struct scene *t, unsigned n) {
	scene_is_inside = true;
	t->links[n] = t->radio->impl->link_free(t->links[n]);
	scene_is_inside = false;
}

void scene_want(struct scene *t, unsigned n, enum radio_need need) {
	scene_is_inside = true;
	t->radio->impl->want(t->links[n], need, PATIENCE);
	scene_is_inside = false;
}

void scene_release(struct scene *t, unsigned n) {
	scene_is_inside = true;
	t->radio->impl->release(t->links[n]);
	scene_is_inside = false;
}

void scene_drop(struct scene *t, unsigned n) {
	scene_is_inside = true;
	t->radio->impl->drop(t->links[n]);
	scene_is_inside = false;
}

int scene_write_text(struct scene *t, unsigned n, const char *text) {
	scene_is_inside = true;
	int r = t->radio->impl->write(
		t->links[n], FAKE_USDIO, (const uint8_t *) text, strlen(text));
	scene_is_inside = false;
	return r;
}

static const char *state_of(struct scene *t, unsigned n) {
	struct radio_stats stats;

	t->radio->impl->link_stats(t->links[n], &stats);
	return stats.state;
}

bool scene_in_state(struct scene *t, unsigned n, const char *state) {
	return strcmp(state_of(t, n), state) == 0;
}

bool scene_is_ready(struct scene *t) {
	struct radio_status status;

	t->radio->impl->status(t->radio, &status);
	return status.is_ready;
}

enum fault_code scene_status_fault(struct scene *t) {
	struct radio_status status;

	t->radio->impl->status(t->radio, &status);
	return status.fault.code;
}

static struct scene scene;

void scene_central_start(struct scene *t, const struct central_config *config) {
	struct central_config own = *config;

	own.time_percent = TIME_PERCENT;
	t->central = central_new(t->loop, t->fake.address, &own);
	assert_non_null(t->central);
	t->radio = central_radio(t->central);
}

int scene_setup_bus(void **state) {
	struct scene *t = &scene;

	memset(t, 0, sizeof(*t));
	fake_bus_start(&t->fake);
	t->loop = loop_new();
	assert_non_null(t->loop);
	*state = t;
	return 0;
}

/* BlueZ with one adapter and the device A, the central, and a link for A. */
int scene_setup(void **state) {
	scene_setup_bus(state);
	struct scene *t = *state;
	fake_start(&t->fake);
	fake_adapter_add(&t->fake, 0, HCI, true);
	(void) fake_device_add(&t->fake, 0, A);
	struct central_config config = { 0 };
	scene_central_start(t, &config);
	scene_link_new(t, 0, A, false);
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 0, "idle"));
	return 0;
}

int scene_teardown(void **state) {
	struct scene *t = *state;

	for (unsigned i = 0; i < 8; i++) {
		if (t->links[i] != NULL) {
			scene_link_free(t, i);
		}
	}
	central_free(t->central);
	loop_free(t->loop);
	fake_bus_stop(&t->fake);
	return 0;
}

void scene_up(struct scene *t, unsigned n) {
	unsigned n_ups = t->users[n].n_ups;

	scene_want(t, n, RADIO_NEED_LOCK);
	UNTIL(t, t->users[n].n_ups > n_ups);
	assert_true(scene_in_state(t, n, "ready"));
}

int scene_setup_four(void **state) {
	static const char *const addresses[] = { A, B, C, D };

	scene_setup_bus(state);
	struct scene *t = *state;
	fake_start(&t->fake);
	fake_adapter_add(&t->fake, 0, HCI, true);
	struct central_config config = { .slots = 3 };
	scene_central_start(t, &config);
	for (unsigned i = 0; i < 4; i++) {
		(void) fake_device_add(&t->fake, 0, addresses[i]);
		scene_link_new(t, i, addresses[i], false);
	}
	UNTIL(t, scene_is_ready(t) && scene_in_state(t, 3, "idle"));
	return 0;
}

void scene_scan_heard(void *user, const struct advert *advert) {
	struct scene *t = user;

	assert_false(scene_is_inside);
	t->n_scan_heard++;
	t->scan_advert = *advert;
}

void scene_scan_ended(void *user, const struct fault *fault) {
	struct scene *t = user;

	assert_false(scene_is_inside);
	t->n_scan_ended++;
	memset(&t->scan_fault, 0, sizeof(t->scan_fault));
	if (fault != NULL) {
		t->scan_fault = *fault;
	}
}

unsigned scene_count_fds(void) {
	DIR *dir = opendir("/proc/self/fd");
	unsigned n = 0;

	assert_non_null(dir);
	while (readdir(dir) != NULL) {
		n++;
	}
	closedir(dir);
	return n;
}

/* As dbus-daemon counts them for the central's connection. */
unsigned scene_count_rules(struct scene *t) {
	sd_bus *probe = NULL;
	sd_bus_message *reply = NULL;
	const char *central_name, *key;
	unsigned n = 0;

	assert_true(sd_bus_get_unique_name(bus_sd(t->central->bus), &central_name) >= 0);
	assert_true(sd_bus_new(&probe) >= 0);
	assert_true(sd_bus_set_address(probe, t->fake.address) >= 0);
	assert_true(sd_bus_set_bus_client(probe, true) >= 0);
	assert_true(sd_bus_start(probe) >= 0);
	int r = sd_bus_call_method(probe, "org.freedesktop.DBus", "/org/freedesktop/DBus",
		"org.freedesktop.DBus.Debug.Stats", "GetConnectionStats", NULL, &reply, "s",
		central_name);
	assert_true(r >= 0);
	assert_true(sd_bus_message_enter_container(reply, 'a', "{sv}") > 0);
	while (sd_bus_message_enter_container(reply, 'e', "sv") > 0) {
		assert_true(sd_bus_message_read(reply, "s", &key) > 0);
		if (strcmp(key, "MatchRules") == 0) {
			assert_true(sd_bus_message_read(reply, "v", "u", &n) > 0);
		} else {
			assert_true(sd_bus_message_skip(reply, "v") > 0);
		}
		assert_true(sd_bus_message_exit_container(reply) > 0);
	}
	sd_bus_message_unref(reply);
	sd_bus_flush_close_unref(probe);
	return n;
}

void scene_prepare(void) {
	log_setup("test", getenv("LOCKHUB_TEST_DEBUG") != NULL ? LOG_DEBUG : LOG_EMERG);
	cmocka_set_test_filter(getenv("LOCKHUB_TEST_FILTER"));
}
