/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What is remembered of locks' health: kept, added up, asked for, aged, and gone with the lock. */

#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "note-table.h"

#define FRONT "aaaaaaaa"
#define BACK "bbbbbbbb"
#define BEGIN_S 1800000000
#define DAY_S 86400
#define BEGIN_DAY (BEGIN_S / DAY_S)

static void add_locks(struct rig *rig) {
	struct waiting waiting;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_PUT, FRONT, "front-door");
	rig_add_lock(txn, TXN_LOCK_PUT, BACK, "back-door");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
}

static void add_sample(
	struct txn *txn, const char *lock_id, enum sample_kind kind, int64_t at, int32_t value) {
	struct txn_item *item = txn_add(txn, TXN_SAMPLE);

	assert_non_null(item);
	strcpy(item->sample.lock_id, lock_id);
	item->sample.sample = (struct sample){ kind, { at }, true, value };
}

static struct lock_day *add_day(struct txn *txn, const char *lock_id, int32_t day) {
	struct txn_item *item = txn_add(txn, TXN_DAY);

	assert_non_null(item);
	strcpy(item->day.lock_id, lock_id);
	item->day.day.day = day;
	return &item->day.day;
}

static struct attempt *add_attempt(
	struct txn *txn, const char *lock_id, const char *id, int64_t begun_at) {
	struct txn_item *item = txn_add(txn, TXN_ATTEMPT);

	assert_non_null(item);
	item->attempt = (struct attempt){ .fault = "battery-critical",
		.remedy = "change-batteries",
		.by = "anna (uid 1000)",
		.begun_at = { begun_at },
		.before = "6 %" };
	strcpy(item->attempt.lock_id, lock_id);
	strcpy(item->attempt.id, id);
	return &item->attempt;
}

static void add_note(struct txn *txn, const char *lock_id, const char *key, const char *text) {
	struct txn_item *item = txn_add(txn, TXN_NOTE);

	assert_non_null(item);
	item->note = calloc(1, sizeof(*item->note));
	assert_non_null(item->note);
	item->note->at.s = BEGIN_S;
	strcpy(item->note->lock_id, lock_id);
	strcpy(item->note->key, key);
	strcpy(item->note->text, text);
}

/* ---- asking ---- */

#define TOLD_MAX 64
static struct {
	bool is_done;
	enum fault_code fault;
	size_t n_samples, n_days, n_attempts, n_notes;
	struct sample first, samples[TOLD_MAX];
	struct lock_day days[TOLD_MAX];
	struct attempt attempts[TOLD_MAX];
	struct note notes[TOLD_MAX];
} told;

static void on_history(void *user, const struct history *history, const struct fault *fault) {
	(void) user;
	assert_false(told.is_done);
	told.is_done = true;
	told.fault = fault != NULL ? fault->code : FAULT_NONE;
	told.n_samples = history->n_samples;
	told.n_days = history->n_days;
	told.n_attempts = history->n_attempts;
	told.n_notes = history->n_notes;
	if (history->n_samples > 0) {
		told.first = history->samples[0];
	}
	for (size_t i = 0; i < TOLD_MAX; i++) {
		if (i < history->n_samples) {
			told.samples[i] = history->samples[i];
		}
		if (i < history->n_days) {
			told.days[i] = history->days[i];
		}
		if (i < history->n_attempts) {
			told.attempts[i] = history->attempts[i];
		}
		if (i < history->n_notes) {
			told.notes[i] = history->notes[i];
		}
	}
}

static void ask(struct rig *rig, const char *lock_id, int64_t since) {
	struct history_query query = { .since = { since } };
	struct ledger *ledger = store_ledger(rig->store);

	strcpy(query.lock_id, lock_id);
	memset(&told, 0, sizeof(told));
	ledger->impl->history(ledger, &query, on_history, NULL);
	assert_false(told.is_done);
	while (!told.is_done) {
		rig_turn(rig);
	}
	assert_int_equal(told.fault, FAULT_NONE);
}

