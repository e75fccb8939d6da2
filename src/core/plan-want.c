/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What a lock should hold now, and until when that is so: the book, read for one lock at one
 * moment. A schedule that the lock can keep by itself goes along in the slot; the rest is the hub's
 * clock's.
 */

#include "plan-table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/schedule.h"
#include "util/text.h"

#define WALL_NEVER INT64_MAX
#define WHOLE_DAY_END 1439

struct want_list *want_list_new(void) {
	return calloc(1, sizeof(struct want_list));
}

struct want_list *want_list_free(struct want_list *list) {
	if (list != NULL) {
		wipe(list->wants, list->n * sizeof(list->wants[0]));
		free(list);
	}
	return NULL;
}

struct view {
	const struct book *book;
	const char *lock_id;
	const struct credential_limits *limits;
	const struct zone *zone;
	wall_t now;
	bool is_trusted;
	enum operating_mode mode;
	bool is_learning; /* of what is made right now */
	struct want_list *ret;
};

/* The windows of one user at one lock, as far as the user's type heeds them. */
struct windows {
	const struct schedule *rows[SCHEDULES_PER_USER_MAX];
	size_t n;
};

enum verdict {
	VERDICT_OUT,      /* not there */
	VERDICT_DISABLED, /* not now; what cannot be made again is switched off where that is
			     possible */
	VERDICT_IN,
};

static void note_edge(struct view *view, wall_t edge) {
	if (edge.s > view->now.s && edge.s < view->ret->next_edge.s) {
		view->ret->next_edge = edge;
	}
}

static bool heeds_kind(enum user_type type, enum schedule_kind kind) {
	switch (type) {
	case USER_YEAR_DAY_SCHEDULE:
		return kind == SCHEDULE_YEAR_DAY;
	case USER_WEEK_DAY_SCHEDULE:
		return kind == SCHEDULE_WEEK_DAY;
	case USER_SCHEDULE_RESTRICTED:
		return true;
	case USER_UNRESTRICTED:
	case USER_PROGRAMMING:
	case USER_NON_ACCESS:
	case USER_FORCED:
	case USER_DISPOSABLE:
	case USER_EXPIRING:
	case USER_REMOTE_ONLY:
		break;
	}
	return false;
}

static void collect_windows(const struct view *view, const struct user *user, struct windows *ret) {
	size_t n_rows;
	const struct schedule *rows = book_user_schedules(view->book, user->id, &n_rows);

	ret->n = 0;
	for (size_t i = 0; i < n_rows && ret->n < ARRAY_SIZE(ret->rows); i++) {
		if (heeds_kind(user->type, rows[i].kind) &&
			(rows[i].lock_id[0] == '\0' ||
				strcmp(rows[i].lock_id, view->lock_id) == 0)) {
			ret->rows[ret->n++] = &rows[i];
		}
	}
}

/* One kind decides alone; of two kinds, inside one of each. */
static bool is_inside(const struct view *view, const struct windows *windows) {
	int64_t local = zone_local(view->zone, view->now);
	bool has[SCHEDULE_YEAR_DAY + 1] = { false };
	bool in[SCHEDULE_YEAR_DAY + 1] = { false };

	for (size_t i = 0; i < windows->n; i++) {
		enum schedule_kind kind = windows->rows[i]->kind;

		has[kind] = true;
		in[kind] = in[kind] || schedule_contains(windows->rows[i], local);
	}
	return windows->n > 0 && in[SCHEDULE_WEEK_DAY] == has[SCHEDULE_WEEK_DAY] &&
	       in[SCHEDULE_YEAR_DAY] == has[SCHEDULE_YEAR_DAY];
}

static void note_window_edges(struct view *view, const struct windows *windows) {
	for (size_t i = 0; i < windows->n; i++) {
		note_edge(view, schedule_next_edge(windows->rows[i], view->zone, view->now));
	}
}

/* In a repeated hour one moment of the wall is two of UTC: such a date cannot go into a slot. */
static bool is_unique(const struct zone *zone, int64_t local, wall_t *ret) {
	*ret = zone_first(zone, local);
	return zone_last(zone, local).s == ret->s;
}

