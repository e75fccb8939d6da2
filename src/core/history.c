/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The door of a lock's history: its names, what people tried and noted, and the answer to whoever
 * asks, which is what the ledger has and what health.c has not written yet.
 */

#include "core/history.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "private.h"
#include "util/bytes.h"
#include "util/text.h"

#define DAY_S 86400

/* clang-format off */
static const struct name_row sample_names[] = {
	{ SAMPLE_NONE,                "none" },
	{ SAMPLE_BATTERY_PERCENT,     "battery_percent" },
	{ SAMPLE_BATTERY_LEVEL,       "battery_level" },
	{ SAMPLE_BATTERY_MV,          "battery_mv" },
	{ SAMPLE_BATTERY_SAG_MV,      "battery_sag_mv" },
	{ SAMPLE_MOTOR_MA,            "motor_ma" },
	{ SAMPLE_BATTERY_MOHM,        "battery_mohm" },
	{ SAMPLE_CELSIUS,             "celsius" },
	{ SAMPLE_KEYPAD_BATTERY,      "keypad_battery" },
	{ SAMPLE_DOOR_SENSOR_BATTERY, "door_sensor_battery" },
	{ SAMPLE_CLOCK_DRIFT_S,       "clock_drift_s" },
	{ SAMPLE_LOCK_MS,             "lock_ms" },
	{ SAMPLE_UNLOCK_MS,           "unlock_ms" },
	{ SAMPLE_BATTERY_CHANGED,     "battery_changed" },
	{ SAMPLE_FIRMWARE,            "firmware" },
};

static const struct name_row outcome_names[] = {
	{ ATTEMPT_RUNNING,    "running" },
	{ ATTEMPT_HELPED,     "helped" },
	{ ATTEMPT_NO_CHANGE,  "no-change" },
	{ ATTEMPT_FAILED,     "failed" },
	{ ATTEMPT_ABANDONED,  "abandoned" },
	{ ATTEMPT_UNVERIFIED, "unverified" },
};

#define DAY_KEY_NAME(upper, lower) { DAY_##upper, #lower },
static const struct name_row day_names[] = { DAY_KEYS(DAY_KEY_NAME) };
#undef DAY_KEY_NAME
/* clang-format on */

_Static_assert(ARRAY_SIZE(sample_names) == SAMPLE_COUNT_, "each kind of sample has a name");

const char *sample_kind_name(enum sample_kind kind) {
	return name_of(sample_names, ARRAY_SIZE(sample_names), (int) kind);
}

const char *day_key_name(enum day_key key) {
	return name_of(day_names, ARRAY_SIZE(day_names), (int) key);
}

int day_key_from_name(const char *name, enum day_key *ret) {
	int value;
	int r = name_to(day_names, ARRAY_SIZE(day_names), name, &value);

	if (r == 0) {
		*ret = (enum day_key) value;
	}
	return r;
}

const char *attempt_outcome_name(enum attempt_outcome outcome) {
	return name_of(outcome_names, ARRAY_SIZE(outcome_names), (int) outcome);
}

int attempt_outcome_from_name(const char *name, enum attempt_outcome *ret) {
	int value;
	int r = name_to(outcome_names, ARRAY_SIZE(outcome_names), name, &value);

	if (r == 0) {
		*ret = (enum attempt_outcome) value;
	}
	return r;
}

/* ---- what people tried and noted ---- */

struct keeping {
	struct hub *hub;
	void (*done)(void *user, const struct fault *fault);
	void *user;
};

static void kept(void *user, struct txn *txn, const struct fault *fault) {
	struct keeping *keeping = user;

	hub_txn_done(keeping->hub, txn, fault);
	if (keeping->done != NULL) {
		keeping->done(keeping->user, fault);
	}
	free(keeping);
}

