/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Changes of when: schedules, holidays, and the rules of a lock. */

#include <stdio.h>
#include <string.h>

#include "change.h"
#include "core/schedule.h"
#include "util/text.h"

/* ---- schedules ---- */

static const struct schedule daily = {
	.kind = SCHEDULE_WEEK_DAY, .days = DAYS_ALL, .start_minute = 0, .end_minute = 1439
};

static bool is_same_window(const struct schedule *a, const struct schedule *b) {
	return a->kind == b->kind && a->days == b->days && a->start_minute == b->start_minute &&
	       a->end_minute == b->end_minute && a->from == b->from && a->until == b->until &&
	       strcmp(a->lock_id, b->lock_id) == 0;
}

static bool is_there(const struct change *change, const struct schedule *row) {
	const struct txn_item *item;
	size_t n;
	const struct schedule *rows = book_user_schedules(change->hub->book, row->user_id, &n);
	bool is_removed = false;

	for (size_t i = 0; i < n; i++) {
		if (!is_same_window(&rows[i], row)) {
			continue;
		}
		is_removed = false;
		list_for_each(item, &change->txn->items, link) {
			is_removed = is_removed || (item->kind == TXN_SCHEDULE_REMOVE &&
							   strcmp(item->row, rows[i].id) == 0);
		}
		if (!is_removed) {
			return true;
		}
	}
	list_for_each(item, &change->txn->items, link) {
		if (item->kind == TXN_SCHEDULE_PUT && is_same_window(&item->schedule, row) &&
			strcmp(item->schedule.user_id, row->user_id) == 0) {
			return true;
		}
	}
	return false;
}

static size_t count_rows(const struct change *change, const char *user_id) {
	const struct txn_item *item;
	size_t n;

	(void) book_user_schedules(change->hub->book, user_id, &n);
	list_for_each(item, &change->txn->items, link) {
		n += item->kind == TXN_SCHEDULE_PUT;
		n -= item->kind == TXN_SCHEDULE_REMOVE;
	}
	return n;
}

static int put_row(struct change *change, const struct user *user, const char *lock_id,
	const struct schedule *window, struct fault *ret_fault) {
	struct schedule row = *window;
	struct txn_item *item;

	(void) text_copy(row.user_id, sizeof(row.user_id), user->id);
	(void) text_copy(row.lock_id, sizeof(row.lock_id), lock_id);
	if (is_there(change, &row)) {
		return 0;
	}
	if (count_rows(change, user->id) >= SCHEDULES_PER_USER_MAX) {
		return fault_set(ret_fault, FAULT_HUB_FULL, "%s has %d schedules", user->name,
			SCHEDULES_PER_USER_MAX);
	}
	item = change_add(change, TXN_SCHEDULE_PUT, ret_fault);
	if (item == NULL) {
		return fault_errno(FAULT_NO_MEMORY);
	}
	change_make_id(change->hub, row.id);
	item->schedule = row;
	return 0;
}

/*
 * Somebody who could enter always and everywhere is to be held to hours at one lock: that must not
 * shut all other doors, so they get "daily".
 */
static int keep_other_locks(struct change *change, const struct user *user, const char *lock_id,
	struct fault *ret_fault) {
	const struct access *access;
	int r = 0;

	for (size_t i = 0; r >= 0 && (access = book_access_at(change->hub->book, i)) != NULL; i++) {
		if (strcmp(access->user_id, user->id) == 0 &&
			strcmp(access->lock_id, lock_id) != 0) {
			r = put_row(change, user, access->lock_id, &daily, ret_fault);
		}
	}
	return r;
}

int change_add_daily(struct change *change, const struct user *user, const char *lock_id,
	struct fault *ret_fault) {
	return put_row(change, user, lock_id, &daily, ret_fault);
}

/* As plan.c and book_decide() do; whoever is UNRESTRICTED becomes SCHEDULE_RESTRICTED by it. */
static bool heeds(enum user_type type, enum schedule_kind kind) {
	switch (type) {
	case USER_UNRESTRICTED:
	case USER_SCHEDULE_RESTRICTED:
	case USER_NON_ACCESS: /* opens nothing at any hour */
		return true;
	case USER_WEEK_DAY_SCHEDULE:
		return kind == SCHEDULE_WEEK_DAY;
	case USER_YEAR_DAY_SCHEDULE:
		return kind == SCHEDULE_YEAR_DAY;
	case USER_PROGRAMMING:
	case USER_FORCED:
	case USER_DISPOSABLE:
	case USER_EXPIRING:
	case USER_REMOTE_ONLY:
		break;
	}
	return false;
}

