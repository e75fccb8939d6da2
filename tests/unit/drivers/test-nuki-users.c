/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Keypad codes and authorisations: what is told is what the lock holds, all of it or nothing; what
 * is put arrives as it was meant; and the outcome says no more and no less than what is known.
 */

#include "nuki-bench.h"

#include <errno.h>

#include "nuki-vectors.h"
#include "nuki/driver.h"
#include "nuki/slots.h"
#include "util/auto.h"
#include "util/text.h"

static struct bench bench;

static void assert_done(void) {
	if (bench.n_done != 1 || bench.result.fault.code != FAULT_NONE) {
		fail_msg("not done: %u, %s: %s\n%s", bench.n_done,
			fault_name(bench.result.fault.code), bench.result.fault.detail,
			bench.traces);
	}
}

static void assert_failed(enum fault_code code, enum job_sent sent) {
	if (bench.n_done != 1 || bench.result.fault.code != code || bench.result.sent != sent) {
		fail_msg("%u done, %s (%s), sent %d\n%s", bench.n_done,
			fault_name(bench.result.fault.code), bench.result.fault.detail,
			bench.result.sent, bench.traces);
	}
}

static int start_slot(enum act act, const struct slot *slot) {
	const struct job job = { .act = act, .slot = *slot };

	bench_clear(&bench);
	return bench_start_job(&bench, &job);
}

static void put(enum act act, const struct slot *slot) {
	assert_int_equal(start_slot(act, slot), 0);
	bench_run_with_timer(&bench, 3);
}

static void read_users(void) {
	assert_int_equal(bench_start(&bench, ACT_READ_USERS), 0);
	bench_run_with_timer(&bench, 5);
}

static const struct slot *slot_of(enum credential_type type, int64_t ref) {
	for (size_t i = 0; i < bench.n_slots; i++) {
		if (bench.slots[i].type == type && bench.slots[i].ref == ref) {
			return &bench.slots[i];
		}
	}
	fail_msg("%s %lld is not told", credential_type_name(type), (long long) ref);
	return NULL;
}

static void assert_pin(const struct slot *slot, const char *digits) {
	struct secret pin = bench_pin(digits);

	assert_true(secret_equal(&slot->pin, &pin));
}

/* ---- reading ---- */

static void lists_are_told(void **state) {
	for (enum nuki_generation generation = NUKI_GENERATION_1_TO_4;
		generation <= NUKI_GENERATION_5; generation++) {
		for (size_t piece = 0; piece <= 20; piece += 20) {
			bench_init(&bench, generation);
			bench.piece = piece;
			read_users();
			assert_done();
			assert_int_equal(bench.n_slots, 5);
			const struct slot *plain = slot_of(CREDENTIAL_PIN, 3);
			assert_string_equal(plain->name, "Code 3");
			assert_pin(plain, "345671");
			assert_true(plain->is_enabled && !plain->is_limited && !plain->is_own);
			assert_int_equal(plain->created_at.s, 1777629600);
			assert_int_equal(plain->last_used_at.s, 0);
			const struct slot *limited = slot_of(CREDENTIAL_PIN, 4);
			assert_true(limited->is_limited);
			assert_int_equal(limited->n_uses, 1);
			assert_int_equal(limited->window.from.s, 1780300800);
			assert_int_equal(limited->window.until.s, 0);
			assert_int_equal(limited->window.days, 0x02); /* Monday */
			assert_int_equal(limited->window.start_minute, 480);
			assert_int_equal(limited->window.end_minute, 1050);
			const struct slot *own = slot_of(CREDENTIAL_APP_KEY, 7);
			assert_true(own->is_own && own->pin.len == 0 && !own->is_remote_allowed);
			const struct slot *phone = slot_of(CREDENTIAL_APP_KEY, 8);
			assert_false(phone->is_own);
			assert_true(phone->is_remote_allowed);
			assert_string_equal(phone->name, "Phone 8");
			assert_int_equal(phone->last_used_at.s, 1793491201);
			bench_finish(&bench);
		}
	}
}

static void codes_need_a_keypad(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.has_no_keypad = true;
	read_users();
	assert_done();
	assert_int_equal(bench.n_slots, 2);
	assert_int_equal(bench.n_writes, 4); /* Config, authorisations; a challenge each */
	bench_finish(&bench);

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	read_users();
	assert_int_equal(bench.n_writes, 6);
	read_users(); /* Config is known on this link, and on this link only */
	assert_int_equal(bench.n_writes, 4);
	bench.session->impl->down(bench.session);
	bench.session->impl->up(bench.session, 247);
	read_users();
	assert_int_equal(bench.n_writes, 6);
	bench_finish(&bench);
}

static void lists_of_another_lock_are_not_told(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.nuki_id ^= 1;
	read_users();
	assert_failed(FAULT_WRONG_LOCK, JOB_NOT_SENT);
	assert_int_equal(bench.n_slots, 0);
	bench_finish(&bench);
}

