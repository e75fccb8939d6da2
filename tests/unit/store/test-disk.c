/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The store on a disk that is full, fails, is slow, or loses power (F2, F3, F5, F6, F7; D12, D13).
 * Each write, sync and truncation of a commit fails once; power goes away at random instants with
 * any unsynced sectors lost.
 */

#include "rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bad-disk.h"

#define CUTS 150

/* Two events and a setting, all with one name. */
static struct txn *make_txn(struct waiting *waiting, const char *name) {
	struct txn *txn = rig_txn(waiting);

	strcpy(rig_add_event(txn, "aaaaaaaa", 0)->text, name);
	strcpy(rig_add_event(txn, "bbbbbbbb", 0)->text, name);
	rig_add_setting(txn, name, "here");
	return txn;
}

static enum fault_code commit_named(struct rig *rig, const char *name) {
	struct waiting waiting;

	rig_commit(rig, make_txn(&waiting, name));
	rig_await(rig, &waiting);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(waiting.seqs[i] != 0, waiting.fault.code == FAULT_NONE);
	}
	return waiting.fault.code;
}

static void look_for(void *user, const char *key, const char *value) {
	char *name = user;

	if (strcmp(name, key) == 0) {
		name[0] = '\0';
	}
}

static bool has_setting(struct rig *rig, const char *name) {
	static const struct store_visitor visitor = { .setting = look_for };
	char left[64];

	strcpy(left, name);
	assert_int_equal(store_load(rig->store, &visitor, left, NULL), 0);
	return left[0] == '\0';
}

/* Whether a txn is there; it is there as a whole or not at all. */
static bool has_txn(struct rig *rig, const char *name) {
	const struct log_query all = { 0 };
	size_t n;
	size_t n_named = 0;

	struct event *events = rig_query(rig, &all, &n);
	for (size_t i = 0; i < n; i++) {
		n_named += strcmp(events[i].text, name) == 0;
	}
	free(events);
	assert_true(n_named == 0 || n_named == 2);
	assert_int_equal(has_setting(rig, name), n_named == 2);
	return n_named == 2;
}

static void assert_chain(struct rig *rig) {
	struct log_verify found;

	assert_int_equal(store_condition(rig->store)->log_fault.code, FAULT_NONE);
	assert_int_equal(rig_verify(rig, &found), FAULT_NONE);
	if (found.bad_seq != 0) {
		fail_msg("row %lld: %s", (long long) found.bad_seq, found.reason);
	}
}

/* One operation fails, at each place in turn; false: there was no such place any more. */
static bool fail_once(enum bad_disk_op op, int rc, enum fault_code expected, unsigned nth) {
	static const char *const names[] = { "during", "after", "last" };
	enum fault_code codes[ARRAY_SIZE(names)];
	unsigned n_faults = 0;
	struct rig rig;

	rig_init(&rig);
	bad_disk_watch(rig.path);
	rig_open(&rig);
	assert_int_equal(commit_named(&rig, "before"), FAULT_NONE);
	bad_disk_fail(op, nth, rc, false);
	/* It hits one of these, or a checkpoint, or the end: then nobody is told, and nothing lost.
	 */
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		codes[i] = commit_named(&rig, names[i]);
		assert_true(codes[i] == FAULT_NONE || codes[i] == expected);
		assert_int_equal(has_txn(&rig, names[i]), codes[i] == FAULT_NONE);
		n_faults += codes[i] != FAULT_NONE;
	}
	assert_true(n_faults <= 1);
	assert_chain(&rig);
	rig_close(&rig);
	bool has_failed = bad_disk_has_failed();
	bad_disk_fail(0, 0, SQLITE_OK, false);

	rig_open(&rig);
	assert_true(has_txn(&rig, "before"));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(has_txn(&rig, names[i]), codes[i] == FAULT_NONE);
	}
	assert_chain(&rig);
	rig_finish(&rig);
	return has_failed;
}

static void each_write_fails_once(void **state) {
	unsigned n = 1;

	while (fail_once(BAD_DISK_WRITE, SQLITE_FULL, FAULT_DATABASE_FULL, n)) {
		n++;
	}
	assert_true(n > 20);
	n = 1;
	while (fail_once(BAD_DISK_WRITE, SQLITE_IOERR_WRITE, FAULT_DATABASE_IO, n)) {
		n++;
	}
	assert_true(n > 20);
}

