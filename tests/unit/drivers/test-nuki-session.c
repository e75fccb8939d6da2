/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The session against a scripted lock: each act, each way of failing, and that the outcome says no
 * more and no less than what is known (L1, L2).
 */

#include "nuki-bench.h"

#include <errno.h>

#include "nuki/driver.h"
#include "util/auto.h"

static struct bench bench;

static const enum act motor_acts[] = { ACT_LOCK, ACT_UNLOCK, ACT_UNLATCH, ACT_LOCK_N_GO,
	ACT_LOCK_N_GO_UNLATCH, ACT_CALIBRATE };
static const enum act all_acts[] = { ACT_LOCK, ACT_UNLOCK, ACT_UNLATCH, ACT_LOCK_N_GO,
	ACT_LOCK_N_GO_UNLATCH, ACT_CALIBRATE, ACT_UNPAIR, ACT_READ_STATE, ACT_READ_CONFIG,
	ACT_READ_BATTERY, ACT_READ_LOG, ACT_SET_TIME, ACT_VERIFY_PIN, ACT_REBOOT,
	ACT_PUT_CREDENTIAL, ACT_REMOVE_CREDENTIAL, ACT_PUT_TIMER, ACT_REMOVE_TIMER };

static void assert_done(void) {
	if (bench.n_done != 1 || bench.result.fault.code != FAULT_NONE) {
		fail_msg("not done: %u, %s: %s\n%s", bench.n_done,
			fault_name(bench.result.fault.code), bench.result.fault.detail,
			bench.traces);
	}
}

static void assert_failed(enum fault_code code, enum job_sent sent) {
	if (bench.n_done != 1 || bench.result.fault.code != code || bench.result.sent != sent) {
		fail_msg("%u done, %s, sent %d\n%s", bench.n_done,
			fault_name(bench.result.fault.code), bench.result.sent, bench.traces);
	}
}

static void every_act_works(void **state) {
	for (enum nuki_generation generation = NUKI_GENERATION_1_TO_4;
		generation <= NUKI_GENERATION_5; generation++) {
		bench_init(&bench, generation);
		for (size_t i = 0; i < ARRAY_SIZE(all_acts); i++) {
			assert_int_equal(bench_start(&bench, all_acts[i]), 0);
			bench_run(&bench);
			assert_done();
		}
		bench_finish(&bench);
	}
}

static void every_act_works_in_pieces(void **state) {
	for (size_t piece = 1; piece <= 40; piece += 3) {
		bench_init(&bench, NUKI_GENERATION_1_TO_4);
		bench.piece = piece;
		for (size_t i = 0; i < ARRAY_SIZE(all_acts); i++) {
			assert_int_equal(bench_start(&bench, all_acts[i]), 0);
			bench_run(&bench);
			assert_done();
		}
		bench_finish(&bench);
	}
}

/* The protocol's least: docs/protocols/nuki.md, table of round trips. */
static void round_trips_are_few(void **state) {
	static const struct {
		enum act act;
		unsigned writes;
	} rows[] = {
		{ ACT_READ_STATE, 1 }, { ACT_READ_BATTERY, 1 }, { ACT_LOCK, 2 }, { ACT_UNLOCK, 2 },
		{ ACT_READ_LOG, 2 }, { ACT_SET_TIME, 2 },
		{ ACT_READ_CONFIG, 4 }, /* States came already */
	};

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		bench_start(&bench, rows[i].act);
		bench_run(&bench);
		assert_done();
		assert_int_equal(bench.n_writes, rows[i].writes);
	}
	bench_finish(&bench);
}

/* What has happened when the link goes: written() and answers, one after the other. */
static void link_lost_at_every_moment(void **state) {
	for (size_t i = 0; i < ARRAY_SIZE(all_acts); i++) {
		for (unsigned n_events = 0;; n_events++) {
			bench_init(&bench, NUKI_GENERATION_1_TO_4);
			bench_start(&bench, all_acts[i]);
			for (unsigned k = 0; k < n_events && bench.n_done == 0; k++) {
				bench_step(&bench);
			}
			const bool was_done = bench.n_done > 0;
			bench.session->impl->down(bench.session);
			if (!was_done) {
				assert_failed(FAULT_LINK_LOST,
					bench.is_maybe_sent ? JOB_MAYBE_SENT : JOB_NOT_SENT);
			}
			assert_int_equal(bench.n_done, 1);
			/* And nothing is left over for the next link. */
			bench.is_writing = false;
			bench.session->impl->up(bench.session, 23);
			bench_start(&bench, ACT_READ_STATE);
			bench_run(&bench);
			assert_done();
			bench_finish(&bench);
			if (was_done) {
				assert_true(n_events >= 2);
				break;
			}
		}
	}
}