static void lists_may_be_empty_or_long(void **state) {
	static const size_t sizes[] = { 0, 1, 2, 50, 99, 100, 101, 150 };

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		bench_init(&bench, NUKI_GENERATION_1_TO_4);
		bench_fill(&bench, sizes[i], 1 + sizes[i] / 2);
		read_users();
		assert_done();
		assert_int_equal(bench.n_slots, sizes[i] + 1 + sizes[i] / 2);
		for (size_t k = 0; k < sizes[i]; k++) {
			(void) slot_of(CREDENTIAL_PIN, (int64_t) (3 + k));
		}
		bench_finish(&bench);
	}
}

/* A lock that answers in smaller pages, and one that says things twice. */
static void each_entry_comes_once(void **state) {
	for (size_t most = 1; most <= 30; most += 7) {
		for (unsigned is_twice = 0; is_twice < 2; is_twice++) {
			bench_init(&bench, NUKI_GENERATION_1_TO_4);
			bench_fill(&bench, 50, 30);
			bench.list_most = most;
			bench.is_list_repeating = is_twice != 0;
			read_users();
			assert_done();
			assert_int_equal(bench.n_slots, 80);
			bench_finish(&bench);
		}
	}
}

static void what_is_not_complete_does_not_count(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.announce_more = 1;
	read_users();
	assert_failed(FAULT_PROTOCOL_ERROR, JOB_NOT_SENT);
	assert_string_equal(
		bench.result.fault.detail, "the lock announced 4 keypad codes and told 3");
	bench.announce_more = -1;
	read_users();
	assert_failed(FAULT_PROTOCOL_ERROR, JOB_NOT_SENT);
	bench.announce_more = 0;
	bench.is_list_headless = true;
	read_users();
	assert_failed(FAULT_PROTOCOL_ERROR, JOB_NOT_SENT);
	bench.is_list_headless = false;
	bench.announce_more = SLOTS_PER_LOCK_MAX;
	read_users();
	assert_failed(FAULT_PROTOCOL_ERROR, JOB_NOT_SENT);
	assert_int_equal(bench.n_slots, 0);
	bench.announce_more = 0;
	read_users();
	assert_done();
	bench_finish(&bench);
}

/* More than we take, in lists that the lock has never announced as such. */
static void lists_have_a_limit(void **state) {
	struct nuki_message message;

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	assert_int_equal(bench_start(&bench, ACT_READ_USERS), 0);
	while (bench.n_slots == 0) {
		assert_true(bench_step(&bench));
	}
	nuki_message_init(&message, NUKI_CODE, NUKI_GENERATION_1_TO_4);
	for (unsigned i = 0; i <= SLOTS_PER_LOCK_MAX && bench.n_done == 0; i++) {
		message.code.code_id = (uint16_t) (1000 + i);
		bench_send(&bench, &message);
	}
	assert_failed(FAULT_PROTOCOL_ERROR, JOB_NOT_SENT);
	assert_int_equal(bench.n_slots, SLOTS_PER_LOCK_MAX);
	bench_finish(&bench);
}

/* Some firmware may leave out the COMPLETE. */
static void announced_is_complete(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.is_list_endless = true;
	assert_int_equal(bench_start(&bench, ACT_READ_USERS), 0);
	bench_run(&bench);
	assert_int_equal(bench.n_done, 0);
	assert_int_equal(bench.timer_ms, NUKI_TAIL_MS);
	bench_run_with_timer(&bench, 2);
	assert_done();
	assert_int_equal(bench.n_slots, 5);
	bench_fill(&bench, 0, 1);
	read_users();
	assert_done();
	assert_int_equal(bench.n_slots, 1);
	bench_finish(&bench);
}

/* An Ultra tells the count at once and thinks for seconds before the first code. */
static void a_slow_lock_is_waited_for(void **state) {
	for (unsigned n_codes = 0; n_codes < 3; n_codes++) {
		char detail[FAULT_DETAIL_MAX];

		bench_init(&bench, NUKI_GENERATION_1_TO_4);
		assert_int_equal(bench_start(&bench, ACT_READ_USERS), 0);
		while (bench.n_slots < n_codes ||
			strstr(bench.traces, "< Keypad Code Count") == NULL) {
			assert_true(bench_step(&bench));
		}
		assert_int_equal(bench.timer_ms, NUKI_LIST_MS);
		assert_true(NUKI_LIST_MS > 3000);
		bench.session->impl->timer(bench.session);
		assert_failed(FAULT_LOCK_SILENT, JOB_NOT_SENT);
		snprintf(detail, sizeof(detail), "%u of 3 keypad codes came, then %d ms nothing",
			n_codes, NUKI_LIST_MS);
		assert_string_equal(bench.result.fault.detail, detail);
		bench_finish(&bench);
	}
}

static void link_lost_in_a_list(void **state) {
	for (unsigned n_events = 0;; n_events++) {
		bench_init(&bench, NUKI_GENERATION_5);
		bench_start(&bench, ACT_READ_USERS);
		for (unsigned k = 0; k < n_events && bench.n_done == 0; k++) {
			bench_step(&bench);
		}
		const bool was_done = bench.n_done > 0;
		bench.session->impl->down(bench.session);
		assert_int_equal(bench.n_done, 1);
		if (was_done) {
			assert_done();
			assert_true(n_events > 15);
			bench_finish(&bench);
			break;
		}
		assert_failed(FAULT_LINK_LOST, JOB_NOT_SENT);
		bench.is_writing = false;
		bench.session->impl->up(bench.session, 23);
		read_users();
		assert_done();
		assert_int_equal(bench.n_slots, 5);
		bench_finish(&bench);
	}
}

