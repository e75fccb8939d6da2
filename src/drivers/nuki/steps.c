/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * The jobs of a paired lock: plans, and the table of what each message does (machine.h shows the
 * phases). Round trips are the protocol's least: data 1, challenged commands 2 writes.
 */

#include "machine.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "facts.h"
#include "slots.h"
#include "util/auto.h"

#define LOOKS_MAX 5
#define BUSY_TRIES 3

/* The lock said BUSY, so it did nothing; in all not longer than a person waits at the door. */
static const unsigned busy_pauses_ms[BUSY_TRIES] = { 1000, 1500, 2000 };

/* ---- plans ---- */

static void fill_lock_action(const struct nuki_session *session, struct nuki_message *message);
static void fill_remove(const struct nuki_session *session, struct nuki_message *message);
static void fill_time(const struct nuki_session *session, struct nuki_message *message);
static void fill_log(const struct nuki_session *session, struct nuki_message *message);

#define MOTOR (STEP_CHALLENGE | STEP_MOTOR | STEP_CHANGES)
#define TABLE (STEP_PIN | STEP_TABLE | STEP_PAGES)

/* clang-format off */
#define LOCK_ACTION { NUKI_LOCK_ACTION, 0, NUKI_STATUS, MOTOR, fill_lock_action }

static const struct nuki_plan plans[] = {
	/* act, steps: { command, wanted, answer, flags, fill } */
	{ ACT_LOCK,              1, { LOCK_ACTION } },
	{ ACT_UNLOCK,            1, { LOCK_ACTION } },
	{ ACT_UNLATCH,           1, { LOCK_ACTION } },
	{ ACT_LOCK_N_GO,         1, { LOCK_ACTION } },
	{ ACT_LOCK_N_GO_UNLATCH, 1, { LOCK_ACTION } },
	{ ACT_CALIBRATE, 1, {
		{ NUKI_REQUEST_CALIBRATION, 0, NUKI_STATUS, STEP_PIN | MOTOR, NULL } } },
	{ ACT_UNPAIR, 1, {
		{ NUKI_REMOVE_AUTH, 0, NUKI_STATUS, STEP_PIN | STEP_CHANGES, fill_remove } } },
	{ ACT_READ_STATE, 1, {
		{ NUKI_REQUEST_DATA, NUKI_STATES, NUKI_STATES, 0, NULL } } },
	{ ACT_READ_CONFIG, 3, {
		/* The States carry the number of the configuration that is read next. */
		{ NUKI_REQUEST_DATA, NUKI_STATES, NUKI_STATES, STEP_IF_NO_STATES, NULL },
		{ NUKI_REQUEST_CONFIG, 0, NUKI_CONFIG, STEP_CHALLENGE, NULL },
		{ NUKI_REQUEST_ADVANCED_CONFIG, 0, NUKI_ADVANCED_CONFIG, STEP_CHALLENGE, NULL } } },
	{ ACT_READ_BATTERY, 1, {
		{ NUKI_REQUEST_DATA, NUKI_BATTERY_REPORT, NUKI_BATTERY_REPORT, 0, NULL } } },
	{ ACT_READ_LOG, 1, {
		{ NUKI_REQUEST_LOG, 0, NUKI_STATUS, STEP_PIN | STEP_LIST, fill_log } } },
	{ ACT_READ_USERS, 3, {
		/* Tells whether there is a keypad, and that it is the right lock. */
		{ NUKI_REQUEST_CONFIG, 0, NUKI_CONFIG, STEP_CHALLENGE | STEP_IF_NO_CONFIG, NULL },
		{ NUKI_REQUEST_CODES, NUKI_CODE_COUNT, NUKI_CODE, TABLE | STEP_IF_KEYPAD,
			nuki_fill_range },
		{ NUKI_REQUEST_AUTHS, NUKI_AUTH_COUNT, NUKI_AUTH_ENTRY, TABLE,
			nuki_fill_range } } },
	{ ACT_READ_TIMERS, 1, {
		{ NUKI_REQUEST_TIME_CONTROLS, NUKI_TIME_CONTROL_COUNT, NUKI_TIME_CONTROL_ENTRY,
			STEP_PIN | STEP_TABLE, NULL } } },
	{ ACT_READ_SETTINGS, 2, {
		{ NUKI_REQUEST_CONFIG, 0, NUKI_CONFIG, STEP_CHALLENGE, NULL },
		{ NUKI_REQUEST_ADVANCED_CONFIG, 0, NUKI_ADVANCED_CONFIG, STEP_CHALLENGE, NULL } } },
	{ ACT_SET_TIME, 1, {
		{ NUKI_UPDATE_TIME, 0, NUKI_STATUS, STEP_PIN | STEP_CHANGES, fill_time } } },
	{ ACT_VERIFY_PIN, 1, {
		{ NUKI_VERIFY_PIN, 0, NUKI_STATUS, STEP_PIN, NULL } } },
	{ ACT_REBOOT, 1, {
		{ NUKI_REQUEST_REBOOT, 0, NUKI_STATUS, STEP_PIN | STEP_CHANGES, NULL } } },
};