static void silence_at_every_moment(void **state) {
	for (size_t i = 0; i < ARRAY_SIZE(all_acts); i++) {
		for (unsigned n_events = 0;; n_events++) {
			bench_init(&bench, NUKI_GENERATION_1_TO_4);
			bench_start(&bench, all_acts[i]);
			for (unsigned k = 0; k < n_events && bench.n_done == 0; k++) {
				bench_step(&bench);
			}
			const bool was_done = bench.n_done > 0;
			if (!was_done) {
				assert_true(bench.timer_ms > 0);
				bench.timer_ms = 0;
				bench.session->impl->timer(bench.session);
				assert_int_equal(bench.n_done, 1);
				/* Of a list, what came counts. */
				if (bench.n_log == 0) {
					assert_failed(FAULT_LOCK_SILENT, bench.is_maybe_sent
										 ? JOB_MAYBE_SENT
										 : JOB_NOT_SENT);
				}
			}
			bench_finish(&bench);
			if (was_done) {
				break;
			}
		}
	}
}

static void timeouts_are_those_of_the_protocol(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench_start(&bench, ACT_LOCK);
	assert_int_equal(bench.timer_ms, NUKI_ANSWER_MS);
	bench_step(&bench);
	bench_step(&bench); /* the challenge: now Lock Action is out */
	assert_int_equal(bench.timer_ms, NUKI_ANSWER_MS);
	bench_step(&bench);
	bench_step(&bench); /* ACCEPTED */
	assert_int_equal(bench.timer_ms, NUKI_ACTION_MS);
	bench.timer_ms = 1;
	bench_step(&bench); /* States */
	assert_int_equal(bench.timer_ms, NUKI_ACTION_MS);
	bench_run(&bench);
	assert_done();
	bench_start(&bench, ACT_READ_LOG);
	bench_step(&bench);
	bench_step(&bench);
	assert_int_equal(bench.timer_ms, NUKI_LIST_MS);
	bench_run(&bench);
	assert_done();
	bench_finish(&bench);
}

static void failed_writes(void **state) {
	for (unsigned is_maybe = 0; is_maybe < 2; is_maybe++) {
		bench_init(&bench, NUKI_GENERATION_1_TO_4);
		bench_start(&bench, ACT_UNLOCK);
		bench_step(&bench);
		bench_step(&bench);
		assert_true(bench.is_maybe_sent);
		bench.is_writing = false;
		bench.session->impl->written(
			bench.session, -EIO, is_maybe ? RADIO_MAYBE_SENT : RADIO_NOT_SENT);
		assert_failed(FAULT_LINK_LOST, is_maybe ? JOB_MAYBE_SENT : JOB_NOT_SENT);
		bench_finish(&bench);
	}
}

/* BlueZ may tell of the answer before it tells of the write. */
static void answer_before_written(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench_start(&bench, ACT_LOCK);
	bench_lock_reads(&bench);
	bench.session->impl->bytes(
		bench.session, NUKI_USDIO, bench.replies[0].bytes, bench.replies[0].n);
	assert_int_equal(bench.n_writes, 1); /* Lock Action waits for its turn */
	assert_false(bench.is_maybe_sent);
	bench.is_writing = false;
	bench.session->impl->written(bench.session, 0, RADIO_NOT_SENT);
	assert_int_equal(bench.n_writes, 2);
	assert_true(bench.is_maybe_sent);
	bench_run(&bench);
	assert_done();
	bench_finish(&bench);
}

/* ---- the gate ---- */