/* A transaction with one item of @kind; NULL: no memory, *ret_fault says so. */
static struct txn *keep_new(struct hub *hub, enum txn_kind kind,
	void (*done)(void *user, const struct fault *fault), void *user, struct txn_item **ret_item,
	struct fault *ret_fault) {
	struct keeping *keeping = calloc(1, sizeof(*keeping));
	struct txn *txn = keeping != NULL ? txn_new(kept, keeping) : NULL;
	struct txn_item *item = txn != NULL ? txn_add(txn, kind) : NULL;

	if (item == NULL) {
		txn_free(txn);
		free(keeping);
		(void) fault_set(ret_fault, FAULT_NO_MEMORY, "keeping what was tried");
		return NULL;
	}
	*keeping = (struct keeping){ .hub = hub, .done = done, .user = user };
	*ret_item = item;
	return txn;
}

/* Names of faults, remedies and notes: "battery-critical". */
static bool is_word(const char *word, size_t size) {
	size_t n = strnlen(word, size);

	return n < size && strspn(word, "abcdefghijklmnopqrstuvwxyz0123456789-_.") == n;
}

static bool is_line(const char *text, size_t size) {
	size_t n = strnlen(text, size);

	return n < size && text_is_clean(text, n);
}

/* Notes may have lines. */
static bool is_text(const char *text, size_t size) {
	size_t n = strnlen(text, size);

	if (n == size || !text_is_utf8(text, n)) {
		return false;
	}
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char) text[i] < ' ' && text[i] != '\n' && text[i] != '\t') {
			return false;
		}
	}
	return true;
}

static int check_lock(
	const struct hub *hub, const char lock_id[static LOCK_ID_MAX], struct fault *ret_fault) {
	if (lock_id[0] != '\0' && (strnlen(lock_id, LOCK_ID_MAX) == LOCK_ID_MAX ||
					  hub_lock_by_id(hub, lock_id) == NULL)) {
		return fault_set(ret_fault, FAULT_NO_SUCH_LOCK, "%.8s", lock_id);
	}
	return 0;
}

static int check_attempt(
	const struct hub *hub, const struct attempt *attempt, struct fault *ret_fault) {
	enum fault_code code;
	int r = check_lock(hub, attempt->lock_id, ret_fault);

	if (r < 0) {
		return r;
	}
	if (!is_word(attempt->fault, sizeof(attempt->fault)) ||
		(attempt->fault[0] != '\0' && fault_from_name(attempt->fault, &code) < 0)) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"there is no fault \"%.39s\"; lockhubctl help faults lists them",
			attempt->fault);
	}
	if (attempt->remedy[0] == '\0' || !is_word(attempt->remedy, sizeof(attempt->remedy))) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"\"%.39s\" is not the name of a remedy: small letters, digits and hyphens, "
			"at most %d",
			attempt->remedy, ATTEMPT_WORD_MAX - 1);
	}
	if (!is_word(attempt->id, sizeof(attempt->id)) ||
		!is_line(attempt->by, sizeof(attempt->by)) ||
		!is_line(attempt->before, sizeof(attempt->before)) ||
		!is_line(attempt->after, sizeof(attempt->after))) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"what was measured must be one line of at most %d octets",
			ATTEMPT_TEXT_MAX - 1);
	}
	return 0;
}

int hub_attempt_put(struct hub *hub, struct attempt *attempt,
	void (*done)(void *user, const struct fault *fault), void *user, struct fault *ret_fault) {
	uint8_t bytes[(ROW_ID_MAX - 1) / 2];
	struct txn_item *item = NULL;
	struct txn *txn;
	int r = check_attempt(hub, attempt, ret_fault);

	if (r < 0) {
		return r;
	}
	txn = keep_new(hub, TXN_ATTEMPT, done, user, &item, ret_fault);
	if (txn == NULL) {
		return -ENOMEM;
	}
	if (attempt->id[0] == '\0') {
		crypto_random(bytes, sizeof(bytes));
		hex_encode(bytes, sizeof(bytes), attempt->id);
	}
	item->attempt = *attempt;
	hub_commit(hub, txn);
	return 0;
}

