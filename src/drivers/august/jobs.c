/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * What is asked for each job, and what the answers mean. A question that some models never answer
 * is given up after its time, and the job goes on without it.
 */

#include "machine.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "settings.h"
#include "util/auto.h"
#include "util/text.h"

#define BATTERY_PAUSE_S 300
#define SILENT_PAUSE_S 86400
#define SILENT_TRIES 3

static const struct august_model *model_of(const struct august_session *session) {
	return august_model_of(session->keys.model);
}

/* ---- plans ---- */

static bool is_silent(const struct august_session *session, const struct august_silence *silence,
	unsigned n_most, int64_t pause_s) {
	const int64_t since = session->job.now.s - silence->since.s;

	return silence->n >= n_most && since >= 0 && since < pause_s;
}

/* Known only when the session is open: the model is told on the link. */
static bool is_worth_asking(const struct august_session *session, enum august_ask ask) {
	switch (ask) {
	case ASK_DOOR:
		return model_of(session)->has_door &&
		       !is_silent(session, &session->door_silence, SILENT_TRIES, SILENT_PAUSE_S);
	case ASK_BATTERY:
		return model_of(session)->tells_battery &&
		       !is_silent(session, &session->battery_silence, 1, BATTERY_PAUSE_S);
	case ASK_RELOCK:
		return !is_silent(session, &session->relock_silence, SILENT_TRIES, SILENT_PAUSE_S);
	case ASK_NONE:
	case ASK_BOLT:
	case ASK_CLOCK:
	case ASK_SET_CLOCK:
	case ASK_MOVE:
	case ASK_WRITE_RELOCK:
	case ASK_RECORD:
	case ASK_CODE:
	case ASK_FREE_CODE:
	case ASK_CLEAR_CODE:
	case ASK_SET_CODE:
	case ASK_ACCESS:
	case ASK_COMMIT_CODE:
	case ASK_VERIFY_CODE:
		break;
	}
	return true;
}

static const struct {
	enum act act;
	enum august_ask asks[PLAN_MAX];
} plans[] = {
	{ ACT_PAIR, { ASK_BOLT, ASK_DOOR, ASK_BATTERY } },
	{ ACT_READ_STATE, { ASK_BOLT, ASK_DOOR } },
	{ ACT_READ_BATTERY, { ASK_BATTERY } },
	{ ACT_READ_CONFIG, { ASK_CLOCK } },
	{ ACT_SET_TIME, { ASK_SET_CLOCK, ASK_CLOCK } },
	{ ACT_LOCK, { ASK_MOVE } },
	{ ACT_UNLOCK, { ASK_MOVE } },
	{ ACT_UNLATCH, { ASK_MOVE } },
	{ ACT_READ_SETTINGS, { ASK_RELOCK } },
	{ ACT_PUT_SETTING, { ASK_RELOCK, ASK_WRITE_RELOCK, ASK_RELOCK } },
	{ ACT_READ_LOG, { ASK_RECORD } },
	{ ACT_READ_USERS, { ASK_CODE } },
	{ ACT_REMOVE_CREDENTIAL, { ASK_CLEAR_CODE, ASK_VERIFY_CODE } },
	{ ACT_PUT_CREDENTIAL, { ASK_FREE_CODE, ASK_SET_CLOCK, ASK_SET_CODE, ASK_ACCESS,
				      ASK_COMMIT_CODE, ASK_VERIFY_CODE } },
};

int august_plan(struct august_session *session, struct fault *ret_fault) {
	const struct job *job = &session->job;
	const unsigned choices = session->keys.choices;
	const bool is_of_codes = job->act == ACT_READ_USERS || job->act == ACT_PUT_CREDENTIAL ||
				 job->act == ACT_REMOVE_CREDENTIAL;

	if ((is_of_codes && (choices & AUGUST_CODES) == 0) ||
		(job->act == ACT_READ_LOG && (choices & AUGUST_READ_LOG) == 0)) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED,
			"%s: not switched on for this lock", act_name(job->act));
	}
	if (job->act == ACT_PUT_SETTING && august_choose(session, &job->setting)) {
		return 0; /* kept here; the lock has no part in it */
	}
	for (size_t i = 0; i < ARRAY_SIZE(plans); i++) {
		if (plans[i].act != job->act) {
			continue;
		}
		memcpy(session->plan, plans[i].asks, sizeof(session->plan));
		while (session->n_plan < PLAN_MAX && session->plan[session->n_plan] != ASK_NONE) {
			session->n_plan++;
		}
		if (job->slot.ref > 0) {
			session->slot = (unsigned) (job->slot.ref - 1);
			/* What is there makes room for what shall be there. */
			session->plan[0] = ASK_CLEAR_CODE;
		}
		return 0;
	}
	return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "%s", act_name(job->act));
}