#define REST(state) (1u << (state))

/* What Lock Action is sent, and in which positions the bolt may rest when the lock says complete. */
static const struct {
	enum act act;
	uint8_t action;
	unsigned rests;
} lock_actions[] = {
	{ ACT_LOCK, NUKI_ACTION_LOCK, REST(NUKI_LOCK_LOCKED) },
	/* A lock may be set to unlatch when it unlocks. */
	{ ACT_UNLOCK, NUKI_ACTION_UNLOCK, REST(NUKI_LOCK_UNLOCKED) | REST(NUKI_LOCK_UNLATCHED) |
		REST(NUKI_LOCK_UNLOCKED_LOCK_N_GO) },
	/* The latch is let go again after a while. */
	{ ACT_UNLATCH, NUKI_ACTION_UNLATCH, REST(NUKI_LOCK_UNLATCHED) | REST(NUKI_LOCK_UNLOCKED) },
	{ ACT_LOCK_N_GO, NUKI_ACTION_LOCK_N_GO, REST(NUKI_LOCK_UNLOCKED) |
		REST(NUKI_LOCK_UNLOCKED_LOCK_N_GO) | REST(NUKI_LOCK_UNLATCHED) |
		REST(NUKI_LOCK_LOCKED) },
	{ ACT_LOCK_N_GO_UNLATCH, NUKI_ACTION_LOCK_N_GO_UNLATCH, REST(NUKI_LOCK_UNLATCHED) |
		REST(NUKI_LOCK_UNLOCKED) | REST(NUKI_LOCK_UNLOCKED_LOCK_N_GO) |
		REST(NUKI_LOCK_LOCKED) },
	/* Not a Lock Action; here for where it may end. */
	{ ACT_CALIBRATE, NUKI_ACTION_NONE, REST(NUKI_LOCK_LOCKED) | REST(NUKI_LOCK_UNLOCKED) |
		REST(NUKI_LOCK_UNLATCHED) },
};
/* clang-format on */

const struct nuki_plan *nuki_plan(enum act act) {
	for (size_t i = 0; i < ARRAY_SIZE(plans); i++) {
		if (plans[i].act == act) {
			return &plans[i];
		}
	}
	return NULL;
}

static size_t lock_action_row(enum act act) {
	size_t i = 0;

	while (i < ARRAY_SIZE(lock_actions) && lock_actions[i].act != act) {
		i++;
	}
	assert(i < ARRAY_SIZE(lock_actions));
	return i;
}

static void fill_lock_action(const struct nuki_session *session, struct nuki_message *message) {
	message->lock_action.action = lock_actions[lock_action_row(session->job.act)].action;
	message->lock_action.app_id = session->keys.app_id;
	nuki_message_leave_out(message, "name_suffix");
}