/* ---- putting ---- */

static void codes_are_added(void **state) {
	struct slot slot = bench_slot(ACT_PUT_CREDENTIAL);

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	put(ACT_PUT_CREDENTIAL, &slot);
	assert_done();
	assert_int_equal(bench.result.ref, 6);
	assert_int_equal(bench.n_writes, 2);
	const struct nuki_code *code = &bench.codes[3];
	assert_int_equal(code->code, 345678);
	assert_string_equal(code->name, "Anna");
	assert_int_equal(code->time_limited, 0);
	assert_int_equal(code->window.weekdays, 0);

	slot.pin = bench_pin("999999");
	slot.is_limited = true;
	slot.window = (struct slot_window){
		.until = { 1803859200 }, /* 2027-03-01 00:00 */
		.days = DAY_SUNDAY << 1 | DAY_SUNDAY << 6,
		.start_minute = 8 * 60,
		.end_minute = 1439,
	};
	put(ACT_PUT_CREDENTIAL, &slot);
	assert_done();
	assert_int_equal(bench.result.ref, 7);
	code = &bench.codes[4];
	assert_int_equal(code->time_limited, 1);
	assert_int_equal(code->window.from_date.year, 0);
	assert_int_equal(code->window.until_date.year, 2027);
	assert_int_equal(code->window.until_date.month, 3);
	assert_int_equal(code->window.until_date.day, 1);
	assert_int_equal(code->window.weekdays, 0x42); /* Monday, Saturday */
	assert_int_equal(code->window.from_time.hour, 8);
	assert_int_equal(code->window.until_time.hour, 23);
	assert_int_equal(code->window.until_time.minute, 59);
	bench_finish(&bench);
}

/* A new code is enabled: one that is not to be takes a second message. */
static void codes_are_added_disabled(void **state) {
	struct slot slot = bench_slot(ACT_PUT_CREDENTIAL);

	slot.is_enabled = false;
	bench_init(&bench, NUKI_GENERATION_5);
	put(ACT_PUT_CREDENTIAL, &slot);
	assert_done();
	assert_int_equal(bench.result.ref, 6);
	assert_int_equal(bench.n_writes, 4);
	assert_int_equal(bench.codes[3].enabled, 0);
	assert_int_equal(bench.codes[3].code, 345678);
	bench_finish(&bench);

	/* Between the two: the code is there, and its id is told. */
	for (unsigned what = 0; what < 3; what++) {
		bench_init(&bench, NUKI_GENERATION_5);
		assert_int_equal(start_slot(ACT_PUT_CREDENTIAL, &slot), 0);
		while (bench.n_writes < 3) {
			assert_true(bench_step(&bench));
		}
		if (what == 0) {
			bench.session->impl->down(bench.session);
			assert_failed(FAULT_LINK_LOST, JOB_MAYBE_SENT);
		} else if (what == 1) { /* a refusal of the second undoes nothing */
			bench.error = 0x29;
			bench.n_errors = 1;
			bench_run(&bench);
			assert_failed(FAULT_LIST_FULL, JOB_MAYBE_SENT);
		} else { /* nor does a write that never went out */
			while (bench.n_writes < 4) {
				assert_true(bench_step(&bench));
			}
			bench.is_writing = false;
			bench.session->impl->written(bench.session, -EIO, RADIO_NOT_SENT);
			assert_failed(FAULT_LINK_LOST, JOB_MAYBE_SENT);
		}
		assert_int_equal(bench.result.ref, 6);
		bench_finish(&bench);
	}
}

static void codes_are_changed(void **state) {
	struct slot slot = bench_slot(ACT_PUT_CREDENTIAL);

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	slot.ref = 4;
	slot.is_enabled = false;
	put(ACT_PUT_CREDENTIAL, &slot);
	assert_done();
	assert_int_equal(bench.result.ref, 4);
	assert_int_equal(bench.n_writes, 2);
	assert_int_equal(bench.codes[1].code, 345678);
	assert_int_equal(bench.codes[1].enabled, 0);
	assert_int_equal(bench.codes[1].time_limited, 0);
	assert_int_equal(bench.n_codes, 3);
	slot.ref = 99;
	put(ACT_PUT_CREDENTIAL, &slot);
	assert_failed(FAULT_BAD_PARAMETER, JOB_NOT_SENT);
	bench_finish(&bench);
}

static void codes_are_removed(void **state) {
	struct slot slot = { .type = CREDENTIAL_PIN, .ref = 4 };

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	put(ACT_REMOVE_CREDENTIAL, &slot);
	assert_done();
	read_users();
	assert_int_equal(bench.n_slots, 4);
	put(ACT_REMOVE_CREDENTIAL, &slot); /* gone already: the lock says so */
	assert_failed(FAULT_BAD_PARAMETER, JOB_NOT_SENT);
	bench_finish(&bench);
}