static void tell_settings(struct august_session *session) {
	struct setting settings[AUGUST_SETTINGS_MAX];
	const size_t n = august_list_settings(session, settings);

	session_settings(&session->base, settings, n);
}

static void finish_plan(struct august_session *session) {
	const enum act act = session->job.act;

	if (act == ACT_READ_BATTERY && session->n_answers == 0) {
		session_fail(
			&session->base, FAULT_NOT_SUPPORTED, "the lock does not tell its voltage");
		return;
	}
	if (act == ACT_READ_SETTINGS || act == ACT_PUT_SETTING) {
		tell_settings(session);
	}
	august_done(session);
}

void august_next(struct august_session *session) {
	while (session->i_plan < session->n_plan &&
		!is_worth_asking(session, session->plan[session->i_plan])) {
		session->i_plan++;
	}
	if (session->i_plan >= session->n_plan) {
		finish_plan(session);
		return;
	}
	session->asked = session->plan[session->i_plan];
	august_send_later(session, TODO_ASK);
}

static void step(struct august_session *session) {
	session->i_plan++;
	august_next(session);
}

/* ---- questions ---- */

static void note(struct august_session *session, enum august_op op, uint8_t sub) {
	session->asked_op = (uint8_t) op;
	session->asked_sub = sub;
}

static void make_move(struct august_session *session, uint8_t out[static AUGUST_FRAME_LEN]) {
	const enum act act = session->job.act;
	const enum august_op op = act == ACT_LOCK ? AUGUST_OP_LOCK : AUGUST_OP_UNLOCK;
	uint8_t sub = 0;

	if (act == ACT_UNLATCH) {
		sub = AUGUST_SUB_UNLATCH;
	} else if (act == ACT_LOCK && (session->keys.choices & AUGUST_SECURE_LOCK) != 0) {
		sub = AUGUST_SUB_SECURE;
	}
	note(session, op, sub);
	august_make_sub(op, sub, out);
}

static void make_code(
	struct august_session *session, enum august_op op, uint8_t out[static AUGUST_FRAME_LEN]) {
	const bool is_pin = op == AUGUST_OP_CODE_SET || op == AUGUST_OP_CODE_COMMIT;

	note(session, op, 0);
	august_make_code(op, session->slot, is_pin ? &session->job.slot.pin : NULL, out);
}

void august_make_ask(
	struct august_session *session, enum august_ask ask, uint8_t out[static AUGUST_FRAME_LEN]) {
	static const struct {
		enum august_op op;
		uint8_t sub;
	} plain[] = {
		[ASK_BATTERY] = { AUGUST_OP_STATUS, AUGUST_STATUS_BATTERY },
		[ASK_DOOR] = { AUGUST_OP_STATUS, AUGUST_STATUS_DOOR },
		[ASK_BOLT] = { AUGUST_OP_STATUS, AUGUST_STATUS_BOLT },
		[ASK_CLOCK] = { AUGUST_OP_STATUS, AUGUST_STATUS_CLOCK },
		[ASK_RELOCK] = { AUGUST_OP_READ_SETTING, AUGUST_SETTING_RELOCK },
		[ASK_RECORD] = { AUGUST_OP_NEXT_RECORD, 0 },
	};

	switch (ask) {
	case ASK_NONE:
		assert(false);
		break;
	case ASK_BATTERY:
	case ASK_DOOR:
	case ASK_BOLT:
	case ASK_CLOCK:
	case ASK_RELOCK:
	case ASK_RECORD:
		note(session, plain[ask].op, plain[ask].sub);
		august_make_sub(plain[ask].op, plain[ask].sub, out);
		break;
	case ASK_SET_CLOCK:
		note(session, AUGUST_OP_SET_CLOCK, 0);
		august_make_clock((uint32_t) session->job.now.s, out);
		break;
	case ASK_MOVE:
		make_move(session, out);
		break;
	case ASK_WRITE_RELOCK:
		note(session, AUGUST_OP_WRITE_SETTING, AUGUST_SETTING_RELOCK);
		august_make_relock(
			august_change_relock(session->relock, &session->job.setting), out);
		break;
	case ASK_CODE:
	case ASK_FREE_CODE:
	case ASK_VERIFY_CODE:
		make_code(session, AUGUST_OP_CODE_QUERY, out);
		break;
	case ASK_CLEAR_CODE:
		make_code(session, AUGUST_OP_CODE_CLEAR, out);
		break;
	case ASK_SET_CODE:
		make_code(session, AUGUST_OP_CODE_SET, out);
		break;
	case ASK_ACCESS:
		make_code(session, AUGUST_OP_CODE_ACCESS, out);
		break;
	case ASK_COMMIT_CODE:
		make_code(session, AUGUST_OP_CODE_COMMIT, out);
		break;
	}
}