static void fill_remove(const struct nuki_session *session, struct nuki_message *message) {
	message->auth.auth_id = session->keys.auth_id;
}

static void fill_time(const struct nuki_session *session, struct nuki_message *message) {
	message->request.time = nuki_date_from_wall(session->job.now);
}

static void fill_log(const struct nuki_session *session, struct nuki_message *message) {
	message->request.start_index = session->log_last;
	message->request.count = (uint16_t) session->page_asked;
	/* The head of the list tells whether the lock logs at all: once is enough. */
	message->request.total_count = session->n_log == 0 ? 1 : 0;
}

/* ---- walking through a plan ---- */

/* Entries to ask for: one more than wanted on the last page, to learn whether there are more. */
static void page_begin(struct nuki_session *session) {
	const unsigned left = session->job.log_max - session->n_log;

	session->page_asked = left < NUKI_LOG_PAGE ? left + 1 : NUKI_LOG_PAGE;
	session->n_page = 0;
	session->log_before = session->log_last;
}

void nuki_step_begin(struct nuki_session *session) {
	struct nuki_message message;

	session->is_accepted = false;
	if ((session->step->flags & STEP_LIST) != 0) {
		page_begin(session);
	}
	if ((session->step->flags & STEP_TABLE) != 0) {
		nuki_table_page(session);
	}
	if ((session->step->flags & STEP_CHALLENGE) != 0) {
		nuki_message_init(&message, NUKI_REQUEST_DATA, session->keys.generation);
		message.request.command = NUKI_CHALLENGE;
		nuki_wait(session, PHASE_CHALLENGE, NUKI_ANSWER_MS);
	} else {
		nuki_message_init(&message, session->step->command, session->keys.generation);
		message.request.command = session->step->wanted;
		nuki_wait(session, PHASE_COMMAND, NUKI_ANSWER_MS);
	}
	nuki_send_sealed(session, &message, false);
}

static bool is_left_out(const struct nuki_session *session, const struct nuki_step *step) {
	return ((step->flags & STEP_IF_NO_STATES) != 0 && session->has_states) ||
	       ((step->flags & STEP_IF_NO_CONFIG) != 0 && session->has_config) ||
	       ((step->flags & STEP_IF_KEYPAD) != 0 && !session->config.has_keypad);
}

/* Where the plan goes on from step @i; n_steps: it is done. */
static size_t next_step(const struct nuki_session *session, size_t i) {
	while (i < session->plan->n_steps && is_left_out(session, &session->plan->steps[i])) {
		i++;
	}
	return i;
}

void nuki_step_go(struct nuki_session *session, size_t i) {
	session->i_step = next_step(session, i);
	if (session->i_step == session->plan->n_steps) {
		session_done(&session->base);
		return;
	}
	session->step = &session->plan->steps[session->i_step];
	session->n_fresh = 0;
	if ((session->step->flags & STEP_TABLE) != 0) {
		nuki_table_open(session);
	}
	nuki_step_begin(session);
}

static int choose_pin(struct nuki_session *session, struct fault *ret_fault) {
	const struct nuki_keys *keys = &session->keys;

	if (session->job.act == ACT_VERIFY_PIN && session->job.pin.len > 0) {
		if (nuki_pin_parse(&session->job.pin, keys->generation, &session->pin) < 0) {
			return fault_set(ret_fault, FAULT_BAD_ARGUMENT, "the PIN has %s",
				keys->generation == NUKI_GENERATION_5 ? "six digits"
								      : "up to four digits");
		}
		return 0;
	}
	if (!keys->is_pin_known) {
		return fault_set(ret_fault, FAULT_PIN_REQUIRED, "no PIN is known");
	}
	if (keys->is_pin_refused) {
		return fault_set(
			ret_fault, FAULT_BAD_PIN, "the lock refused it before; not tried again");
	}
	session->pin = keys->pin;
	return 0;
}