static void what_was_kept_is_told(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;

	add_locks(rig);
	struct txn *txn = rig_txn(&waiting);
	/* Not in the order of their times, as when the clock was set between. */
	add_sample(txn, FRONT, SAMPLE_CELSIUS, BEGIN_S + 60, -7);
	add_sample(txn, FRONT, SAMPLE_BATTERY_PERCENT, BEGIN_S, 80);
	add_sample(txn, BACK, SAMPLE_BATTERY_PERCENT, BEGIN_S, 20);
	struct lock_day *day = add_day(txn, FRONT, BEGIN_DAY);
	for (size_t key = 0; key < DAY_COUNT_; key++) {
		day->counts[key] = 1000 + (uint32_t) key;
	}
	struct attempt attempt = *add_attempt(txn, FRONT, "00000001", BEGIN_S);
	add_attempt(txn, "", "00000002", BEGIN_S);
	add_note(txn, FRONT, "install", "step 3");
	add_note(txn, "", "install", "of the hub");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	rig_close(rig);

	rig_open(rig);
	ask(rig, FRONT, 0);
	assert_int_equal(told.n_samples, 2);
	assert_int_equal(told.samples[0].kind, SAMPLE_BATTERY_PERCENT);
	assert_int_equal(told.samples[0].at.s, BEGIN_S);
	assert_true(told.samples[0].is_time_trusted);
	assert_int_equal(told.samples[0].value, 80);
	assert_int_equal(told.samples[1].value, -7);
	assert_int_equal(told.n_days, 1);
	assert_int_equal(told.days[0].day, BEGIN_DAY);
	for (size_t key = 0; key < DAY_COUNT_; key++) {
		assert_int_equal(told.days[0].counts[key], 1000 + key);
	}
	assert_int_equal(told.n_attempts, 1);
	assert_memory_equal(&told.attempts[0], &attempt, sizeof(attempt));
	assert_int_equal(told.n_notes, 1);
	assert_string_equal(told.notes[0].text, "step 3");
	assert_string_equal(told.notes[0].lock_id, FRONT);
	assert_int_equal(told.notes[0].at.s, BEGIN_S);
	ask(rig, "", 0);
	assert_int_equal(told.n_samples + told.n_days, 0);
	assert_int_equal(told.n_attempts, 1);
	assert_string_equal(told.attempts[0].id, "00000002");
	assert_string_equal(told.notes[0].text, "of the hub");
	ask(rig, "cccccccc", 0);
	assert_int_equal(told.n_samples + told.n_days + told.n_attempts + told.n_notes, 0);
}

static void counts_are_added_up(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;

	add_locks(rig);
	for (int i = 0; i < 3; i++) {
		struct txn *txn = rig_txn(&waiting);
		add_day(txn, FRONT, BEGIN_DAY)->counts[DAY_MOVES] = 5;
		struct lock_day *day = add_day(txn, FRONT, BEGIN_DAY + (i < 2 ? 0 : 1));
		day->counts[DAY_MOVES] = 1;
		day->counts[DAY_LINKS] = 2;
		assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	}
	ask(rig, FRONT, 0);
	assert_int_equal(told.n_days, 2);
	assert_int_equal(told.days[0].counts[DAY_MOVES], 17);
	assert_int_equal(told.days[0].counts[DAY_LINKS], 4);
	assert_int_equal(told.days[1].day, BEGIN_DAY + 1);
	assert_int_equal(told.days[1].counts[DAY_MOVES], 1);
	/* Only what was counted is a row. */
	rig_close(rig);
	assert_int_equal(rig_number(rig->path, "SELECT count(*) FROM day_count"), 4);
	/* What a version to come counts is left alone. */
	rig_tamper(rig->path, "UPDATE day_count SET key = 'from_tomorrow' WHERE key = 'links'");
	rig_open(rig);
	ask(rig, FRONT, 0);
	assert_int_equal(told.n_days, 2);
	assert_int_equal(told.days[0].counts[DAY_LINKS], 0);
	assert_int_equal(told.days[0].counts[DAY_MOVES], 17);
}