/* ---- news ---- */

static void tell(struct august_session *session, const struct august_said *said) {
	struct evidence evidence = { .how = EVIDENCE_ANSWERED };

	if ((said->has & AUGUST_HAS_BOLT) != 0) {
		august_bolt_evidence(said->bolt, &evidence);
	}
	if ((said->has & AUGUST_HAS_DOOR) != 0 && model_of(session)->has_door) {
		august_door_evidence(said->door, &evidence);
	}
	if ((said->has & AUGUST_HAS_BATTERY) != 0 &&
		august_battery_evidence(said->millivolt, &evidence)) {
		session->percent = evidence.battery.percent;
	}
	if ((said->has & AUGUST_HAS_CLOCK) != 0 && session->has_job) {
		evidence.has |= FACT_CLOCK;
		evidence.clock = (struct clock_facts){
			.lock_time = { said->clock_s },
			.hub_time = session->job.now,
			.is_hub_trusted = session->job.is_now_trusted,
		};
	}
	if (evidence.has != 0) {
		session_evidence(&session->base, &evidence);
	}
}

static void tell_moving(struct august_session *session) {
	struct evidence evidence = { .how = EVIDENCE_ANSWERED };

	august_bolt_evidence(session->job.act == ACT_LOCK     ? AUGUST_BOLT_LOCKING
			     : session->job.act == ACT_UNLOCK ? AUGUST_BOLT_UNLOCKING
							      : AUGUST_BOLT_UNLATCHING,
		&evidence);
	evidence.has = FACT_BOLT;
	session_evidence(&session->base, &evidence);
}

static void tell_empty(struct august_session *session) {
	struct evidence evidence = {
		.has = FACT_BATTERY,
		.how = EVIDENCE_ANSWERED,
		.battery = { .level = BATTERY_CRITICAL, .percent = session->percent },
	};

	session_evidence(&session->base, &evidence);
}

/* ---- the bolt ---- */

static bool is_target(const struct august_session *session, uint8_t bolt) {
	return session->job.act == ACT_LOCK
		       ? bolt == AUGUST_BOLT_LOCKED || bolt == AUGUST_BOLT_SECURED
		       : bolt == AUGUST_BOLT_UNLOCKED || bolt == AUGUST_BOLT_UNLATCHED;
}

static void refused(struct august_session *session, uint8_t result) {
	const char *text;
	const enum fault_code code = august_result_fault(result, &text);

	if (result == AUGUST_RESULT_LOW_BATTERY) {
		tell_empty(session);
	}
	session_fail(&session->base, code, "the lock said: %s (0x%02x)", text, result);
}

/* It has not begun with what was asked: once more when it has ended what it is at. */
static bool is_asked_again(struct august_session *session, uint8_t result) {
	if (result != AUGUST_RESULT_BUSY || session->was_busy) {
		return false;
	}
	session_trace(&session->base, "the lock is busy: once more in %u s", AUGUST_BUSY_MS / 1000);
	session->was_busy = true;
	session->is_gated = false;
	session->has_rest = false;
	session->n_looks = 0;
	august_wait_in(session, PHASE_BUSY, AUGUST_BUSY_MS);
	return true;
}

/* At rest, as far as it has told. */
static void finish_move(struct august_session *session) {
	if (session->has_result && session->result != AUGUST_RESULT_DONE) {
		refused(session, session->result);
	} else if (is_target(session, session->rest)) {
		august_done(session);
	} else if (session->rest == AUGUST_BOLT_STUCK) {
		session_fail(&session->base, FAULT_JAMMED, "the bolt stopped on the way");
	} else if (session->rest == AUGUST_BOLT_CALIBRATING ||
		   session->rest == AUGUST_BOLT_POLARITY) {
		session_fail(&session->base, FAULT_NOT_CALIBRATED,
			"the lock does not know where its bolt is");
	} else {
		session_fail(&session->base, FAULT_MOTOR_TIMEOUT,
			"the bolt rests elsewhere after %u s",
			AUGUST_FIRST_LOOK_MS / 1000 + session->n_looks * AUGUST_LOOK_MS / 1000);
	}
}

