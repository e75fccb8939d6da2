/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What of a lock's own configuration a person may choose. The lock has the say: the hub shows what
 * was read last, keeps that in the database (to put it back when the lock has lost it, and to see
 * what was changed behind its back while it was not running), and after each change goes by what
 * the lock says then (L1).
 *
 *	QUEUED ─► RUNNING ─ read, write, read ─► DONE, FAILED
 *	            └ may have been sent, link lost ─► READING_BACK ─ read ─► DONE, FAILED
 */

#include "private.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

/* Reading back may take this long beyond the operation's own time. */
#define READ_MS 20000
#define KEPT_PREFIX "settings."
#define WANTED_PREFIX "restore."

bool settings_is_change(enum act act) {
	return act == ACT_PUT_SETTING;
}

const struct lock_setting *lock_setting_rows(const struct lock *lock, size_t *ret_n) {
	*ret_n = 0;
	return lock->driver->settings != NULL
		       ? lock->driver->settings(&lock->keys, &lock->status, ret_n)
		       : NULL;
}

const struct setting *lock_settings(const struct lock *lock, size_t *ret_n, wall_t *ret_at) {
	*ret_n = lock->n_settings;
	if (ret_at != NULL) {
		*ret_at = lock->settings_at;
	}
	return lock->settings;
}

static struct setting *find(const struct lock *lock, const char *key) {
	for (size_t i = 0; i < lock->n_settings; i++) {
		if (strcmp(lock->settings[i].key, key) == 0) {
			return &lock->settings[i];
		}
	}
	return NULL;
}

const char *lock_setting(const struct lock *lock, const char *key) {
	const struct setting *setting = find(lock, key);

	return setting != NULL ? setting->value : NULL;
}

const struct setting *lock_settings_wanted(const struct lock *lock, size_t *ret_n) {
	*ret_n = lock->n_wanted;
	return lock->wanted;
}

static void drop_wanted(struct lock *lock) {
	free(lock->wanted);
	lock->wanted = NULL;
	lock->n_wanted = 0;
}

void settings_free(struct lock *lock) {
	free(lock->settings);
	lock->settings = NULL;
	lock->n_settings = 0;
	lock->settings_at = (wall_t){ 0 };
	drop_wanted(lock);
}

/* ---- what is kept ---- */

/* One KEY=VALUE per line; none: the row goes. false: no memory. */
static bool keep_as(const struct lock *lock, const char *prefix, const struct setting *settings,
	size_t n, struct txn *txn) {
	const size_t size = n * sizeof(struct setting) + 1;
	struct txn_item *item = txn_add(txn, TXN_SETTING);
	char *text = item != NULL ? calloc(1, size) : NULL;
	size_t used = 0;

	if (item == NULL || text == NULL) {
		return false;
	}
	(void) snprintf(item->setting.key, sizeof(item->setting.key), "%s%s", prefix, lock->id);
	for (size_t i = 0; i < n; i++) {
		/* Shorter than the two of them with their end marks. */
		used += (size_t) snprintf(
			text + used, size - used, "%s=%s\n", settings[i].key, settings[i].value);
	}
	item->setting.text = text;
	return true;
}

static void keep(const struct lock *lock, struct txn *txn) {
	(void) keep_as(lock, KEPT_PREFIX, lock->settings, lock->n_settings, txn);
}

/* NULL: no memory. */
static struct setting *add_to(struct setting **rows, size_t *n, const char *key) {
	struct setting *more;

	if (*n == SETTINGS_MAX) {
		return NULL;
	}
	more = reallocarray(*rows, *n + 1, sizeof(*more));
	if (more == NULL) {
		return NULL;
	}
	*rows = more;
	more[*n] = (struct setting){ .value = "" };
	(void) text_copy(more[*n].key, SETTING_KEY_MAX, key);
	return &more[(*n)++];
}