static int choose_plan(
	const struct nuki_session *session, const struct nuki_plan **ret, struct fault *ret_fault) {
	const enum act act = session->job.act;

	if (!session->is_paired) {
		return fault_set(ret_fault, FAULT_NOT_AUTHORIZED, "not paired yet");
	}
	if (act == ACT_PUT_CREDENTIAL || act == ACT_REMOVE_CREDENTIAL) {
		return nuki_credential_plan(session, ret, ret_fault);
	}
	if (act == ACT_PUT_TIMER || act == ACT_REMOVE_TIMER) {
		return nuki_timer_plan(session, ret, ret_fault);
	}
	if (act == ACT_PUT_SETTING && session->base.host->settings != NULL) {
		return nuki_setting_plan(session, ret, ret_fault);
	}
	*ret = nuki_plan(act);
	if (*ret == NULL || (act == ACT_READ_USERS && session->base.host->slots == NULL) ||
		(act == ACT_READ_TIMERS && session->base.host->timers == NULL) ||
		(act == ACT_READ_SETTINGS && session->base.host->settings == NULL)) {
		return fault_set(ret_fault, FAULT_NOT_SUPPORTED, "%s", act_name(act));
	}
	return 0;
}

static bool needs_pin(const struct nuki_plan *plan) {
	for (size_t i = 0; i < plan->n_steps; i++) {
		if ((plan->steps[i].flags & STEP_PIN) == STEP_PIN) {
			return true;
		}
	}
	return false;
}

int nuki_steps_start(struct nuki_session *session, struct fault *ret_fault) {
	const struct nuki_plan *plan = NULL;
	int r = choose_plan(session, &plan, ret_fault);

	if (r < 0 || plan == NULL) {
		return r;
	}
	if (needs_pin(plan)) {
		r = choose_pin(session, ret_fault);
		if (r < 0) {
			return r;
		}
	}
	if (session->job.act == ACT_SET_TIME &&
		(!session->job.is_now_trusted || session->job.now.s == 0)) {
		return fault_set(
			ret_fault, FAULT_BAD_ARGUMENT, "the hub's own clock is not synchronised");
	}
	session->plan = plan;
	session->n_log = 0;
	session->n_batch = 0;
	session->n_given = 0;
	session->ref = session->job.act == ACT_PUT_CREDENTIAL ? session->job.slot.ref
		       : session->job.act == ACT_PUT_TIMER    ? session->job.timer.ref
							      : 0;
	session->log_last = session->job.log_cursor <= 0 ? 0
			    : session->job.log_cursor < UINT32_MAX
				    ? (uint32_t) session->job.log_cursor
				    : UINT32_MAX;
	nuki_step_go(session, 0);
	return 0;
}

/* ---- actions of the table ---- */

static void send_command(struct nuki_session *session) {
	AUTO_VALUE(nuki_message_wipe) struct nuki_message message;
	const struct nuki_step *step = session->step;
	const bool is_list = (step->flags & (STEP_LIST | STEP_TABLE)) != 0;

	nuki_message_init(&message, step->command, session->keys.generation);
	if (step->fill != NULL) {
		step->fill(session, &message);
	}
	nuki_message_sign(&message, session->challenge, session->pin);
	/* One challenge, one command. */
	wipe(session->challenge, sizeof(session->challenge));
	session->is_state_final = false;
	nuki_wait(session, PHASE_COMMAND, is_list ? NUKI_LIST_MS : NUKI_ANSWER_MS);
	nuki_send_sealed(session, &message, (step->flags & STEP_CHANGES) != 0);
}

static void on_challenge(struct nuki_session *session, const struct nuki_message *message) {
	memcpy(session->challenge, message->pairing.nonce, sizeof(session->challenge));
	if ((session->step->flags & STEP_MOTOR) != 0 && !session_gate(&session->base)) {
		nuki_wait(session, PHASE_GATE, NUKI_ANSWER_MS);
		return;
	}
	send_command(session);
}