static void take_result(struct august_session *session, uint8_t result) {
	if (is_asked_again(session, result)) {
		return;
	}
	session->has_result = true;
	session->result = result;
	if (session->has_rest) {
		finish_move(session);
	} else {
		august_wait_in(session, PHASE_RUN, AUGUST_GRACE_MS);
	}
}

static void take_rest(struct august_session *session, uint8_t bolt) {
	if (august_bolt_is_moving(bolt)) {
		return;
	}
	session->has_rest = true;
	session->rest = bolt;
	if (session->has_result) {
		finish_move(session);
	} else if (is_target(session, bolt) || bolt == AUGUST_BOLT_STUCK) {
		august_wait_in(session, PHASE_RUN, AUGUST_GRACE_MS); /* for the result */
	}
}

/* It was asked where the bolt is: sooner or later that is the last word. */
static void take_look(struct august_session *session, uint8_t bolt) {
	const bool is_resting = !august_bolt_is_moving(bolt);

	session->has_rest = is_resting;
	session->rest = bolt;
	if ((is_resting && (session->has_result || is_target(session, bolt) ||
				   bolt == AUGUST_BOLT_STUCK)) ||
		session->n_looks >= AUGUST_LOOKS_MAX) {
		finish_move(session);
	} else {
		august_wait_in(session, PHASE_RUN, AUGUST_LOOK_MS);
	}
}

void august_run_timer(struct august_session *session) {
	if (session->has_rest && (session->has_result || is_target(session, session->rest) ||
					 session->rest == AUGUST_BOLT_STUCK)) {
		finish_move(session);
		return;
	}
	session->n_looks++;
	august_send_later(session, TODO_LOOK);
}

/* While a command that moves the bolt is under way. true: it was about that. */
static bool take_move(struct august_session *session, const struct august_said *said) {
	const bool is_status = said->kind == AUGUST_ANSWER && said->op == AUGUST_OP_STATUS &&
			       said->sub == AUGUST_STATUS_BOLT;

	if (is_status && session->phase == PHASE_LOOK) {
		take_look(session, said->bolt);
		return true;
	}
	if (said->op == session->asked_op && said->kind == AUGUST_TAKEN &&
		session->phase == PHASE_ANSWER) {
		tell_moving(session);
		august_wait_in(session, PHASE_RUN, AUGUST_FIRST_LOOK_MS);
		return true;
	}
	if (said->kind == AUGUST_ANSWER &&
		said->op == (session->job.act == ACT_LOCK ? AUGUST_OP_LOCK : AUGUST_OP_UNLOCK) &&
		(session->phase == PHASE_ANSWER || session->phase == PHASE_RUN ||
			session->phase == PHASE_LOOK || session->todo == TODO_LOOK)) {
		take_result(session, said->result);
		return true;
	}
	if (is_status && session->phase == PHASE_RUN) {
		take_rest(session, said->bolt);
		return true;
	}
	return false;
}

/* ---- answers ---- */

static void take_record(
	struct august_session *session, const uint8_t frame[static AUGUST_FRAME_LEN]) {
	struct august_record record;
	struct log_entry entry = {
		.seq = session->job.log_cursor + session->n_records + 1,
		.operation = OPERATION_NONE,
		.error = OPERATION_ERROR_NONE,
		.alarm = ALARM_NONE,
		.door = DOOR_STATE_UNKNOWN,
		.credential = CREDENTIAL_NONE,
	};

	august_record_parse(frame, &record);
	if (record.type == AUGUST_RECORD_END) {
		step(session);
		return;
	}
	august_record_entry(&record, frame, &entry);
	session->n_records++;
	session_log(&session->base, &entry, 1);
	if (session->n_records >= session->job.log_max) {
		session->is_log_more = true;
		step(session);
	} else {
		august_next(session); /* the same again */
	}
}

static void tell_code(struct august_session *session, const struct secret *pin) {
	struct slot slot = {
		.type = CREDENTIAL_PIN,
		.ref = (int64_t) session->slot + 1,
		.is_enabled = true,
		.pin = *pin,
	};

	session_slots(&session->base, &slot, 1);
	wipe(&slot, sizeof(slot));
}