static void gate_is_asked_for_motors_only(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	for (size_t i = 0; i < ARRAY_SIZE(all_acts); i++) {
		bench.n_gates = 0;
		bench_start(&bench, all_acts[i]);
		bench_run(&bench);
		assert_done();
		assert_int_equal(bench.n_gates, act_moves_motor(all_acts[i]) ? 1 : 0);
	}
	bench_finish(&bench);
}

static void gate_holds_the_command_back(void **state) {
	for (size_t i = 0; i < ARRAY_SIZE(motor_acts); i++) {
		bench_init(&bench, NUKI_GENERATION_1_TO_4);
		bench.is_gate_shut = true;
		bench_start(&bench, motor_acts[i]);
		bench_run(&bench);
		assert_int_equal(bench.n_done, 0);
		assert_false(bench.is_maybe_sent);
		bench.session->impl->gate_opened(bench.session);
		assert_true(bench.is_maybe_sent);
		bench_run(&bench);
		assert_done();
		bench_finish(&bench);

		bench_init(&bench, NUKI_GENERATION_1_TO_4);
		bench.is_gate_shut = true;
		bench_start(&bench, motor_acts[i]);
		bench_run_with_timer(&bench, 1);
		assert_failed(FAULT_EXPIRED, JOB_NOT_SENT);
		/* Too late is too late. */
		bench.session->impl->gate_opened(bench.session);
		assert_false(bench.is_maybe_sent);
		bench_finish(&bench);
	}
}

/* ---- errors of the lock ---- */

static void refusals_are_not_sent(void **state) {
	size_t n;
	const struct nuki_error_row *rows = nuki_error_rows(&n);

	for (size_t i = 0; i < n; i++) {
		bench_init(&bench, NUKI_GENERATION_1_TO_4);
		bench.error = rows[i].code;
		bench.n_errors = 100;
		bench_start(&bench, ACT_UNLOCK);
		bench_run_with_timer(&bench, 10);
		assert_failed(rows[i].fault, rows[i].is_refusal ? JOB_NOT_SENT : JOB_MAYBE_SENT);
		bench_finish(&bench);
		/* After ACCEPTED nothing is a refusal any more, and nothing is repeated. */
		bench_init(&bench, NUKI_GENERATION_1_TO_4);
		bench.error = rows[i].code;
		bench.n_errors = 1;
		bench.is_error_late = true;
		bench_start(&bench, ACT_UNLOCK);
		bench_run_with_timer(&bench, 10);
		assert_failed(rows[i].fault, JOB_MAYBE_SENT);
		assert_int_equal(bench.n_writes, 2);
		bench_finish(&bench);
	}
}

static void bad_nonce_is_tried_once_more(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.error = NUKI_ERROR_BAD_NONCE;
	bench.n_errors = 1;
	bench_start(&bench, ACT_LOCK);
	bench_run(&bench);
	assert_done();
	assert_int_equal(bench.n_writes, 4);
	assert_int_equal(bench.n_gates, 2);

	bench.n_errors = 2;
	bench_start(&bench, ACT_LOCK);
	bench_run(&bench);
	assert_failed(FAULT_PROTOCOL_ERROR, JOB_NOT_SENT);
	assert_int_equal(bench.n_writes, 4);
	bench_finish(&bench);
}

static void busy_is_tried_three_times(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.error = NUKI_ERROR_BUSY;
	bench.n_errors = 3;
	bench_start(&bench, ACT_LOCK);
	bench_run_with_timer(&bench, 3);
	assert_done();
	bench.n_errors = 4;
	bench_start(&bench, ACT_LOCK);
	bench_run_with_timer(&bench, 10);
	assert_failed(FAULT_LOCK_BUSY, JOB_NOT_SENT);
	assert_int_equal(bench.n_writes, 8);

	/* Lost while waiting: the lock had said that it did nothing. */
	bench.n_errors = 1;
	bench_start(&bench, ACT_LOCK);
	bench_run(&bench);
	assert_int_equal(bench.n_done, 0);
	bench.session->impl->down(bench.session);
	assert_failed(FAULT_LINK_LOST, JOB_NOT_SENT);
	bench_finish(&bench);
}