int hub_note_put(struct hub *hub, const struct note *note,
	void (*done)(void *user, const struct fault *fault), void *user, struct fault *ret_fault) {
	struct txn_item *item = NULL;
	struct txn *txn;
	int r = check_lock(hub, note->lock_id, ret_fault);

	if (r < 0) {
		return r;
	}
	if (note->key[0] == '\0' || !is_word(note->key, sizeof(note->key))) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"\"%.31s\" is not the name of a note: small letters, digits and hyphens, "
			"at "
			"most %d",
			note->key, NOTE_KEY_MAX - 1);
	}
	if (!is_text(note->text, sizeof(note->text))) {
		return fault_set(ret_fault, FAULT_BAD_ARGUMENT,
			"a note is text of at most %d octets", NOTE_TEXT_MAX - 1);
	}
	txn = keep_new(hub, TXN_NOTE, done, user, &item, ret_fault);
	if (txn == NULL) {
		return -ENOMEM;
	}
	item->note = malloc(sizeof(*item->note));
	if (item->note == NULL) {
		free(txn->user);
		txn_free(txn);
		return fault_set(ret_fault, FAULT_NO_MEMORY, "keeping a note");
	}
	*item->note = *note;
	hub_commit(hub, txn);
	return 0;
}

int hub_battery_changed(struct hub *hub, const char *lock, int how, struct fault *ret_fault) {
	struct lock *found = NULL;
	int r = hub_get_lock(hub, lock, &found, ret_fault);

	if (r < 0 || found == NULL) {
		return r;
	}
	health_battery_changed(found, how);
	return 0;
}

void hub_load_sample(struct hub *hub, const char *lock_id, const struct sample *sample) {
	struct lock *lock = hub_lock_by_id(hub, lock_id);

	if (lock != NULL && sample->kind > SAMPLE_NONE && sample->kind < SAMPLE_COUNT_) {
		health_load(lock, sample);
	}
}

/* ---- the answer ---- */

struct history_ask {
	struct list link; /* hub->history_asks */
	struct hub *hub;
	struct history_query query;
	bool is_asked;
	void (*done)(void *user, const struct history *history, const struct fault *fault);
	void *user;
};

/* What is handed out beside what the ledger has. */
struct merged {
	struct sample *samples;
	size_t n_samples;
	struct lock_day *days;
	size_t n_days;
};

static void merged_free(struct merged *merged) {
	free(merged->samples);
	free(merged->days);
}

static int by_time(const void *a, const void *b) {
	const struct sample *x = a;
	const struct sample *y = b;

	return (x->at.s > y->at.s) - (x->at.s < y->at.s);
}

/* The last moment that can be. */
static wall_t latest(const struct hub *hub) {
	const struct clock *clock = hub->config.clock;

	return clock_is_trusted(clock) ? (wall_t){ clock_wall(clock).s + DAY_S }
				       : (wall_t){ INT64_MAX };
}

static int merge_samples(const struct lock *lock, const struct history_ask *ask,
	const struct history *kept, struct merged *ret) {
	wall_t end = latest(ask->hub);

	ret->samples = calloc(kept->n_samples + SAMPLE_COUNT_, sizeof(*ret->samples));
	if (ret->samples == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < kept->n_samples; i++) {
		if (kept->samples[i].at.s <= end.s) {
			ret->samples[ret->n_samples++] = kept->samples[i];
		}
	}
	if (lock != NULL) {
		ret->n_samples += health_held_samples(lock, ret->samples + ret->n_samples);
	}
	/* What is held is nearly always the newest already. */
	for (size_t i = 1; i < ret->n_samples; i++) {
		if (by_time(&ret->samples[i - 1], &ret->samples[i]) > 0) {
			qsort(ret->samples, ret->n_samples, sizeof(*ret->samples), by_time);
			break;
		}
	}
	return 0;
}

/* The row of @day among those that are in order; made when there is none. */
static struct lock_day *day_row(struct merged *merged, int32_t day) {
	size_t at = merged->n_days;