static void since_then_and_what_was_in_force(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;

	add_locks(rig);
	struct txn *txn = rig_txn(&waiting);
	for (int i = 0; i < 10; i++) {
		add_sample(txn, FRONT, SAMPLE_BATTERY_PERCENT, BEGIN_S + i * DAY_S, 90 - i);
		add_day(txn, FRONT, BEGIN_DAY + i)->counts[DAY_MOVES] = (uint32_t) i + 1;
		char id[ROW_ID_MAX];
		(void) snprintf(id, sizeof(id), "%08d", i);
		add_attempt(txn, FRONT, id, BEGIN_S + i * DAY_S)->ended_at.s = i == 2 ? 0 : 1;
	}
	add_sample(txn, FRONT, SAMPLE_FIRMWARE, BEGIN_S, 7);
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	ask(rig, FRONT, BEGIN_S + 6 * DAY_S);
	/* The newest of each kind before, then 6, 7, 8, 9. */
	assert_int_equal(told.n_samples, 6);
	assert_int_equal(told.samples[0].kind, SAMPLE_FIRMWARE);
	assert_int_equal(told.samples[1].value, 85);
	assert_int_equal(told.samples[2].value, 84);
	assert_int_equal(told.samples[5].value, 81);
	assert_int_equal(told.n_days, 4);
	assert_int_equal(told.days[0].day, BEGIN_DAY + 6);
	/* And what still runs. */
	assert_int_equal(told.n_attempts, 5);
	assert_string_equal(told.attempts[0].id, "00000002");
	assert_string_equal(told.attempts[1].id, "00000006");
}

static void an_attempt_is_one_row(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;

	add_locks(rig);
	for (int i = 0; i < 2; i++) {
		struct txn *txn = rig_txn(&waiting);
		struct attempt *attempt = add_attempt(txn, FRONT, "00000001", BEGIN_S);
		attempt->ended_at.s = i * (BEGIN_S + 300);
		attempt->outcome = i == 0 ? ATTEMPT_RUNNING : ATTEMPT_HELPED;
		strcpy(attempt->after, i == 0 ? "" : "100 %");
		assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	}
	ask(rig, FRONT, 0);
	assert_int_equal(told.n_attempts, 1);
	assert_int_equal(told.attempts[0].outcome, ATTEMPT_HELPED);
	assert_int_equal(told.attempts[0].ended_at.s, BEGIN_S + 300);
	assert_string_equal(told.attempts[0].after, "100 %");
}

static void only_the_newest_attempts_stay(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;

	add_locks(rig);
	struct txn *txn = rig_txn(&waiting);
	add_attempt(txn, BACK, "b0000000", BEGIN_S);
	add_attempt(txn, "", "c0000000", BEGIN_S);
	for (int i = 0; i < HISTORY_ATTEMPTS_MAX + 3; i++) {
		char id[ROW_ID_MAX];
		(void) snprintf(id, sizeof(id), "%08d", i);
		add_attempt(txn, FRONT, id, BEGIN_S + i);
	}
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	ask(rig, FRONT, 0);
	assert_int_equal(told.n_attempts, HISTORY_ATTEMPTS_MAX);
	assert_string_equal(told.attempts[0].id, "00000003");
	rig_close(rig);
	assert_int_equal(
		rig_number(rig->path, "SELECT count(*) FROM attempt"), HISTORY_ATTEMPTS_MAX + 2);
}