static void not_authorized_in_clear(void **state) {
	const uint8_t payload[] = { 0x20, 0x00, 0x00 };

	for (unsigned n_events = 0; n_events < 5; n_events++) {
		bench_init(&bench, NUKI_GENERATION_1_TO_4);
		bench_start(&bench, ACT_UNLOCK);
		for (unsigned k = 0; k < n_events; k++) {
			bench_step(&bench);
		}
		bench_send_plain(&bench, NUKI_GDIO, NUKI_ERROR_REPORT, payload, sizeof(payload));
		/* Anybody can say so: it does not prove that nothing was done. */
		if (bench.is_maybe_sent) {
			assert_failed(FAULT_PROTOCOL_ERROR, JOB_MAYBE_SENT);
		} else {
			assert_failed(FAULT_NOT_AUTHORIZED, JOB_NOT_SENT);
		}
		bench_finish(&bench);
	}
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench_send_plain(&bench, NUKI_GDIO, NUKI_ERROR_REPORT, payload, sizeof(payload));
	assert_int_equal(bench.n_done, 0);
	bench_finish(&bench);
}

/* Nothing that comes in clear may pass for an answer. */
static void clear_text_is_no_answer(void **state) {
	static const char *const characteristics[] = { NUKI_GDIO, NUKI_PAIRING_GDIO,
		NUKI_PAIRING_GDIO_5 };
	const uint8_t complete[] = { NUKI_STATUS_COMPLETE };
	const uint8_t zeros[32] = { 0 };

	for (unsigned n_events = 0; n_events < 5; n_events++) {
		bench_init(&bench, NUKI_GENERATION_1_TO_4);
		bench_start(&bench, ACT_LOCK);
		for (unsigned k = 0; k < n_events; k++) {
			bench_step(&bench);
		}
		const unsigned n_writes = bench.n_writes;
		for (size_t i = 0; i < ARRAY_SIZE(characteristics); i++) {
			bench_send_plain(&bench, characteristics[i], NUKI_STATUS, complete, 1);
			bench_send_plain(&bench, characteristics[i], NUKI_CHALLENGE, zeros, 32);
			bench_send_plain(&bench, characteristics[i], NUKI_PUBLIC_KEY, zeros, 32);
		}
		assert_int_equal(bench.n_done, 0);
		assert_int_equal(bench.n_writes, n_writes);
		bench_run(&bench);
		assert_done();
		bench_finish(&bench);
	}
}

/* ---- the PIN ---- */

static void wrong_pin_is_used_once(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.pin = 1111; /* changed at the lock */
	bench_start(&bench, ACT_SET_TIME);
	bench_run(&bench);
	assert_failed(FAULT_BAD_PIN, JOB_NOT_SENT);
	assert_int_equal(bench.n_keys, 1);
	assert_false(nuki_driver.has_pin(&bench.keys));
	assert_int_equal(nuki_driver.acts(&bench.keys, NULL) & 1u << ACT_SET_TIME, 0);

	static const enum act acts[] = { ACT_SET_TIME, ACT_READ_LOG, ACT_UNPAIR, ACT_REBOOT,
		ACT_CALIBRATE, ACT_VERIFY_PIN };
	for (size_t i = 0; i < ARRAY_SIZE(acts); i++) {
		assert_true(bench_start(&bench, acts[i]) < 0);
		assert_int_equal(bench.result.fault.code, FAULT_BAD_PIN);
		assert_int_equal(bench.n_writes, 0);
	}

	/* Another one, given for the purpose: kept when it is right. */
	struct job job = { .act = ACT_VERIFY_PIN, .pin = bench_pin("1111") };
	bench.n_done = 0;
	assert_int_equal(bench_start_job(&bench, &job), 0);
	bench_run(&bench);
	assert_done();
	assert_int_equal(bench.n_keys, 2);
	assert_true(nuki_driver.has_pin(&bench.keys));
	bench_start(&bench, ACT_SET_TIME);
	bench_run(&bench);
	assert_done();
	bench_finish(&bench);
}

static void wrong_pin_given_leaves_the_known_one(void **state) {
	struct job job = { .act = ACT_VERIFY_PIN, .pin = bench_pin("0001") };

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	assert_int_equal(bench_start_job(&bench, &job), 0);
	bench_run(&bench);
	assert_failed(FAULT_BAD_PIN, JOB_NOT_SENT);
	assert_int_equal(bench.n_keys, 0);
	job.pin = bench_pin("12345");
	assert_true(bench_start_job(&bench, &job) < 0);
	assert_int_equal(bench.result.fault.code, FAULT_BAD_ARGUMENT);
	bench_finish(&bench);
}

