/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* What a transaction does, and what it does not do to others. */

#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct loaded {
	struct lock_record locks[8];
	struct event events[8]; /* last of each lock; seq 0: none */
	struct fault faults[8];
	size_t n_locks;
	struct op_record ops[8];
	size_t n_ops;
	char settings[256];
};

static void take_lock(void *user, const struct lock_record *record, const struct event *last_event,
	const struct fault *fault) {
	struct loaded *loaded = user;

	assert_true(loaded->n_locks < 8);
	loaded->locks[loaded->n_locks] = *record;
	if (last_event != NULL) {
		loaded->events[loaded->n_locks] = *last_event;
	}
	if (fault != NULL) {
		loaded->faults[loaded->n_locks] = *fault;
	}
	loaded->n_locks++;
}

static void take_op(void *user, const struct op_record *op) {
	struct loaded *loaded = user;

	assert_true(loaded->n_ops < 8);
	loaded->ops[loaded->n_ops++] = *op;
}

static void take_setting(void *user, const char *key, const char *value) {
	struct loaded *loaded = user;
	size_t n = strlen(loaded->settings);

	snprintf(loaded->settings + n, sizeof(loaded->settings) - n, "%s=%s;", key, value);
}

static void load(struct rig *rig, struct loaded *ret) {
	static const struct store_visitor visitor = { take_lock, take_op, take_setting };

	memset(ret, 0, sizeof(*ret));
	assert_int_equal(store_load(rig->store, &visitor, ret, NULL), 0);
}

static void a_lock_comes_back_whole(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;
	struct loaded loaded;
	struct lock_record record;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	struct lock_record *lock = rig_add_lock(txn, TXN_LOCK_PUT, "aaaaaaaa", "front-door");
	lock->is_random = true;
	lock->log_cursor = 77;
	lock->state = LOCK_STATE_UNLATCHED;
	lock->state_at.s = 1800000001;
	lock->battery = (struct battery_facts){ BATTERY_WARNING, 42, true };
	lock->battery_at.s = 1800000002;
	strcpy(lock->versions.firmware, "2.8.15");
	strcpy(lock->versions.hardware, "11.1");
	strcpy(lock->versions.serial, "1A2B3C4D");
	strcpy(lock->versions.model, "Nuki Smart Lock 4.0");
	lock->config = (struct config_facts){ 0xffffffff, true, false, true, false, 300, "Tür" };
	lock->config_at.s = 1800000003;
	record = *lock;
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	rig_close(rig);

	rig_open(rig);
	load(rig, &loaded);
	assert_int_equal(loaded.n_locks, 1);
	assert_int_equal(loaded.faults[0].code, FAULT_NONE);
	/* Zeroed before both were filled, so the holes are equal, too. */
	assert_memory_equal(&loaded.locks[0], &record, sizeof(record));
	assert_int_equal(loaded.events[0].seq, 0);
}

static void put_again_keeps_cursor_and_place(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;
	struct loaded loaded;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_PUT, "bbbbbbbb", "back-door");
	rig_add_lock(txn, TXN_LOCK_PUT, "aaaaaaaa", "front-door");
	rig_add_cursor(txn, "bbbbbbbb", 9);
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);

	txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_PUT, "bbbbbbbb", "cellar")->log_cursor = 1;
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	load(rig, &loaded);
	assert_int_equal(loaded.n_locks, 2);
	assert_string_equal(loaded.locks[0].id, "bbbbbbbb");
	assert_string_equal(loaded.locks[0].slug, "cellar");
	assert_int_equal(loaded.locks[0].log_cursor, 9);
}