static void each_sync_fails_once(void **state) {
	unsigned n = 1;

	while (fail_once(BAD_DISK_SYNC, SQLITE_IOERR_FSYNC, FAULT_DATABASE_IO, n)) {
		n++;
	}
	assert_true(n > 4);
}

static void each_truncation_fails_once(void **state) {
	unsigned n = 1;

	while (fail_once(BAD_DISK_TRUNCATE, SQLITE_IOERR_TRUNCATE, FAULT_DATABASE_IO, n)) {
		n++;
	}
	assert_true(n > 1);
}

/* The nth operation of making a database fails, then it works. */
static void opening_fails_cleanly(void **state) {
	static const int codes[] = { SQLITE_FULL, SQLITE_IOERR_WRITE };
	bool has_failed = true;

	for (unsigned nth = 1; has_failed; nth++) {
		for (size_t i = 0; i < ARRAY_SIZE(codes); i++) {
			struct rig rig;
			struct fault fault = { 0 };
			rig_init(&rig);
			bad_disk_watch(rig.path);
			bad_disk_fail(BAD_DISK_ANY, nth, codes[i], true);
			int r = rig_try_open(&rig, &fault);
			has_failed = bad_disk_has_failed();
			assert_int_equal(r < 0, has_failed);
			if (r < 0) {
				assert_true(fault.code == FAULT_DATABASE_FULL ||
					    fault.code == FAULT_DATABASE_IO);
			}
			bad_disk_fail(0, 0, SQLITE_OK, false);
			rig_close(&rig);
			rig_open(&rig);
			assert_int_equal(commit_named(&rig, "after"), FAULT_NONE);
			assert_chain(&rig);
			rig_finish(&rig);
		}
	}
}

static void a_full_disk_is_overcome(void **state) {
	struct rig *rig = *state;
	struct waiting waiting[40];
	char name[16];

	bad_disk_watch(rig->path);
	rig_open(rig);
	assert_int_equal(commit_named(rig, "before"), FAULT_NONE);
	bad_disk_fail(BAD_DISK_WRITE, 1, SQLITE_FULL, true);
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		snprintf(name, sizeof(name), "during-%zu", i);
		rig_commit(rig, make_txn(&waiting[i], name));
	}
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		rig_await(rig, &waiting[i]);
		assert_int_equal(waiting[i].fault.code, FAULT_DATABASE_FULL);
	}
	/* What is there can be read meanwhile. */
	assert_true(has_txn(rig, "before"));
	assert_false(has_txn(rig, "during-0"));
	bad_disk_fail(0, 0, SQLITE_OK, false);
	assert_int_equal(commit_named(rig, "after"), FAULT_NONE);
	assert_chain(rig);
}

/* Whatever fails, it is told in the words of what failed: never "not an error". */
static void a_copy_that_fails_says_why(void **state) {
	static const struct {
		int rc;
		enum fault_code code;
		const char *words;
	} rows[] = {
		{ SQLITE_FULL, FAULT_DATABASE_FULL, "database or disk is full" },
		{ SQLITE_IOERR_WRITE, FAULT_DATABASE_IO, "copying the database" },
	};
	struct rig *rig = *state;
	char copy[128];

	snprintf(copy, sizeof(copy), "%s.copy", rig->path);
	bad_disk_watch(rig->path);
	rig_open(rig);
	assert_int_equal(commit_named(rig, "before"), FAULT_NONE);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		unsigned n_failed = 0;

		/* Wherever it strikes, until a copy needs fewer writes. */
		for (unsigned nth = 1;; nth++) {
			bad_disk_fail(BAD_DISK_WRITE, nth, rows[i].rc, true);
			enum fault_code code = rig_backup(rig, copy);
			if (!bad_disk_has_failed()) {
				assert_int_equal(code, FAULT_NONE);
				break;
			}
			n_failed++;
			assert_int_equal(code, rows[i].code);
			assert_null(strstr(rig->refusal.detail, "not an error"));
			assert_true(nth > 1 || strstr(rig->refusal.detail, rows[i].words) != NULL);
		}
		assert_true(n_failed > 1);
		bad_disk_fail(0, 0, SQLITE_OK, false);
	}
}