static void authorisations_are_changed(void **state) {
	struct slot slot = { .type = CREDENTIAL_APP_KEY, .ref = 8, .is_limited = true };

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	strcpy(slot.name, "A name of thirty-two octets: abc");
	slot.window.from = (wall_t){ 1795327200 };
	put(ACT_PUT_CREDENTIAL, &slot);
	assert_done();
	assert_int_equal(bench.result.ref, 8);
	assert_string_equal(bench.auths[1].name, slot.name);
	assert_int_equal(bench.auths[1].enabled, 0);
	assert_int_equal(bench.auths[1].remote_allowed, 0);
	assert_int_equal(bench.auths[1].time_limited, 1);
	assert_int_equal(bench.auths[1].window.from_date.month, 11);
	slot.is_enabled = slot.is_remote_allowed = true;
	put(ACT_PUT_CREDENTIAL, &slot);
	assert_int_equal(bench.auths[1].enabled, 1);
	assert_int_equal(bench.auths[1].remote_allowed, 1);
	put(ACT_REMOVE_CREDENTIAL, &slot);
	assert_done();
	assert_int_equal(bench.n_auths, 1);
	put(ACT_REMOVE_CREDENTIAL, &slot);
	assert_failed(FAULT_NO_SUCH_ENTRY, JOB_NOT_SENT);
	bench_finish(&bench);
}

/* Whether a Nuki begins to count at 0 is not known: 0 is an id there, and "none" here. */
static void code_zero_is_a_code(void **state) {
	struct slot slot = bench_slot(ACT_PUT_CREDENTIAL);

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench_fill(&bench, 0, 1);
	bench.next_code_id = 0;
	put(ACT_PUT_CREDENTIAL, &slot);
	assert_done();
	assert_int_equal(bench.result.ref, NUKI_CODE_REF_MAX);
	read_users();
	slot = *slot_of(CREDENTIAL_PIN, NUKI_CODE_REF_MAX);
	slot.is_enabled = false;
	put(ACT_PUT_CREDENTIAL, &slot);
	assert_done();
	assert_int_equal(bench.codes[0].enabled, 0);
	assert_int_equal(bench.codes[0].code_id, 0);
	put(ACT_REMOVE_CREDENTIAL, &slot);
	assert_done();
	assert_int_equal(bench.n_codes, 0);
	bench_finish(&bench);
}

/* ---- what cannot be ---- */

static void assert_refused(enum act act, const struct slot *slot, enum fault_code code) {
	assert_true(start_slot(act, slot) < 0);
	if (bench.result.fault.code != code) {
		fail_msg("%s: %s", fault_name(bench.result.fault.code), bench.result.fault.detail);
	}
	assert_int_equal(bench.n_writes, 0);
	assert_null(strstr(bench.result.fault.detail, "345"));
}

static void odd_codes_are_not_sent(void **state) {
	static const char *const pins[] = { "", "34567", "3456789", "345067", "345a67", "123456",
		"12 345" };

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	for (size_t i = 0; i < ARRAY_SIZE(pins); i++) {
		struct slot slot = bench_slot(ACT_PUT_CREDENTIAL);
		struct fault fault;
		slot.pin = bench_pin(pins[i]);
		assert_refused(ACT_PUT_CREDENTIAL, &slot, FAULT_BAD_ARGUMENT);
		slot.ref = 3;
		assert_refused(ACT_PUT_CREDENTIAL, &slot, FAULT_BAD_ARGUMENT);
		assert_int_equal(nuki_credential_limits.check_pin(&slot.pin, &fault), -EINVAL);
		assert_true(fault.detail[0] != '\0');
	}
	struct secret good = bench_pin("213456");
	assert_int_equal(nuki_credential_limits.check_pin(&good, NULL), 0);
	bench_finish(&bench);
}