static void parts_of_a_lock_change_alone(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;
	struct loaded loaded;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_PUT, "aaaaaaaa", "front-door");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);

	txn = rig_txn(&waiting);
	struct lock_record *lock = rig_add_lock(txn, TXN_LOCK_KEYS, "aaaaaaaa", "not-stored");
	assert_int_equal(secret_set_text(&lock->keys, "new keys"), 0);
	lock = rig_add_lock(txn, TXN_LOCK_FACTS, "aaaaaaaa", "not-stored");
	assert_int_equal(secret_set_text(&lock->keys, "not stored"), 0);
	lock->battery.percent = 12;
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	load(rig, &loaded);
	assert_string_equal(loaded.locks[0].slug, "front-door");
	assert_int_equal(loaded.locks[0].battery.percent, 12);
	assert_int_equal(loaded.locks[0].keys.len, 8);
	assert_memory_equal(loaded.locks[0].keys.bytes, "new keys", 8);
}

static void removal_leaves_the_events(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;
	struct loaded loaded;
	const struct log_query all = { .lock_id = "aaaaaaaa" };
	size_t n;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_PUT, "aaaaaaaa", "front-door");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	int64_t seq = rig_record(rig, "aaaaaaaa", 1);
	load(rig, &loaded);
	assert_int_equal(loaded.events[0].seq, seq);

	txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_REMOVE, "aaaaaaaa", "front-door");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	load(rig, &loaded);
	assert_int_equal(loaded.n_locks, 0);
	free(rig_query(rig, &all, &n));
	assert_int_equal(n, 1);
}

static void unknown_lock_is_a_fault(void **state) {
	struct rig *rig = *state;
	static const enum txn_kind kinds[] = { TXN_LOCK_KEYS, TXN_LOCK_FACTS, TXN_LOCK_REMOVE };
	struct waiting waiting;

	rig_open(rig);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct txn *txn = rig_txn(&waiting);
		rig_add_lock(txn, kinds[i], "dddddddd", "x");
		assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NO_SUCH_LOCK);
	}
	struct txn *txn = rig_txn(&waiting);
	rig_add_cursor(txn, "dddddddd", 1);
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NO_SUCH_LOCK);
}

static void a_failing_txn_falls_alone(void **state) {
	struct rig *rig = *state;
	struct waiting waiting[60];
	struct loaded loaded;
	struct log_verify verify;

	rig_open(rig);
	/* Handed over at once, so that many share a commit; every third breaks a rule at its end.
	 */
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		struct txn *txn = rig_txn(&waiting[i]);
		char key[16];
		snprintf(key, sizeof(key), "key-%02zu", i);
		rig_add_event(txn, "aaaaaaaa", 0);
		rig_add_setting(txn, i % 3 == 0 ? "bad" : "good", key);
		if (i % 3 == 0) {
			rig_add_cursor(txn, "dddddddd", 1);
		}
		rig_commit(rig, txn);
	}
	int64_t last = 0;
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		rig_await(rig, &waiting[i]);
		bool is_bad = i % 3 == 0;
		assert_int_equal(waiting[i].fault.code, is_bad ? FAULT_NO_SUCH_LOCK : FAULT_NONE);
		assert_int_equal(waiting[i].seqs[0], is_bad ? 0 : last + 1);
		last += is_bad ? 0 : 1;
	}
	assert_int_equal(last, 40);
	load(rig, &loaded);
	assert_string_equal(loaded.settings, "good=key-59;");
	assert_int_equal(rig_verify(rig, &verify), FAULT_NONE);
	assert_int_equal(verify.bad_seq, 0);
	assert_int_equal(verify.n_rows, 40);
}

static void slug_is_taken(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_PUT, "aaaaaaaa", "front-door");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_PUT, "bbbbbbbb", "front-door");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NAME_TAKEN);
}

static void import_is_exactly_once(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;
	struct log_verify verify;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_event(txn, "aaaaaaaa", 5);
	rig_add_event(txn, "aaaaaaaa", 6);
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);

	/* Read again with an overlap, twice within one txn, and for another lock. */
	txn = rig_txn(&waiting);
	rig_add_event(txn, "aaaaaaaa", 6);
	rig_add_event(txn, "aaaaaaaa", 7);
	rig_add_event(txn, "aaaaaaaa", 7);
	rig_add_event(txn, "bbbbbbbb", 6);
	rig_add_event(txn, "aaaaaaaa", 0);
	rig_add_event(txn, "aaaaaaaa", 0);
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	const int64_t expected[] = { 0, 3, 0, 4, 5, 6 };
	assert_memory_equal(waiting.seqs, expected, sizeof(expected));
	assert_int_equal(rig_verify(rig, &verify), FAULT_NONE);
	assert_int_equal(verify.bad_seq, 0);
	assert_int_equal(verify.n_rows, 6);
}