static void notes_are_by_key_and_not_too_many(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;
	char key[NOTE_KEY_MAX];

	add_locks(rig);
	struct txn *txn = rig_txn(&waiting);
	for (int i = 0; i < NOTES_MAX; i++) {
		(void) snprintf(key, sizeof(key), "note-%d", i);
		add_note(txn, FRONT, key, "x");
	}
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	txn = rig_txn(&waiting);
	add_note(txn, FRONT, "one-more", "x");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_LIST_FULL);
	/* Another lock's, a change and a removal are no more. */
	txn = rig_txn(&waiting);
	add_note(txn, BACK, "one-more", "x");
	add_note(txn, FRONT, "note-7", "y");
	add_note(txn, FRONT, "note-8", "");
	add_note(txn, FRONT, "note-8", "");
	add_note(txn, FRONT, "one-more", "z");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	ask(rig, FRONT, 0);
	assert_int_equal(told.n_notes, NOTES_MAX);
	for (size_t i = 0; i < told.n_notes; i++) {
		assert_string_not_equal(told.notes[i].key, "note-8");
		if (strcmp(told.notes[i].key, "note-7") == 0) {
			assert_string_equal(told.notes[i].text, "y");
		}
	}
}

static void of_a_lock_that_is_gone_nothing_is_kept(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;

	add_locks(rig);
	struct txn *txn = rig_txn(&waiting);
	add_sample(txn, FRONT, SAMPLE_CELSIUS, BEGIN_S, 1);
	add_day(txn, FRONT, BEGIN_DAY)->counts[DAY_MOVES] = 1;
	add_attempt(txn, FRONT, "00000001", BEGIN_S);
	add_attempt(txn, "", "00000002", BEGIN_S);
	add_note(txn, FRONT, "install", "x");
	add_note(txn, "", "install", "x");
	add_sample(txn, BACK, SAMPLE_CELSIUS, BEGIN_S, 1);
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	txn = rig_txn(&waiting);
	struct txn_item *item = txn_add(txn, TXN_LOCK_REMOVE);
	strcpy(item->lock.id, FRONT);
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	/* What was still on its way falls silently, and nobody else with it. */
	txn = rig_txn(&waiting);
	add_sample(txn, FRONT, SAMPLE_CELSIUS, BEGIN_S, 2);
	add_day(txn, FRONT, BEGIN_DAY)->counts[DAY_MOVES] = 2;
	add_day(txn, BACK, BEGIN_DAY)->counts[DAY_MOVES] = 3;
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	/* What somebody waits for is refused. */
	txn = rig_txn(&waiting);
	add_attempt(txn, FRONT, "00000003", BEGIN_S);
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NO_SUCH_LOCK);
	txn = rig_txn(&waiting);
	add_note(txn, FRONT, "install", "x");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NO_SUCH_LOCK);
	ask(rig, FRONT, 0);
	assert_int_equal(told.n_samples + told.n_days + told.n_attempts + told.n_notes, 0);
	ask(rig, BACK, 0);
	assert_int_equal(told.n_samples, 1);
	assert_int_equal(told.days[0].counts[DAY_MOVES], 3);
	ask(rig, "", 0);
	assert_int_equal(told.n_attempts, 1);
	assert_int_equal(told.n_notes, 1);
	rig_close(rig);
	assert_int_equal(rig_number(rig->path, "SELECT (SELECT count(*) FROM sample)"
					       " + (SELECT count(*) FROM day_count)"
					       " + (SELECT count(*) FROM attempt)"
					       " + (SELECT count(*) FROM note)"),
		4);
}

/* ---- what a start needs ---- */

static struct {
	struct {
		char lock_id[LOCK_ID_MAX];
		struct sample sample;
	} rows[16];
	size_t n;
} loaded;

static void on_sample(void *user, const char *lock_id, const struct sample *sample) {
	(void) user;
	assert_true(loaded.n < 16);
	strcpy(loaded.rows[loaded.n].lock_id, lock_id);
	loaded.rows[loaded.n++].sample = *sample;
}