/* The answer for a slot; what it means depends on why it was asked. */
static void take_code(
	struct august_session *session, const uint8_t frame[static AUGUST_FRAME_LEN]) {
	AUTO_VALUE(secret_wipe) struct secret pin = { 0 };
	unsigned slot;
	const bool is_there = august_code_parse(frame, &slot, &pin);

	if (slot != session->slot) {
		return; /* not that one */
	}
	if (session->asked == ASK_VERIFY_CODE) {
		const bool is_wanted = session->job.act == ACT_PUT_CREDENTIAL;

		if (is_wanted != is_there ||
			(is_wanted && !secret_equal(&pin, &session->job.slot.pin))) {
			session_fail(&session->base, FAULT_ACTION_REJECTED,
				"the code was %s, but the lock has %s in its place %u",
				is_wanted ? "put" : "removed", is_there ? "another one" : "none",
				slot);
			return;
		}
		session->ref = is_wanted ? (int64_t) slot + 1 : 0;
		step(session);
		return;
	}
	if (session->asked == ASK_FREE_CODE && !is_there) {
		step(session);
		return;
	}
	if (session->asked == ASK_CODE && is_there) {
		tell_code(session, &pin);
	}
	session->n_empty = is_there ? 0 : session->n_empty + 1;
	if (session->slot < AUGUST_CODE_LAST && session->n_empty < AUGUST_CODES_EMPTY) {
		session->slot++;
		august_next(session); /* the same for the next one */
	} else if (session->asked == ASK_FREE_CODE) {
		session_fail(&session->base, FAULT_LIST_FULL, "no place up to %d is free",
			AUGUST_CODE_LAST);
	} else {
		step(session);
	}
}

static void take_code_result(struct august_session *session, uint8_t result) {
	const bool is_gone = session->asked == ASK_CLEAR_CODE && result == AUGUST_RESULT_NOT_FOUND;

	if (is_asked_again(session, result)) {
		return;
	}
	if (result != AUGUST_RESULT_DONE && !is_gone) {
		session->sent = session->asked == ASK_COMMIT_CODE ? JOB_NOT_SENT : session->sent;
		refused(session, result);
		return;
	}
	step(session);
}

static void answered(struct august_session *session, const struct august_said *said,
	const uint8_t frame[static AUGUST_FRAME_LEN]) {
	session->n_answers++;
	switch (session->asked) {
	case ASK_NONE:
	case ASK_MOVE:
		break;
	case ASK_BATTERY: {
		struct evidence evidence = { 0 };

		if (august_battery_evidence(said->millivolt, &evidence)) {
			session->battery_silence.n = 0;
		} else {
			session->n_answers--; /* nonsense is no answer, and not asked for again */
			session->battery_silence = (struct august_silence){ 1, session->job.now };
		}
		step(session);
		break;
	}
	case ASK_RELOCK:
		session->relock_silence.n = 0;
		session->has_relock = true;
		session->relock = said->relock;
		if (session->job.act == ACT_PUT_SETTING && session->i_plan == 0) {
			tell_settings(session); /* before the change */
		}
		step(session);
		break;
	case ASK_DOOR:
		session->door_silence.n = 0;
		step(session);
		break;
	case ASK_BOLT:
	case ASK_CLOCK:
	case ASK_SET_CLOCK:
	case ASK_WRITE_RELOCK:
		step(session);
		break;
	case ASK_RECORD:
		take_record(session, frame);
		break;
	case ASK_CODE:
	case ASK_FREE_CODE:
	case ASK_VERIFY_CODE:
		take_code(session, frame);
		break;
	case ASK_CLEAR_CODE:
	case ASK_SET_CODE:
	case ASK_ACCESS:
	case ASK_COMMIT_CODE:
		take_code_result(session, said->result);
		break;
	}
}

void august_take(struct august_session *session, const struct august_said *said,
	const uint8_t frame[static AUGUST_FRAME_LEN]) {
	tell(session, said);
	if (!session->has_job) {
		return;
	}
	if (session->asked == ASK_MOVE && session->is_gated) {
		(void) take_move(session, said);
	} else if (session->phase == PHASE_ANSWER &&
		   august_answers(said, (enum august_op) session->asked_op, session->asked_sub)) {
		answered(session, said, frame);
	}
}

/* ---- silence ---- */

void august_silent(struct august_session *session) {
	struct august_silence *silence = session->asked == ASK_BATTERY  ? &session->battery_silence
					 : session->asked == ASK_DOOR   ? &session->door_silence
					 : session->asked == ASK_RELOCK ? &session->relock_silence
									: NULL;
	const bool is_reading = session->job.act != ACT_PUT_SETTING;

	if (silence != NULL) {
		silence->n++;
		silence->since = session->job.now;
	}
	/* What is not there on all locks. */
	if ((silence != NULL && is_reading) || session->asked == ASK_CLOCK) {
		session_trace(
			&session->base, "no answer to question %d: going on", (int) session->asked);
		step(session);
		return;
	}
	session_fail(&session->base, FAULT_LOCK_SILENT, "no answer in %u s%s",
		AUGUST_ANSWER_MS / 1000,
		session->phase == PHASE_LOOK ? " while the bolt moved" : "");
}