static void cursor_never_goes_back(void **state) {
	struct rig *rig = *state;
	static const int64_t numbers[] = { 10, 4, 11, 0 };
	static const int64_t expected[] = { 10, 10, 11, 11 };
	struct waiting waiting;
	struct loaded loaded;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_PUT, "aaaaaaaa", "front-door");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		txn = rig_txn(&waiting);
		rig_add_cursor(txn, "aaaaaaaa", numbers[i]);
		assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
		load(rig, &loaded);
		assert_int_equal(loaded.locks[0].log_cursor, expected[i]);
	}
}

static void intents_without_outcome_come_back(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;
	struct loaded loaded;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_op(txn, TXN_INTENT, "0000000000000001");
	rig_add_op(txn, TXN_INTENT, "0000000000000002");
	rig_add_op(txn, TXN_INTENT, "0000000000000003");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	txn = rig_txn(&waiting);
	struct op_record *op = rig_add_op(txn, TXN_OUTCOME, "0000000000000002");
	op->fault = FAULT_JAMMED;
	op->finished_at.s = 1800000005;
	/* Went on without an intent, the disk being full. */
	rig_add_op(txn, TXN_OUTCOME, "0000000000000009");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	rig_close(rig);

	assert_int_equal(rig_number(rig->path, "SELECT count(*) FROM op WHERE fault = 'jammed'"
					       " AND finished_at = 1800000005"),
		1);
	rig_open(rig);
	load(rig, &loaded);
	assert_int_equal(loaded.n_ops, 2);
	assert_string_equal(loaded.ops[0].id, "0000000000000001");
	assert_string_equal(loaded.ops[1].id, "0000000000000003");
	assert_int_equal(loaded.ops[0].act, ACT_UNLOCK);
	assert_string_equal(loaded.ops[0].lock_id, "aaaaaaaa");
	assert_string_equal(loaded.ops[0].actor, "uid 1000 (anna)");
	assert_int_equal(loaded.ops[0].requested_at.s, 1800000000);
	assert_false(loaded.ops[0].is_finished);
}

static void an_operation_happens_once(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_op(txn, TXN_INTENT, "0000000000000001");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	txn = rig_txn(&waiting);
	rig_add_op(txn, TXN_INTENT, "0000000000000001");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_DUPLICATE);
	txn = rig_txn(&waiting);
	rig_add_op(txn, TXN_OUTCOME, "0000000000000001");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	txn = rig_txn(&waiting);
	rig_add_op(txn, TXN_OUTCOME, "0000000000000001")->fault = FAULT_JAMMED;
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_INTERNAL);
}

static void old_operations_are_forgotten(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;
	struct loaded loaded;
	char id[OP_ID_MAX];

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_op(txn, TXN_INTENT, "ffffffffffffffff");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	for (unsigned i = 0; i < 1500;) {
		txn = rig_txn(&waiting);
		for (unsigned k = 0; k < 100; k++, i++) {
			snprintf(id, sizeof(id), "%016x", i);
			rig_add_op(txn, TXN_INTENT, id);
			rig_add_op(txn, TXN_OUTCOME, id);
		}
		assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	}
	load(rig, &loaded);
	assert_int_equal(loaded.n_ops, 1);
	rig_close(rig);
	int64_t n = rig_number(rig->path, "SELECT count(*) FROM op");
	assert_in_range(n, 1000, 1102);
}

static void settings_are_replaced(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;
	struct loaded loaded;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_setting(txn, "floor", "1");
	rig_add_setting(txn, "base", "x=y;");
	rig_add_setting(txn, "floor", "2");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	load(rig, &loaded);
	assert_string_equal(loaded.settings, "base=x=y;;floor=2;");
}