static void too_many_attempts_block(void **state) {
	bench_init(&bench, NUKI_GENERATION_5);
	bench.error = NUKI_ERROR_TOO_MANY_PIN_ATTEMPTS;
	bench.n_errors = 1;
	bench_start(&bench, ACT_VERIFY_PIN);
	bench_run(&bench);
	assert_failed(FAULT_PIN_BLOCKED, JOB_NOT_SENT);
	assert_int_equal(bench.n_keys, 0); /* it may be right all the same */
	bench_finish(&bench);
}

/* ---- where the bolt is ---- */

static void complete_without_states_is_checked(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.is_mute_about_states = true;
	bench_start(&bench, ACT_LOCK);
	bench_run(&bench);
	assert_done();
	assert_int_equal(bench.n_writes, 3);
	assert_int_equal(bench.evidence.bolt.state, LOCK_STATE_LOCKED);

	/* The lock says "complete", but the bolt is open. */
	bench.goal = NUKI_LOCK_UNLOCKED;
	bench_start(&bench, ACT_LOCK);
	bench_run(&bench);
	assert_failed(FAULT_LOCK_ERROR, JOB_MAYBE_SENT);
	assert_int_equal(bench.evidence.bolt.state, LOCK_STATE_UNLOCKED);

	bench.goal = NUKI_LOCK_MOTOR_BLOCKED;
	bench_start(&bench, ACT_LOCK);
	bench_run(&bench);
	assert_failed(FAULT_JAMMED, JOB_MAYBE_SENT);
	assert_true(bench.evidence.bolt.is_jammed);
	bench_finish(&bench);
}

/* States from before the motor started must not pass for the result. */
static void stale_states_are_checked(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench_start(&bench, ACT_LOCK);
	bench_step(&bench);
	bench_step(&bench);
	bench.is_writing = false;
	bench.session->impl->written(bench.session, 0, RADIO_NOT_SENT);
	bench_send_status(&bench, NUKI_STATUS_ACCEPTED);
	bench_send_states(&bench, NUKI_LOCK_UNLOCKED);
	bench_send_status(&bench, NUKI_STATUS_COMPLETE);
	assert_int_equal(bench.n_done, 0);
	bench.lock_state = NUKI_LOCK_LOCKED;
	bench_run(&bench);
	assert_done();
	assert_int_equal(bench.evidence.bolt.state, LOCK_STATE_LOCKED);
	bench_finish(&bench);
}

static void moving_bolt_is_looked_at_again(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.is_mute_about_states = true;
	bench.goal = NUKI_LOCK_LOCKING;
	bench_start(&bench, ACT_LOCK);
	bench_run(&bench);
	assert_int_equal(bench.n_done, 0);
	assert_int_equal(bench.timer_ms, NUKI_LOOK_AGAIN_MS);
	bench_send_states(&bench, NUKI_LOCK_LOCKED); /* unasked */
	assert_done();

	bench_start(&bench, ACT_LOCK);
	bench_run_with_timer(&bench, 100);
	assert_failed(FAULT_LOCK_SILENT, JOB_MAYBE_SENT);
	bench_finish(&bench);
}

static void jam_after_accepted(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.error = NUKI_ERROR_MOTOR_BLOCKED;
	bench.n_errors = 1;
	bench.is_error_late = true;
	bench_start(&bench, ACT_LOCK);
	bench_run(&bench);
	assert_failed(FAULT_JAMMED, JOB_MAYBE_SENT);
	bench_finish(&bench);
}