static void odd_slots_are_not_sent(void **state) {
	static const struct slot_window windows[] = {
		{ .from = { -1 } },
		{ .until = { INT64_MAX } },
		{ .from = { 2000 }, .until = { 1999 } },
		{ .days = 0x80 },
		{ .start_minute = -1 },
		{ .start_minute = 1440 },
		{ .end_minute = 1440 },
	};
	struct slot slot = bench_slot(ACT_PUT_CREDENTIAL);

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	slot.is_limited = true;
	for (size_t i = 0; i < ARRAY_SIZE(windows); i++) {
		slot.window = windows[i];
		assert_refused(ACT_PUT_CREDENTIAL, &slot, FAULT_BAD_ARGUMENT);
	}
	slot.is_limited = false; /* then it does not count */
	put(ACT_PUT_CREDENTIAL, &slot);
	assert_done();
	strcpy(slot.name, "twenty-one octets, ab");
	assert_refused(ACT_PUT_CREDENTIAL, &slot, FAULT_BAD_ARGUMENT);
	slot.name[20] = '\0';
	put(ACT_PUT_CREDENTIAL, &slot);
	assert_done();
	slot.ref = 65537;
	assert_refused(ACT_PUT_CREDENTIAL, &slot, FAULT_BAD_ARGUMENT);
	assert_refused(ACT_REMOVE_CREDENTIAL, &slot, FAULT_BAD_ARGUMENT);
	slot.ref = 0;
	assert_refused(ACT_REMOVE_CREDENTIAL, &slot, FAULT_BAD_ARGUMENT);
	slot.ref = -3;
	assert_refused(ACT_PUT_CREDENTIAL, &slot, FAULT_BAD_ARGUMENT);
	assert_refused(ACT_REMOVE_CREDENTIAL, &slot, FAULT_BAD_ARGUMENT);
	slot = (struct slot){ .type = CREDENTIAL_APP_KEY };
	assert_refused(ACT_PUT_CREDENTIAL, &slot, FAULT_NOT_SUPPORTED);
	slot = (struct slot){ .type = CREDENTIAL_FINGERPRINT, .ref = 3 };
	assert_refused(ACT_PUT_CREDENTIAL, &slot, FAULT_NOT_SUPPORTED);
	assert_refused(ACT_REMOVE_CREDENTIAL, &slot, FAULT_NOT_SUPPORTED);
	bench_finish(&bench);
}

/* Without it the lock would not listen any more. */
static void our_own_authorisation_stays(void **state) {
	struct slot slot = { .type = CREDENTIAL_APP_KEY, .ref = 7 };

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	assert_refused(ACT_REMOVE_CREDENTIAL, &slot, FAULT_BAD_ARGUMENT);
	assert_refused(ACT_PUT_CREDENTIAL, &slot, FAULT_BAD_ARGUMENT);
	slot.ref = 8;
	slot.is_own = true;
	assert_refused(ACT_REMOVE_CREDENTIAL, &slot, FAULT_BAD_ARGUMENT);
	/* A code with the same number is another thing. */
	slot = (struct slot){ .type = CREDENTIAL_PIN, .ref = 7 };
	bench_fill(&bench, 5, 2);
	put(ACT_REMOVE_CREDENTIAL, &slot);
	assert_done();
	bench_finish(&bench);
}

static const struct {
	enum act act;
	struct slot slot;
	uint16_t command;
} changes[] = {
	{ ACT_PUT_CREDENTIAL,
		{ .type = CREDENTIAL_PIN, .is_enabled = true, .pin = { 6, "345678" } },
		NUKI_ADD_CODE },
	{ ACT_PUT_CREDENTIAL, { .type = CREDENTIAL_PIN, .ref = 3, .pin = { 6, "345678" } },
		NUKI_UPDATE_CODE },
	{ ACT_REMOVE_CREDENTIAL, { .type = CREDENTIAL_PIN, .ref = 3 }, NUKI_REMOVE_CODE },
	{ ACT_PUT_CREDENTIAL, { .type = CREDENTIAL_APP_KEY, .ref = 8 }, NUKI_UPDATE_AUTH },
	{ ACT_REMOVE_CREDENTIAL, { .type = CREDENTIAL_APP_KEY, .ref = 8 }, NUKI_REMOVE_AUTH },
};

static void every_error_is_told(void **state) {
	size_t n;
	const struct nuki_error_row *rows = nuki_error_rows(&n);

	for (size_t i = 0; i < n; i++) {
		for (size_t k = 0; k < ARRAY_SIZE(changes); k++) {
			bench_init(&bench, NUKI_GENERATION_1_TO_4);
			bench.error = rows[i].code;
			bench.error_command = changes[k].command;
			bench.n_errors = 100;
			assert_int_equal(start_slot(changes[k].act, &changes[k].slot), 0);
			bench_run_with_timer(&bench, 10);
			assert_failed(
				rows[i].fault, rows[i].is_refusal ? JOB_NOT_SENT : JOB_MAYBE_SENT);
			assert_non_null(strstr(bench.result.fault.detail, rows[i].name));
			assert_non_null(strstr(
				bench.result.fault.detail, nuki_command_name(changes[k].command)));
			assert_int_equal(bench.n_changes, 0);
			bench_finish(&bench);
		}
		for (unsigned k = 0; k < 2; k++) {
			bench_init(&bench, NUKI_GENERATION_1_TO_4);
			bench.error = rows[i].code;
			bench.error_command = k == 0 ? NUKI_REQUEST_CODES : NUKI_REQUEST_AUTHS;
			bench.n_errors = 100;
			assert_int_equal(bench_start(&bench, ACT_READ_USERS), 0);
			bench_run_with_timer(&bench, 10);
			assert_failed(rows[i].fault, JOB_NOT_SENT);
			bench_finish(&bench);
		}
	}
}