static void a_start_gets_the_newest_of_each_kind(void **state) {
	static const struct store_visitor visitor = { .sample = on_sample };
	struct rig *rig = *state;
	struct waiting waiting;
	struct fault fault;

	add_locks(rig);
	struct txn *txn = rig_txn(&waiting);
	add_sample(txn, FRONT, SAMPLE_BATTERY_PERCENT, BEGIN_S + DAY_S, 80);
	add_sample(txn, FRONT, SAMPLE_FIRMWARE, BEGIN_S, 7);
	add_sample(txn, BACK, SAMPLE_BATTERY_PERCENT, BEGIN_S, 50);
	/* Written last, by a clock that was set back. */
	add_sample(txn, FRONT, SAMPLE_BATTERY_PERCENT, BEGIN_S, 79);
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	rig_close(rig);
	rig_open(rig);
	memset(&loaded, 0, sizeof(loaded));
	assert_int_equal(store_load(rig->store, &visitor, NULL, &fault), 0);
	assert_int_equal(loaded.n, 3);
	int sum = 0;
	for (size_t i = 0; i < loaded.n; i++) {
		bool is_front = strcmp(loaded.rows[i].lock_id, FRONT) == 0;
		sum += loaded.rows[i].sample.value * (is_front ? 1 : 1000);
	}
	assert_int_equal(sum, 79 + 7 + 50 * 1000);
}

/* ---- an old database ---- */

static void a_database_of_before_gets_it(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;
	char copy[128];

	add_locks(rig);
	rig_close(rig);
	rig_tamper(rig->path, "DROP TABLE sample; DROP TABLE day_count; DROP TABLE attempt;"
			      "DROP TABLE note; ALTER TABLE credential DROP COLUMN pin_set_at;"
			      "PRAGMA user_version = 2;");
	rig_open(rig);
	ask(rig, FRONT, 0);
	assert_int_equal(told.n_samples, 0);
	struct txn *txn = rig_txn(&waiting);
	add_sample(txn, FRONT, SAMPLE_CELSIUS, BEGIN_S, 1);
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	ask(rig, FRONT, 0);
	assert_int_equal(told.n_samples, 1);
	assert_int_equal(rig_check(rig), FAULT_NONE);
	rig_close(rig);
	assert_int_equal(rig_number(rig->path, "PRAGMA user_version"), 4);
	assert_int_equal(rig_number(rig->path, "SELECT count(*) FROM lock"), 2);
	(void) snprintf(copy, sizeof(copy), "%s.before-4", rig->path);
	assert_int_equal(rig_number(copy, "PRAGMA user_version"), 2);
}

/* ---- retention ---- */

static struct {
	bool is_done;
	int64_t n;
	enum fault_code fault;
} pruned;

static void on_pruned(void *user, int64_t n, const struct fault *fault) {
	(void) user;
	pruned.is_done = true;
	pruned.n = n;
	pruned.fault = fault != NULL ? fault->code : FAULT_NONE;
}

static int64_t prune(struct rig *rig, int64_t before) {
	memset(&pruned, 0, sizeof(pruned));
	store_prune_health(rig->store, (wall_t){ before }, on_pruned, NULL);
	assert_false(pruned.is_done);
	while (!pruned.is_done) {
		rig_turn(rig);
	}
	assert_int_equal(pruned.fault, FAULT_NONE);
	return pruned.n;
}