/* A batch that does not fit is tried txn by txn. */
static void what_fits_is_taken(void **state) {
	struct rig *rig = *state;
	struct waiting waiting[30];
	char name[16];
	size_t n_good = 0;

	bad_disk_watch(rig->path);
	rig_open(rig);
	assert_int_equal(commit_named(rig, "before"), FAULT_NONE);
	bad_disk_hold_sync(true);
	/* The first occupies the writer; the others are one batch, which hits the limit. */
	unsigned n_syncs = bad_disk_count(BAD_DISK_SYNC);
	rig_commit(rig, make_txn(&waiting[0], "first"));
	while (bad_disk_count(BAD_DISK_SYNC) == n_syncs) {
		usleep(1000);
	}
	bad_disk_fail(BAD_DISK_WRITE, 3, SQLITE_FULL, false);
	for (size_t i = 1; i < ARRAY_SIZE(waiting); i++) {
		snprintf(name, sizeof(name), "next-%zu", i);
		rig_commit(rig, make_txn(&waiting[i], name));
	}
	bad_disk_hold_sync(false);
	rig_await(rig, &waiting[0]);
	for (size_t i = 1; i < ARRAY_SIZE(waiting); i++) {
		rig_await(rig, &waiting[i]);
		n_good += waiting[i].fault.code == FAULT_NONE;
	}
	assert_true(bad_disk_has_failed());
	assert_int_equal(n_good, ARRAY_SIZE(waiting) - 1);
	assert_chain(rig);
}

/* D16: a sync that takes long holds up neither questions nor the caller; it is shared by many. */
static void a_slow_disk_is_shared(void **state) {
	struct rig *rig = *state;
	struct waiting waiting[100];
	const struct log_query newest = { .limit = 1 };
	char name[16];
	size_t n;

	bad_disk_watch(rig->path);
	rig_open(rig);
	assert_int_equal(commit_named(rig, "before"), FAULT_NONE);
	bad_disk_hold_sync(true);
	unsigned n_syncs = bad_disk_count(BAD_DISK_SYNC);
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		snprintf(name, sizeof(name), "slow-%zu", i);
		rig_commit(rig, make_txn(&waiting[i], name));
	}
	struct event *events = rig_query(rig, &newest, &n);
	assert_string_equal(events[0].text, "before");
	free(events);
	assert_false(waiting[0].is_done);
	bad_disk_hold_sync(false);
	for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
		rig_await(rig, &waiting[i]);
		assert_int_equal(waiting[i].fault.code, FAULT_NONE);
	}
	assert_true(bad_disk_count(BAD_DISK_SYNC) - n_syncs <= 4);
}

static uint64_t seed;

static uint64_t next_random(void) {
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return seed >> 33;
}

/* After the cut: what was acknowledged is there, nothing is there by half, the chain holds. */
static void look_at_image(struct rig *image, unsigned n_known, unsigned n_asked) {
	const struct log_query all = { .limit = LOG_QUERY_MAX };
	size_t n;
	static unsigned char seen[LOG_QUERY_MAX];

	image->boot_id = "after the cut";
	rig_open(image);
	assert_chain(image);
	memset(seen, 0, sizeof(seen));
	struct event *events = rig_query(image, &all, &n);
	for (size_t i = 0; i < n; i++) {
		unsigned number = (unsigned) strtoul(events[i].text, NULL, 10);
		assert_true(number < n_asked);
		seen[number]++;
	}
	free(events);
	for (unsigned i = 0; i < n_asked; i++) {
		assert_true(seen[i] == 0 || seen[i] == 2);
		assert_true(seen[i] == 2 || i >= n_known);
		assert_true(i == 0 || seen[i] <= seen[i - 1]); /* in order */
	}
	assert_int_equal(rig_record(image, "aaaaaaaa", 0), (int64_t) n + 1);
	rig_close(image);
}

static void hand_over_numbered(struct rig *rig, struct waiting *waiting, unsigned number) {
	struct txn *txn = rig_txn(waiting);
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	strcpy(rig_add_event(txn, "aaaaaaaa", 0)->text, text);
	rig_add_setting(txn, "last", text);
	strcpy(rig_add_event(txn, "bbbbbbbb", 0)->text, text);
	/* A secret that goes away has the WAL cut: checkpoints under way when the power goes. */
	if (number % 16 == 0) {
		rig_add_lock(txn, TXN_LOCK_PUT, "aaaaaaaa", "front-door");
		rig_add_lock(txn, TXN_LOCK_REMOVE, "aaaaaaaa", "front-door");
	}
	rig_commit(rig, txn);
}