static void link_lost_in_a_change(void **state) {
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		for (unsigned n_events = 0;; n_events++) {
			bench_init(&bench, NUKI_GENERATION_1_TO_4);
			assert_int_equal(start_slot(changes[i].act, &changes[i].slot), 0);
			for (unsigned k = 0; k < n_events && bench.n_done == 0; k++) {
				bench_step(&bench);
			}
			const bool was_done = bench.n_done > 0;
			bench.session->impl->down(bench.session);
			if (was_done) {
				assert_done();
				assert_int_equal(n_events, 4);
				bench_finish(&bench);
				break;
			}
			assert_failed(FAULT_LINK_LOST,
				bench.is_maybe_sent ? JOB_MAYBE_SENT : JOB_NOT_SENT);
			assert_int_equal(bench.is_maybe_sent, n_events >= 2);
			bench_finish(&bench);
		}
	}
}

static void busy_locks_are_asked_again(void **state) {
	for (size_t i = 0; i < ARRAY_SIZE(changes); i++) {
		bench_init(&bench, NUKI_GENERATION_1_TO_4);
		bench.error = NUKI_ERROR_BUSY;
		bench.n_errors = 2;
		assert_int_equal(start_slot(changes[i].act, &changes[i].slot), 0);
		bench_run_with_timer(&bench, 5);
		assert_done();
		assert_int_equal(bench.n_changes, 1);
		bench_finish(&bench);
	}
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.error = NUKI_ERROR_BUSY;
	bench.n_errors = 2;
	bench.error_command = NUKI_REQUEST_AUTHS;
	read_users();
	assert_done();
	assert_int_equal(bench.n_slots, 5);
	bench_finish(&bench);
}

static void wrong_pin_is_used_once(void **state) {
	struct slot slot = bench_slot(ACT_PUT_CREDENTIAL);

	for (unsigned is_put = 0; is_put < 2; is_put++) {
		const enum act act = is_put ? ACT_PUT_CREDENTIAL : ACT_READ_USERS;
		bench_init(&bench, NUKI_GENERATION_1_TO_4);
		bench.pin++;
		assert_int_equal(start_slot(act, &slot), 0);
		bench_run(&bench);
		assert_failed(FAULT_BAD_PIN, JOB_NOT_SENT);
		assert_true(bench.n_keys > 0);
		assert_false(nuki_driver.has_pin(&bench.keys));
		assert_true(start_slot(act, &slot) < 0);
		assert_int_equal(bench.result.fault.code, FAULT_BAD_PIN);
		assert_int_equal(bench.n_writes, 0);
		bench_finish(&bench);
	}
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.session = bench.session->impl->free(bench.session);
	struct secret keys = bench_keys(&bench, false);
	bench.session = nuki_session_new(&keys, &bench_host, &bench);
	bench.session->impl->up(bench.session, 247);
	assert_true(bench_start(&bench, ACT_READ_USERS) < 0);
	assert_int_equal(bench.result.fault.code, FAULT_PIN_REQUIRED);
	bench_finish(&bench);
}

/* A PIN that was typed in, and has not been tried yet, is known to be right after the first list.
 */
static void right_pin_is_remembered(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	for (unsigned is_put = 0; is_put < 2; is_put++) {
		struct secret keys = bench_keys(&bench, false);
		struct secret pin = bench_pin("4321");
		struct nuki_keys decoded;
		assert_int_equal(nuki_driver.set_pin(&keys, &pin, NULL), 0);
		bench.session = bench.session->impl->free(bench.session);
		bench.session = nuki_session_new(&keys, &bench_host, &bench);
		bench.session->impl->up(bench.session, 247);
		assert_int_equal(
			bench_start(&bench, is_put ? ACT_PUT_CREDENTIAL : ACT_READ_USERS), 0);
		bench_run(&bench);
		assert_done();
		assert_int_equal(nuki_keys_decode(&bench.keys, &decoded), 0);
		assert_true(decoded.is_pin_verified && decoded.is_pin_known);
		memset(&bench.keys, 0, sizeof(bench.keys));
	}
	bench_finish(&bench);
}

/* ---- secrecy ---- */

static uint8_t frames[64 * 1024];
static size_t n_frames;

static void on_frame(
	void *host, bool is_out, const char *characteristic, const uint8_t *plain, size_t n) {
	assert_true(n_frames + n <= sizeof(frames));
	memcpy(frames + n_frames, plain, n);
	n_frames += n;
}

static bool is_in_frames(const void *octets, size_t n) {
	return memmem(frames, n_frames, octets, n) != NULL;
}

static void nothing_secret_is_written_down(void **state) {
	struct session_host host = bench_host;
	struct slot slot = bench_slot(ACT_PUT_CREDENTIAL);

	n_frames = 0;
	host.frame = on_frame;
	bench_init(&bench, NUKI_GENERATION_5);
	bench.session = bench.session->impl->free(bench.session);
	struct secret keys = bench_keys(&bench, true);
	bench.session = nuki_session_new(&keys, &host, &bench);
	bench.session->impl->up(bench.session, 247);
	read_users();
	put(ACT_PUT_CREDENTIAL, &slot);
	assert_done();
	slot.ref = 3;
	put(ACT_PUT_CREDENTIAL, &slot);
	assert_done();
	slot = (struct slot){ .type = CREDENTIAL_APP_KEY, .ref = 8, .name = "Ottokar" };
	put(ACT_PUT_CREDENTIAL, &slot);
	assert_done();
	put(ACT_REMOVE_CREDENTIAL, &slot);
	assert_done();
	struct nuki_message entry;
	nuki_message_init(&entry, NUKI_LOG_ENTRY, NUKI_GENERATION_5);
	strcpy(entry.log_entry.name, "Ottokar");
	bench_send(&bench, &entry);
	assert_non_null(strstr(bench.traces, "Log Entry"));
	static const char *const texts[] = { "34567", "Anna", "Ottokar", "Phone", "Code 3",
		"123456" };
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		assert_null(strstr(bench.traces, texts[i]));
		assert_false(is_in_frames(texts[i], strlen(texts[i])));
	}
	static const uint32_t numbers[] = { 345671, 345672, 345678, 123456 };
	assert_true(n_frames > 500);
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
		assert_false(is_in_frames(&numbers[i], 4));
	}
	bench_finish(&bench);
}