static void states_are_evidence_at_any_time(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench_send_states(&bench, NUKI_LOCK_LOCKED);
	assert_int_equal(bench.n_evidence, 1);
	assert_int_equal(bench.evidence.bolt.state, LOCK_STATE_LOCKED);
	assert_int_equal(bench.evidence.has & FACT_CLOCK, 0); /* nobody knows what time it is */

	for (unsigned n_events = 0; n_events < 20; n_events++) {
		bench_start(&bench, ACT_READ_LOG);
		for (unsigned k = 0; k < n_events; k++) {
			bench_step(&bench);
		}
		const unsigned n = bench.n_evidence;
		bench.n_log = 0;
		bench_send_states(&bench, NUKI_LOCK_UNLATCHED);
		assert_int_equal(bench.n_evidence, n + 1);
		assert_int_equal(bench.evidence.bolt.state, LOCK_STATE_UNLATCHED);
		bench_run(&bench);
		assert_done();
	}
	bench_finish(&bench);
}

static void states_cannot_keep_a_job_for_ever(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench_start(&bench, ACT_LOCK);
	for (unsigned i = 0; i < 4; i++) {
		bench_step(&bench); /* up to ACCEPTED */
	}
	unsigned n_armed = 0;
	for (unsigned i = 0; i < 1000; i++) {
		bench.timer_ms = 0;
		bench_send_states(&bench, NUKI_LOCK_LOCKING);
		n_armed += bench.timer_ms > 0 ? 1 : 0;
	}
	assert_int_equal(n_armed, NUKI_RESTARTS_MAX);
	bench_finish(&bench);
}

static void own_action_has_our_source(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench_start(&bench, ACT_LOCK);
	bench_run(&bench);
	assert_int_equal(bench.evidence.bolt.source, SOURCE_PROPRIETARY_REMOTE);
	/* How long ago the job was given its time, nobody knows. */
	assert_int_equal(bench.evidence.has & FACT_CLOCK, 0);
	bench_send_states(&bench, NUKI_LOCK_UNLOCKED);
	assert_int_equal(bench.evidence.bolt.source, SOURCE_REMOTE);
	bench_finish(&bench);
}

/* ---- reading ---- */

static void clock_is_told_when_asked(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench_start(&bench, ACT_READ_STATE);
	bench_run(&bench);
	assert_done();
	assert_true((bench.evidence.has & FACT_CLOCK) != 0);
	assert_int_equal(bench.evidence.clock.lock_time.s, 1795327200);
	assert_int_equal(bench.evidence.clock.hub_time.s, 1795327200);
	assert_true(bench.evidence.clock.is_hub_trusted);
	assert_int_equal(bench.evidence.clock.offset_minutes, 60);
	assert_int_equal(bench.evidence.lock_rssi, -61);
	assert_int_equal(bench.evidence.battery.percent, 88);
	bench_finish(&bench);
}

static void config_tells_everything(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench_start(&bench, ACT_READ_CONFIG);
	bench_run(&bench);
	assert_done();
	assert_int_equal(bench.n_writes, 5);
	assert_int_equal(bench.evidence.has, FACT_CONFIG);
	assert_int_equal(bench.evidence.config.version, 3);
	assert_int_equal(bench.evidence.config.auto_lock_s, 300);
	assert_true(bench.evidence.config.has_keypad);
	assert_true(bench.evidence.config.has_door_sensor);
	assert_true(bench.evidence.config.is_log_enabled);
	assert_string_equal(bench.evidence.config.lock_name, "Front door");
	bench_finish(&bench);
}

static void wrong_lock_is_noticed(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.nuki_id = 0x99999999;
	bench_start(&bench, ACT_READ_CONFIG);
	bench_run(&bench);
	assert_failed(FAULT_WRONG_LOCK, JOB_NOT_SENT);
	assert_int_equal(bench.evidence.has & FACT_CONFIG, 0);
	bench_finish(&bench);
}

static void set_time_needs_the_time(void **state) {
	struct job job = { .act = ACT_SET_TIME, .now = { 1795327200 } };

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	assert_true(bench_start_job(&bench, &job) < 0);
	assert_int_equal(bench.result.fault.code, FAULT_BAD_ARGUMENT);
	job.is_now_trusted = true;
	assert_int_equal(bench_start_job(&bench, &job), 0);
	bench_step(&bench);
	bench_step(&bench);
	struct nuki_message message;
	assert_int_equal(bench_command(&bench, &message), NUKI_UPDATE_TIME);
	assert_int_equal(nuki_date_to_wall(&message.request.time).s, 1795327200);
	bench_finish(&bench);
}