/* Hours that nobody will heed must not look as if they held: the door would open at all others. */
static int put_heeded_row(struct change *change, const struct user *user, const char *lock_id,
	const struct schedule *window, struct fault *ret_fault) {
	if (!heeds(user->type, window->kind)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"%s is of type %s, which knows no %s: change the type first", user->name,
			user_type_name(user->type),
			window->kind == SCHEDULE_YEAR_DAY ? "dates" : "hours of the week");
	}
	return put_row(change, user, lock_id, window, ret_fault);
}

int change_add_schedules(struct change *change, struct user *user, const char *lock_id,
	const char *when, struct fault *ret_fault) {
	struct schedule rows[SCHEDULES_PER_TEXT_MAX];
	int n = schedule_parse(when, rows, ret_fault);
	int r = 0;

	for (int i = 0; n >= 0 && r >= 0 && i < n; i++) {
		r = put_heeded_row(change, user, lock_id, &rows[i], ret_fault);
	}
	if (n < 0 || r < 0) {
		return n < 0 ? n : r;
	}
	if (user->type == USER_UNRESTRICTED) {
		if (lock_id[0] != '\0') {
			r = keep_other_locks(change, user, lock_id, ret_fault);
		}
		user->type = USER_SCHEDULE_RESTRICTED;
		if (r >= 0) {
			r = change_put_user(change, user, ret_fault);
		}
		if (r >= 0) {
			r = change_tell(change, LOCK_DATA_USER_INDEX, DATA_MODIFY, user, NULL,
				ret_fault, "now of type %s", user_type_name(user->type));
		}
	}
	return r < 0 ? r : n;
}

static int find_lock(struct change *change, struct lock **ret, struct fault *ret_fault) {
	*ret = NULL;
	return change->lock[0] == '\0' ? 0
				       : hub_get_lock(change->hub, change->lock, ret, ret_fault);
}

static enum lock_data_type data_of(const char *when) {
	struct schedule rows[SCHEDULES_PER_TEXT_MAX];

	return schedule_parse(when, rows, NULL) > 0 && rows[0].kind == SCHEDULE_YEAR_DAY
		       ? LOCK_DATA_YEAR_DAY_SCHEDULE
		       : LOCK_DATA_WEEK_DAY_SCHEDULE;
}

static int run_schedule_add(struct change *change, struct fault *ret_fault) {
	struct user user;
	struct lock *lock;
	int r = change_find_user(change, change->word, &user, ret_fault);

	if (r >= 0) {
		r = find_lock(change, &lock, ret_fault);
	}
	if (r >= 0) {
		r = change_add_schedules(
			change, &user, lock != NULL ? lock->id : "", change->when, ret_fault);
	}
	if (r >= 0) {
		r = change_tell(change, data_of(change->when), DATA_ADD, &user, lock, ret_fault,
			"%s", change->when);
	}
	wipe(&user, sizeof(user));
	return r;
}

int hub_schedule_add(struct hub *hub, const char *user_word, const char *lock_word,
	const char *when, const struct people_by *by, people_done_fn *done, void *user,
	struct fault *ret_fault) {
	struct change *change = change_new(hub, run_schedule_add, by, done, user, ret_fault);
	int r;

	if (change == NULL) {
		return change_refused(by);
	}
	r = change_set_text(change->word, sizeof(change->word), user_word, "a user", ret_fault);
	if (r >= 0) {
		r = change_set_text(
			change->lock, sizeof(change->lock), lock_word, "a lock", ret_fault);
	}
	if (r >= 0) {
		r = change_set_text(
			change->when, sizeof(change->when), when, "a window", ret_fault);
	}
	return r < 0 ? change_drop(change, r) : change_submit(change, ret_fault);
}

static int run_schedule_remove(struct change *change, struct fault *ret_fault) {
	const struct schedule *row = book_schedule(change->hub->book, change->id);
	char text[SCHEDULE_TEXT_MAX];
	int r;

	if (row == NULL) {
		return fault_set(ret_fault, FAULT_NO_SUCH_SCHEDULE, "%s", change->id);
	}
	r = change_remove_row(change, TXN_SCHEDULE_REMOVE, row->id, ret_fault);
	return r < 0 ? r
		     : change_tell(change,
			       row->kind == SCHEDULE_YEAR_DAY ? LOCK_DATA_YEAR_DAY_SCHEDULE
							      : LOCK_DATA_WEEK_DAY_SCHEDULE,
			       DATA_CLEAR, book_user(change->hub->book, row->user_id),
			       hub_lock_by_id(change->hub, row->lock_id), ret_fault, "%s",
			       schedule_text(row, text));
}