static struct setting *add(struct lock *lock, const char *key) {
	return add_to(&lock->settings, &lock->n_settings, key);
}

static void load_line(struct lock *lock, bool is_wanted, const char *line, size_t n) {
	const char *equals = memchr(line, '=', n);
	struct setting setting = { .key = "" };
	struct setting *row;
	size_t n_rows;
	const struct lock_setting *rows = lock_setting_rows(lock, &n_rows);

	if (equals == NULL || (size_t) (equals - line) >= sizeof(setting.key) ||
		n - (size_t) (equals - line) - 1 >= sizeof(setting.value)) {
		return;
	}
	memcpy(setting.key, line, (size_t) (equals - line));
	memcpy(setting.value, equals + 1, n - (size_t) (equals - line) - 1);
	if (rows == NULL || setting_find(rows, n_rows, setting.key) == NULL ||
		!text_is_clean(setting.value, strlen(setting.value))) {
		return; /* another version's */
	}
	if (is_wanted) {
		row = add_to(&lock->wanted, &lock->n_wanted, setting.key);
	} else {
		row = find(lock, setting.key);
		row = row != NULL ? row : add(lock, setting.key);
	}
	if (row != NULL) {
		memcpy(row->value, setting.value, sizeof(row->value));
	}
}

bool settings_load(struct hub *hub, const char *key, const char *value) {
	const bool is_wanted = strncmp(key, WANTED_PREFIX, strlen(WANTED_PREFIX)) == 0;
	struct lock *lock;

	if (!is_wanted && strncmp(key, KEPT_PREFIX, strlen(KEPT_PREFIX)) != 0) {
		return false;
	}
	lock = hub_lock_by_id(hub, key + (is_wanted ? strlen(WANTED_PREFIX) : strlen(KEPT_PREFIX)));
	while (lock != NULL && *value != '\0') {
		const size_t n = strcspn(value, "\n");

		load_line(lock, is_wanted, value, n);
		value += n + (value[n] == '\n' ? 1 : 0);
	}
	return true;
}

void settings_forget(const struct lock *lock, struct txn *txn) {
	(void) keep_as(lock, KEPT_PREFIX, NULL, 0, txn);
	(void) keep_as(lock, WANTED_PREFIX, NULL, 0, txn);
}

/* ---- what is to be put back ---- */

static bool is_wanted_as(const struct lock *lock, const char *key) {
	for (size_t i = 0; i < lock->n_wanted; i++) {
		if (strcmp(lock->wanted[i].key, key) == 0) {
			return true;
		}
	}
	return false;
}

/*
 * What waits to be put back still, and what was read. Of a lock that is paired again before all was
 * put back the former counts: what was read since came with the reset.
 */
static bool gather_wanted(const struct lock *lock, struct setting **ret, size_t *ret_n) {
	for (size_t i = 0; i < lock->n_wanted + lock->n_settings; i++) {
		const struct setting *from =
			i < lock->n_wanted ? &lock->wanted[i] : &lock->settings[i - lock->n_wanted];
		struct setting *row;

		if (i >= lock->n_wanted && is_wanted_as(lock, from->key)) {
			continue;
		}
		row = add_to(ret, ret_n, from->key);
		if (row == NULL) {
			return false;
		}
		*row = *from;
	}
	return true;
}

bool settings_keep_wanted(const struct lock *lock, struct txn *txn) {
	struct setting *wanted = NULL;
	size_t n = 0;
	bool is_kept =
		gather_wanted(lock, &wanted, &n) && keep_as(lock, WANTED_PREFIX, wanted, n, txn);

	free(wanted);
	return is_kept;
}

void settings_renewed(struct lock *lock) {
	struct setting *wanted = NULL;
	size_t n = 0;

	(void) gather_wanted(lock, &wanted, &n);
	settings_free(lock);
	lock->wanted = wanted;
	lock->n_wanted = n;
	hub_lock_changed(lock, FACT_SETTINGS);
}

