/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* org.lockhub1.Lock: what the lock does by itself at a time of day, and changing it. */

#include "room.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/schedule.h"

#define DAY_MINUTES 1440

static const struct lock *lock_of(const void *user) {
	return ((const struct api_lock *) user)->lock;
}

/* ------------------------------------------------------------------------- properties */

static int value_timer(sd_bus_message *reply, const struct lock_timer *timer) {
	const struct schedule days = {
		.kind = SCHEDULE_WEEK_DAY,
		.days = timer->days != 0 ? timer->days : DAYS_ALL,
		.end_minute = DAY_MINUTES - 1,
	};
	char text[SCHEDULE_TEXT_MAX], time[16];
	snprintf(time, sizeof(time), "%02d:%02d", timer->minute / 60, timer->minute % 60);
	return sd_bus_message_append(reply, "a{sv}", 5, "id", "x", timer->ref, "enabled", "b",
		(int) timer->is_enabled, "days", "s", schedule_text(&days, text), "time", "s", time,
		"act", "s", timer->act != ACT_NONE ? act_name(timer->act) : "other");
}

static int put_timers(sd_bus_message *reply, const struct lock_timer *timers, size_t n) {
	int r = sd_bus_message_open_container(reply, 'a', "a{sv}");
	for (size_t i = 0; r >= 0 && i < n; i++) {
		r = value_timer(reply, &timers[i]);
	}
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

PROPERTY_GETTER(lock_get_timers) {
	size_t n;
	const struct lock_timer *timers = lock_timers(lock_of(user), &n, NULL);
	return put_timers(reply, timers, n);
}

PROPERTY_GETTER(lock_get_timers_wanted) {
	size_t n;
	const struct lock_timer *timers = lock_timers_wanted(lock_of(user), &n);
	return put_timers(reply, timers, n);
}

PROPERTY_GETTER(lock_get_timers_read) {
	size_t n;
	wall_t at;
	lock_timers(lock_of(user), &n, &at);
	return sd_bus_message_append(reply, "x", at.s);
}

/* ------------------------------------------------------------------------- methods */

enum {
	TIMER_ENABLED = 1 << 0,
	TIMER_DAYS = 1 << 1,
	TIMER_TIME = 1 << 2,
	TIMER_ACT = 1 << 3,
	TIMER_ALL = TIMER_ENABLED | TIMER_DAYS | TIMER_TIME | TIMER_ACT,
};

/* SetTimer as it comes. */
struct timer_call {
	unsigned id;
	bool is_enabled;
	char days[SCHEDULE_TEXT_MAX];
	char time[8];
	enum act act;
};

static int set_act(const char *word, void *at) {
	return act_from_name(word, at);
}

#define AT(member) offsetof(struct timer_call, member), sizeof(((struct timer_call *) NULL)->member)
/* clang-format off */
static const struct option timer_options[] = {
	{ "id",      OPTION_NUMBER, AT(id), 0, NULL },
	{ "enabled", OPTION_FLAG,   AT(is_enabled), TIMER_ENABLED, NULL },
	{ "days",    OPTION_TEXT,   AT(days), TIMER_DAYS, NULL },
	{ "time",    OPTION_TEXT,   AT(time), TIMER_TIME, NULL },
	{ "act",     OPTION_WORD,   AT(act), TIMER_ACT, set_act },
};
/* clang-format on */

static int read_days(const char *text, struct lock_timer *timer, struct fault *ret_fault) {
	struct schedule rows[SCHEDULES_PER_TEXT_MAX];
	int n = schedule_parse(text, rows, ret_fault);
	if (n < 0) {
		return n;
	}
	if (n != 1 || rows[0].kind != SCHEDULE_WEEK_DAY || rows[0].start_minute != 0 ||
		rows[0].end_minute != DAY_MINUTES - 1) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"'%.32s' is not just days of the week, like Mon-Fri, \"Sat,Sun\" or daily",
			text);
	}
	timer->days = rows[0].days;
	return 0;
}

/* "7:05" or "22:30" */
static int read_time(const char *text, struct lock_timer *timer, struct fault *ret_fault) {
	size_t n = strspn(text, "0123456789");
	const char *rest = text + n;
	if (n >= 1 && n <= 2 && rest[0] == ':' && strspn(rest + 1, "0123456789") == 2 &&
		rest[3] == '\0') {
		int hour = atoi(text), minute = atoi(rest + 1);
		if (hour < 24 && minute < 60) {
			timer->minute = (int16_t) (hour * 60 + minute);
			return 0;
		}
	}
	return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
		"'%s' is not a time of day from 00:00 to 23:59, like 22:30", text);
}

/* What the lock has under that id; a new one is on, and for every day. */
static int start_from(const struct lock *lock, const struct timer_call *call, unsigned set,
	struct lock_timer *ret, struct fault *ret_fault) {
	size_t n;
	const struct lock_timer *timers = lock_timers(lock, &n, NULL);
	*ret = (struct lock_timer){ .ref = call->id, .is_enabled = true, .days = DAYS_ALL };
	if (call->id == 0) {
		return (set & TIMER_TIME) != 0 && (set & TIMER_ACT) != 0
			       ? 0
			       : fault_set(ret_fault, FAULT_BAD_ARGUMENT,
					 "a new timer needs a time and an act");
	}
	for (size_t i = 0; i < n; i++) {
		if (timers[i].ref == call->id) {
			*ret = timers[i];
			return 0;
		}
	}
	if (set == TIMER_ALL) {
		return 0; /* the lock knows best whether it has it */
	}
	return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
		"no timer %u is known of %s, so that nothing of it can be kept; read its timers "
		"first",
		call->id, lock_slug(lock));
}

static int read_set(sd_bus_message *message, const struct lock *lock, struct request *request,
	struct fault *ret_fault) {
	struct timer_call call = { 0 };
	unsigned set;
	int r = options_read(
		message, timer_options, ARRAY_SIZE(timer_options), &call, &set, ret_fault);
	if (r >= 0) {
		r = start_from(lock, &call, set, &request->timer, ret_fault);
	}
	if (r >= 0 && (set & TIMER_DAYS) != 0) {
		r = read_days(call.days, &request->timer, ret_fault);
	}
	if (r >= 0 && (set & TIMER_TIME) != 0) {
		r = read_time(call.time, &request->timer, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	if ((set & TIMER_ENABLED) != 0) {
		request->timer.is_enabled = call.is_enabled;
	}
	if ((set & TIMER_ACT) != 0) {
		request->timer.act = call.act;
	}
	return 0;
}

static int read_remove(sd_bus_message *message, struct request *request, struct fault *ret_fault) {
	if (sd_bus_message_read(message, "x", &request->timer.ref) < 0) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "RemoveTimer(x id)");
	}
	return 0;
}

static void timer_granted(struct api *api, sd_bus_message *message, const struct asker *asker) {
	bool is_set = strcmp(sd_bus_message_get_member(message), "SetTimer") == 0;
	struct fault fault = { 0 };
	const struct api_lock *shown = lock_called(api, message);
	if (shown == NULL) {
		return;
	}
	struct request request =
		request_of(shown->lock, is_set ? ACT_PUT_TIMER : ACT_REMOVE_TIMER, asker);
	int r = is_set ? read_set(message, shown->lock, &request, &fault)
		       : read_remove(message, &request, &fault);
	request_send(api, message, &request, r, &fault);
}

int lock_method_timer(sd_bus_message *message, void *user, sd_bus_error *ret_error) {
	static const struct ask_rule rule = { ROLE_MANAGE, timer_granted, NULL };
	return ask(((struct api_lock *) user)->object.api, message, &rule);
}