static int submit_by_id(struct hub *hub, int (*run)(struct change *, struct fault *),
	const char *id, const struct people_by *by, people_done_fn *done, void *user,
	struct fault *ret_fault) {
	struct change *change = change_new(hub, run, by, done, user, ret_fault);

	if (change == NULL) {
		return change_refused(by);
	}
	(void) text_copy(change->id, sizeof(change->id), id);
	return change_submit(change, ret_fault);
}

int hub_schedule_remove(struct hub *hub, const char *id, const struct people_by *by,
	people_done_fn *done, void *user, struct fault *ret_fault) {
	return submit_by_id(hub, run_schedule_remove, id, by, done, user, ret_fault);
}

/* ---- holidays ---- */

/* The lower index wins where two overlap: a new one goes behind those that are there. */
static unsigned next_index(const struct book *book, const char *lock_id) {
	const struct holiday *holiday;
	unsigned most = 0;

	for (size_t i = 0; (holiday = book_holiday_at(book, i)) != NULL; i++) {
		if (strcmp(holiday->lock_id, lock_id) == 0 && holiday->index > most) {
			most = holiday->index;
		}
	}
	return most + 1;
}

static unsigned count_holidays(const struct book *book, const char *lock_id) {
	const struct holiday *holiday;
	unsigned n = 0;

	for (size_t i = 0; (holiday = book_holiday_at(book, i)) != NULL; i++) {
		n += strcmp(holiday->lock_id, lock_id) == 0;
	}
	return n;
}

static int run_holiday_add(struct change *change, struct fault *ret_fault) {
	struct schedule rows[SCHEDULES_PER_TEXT_MAX];
	struct lock *lock;
	int r = hub_get_lock(change->hub, change->lock, &lock, ret_fault);
	int n = r >= 0 ? schedule_parse(change->when, rows, ret_fault) : r;
	unsigned index;

	if (n < 0) {
		return n;
	}
	if (count_holidays(change->hub->book, lock->id) + (unsigned) n > HOLIDAYS_PER_LOCK_MAX) {
		return fault_set(ret_fault, FAULT_HUB_FULL, "%s can have %d holidays", lock->slug,
			HOLIDAYS_PER_LOCK_MAX);
	}
	index = next_index(change->hub->book, lock->id);
	for (int i = 0; i < n; i++) {
		struct txn_item *item;

		if (rows[i].kind != SCHEDULE_YEAR_DAY) {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
				"a holiday is one of dates, as \"2026-12-24 - 2026-12-26\"");
		}
		item = change_add(change, TXN_HOLIDAY_PUT, ret_fault);
		if (item == NULL) {
			return fault_errno(FAULT_NO_MEMORY);
		}
		item->holiday = (struct holiday){ .index = index++,
			.from = rows[i].from,
			.until = rows[i].until,
			.mode = change->mode };
		change_make_id(change->hub, item->holiday.id);
		memcpy(item->holiday.lock_id, lock->id, sizeof(lock->id));
	}
	return change_tell(change, LOCK_DATA_HOLIDAY_SCHEDULE, DATA_ADD, NULL, lock, ret_fault,
		"%s, mode %s", change->when, operating_mode_name(change->mode));
}

int hub_holiday_add(struct hub *hub, const char *lock_word, const char *when,
	enum operating_mode mode, const struct people_by *by, people_done_fn *done, void *user,
	struct fault *ret_fault) {
	struct change *change = change_new(hub, run_holiday_add, by, done, user, ret_fault);
	int r;

	if (change == NULL) {
		return change_refused(by);
	}
	change->mode = mode;
	r = change_set_text(change->lock, sizeof(change->lock), lock_word, "a lock", ret_fault);
	if (r >= 0) {
		r = change_set_text(
			change->when, sizeof(change->when), when, "a holiday", ret_fault);
	}
	if (r >= 0 && (unsigned) mode > MODE_PASSAGE) {
		r = fault_set(ret_fault, FAULT_BAD_ARGUMENT, "mode %d", (int) mode);
	}
	return r < 0 ? change_drop(change, r) : change_submit(change, ret_fault);
}

static int run_holiday_remove(struct change *change, struct fault *ret_fault) {
	const struct holiday *row = NULL;
	int r;

	for (size_t i = 0; (row = book_holiday_at(change->hub->book, i)) != NULL; i++) {
		if (strcmp(row->id, change->id) == 0) {
			break;
		}
	}
	if (row == NULL) {
		return fault_set(ret_fault, FAULT_NO_SUCH_SCHEDULE, "no holiday %s", change->id);
	}
	r = change_remove_row(change, TXN_HOLIDAY_REMOVE, row->id, ret_fault);
	return r < 0 ? r
		     : change_tell(change, LOCK_DATA_HOLIDAY_SCHEDULE, DATA_CLEAR, NULL,
			       hub_lock_by_id(change->hub, row->lock_id), ret_fault,
			       "number %u, mode %s", row->index, operating_mode_name(row->mode));
}