static void remote_access_silences_the_mark(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	struct secret keys = bench_keys(&bench, true);
	assert_true(nuki_driver.is_announcing(&keys, NULL));
	bench_send_states(&bench, NUKI_LOCK_LOCKED);
	assert_int_equal(bench.n_keys, 0);
	bench.remote = NUKI_REMOTE_WIFI | NUKI_REMOTE_CONNECTED;
	bench_send_states(&bench, NUKI_LOCK_LOCKED);
	bench_send_states(&bench, NUKI_LOCK_LOCKED);
	assert_int_equal(bench.n_keys, 1);
	assert_false(nuki_driver.is_announcing(&bench.keys, NULL));
	bench_finish(&bench);
}

/* ---- what a hostile air may bring ---- */

static uint32_t noise_state;

static uint8_t noise(void) {
	noise_state = noise_state * 1664525u + 1013904223u;
	return (uint8_t) (noise_state >> 24);
}

static void garbage_at_every_moment(void **state) {
	static const char *const characteristics[] = { NUKI_USDIO, NUKI_GDIO, NUKI_PAIRING_GDIO,
		NUKI_PAIRING_GDIO_5, "0000180f-0000-1000-8000-00805f9b34fb" };

	for (size_t i = 0; i < ARRAY_SIZE(all_acts); i++) {
		for (unsigned n_events = 0; n_events < 24; n_events++) {
			noise_state = n_events + 1;
			bench_init(&bench, NUKI_GENERATION_1_TO_4);
			bench_start(&bench, all_acts[i]);
			for (unsigned k = 0; k < n_events && bench.n_done == 0; k++) {
				bench_step(&bench);
			}
			for (unsigned k = 0; k < 20; k++) {
				uint8_t octets[512];
				const size_t n = (size_t) noise() * 2;
				for (size_t at = 0; at < n; at++) {
					octets[at] = noise();
				}
				bench.session->impl->bytes(bench.session,
					characteristics[k % ARRAY_SIZE(characteristics)], octets,
					n);
			}
			if (bench.n_done == 0) {
				/* A part of a message may be pending: its time runs out first. */
				bench.session->impl->timer(bench.session);
			}
			bench_run_with_timer(&bench, 5);
			assert_int_equal(bench.n_done, 1);
			bench_finish(&bench);
		}
	}
}

static void half_a_message_is_forgotten(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench_start(&bench, ACT_READ_STATE);
	bench_step(&bench);
	bench.session->impl->bytes(bench.session, NUKI_USDIO, bench.replies[0].bytes, 40);
	assert_int_equal(bench.timer_ms, NUKI_FRAGMENT_MS);
	bench.session->impl->timer(bench.session);
	assert_int_equal(bench.n_done, 0);
	assert_int_equal(bench.timer_ms, NUKI_ANSWER_MS - NUKI_FRAGMENT_MS);
	bench_run(&bench); /* the whole message */
	assert_done();

	/* While nothing is asked, too. */
	bench.session->impl->bytes(bench.session, NUKI_USDIO, bench.replies[0].bytes, 40);
	assert_int_equal(bench.timer_ms, NUKI_FRAGMENT_MS);
	bench.session->impl->timer(bench.session);
	const unsigned n = bench.n_evidence;
	bench_send_states(&bench, NUKI_LOCK_LOCKED);
	assert_int_equal(bench.n_evidence, n + 1);
	bench_finish(&bench);
}

static void foreign_authorisation_is_ignored(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	bench.auth_id = 8;
	bench_send_states(&bench, NUKI_LOCK_LOCKED);
	assert_int_equal(bench.n_evidence, 0);
	bench_finish(&bench);
}

/* Pairing again: what comes sealed with the old key is no part of it. */
static void old_key_has_no_say_in_pairing(void **state) {
	const struct job job = { .act = ACT_PAIR, .client_name = "lockhub" };
	struct nuki_message message;

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	assert_int_equal(bench_start_job(&bench, &job), 0);
	assert_string_equal(bench.written.characteristic, NUKI_PAIRING_GDIO);
	bench.is_writing = false;
	bench.session->impl->written(bench.session, 0, RADIO_NOT_SENT);
	nuki_message_init(&message, NUKI_PUBLIC_KEY, NUKI_GENERATION_1_TO_4);
	message.pairing.key[0] = 9;
	bench_send(&bench, &message);
	assert_int_equal(bench.n_writes, 1);
	assert_int_equal(bench.n_done, 0);
	bench_finish(&bench);
}