static void on_gate(struct nuki_session *session, const struct nuki_message *message) {
	send_command(session);
}

static void on_gate_shut(struct nuki_session *session, const struct nuki_message *message) {
	session_fail(&session->base, FAULT_EXPIRED, "the request was not on record after %d ms",
		NUKI_ANSWER_MS);
}

static void on_silence(struct nuki_session *session, const struct nuki_message *message) {
	session_fail(&session->base, FAULT_LOCK_SILENT, "%u ms while %s", session->wait_ms,
		nuki_phase_name(session->phase));
}

static void on_accepted(struct nuki_session *session, const struct nuki_message *message) {
	if (session->step->answer != NUKI_STATUS || (session->step->flags & STEP_LIST) != 0) {
		nuki_wait_again(session);
		return;
	}
	session->is_accepted = true;
	nuki_wait(session, PHASE_ACTING, NUKI_ACTION_MS);
}

static void on_moving(struct nuki_session *session, const struct nuki_message *message) {
	nuki_wait_again(session);
}

void nuki_pin_accepted(struct nuki_session *session) {
	struct nuki_keys *keys = &session->keys;

	if (!keys->is_pin_known || keys->pin != session->pin || keys->is_pin_refused ||
		!keys->is_pin_verified) {
		keys->pin = session->pin;
		keys->is_pin_known = true;
		keys->is_pin_refused = false;
		keys->is_pin_verified = true;
		nuki_keys_changed(session);
	}
}

/* Never tried again: the lock counts wrong PINs, and soon refuses right ones too. */
static void pin_refused(struct nuki_session *session) {
	struct nuki_keys *keys = &session->keys;

	if (keys->is_pin_known && keys->pin == session->pin && !keys->is_pin_refused) {
		keys->is_pin_refused = true;
		keys->is_pin_verified = false;
		nuki_keys_changed(session);
	}
}

static bool is_pin_step(const struct nuki_session *session) {
	return (session->step->flags & STEP_PIN) == STEP_PIN;
}

static bool is_at_goal(const struct nuki_session *session) {
	const uint8_t state = session->last_states.lock_state;

	return state < 32 &&
	       (lock_actions[lock_action_row(session->job.act)].rests & REST(state)) != 0;
}

static void read_back(struct nuki_session *session) {
	struct nuki_message message;

	nuki_message_init(&message, NUKI_REQUEST_DATA, session->keys.generation);
	message.request.command = NUKI_STATES;
	nuki_wait(session, PHASE_READ_BACK, NUKI_ANSWER_MS);
	nuki_send_sealed(session, &message, false);
}

static void step_done(struct nuki_session *session) {
	session->is_half_done = session->is_half_done || (session->step->flags & STEP_CHANGES) != 0;
	nuki_step_go(session, session->i_step + 1);
}

static void on_complete(struct nuki_session *session, const struct nuki_message *message) {
	if (is_pin_step(session)) {
		nuki_pin_accepted(session);
	}
	if ((session->step->flags & STEP_MOTOR) == 0) {
		step_done(session);
		return;
	}
	/* Believed when States said the same; else the lock is asked once more. */
	session->is_accepted = true;
	if (session->is_state_final && is_at_goal(session)) {
		session_done(&session->base);
	} else {
		read_back(session);
	}
}

/* The bolt rests, but not where it was sent. */
static void fail_off_goal(struct nuki_session *session) {
	const struct nuki_states *states = &session->last_states;
	const struct nuki_completion_row *row = nuki_completion_row(states->last_completion);

	if (states->lock_state == NUKI_LOCK_MOTOR_BLOCKED) {
		session_fail(&session->base, FAULT_JAMMED, "the bolt stopped on its way");
	} else if (states->lock_state == NUKI_LOCK_UNCALIBRATED) {
		session_fail(&session->base, FAULT_NOT_CALIBRATED, "the lock says: uncalibrated");
	} else if (row->fault != FAULT_NONE && states->last_completion != 0xff) {
		session_fail(&session->base, row->fault, "the lock says: %s", row->name);
	} else {
		session_fail(&session->base, FAULT_LOCK_ERROR,
			"the lock says it is done, but it is %s",
			nuki_lock_state_name(states->lock_state));
	}
}

