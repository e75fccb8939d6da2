/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "core/plan.h"

#include <stdlib.h>
#include <string.h>

#include "core/schedule.h"
#include "util/text.h"

#define WALL_NEVER INT64_MAX
#define WHOLE_DAY_END 1439
/* A read-back that agrees is noted at most this often: nothing is written when nothing happens. */
#define CONFIRM_S 3600

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

struct plan *plan_new(void) {
	return calloc(1, sizeof(struct plan));
}

/* Only what was filled: most plans are short, and they are large. */
static void plan_clear(struct plan *plan) {
	wipe(plan->steps, plan->n * sizeof(plan->steps[0]));
	plan->n = 0;
	plan->n_matches = 0;
	plan->n_foreign = 0;
	plan->n_full = 0;
}

struct plan *plan_free(struct plan *plan) {
	if (plan != NULL) {
		plan_clear(plan);
		free(plan);
	}
	return NULL;
}

static const struct slot *find_slot(
	const struct slot *slots, size_t n, enum credential_type type, int64_t ref) {
	for (size_t i = 0; i < n && ref != 0; i++) {
		if (slots[i].type == type && slots[i].ref == ref) {
			return &slots[i];
		}
	}
	return NULL;
}

/* ---------------------------------------------------------------- what should be there */

struct view {
	const struct book *book;
	const char *lock_id;
	const struct credential_limits *limits;
	const struct zone *zone;
	wall_t now;
	bool is_trusted;
	enum operating_mode mode;
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

/* domain-model 7: one kind decides alone; of two kinds, inside one of each. */
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
	/* What hangs on the hub's clock stays as it is while nobody knows the time (L8). */
	if (*ret_is_timed && !view->is_trusted) {
		is_in = is_there(view, credential);
	}
	return is_in ? VERDICT_IN : VERDICT_DISABLED;
}

static bool takes_pin(const struct credential_limits *limits, const struct secret *pin) {
	return pin->len >= limits->pin_least && pin->len > 0 &&
	       (limits->pin_most == 0 || pin->len <= limits->pin_most) &&
	       (limits->check_pin == NULL || limits->check_pin(pin, NULL) >= 0);
}

static void slot_name(const struct credential_limits *limits, const char *name, struct slot *slot) {
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
	/* What the lock holds already, it can hold: an adopted code keeps its form. */
	if (credential->type == CREDENTIAL_PIN && !takes_pin(limits, &credential->pin) &&
		(there == NULL || !secret_equal(&there->pin, &credential->pin))) {
		return false;
	}
	slot->pin = credential->pin;
	slot_name(limits, user->name, slot);
	return true;
}

