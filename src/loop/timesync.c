/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "loop/timesync.h"

#include <stdlib.h>

#include "loop-private.h"
#include "loop/bus.h"

#define FIRST_PAUSE_MS 10000
#define LAST_PAUSE_MS 320000
#define ANSWER_US 25000000ULL

struct timesync {
	struct loop *loop;
	struct bus *bus; /* NULL: not needed, or not needed any more */
	struct loop_timer *timer;
	sd_bus_slot *slot;
	uint64_t pause_ms;
};

static void forget_call(struct timesync *timesync) {
	timesync->slot = sd_bus_slot_unref(timesync->slot);
}

static void ask_later(struct timesync *timesync) {
	loop_timer_arm(timesync->timer, timesync->pause_ms);
	if (timesync->pause_ms < LAST_PAUSE_MS) {
		timesync->pause_ms *= 2;
	}
}

static int on_answer(sd_bus_message *m, void *user, sd_bus_error *error) {
	struct timesync *timesync = user;
	int is_synchronised = 0;

	(void) error;
	forget_call(timesync);
	if (sd_bus_message_is_method_error(m, NULL) == 0 &&
		sd_bus_message_enter_container(m, 'v', "b") > 0 &&
		sd_bus_message_read(m, "b", &is_synchronised) > 0 && is_synchronised != 0) {
		timesync->loop->is_clock_vouched = true;
		loop_timer_arm(timesync->timer, 0); /* closes the connection from outside of it */
		return 0;
	}
	ask_later(timesync);
	return 0;
}

static void ask(struct timesync *timesync) {
	sd_bus *bus = bus_sd(timesync->bus);
	sd_bus_message *m = NULL;
	int r;

	if (bus == NULL || timesync->slot != NULL) {
		return; /* asked when it is up */
	}
	r = sd_bus_message_new_method_call(bus, &m, "org.freedesktop.timedate1",
		"/org/freedesktop/timedate1", "org.freedesktop.DBus.Properties", "Get");
	if (r >= 0) {
		r = sd_bus_message_append(m, "ss", "org.freedesktop.timedate1", "NTPSynchronized");
	}
	if (r >= 0) {
		r = sd_bus_call_async(bus, &timesync->slot, m, on_answer, timesync, ANSWER_US);
	}
	sd_bus_message_unref(m);
	if (r < 0) {
		ask_later(timesync);
	}
	bus_kick(timesync->bus);
}

static void on_timer(void *user) {
	struct timesync *timesync = user;

	if (timesync->loop->is_clock_vouched) {
		timesync->bus = bus_free(timesync->bus);
		return;
	}
	ask(timesync);
}

static void on_up(void *user) {
	ask(user);
}

static void on_down(void *user, int error) {
	(void) error;
	forget_call(user);
}

struct timesync *timesync_new(struct loop *loop, const char *address) {
	static const struct bus_user user_impl = { .up = on_up, .down = on_down };
	struct timesync *timesync = calloc(1, sizeof(*timesync));

	if (timesync == NULL) {
		return NULL;
	}
	timesync->loop = loop;
	timesync->pause_ms = FIRST_PAUSE_MS;
	if (loop_clock_kernel_answers() || clock_is_trusted(&loop->clock)) {
		return timesync;
	}
	timesync->timer = loop_timer_new(loop, on_timer, timesync);
	timesync->bus = bus_new(loop, "lockhubd-clock", address, &user_impl, timesync);
	if (timesync->timer == NULL || timesync->bus == NULL) {
		return timesync_free(timesync);
	}
	(void) bus_open(timesync->bus); /* goes on trying by itself */
	return timesync;
}

struct timesync *timesync_free(struct timesync *timesync) {
	if (timesync == NULL) {
		return NULL;
	}
	forget_call(timesync);
	bus_free(timesync->bus);
	loop_timer_free(timesync->timer);
	free(timesync);
	return NULL;
}