static bool fold_week_day(const struct schedule *row, bool is_first, struct slot_window *window) {
	int16_t start = row->start_minute;
	int16_t end = row->end_minute;

	if (start == 0 && end == WHOLE_DAY_END) {
		end = 0; /* how a slot says it */
	}
	if (!is_first && (start != window->start_minute || end != window->end_minute)) {
		return false;
	}
	window->start_minute = start;
	window->end_minute = end;
	window->days |= row->days;
	return true;
}

/* Whether one window of a slot says the same as the rows. */
static bool fold(const struct view *view, const struct windows *windows, struct slot *slot) {
	struct slot_window window = { 0 };
	size_t n_week = 0;
	size_t n_year = 0;

	for (size_t i = 0; i < windows->n; i++) {
		const struct schedule *row = windows->rows[i];

		if (row->kind == SCHEDULE_WEEK_DAY) {
			if (!fold_week_day(row, n_week++ == 0, &window)) {
				return false;
			}
		} else if (n_year++ > 0 || !is_unique(view->zone, row->from, &window.from) ||
			   !is_unique(view->zone, row->until, &window.until)) {
			return false;
		}
	}
	if (window.days == DAYS_ALL) {
		window.days = 0; /* how a slot says it */
	}
	if (view->limits->has_dates_only &&
		(window.days != 0 || window.start_minute != 0 || window.end_minute != 0)) {
		return false;
	}
	slot->is_limited = window.days != 0 || window.start_minute != 0 || window.end_minute != 0 ||
			   window.from.s != 0 || window.until.s != 0;
	slot->window = window;
	return true;
}

/* The end of a visitor's code or of an expiring user's time; 0: none. Exclusive. */
static wall_t end_of(const struct credential *credential, const struct user *user) {
	wall_t end = credential->valid_until;

	if (user->type == USER_EXPIRING && user->first_used_at.s != 0) {
		wall_t over = { user->first_used_at.s + 60 * (int64_t) user->expiring_minutes };

		if (end.s == 0 || over.s < end.s) {
			end = over;
		}
	}
	return end;
}

static bool is_there(const struct view *view, const struct credential *credential) {
	const struct placement *placement =
		book_placement(view->book, view->lock_id, credential->id);

	return placement != NULL && placement->state == PLACEMENT_PRESENT;
}

static bool is_shut(enum operating_mode mode, enum user_type type) {
	return mode == MODE_PRIVACY || (mode == MODE_VACATION && type != USER_PROGRAMMING);
}

/* Whether any holiday opens what the rules shut, or shuts what they open. */
static bool is_mode_timed(const struct view *view, enum user_type type) {
	bool is_shut_by_rules = is_shut(book_rules(view->book, view->lock_id)->mode, type);
	const struct holiday *holiday;

	for (size_t i = 0; (holiday = book_holiday_at(view->book, i)) != NULL; i++) {
		if (strcmp(holiday->lock_id, view->lock_id) == 0 &&
			is_shut(holiday->mode, type) != is_shut_by_rules) {
			return true;
		}
	}
	return false;
}

/* As the lock will tell it: never longer than it should be. A slot's end is inclusive. */
static void round_window(const struct credential_limits *limits, struct slot_window *window) {
	const int64_t step = limits->window_step_s > 1 ? limits->window_step_s : 1;

	if (window->from.s != 0) {
		window->from.s += (step - window->from.s % step) % step;
	}
	if (window->until.s != 0) {
		window->until.s -= (window->until.s + 1) % step;
	}
}

/*
 * When it should open the lock, *slot gets the window that the lock keeps by itself; *ret_is_timed:
 * the rest is the hub's to enforce.
 */