static void what_is_old_goes(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;

	add_locks(rig);
	struct txn *txn = rig_txn(&waiting);
	for (int i = 0; i < 800; i++) {
		add_sample(txn, FRONT, SAMPLE_BATTERY_PERCENT, BEGIN_S + i * DAY_S, i);
		add_day(txn, FRONT, BEGIN_DAY + i)->counts[DAY_MOVES] = 1;
	}
	add_sample(txn, FRONT, SAMPLE_FIRMWARE, BEGIN_S, 6);
	add_sample(txn, FRONT, SAMPLE_FIRMWARE, BEGIN_S + 5, 7); /* the newest of its kind */
	add_attempt(txn, FRONT, "00000001", BEGIN_S);
	add_attempt(txn, "", "00000002", BEGIN_S + 700 * DAY_S);
	add_note(txn, FRONT, "install", "x");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	/* Nobody can say how old this is. */
	txn = rig_txn(&waiting);
	add_sample(txn, BACK, SAMPLE_CELSIUS, 1000, 1);
	add_sample(txn, BACK, SAMPLE_CELSIUS, 2000, 2);
	struct txn_item *item;
	list_for_each(item, &txn->items, link) {
		item->sample.sample.is_time_trusted = false;
	}
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);

	assert_int_equal(prune(rig, BEGIN_S), 0);
	/* 700 of the percentages, one firmware, 700 days, one attempt. */
	assert_int_equal(prune(rig, BEGIN_S + 700 * DAY_S), 1402);
	assert_int_equal(prune(rig, BEGIN_S + 700 * DAY_S), 0);
	ask(rig, FRONT, 0);
	assert_int_equal(told.n_samples, 101);
	assert_int_equal(told.samples[0].value, 7);
	assert_int_equal(told.samples[1].value, 700);
	assert_int_equal(told.n_days, 100);
	assert_int_equal(told.days[0].day, BEGIN_DAY + 700);
	assert_int_equal(told.n_attempts, 0);
	assert_int_equal(told.n_notes, 1);
	ask(rig, "", 0);
	assert_int_equal(told.n_attempts, 1);
	ask(rig, BACK, 0);
	assert_int_equal(told.n_samples, 2);
}

static void too_many_samples_go(void **state) {
	struct rig *rig = *state;

	add_locks(rig);
	rig_close(rig);
	rig_tamper(rig->path,
		"WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 20600)"
		" INSERT INTO sample (lock_id, kind, at, is_time_trusted, value)"
		" SELECT 'aaaaaaaa', 1, 1800000000 + i, 1, i FROM n;"
		"INSERT INTO sample (lock_id, kind, at, is_time_trusted, value)"
		" VALUES ('bbbbbbbb', 1, 1800000000, 1, 5)");
	rig_open(rig);
	ask(rig, FRONT, 0);
	assert_int_equal(told.n_samples, HISTORY_SAMPLES_MAX);
	assert_int_equal(told.first.value, 601); /* of 20601, the newest */
	assert_int_equal(prune(rig, 1000), 601);
	ask(rig, FRONT, 0);
	assert_int_equal(told.n_samples, HISTORY_SAMPLES_MAX);
	ask(rig, BACK, 0);
	assert_int_equal(told.n_samples, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

/* What a commit that is told only by store_close() asks for is not forgotten: somebody waits. */
static void ask_then(void *user, struct txn *txn, const struct fault *fault) {
	struct rig *rig = user;
	struct history_query query = { .lock_id = "L1" };
	struct ledger *ledger = store_ledger(rig->store);

	(void) txn;
	assert_null(fault);
	ledger->impl->history(ledger, &query, on_history, NULL);
	assert_false(told.is_done);
}

static void who_asks_while_it_closes_is_answered(void **state) {
	struct rig *rig = *state;
	struct txn *txn = txn_new(ask_then, rig);

	memset(&told, 0, sizeof(told));
	assert_non_null(txn);
	rig_open(rig);
	add_note(txn, "", "key", "text");
	rig_commit(rig, txn);
	rig_close(rig);
	assert_true(told.is_done);
	assert_int_equal(told.fault, FAULT_CANCELLED);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(what_was_kept_is_told),
		TEST(counts_are_added_up),
		TEST(since_then_and_what_was_in_force),
		TEST(an_attempt_is_one_row),
		TEST(only_the_newest_attempts_stay),
		TEST(notes_are_by_key_and_not_too_many),
		TEST(of_a_lock_that_is_gone_nothing_is_kept),
		TEST(a_start_gets_the_newest_of_each_kind),
		TEST(a_database_of_before_gets_it),
		TEST(what_is_old_goes),
		TEST(too_many_samples_go),
		TEST(who_asks_while_it_closes_is_answered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