static void on_read_back(struct nuki_session *session, const struct nuki_message *message) {
	if (!session->is_state_final) {
		nuki_wait(session, PHASE_LOOK_AGAIN, NUKI_LOOK_AGAIN_MS);
	} else if (is_at_goal(session)) {
		session_done(&session->base);
	} else {
		fail_off_goal(session);
	}
}

static void on_look_again(struct nuki_session *session, const struct nuki_message *message) {
	session->n_looks++;
	if (session->n_looks > LOOKS_MAX) {
		session_fail(&session->base, FAULT_LOCK_SILENT, "the bolt does not come to rest");
	} else {
		read_back(session);
	}
}

static void on_error(struct nuki_session *session, const struct nuki_message *message) {
	const struct nuki_error_row *row = nuki_error_row(message->reply.error);
	const bool is_early = !session->is_accepted;

	if (is_early && row->is_refusal && !session->is_half_done) {
		session->sent = JOB_NOT_SENT;
	}
	if (is_early && row->retry == NUKI_RETRY_FRESH && session->n_fresh == 0) {
		session->n_fresh++;
		session_trace(&session->base, "again with a fresh challenge");
		nuki_step_begin(session);
		return;
	}
	if (is_early && row->retry == NUKI_RETRY_BACK_OFF && session->n_busy < BUSY_TRIES) {
		nuki_wait(session, PHASE_BACK_OFF, busy_pauses_ms[session->n_busy]);
		session->n_busy++;
		return;
	}
	if (message->reply.error == NUKI_ERROR_BAD_PIN && is_pin_step(session)) {
		pin_refused(session);
	}
	session_fail(&session->base, row->fault, "the lock says: %s (0x%02x) to %s", row->name,
		message->reply.error, nuki_command_name(message->reply.command));
}

static void on_try_again(struct nuki_session *session, const struct nuki_message *message) {
	nuki_step_begin(session);
}

/* ---- data ---- */

static bool is_right_lock(struct nuki_session *session, uint32_t nuki_id) {
	if (session->keys.nuki_id == 0) {
		session->keys.nuki_id = nuki_id;
		nuki_keys_changed(session);
	}
	return session->keys.nuki_id == nuki_id;
}

/* A setting is to be changed, and this is what the lock has. */
static void on_original(struct nuki_session *session, const struct nuki_message *message) {
	struct fault fault = { .code = FAULT_NONE };
	int r = nuki_setting_keep(session, message, &fault);

	if (r < 0) {
		session_fail(&session->base, fault.code, "%s", fault.detail);
	} else if (r == 0) {
		session_done(&session->base);
	} else {
		step_done(session);
	}
}

static void on_answer(struct nuki_session *session, const struct nuki_message *message) {
	struct evidence evidence;

	if (is_pin_step(session)) {
		nuki_pin_accepted(session);
	}
	switch (message->kind->command) {
	case NUKI_CONFIG:
		if (!is_right_lock(session, message->config.nuki_id)) {
			session_fail(&session->base, FAULT_WRONG_LOCK, "Nuki ID %08X answered",
				(unsigned) message->config.nuki_id);
			return;
		}
		session->has_config = true;
		nuki_facts_config(&message->config, &session->config, &evidence);
		session_evidence(&session->base, &evidence);
		nuki_settings_tell(session, message);
		break;
	case NUKI_ADVANCED_CONFIG:
		nuki_settings_tell(session, message);
		if (nuki_message_has(message, "auto_lock_timeout")) {
			nuki_facts_advanced(&message->advanced, &session->config, &evidence);
			session_evidence(&session->base, &evidence);
		}
		break;
	case NUKI_BATTERY_REPORT:
		nuki_facts_battery(&message->battery, &evidence);
		session_evidence(&session->base, &evidence);
		break;
	case NUKI_CODE_ID:
		session->ref = nuki_code_ref(message->code.code_id);
		break;
	case NUKI_TIME_CONTROL_ID:
		session->ref = nuki_timer_ref(message->time_control.entry_id);
		break;
	}
	if (session->job.act == ACT_PUT_SETTING && session->i_step == 0) {
		on_original(session, message);
		return;
	}
	step_done(session);
}