static enum verdict judge(struct view *view, const struct credential *credential,
	const struct user *user, struct slot *slot, bool *ret_is_timed) {
	bool has_native = view->limits->n_windows > 0;
	wall_t end = end_of(credential, user);
	struct windows windows;
	bool is_in;

	if (user->status != USER_STATUS_OCCUPIED_ENABLED) {
		return VERDICT_DISABLED;
	}
	if (user->type == USER_NON_ACCESS || user->type == USER_REMOTE_ONLY) {
		return VERDICT_DISABLED;
	}
	*ret_is_timed = is_mode_timed(view, user->type);
	is_in = !is_shut(view->mode, user->type);
	if (heeds_kind(user->type, SCHEDULE_WEEK_DAY) ||
		heeds_kind(user->type, SCHEDULE_YEAR_DAY)) {
		collect_windows(view, user, &windows);
		if (windows.n == 0) {
			return VERDICT_DISABLED;
		}
		if (!has_native || !fold(view, &windows, slot)) {
			slot->is_limited = false;
			slot->window = (struct slot_window){ 0 };
			note_window_edges(view, &windows);
			*ret_is_timed = true;
			is_in = is_in && is_inside(view, &windows);
		}
	}
	if (end.s != 0) {
		note_edge(view, end);
		if (view->is_trusted && view->now.s >= end.s) {
			return VERDICT_OUT;
		}
		if (has_native && (!slot->is_limited || slot->window.until.s == 0 ||
					  slot->window.until.s >= end.s)) {
			slot->is_limited = true;
			slot->window.until.s = end.s - 1; /* a slot's end is inclusive */
		}
		*ret_is_timed = *ret_is_timed || !has_native;
	}
	round_window(view->limits, &slot->window);
	/* What hangs on the hub's clock stays as it is while nobody knows the time (L8). */
	if (*ret_is_timed && !view->is_trusted) {
		is_in = is_there(view, credential);
	}
	return is_in ? VERDICT_IN : VERDICT_DISABLED;
}

static bool is_learnt(const struct credential_limits *limits, enum credential_type type) {
	return type < 32 && (limits->learns & 1U << type) != 0;
}

static bool takes_pin(const struct credential_limits *limits, const struct secret *pin) {
	return pin->len >= limits->pin_least && pin->len > 0 &&
	       (limits->pin_most == 0 || pin->len <= limits->pin_most) &&
	       (limits->check_pin == NULL || limits->check_pin(pin, NULL) >= 0);
}

void slot_set_name(const struct credential_limits *limits, const char *name, struct slot *slot) {
	size_t size = limits->name_most + 1;

	(void) text_copy(slot->name, size < sizeof(slot->name) ? size : sizeof(slot->name), name);
}

/* false: the lock cannot hold it. */
static bool fill_slot(const struct view *view, const struct credential *credential,
	const struct user *user, const struct slot *there, struct slot *slot) {
	const struct credential_limits *limits = view->limits;

	if (credential->type == CREDENTIAL_APP_KEY) {
		if (there == NULL) {
			return false; /* made by the app that holds it, never here */
		}
		slot->is_remote_allowed = there->is_remote_allowed;
		memcpy(slot->name, there->name, sizeof(slot->name));
		return true;
	}
	if (credential->type >= 32 || (limits->types & 1U << credential->type) == 0) {
		return false;
	}
	if (is_learnt(limits, credential->type) && there == NULL && !view->is_learning) {
		return false; /* made by whoever presents it */
	}
	/* What the lock holds already, it can hold: an adopted code keeps its form. */
	if (credential->type == CREDENTIAL_PIN && !takes_pin(limits, &credential->pin) &&
		(there == NULL || !secret_equal(&there->pin, &credential->pin))) {
		return false;
	}
	slot->pin = credential->pin;
	slot_set_name(limits, user->name, slot);
	return true;
}