/* ---- the pure part ---- */

static void days_are_turned(void **state) {
	/* bit 6 Monday ... bit 0 Sunday; bit 0 Sunday ... bit 6 Saturday */
	static const struct {
		uint8_t wire, mask;
	} rows[] = {
		{ 0x00, 0x00 },
		{ 0x01, DAY_SUNDAY },
		{ 0x40, DAY_SUNDAY << 1 },
		{ 0x20, DAY_SUNDAY << 2 },
		{ 0x10, DAY_SUNDAY << 3 },
		{ 0x08, DAY_SUNDAY << 4 },
		{ 0x04, DAY_SUNDAY << 5 },
		{ 0x02, DAY_SUNDAY << 6 },
		{ 0x7c, 0x3e }, /* Monday to Friday */
		{ 0x7f, DAYS_ALL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		assert_int_equal(nuki_days_to_mask(rows[i].wire), rows[i].mask);
		assert_int_equal(nuki_days_from_mask(rows[i].mask), rows[i].wire);
	}
}

/* What a vector says, as a slot, and written again: the same octets. */
static void rewrite(const char *id) {
	const json_t *vector = vector_by_id(id);
	const uint16_t command = vector_command(vector);
	const enum nuki_generation generation =
		strncmp(vector_text(vector, "profile"), "5G", 2) == 0 ? NUKI_GENERATION_5
								      : NUKI_GENERATION_1_TO_4;
	struct nuki_message message, again;
	struct slot slot;
	uint8_t wanted[200], got[200];
	const size_t n = vector_hex(vector, "payload_hex", wanted, sizeof(wanted));

	assert_int_equal(nuki_message_parse(&message, command, generation, wanted, n), 0);
	nuki_message_init(&again, command, generation);
	if (command == NUKI_UPDATE_AUTH) {
		nuki_slot_from_auth(&message.auth, 0, &slot);
		assert_int_equal(nuki_slot_check(&slot, NULL), 0);
		nuki_slot_to_auth(&slot, &again.auth);
		nuki_message_sign(&again, message.auth.nonce, message.auth.pin);
	} else {
		nuki_slot_from_code(&message.code, &slot);
		assert_int_equal(nuki_slot_check(&slot, NULL), 0);
		nuki_slot_to_code(&slot, &again.code);
		nuki_message_sign(&again, message.code.nonce, message.code.pin);
	}
	assert_int_equal(nuki_message_format(&again, generation, got, sizeof(got)), n);
	assert_memory_equal(got, wanted, n);
}

static void vectors_come_back(void **state) {
	size_t i;
	json_t *vector;
	unsigned n = 0;
	json_t *vectors = vectors_open();

	json_array_foreach(vectors, i, vector) {
		const uint16_t command = strcmp(vector_text(vector, "kind"), "payload") == 0
						 ? vector_command(vector)
						 : 0;
		if (command == NUKI_ADD_CODE || command == NUKI_UPDATE_CODE ||
			command == NUKI_UPDATE_AUTH) {
			rewrite(vector_text(vector, "id"));
			n++;
		}
	}
	assert_true(n >= 5);
	vectors_close();
}

static void vectors_are_told(void **state) {
	struct nuki_message message;
	struct slot slot;
	uint8_t payload[100];

	(void) vectors_open();
	size_t n = vector_hex(
		vector_by_id("payload-s-0045-1"), "payload_hex", payload, sizeof(payload));
	assert_int_equal(
		nuki_message_parse(&message, NUKI_CODE, NUKI_GENERATION_1_TO_4, payload, n), 0);
	nuki_slot_from_code(&message.code, &slot);
	assert_int_equal(slot.type, CREDENTIAL_PIN);
	assert_int_equal(slot.ref, 3);
	assert_string_equal(slot.name, "Anna");
	assert_pin(&slot, "345678");
	assert_int_equal(slot.n_uses, 17);
	assert_int_equal(slot.created_at.s, 1748599872);
	assert_int_equal(slot.last_used_at.s, 1748848800);
	assert_int_equal(slot.window.from.s, 1748764800);
	assert_int_equal(slot.window.until.s, 1767213015);
	/* 101: Monday, Tuesday, Friday, Sunday */
	assert_int_equal(slot.window.days, 0x01 | 0x02 | 0x04 | 0x20);
	assert_int_equal(slot.window.start_minute, 7 * 60 + 15);
	assert_int_equal(slot.window.end_minute, 18 * 60 + 45);

	n = vector_hex(vector_by_id("payload-s-000a-2"), "payload_hex", payload, sizeof(payload));
	assert_int_equal(
		nuki_message_parse(&message, NUKI_AUTH_ENTRY, NUKI_GENERATION_1_TO_4, payload, n),
		0);
	nuki_slot_from_auth(&message.auth, 2, &slot);
	assert_int_equal(slot.type, CREDENTIAL_APP_KEY);
	assert_int_equal(slot.ref, 5);
	assert_string_equal(slot.name, "Guest phone");
	assert_true(slot.is_enabled && slot.is_limited && !slot.is_own && !slot.is_remote_allowed);
	nuki_slot_from_auth(&message.auth, 5, &slot);
	assert_true(slot.is_own);
	vectors_close();
}

static void odd_entries_are_cleaned(void **state) {
	struct nuki_code code = { .code_id = 9, .code = 7, .name = "a\nb\x01" };
	struct slot slot;

	nuki_slot_from_code(&code, &slot);
	assert_true(text_is_clean(slot.name, strlen(slot.name)));
	assert_pin(&slot, "000007");
	code.code = UINT32_MAX;
	code.time_limited = 1; /* and no window: open on all sides */
	memset(&code.window, 0, sizeof(code.window));
	nuki_slot_from_code(&code, &slot);
	assert_pin(&slot, "4294967295");
	assert_true(slot.is_limited);
	assert_int_equal(slot.window.from.s, 0);
	assert_int_equal(slot.window.days, 0);
	memset(&code.window, 0xff, sizeof(code.window));
	nuki_slot_from_code(&code, &slot);
	assert_int_equal(slot.window.from.s, 0);
	assert_int_equal(slot.window.days, DAYS_ALL);
}

static void limits_need_keypad_and_pin(void **state) {
	struct lock_status status = { .config = { .has_keypad = true } };
	const unsigned acts =
		1U << ACT_READ_USERS | 1U << ACT_PUT_CREDENTIAL | 1U << ACT_REMOVE_CREDENTIAL;

	bench_init(&bench, NUKI_GENERATION_5);
	struct secret with = bench_keys(&bench, true);
	struct secret without = bench_keys(&bench, false);
	assert_null(nuki_driver.credentials(&with, &status)); /* not known yet */
	status.config_known.how = EVIDENCE_STORED;
	const struct credential_limits *limits = nuki_driver.credentials(&with, &status);
	assert_ptr_equal(limits, &nuki_credential_limits);
	assert_int_equal(limits->types, 1U << CREDENTIAL_PIN);
	assert_int_equal(limits->n_windows, 1);
	assert_true(limits->has_enable && limits->tells_pins && limits->has_app_keys);
	assert_null(nuki_driver.credentials(&without, &status));
	assert_null(nuki_driver.credentials(NULL, &status));
	status.config.has_keypad = false;
	assert_null(nuki_driver.credentials(&with, &status));
	assert_int_equal(nuki_driver.acts(&with, &status) & acts, acts);
	assert_int_equal(nuki_driver.acts(&without, &status) & acts, 0);
	bench_finish(&bench);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_are_told),
		cmocka_unit_test(codes_need_a_keypad),
		cmocka_unit_test(lists_of_another_lock_are_not_told),
		cmocka_unit_test(lists_may_be_empty_or_long),
		cmocka_unit_test(each_entry_comes_once),
		cmocka_unit_test(what_is_not_complete_does_not_count),
		cmocka_unit_test(lists_have_a_limit),
		cmocka_unit_test(announced_is_complete),
		cmocka_unit_test(a_slow_lock_is_waited_for),
		cmocka_unit_test(link_lost_in_a_list),
		cmocka_unit_test(codes_are_added),
		cmocka_unit_test(codes_are_added_disabled),
		cmocka_unit_test(codes_are_changed),
		cmocka_unit_test(codes_are_removed),
		cmocka_unit_test(authorisations_are_changed),
		cmocka_unit_test(code_zero_is_a_code),
		cmocka_unit_test(odd_codes_are_not_sent),
		cmocka_unit_test(odd_slots_are_not_sent),
		cmocka_unit_test(our_own_authorisation_stays),
		cmocka_unit_test(every_error_is_told),
		cmocka_unit_test(link_lost_in_a_change),
		cmocka_unit_test(busy_locks_are_asked_again),
		cmocka_unit_test(wrong_pin_is_used_once),
		cmocka_unit_test(right_pin_is_remembered),
		cmocka_unit_test(nothing_secret_is_written_down),
		cmocka_unit_test(days_are_turned),
		cmocka_unit_test(vectors_come_back),
		cmocka_unit_test(vectors_are_told),
		cmocka_unit_test(odd_entries_are_cleaned),
		cmocka_unit_test(limits_need_keypad_and_pin),
	};

	return cmocka_run_group_tests_name("nuki-users", tests, NULL, NULL);
}