	while (at > 0 && merged->days[at - 1].day > day) {
		at--;
	}
	if (at > 0 && merged->days[at - 1].day == day) {
		return &merged->days[at - 1];
	}
	memmove(&merged->days[at + 1], &merged->days[at],
		(merged->n_days - at) * sizeof(*merged->days));
	merged->n_days++;
	merged->days[at] = (struct lock_day){ .day = day };
	return &merged->days[at];
}

static int merge_days(const struct lock *lock, const struct history_ask *ask,
	const struct history *kept, struct merged *ret) {
	int64_t since = ask->query.since.s / DAY_S;
	int64_t end = latest(ask->hub).s / DAY_S;
	size_t n_held = lock != NULL ? health_n_days(lock) : 0;

	ret->days = calloc(kept->n_days + n_held + 1, sizeof(*ret->days));
	if (ret->days == NULL) {
		return -ENOMEM;
	}
	for (size_t i = 0; i < kept->n_days; i++) {
		if (kept->days[i].day <= end) {
			ret->days[ret->n_days++] = kept->days[i];
		}
	}
	for (size_t i = 0; i < n_held; i++) {
		struct lock_day held;
		struct lock_day *row;

		health_held_day(lock, i, &held);
		if (held.day < since || held.day > end) {
			continue;
		}
		row = day_row(ret, held.day);
		for (size_t key = 0; key < DAY_COUNT_; key++) {
			row->counts[key] += held.counts[key];
		}
	}
	return 0;
}

static void answer(struct history_ask *ask, const struct history *kept, const struct fault *fault) {
	AUTO_VALUE(merged_free) struct merged merged = { 0 };
	struct history none = { 0 };
	struct history all = *kept;
	struct lock *lock = hub_lock_by_id(ask->hub, ask->query.lock_id);
	struct fault no_memory;

	if (fault != NULL) {
		ask->done(ask->user, &none, fault);
		return;
	}
	if (lock != NULL) {
		health_count_radio(lock);
	}
	if (merge_samples(lock, ask, kept, &merged) < 0 ||
		merge_days(lock, ask, kept, &merged) < 0) {
		(void) fault_set(&no_memory, FAULT_NO_MEMORY, "%zu samples", kept->n_samples);
		ask->done(ask->user, &none, &no_memory);
		return;
	}
	all.samples = merged.samples;
	all.n_samples = merged.n_samples;
	all.days = merged.days;
	all.n_days = merged.n_days;
	ask->done(ask->user, &all, NULL);
}

static void on_history(void *user, const struct history *kept, const struct fault *fault) {
	struct history_ask *ask = user;

	list_remove(&ask->link);
	ask->hub->n_history_asked--;
	answer(ask, kept, fault);
	free(ask);
}

void history_ask_waiting(struct hub *hub) {
	struct history_ask *ask;
	struct history_ask *next;

	list_for_each_safe(ask, next, &hub->history_asks, link) {
		if (!ask->is_asked && hub->n_health_writes == 0) {
			ask->is_asked = true;
			hub->n_history_asked++;
			hub->config.ledger->impl->history(
				hub->config.ledger, &ask->query, on_history, ask);
		}
	}
}

/*
 * Counts that are on their way to the disk are neither in memory nor certainly in the answer. So a
 * question waits for them, and they (health_run_due()) for the answer.
 */
void hub_history(struct hub *hub, const struct history_query *query,
	void (*done)(void *user, const struct history *history, const struct fault *fault),
	void *user) {
	struct history_ask *ask = calloc(1, sizeof(*ask));

	/* Without memory for it nobody could be told that there was none. */
	assert(ask != NULL);
	ask->hub = hub;
	ask->query = *query;
	ask->done = done;
	ask->user = user;
	list_append(&hub->history_asks, &ask->link);
	history_ask_waiting(hub);
}

void history_finish(struct hub *hub) {
	struct history_ask *ask;
	struct history_ask *next;

	list_for_each_safe(ask, next, &hub->history_asks, link) {
		list_remove(&ask->link);
		free(ask);
	}
}