static void want_one(
	struct view *view, const struct credential *credential, const struct user *user) {
	struct want_list *list = view->ret;
	const struct placement *placement =
		book_placement(view->book, view->lock_id, credential->id);
	struct want want = { .credential = credential };
	bool is_app_key = credential->type == CREDENTIAL_APP_KEY;
	bool is_kept = (is_app_key && view->limits->has_enable) ||
		       is_learnt(view->limits, credential->type);
	const struct slot *there = NULL;
	enum verdict verdict;
	size_t n_slots;

	if (is_app_key && !view->limits->has_app_keys) {
		return;
	}
	want.slot.type = credential->type;
	verdict = judge(view, credential, user, &want.slot, &want.is_hub_enforced);
	if (verdict == VERDICT_OUT || (verdict == VERDICT_DISABLED && !is_kept)) {
		return;
	}
	want.slot.is_enabled = verdict == VERDICT_IN;
	if (!want.slot.is_enabled && !is_app_key) {
		/* Of what is off there is nothing to limit. */
		want.slot.is_limited = false;
		want.slot.window = (struct slot_window){ 0 };
	}
	if (placement != NULL) {
		const struct slot *slots = book_slots(view->book, view->lock_id, &n_slots, NULL);

		want.slot.ref = placement->ref;
		there = slot_find(slots, n_slots, credential->type, placement->ref);
	}
	if (!fill_slot(view, credential, user, there, &want.slot) ||
		list->n == ARRAY_SIZE(list->wants)) {
		list->n_refused++;
	} else {
		list->wants[list->n++] = want;
	}
	wipe(&want, sizeof(want));
}

static void look_at_holidays(struct view *view) {
	const struct holiday *holiday;

	for (size_t i = 0; (holiday = book_holiday_at(view->book, i)) != NULL; i++) {
		struct schedule as_window = {
			.kind = SCHEDULE_YEAR_DAY, .from = holiday->from, .until = holiday->until
		};

		if (strcmp(holiday->lock_id, view->lock_id) == 0) {
			note_edge(view, schedule_next_edge(&as_window, view->zone, view->now));
		}
	}
}

/* @ret is emptied. */
static struct view view_on(const struct book *book, const char *lock_id,
	const struct credential_limits *limits, const struct zone *zone, wall_t now,
	bool is_trusted, struct want_list *ret) {
	wipe(ret->wants, ret->n * sizeof(ret->wants[0]));
	ret->n = 0;
	ret->n_refused = 0;
	ret->next_edge.s = WALL_NEVER;
	return (struct view){ .book = book,
		.lock_id = lock_id,
		.limits = limits,
		.zone = zone,
		.now = now,
		.is_trusted = is_trusted,
		.mode = book_mode(book, lock_id, zone, now, is_trusted),
		.ret = ret };
}

void plan_want(const struct book *book, const char *lock_id, const struct credential_limits *limits,
	const struct zone *zone, wall_t now, bool is_trusted, struct want_list *ret) {
	struct view view = view_on(book, lock_id, limits, zone, now, is_trusted, ret);
	const struct credential *credential;

	look_at_holidays(&view);
	for (size_t i = 0; (credential = book_credential_at(book, i)) != NULL; i++) {
		const struct user *user;

		/* A mechanical key is only known, nothing of it is in the lock. */
		if (credential->state != CREDENTIAL_ACTIVE || credential->is_expired ||
			credential->type == CREDENTIAL_MECHANICAL_KEY ||
			(credential->lock_id[0] != '\0' &&
				strcmp(credential->lock_id, lock_id) != 0) ||
			!book_has_access(book, credential->user_id, lock_id)) {
			continue;
		}
		user = book_user(book, credential->user_id);
		if (user != NULL) {
			want_one(&view, credential, user);
		}
	}
}

int plan_learn(const struct book *book, const char *lock_id, const struct credential_limits *limits,
	const struct zone *zone, wall_t now, bool is_trusted, enum credential_type type,
	const struct user *user, struct slot *ret) {
	const struct credential credential = { .type = type, .state = CREDENTIAL_ACTIVE };
	AUTO(want_list_free) struct want_list *wants = want_list_new();
	struct view view;

	if (!is_learnt(limits, type)) {
		return -EOPNOTSUPP;
	}
	if (wants == NULL) {
		return -ENOMEM;
	}
	view = view_on(book, lock_id, limits, zone, now, is_trusted, wants);
	view.is_learning = true;
	want_one(&view, &credential, user);
	if (wants->n == 0) {
		return -EOPNOTSUPP;
	}
	*ret = wants->wants[0].slot;
	return 0;
}