/* ---- the log ---- */

void nuki_log_flush(struct nuki_session *session) {
	if (session->n_batch > 0) {
		session_log(&session->base, session->batch, session->n_batch);
		session->n_batch = 0;
	}
}

static void on_log_count(struct nuki_session *session, const struct nuki_message *message) {
	if ((session->step->flags & STEP_LIST) == 0) {
		return;
	}
	session->config.is_log_enabled = message->reply.enabled != 0;
	nuki_wait(session, PHASE_LISTING, NUKI_LIST_MS);
}

static void on_log_entry(struct nuki_session *session, const struct nuki_message *message) {
	const struct nuki_log_entry *entry = &message->log_entry;

	session->n_page++;
	if (entry->index <= session->log_last) {
		/* Twice, or out of order: what we have counts (exactly once). */
		session->phase = PHASE_LISTING;
		return;
	}
	nuki_wait(session, PHASE_LISTING, NUKI_LIST_MS);
	if (session->n_log >= session->job.log_max) {
		session->is_log_more = true;
		return;
	}
	nuki_facts_log(entry, session->keys.auth_id, &session->batch[session->n_batch]);
	session->n_batch++;
	session->n_log++;
	session->log_last = entry->index;
	if (session->n_batch == ARRAY_SIZE(session->batch)) {
		nuki_log_flush(session);
	}
}

static void on_list_end(struct nuki_session *session, const struct nuki_message *message) {
	const bool is_full = session->n_page >= session->page_asked;
	const bool is_moving = session->log_last != session->log_before;

	nuki_pin_accepted(session);
	if (is_full && is_moving && session->n_log < session->job.log_max) {
		nuki_step_go(session, session->i_step);
		return;
	}
	/* A full page without the one entry too many: the lock repeats the entry asked from. */
	session->is_log_more = session->is_log_more || (is_full && is_moving);
	session_done(&session->base);
}

/* The end did not come: what did come counts, and the rest is for another time. */
static void on_list_silence(struct nuki_session *session, const struct nuki_message *message) {
	if (session->log_last == session->log_before) {
		on_silence(session, message);
		return;
	}
	session->is_log_more = true;
	session_done(&session->base);
}

static void on_first_entry(struct nuki_session *session, const struct nuki_message *message) {
	if ((session->step->flags & STEP_LIST) != 0) {
		on_log_entry(session, message);
	}
}

static void on_end_of_command(struct nuki_session *session, const struct nuki_message *message) {
	if ((session->step->flags & STEP_LIST) != 0) {
		on_list_end(session, message);
	} else if ((session->step->flags & STEP_TABLE) != 0) {
		nuki_on_table_end(session, message);
	} else if (session->step->answer == NUKI_STATUS) {
		on_complete(session, message);
	} /* else: a late Status of something else, while data are awaited */
}