static void want_one(
	struct view *view, const struct credential *credential, const struct user *user) {
	struct want_list *list = view->ret;
	const struct placement *placement =
		book_placement(view->book, view->lock_id, credential->id);
	struct want want = { .credential = credential };
	bool is_app_key = credential->type == CREDENTIAL_APP_KEY;
	const struct slot *there = NULL;
	enum verdict verdict;
	size_t n_slots;

	if (is_app_key && !view->limits->has_app_keys) {
		return;
	}
	want.slot.type = credential->type;
	verdict = judge(view, credential, user, &want.slot, &want.is_hub_enforced);
	if (verdict == VERDICT_OUT ||
		(verdict == VERDICT_DISABLED && !(is_app_key && view->limits->has_enable))) {
		return;
	}
	want.slot.is_enabled = verdict == VERDICT_IN;
	if (placement != NULL) {
		const struct slot *slots = book_slots(view->book, view->lock_id, &n_slots, NULL);

		want.slot.ref = placement->ref;
		there = find_slot(slots, n_slots, credential->type, placement->ref);
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

void plan_want(const struct book *book, const char *lock_id, const struct credential_limits *limits,
	const struct zone *zone, wall_t now, bool is_trusted, struct want_list *ret) {
	struct view view = { .book = book,
		.lock_id = lock_id,
		.limits = limits,
		.zone = zone,
		.now = now,
		.is_trusted = is_trusted,
		.mode = book_mode(book, lock_id, zone, now, is_trusted),
		.ret = ret };
	const struct credential *credential;

	wipe(ret->wants, ret->n * sizeof(ret->wants[0]));
	ret->n = 0;
	ret->n_refused = 0;
	ret->next_edge.s = WALL_NEVER;
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

/* ------------------------------------------------------------------------ the difference */

static bool is_same_window(const struct slot *a, const struct slot *b) {
	if (a->is_limited != b->is_limited) {
		return false;
	}
	return !a->is_limited ||
	       (a->window.from.s == b->window.from.s && a->window.until.s == b->window.until.s &&
		       a->window.days == b->window.days &&
		       a->window.start_minute == b->window.start_minute &&
		       a->window.end_minute == b->window.end_minute);
}

static bool is_same_pin(const struct slot *wanted, const struct slot *there) {
	return there->pin.len == 0 || secret_equal(&wanted->pin, &there->pin);
}

static bool is_same_name(const struct slot *wanted, const struct slot *there) {
	return wanted->name[0] == '\0' || strcmp(wanted->name, there->name) == 0;
}

static bool agrees(const struct slot *wanted, const struct slot *there) {
	return wanted->is_enabled == there->is_enabled && is_same_window(wanted, there) &&
	       is_same_pin(wanted, there) && is_same_name(wanted, there);
}

static const struct want *find_want(
	const struct want_list *wants, const struct credential *credential) {
	for (size_t i = 0; i < wants->n; i++) {
		if (wants->wants[i].credential == credential) {
			return &wants->wants[i];
		}
	}
	return NULL;
}

/* One placement of the lock beside what the lock shows of it. */
struct pair {
	const struct placement *placement;
	const struct credential *credential;
	const struct want *want; /* NULL: not wanted */
	const struct slot *slot; /* NULL: not in the list */
};

struct table {
	const struct slot *slots;
	size_t n_slots;
	bool is_taken[SLOTS_PER_LOCK_MAX];
	size_t n;
	struct pair pairs[];
};

static void take(struct table *table, struct pair *pair, const struct slot *slot) {
	pair->slot = slot;
	table->is_taken[slot - table->slots] = true;
}

/* NULL: no memory. To be freed. */
static struct table *table_new(
	const struct book *book, const char *lock_id, const struct want_list *wants) {
	const struct placement *placement;
	struct table *table;
	size_t n = 0;

	for (size_t i = 0; (placement = book_placement_at(book, i)) != NULL; i++) {
		n += strcmp(placement->lock_id, lock_id) == 0;
	}
	table = calloc(1, sizeof(*table) + n * sizeof(table->pairs[0]));
	if (table == NULL) {
		return NULL;
	}
	table->slots = book_slots(book, lock_id, &table->n_slots, NULL);
	for (size_t i = 0; (placement = book_placement_at(book, i)) != NULL; i++) {
		struct pair *pair = &table->pairs[table->n];
		const struct slot *slot;

		if (strcmp(placement->lock_id, lock_id) != 0) {
			continue;
		}
		pair->placement = placement;
		pair->credential = book_credential(book, placement->credential_id);
		if (pair->credential == NULL) {
			continue; /* cannot be: it stays until its last placement is gone */
		}
		pair->want = wants != NULL ? find_want(wants, pair->credential) : NULL;
		table->n++;
		slot = find_slot(
			table->slots, table->n_slots, pair->credential->type, placement->ref);
		if (slot != NULL && !slot->is_own) {
			take(table, pair, slot);
		}
	}
	return table;
}

/* It was sent, or perhaps, and the lock's id of it is not known. */
static bool is_doubtful(const struct pair *pair) {
	const struct placement *placement = pair->placement;

	return pair->slot == NULL &&
	       ((placement->state == PLACEMENT_SENT && placement->fault != FAULT_NONE) ||
		       (placement->state == PLACEMENT_LEAVING && placement->ref == 0));
}

static void note_match(
	struct plan_match *match, const struct credential *credential, const struct slot *slot) {
	*match = (struct plan_match){ .type = slot->type, .ref = slot->ref };
	memcpy(match->credential_id, credential->id, sizeof(match->credential_id));
}

/* By the PIN; @ret holds SLOTS_PER_LOCK_MAX. The number of them. */
static size_t find_matches(struct table *table, struct plan_match *ret) {
	size_t n = 0;

	for (size_t i = 0; i < table->n; i++) {
		struct pair *pair = &table->pairs[i];

		for (size_t k = 0; is_doubtful(pair) && k < table->n_slots; k++) {
			const struct slot *slot = &table->slots[k];

			if (!table->is_taken[k] && !slot->is_own && slot->pin.len > 0 &&
				slot->type == pair->credential->type &&
				secret_equal(&slot->pin, &pair->credential->pin)) {
				take(table, pair, slot);
				note_match(&ret[n++], pair->credential, slot);
			}
		}
	}
	return n;
}

size_t plan_match_new(const struct book *book, const char *lock_id,
	const struct credential_limits *limits, const struct slot *before, size_t n_before,
	struct plan_match *ret) {
	AUTO(free) struct table *table = table_new(book, lock_id, NULL);
	size_t n = 0;

	if (table == NULL) {
		return 0;
	}
	(void) find_matches(table, ret); /* those that plan_make() finds */
	for (size_t i = 0; i < table->n; i++) {
		struct pair *pair = &table->pairs[i];
		const struct user *user = book_user(book, pair->credential->user_id);
		const struct slot *newest = NULL;
		struct slot sent = { 0 };

		if (!is_doubtful(pair) || user == NULL || n == SLOTS_PER_LOCK_MAX) {
			continue;
		}
		slot_name(limits, user->name, &sent);
		for (size_t k = 0; k < table->n_slots; k++) {
			const struct slot *slot = &table->slots[k];

			if (!table->is_taken[k] && !slot->is_own &&
				slot->type == pair->credential->type &&
				strcmp(slot->name, sent.name) == 0 &&
				find_slot(before, n_before, slot->type, slot->ref) == NULL &&
				(newest == NULL || slot->ref > newest->ref)) {
				newest = slot;
			}
		}
		if (newest != NULL) {
			take(table, pair, newest);
			note_match(&ret[n++], pair->credential, newest);
		}
	}
	return n;
}

static void add_step(struct plan *plan, enum plan_kind kind, bool is_revocation,
	const struct credential *credential, const struct slot *slot, int64_t ref) {
	struct plan_step *step;

	if (plan->n == ARRAY_SIZE(plan->steps)) {
		return; /* the rest has its turn when these are done */
	}
	step = &plan->steps[plan->n++];
	step->kind = kind;
	step->is_revocation = is_revocation;
	memcpy(step->credential_id, credential->id, sizeof(step->credential_id));
	step->slot = *slot;
	step->slot.ref = ref;
}

/*
 * The lock refused to change the row. A name that differs does no harm; a PIN, a window or a mark
 * that should be another one does. Where PINs are not told and nothing else differs, it was the
 * PIN.
 */
static bool is_harmful(const struct pair *pair) {
	const struct slot *wanted = &pair->want->slot;
	const struct slot *there = pair->slot;

	return wanted->is_enabled != there->is_enabled || !is_same_window(wanted, there) ||
	       !is_same_pin(wanted, there) ||
	       (there->pin.len == 0 && wanted->pin.len > 0 && is_same_name(wanted, there));
}

static bool is_refused(const struct pair *pair) {
	return pair->placement->state == PLACEMENT_REFUSED;
}

/* Written, but nobody knows whether it arrived, and reading does not tell the PIN. */
static bool is_pin_doubtful(const struct pair *pair) {
	const struct placement *placement = pair->placement;

	return pair->slot->pin.len == 0 && pair->want->slot.pin.len > 0 &&
	       (placement->state == PLACEMENT_WANTED || placement->state == PLACEMENT_LEAVING ||
		       (placement->state == PLACEMENT_SENT && placement->fault != FAULT_NONE));
}

/* It opens the door for whom, or with what, it must not any more. */
static bool is_open_wrongly(const struct want *want, const struct slot *there) {
	return want == NULL || (!want->slot.is_enabled && there->is_enabled) ||
	       (want->slot.pin.len > 0 && !is_same_pin(&want->slot, there));
}

static bool must_go(const struct pair *pair) {
	if (pair->slot == NULL) {
		return false;
	}
	return pair->want == NULL || (is_refused(pair) && is_harmful(pair) &&
					     pair->credential->type != CREDENTIAL_APP_KEY);
}

static bool must_change(const struct pair *pair) {
	if (pair->slot == NULL || pair->want == NULL || must_go(pair)) {
		return false;
	}
	/* Only an authorisation of an app comes here refused: to switch it off is never given up.
	 */
	if (is_refused(pair) && !is_open_wrongly(pair->want, pair->slot)) {
		return false;
	}
	return !agrees(&pair->want->slot, pair->slot) || is_pin_doubtful(pair);
}

/*
 * Somebody else's code is the same: the lock would say no. Not to ask it has another good: what is
 * found after a lost reply is then certainly ours.
 */
static bool is_pin_there(
	const struct table *table, const struct slot *wanted, bool is_ours_counted) {
	for (size_t k = 0; k < table->n_slots && wanted->pin.len > 0; k++) {
		const struct slot *slot = &table->slots[k];

		if ((is_ours_counted || !table->is_taken[k]) && slot->type == wanted->type &&
			secret_equal(&slot->pin, &wanted->pin)) {
			return true;
		}
	}
	return false;
}

/* It said so to one: that is the answer to all, until something leaves. */
static bool is_known_full(const struct table *table) {
	for (size_t i = 0; i < table->n; i++) {
		const struct placement *placement = table->pairs[i].placement;

		if (placement->state == PLACEMENT_REFUSED && placement->fault == FAULT_LIST_FULL &&
			table->pairs[i].want != NULL) {
			return true;
		}
	}
	return false;
}

static void add_additions(struct plan *plan, const struct table *table,
	const struct want_list *wants, const struct credential_limits *limits, size_t n_held) {
	bool is_full = is_known_full(table);

	for (size_t i = 0; i < wants->n; i++) {
		const struct want *want = &wants->wants[i];
		const struct pair *pair = NULL;

		for (size_t k = 0; k < table->n && pair == NULL; k++) {
			pair = table->pairs[k].want == want ? &table->pairs[k] : NULL;
		}
		if (pair != NULL && (pair->slot != NULL || is_refused(pair))) {
			continue;
		}
		/* An authorisation can only be made again by its app. */
		if (want->slot.type == CREDENTIAL_APP_KEY ||
			is_pin_there(table, &want->slot, false)) {
			continue;
		}
		if (is_full || (limits->n_max > 0 && n_held >= limits->n_max)) {
			plan->n_full++;
			continue;
		}
		n_held++;
		add_step(plan, PLAN_ADD, false, want->credential, &want->slot, 0);
	}
}

void plan_make(const struct book *book, const char *lock_id, const struct want_list *wants,
	const struct credential_limits *limits, struct plan *ret) {
	AUTO(free) struct table *table = table_new(book, lock_id, wants);
	size_t n_held = 0;

	plan_clear(ret);
	if (table == NULL) {
		return;
	}
	ret->n_matches = find_matches(table, ret->matches);
	for (size_t k = 0; k < table->n_slots; k++) {
		const struct slot *slot = &table->slots[k];

		ret->n_foreign += !table->is_taken[k] && !slot->is_own;
		n_held += slot->type < 32 && (limits->types & 1U << slot->type) != 0;
	}
	for (size_t i = 0; i < table->n; i++) {
		const struct pair *pair = &table->pairs[i];

		if (must_go(pair)) {
			add_step(ret, PLAN_REMOVE, true, pair->credential, pair->slot,
				pair->slot->ref);
			n_held -= n_held > 0 && pair->slot->type != CREDENTIAL_APP_KEY;
		}
	}
	for (unsigned is_later = 0; is_later < 2; is_later++) {
		for (size_t i = 0; i < table->n; i++) {
			const struct pair *pair = &table->pairs[i];
			bool is_urgent;

			if (!must_change(pair)) {
				continue;
			}
			is_urgent = is_open_wrongly(pair->want, pair->slot);
			if (is_urgent == (is_later == 0)) {
				add_step(ret, PLAN_UPDATE, is_urgent, pair->credential,
					&pair->want->slot, pair->slot->ref);
			}
		}
	}
	add_additions(ret, table, wants, limits, n_held);
}

/* --------------------------------------------------------------------------- placements */

static void apply_matches(struct table *table, const struct plan *plan) {
	for (size_t m = 0; m < plan->n_matches; m++) {
		const struct plan_match *match = &plan->matches[m];

		for (size_t i = 0; i < table->n; i++) {
			struct pair *pair = &table->pairs[i];
			const struct slot *slot;

			if (strcmp(pair->credential->id, match->credential_id) != 0) {
				continue;
			}
			slot = find_slot(table->slots, table->n_slots, match->type, match->ref);
			if (slot != NULL) {
				take(table, pair, slot);
			}
		}
	}
}

static void set_state(struct placement *placement, enum placement_state state, wall_t now) {
	if (placement->state != state) {
		placement->state = state;
		placement->since = now;
	}
}

static bool tells_pins(const struct table *table) {
	for (size_t k = 0; k < table->n_slots; k++) {
		if (table->slots[k].type == CREDENTIAL_PIN && table->slots[k].pin.len == 0) {
			return false;
		}
	}
	return true;
}

/* The list proves what is there. */
static void settle_read(const struct table *table, const struct pair *pair, wall_t now,
	struct plan_change *change) {
	struct placement *placement = &change->placement;

	placement->ref = pair->slot != NULL ? pair->slot->ref : 0;
	if (pair->want == NULL) {
		change->is_gone = pair->slot == NULL;
		set_state(placement, PLACEMENT_LEAVING, now);
		return;
	}
	if (pair->slot != NULL && !must_go(pair) && !must_change(pair) &&
		(!is_refused(pair) || agrees(&pair->want->slot, pair->slot))) {
		if (placement->state != PLACEMENT_PRESENT ||
			now.s - placement->confirmed_at.s >= CONFIRM_S) {
			placement->confirmed_at = now;
		}
		placement->fault = FAULT_NONE;
		placement->n_tries = 0;
		set_state(placement, PLACEMENT_PRESENT, now);
		return;
	}
	if (pair->slot == NULL && is_pin_there(table, &pair->want->slot, false)) {
		placement->fault = FAULT_CODE_EXISTS;
		set_state(placement, PLACEMENT_REFUSED, now);
	} else if (placement->state != PLACEMENT_REFUSED ||
		   (placement->fault == FAULT_CODE_EXISTS && tells_pins(table) &&
			   !is_pin_there(table, &pair->want->slot, true))) {
		set_state(placement, PLACEMENT_WANTED, now);
	}
}

/* Only the book has changed: what is at the lock is as unknown as before. */
static void settle_book(const struct pair *pair, wall_t now, struct plan_change *change) {
	struct placement *placement = &change->placement;
	bool is_nowhere = placement->ref == 0 && (placement->state == PLACEMENT_WANTED ||
							 placement->state == PLACEMENT_REFUSED);

	if (pair->want == NULL) {
		change->is_gone = is_nowhere;
		set_state(placement, PLACEMENT_LEAVING, now);
		return;
	}
	if (placement->state == PLACEMENT_LEAVING) {
		placement->n_tries = 0;
		placement->fault = placement->ref != 0 ? FAULT_NONE : FAULT_OUTCOME_UNKNOWN;
		set_state(placement, placement->ref != 0 ? PLACEMENT_WANTED : PLACEMENT_SENT, now);
	} else if (placement->state == PLACEMENT_PRESENT &&
		   (pair->slot == NULL || must_change(pair))) {
		set_state(placement, PLACEMENT_WANTED, now);
	}
}

static bool is_changed(const struct placement *a, const struct placement *b) {
	return a->state != b->state || a->ref != b->ref || a->fault != b->fault ||
	       a->n_tries != b->n_tries || a->confirmed_at.s != b->confirmed_at.s;
}

size_t plan_settle(const struct book *book, const char *lock_id, const struct want_list *wants,
	const struct plan *plan, bool is_read, wall_t now, struct plan_change *ret) {
	AUTO(free) struct table *table = table_new(book, lock_id, wants);
	size_t n = 0;

	if (table == NULL) {
		return 0;
	}
	if (is_read) {
		apply_matches(table, plan);
	}
	for (size_t i = 0; i < table->n; i++) {
		const struct pair *pair = &table->pairs[i];
		struct plan_change change = { .placement = *pair->placement };

		if (is_read) {
			settle_read(table, pair, now, &change);
		} else {
			settle_book(pair, now, &change);
		}
		if (change.is_gone || is_changed(&change.placement, pair->placement)) {
			ret[n++] = change;
		}
	}
	for (size_t i = 0; i < wants->n; i++) {
		const struct credential *credential = wants->wants[i].credential;
		struct placement *placement = &ret[n].placement;

		if (book_placement(book, lock_id, credential->id) != NULL) {
			continue;
		}
		ret[n++] = (struct plan_change){ .is_gone = false };
		placement->state = PLACEMENT_WANTED;
		if (is_read && is_pin_there(table, &wants->wants[i].slot, false)) {
			placement->state = PLACEMENT_REFUSED;
			placement->fault = FAULT_CODE_EXISTS;
		}
		placement->since = now;
		(void) text_copy(placement->lock_id, sizeof(placement->lock_id), lock_id);
		memcpy(placement->credential_id, credential->id, sizeof(placement->credential_id));
	}
	return n;
}

void plan_before(const struct book *book, const char *lock_id, const struct plan_step *step,
	wall_t now, struct placement *ret) {
	const struct placement *placement = book_placement(book, lock_id, step->credential_id);

	*ret = (struct placement){ .since = now };
	(void) text_copy(ret->lock_id, sizeof(ret->lock_id), lock_id);
	memcpy(ret->credential_id, step->credential_id, sizeof(ret->credential_id));
	if (placement != NULL) {
		*ret = *placement;
	}
	ret->ref = step->slot.ref;
	ret->fault = step->kind == PLAN_REMOVE ? ret->fault : FAULT_OUTCOME_UNKNOWN;
	set_state(ret, step->kind == PLAN_REMOVE ? PLACEMENT_LEAVING : PLACEMENT_SENT, now);
}

void plan_after(struct placement *placement, const struct plan_step *step, enum plan_result result,
	enum fault_code fault, int64_t ref, wall_t now) {
	bool is_leaving = placement->state == PLACEMENT_LEAVING;

	placement->fault = fault;
	if (step->kind != PLAN_REMOVE && ref != 0) {
		placement->ref = ref;
	}
	if (result == PLAN_DONE) {
		placement->fault = FAULT_NONE;
		placement->n_tries = 0;
		return; /* only reading back makes it present, or gone */
	}
	placement->n_tries++;
	if (step->kind == PLAN_REMOVE || is_leaving) {
		return; /* tried again until it is gone */
	}
	switch (result) {
	case PLAN_REFUSED:
		set_state(placement, PLACEMENT_REFUSED, now);
		break;
	case PLAN_NOT_DONE:
		set_state(placement, PLACEMENT_WANTED, now);
		break;
	case PLAN_DOUBT:
		placement->fault = FAULT_OUTCOME_UNKNOWN;
		break;
	case PLAN_DONE:
		break;
	}
}

bool plan_is_overdue(
	const struct book *book, const struct placement *placement, const struct want_list *wants) {
	const struct credential *credential = book_credential(book, placement->credential_id);
	const struct want *want = credential != NULL ? find_want(wants, credential) : NULL;
	const struct slot *slot;
	size_t n_slots;
	const struct slot *slots;

	if (credential == NULL ||
		(placement->ref == 0 && (placement->state == PLACEMENT_WANTED ||
						placement->state == PLACEMENT_REFUSED))) {
		return false;
	}
	if (want == NULL) {
		return true;
	}
	slots = book_slots(book, placement->lock_id, &n_slots, NULL);
	slot = find_slot(slots, n_slots, credential->type, placement->ref);
	return slot != NULL && is_open_wrongly(want, slot);
}