/* How many of the first txns are acknowledged. */
static unsigned count_known(const struct waiting *waiting, unsigned n_known, unsigned n) {
	while (n_known < n && waiting[n_known].is_done) {
		assert_int_equal(waiting[n_known].fault.code, FAULT_NONE);
		n_known++;
	}
	return n_known;
}

static void power_cuts_lose_nothing(void **state) {
	static struct waiting waiting[4000];
	unsigned n_known = 0;
	unsigned n = 0;
	struct rig rig;
	struct rig image;

	seed = (uint64_t) time(NULL);
	print_message("# seed %llu\n", (unsigned long long) seed);
	rig_init(&rig);
	bad_disk_watch(rig.path);
	bad_disk_keep(true, false);
	rig_open(&rig);
	for (int cut = 0; cut < CUTS; cut++) {
		unsigned more = (unsigned) (next_random() % 20);
		for (unsigned i = 0; i < more && n < ARRAY_SIZE(waiting); i++, n++) {
			hand_over_numbered(&rig, &waiting[n], n);
		}
		usleep((unsigned) (next_random() % 1500));
		store_dispatch(rig.store);
		n_known = count_known(waiting, n_known, n);
		rig_init(&image);
		bad_disk_cut(image.folder, next_random());
		look_at_image(&image, n_known, n);
		rig_finish(&image);
	}
	assert_true(n_known > CUTS);
	rig_close(&rig);
	/* And after an orderly end, nothing may hang on what was not synced. */
	rig_init(&image);
	bad_disk_cut(image.folder, next_random());
	look_at_image(&image, n, n);
	rig_finish(&image);
	rig_finish(&rig);
}

/*
 * A card that acknowledges syncs and keeps nothing of it may lose what was acknowledged: that
 * cannot be helped. But it must not be served as truth: the image opens as an earlier state or is
 * refused.
 */
static void a_lying_card_is_no_crash(void **state) {
	static struct waiting waiting[600];
	struct rig rig;

	seed = (uint64_t) time(NULL);
	rig_init(&rig);
	bad_disk_watch(rig.path);
	rig_open(&rig);
	rig_close(&rig);
	bad_disk_keep(true, false);
	rig_open(&rig);
	hand_over_numbered(&rig, &waiting[0], 0);
	rig_await(&rig, &waiting[0]);
	rig_close(&rig);
	bad_disk_keep(true, true);
	rig_open(&rig);
	for (unsigned i = 1; i < ARRAY_SIZE(waiting); i++) {
		hand_over_numbered(&rig, &waiting[i], i);
		if (i % 20 != 0) {
			continue;
		}
		rig_await(&rig, &waiting[i]);
		struct rig image;
		struct fault fault = { 0 };
		rig_init(&image);
		image.boot_id = "after the cut";
		bad_disk_cut(image.folder, next_random());
		if (rig_try_open(&image, &fault) == 0) {
			struct log_verify found;
			enum fault_code code = rig_verify(&image, &found);
			assert_true(code == FAULT_NONE || code == FAULT_DATABASE_CORRUPT);
		} else {
			assert_true(fault.code == FAULT_DATABASE_CORRUPT ||
				    fault.code == FAULT_DATABASE_OPEN ||
				    fault.code == FAULT_KEY_MISSING);
		}
		rig_finish(&image);
	}
	rig_finish(&rig);
}

/* A test that failed may have left a sync held, for which the store would wait. */
static int teardown(void **state) {
	bad_disk_hold_sync(false);
	return rig_teardown(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_setup, teardown)

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_write_fails_once),
		cmocka_unit_test(each_sync_fails_once),
		cmocka_unit_test(each_truncation_fails_once),
		cmocka_unit_test(opening_fails_cleanly),
		TEST(a_full_disk_is_overcome),
		TEST(a_copy_that_fails_says_why),
		TEST(what_fits_is_taken),
		TEST(a_slow_disk_is_shared),
		cmocka_unit_test(power_cuts_lose_nothing),
		cmocka_unit_test(a_lying_card_is_no_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
