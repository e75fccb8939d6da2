/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The scene of the end to end tests: a private bus, a scripted org.bluez, the central, and users
 * that count what they are told. Times of the central are shrunk to TIME_PERCENT. A callback that
 * comes from inside a call of the door fails the test.
 */

#include "ble/central.h"
#include "fake-bluez.h"
#include "scene-clock.h"

#define TIME_PERCENT 5 /* Connect's 20 s become 1 s */
#define A "54:D2:72:00:00:01"
#define B "54:D2:72:00:00:02"
#define C "54:D2:72:00:00:03"
#define D "54:D2:72:00:00:04"
#define HCI "00:AA:01:00:00:00"
#define PATIENCE 30000

struct scene_user {
	unsigned n_ups, n_downs, n_bytes, n_written, n_heard;
	unsigned mtu;
	struct fault fault;
	int written_error;
	enum radio_sent written_sent;
	char characteristic[RADIO_UUID_MAX];
	uint8_t bytes[512];
	size_t n;
	struct advert advert;
};

struct scene {
	struct fake fake;
	struct loop *loop;
	struct central *central;
	struct radio *radio;
	struct scene_user users[8];
	struct radio_link *links[8];
	const struct radio_subscription *subscriptions; /* of links made from now on; NULL: usual */
	unsigned n_scan_heard, n_scan_ended;
	struct fault scan_fault;
	struct advert scan_advert;
};

extern const struct radio_pattern scene_patterns[2]; /* of watched devices */
extern bool scene_is_inside;                         /* a call of the door: no callback may come */

void scene_turn(struct scene *t);
void scene_turn_for(struct scene *t, int ms);
/* The n-th link and user of the scene; the calls of the door are made with scene_is_inside set. */
struct radio_link *scene_link_new(
	struct scene *t, unsigned n, const char *address, bool is_watched);
void scene_link_free(struct scene *t, unsigned n);
void scene_want(struct scene *t, unsigned n, enum radio_need need);
void scene_release(struct scene *t, unsigned n);
void scene_drop(struct scene *t, unsigned n);
int scene_write_text(struct scene *t, unsigned n, const char *text);
bool scene_in_state(struct scene *t, unsigned n, const char *state);
bool scene_is_ready(struct scene *t);
enum fault_code scene_status_fault(struct scene *t);
void scene_central_start(struct scene *t, const struct central_config *config);
int scene_setup_bus(void **state);
int scene_setup(void **state);
int scene_teardown(void **state);
void scene_up(struct scene *t, unsigned n);
int scene_setup_four(void **state);
void scene_scan_heard(void *user, const struct advert *advert);
void scene_scan_ended(void *user, const struct fault *fault);

/* Turns both sides until the condition holds; fails after 8 s. */
#define UNTIL(t, condition)                                                                        \
	do {                                                                                       \
		int64_t end_ = scene_now_ms() + 8000;                                              \
		while (!(condition)) {                                                             \
			if (scene_now_ms() > end_) {                                               \
				fail_msg("line %d: never: %s", __LINE__, #condition);              \
			}                                                                          \
			scene_turn(t);                                                             \
		}                                                                                  \
	} while (0)

#define IN(setup_fn, test_fn) cmocka_unit_test_setup_teardown(test_fn, setup_fn, scene_teardown)
#define ONE(test_fn) IN(scene_setup, test_fn)       /* BlueZ, an adapter, device A and its link */
#define FOUR(test_fn) IN(scene_setup_four, test_fn) /* four devices, three slots */
#define BARE(test_fn) cmocka_unit_test_teardown(test_fn, scene_teardown)
/* LOCKHUB_TEST_DEBUG=1 shows the journal; LOCKHUB_TEST_FILTER='*burst*' runs one alone. */
void scene_prepare(void);
unsigned scene_count_fds(void);
/* Match rules of the central, as dbus-daemon counts them. */
unsigned scene_count_rules(struct scene *t);