int hub_holiday_remove(struct hub *hub, const char *id, const struct people_by *by,
	people_done_fn *done, void *user, struct fault *ret_fault) {
	return submit_by_id(hub, run_holiday_remove, id, by, done, user, ret_fault);
}

/* ---- rules ---- */

/* Acceptance 59: neither limit can be 0. */
static int check_rules(
	const struct hub *hub, const struct lock_rules *rules, struct fault *ret_fault) {
	if (rules->wrong_code_limit < 1 || rules->wrong_code_limit > 255) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"wrong codes in a row: 1 to 255, not %u", rules->wrong_code_limit);
	}
	if (rules->code_disable_s < 1 || rules->code_disable_s > 255) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"pause after wrong codes: 1 to 255 s, not %u", rules->code_disable_s);
	}
	if ((unsigned) rules->factor > FACTOR_BOTH || (unsigned) rules->mode > MODE_PASSAGE) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "second factor %d, mode %d",
			(int) rules->factor, (int) rules->mode);
	}
	if (strnlen(rules->zone, sizeof(rules->zone)) == sizeof(rules->zone) ||
		(rules->zone[0] != '\0' &&
			(hub->config.zones == NULL ||
				hub->config.zones->get(hub->config.zones, rules->zone) == NULL))) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"there is no time zone \"%.40s\"; write for example Europe/Berlin",
			rules->zone);
	}
	return 0;
}

/*
 * All rules come at once, made of those that were on the disk when they were asked for. What was
 * not changed against those is left as it is by now, so that two who change different rules at the
 * same time do not undo each other's (a second factor would be lost without a word).
 */
static void merge_rules(
	const struct lock_rules *before, const struct lock_rules *now, struct lock_rules *rules) {
#define MERGE(field) (rules->field = rules->field == before->field ? now->field : rules->field)
	MERGE(factor);
	MERGE(mode);
	MERGE(wrong_code_limit);
	MERGE(code_disable_s);
	MERGE(open_period_minutes);
#undef MERGE
	if (strncmp(rules->zone, before->zone, sizeof(rules->zone)) == 0) {
		memcpy(rules->zone, now->zone, sizeof(rules->zone));
	}
}

static int run_rules(struct change *change, struct fault *ret_fault) {
	struct lock *lock;
	struct txn_item *item;
	int r = hub_get_lock(change->hub, change->lock, &lock, ret_fault);

	if (r >= 0) {
		merge_rules(&change->rules_before, book_rules(change->hub->book, lock->id),
			&change->rules);
		r = check_rules(change->hub, &change->rules, ret_fault);
	}
	if (r < 0) {
		return r;
	}
	item = change_add(change, TXN_RULES_PUT, ret_fault);
	if (item == NULL) {
		return fault_errno(FAULT_NO_MEMORY);
	}
	memcpy(item->rules.lock_id, lock->id, sizeof(lock->id));
	item->rules.rules = change->rules;
	return change_tell(change, LOCK_DATA_UNSPECIFIED, DATA_MODIFY, NULL, lock, ret_fault,
		"rules: mode %s, second factor %s, %u wrong codes, pause %u s, zone %s",
		operating_mode_name(change->rules.mode), factor_rule_name(change->rules.factor),
		change->rules.wrong_code_limit, change->rules.code_disable_s,
		change->rules.zone[0] != '\0' ? change->rules.zone : "of the hub");
}

int hub_rules_set(struct hub *hub, const char *lock_word, const struct lock_rules *rules,
	const struct people_by *by, people_done_fn *done, void *user, struct fault *ret_fault) {
	struct change *change = change_new(hub, run_rules, by, done, user, ret_fault);
	struct lock *lock = NULL;
	int r;

	if (change == NULL) {
		return change_refused(by);
	}
	(void) hub_get_lock(hub, lock_word, &lock, NULL); /* run_rules() tells when there is none */
	change->rules = *rules;
	change->rules_before = *book_rules(hub->book, lock != NULL ? lock->id : "");
	r = change_set_text(change->lock, sizeof(change->lock), lock_word, "a lock", ret_fault);
	return r < 0 ? change_drop(change, r) : change_submit(change, ret_fault);
}