/* In the lock, or decided otherwise: no longer to be put back. @value NULL: whatever it is. */
static bool settle_wanted(struct lock *lock, const char *key, const char *value) {
	for (size_t i = 0; i < lock->n_wanted; i++) {
		if (strcmp(lock->wanted[i].key, key) == 0 &&
			(value == NULL || strcmp(lock->wanted[i].value, value) == 0)) {
			lock->wanted[i] = lock->wanted[--lock->n_wanted];
			return true;
		}
	}
	return false;
}

static void keep_wanted(struct lock *lock) {
	struct txn *txn = hub_txn_new(lock->hub);

	if (txn != NULL) {
		(void) keep_as(lock, WANTED_PREFIX, lock->wanted, lock->n_wanted, txn);
		hub_commit(lock->hub, txn);
	}
	hub_lock_changed(lock, FACT_SETTINGS);
}

int hub_settings_accept(struct hub *hub, const char *word, struct fault *ret_fault) {
	struct lock *lock = NULL;
	int r = hub_get_lock(hub, word, &lock, ret_fault);

	if (r >= 0 && lock != NULL && lock->n_wanted > 0) {
		drop_wanted(lock);
		keep_wanted(lock);
	}
	if (r >= 0 && lock != NULL) {
		timers_accept(lock);
	}
	return r;
}

/* ---- what is read ---- */

/* Our own operation has just asked for exactly this. */
static bool is_asked_for(const struct lock *lock, const struct setting *setting) {
	return lock->is_busy && lock->job_op != NULL && settings_is_change(lock->job_op->op.act) &&
	       strcmp(lock->job_op->job.setting.key, setting->key) == 0 &&
	       strcmp(lock->job_op->job.setting.value, setting->value) == 0;
}

static void tell(
	const struct lock *lock, struct txn *txn, const char *was, const struct setting *setting) {
	struct event *event = txn_add_event(txn, lock->hub, lock, EVENT_LOCK_SETTING);

	if (event != NULL) {
		(void) snprintf(event->text, sizeof(event->text), "%s: %.40s, was %.40s",
			setting->key, setting->value, was);
	}
}

static bool is_ours(const struct lock *lock, const char *key) {
	size_t n;
	const struct lock_setting *rows = lock_setting_rows(lock, &n);

	return rows != NULL && setting_find(rows, n, key) != NULL;
}

void settings_take(struct lock *lock, const struct setting *settings, size_t n) {
	struct txn *txn = NULL;
	struct setting *row;
	bool is_settled = false;

	if (lock->is_provisional) {
		return;
	}
	lock->settings_at = clock_wall(lock->hub->config.clock);
	for (size_t i = 0; i < n; i++) {
		if (!is_ours(lock, settings[i].key)) {
			continue;
		}
		is_settled |= settle_wanted(lock, settings[i].key, settings[i].value);
		row = find(lock, settings[i].key);
		if (row != NULL && strcmp(row->value, settings[i].value) == 0) {
			continue;
		}
		txn = txn != NULL ? txn : hub_txn_new(lock->hub);
		if (txn != NULL && row != NULL && !is_asked_for(lock, &settings[i])) {
			tell(lock, txn, row->value, &settings[i]);
		}
		row = row != NULL ? row : add(lock, settings[i].key);
		if (row != NULL) {
			memcpy(row->value, settings[i].value, sizeof(row->value));
		}
	}
	if (txn != NULL) {
		keep(lock, txn);
		hub_commit(lock->hub, txn);
		hub_lock_changed(lock, FACT_SETTINGS);
	}
	if (is_settled) {
		keep_wanted(lock);
	}
}

/* ---- changes ---- */