static void what_cannot_be_started(void **state) {
	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	assert_true(bench_start(&bench, ACT_NONE) < 0);
	assert_int_equal(bench.result.fault.code, FAULT_NOT_SUPPORTED);
	bench.session->impl->down(bench.session);
	assert_true(bench_start(&bench, ACT_LOCK) < 0);
	assert_int_equal(bench.result.fault.code, FAULT_LINK_LOST);
	bench_finish(&bench);
	bench_init_unpaired(&bench);
	assert_true(bench_start(&bench, ACT_LOCK) < 0);
	assert_int_equal(bench.result.fault.code, FAULT_NOT_AUTHORIZED);
	bench_finish(&bench);

	bench_init(&bench, NUKI_GENERATION_1_TO_4);
	struct secret keys = bench_keys(&bench, false);
	struct session *session = nuki_session_new(&keys, &bench_host, &bench);
	bench.session = bench.session->impl->free(bench.session);
	bench.session = session;
	session->impl->up(session, 23);
	assert_true(bench_start(&bench, ACT_READ_LOG) < 0);
	assert_int_equal(bench.result.fault.code, FAULT_PIN_REQUIRED);
	bench_finish(&bench);
}

static void traces_hold_no_secrets(void **state) {
	bench_init(&bench, NUKI_GENERATION_5);
	for (size_t i = 0; i < ARRAY_SIZE(all_acts); i++) {
		bench_start(&bench, all_acts[i]);
		bench_run(&bench);
		assert_done();
	}
	assert_true(bench.n_traces > 1000);
	assert_null(strstr(bench.traces, "5a5a5a5a"));
	assert_null(strstr(bench.traces, "123456"));
	bench_finish(&bench);
}

int main(void) {
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_act_works),
		cmocka_unit_test(every_act_works_in_pieces),
		cmocka_unit_test(round_trips_are_few),
		cmocka_unit_test(link_lost_at_every_moment),
		cmocka_unit_test(silence_at_every_moment),
		cmocka_unit_test(timeouts_are_those_of_the_protocol),
		cmocka_unit_test(failed_writes),
		cmocka_unit_test(answer_before_written),
		cmocka_unit_test(gate_is_asked_for_motors_only),
		cmocka_unit_test(gate_holds_the_command_back),
		cmocka_unit_test(refusals_are_not_sent),
		cmocka_unit_test(bad_nonce_is_tried_once_more),
		cmocka_unit_test(busy_is_tried_three_times),
		cmocka_unit_test(not_authorized_in_clear),
		cmocka_unit_test(clear_text_is_no_answer),
		cmocka_unit_test(wrong_pin_is_used_once),
		cmocka_unit_test(wrong_pin_given_leaves_the_known_one),
		cmocka_unit_test(too_many_attempts_block),
		cmocka_unit_test(complete_without_states_is_checked),
		cmocka_unit_test(stale_states_are_checked),
		cmocka_unit_test(moving_bolt_is_looked_at_again),
		cmocka_unit_test(jam_after_accepted),
		cmocka_unit_test(states_are_evidence_at_any_time),
		cmocka_unit_test(states_cannot_keep_a_job_for_ever),
		cmocka_unit_test(own_action_has_our_source),
		cmocka_unit_test(clock_is_told_when_asked),
		cmocka_unit_test(config_tells_everything),
		cmocka_unit_test(wrong_lock_is_noticed),
		cmocka_unit_test(set_time_needs_the_time),
		cmocka_unit_test(remote_access_silences_the_mark),
		cmocka_unit_test(garbage_at_every_moment),
		cmocka_unit_test(half_a_message_is_forgotten),
		cmocka_unit_test(foreign_authorisation_is_ignored),
		cmocka_unit_test(old_key_has_no_say_in_pairing),
		cmocka_unit_test(what_cannot_be_started),
		cmocka_unit_test(traces_hold_no_secrets),
	};

	return cmocka_run_group_tests_name("nuki-session", tests, NULL, NULL);
}