/* clang-format off */
static const struct nuki_row rows[] = {
	/* phase, event, next, action; an action that waits or ends sets the phase itself */
	{ PHASE_CHALLENGE,  EVENT_CHALLENGE, PHASE_COMMAND,    on_challenge },
	{ PHASE_CHALLENGE,  EVENT_ERROR,     PHASE_CHALLENGE,  on_error },
	{ PHASE_CHALLENGE,  EVENT_TIMEOUT,   PHASE_CHALLENGE,  on_silence },
	{ PHASE_GATE,       EVENT_GATE,      PHASE_COMMAND,    on_gate },
	{ PHASE_GATE,       EVENT_TIMEOUT,   PHASE_GATE,       on_gate_shut },
	{ PHASE_COMMAND,    EVENT_ACCEPTED,  PHASE_COMMAND,    on_accepted },
	{ PHASE_COMMAND,    EVENT_COMPLETE,  PHASE_COMMAND,    on_end_of_command },
	{ PHASE_COMMAND,    EVENT_ANSWER,    PHASE_COMMAND,    on_answer },
	{ PHASE_COMMAND,    EVENT_COUNT,     PHASE_COMMAND,    on_log_count },
	{ PHASE_COMMAND,    EVENT_ENTRY,     PHASE_COMMAND,    on_first_entry },
	{ PHASE_COMMAND,    EVENT_TOTAL,     PHASE_TABLE,      nuki_on_total },
	{ PHASE_COMMAND,    EVENT_ROW,       PHASE_TABLE,      nuki_on_row },
	{ PHASE_COMMAND,    EVENT_ERROR,     PHASE_COMMAND,    on_error },
	{ PHASE_COMMAND,    EVENT_TIMEOUT,   PHASE_COMMAND,    on_silence },
	{ PHASE_ACTING,     EVENT_STATES,    PHASE_ACTING,     on_moving },
	{ PHASE_ACTING,     EVENT_COMPLETE,  PHASE_ACTING,     on_complete },
	{ PHASE_ACTING,     EVENT_ERROR,     PHASE_ACTING,     on_error },
	{ PHASE_ACTING,     EVENT_TIMEOUT,   PHASE_ACTING,     on_silence },
	{ PHASE_LISTING,    EVENT_ENTRY,     PHASE_LISTING,    on_log_entry },
	{ PHASE_LISTING,    EVENT_COMPLETE,  PHASE_LISTING,    on_list_end },
	{ PHASE_LISTING,    EVENT_ERROR,     PHASE_LISTING,    on_error },
	{ PHASE_LISTING,    EVENT_TIMEOUT,   PHASE_LISTING,    on_list_silence },
	{ PHASE_TABLE,      EVENT_TOTAL,     PHASE_TABLE,      nuki_on_total },
	{ PHASE_TABLE,      EVENT_ROW,       PHASE_TABLE,      nuki_on_row },
	{ PHASE_TABLE,      EVENT_COMPLETE,  PHASE_TABLE,      nuki_on_table_end },
	{ PHASE_TABLE,      EVENT_ERROR,     PHASE_TABLE,      on_error },
	{ PHASE_TABLE,      EVENT_TIMEOUT,   PHASE_TABLE,      nuki_on_table_silence },
	{ PHASE_BACK_OFF,   EVENT_TIMEOUT,   PHASE_CHALLENGE,  on_try_again },
	{ PHASE_READ_BACK,  EVENT_STATES,    PHASE_READ_BACK,  on_read_back },
	{ PHASE_READ_BACK,  EVENT_ERROR,     PHASE_READ_BACK,  on_error },
	{ PHASE_READ_BACK,  EVENT_TIMEOUT,   PHASE_READ_BACK,  on_silence },
	{ PHASE_LOOK_AGAIN, EVENT_STATES,    PHASE_LOOK_AGAIN, on_read_back },
	{ PHASE_LOOK_AGAIN, EVENT_ERROR,     PHASE_LOOK_AGAIN, on_error },
	{ PHASE_LOOK_AGAIN, EVENT_TIMEOUT,   PHASE_LOOK_AGAIN, on_look_again },
};
/* clang-format on */

const struct nuki_row *nuki_step_rows(size_t *ret_n) {
	*ret_n = ARRAY_SIZE(rows);
	return rows;
}