static void empty_txn_is_answered(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;

	rig_open(rig);
	assert_int_equal(rig_commit_wait(rig, rig_txn(&waiting), &waiting), FAULT_NONE);
}

static void close_flushes(void **state) {
	struct rig *rig = *state;
	struct waiting waiting[300];
	struct log_verify verify;

	rig_open(rig);
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		struct txn *txn = rig_txn(&waiting[i]);
		rig_add_event(txn, "aaaaaaaa", 0);
		rig_commit(rig, txn);
	}
	rig_close(rig);
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		assert_true(waiting[i].is_done);
		assert_int_equal(waiting[i].fault.code, FAULT_NONE);
		assert_int_equal(waiting[i].seqs[0], i + 1);
	}
	rig_open(rig);
	assert_int_equal(rig_verify(rig, &verify), FAULT_NONE);
	assert_int_equal(verify.bad_seq, 0);
	assert_int_equal(verify.n_rows, ARRAY_SIZE(waiting));
}

struct relay {
	struct rig *rig;
	int left;
	int done;
};

static void hand_on(void *user, struct txn *txn, const struct fault *fault) {
	struct relay *relay = user;

	relay->done++;
	if (relay->left-- > 0) {
		struct txn *next = txn_new(hand_on, relay);
		rig_add_event(next, "aaaaaaaa", 0);
		rig_commit(relay->rig, next);
	}
}

static void close_takes_what_answers_hand_over(void **state) {
	struct rig *rig = *state;
	struct relay few = { .rig = rig, .left = 3 };
	struct relay endless = { .rig = rig, .left = INT32_MAX };

	rig_open(rig);
	rig_commit(rig, txn_new(hand_on, &few));
	rig_commit(rig, txn_new(hand_on, &endless));
	rig_close(rig);
	assert_int_equal(few.done, 4);
	assert_in_range(endless.done, 4, 100);
}

static void damaged_keys_are_told(void **state) {
	struct rig *rig = *state;
	struct waiting waiting;
	struct loaded loaded;

	rig_open(rig);
	struct txn *txn = rig_txn(&waiting);
	rig_add_lock(txn, TXN_LOCK_PUT, "aaaaaaaa", "front-door");
	rig_add_lock(txn, TXN_LOCK_PUT, "bbbbbbbb", "back-door");
	assert_int_equal(rig_commit_wait(rig, txn, &waiting), FAULT_NONE);
	rig_close(rig);
	/* A key moved to another lock's row does not open there. */
	rig_tamper(rig->path, "UPDATE lock SET keys = (SELECT keys FROM lock WHERE id = 'bbbbbbbb')"
			      " WHERE id = 'aaaaaaaa'");
	rig_open(rig);
	load(rig, &loaded);
	assert_int_equal(loaded.n_locks, 2);
	assert_int_equal(loaded.faults[0].code, FAULT_DATABASE_CORRUPT);
	assert_int_equal(loaded.locks[0].keys.len, 0);
	assert_int_equal(loaded.faults[1].code, FAULT_NONE);
	assert_int_equal(loaded.locks[1].keys.len, strlen("planted-lock-key"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, rig_teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		TEST(a_lock_comes_back_whole),
		TEST(put_again_keeps_cursor_and_place),
		TEST(parts_of_a_lock_change_alone),
		TEST(removal_leaves_the_events),
		TEST(unknown_lock_is_a_fault),
		TEST(a_failing_txn_falls_alone),
		TEST(slug_is_taken),
		TEST(import_is_exactly_once),
		TEST(cursor_never_goes_back),
		TEST(intents_without_outcome_come_back),
		TEST(an_operation_happens_once),
		TEST(old_operations_are_forgotten),
		TEST(settings_are_replaced),
		TEST(empty_txn_is_answered),
		TEST(close_flushes),
		TEST(close_takes_what_answers_hand_over),
		TEST(damaged_keys_are_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