int settings_check(const struct lock *lock, const struct request *request, struct setting *ret,
	struct fault *ret_fault) {
	size_t n;
	const struct lock_setting *rows = lock_setting_rows(lock, &n);
	const struct lock_setting *row =
		rows != NULL ? setting_find(rows, n, request->setting.key) : NULL;
	const char *nearest;
	char shown[SETTING_KEY_MAX];
	int r;

	if (rows == NULL || n == 0) {
		return fault_set(
			ret_fault, FAULT_NOT_SUPPORTED, "%s has no settings to change", lock->slug);
	}
	if (row == NULL) {
		(void) text_copy(shown, sizeof(shown), request->setting.key);
		text_sanitize(shown);
		nearest = setting_nearest(rows, n, shown);
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "no setting '%s'%s%s%s", shown,
			nearest != NULL ? "; did you mean " : "", nearest != NULL ? nearest : "",
			nearest != NULL ? "?" : "");
	}
	if (lock->settings_at.s != 0 && find(lock, row->key) == NULL) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "the firmware of %s has no %s",
			lock->slug, row->key);
	}
	r = setting_check(row, request->setting.value, ret->value, ret_fault);
	if (r < 0) {
		return r;
	}
	(void) text_copy(ret->key, sizeof(ret->key), row->key);
	if (row->needs_pin && !lock_has_pin(lock)) {
		return fault_set(
			ret_fault, FAULT_PIN_REQUIRED, "to set %s of %s", row->key, lock->slug);
	}
	return 0;
}

char *settings_text(const struct op_entry *entry, char *out, size_t size) {
	(void) snprintf(out, size, "%s=%s", entry->job.setting.key, entry->job.setting.value);
	return out;
}

static const char *value_now(const struct op_entry *entry) {
	const struct setting *row = find(entry->lock, entry->job.setting.key);

	return row != NULL ? row->value : "not told";
}

static void finish_unknown(struct op_entry *entry) {
	struct fault fault;

	(void) fault_set(&fault, FAULT_OUTCOME_UNKNOWN, "%s; its settings could not be read since",
		fault_row(entry->op.fault.code)->summary);
	op_finish(entry, OP_UNKNOWN, &fault);
}

/* By what the lock says now. */
static void finish_as_read(struct op_entry *entry) {
	struct fault fault = entry->op.fault;

	if (strcmp(value_now(entry), entry->job.setting.value) == 0) {
		if (settle_wanted(entry->lock, entry->job.setting.key, NULL)) {
			keep_wanted(entry->lock);
		}
		op_finish(entry, OP_DONE, NULL);
		return;
	}
	if (fault.code == FAULT_NONE) {
		(void) fault_set(&fault, FAULT_LOCK_ERROR, "it took %s=%s, but has %.40s since",
			entry->job.setting.key, entry->job.setting.value, value_now(entry));
	}
	op_finish(entry, OP_FAILED, &fault);
}

void settings_give_up(struct op_entry *entry) {
	finish_unknown(entry);
}

bool settings_job_done(struct op_entry *entry, const struct job_result *result) {
	struct lock *lock = entry->lock;
	const bool is_done = result->fault.code == FAULT_NONE;
	const bool is_answer = fault_is_answer(result->fault.code);

	if (entry->op.state == OP_READING_BACK) {
		if (is_done) {
			finish_as_read(entry);
		} else if (is_answer || mono_is_due(entry->deadline, hub_now(lock->hub))) {
			finish_unknown(entry);
		} else {
			runner_drop(lock); /* once more, until the deadline */
		}
		return true;
	}
	if (is_done) {
		entry->op.fault = result->fault;
		finish_as_read(entry); /* the session has read it again */
		return true;
	}
	if (entry->is_doomed || result->sent == JOB_NOT_SENT || is_answer) {
		return false;
	}
	entry->op.state = OP_READING_BACK;
	entry->op.fault = result->fault;
	entry->deadline = mono_after(hub_now(lock->hub), READ_MS);
	op_changed(entry);
	runner_drop(lock); /* a session that lost the thread starts best on a new link */
	runner_kick_soon(lock);
	return true;
}
